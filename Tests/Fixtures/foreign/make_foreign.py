#!/usr/bin/env python3
"""Makes the checkpoints of this folder: small networks with pseudo-random weights, as PyTorch and Keras would save them.

    make_foreign.py [FOLDER]

Needs NumPy, PyTorch and h5py. The Keras files are written with h5py in Keras' layout and evaluated here by Keras' rules
(kernels [row, column, input, output], dense layers [input, output], the last axis normalised). `expected.safetensors` holds
input, codeword and output of each network, computed in float64 and rounded to float32.
"""

import json
import struct
import sys
from collections import OrderedDict
from pathlib import Path

import h5py
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "Benchmarks" / "peers"))
import torch_networks  # noqa: E402
from torch_networks import ConvBN, CRNet, leaky, unit  # noqa: E402

SIDE = 8
IMAGE = (2, SIDE, SIDE)
VALUES = 2 * SIDE * SIDE
torch_networks.MAP, torch_networks.VALUES = IMAGE, VALUES


def named(**layers):
    return nn.Sequential(OrderedDict(layers))


class Refine(nn.Module):
    def __init__(self, first, second, wide, narrow):
        super().__init__()
        sizes = ((2, 8), (8, 16), (16, 2))
        self.conv = named(**{f"{o}_{n}": unit(*s, 1, 7) for o, n, s in zip(first, wide, sizes)})
        self.conv_1 = named(**{f"{o}_{n}": unit(*s, 1, 5) for o, n, s in zip(second, narrow, sizes)})
        self.conv1x1 = unit(4, 2, 1, 7)

    def forward(self, y):
        def path(layers):
            a, b, c = layers
            return c(leaky(b(leaky(a(y)))))

        both = torch.cat((path(self.conv), path(self.conv_1)), dim=1)
        return leaky(y + self.conv1x1(leaky(both)))


class CLLWCsiNet(nn.Module):
    """CLLWCsiNet with the names of the released files, which differ between 1/4 and the other ratios."""

    def __init__(self, n):
        super().__init__()
        self.n, c = n, 2 * SIDE
        k, quarter = c // n, n == 4
        p = ("conv1x7", "conv7x1") if quarter else ("first_conv1x7", "second_conv1x7")
        q = ("conv1x5", "conv5x1") if quarter else ("conv1x3", "conv3x1")
        self.encoder_p1 = named(**{p[0]: unit(2, 2, 1, 7), p[1]: unit(2, 2, 7, 1)})
        self.encoder_p2 = named(**{q[0]: unit(2, 2, 1, 5), q[1]: unit(2, 2, 5, 1)})
        self.encoder_p3 = named(conv1x3=unit(2, 2, 1, 3), conv3x1=unit(2, 2, 3, 1))
        self.con1x1 = unit(6, 2, 1, 7)
        self.encoder_compression = nn.Module()
        sizes = [(c, c // 2), (c // 2, c // 4)] + ([] if quarter else [(c // 4, k)])
        names = ("conv1", "conv2") if quarter else ("first_conv1x7", "second_Conv1x7", "third_Conv1x7")
        self.encoder_compression.conv = named(**{a: unit(*s, 1, 7) for a, s in zip(names, sizes)})
        self.encoder_compression.conv_2 = unit(c, k, 1, 7)
        self.encoder_compression.conv_3 = unit(2 * k, k, 1, 7)
        widths = [w for w in (k, 2 * k, 4 * k) if w < c] + [c]
        sizes = list(zip(widths, widths[1:]))
        up = ("conv1", "conv2") if quarter else ("first_conv1x7", "conv1x7", "second_conv1x7")
        down = ("conv1", "conv2") if quarter else ("conv_1x7", "conv_7x1", "conv_3x3")
        self.decoder_get_feedback_in_UE = named(**{a: unit(*s, 1, 7) for a, s in zip(up, sizes)})
        self.remove_AGN = named(**{a: unit(*s, 1, 7) for a, s in zip(down, sizes)})
        ordinals = ("first", "second", "third")
        wide = ("conv1x7",) * 3 if quarter else ("conv1x7", "Conv1x7", "Conv1x7")
        narrow = ("conv1x5",) * 3 if quarter else wide
        self.decoder_refine_net = nn.Sequential(
            *(Refine(ordinals, ordinals, wide, narrow) for _ in range(2)))
        self._last_cov = named(**{"last_conv" if quarter else "firstcov2": unit(2, 2, 1, 7)})

    def encode(self, x):
        def path(layers):
            a, b = layers
            return b(leaky(a(x)))

        p1 = path(self.encoder_p1)
        if self.n == 4:
            p1 = leaky(p1)
        both = torch.cat((p1, path(self.encoder_p2), path(self.encoder_p3)), dim=1)
        view = leaky(self.con1x1(both)).reshape(-1, 2 * SIDE, 1, SIDE)
        deep = view
        for i, layer in enumerate(self.encoder_compression.conv):
            deep = layer(deep)
            if i < 2:
                deep = leaky(deep)
        both = torch.cat((deep, self.encoder_compression.conv_2(view)), dim=1)
        return leaky(self.encoder_compression.conv_3(leaky(both)))

    def decode(self, s, denoise=True):
        d = m = s
        depth = len(self.decoder_get_feedback_in_UE)
        for i, (u, r) in enumerate(zip(self.decoder_get_feedback_in_UE, self.remove_AGN)):
            d, m = u(d), r(m)
            # The end of d at 1/4 is activated twice before the noise is taken off, once where there is none to take.
            if i < (2 if denoise or depth == 3 else 1):
                d = leaky(d)
            if i == 0:
                m = leaky(m)
        y = leaky(d - m if denoise else d).reshape(-1, *IMAGE)
        return torch.sigmoid(self._last_cov(self.decoder_refine_net(y)))


class CLNetEncoder(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.encoder1 = named(
            conv3x3_bn=ConvBN(2, 2, (3, 3)), relu1=nn.LeakyReLU(0.3),
            conv1x9_bn=ConvBN(2, 2, (1, 9)), relu2=nn.LeakyReLU(0.3),
            conv9x1_bn=ConvBN(2, 2, (9, 1)))
        self.encoder2 = ConvBN(2, 32, (1, 1))
        self.encoder_conv = named(conv1x1_bn=ConvBN(34, 2, (1, 1)))
        self.sa, self.se = nn.Module(), nn.Module()
        self.sa.spatial = ConvBN(2, 1, (3, 3))
        self.se.fc = nn.Sequential(
            nn.Linear(32, 2, bias=False), nn.ReLU(), nn.Linear(2, 32, bias=False), nn.Sigmoid())
        self.replace_efc = nn.Conv1d(VALUES, m, 1)

    def encode(self, x):
        a = self.encoder1(x)
        pooled = torch.cat((a.max(1, keepdim=True)[0], a.mean(1, keepdim=True)), dim=1)
        a = a * torch.sigmoid(self.sa.spatial(pooled))
        b = self.encoder2(x)
        b = b * self.se.fc(b.mean((2, 3)))[:, :, None, None]
        y = leaky(self.encoder_conv(leaky(torch.cat((a, b), dim=1))))
        return self.replace_efc(y.reshape(-1, VALUES, 1)).reshape(x.shape[0], -1)


class CLBlock(nn.Module):
    def __init__(self):
        super().__init__()
        relu = nn.LeakyReLU(0.3)
        self.path1 = named(
            conv3x3=ConvBN(2, 7, (3, 3)), relu1=relu, conv1x3=ConvBN(7, 7, (1, 3)), relu2=relu,
            conv3x1=ConvBN(7, 7, (3, 1)))
        self.path2 = named(conv1x5=ConvBN(2, 7, (1, 5)), relu=relu, conv5x1=ConvBN(7, 7, (5, 1)))
        self.conv1x1 = ConvBN(14, 2, (1, 1))

    def forward(self, y):
        both = torch.cat((self.path1(y), self.path2(y)), dim=1)
        return leaky(y + self.conv1x1(leaky(both)))


class CLNetDecoder(nn.Module):
    def __init__(self, m):
        super().__init__()
        self.replace_dfc = nn.ConvTranspose1d(m, VALUES, 1)
        self.decoder_feature = named(
            conv5x5_bn=ConvBN(2, 2, (5, 5)), relu=nn.LeakyReLU(0.3), CRBlock1=CLBlock(),
            CRBlock2=CLBlock())

    def decode(self, s):
        y = self.replace_dfc(s[:, :, None]).reshape(-1, *IMAGE)
        return F.hardsigmoid(self.decoder_feature(y))


def drawn(network, seed):
    """The network with statistics and slopes that matter, in mode eval."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in sorted({**dict(network.named_parameters()), **dict(network.named_buffers())}.items()):
        if not value.is_floating_point():
            value.fill_(1000)
        elif name.endswith("running_var"):
            value.data.uniform_(0.5, 2, generator=generator)
        elif ".bn" in name and name.endswith("weight"):
            value.data.uniform_(0.5, 1.5, generator=generator)
        else:
            fan = max(1, value[0].numel()) if value.dim() > 1 else 16
            value.data.normal_(0, fan**-0.5, generator=generator)
    return network.eval()


def samples(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, *IMAGE, generator=generator)


def results(expected, name, encoder, decoder, seed, decoders=()):
    x = samples(seed)
    with torch.no_grad():
        codeword = encoder(x.double())
        expected[f"{name}.input"] = x.numpy()
        expected[f"{name}.codeword"] = codeword.numpy()
        expected[f"{name}.output"] = decoder(codeword).numpy()
        for suffix, other in decoders:
            expected[f"{name}.{suffix}"] = other(codeword).numpy()


def float64(network):
    copy = type(network).__new__(type(network))
    nn.Module.__init__(copy)
    import copy as module
    return module.deepcopy(network).double()


def counters(state):
    """The counters of a profiler among the weights."""
    extra = OrderedDict(total_ops=torch.zeros(1, dtype=torch.float64))
    for key, value in state.items():
        extra[key] = value
        if key.endswith("conv.weight"):
            extra[key.replace("weight", "total_params")] = torch.zeros(1, dtype=torch.float64)
    return extra


def crnet(folder, expected):
    network = drawn(CRNet(16), 1)
    wide = float64(network)
    results(expected, "crnet", wide.encode, wide.decode, 11)
    optimizer = torch.optim.Adam([network.encoder_fc.bias])
    network.encoder_fc.bias.grad = torch.zeros_like(network.encoder_fc.bias)
    optimizer.step()
    state = OrderedDict((f"module.{k}", v) for k, v in network.state_dict().items())
    torch.save(
        {"epoch": 7, "state_dict": state, "optimizer": optimizer.state_dict(),
         "best_nmse": np.float64(-3.5), "device": torch.device("cpu"), "name": "CRNet"},
        folder / "crnet_16_zip.pth")
    torch.save(
        {"state_dict": counters(network.state_dict())}, folder / "crnet_16_legacy.pth",
        _use_new_zipfile_serialization=False)


def cllwcsinet(folder, expected):
    for n, is_zip in ((4, True), (8, False)):
        network = drawn(CLLWCsiNet(n), n)
        wide = float64(network)
        results(
            expected, f"cllwcsinet_{n}", wide.encode, wide.decode, 20 + n,
            [("output_without_denoiser", lambda s: wide.decode(s, denoise=False))])
        torch.save(
            {"epoch": 3, "model_state_dict": network.state_dict()}, folder / f"cllwcsinet_{n}.pth",
            _use_new_zipfile_serialization=is_zip)


def clnet(folder, expected):
    encoder, decoder = drawn(CLNetEncoder(8), 3), drawn(CLNetDecoder(8), 4)
    results(expected, "clnet", float64(encoder).encode, float64(decoder).decode, 13)
    for name, side in (("encoder", encoder), ("decoder", decoder)):
        torch.save(
            {"state_dict": side.state_dict()}, folder / f"clnet_16_{name}.pth.tar",
            _use_new_zipfile_serialization=False)


class KerasCsiNet:
    """CsiNet by Keras' rules on NumPy weights; data `[sample, channel, row, column]` or channels last."""

    def __init__(self, channels_last, length, seed):
        self.last = channels_last
        random = np.random.default_rng(seed)
        self.layers = {}
        widths = [(2, 2)] + 2 * [(2, 8), (8, 16), (16, 2)] + [(2, 2)]
        for i, (a, b) in enumerate(widths):
            kernel = random.normal(0, (9 * a) ** -0.5, (3, 3, a, b))
            self.layers[f"conv2d_{i + 1}"] = {"kernel": kernel, "bias": random.normal(0, 0.2, b)}
            if i < 7:
                count = b if channels_last else SIDE
                self.layers[f"batch_normalization_{i + 1}"] = {
                    "gamma": random.uniform(0.5, 1.5, count), "beta": random.normal(0, 0.2, count),
                    "moving_mean": random.normal(0, 0.2, count),
                    "moving_variance": random.uniform(0.5, 2, count)}
        for i, shape in enumerate([(VALUES, length), (length, VALUES)]):
            self.layers[f"dense_{i + 1}"] = {
                "kernel": random.normal(0, shape[0] ** -0.5, shape),
                "bias": random.normal(0, 0.2, shape[1])}
        for layer in self.layers.values():
            for key in layer:
                layer[key] = layer[key].astype(np.float32)

    def conv(self, x, number):
        layer = self.layers[f"conv2d_{number}"]
        if self.last:
            x = x.transpose(0, 3, 1, 2)
        kernel = torch.from_numpy(layer["kernel"].astype(np.float64).transpose(3, 2, 0, 1).copy())
        y = F.conv2d(torch.from_numpy(np.ascontiguousarray(x)), kernel, padding=1).numpy()
        y = y + layer["bias"].astype(np.float64)[:, None, None]
        return y.transpose(0, 2, 3, 1) if self.last else y

    def norm(self, x, number):
        layer = {k: v.astype(np.float64) for k, v in self.layers[f"batch_normalization_{number}"].items()}
        return (x - layer["moving_mean"]) / np.sqrt(layer["moving_variance"] + 1e-3) * layer["gamma"] + layer["beta"]

    def dense(self, x, number):
        layer = self.layers[f"dense_{number}"]
        return x @ layer["kernel"].astype(np.float64) + layer["bias"]

    @staticmethod
    def leaky(x):
        return np.where(x > 0, x, 0.3 * x)

    def encode(self, x):
        x = x.numpy()
        if self.last:
            x = x.transpose(0, 2, 3, 1)
        y = self.leaky(self.norm(self.conv(x, 1), 1))
        return torch.from_numpy(self.dense(y.reshape(y.shape[0], -1), 1))

    def decode(self, s):
        y = self.dense(s.numpy(), 2).reshape((-1, SIDE, SIDE, 2) if self.last else (-1, *IMAGE))
        for first in (2, 5):
            z = self.leaky(self.norm(self.conv(y, first), first))
            z = self.leaky(self.norm(self.conv(z, first + 1), first + 1))
            y = self.leaky(y + self.norm(self.conv(z, first + 2), first + 2))
        y = 1 / (1 + np.exp(-self.conv(y, 8)))
        return torch.from_numpy(y.transpose(0, 3, 1, 2).copy() if self.last else y)

    def save(self, path, offset):
        with h5py.File(path, "w") as file:
            names = []
            for name in ["input_1", *self.layers]:
                kind, _, number = name.rpartition("_")
                if name != "input_1":
                    number = int(number) + offset
                    name_here = f"{kind}_{number}" if number else kind
                else:
                    name_here = name
                names.append(name_here.encode())
                group = file.create_group(name_here)
                variables = self.layers.get(name, {})
                group.attrs["weight_names"] = [f"{name_here}/{v}:0".encode() for v in variables]
                for variable, value in variables.items():
                    group.create_dataset(f"{name_here}/{variable}:0", data=value)
            file.attrs["layer_names"] = names
            file.attrs["backend"] = b"tensorflow"


def keras(folder, expected):
    for name, last, offset in (("csinet_width_16", False, 0), ("csinet_last_16", True, -1)):
        network = KerasCsiNet(last, 8, 5 + last)
        network.save(folder / f"{name}.h5", offset)
        results(expected, name, network.encode, network.decode, 15 + last)


def types(folder):
    """Every type and layout of tensor; the values are i / 8 in the order of the shape, where the type holds them."""
    def values(*shape, dtype=torch.float32):
        return (torch.arange(int(np.prod(shape))) / 8).reshape(shape).to(dtype)

    base = values(4, 6)
    content = OrderedDict(
        float32=values(2, 3), float64=values(2, 3, dtype=torch.float64),
        float16=values(2, 3, dtype=torch.float16), bfloat16=values(2, 3, dtype=torch.bfloat16),
        int64=torch.arange(6), int32=torch.arange(6, dtype=torch.int32),
        int16=torch.arange(6, dtype=torch.int16), int8=torch.arange(6, dtype=torch.int8),
        uint8=torch.arange(6, dtype=torch.uint8), bool=torch.arange(6) % 2 == 1,
        scalar=torch.tensor(0.125), empty=torch.zeros(0, 3),
        transposed=values(3, 2).t(), part=base[1:3, 2:5], parameter=nn.Parameter(values(2, 3)),
        expanded=torch.tensor([0.25]).expand(1), complex64=torch.zeros(2, dtype=torch.complex64))
    both = {
        "levels": [content, (values(2), {3: values(3)})], "none": None, "flag": True, "big": 1 << 70,
        "negative": -5, "float": 0.5, "bytes": b"abc", "set": {1}, "size": torch.Size([1, 2]),
        "long": "x" * 300}
    torch.save(both, folder / "types_zip.pt")
    torch.save(both, folder / "types_protocol4.pt", pickle_protocol=4)
    # The old format has no complex numbers that this program skips.
    del content["complex64"]
    torch.save(both, folder / "types_legacy.pt", _use_new_zipfile_serialization=False)


class Whole(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 3)
        self.block = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))


def whole(folder):
    """A model saved as a whole, which names its class."""
    network = Whole()
    for index, value in enumerate(network.parameters()):
        value.data.copy_(torch.arange(value.numel()).reshape(value.shape) + 10 * index)
    torch.save(network, folder / "whole.pt")


def write_safetensors(path, tensors):
    header, data = {}, b""
    for name, value in tensors.items():
        value = np.ascontiguousarray(value, dtype="<f4")
        header[name] = {
            "dtype": "F32", "shape": list(value.shape),
            "data_offsets": [len(data), len(data) + value.nbytes]}
        data += value.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    torch.manual_seed(0)
    expected = {}
    for make in (crnet, cllwcsinet, clnet, keras):
        make(folder, expected)
    types(folder)
    whole(folder)
    write_safetensors(folder / "expected.safetensors", expected)


if __name__ == "__main__":
    main()
