"""Checks what `csilink weights export` writes against csilink itself, in onnxruntime.

Every network is trained for a moment (so that statistics and quantisers are not the initial ones), exported, and both sides
are run by `csilink forward` and by onnxruntime on the same samples; quantizer.onnx is held against the tables in the weights.
Exits with 1 if an output differs by more than 1e-4 of the largest value, or a symbol is another one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

HERE = Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / ".build" / "release" / "csilink"
NETWORKS = (
    "csinet csinet-width crnet clnet acrnet-1x bcsinet transnet cllwcsinet csinetplus csinetpro dcrnet dcrnetv2-mini"
)
QUANTIZERS = {
    "codebooks": "type: codebooks, bits: 2, max_bits: 4, samples: 64",
    "lloyd": "type: lloyd, bits: 3, samples: 64",
    "vector": "type: vector, bits: 4, length: 2",
}
SCENARIO = """
name: onnx
link: {{preset: csinet, codec: {{network: "{network}", compression: {compression}}}, quantizer: none}}
training: {{samples: 64, validation_samples: 16, test_samples: 16, epochs: 1, batch: 16{quantizer}}}
"""


def parse_arguments():
    default = os.environ.get("CSILINK", str(RELEASE) if RELEASE.exists() else "csilink")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS.split())
    parser.add_argument("--compression", type=int, default=4)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--csilink", default=default, help="default: $CSILINK, the release build, the PATH")
    parser.add_argument("--exporter", help="another csilink for the exports")
    return parser.parse_args()


def run(*command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{result.stderr}")
    return result.stdout


def session(path):
    onnx.checker.check_model(str(path), full_check=True)
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def deviation(found, expected):
    return float(np.abs(found.reshape(expected.shape) - expected).max() / np.abs(expected).max())


def train(arguments, network, folder, quantizer=None):
    text = SCENARIO.format(
        network=network, compression=arguments.compression,
        quantizer=f", quantizer: {{{QUANTIZERS[quantizer]}}}" if quantizer else "")
    (folder / "scenario.yaml").write_text(text)
    run(arguments.csilink, "train", folder / "scenario.yaml", "--output", folder / "weights")
    run(
        arguments.exporter or arguments.csilink, "weights", "export", folder / "weights", "--network", network, "-c",
        arguments.compression, "-o", folder / "onnx")


def check_network(arguments, network, folder):
    train(arguments, network, folder)
    generator = np.random.default_rng(1)
    value = (0.5 + 0.1 * generator.standard_normal((arguments.samples, 2, 32, 32))).astype("f4")
    worst = 0
    for side, port in (("encoder", "csi"), ("decoder", "codeword")):
        np.save(folder / "input.npy", value)
        run(
            arguments.csilink, "forward", network, "-c", arguments.compression, "--weights",
            folder / "weights", "--input", folder / "input.npy", "--output", folder / "output.npy", "--part",
            side)
        expected = np.load(folder / "output.npy")
        # The codeword of a convolutional encoder has channels in csilink's files.
        ports = session(folder / "onnx" / f"{side}.onnx")
        shape = [len(value)] + ports.get_inputs()[0].shape[1:]
        worst = max(worst, deviation(ports.run(None, {port: value.reshape(shape)})[0], expected))
        value = expected
    return worst


def check_quantizer(arguments, name, folder):
    train(arguments, "csinet", folder, name)
    file = next((folder / "weights").glob("*-encoder.safetensors"))
    tables = {k.removeprefix("quantizer."): v for k, v in load_file(file).items() if k.startswith("quantizer.")}
    ports = session(folder / "onnx" / "quantizer.onnx")
    length = ports.get_inputs()[0].shape[1]
    value = np.random.default_rng(2).standard_normal((arguments.samples, length)).astype("f4")
    symbols, found = ports.run(["symbols", "quantized"], {"codeword": value})
    if "codebook" in tables:
        book = tables["codebook"].astype("f8")
        groups = value.reshape(len(value), -1, book.shape[1]).astype("f8")
        expected = ((groups[:, :, None] - book) ** 2).sum(-1).argmin(-1)
        levels = tables["codebook"][expected].reshape(value.shape)
    else:
        expected, levels, start = np.empty(value.shape, int), np.empty_like(value), 0
        for output, bits in enumerate(tables["bits"].astype(int)):
            stop = start + 2**bits
            thresholds = tables["thresholds"][start : stop - 1]
            expected[:, output] = np.searchsorted(thresholds, value[:, output], side="right")
            levels[:, output] = tables["levels"][start:stop][expected[:, output]]
            start = stop
    return int((symbols != expected).sum()), float(np.abs(found - levels).max())


def main():
    arguments = parse_arguments()
    is_fine = True
    print("| network | largest difference, of the largest value |\n| --- | --- |", flush=True)
    for network in arguments.networks:
        with tempfile.TemporaryDirectory() as folder:
            worst = check_network(arguments, network, Path(folder))
        is_fine &= worst < 1e-4
        print(f"| {network} | {worst:.1e} |", flush=True)
    print("\n| trained quantiser | other symbols | largest difference |\n| --- | --- | --- |", flush=True)
    for name in QUANTIZERS:
        with tempfile.TemporaryDirectory() as folder:
            wrong, worst = check_quantizer(arguments, name, Path(folder))
        is_fine &= wrong == 0 and worst == 0
        print(f"| {name} | {wrong} | {worst:.1e} |", flush=True)
    sys.exit(0 if is_fine else 1)


main()
