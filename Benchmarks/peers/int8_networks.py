"""Times an encoder in float and on 8-bit integers, one sample on one thread: csilink and onnxruntime in turn.

The graph of the encoder (3x3 convolution with folded normalisation, LeakyReLU, fully connected layer: CsiNet's) is built with
random weights and quantised by onnxruntime's own tools: statically (QDQ, per channel, min-max calibration) and dynamically.
With --weights FOLDER (trained weights of csinet) and --samples FILE.npy ([samples, 2, 32, 32]) it tells instead what the
integers cost: the NMSE of the float decoder behind each encoder; the first 1000 samples give the ranges, the others are judged.
"""

import argparse
import json
import os
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization
from safetensors.numpy import load_file

HERE = Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / ".build" / "release" / "NetworkBenchmark"
VALUES = 2048
EPSILON = 1e-3  # of CsiNet's normalisation
INT8 = "csinet {int8: encoder}"
DYNAMIC = "csinet {int8: encoder, int8_ranges: dynamic}"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="timed part of each run")
    parser.add_argument("--compression", type=int, default=4)
    parser.add_argument("--weights", type=Path, help="folder of trained weights of csinet")
    parser.add_argument("--samples", type=Path, help=".npy file of CSI images")
    parser.add_argument(
        "--csilink",
        default=os.environ.get(
            "CSILINK_NETWORKS", str(RELEASE) if RELEASE.exists() else "NetworkBenchmark"
        ),
        help="csilink's side; default: $CSILINK_NETWORKS, the release build, the PATH",
    )
    return parser.parse_args()


def drawn(outputs):
    """Random parameters k, kb, w, b of the encoder."""
    generator = np.random.default_rng(1)
    shapes = {"k": (2, 2, 3, 3), "kb": (2,), "w": (outputs, VALUES), "b": (outputs,)}
    return {
        name: generator.standard_normal(shape) / np.sqrt(np.prod(shape[1:])) for name, shape in shapes.items()
    }


def trained(path):
    """The parameters of a file of weights, its normalisation folded into the convolution."""
    values = load_file(path)
    gain = values["enc_bn.weight"] / np.sqrt(values["enc_bn.running_var"] + EPSILON)
    return {
        "k": values["enc_conv.weight"] * gain[:, None, None, None],
        "kb": (values["enc_conv.bias"] - values["enc_bn.running_mean"]) * gain + values["enc_bn.bias"],
        "w": values["enc_fc.weight"],
        "b": values["enc_fc.bias"],
    }


def encoder(parameters):
    """CsiNet's encoder as an ONNX model."""
    outputs = len(parameters["b"])
    nodes = [
        helper.make_node("Conv", ["x", "k", "kb"], ["c"], pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        helper.make_node("LeakyRelu", ["c"], ["a"], alpha=0.3),
        helper.make_node("Flatten", ["a"], ["f"]),
        helper.make_node("Gemm", ["f", "w", "b"], ["y"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", outputs])],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in parameters.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


class Samples(quantization.CalibrationDataReader):
    def __init__(self, samples):
        self.batches = iter([{"x": samples[i : i + 1]} for i in range(len(samples))])

    def get_next(self):
        return next(self.batches, None)


def models(folder, parameters, samples):
    """Paths of the float, the statically and the dynamically quantised model."""
    real, prepared = folder / "real.onnx", folder / "prepared.onnx"
    onnx.save(encoder(parameters), real)
    quantization.shape_inference.quant_pre_process(str(real), str(prepared), skip_symbolic_shape=True)
    static, dynamic = folder / "static.onnx", folder / "dynamic.onnx"
    quantization.quantize_static(
        str(prepared),
        str(static),
        Samples(samples),
        per_channel=True,
        activation_type=quantization.QuantType.QUInt8,
        weight_type=quantization.QuantType.QInt8,
    )
    quantization.quantize_dynamic(str(prepared), str(dynamic), weight_type=quantization.QuantType.QInt8)
    return {"real": real, "int8": static, "int8 dynamic": dynamic}


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def time_model(path, samples, seconds):
    """Microseconds of the fastest call."""
    running = session(path)
    best, turn, end = float("inf"), 0, time.perf_counter() + 1.25 * seconds
    while time.perf_counter() < end:
        feed = {"x": samples[turn % len(samples)][None]}
        start = time.perf_counter()
        running.run(None, feed)
        best = min(best, time.perf_counter() - start)
        turn += 1
    return best * 1e6


def time_own(arguments, network):
    command = [*shlex.split(arguments.csilink), "single", network, "--json"]
    command += ["-c", str(arguments.compression), "--seconds", str(arguments.seconds)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return next(1e6 / line["best_samples_per_second"] for line in lines if line["part"] == "encoder")


def nmse_db(truth, reconstruction):
    """Mean over samples of error over energy, dB."""
    error = ((reconstruction - truth) ** 2).sum((1, 2, 3))
    return 10 * np.log10(np.mean(error / ((truth - 0.5) ** 2).sum((1, 2, 3))))


def judge(arguments, folder):
    """NMSE of each encoder before the same float decoder."""
    images = np.load(arguments.samples).astype(np.float32).reshape(-1, 2, 32, 32)
    calibration, truth = folder / "calibration.npy", folder / "truth.npy"
    np.save(calibration, images[:1000])
    np.save(truth, images[1000:])
    program = RELEASE.with_name("csilink")

    def csilink(command, *options):
        line = [str(program), command, "-c", str(arguments.compression), *map(str, options)]
        subprocess.run(line, check=True, capture_output=True)

    def forward(network, weights, *options):
        output = folder / "output.npy"
        csilink("forward", network, "--weights", weights, "--output", output, *options)
        return nmse_db(images[1000:], np.load(output).reshape(-1, 2, 32, 32))

    best = {("csilink", "real"): forward("csinet", arguments.weights, "--input", truth)}
    for kind, network in ("int8", INT8), ("int8 dynamic", DYNAMIC):
        made = folder / kind
        csilink("quantize", network, "--weights", arguments.weights, "--input", calibration, "--output", made)
        best["csilink", kind] = forward(network, made, "--input", truth)
    parameters = trained(arguments.weights / f"csinet-{arguments.compression}-encoder.safetensors")
    for kind, path in models(folder, parameters, images[:1000]).items():
        running = session(path)
        codewords = np.concatenate([running.run(None, {"x": image[None]})[0] for image in images[1000:]])
        np.save(folder / "codewords.npy", codewords)
        options = ["--part", "decoder", "--input", folder / "codewords.npy"]
        best["onnxruntime", kind] = forward("csinet", arguments.weights, *options)
    print("| program | precision | NMSE dB |")
    print("| --- | --- | ---: |")
    for (program, kind), value in best.items():
        print(f"| {program} | {kind} | {value:.3f} |")


def main():
    arguments = parse_arguments()
    if arguments.weights:
        with tempfile.TemporaryDirectory() as name:
            judge(arguments, Path(name))
        return
    own = {"real": "csinet", "int8": INT8, "int8 dynamic": DYNAMIC, "binary": "csinet {binary: encoder}"}
    best = {}
    with tempfile.TemporaryDirectory() as name:
        samples = np.random.default_rng(1).random((100, 2, 32, 32), dtype=np.float32)
        paths = models(Path(name), drawn(VALUES // arguments.compression), samples)
        for _ in range(arguments.rounds):
            for kind, network in own.items():
                key = ("csilink", kind)
                best[key] = min(best.get(key, float("inf")), time_own(arguments, network))
            for kind, path in paths.items():
                key = ("onnxruntime", kind)
                best[key] = min(
                    best.get(key, float("inf")), time_model(path, samples, arguments.seconds)
                )
    print("| program | precision | us a sample | times csilink's float |")
    print("| --- | --- | ---: | ---: |")
    for (program, kind), value in best.items():
        ratio = value / best["csilink", "real"]
        print(f"| {program} | {kind} | {value:.1f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
