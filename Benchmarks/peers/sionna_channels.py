#!/usr/bin/env python3
"""Sionna's stochastic channels of TR 38.901: drops per CPU second on one thread, and their statistics.

Each drop: topology, large- and small-scale parameters, 32 x 1 coefficients, frequency response. A batch holds links of BSs with one
UE each, uniform in a ring around the BS. Tables as in releases 14 to 18 (Sionna's "16.1").
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import numpy as np
import torch
from sionna.phy.channel.tr38901 import InH, PanelArray, UMa, UMi

# name: model, line of sight, carrier, bandwidth, tones, distances, heights of BS and UE, links of a batch
CASES = {
    "umi-los": (UMi, True, 2.655e9, 70e6, 32, (10, 100), (10.0, 1.5), 250),
    "umi-nlos": (UMi, False, 2.655e9, 70e6, 32, (10, 100), (10.0, 1.5), 250),
    "uma-nlos": (UMa, False, 28e9, 20e6, 1024, (35, 500), (25.0, 1.5), 50),
    "inh-los": (InH, True, 2.655e9, 40e6, 32, (1, 20), (3.0, 1.0), 250),
}


def panel(columns, carrier):
    return PanelArray(num_rows_per_panel=1, num_cols_per_panel=columns, polarization="single", polarization_type="V",
                      antenna_pattern="omni", carrier_frequency=carrier)


class Case:
    def __init__(self, name):
        model, self.los, self.carrier, self.bandwidth, self.tones, self.ring, self.heights, self.batch = CASES[name]
        more = {} if model is InH else {"o2i_model": "low"}
        self.is_indoor = model is InH
        self.model = model(carrier_frequency=self.carrier, ut_array=panel(1, self.carrier), bs_array=panel(32, self.carrier),
                           direction="downlink", enable_pathloss=False, enable_shadow_fading=False,
                           spec_version="16.1", **more)
        self.frequencies = torch.arange(self.tones) * (self.bandwidth / self.tones)

    def drops(self):
        """One batch of frequency responses [drop, subcarrier, port], with delays and powers of the paths."""
        n = self.batch
        low, high = self.ring
        distance = torch.sqrt(low**2 + torch.rand(n) * (high**2 - low**2))
        angle = 2 * np.pi * torch.rand(n)
        ue = torch.stack([distance * torch.cos(angle), distance * torch.sin(angle), torch.full((n,), self.heights[1])], -1)
        bs = torch.tensor([0.0, 0.0, self.heights[0]]).expand(n, 1, 3).contiguous()
        zeros = torch.zeros(n, 1, 3)
        self.model.set_topology(ue[:, None], bs, zeros, zeros, zeros,
                                torch.full((n, 1), self.is_indoor), self.los)
        a, tau = self.model(1, self.bandwidth)
        a, tau = a[:, 0, 0, 0, :, :, 0], tau[:, 0, 0]
        # One matrix product; Sionna's cir_to_ofdm_channel forms the phasors anew for every port and takes ten times as long.
        phasors = torch.exp(-2j * np.pi * self.frequencies[:, None] * tau[:, None, :])
        return phasors @ a.transpose(1, 2), a, tau


def spread(tau, power):
    power = power / power.sum(-1, keepdim=True)
    mean = (power * tau).sum(-1, keepdim=True)
    return torch.sqrt((power * (tau - mean) ** 2).sum(-1))


def timing(case, seconds):
    case.drops()
    count, start, wall = 0, time.process_time(), time.perf_counter()
    while time.perf_counter() - wall < seconds:
        case.drops()
        count += case.batch
    return count / (time.process_time() - start)


def statistics(case, count, output):
    responses, lines = [], []
    for _ in range(0, count, case.batch):
        h, a, tau = case.drops()
        drawn = case.model._lsp
        lines.append(torch.stack([
            torch.log10(drawn.ds[:, 0, 0]), torch.log10(drawn.asd[:, 0, 0]),
            10 * torch.log10(drawn.k_factor[:, 0, 0]),
            torch.log10(spread(tau, (a.abs() ** 2).mean(1))),
        ], -1))
        responses.append(h / torch.sqrt((h.abs() ** 2).mean((1, 2), keepdim=True)))
    h, values = torch.cat(responses), torch.cat(lines).double()
    rows = torch.fft.ifft(h, dim=1)
    energy = (rows.abs() ** 2).sum(2)
    energy = energy / energy.sum(1, keepdim=True)
    print(f"  n {len(h)}  cap32 {energy[:, :32].sum(1).mean():.4f}  rows "
          + " ".join(f"{v:.4f}" for v in energy.mean(0)[[0, 1, 2, 3, 4, 31]].tolist()))
    for name, value in zip(["lgDS drawn", "lgASD drawn", "K dB drawn", "lgDS measured"], values.T):
        if name != "K dB drawn" or case.los:
            print(f"  {name} {value.mean():.3f} / {value.std():.3f}")
    if output:
        np.save(output, h.numpy().astype(np.complex64))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("cases", nargs="*", default=["umi-los", "uma-nlos"], metavar="case", help=", ".join(CASES))
    arguments.add_argument("--seconds", type=float, default=10)
    arguments.add_argument("--statistics", type=int, metavar="DROPS", help="statistics of so many drops instead of timing")
    arguments.add_argument("--save", metavar="FOLDER", help="with --statistics: responses [drop, subcarrier, port] as .npy")
    arguments.add_argument("--seed", type=int, default=1)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    from sionna.phy import config
    config.seed = options.seed
    for name in options.cases:
        case = Case(name)
        with torch.no_grad():
            if options.statistics:
                print(name)
                statistics(case, options.statistics, options.save and f"{options.save}/{name}.npy")
            else:
                print(f"{name} {timing(case, options.seconds):.0f} drops per CPU second")


if __name__ == "__main__":
    main()
