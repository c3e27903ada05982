"""Times csilink's networks, PyTorch and onnxruntime alternately and prints tables with ratios."""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / ".build" / "release" / "NetworkBenchmark"
NETWORKS = ("csinet", "crnet", "acrnet-1x", "acrnet-10x", "cllwcsinet", "transnet", "dcrnet-1x")
NETWORKS += ("dcrnetv2-mini", "dcrnetv2-unified")
VARIANTS = {
    "train": (
        "eager",
        "channels_last",
        "fused",
        "channels_last+fused",
        "fused+compile",
        "channels_last+fused+compile",
    ),
    "infer": (
        "eager",
        "channels_last",
        "jit",
        "compile",
        "channels_last+compile",
        "onnxruntime",
    ),
    "single": ("eager", "jit", "onnxruntime"),
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mode", choices=sorted(VARIANTS))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="timed part of each run")
    parser.add_argument("--threads", type=int, default=2, help="not for `single`, which uses one")
    parser.add_argument("--batch", type=int, default=200, help="not for `single`")
    parser.add_argument("--compression", type=int, default=4)
    parser.add_argument(
        "--variants", nargs="+", help="ways to run PyTorch or onnxruntime; default: all of the mode"
    )
    parser.add_argument(
        "--skip", nargs="+", default=[], metavar="NETWORK:VARIANT", help="pairs to leave out"
    )
    parser.add_argument(
        "--csilink",
        default=os.environ.get(
            "CSILINK_NETWORKS", str(RELEASE) if RELEASE.exists() else "NetworkBenchmark"
        ),
        help="csilink's side; default: $CSILINK_NETWORKS, the release build, the PATH",
    )
    parser.add_argument("--json", type=Path, help="also append every run to this file")
    arguments = parser.parse_args()
    if arguments.mode == "single":
        arguments.threads = arguments.batch = 1
    return arguments


def peer_commands(arguments, network, variant, data):
    """One command for training and batches, three (whole, encoder, decoder) for single samples."""
    shared = ["-c", str(arguments.compression), "--threads", str(arguments.threads)]
    shared += ["--seconds", str(arguments.seconds), "--batch", str(arguments.batch)]
    mode = "train" if arguments.mode == "train" else "infer"
    base = [sys.executable, str(HERE / "torch_networks.py"), network, *shared]
    base += ["--mode", mode, "--variant", variant, "--data", data]
    parts = ("whole", "encoder", "decoder") if arguments.mode == "single" else ("whole",)
    return [[*base, "--part", part] for part in parts]


def own_command(arguments, network, data):
    command = [*shlex.split(arguments.csilink), arguments.mode, network, "--json", "--data", data]
    command += ["-c", str(arguments.compression), "--seconds", str(arguments.seconds)]
    if arguments.mode != "single":
        command += ["--batch", str(arguments.batch), "--threads", str(arguments.threads)]
    return command


def run(command):
    """JSON lines that a program prints, or a one-line reason why there are none."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError as error:
        return [], f"cannot run {command[0]}: {error.strerror}"
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        return [], f"exit status {done.returncode}: {lines[-1] if lines else 'no output'}"
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], None


def measure(arguments, network, data):
    """Runs of each program by name, every round starting with another program."""
    programs = {"csilink": [own_command(arguments, network, data)]}
    for variant in arguments.variants or VARIANTS[arguments.mode]:
        if f"{network}:{variant}" not in arguments.skip:
            programs[variant] = peer_commands(arguments, network, variant, data)
    names = list(programs)
    results, failures = {name: [] for name in names}, {}
    for turn in range(arguments.rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            if name in failures:
                continue
            for command in programs[name]:
                lines, reason = run(command)
                if reason:
                    failures[name] = reason
                    print(f"{network}: {name}: {reason}", file=sys.stderr)
                    break
                results[name] += lines
            speeds = [f"{line['samples_per_second']:.0f}" for line in lines]
            print(f"{network}: {name}: {', '.join(speeds)} samples/s", file=sys.stderr, flush=True)
    return results, failures


def rates(lines, part="whole"):
    return [line["samples_per_second"] for line in lines if line["part"] == part]


def print_table(network, results, failures):
    """Best and median speed of each program, and how many times faster csilink's best is."""
    single = any(line["part"] == "encoder" for lines in results.values() for line in lines)
    for part in ("whole", "encoder", "decoder") if single else ("whole",):
        own = rates(results["csilink"], part)
        for name, lines in results.items():
            if name in failures:
                print(f"| {network} | {part} | {name} | {failures[name]} | | | |")
                continue
            values = rates(lines, part)
            memory = max(line["peak_rss_mb"] for line in lines)
            ratio = f"{max(own) / max(values):.2f}" if own else "-"
            best, median = max(values), statistics.median(values)
            cells = [network, part, name, f"{best:.0f}", f"{median:.0f}", ratio, f"{memory:.0f}"]
            print("| " + " | ".join(cells) + " |", flush=True)


def main():
    arguments = parse_arguments()
    columns = ["network", "part", "program", "best samples/s", "median samples/s"]
    columns += ["csilink / program", "peak memory MB"]
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "batches.f32"
        generator = np.random.default_rng(1)
        generator.random(8 * arguments.batch * 2048, dtype=np.float32).tofile(data)
        print("| " + " | ".join(columns) + " |")
        print("| --- | --- | --- | ---: | ---: | ---: | ---: |", flush=True)
        for network in arguments.networks:
            results, failures = measure(arguments, network, str(data))
            print_table(network, results, failures)
            failed |= bool(failures)
            if arguments.json:
                with arguments.json.open("a") as file:
                    for lines in results.values():
                        for line in lines:
                            file.write(json.dumps(line) + "\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
