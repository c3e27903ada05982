"""Times csilink's link chain and both Python peers alternately and prints a table with ratios."""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
RELEASE = HERE.parent.parent / ".build" / "release" / "csilink"
FIELDS = ("drops_per_second", "nmse_db", "nmse_full_db", "rate")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="timed part of each run")
    parser.add_argument(
        "--threads", type=int, default=2, help="threads or processes of each program"
    )
    parser.add_argument(
        "--with-channel", action="store_true", help="synthesise channels in the loop"
    )
    parser.add_argument(
        "--csilink",
        default=os.environ.get("CSILINK", str(RELEASE) if RELEASE.exists() else "csilink"),
        help="csilink command; default: $CSILINK, then the release build, then the PATH",
    )
    parser.add_argument("--json", type=Path, help="also write every run to this file")
    arguments = parser.parse_args()
    if arguments.rounds < 1 or arguments.seconds <= 0:
        parser.error("--rounds starts at 1 and --seconds is positive")
    return arguments


def commands(arguments):
    """Command line of each program, by its name in the table."""
    shared = ["--threads", str(arguments.threads), "--seconds", str(arguments.seconds)]
    if arguments.with_channel:
        shared.append("--with-channel")
    return {
        "csilink": [*shlex.split(arguments.csilink), "bench", "link", *shared],
        "numpy": [sys.executable, str(HERE / "numpy_link.py"), *shared],
        "pytorch": [sys.executable, str(HERE / "torch_link.py"), *shared],
    }


def run(command):
    """The JSON line that a program prints, or a one-line reason why there is none."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError as error:
        return None, f"cannot run {command[0]}: {error.strerror}"
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        return None, f"exit status {done.returncode}: {lines[-1] if lines else 'no output'}"
    for line in reversed(done.stdout.splitlines()):
        try:
            result = json.loads(line)
        except ValueError:
            continue
        missing = [key for key in FIELDS if not isinstance(result, dict) or key not in result]
        return (None, f"JSON line without {', '.join(missing)}") if missing else (result, None)
    return None, "printed no JSON line"


def measure(arguments):
    """Runs all programs in every round, each round starting with another one."""
    programs = commands(arguments)
    names = list(programs)
    results, failures = {name: [] for name in names}, {}
    for turn in range(arguments.rounds):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            if name in failures:
                continue
            result, reason = run(programs[name])
            if result is None:
                failures[name] = reason
                print(f"round {turn + 1}: {name}: {reason}", file=sys.stderr)
                continue
            results[name].append(result)
            speed = result["drops_per_second"]
            print(f"round {turn + 1}: {name}: {speed:.0f} drops/s", file=sys.stderr, flush=True)
    return results, failures


def print_table(results, failures):
    """Best and median speed of each program and how many times faster csilink's best is."""
    best = {
        name: max(run["drops_per_second"] for run in runs) for name, runs in results.items() if runs
    }
    columns = ["best drops/s", "median drops/s", "csilink / program"]
    columns += ["NMSE dB", "full-band NMSE dB", "rate"]
    print("| " + " | ".join(["program", *columns]) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for name, runs in results.items():
        if not runs:
            print(f"| {name} | not run: {failures[name]} | | | | | |")
            continue
        median = statistics.median(run["drops_per_second"] for run in runs)
        ratio = f"{best['csilink'] / best[name]:.2f}" if "csilink" in best else "-"
        metrics = [statistics.mean(run[field] for run in runs) for field in FIELDS[1:]]
        cells = [name, f"{best[name]:.0f}", f"{median:.0f}", ratio]
        cells += [f"{metrics[0]:.2f}", f"{metrics[1]:.2f}", f"{metrics[2]:.3f}"]
        print("| " + " | ".join(cells) + " |")


def main():
    arguments = parse_arguments()
    results, failures = measure(arguments)
    print_table(results, failures)
    if arguments.json:
        arguments.json.write_text(
            json.dumps({"runs": results, "failures": failures}, indent=2) + "\n"
        )
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
