#!/usr/bin/env python3
"""Sionna's 5G polar code of uplink control information beside csilink's: block errors and speed, on one thread each.

    python polar.py errors                  # A 64, E 128 and A 20, E 48, list 8, 2 to 5 dB
    python polar.py speed                   # blocks per CPU second, A 64, E 128 and A 400, E 1023
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from sionna.phy.fec.polar import Polar5GDecoder, Polar5GEncoder

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build/release/PolarBenchmark"


def sionna(a, e, size, level, blocks, errors, batch):
    """One level: Eb/N0 of a message bit in dB, as csilink's benchmark."""
    encoder = Polar5GEncoder(a, e, channel_type="uplink")
    decoder = Polar5GDecoder(encoder, dec_type="SCL", list_size=size, return_crc_status=True)
    ratio = 10 ** (level / 10) * a / e
    generator = torch.Generator().manual_seed(1)
    count = wrong = undetected = 0
    seconds = 0.0
    with torch.inference_mode():
        while count < blocks and wrong < errors:
            message = torch.randint(0, 2, (batch, a), generator=generator).float()
            coded = encoder(message)
            received = 1 - 2 * coded + math.sqrt(0.5 / ratio) * torch.randn(coded.shape, generator=generator)
            start = time.process_time()
            decoded, fits = decoder(-4 * ratio * received)  # Sionna's ratios are log P(1)/P(0)
            seconds += time.process_time() - start
            bad = (decoded != message).any(1)
            count += batch
            wrong += int(bad.sum())
            undetected += int((bad & fits.reshape(-1)).sum())
    return {"program": "sionna", "A": a, "E": e, "list": size, "ebn0_db": level, "blocks": count,
            "block_errors": wrong, "undetected": undetected, "block_error_rate": wrong / count,
            "blocks_per_cpu_second": count / seconds}


def csilink(program, a, e, size, level, blocks, errors):
    line = subprocess.run([program, "-A", str(a), "-E", str(e), "--list", str(size), f"--level={level}", "--blocks",
                           str(blocks), "--errors", str(errors)], check=True, capture_output=True, text=True).stdout
    return json.loads(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["errors", "speed"])
    parser.add_argument("--csilink", default=str(PROGRAM), help="the program PolarBenchmark")
    parser.add_argument("--list", type=int, default=8)
    parser.add_argument("--blocks", type=int, default=6000, help="of Sionna at most; csilink takes twenty times as many")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--levels", type=float, nargs="+", default=[2, 2.5, 3, 3.5, 4, 4.5, 5], help="Eb/N0 of 'errors' in dB")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.mode == "errors":
        cases = [(a, e, level) for a, e in [(64, 128), (20, 48)] for level in options.levels]
    else:
        cases = [(64, 128, 3.0), (400, 1023, 3.0)]
    for a, e, level in cases:
        many = options.mode == "errors"
        ours = csilink(options.csilink, a, e, options.list, level, 20 * options.blocks if many else 20000,
                       2000 if many else 10**9)
        theirs = sionna(a, e, options.list, level, options.blocks if many else 2 * options.batch,
                        200 if many else 10**9, options.batch)
        for result in (ours, theirs):
            print(json.dumps(result), flush=True)
        p, q = ours["block_error_rate"], theirs["block_error_rate"]
        spread = math.sqrt(p * (1 - p) / ours["blocks"] + q * (1 - q) / theirs["blocks"])
        apart = (p - q) / spread if spread else 0.0
        ratio = ours["blocks_per_cpu_second"] / theirs["blocks_per_cpu_second"]
        print(f"# A {a} E {e} {level} dB: block errors {p:.2e} / {q:.2e} ({apart:+.1f} standard errors apart), speed {ratio:.0f} times",
              flush=True)


if __name__ == "__main__":
    main()
