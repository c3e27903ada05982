"""What the peers share: operating point, command line and timing."""

import argparse
import json
import math
import multiprocessing
import os
import queue
import sys
import threading
import time
from dataclasses import dataclass, fields

SUBCARRIERS = 1024
PORTS = 32
DELAY_ROWS = 32
SNR = 10.0  # linear, pilots and data alike (10 dB)
NOISE_VARIANCE = 1 / SNR  # unitary pilots, unit mean power per channel entry


@dataclass
class Totals:
    """Sums over drops; every ratio is taken per drop before it is summed."""

    drops: int = 0
    nmse: float = 0.0  # reconstruction against the truth, kept angular-delay rows
    nmse_full: float = 0.0  # reconstruction against the truth, all subcarriers
    rate: float = 0.0  # mean over subcarriers of log2(1 + snr |h w|^2), bit/s/Hz
    rate_perfect: float = 0.0  # the same with w from the true channel

    def __iadd__(self, other):
        for field in fields(self):
            total = getattr(self, field.name) + getattr(other, field.name)
            setattr(self, field.name, total)
        return self


def parse_arguments(description, parallel_modes, add_options):
    """Command line of one peer; `add_options` adds the choices that only this peer has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2, help="threads or processes in total")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the timed part")
    parser.add_argument("--parallel", choices=parallel_modes, default=parallel_modes[0])
    parser.add_argument(
        "--pool", type=int, default=32, help="channels made beforehand, per worker"
    )
    parser.add_argument("--taps", type=int, default=32, help="Rayleigh taps at delays 0, 1, ...")
    parser.add_argument("--decay", type=float, default=8.0, help="power exp(-delay / decay)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--with-channel", action="store_true", help="draw and synthesise the channel of every drop"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="compare with double precision and closed forms; no timing",
    )
    add_options(parser)
    arguments = parser.parse_args()
    if arguments.threads < 1 or arguments.batch < 1 or arguments.taps < 1:
        parser.error("--threads, --batch and --taps start at 1")
    if arguments.taps > SUBCARRIERS:
        parser.error(f"--taps is at most {SUBCARRIERS}")
    if arguments.pool < arguments.batch or arguments.pool % arguments.batch:
        parser.error("--pool must be a multiple of --batch")
    return arguments


def tap_amplitudes(taps, decay):
    """Square roots of tap powers exp(-delay / decay), normalised to sum 1."""
    powers = [math.exp(-delay / decay) for delay in range(taps)]
    return [math.sqrt(power / sum(powers)) for power in powers]


def _timed(chain, seconds, start):
    """Runs whole batches for `seconds` after a warm-up; returns sums and loop time."""
    warm_up_end = time.perf_counter() + min(1.0, seconds / 4)
    for _ in range(3):
        chain.step()
    while time.perf_counter() < warm_up_end:
        chain.step()
    start.wait()
    totals = Totals()
    begin = time.perf_counter()
    while time.perf_counter() < begin + seconds:
        totals += chain.step()
    return totals, time.perf_counter() - begin


def _process(make_chain, arguments, worker, start, results):
    try:
        results.put(_timed(make_chain(arguments, worker, 1), arguments.seconds, start))
    except BaseException as error:
        start.abort()
        results.put(error)
        raise


def _run_processes(make_chain, arguments):
    context = multiprocessing.get_context("spawn")
    start, results = context.Barrier(arguments.threads), context.Queue()
    workers = [
        context.Process(target=_process, args=(make_chain, arguments, worker, start, results))
        for worker in range(arguments.threads)
    ]
    for worker in workers:
        worker.start()
    parts = []
    while len(parts) < len(workers):
        try:
            parts.append(results.get(timeout=1))
        except queue.Empty:
            # A worker killed from outside leaves no result.
            killed = [worker.exitcode for worker in workers if (worker.exitcode or 0) < 0]
            if killed:
                for worker in workers:
                    worker.terminate()
                return [ChildProcessError(f"worker ended by signal {-killed[0]}")]
    for worker in workers:
        worker.join()
    return parts


def _run_threads(make_chain, arguments):
    start, parts = threading.Barrier(arguments.threads), []

    def work(worker):
        try:
            parts.append(_timed(make_chain(arguments, worker, 1), arguments.seconds, start))
        except BaseException as error:
            start.abort()
            parts.append(error)

    workers = [threading.Thread(target=work, args=(index,)) for index in range(arguments.threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return parts


def _run_library(make_chain, arguments):
    chain = make_chain(arguments, 0, arguments.threads)
    return [_timed(chain, arguments.seconds, threading.Barrier(1))]


RUNNERS = {"processes": _run_processes, "threads": _run_threads, "library": _run_library}


def limit_library_threads(argv):
    """Sets what numerical libraries read when they load: call before importing them."""
    early = argparse.ArgumentParser(add_help=False)
    early.add_argument("--threads", type=int, default=2)
    early.add_argument("--parallel", default="")
    known, _ = early.parse_known_args(argv)
    count = known.threads if known.parallel == "library" else 1
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(count)


def benchmark(name, make_chain, arguments):
    """Times the chain and prints one JSON line."""
    parts = RUNNERS[arguments.parallel](make_chain, arguments)
    errors = [part for part in parts if isinstance(part, BaseException)]
    if errors:
        # A worker that waited for the failed one only reports the broken barrier.
        errors.sort(key=lambda error: isinstance(error, threading.BrokenBarrierError))
        sys.exit(f"{name}: {errors[0]!r}")
    totals, seconds = Totals(), max(elapsed for _, elapsed in parts)
    for part, _ in parts:
        totals += part
    print(
        json.dumps(
            {
                "peer": name,
                "threads": arguments.threads,
                "drops": totals.drops,
                "seconds": round(seconds, 3),
                "drops_per_second": round(totals.drops / seconds, 1),
                "nmse_db": round(10 * math.log10(totals.nmse / totals.drops), 3),
                "nmse_full_db": round(10 * math.log10(totals.nmse_full / totals.drops), 3),
                "rate": round(totals.rate / totals.drops, 4),
                "rate_perfect": round(totals.rate_perfect / totals.drops, 4),
                "with_channel": arguments.with_channel,
            }
        ),
        flush=True,
    )
