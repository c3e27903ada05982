"""A network in PyTorch in csilink's link, as ONNX files and as a process: the same NMSE, and how long each takes.

Grouped and dilated convolutions, PReLU, LayerNorm and attention, random weights but for the decoder's dense layer, which is
fitted to codewords of other drops. The process writes down the images that it gets; PyTorch's NMSE is worked out from them
afterwards. Exits with 1 if the three NMSE differ by 1e-4 dB or more. Times are those of further drops in a run of twice as many,
on one thread, less those of a run without codec: the start of programs does not count.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / ".build" / "release" / "csilink"
EXAMPLE = HERE.parent.parent / "Examples" / "ProcessCodec"
LENGTH = 512


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, tokens):
        count, width = tokens.shape[1:]
        q, k, v = self.project(tokens).chunk(3, -1)
        q, k, v = (t.reshape(-1, count, self.heads, width // self.heads).transpose(1, 2) for t in (q, k, v))
        weights = torch.softmax(q @ k.transpose(-1, -2) / (width // self.heads) ** 0.5, -1)
        return self.out((weights @ v).transpose(1, 2).reshape(-1, count, width))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(2, 8, 3, padding=1), nn.PReLU(8), nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=4),
            nn.PReLU(8), nn.Conv2d(8, 2, 1))
        self.norm, self.attention = nn.LayerNorm(64), Attention(64, 4)
        self.dense = nn.Linear(2048, LENGTH)

    def forward(self, x):
        tokens = (x + self.maps(x)).permute(0, 2, 1, 3).flatten(2)
        return self.dense((tokens + self.attention(self.norm(tokens))).flatten(1))


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(LENGTH, 2048)
        self.refine = nn.Sequential(
            nn.Conv2d(2, 8, 3, padding=2, dilation=2), nn.PReLU(8), nn.Conv2d(8, 8, 3, padding=1, groups=2),
            nn.PReLU(8), nn.Conv2d(8, 2, 3, padding=1))

    def forward(self, codeword):
        image = self.dense(codeword).view(-1, 2, 32, 32)
        return image + 0.1 * self.refine(image)


PROCESS = """
import sys
sys.path[:0] = [{example!r}, {here!r}]
import numpy as np
import torch
from csilink_codec import serve
from own_network import Decoder, Encoder

torch.set_num_threads(1)

def make(Side, name):
    def side(hello):
        network = Side().eval()
        network.load_state_dict(torch.load({folder!r} + "/" + name + ".pt"))
        sink = open({folder!r} + "/" + name + ".f4", "ab")
        def work(batch):
            sink.write(batch.tobytes())
            sink.flush()
            with torch.inference_mode():
                return network(torch.from_numpy(batch.copy())).numpy()
        return work
    return side

serve(make(Encoder, "encoder"), make(Decoder, "decoder"))
"""

SCENARIO = """
name: own
link: {{preset: csinet, estimator: perfect, codec: {codec}, quantizer: none}}
run: {{seed: {seed}, drops: {drops}}}
"""


def parse_arguments():
    default = os.environ.get("CSILINK", str(RELEASE) if RELEASE.exists() else "csilink")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=1000)
    parser.add_argument("--csilink", default=default, help="default: $CSILINK, the release build, the PATH")
    return parser.parse_args()


def run(arguments, folder, codec, drops, seed=1):
    """NMSE in dB of a run of a codec, and its seconds."""
    (folder / "own.yaml").write_text(SCENARIO.format(codec=codec, drops=drops, seed=seed))
    output = folder / f"result-{len(list(folder.glob('result-*')))}"
    start = time.perf_counter()
    result = subprocess.run(
        [arguments.csilink, "run", str(folder / "own.yaml"), "--output", str(output), "--threads", "1"],
        capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if result.returncode:
        sys.exit(result.stderr)
    lines = [line for line in (output / "report.csv").read_text().splitlines() if not line.startswith("#")]
    return float(next(csv.DictReader(lines))["nmse_db"]), seconds


def measure(arguments, folder, codec):
    """NMSE in dB, and seconds of the drops that a run of twice as many has more."""
    _, whole = run(arguments, folder, codec, 2 * arguments.drops)
    value, half = run(arguments, folder, codec, arguments.drops)
    return value, whole - half


def recorded(folder, count):
    """The last images that the process got."""
    images = np.fromfile(folder / "encoder.f4", "<f4").reshape(-1, 2, 32, 32)
    return torch.from_numpy(images[-count:])


def export(network, path, shape):
    torch.onnx.export(
        network, (torch.rand(2, *shape),), str(path), input_names=["input"], output_names=["output"],
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, opset_version=17, dynamo=False)


def main():
    arguments = parse_arguments()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    encoder, decoder = Encoder().eval(), Decoder().eval()
    with tempfile.TemporaryDirectory() as name, torch.inference_mode():
        folder = Path(name)
        (folder / "codec.py").write_text(
            PROCESS.format(example=str(EXAMPLE), here=str(HERE), folder=str(folder)))
        command = f"{{type: process, command: [{sys.executable}, {folder}/codec.py], length: {LENGTH}, timeout: 600 s}}"
        for side, network in (("encoder", encoder), ("decoder", decoder)):
            torch.save(network.state_dict(), folder / f"{side}.pt")
        # What a linear decoder can make of the codewords.
        run(arguments, folder, command, 2 * arguments.drops, seed=2)
        data = recorded(folder, 2 * arguments.drops).double()
        codewords = encoder.double()(data)
        inputs = torch.cat([codewords, torch.ones(len(data), 1)], 1)
        ridge = inputs.T @ inputs
        ridge += 1e-4 * ridge.diagonal().mean() * torch.eye(len(ridge))
        solution = torch.linalg.solve(ridge, inputs.T @ data.flatten(1)).float()
        encoder.float()
        decoder.dense.weight.copy_(solution[:-1].T)
        decoder.dense.bias.copy_(solution[-1])
        decoder.refine[-1].weight.mul_(0.01)
        decoder.refine[-1].bias.zero_()
        for side, network, shape in (("encoder", encoder, (2, 32, 32)), ("decoder", decoder, (LENGTH,))):
            torch.save(network.state_dict(), folder / f"{side}.pt")
            export(network, folder / f"{side}.onnx", shape)
        _, base = measure(arguments, folder, "none")
        onnx, onnx_time = measure(
            arguments, folder, f"{{type: onnx, encoder: {folder}/encoder.onnx, decoder: {folder}/decoder.onnx}}")
        process, process_time = measure(arguments, folder, command)
        images = recorded(folder, arguments.drops)
        start = time.perf_counter()
        found = torch.cat([decoder(encoder(part)) for part in images.split(64)])
        torch_time = time.perf_counter() - start
        power = ((images - 0.5) ** 2).double().sum((1, 2, 3))
        error = ((images - found) ** 2).double().sum((1, 2, 3))
        own = float(10 * torch.log10((error / power).mean()))
    print("| codec | NMSE, dB | ms a drop |\n| --- | --- | --- |")
    for label, value, seconds in (
        ("PyTorch alone", own, torch_time), ("onnx", onnx, onnx_time - base),
        ("process", process, process_time - base)):
        print(f"| {label} | {value:.6f} | {1e3 * seconds / arguments.drops:.2f} |")
    sys.exit(0 if max(abs(onnx - own), abs(process - own)) < 1e-4 else 1)


if __name__ == "__main__":
    main()
