"""Exact one-dimensional k-means: csilink beside ckwrap and kmeans1d, on the same samples."""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import ckwrap
import kmeans1d
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def error(samples, labels, levels):
    """Mean squared distance of the samples from the means of their clusters."""
    counts = np.bincount(labels, minlength=levels)
    means = np.bincount(labels, weights=samples, minlength=levels) / np.maximum(counts, 1)
    return float(np.mean((samples - means[labels]) ** 2))


def peers(levels):
    yield "ckwrap, linear", lambda x: ckwrap.ckmeans(x, levels, method="linear").labels
    yield "ckwrap, loglinear", lambda x: ckwrap.ckmeans(x, levels, method="loglinear").labels
    yield "kmeans1d", lambda x: kmeans1d.cluster(x, levels).clusters


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--levels", type=int, default=16)
    parser.add_argument("--outputs", type=int, default=8)
    parser.add_argument("--laplace", action="store_true", help="Laplace samples, not normal ones")
    parser.add_argument("--program", default=str(ROOT / ".build/release/CodingBenchmark"))
    arguments = parser.parse_args()

    random = np.random.default_rng(1)
    draw = random.laplace if arguments.laplace else random.standard_normal
    rows = draw(size=(arguments.outputs, arguments.samples)).astype(np.float32)
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        rows.tofile(file.name)
        ours = json.loads(
            subprocess.run(
                [
                    arguments.program, "kmeans", "--data", file.name, "--json",
                    "--samples", str(arguments.samples), "--levels", str(arguments.levels),
                    "--outputs", str(arguments.outputs),
                ],
                check=True, capture_output=True, text=True,
            ).stdout
        )
    seconds = ours["seconds_per_output"]
    print(f"{'csilink':20s} {1e3 * seconds:9.2f} ms an output")
    for name, cluster in peers(arguments.levels):
        total, worst = 0.0, 0.0
        for row, own in zip(rows.astype(np.float64), ours["errors"]):
            start = time.process_time()
            labels = cluster(row)
            total += time.process_time() - start
            other = error(row, np.asarray(labels), arguments.levels)
            worst = max(worst, abs(other / own - 1))
        mean = total / arguments.outputs
        print(
            f"{name:20s} {1e3 * mean:9.2f} ms an output, {mean / seconds:5.1f} times as long,"
            f" errors differ by {worst:.1e}"
        )


if __name__ == "__main__":
    main()
