"""CSI-feedback autoencoders as PyTorch modules, with the names of csilink's weights files.

`--check FOLDER` loads a file of weights and expected outputs per network and compares.
"""

import argparse
import io
import json
import math
import os
import resource
import sys
import time
import warnings
from pathlib import Path

# Settings that PyTorch runs fastest with and that must be there when the process starts: memory that is freed is kept
# for the next step instead of going back to the system, and compiled inference takes the weights as constants.
FASTEST = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 26),
    "TORCHINDUCTOR_FREEZING": "1",
}
if __name__ == "__main__" and not FASTEST.keys() <= os.environ.keys():
    os.execve(sys.executable, [sys.executable, *sys.argv], {**FASTEST, **os.environ})

import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from torch_dcrnet import DCRNet, DCRNetV2  # noqa: E402

MAP = (2, 32, 32)
VALUES = 2048


class ConvBN(nn.Module):
    """Convolution and batch normalisation under the names `conv` and `bn`."""

    def __init__(self, inputs, outputs, kernel, bias=False, groups=1, eps=1e-5, momentum=0.1):
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2)
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=padding, groups=groups, bias=bias)
        self.bn = nn.BatchNorm2d(outputs, eps=eps, momentum=momentum)

    def forward(self, x):
        return self.bn(self.conv(x))


def leaky(x):
    return F.leaky_relu(x, 0.3)


class Autoencoder(nn.Module):
    """An encoder and a decoder; parameters are registered by the subclass under their own names."""

    def forward(self, x):
        return self.decode(self.encode(x))


class Refine(nn.Module):
    def __init__(self):
        super().__init__()
        widths = (2, 8, 16, 2)
        for index in range(3):
            a, b = widths[index], widths[index + 1]
            setattr(self, f"conv{index + 1}", nn.Conv2d(a, b, 3, padding=1))
            setattr(self, f"bn{index + 1}", nn.BatchNorm2d(b, eps=1e-3, momentum=0.01))

    def forward(self, y):
        x = leaky(self.bn1(self.conv1(y)))
        x = leaky(self.bn2(self.conv2(x)))
        return leaky(y + self.bn3(self.conv3(x)))


class CsiNet(Autoencoder):
    def __init__(self, n):
        super().__init__()
        self.enc_conv = nn.Conv2d(2, 2, 3, padding=1)
        self.enc_bn = nn.BatchNorm2d(2, eps=1e-3, momentum=0.01)
        self.enc_fc = nn.Linear(VALUES, VALUES // n)
        self.dec_fc = nn.Linear(VALUES // n, VALUES)
        self.refine1 = Refine()
        self.refine2 = Refine()
        self.out_conv = nn.Conv2d(2, 2, 3, padding=1)

    def encode(self, x):
        return self.enc_fc(leaky(self.enc_bn(self.enc_conv(x))).reshape(x.shape[0], -1))

    def decode(self, s):
        y = self.dec_fc(s).reshape(-1, *MAP)
        return torch.sigmoid(self.out_conv(self.refine2(self.refine1(y))))


class CRBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.path1 = nn.Sequential()
        self.path1.add_module("conv3x3", ConvBN(2, 7, (3, 3)))
        self.path1.add_module("relu1", nn.LeakyReLU(0.3))
        self.path1.add_module("conv1x9", ConvBN(7, 7, (1, 9)))
        self.path1.add_module("relu2", nn.LeakyReLU(0.3))
        self.path1.add_module("conv9x1", ConvBN(7, 7, (9, 1)))
        self.path2 = nn.Sequential()
        self.path2.add_module("conv1x5", ConvBN(2, 7, (1, 5)))
        self.path2.add_module("relu", nn.LeakyReLU(0.3))
        self.path2.add_module("conv5x1", ConvBN(7, 7, (5, 1)))
        self.conv1x1 = ConvBN(14, 2, (1, 1))

    def forward(self, y):
        both = torch.cat((self.path1(y), self.path2(y)), dim=1)
        return leaky(y + self.conv1x1(leaky(both)))


class CRNet(Autoencoder):
    def __init__(self, n):
        super().__init__()
        self.encoder1 = nn.Sequential()
        self.encoder1.add_module("conv3x3_bn", ConvBN(2, 2, (3, 3)))
        self.encoder1.add_module("relu1", nn.LeakyReLU(0.3))
        self.encoder1.add_module("conv1x9_bn", ConvBN(2, 2, (1, 9)))
        self.encoder1.add_module("relu2", nn.LeakyReLU(0.3))
        self.encoder1.add_module("conv9x1_bn", ConvBN(2, 2, (9, 1)))
        self.encoder2 = ConvBN(2, 2, (3, 3))
        self.encoder_conv = nn.Sequential()
        self.encoder_conv.add_module("conv1x1_bn", ConvBN(4, 2, (1, 1)))
        self.encoder_fc = nn.Linear(VALUES, VALUES // n)
        self.decoder_fc = nn.Linear(VALUES // n, VALUES)
        self.decoder_feature = nn.Sequential()
        self.decoder_feature.add_module("conv5x5_bn", ConvBN(2, 2, (5, 5)))
        self.decoder_feature.add_module("relu", nn.LeakyReLU(0.3))
        self.decoder_feature.add_module("CRBlock1", CRBlock())
        self.decoder_feature.add_module("CRBlock2", CRBlock())

    def encode(self, x):
        both = leaky(torch.cat((self.encoder1(x), self.encoder2(x)), dim=1))
        return self.encoder_fc(leaky(self.encoder_conv(both)).reshape(x.shape[0], -1))

    def decode(self, s):
        return torch.sigmoid(self.decoder_feature(self.decoder_fc(s).reshape(-1, *MAP)))


class ACREncoderBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_bn1 = ConvBN(2, 2, (1, 9))
        self.prelu1 = nn.PReLU(2, init=0.3)
        self.conv_bn2 = ConvBN(2, 2, (9, 1))
        self.prelu2 = nn.PReLU(2, init=0.3)

    def forward(self, y):
        return self.prelu2(y + self.conv_bn2(self.prelu1(self.conv_bn1(y))))


class ACRDecoderBlock(nn.Module):
    def __init__(self, k):
        super().__init__()
        width = 8 * k
        self.conv1_bn = ConvBN(2, width, (1, 9))
        self.prelu1 = nn.PReLU(width, init=0.3)
        self.conv2_bn = ConvBN(width, width, (7, 7), groups=4 * k)
        self.prelu2 = nn.PReLU(width, init=0.3)
        self.conv3_bn = ConvBN(width, 2, (9, 1))
        self.prelu3 = nn.PReLU(2, init=0.3)

    def forward(self, y):
        x = self.prelu2(self.conv2_bn(self.prelu1(self.conv1_bn(y))))
        return self.prelu3(y + self.conv3_bn(x))


def feature(blocks):
    """5x5 head with PReLU and two blocks."""
    layers = nn.Sequential()
    layers.add_module("conv5x5_bn", ConvBN(2, 2, (5, 5)))
    layers.add_module("prelu", nn.PReLU(2, init=0.3))
    for name, block in blocks:
        layers.add_module(name, block)
    return layers


class ACRNet(Autoencoder):
    def __init__(self, n, k=1):
        super().__init__()
        self.encoder_feature = feature(
            [(f"ACREncoderBlock{i}", ACREncoderBlock()) for i in (1, 2)]
        )
        self.encoder_fc = nn.Linear(VALUES, VALUES // n)
        self.decoder_fc = nn.Linear(VALUES // n, VALUES)
        self.decoder_feature = feature(
            [(f"ACRDecoderBlock{i}", ACRDecoderBlock(k)) for i in (1, 2)]
        )

    def encode(self, x):
        return self.encoder_fc(self.encoder_feature(x).reshape(x.shape[0], -1))

    def decode(self, s):
        return torch.sigmoid(self.decoder_feature(self.decoder_fc(s).reshape(-1, *MAP)))


def unit(inputs, outputs, height, width):
    return ConvBN(inputs, outputs, (height, width), bias=True, eps=1e-3, momentum=0.01)


class MRefine(nn.Module):
    def __init__(self):
        super().__init__()
        for name, taps in (("a", 7), ("b", 5)):
            for index, (i, o) in enumerate(((2, 8), (8, 16), (16, 2))):
                setattr(self, f"{name}{index + 1}", unit(i, o, 1, taps))
        self.merge = unit(4, 2, 1, 7)

    def forward(self, y):
        a = self.a3(leaky(self.a2(leaky(self.a1(y)))))
        b = self.b3(leaky(self.b2(leaky(self.b1(y)))))
        return leaky(y + self.merge(leaky(torch.cat((a, b), dim=1))))


class CLLWCsiNet(Autoencoder):
    def __init__(self, n):
        super().__init__()
        self.n = n
        k = 64 // n
        self.enc, self.lat, self.dec, self.den = (nn.Module() for _ in range(4))
        for index, taps in enumerate((7, 5, 3)):
            setattr(self.enc, f"p{index + 1}a", unit(2, 2, 1, taps))
            setattr(self.enc, f"p{index + 1}b", unit(2, 2, taps, 1))
        self.enc.merge = unit(6, 2, 1, 7)
        self.lat.a1, self.lat.a2 = unit(64, 32, 1, 7), unit(32, 16, 1, 7)
        if n != 4:
            self.lat.a3 = unit(16, k, 1, 7)
        self.lat.b, self.lat.c = unit(64, k, 1, 7), unit(2 * k, k, 1, 7)
        widths = {4: (16, 32, 64), 8: (8, 16, 32, 64), 16: (4, 8, 16, 64)}[n]
        self.depth = len(widths) - 1
        for i in range(self.depth):
            setattr(self.dec, f"u{i + 1}", unit(widths[i], widths[i + 1], 1, 7))
            setattr(self.den, f"d{i + 1}", unit(widths[i], widths[i + 1], 1, 7))
        self.ref0, self.ref1 = MRefine(), MRefine()
        self.out = unit(2, 2, 1, 7)

    def encode(self, x):
        e, lat = self.enc, self.lat
        p1 = e.p1b(leaky(e.p1a(x)))
        if self.n == 4:
            p1 = leaky(p1)
        p2 = e.p2b(leaky(e.p2a(x)))
        p3 = e.p3b(leaky(e.p3a(x)))
        view = leaky(e.merge(torch.cat((p1, p2, p3), dim=1))).reshape(-1, 64, 1, 32)
        deep = leaky(lat.a2(leaky(lat.a1(view))))
        if self.n != 4:
            deep = lat.a3(deep)
        return leaky(lat.c(leaky(torch.cat((deep, lat.b(view)), dim=1))))

    def decode(self, s):
        d = m = s.reshape(-1, 64 // self.n, 1, 32)
        for i in range(self.depth):
            d = getattr(self.dec, f"u{i + 1}")(d)
            m = getattr(self.den, f"d{i + 1}")(m)
            if self.depth == 2 or i < 2:
                d = leaky(d)
            if i == 0:
                m = leaky(m)
        y = leaky(d - m).reshape(-1, *MAP)
        return torch.sigmoid(self.out(self.ref1(self.ref0(y))))


class Attention(nn.Module):
    """Two heads over the tokens of a sample, packed projections."""

    def __init__(self, dimension=64, heads=2):
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dimension, dimension))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dimension))
        self.out_proj = nn.Linear(dimension, dimension)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(self, x, memory=None):
        d = x.shape[-1]
        if memory is None:
            q, k, v = F.linear(x, self.in_proj_weight, self.in_proj_bias).split(d, dim=-1)
        else:
            q = F.linear(x, self.in_proj_weight[:d], self.in_proj_bias[:d])
            both = F.linear(memory, self.in_proj_weight[d:], self.in_proj_bias[d:])
            k, v = both.split(d, dim=-1)
        q, k, v = (
            t.reshape(t.shape[0], -1, self.heads, d // self.heads).transpose(1, 2)
            for t in (q, k, v)
        )
        y = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        return self.out_proj(y.reshape(x.shape))


class TransformerLayer(nn.Module):
    def __init__(self, is_decoder):
        super().__init__()
        self.self_attn = Attention()
        if is_decoder:
            self.multihead_attn = Attention()
            self.norm3 = nn.LayerNorm(64)
        self.linear1, self.linear2 = nn.Linear(64, 2048), nn.Linear(2048, 64)
        self.norm1, self.norm2 = nn.LayerNorm(64), nn.LayerNorm(64)
        self.is_decoder = is_decoder

    def forward(self, x, memory=None):
        x = self.norm1(x + self.self_attn(x))
        if self.is_decoder:
            x = self.norm2(x + self.multihead_attn(x, memory))
        last = self.norm3 if self.is_decoder else self.norm2
        return last(x + self.linear2(F.relu(self.linear1(x))))


class TransNet(Autoencoder):
    def __init__(self, n):
        super().__init__()
        self.encoder, self.decoder = nn.Module(), nn.Module()
        self.encoder.layer = TransformerLayer(is_decoder=False)
        self.fc_encoder = nn.Linear(VALUES, VALUES // n)
        self.fc_decoder = nn.Linear(VALUES // n, VALUES)
        self.decoder.layer = TransformerLayer(is_decoder=True)
        self.decoder.norm = nn.LayerNorm(64)

    def encode(self, x):
        tokens = x.reshape(-1, 32, 64)
        for _ in range(2):
            tokens = self.encoder.layer(tokens)
        return self.fc_encoder(tokens.reshape(x.shape[0], -1))

    def decode(self, s):
        memory = self.fc_decoder(s).reshape(-1, 32, 64)
        tokens = memory
        for _ in range(2):
            tokens = self.decoder.layer(tokens, memory)
        return self.decoder.norm(tokens).reshape(-1, *MAP)


NETWORKS = {
    "csinet": CsiNet,
    "crnet": CRNet,
    "acrnet-1x": ACRNet,
    "acrnet-10x": lambda n: ACRNet(n, 10),
    "cllwcsinet": CLLWCsiNet,
    "transnet": TransNet,
    "dcrnet-1x": DCRNet,
    "dcrnetv2-mini": DCRNetV2,
    "dcrnetv2-unified": lambda n: DCRNetV2(n, "unified"),
}


class Side(nn.Module):
    """The encoder, the decoder or both, as a module of one input."""

    def __init__(self, network, part):
        super().__init__()
        self.network, self.part = network, part

    def forward(self, x):
        if self.part == "encoder":
            return self.network.encode(x)
        return self.network.decode(x) if self.part == "decoder" else self.network(x)


# ---- timing ----------------------------------------------------------------------------------


def load_batches(arguments):
    """Batches [2, 32, 32] from a file of floats that csilink's side reads too, or random ones."""
    size = arguments.batch * VALUES
    if arguments.data:
        values = np.fromfile(arguments.data, dtype=np.float32)
    else:
        values = np.random.default_rng(1).random(8 * size, dtype=np.float32)
    count = len(values) // size
    batches = values[: count * size].reshape(count, arguments.batch, *MAP)
    return [torch.from_numpy(batch.copy()) for batch in batches]


def repeat(step, seconds):
    """Calls per second after a warm-up, and the shortest call."""
    for _ in range(3):
        step()
    end = time.perf_counter() + min(1.0, seconds / 4)
    while time.perf_counter() < end:
        step()
    calls, shortest, begin = 0, math.inf, time.perf_counter()
    while True:
        start = time.perf_counter()
        step()
        now = time.perf_counter()
        shortest, calls = min(shortest, now - start), calls + 1
        if now - begin >= seconds:
            return calls / (now - begin), shortest


def training_step(network, variant, batches):
    layout = torch.channels_last if "channels_last" in variant else torch.contiguous_format
    network = network.to(memory_format=layout).train()
    batches = [batch.contiguous(memory_format=layout) for batch in batches]
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, fused="fused" in variant)

    def objective(x):
        return F.mse_loss(network(x), x)

    if "compile" in variant:
        objective = torch.compile(objective, dynamic=False)
    turn = 0

    def step():
        nonlocal turn
        optimiser.zero_grad(set_to_none=True)
        loss = objective(batches[turn % len(batches)])
        loss.backward()
        optimiser.step()
        turn += 1
        return loss.item()

    return step


def inference_step(network, variant, batches, part="whole"):
    network = Side(network, part).eval()
    is_map = batches[0].dim() == 4
    if "channels_last" in variant:
        network = network.to(memory_format=torch.channels_last)
        if is_map:
            batches = [b.contiguous(memory_format=torch.channels_last) for b in batches]
    with torch.inference_mode():
        if "jit" in variant:
            network = torch.jit.optimize_for_inference(torch.jit.trace(network, batches[0]))
        elif "compile" in variant:
            network = torch.compile(network, dynamic=False)
    turn = 0

    def step():
        nonlocal turn
        with torch.inference_mode():
            network(batches[turn % len(batches)])
        turn += 1

    return step


def onnx_step(network, batches, threads, part="whole"):
    import onnxruntime

    buffer = io.BytesIO()
    with torch.no_grad(), warnings.catch_warnings():
        # The exporter that needs no further packages says that it is the old one.
        warnings.simplefilter("ignore", DeprecationWarning)
        side = Side(network, part).eval()
        torch.onnx.export(
            side, (batches[0],), buffer, input_names=["x"], opset_version=18, dynamo=False
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        buffer.getvalue(), options, providers=["CPUExecutionProvider"]
    )
    arrays = [batch.numpy() for batch in batches]
    turn = 0

    def step():
        nonlocal turn
        session.run(None, {"x": arrays[turn % len(arrays)]})
        turn += 1

    return step


def measure(arguments):
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    network = NETWORKS[arguments.network](arguments.compression)
    batches = load_batches(arguments)
    if arguments.part == "decoder":
        with torch.inference_mode():
            batches = [network.eval().encode(batch) for batch in batches[:1]]
        batches = [batch.clone() for batch in batches]
    if arguments.mode == "train":
        step = training_step(network, arguments.variant, batches)
    elif arguments.variant == "onnxruntime":
        step = onnx_step(network, batches, arguments.threads, arguments.part)
    else:
        step = inference_step(network, arguments.variant, batches, arguments.part)
    rate, shortest = repeat(step, arguments.seconds)
    result = {
        "peer": "onnxruntime" if arguments.variant == "onnxruntime" else "pytorch",
        "variant": arguments.variant,
        "network": arguments.network,
        "mode": arguments.mode,
        "part": arguments.part,
        "threads": arguments.threads,
        "batch": arguments.batch,
        "samples_per_second": round(rate * arguments.batch, 1),
        "best_samples_per_second": round(arguments.batch / shortest, 1),
        "microseconds": round(1e6 / rate, 2),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }
    print(json.dumps(result), flush=True)


# ---- check -----------------------------------------------------------------------------------

VECTORS = {
    "csinet_cr32_eval": ("csinet", 32),
    "crnet_cr32_eval": ("crnet", 32),
    "acrnet1x_cr32_eval": ("acrnet-1x", 32),
    "cllwcsinet_cr8_eval": ("cllwcsinet", 8),
    "transnet_cr64_eval": ("transnet", 64),
    "dcrnetv2_mini_cr32_eval": ("dcrnetv2-mini", 32),
    "dcrnetv2_unified_cr32_eval": ("dcrnetv2-unified", 32),
}


def check(folder):
    """Largest difference from the expected outputs of each file; true if all are small."""
    from safetensors.torch import load_file

    fine = True
    for name, (network, compression) in VECTORS.items():
        tensors = load_file(str(Path(folder) / f"{name}.safetensors"))
        module = NETWORKS[network](compression)
        own = {key: tensors[key] for key in module.state_dict() if key in tensors}
        missing = [
            key
            for key in module.state_dict()
            if key not in own and not key.endswith("num_batches_tracked")
        ]
        if missing:
            print(f"{name}: no tensors {', '.join(missing)}")
            fine = False
            continue
        module.load_state_dict(own, strict=False)
        module.eval()
        with torch.inference_mode():
            codeword = module.encode(tensors["input"])
            output = module.decode(codeword)
        expected = tensors.get("output", tensors.get("output_noise_free"))
        errors = [
            (codeword - tensors["codeword"]).abs().max().item(),
            (output - expected).abs().max().item(),
        ]
        parameters = sum(p.numel() for p in module.parameters())
        print(f"{name}: {parameters} parameters, codeword {errors[0]:.1e}, output {errors[1]:.1e}")
        fine &= errors[0] < 2e-5 and errors[1] < 5e-5
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", nargs="?", choices=sorted(NETWORKS))
    parser.add_argument("-c", "--compression", type=int, default=4)
    parser.add_argument("--mode", choices=("train", "infer"), default="train")
    parser.add_argument("--part", choices=("whole", "encoder", "decoder"), default="whole")
    parser.add_argument(
        "--variant",
        default="eager",
        help="eager, onnxruntime, or a + joined choice of channels_last, fused, compile, jit",
    )
    parser.add_argument("--batch", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--data", type=Path, help="file of 32-bit floats in [0, 1]")
    parser.add_argument(
        "--check", type=Path, metavar="FOLDER", help="compare with vectors; no timing"
    )
    arguments = parser.parse_args()
    if arguments.check:
        sys.exit(0 if check(arguments.check) else 1)
    if not arguments.network:
        parser.error("name a network")
    measure(arguments)


if __name__ == "__main__":
    main()
