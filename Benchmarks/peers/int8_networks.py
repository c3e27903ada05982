"""Times an encoder in float and on 8-bit integers, one sample on one thread: csilink and onnxruntime in turn.

The graph of the encoder (3x3 convolution with folded normalisation, LeakyReLU, fully connected layer: CsiNet's) is built with
random weights and quantised by onnxruntime's own tools: statically (QDQ, per channel, min-max calibration) and dynamically.
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

HERE = Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / ".build" / "release" / "NetworkBenchmark"
VALUES = 2048


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="timed part of each run")
    parser.add_argument("--compression", type=int, default=4)
    parser.add_argument(
        "--csilink",
        default=os.environ.get(
            "CSILINK_NETWORKS", str(RELEASE) if RELEASE.exists() else "NetworkBenchmark"
        ),
        help="csilink's side; default: $CSILINK_NETWORKS, the release build, the PATH",
    )
    return parser.parse_args()


def encoder(compression, generator):
    """CsiNet's encoder as an ONNX model."""
    outputs = VALUES // compression

    def tensor(name, *shape):
        values = generator.standard_normal(shape).astype(np.float32) / np.sqrt(np.prod(shape[1:]))
        return numpy_helper.from_array(values.astype(np.float32), name)

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
        [tensor("k", 2, 2, 3, 3), tensor("kb", 2), tensor("w", outputs, VALUES), tensor("b", outputs)],
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


def models(folder, compression):
    """Paths of the float, the statically and the dynamically quantised model."""
    generator = np.random.default_rng(1)
    real, prepared = folder / "real.onnx", folder / "prepared.onnx"
    onnx.save(encoder(compression, generator), real)
    quantization.shape_inference.quant_pre_process(str(real), str(prepared), skip_symbolic_shape=True)
    samples = generator.random((100, 2, 32, 32), dtype=np.float32)
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
    return {"real": real, "int8": static, "int8 dynamic": dynamic}, samples


def time_model(path, samples, seconds):
    """Microseconds of the fastest call."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    best, turn, end = float("inf"), 0, time.perf_counter() + 1.25 * seconds
    while time.perf_counter() < end:
        feed = {"x": samples[turn % len(samples)][None]}
        start = time.perf_counter()
        session.run(None, feed)
        best = min(best, time.perf_counter() - start)
        turn += 1
    return best * 1e6


def time_own(arguments, network):
    command = [*shlex.split(arguments.csilink), "single", network, "--json"]
    command += ["-c", str(arguments.compression), "--seconds", str(arguments.seconds)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return next(1e6 / line["best_samples_per_second"] for line in lines if line["part"] == "encoder")


def main():
    arguments = parse_arguments()
    own = {
        "real": "csinet",
        "int8": "csinet {int8: encoder}",
        "int8 dynamic": "csinet {int8: encoder, int8_ranges: dynamic}",
        "binary": "csinet {binary: encoder}",
    }
    best = {}
    with tempfile.TemporaryDirectory() as name:
        paths, samples = models(Path(name), arguments.compression)
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
