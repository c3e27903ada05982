#!/usr/bin/env python3
"""GNU Radio's list decoder of polar codes (C++) beside csilink's, blocks per CPU second, on one thread each.

    python3 polar_gnuradio.py               # with the Python that GNU Radio was installed for; Debian: apt-get install gnuradio

GNU Radio has neither the check bits nor the rate matching of TS 38.212, so only the list decoder can be compared: N 128 with the
75 most reliable positions, as many as A 64 and its 11 check bits fill. csilink's time is that of the whole receiver.
"""

import argparse
import json
import pathlib
import resource
import subprocess

import numpy as np
from gnuradio import blocks, fec, gr

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / ".build/release/PolarBenchmark"
LENGTH, PLACES = 128, 75


def frozen_positions():
    """The least reliable places by the polarisation weight of G. He et al., Beta-expansion, GLOBECOM 2017."""
    weights = [sum(2 ** (j / 4) for j in range(7) if place >> j & 1) for place in range(LENGTH)]
    return sorted(np.argsort(weights)[: LENGTH - PLACES].tolist())


def received(messages, level, generator):
    """Soft bits of coded messages at Eb/N0 'level' of the 64 message bits in dB."""
    frozen = set(frozen_positions())
    coded = np.zeros((len(messages), LENGTH), dtype=np.uint8)
    coded[:, [place for place in range(LENGTH) if place not in frozen]] = messages
    for step in 1, 2, 4, 8, 16, 32, 64:
        pairs = coded.reshape(len(messages), -1, 2, step)
        pairs[:, :, 0] ^= pairs[:, :, 1]
    coded = coded[:, [int(f"{place:07b}"[::-1], 2) for place in range(LENGTH)]]  # E. Arikan's x = u B G: bits reversed
    ratio = 10 ** (level / 10) * 64 / LENGTH
    noise = generator.standard_normal(coded.shape) * np.sqrt(0.5 / ratio)
    return (4 * ratio * (2.0 * coded - 1 + noise)).astype(np.float32)


def gnuradio(size, level, count):
    generator = np.random.default_rng(1)
    messages = generator.integers(0, 2, (count, PLACES), dtype=np.uint8)
    soft = received(messages, level, generator)
    frozen = frozen_positions()
    decoder = fec.polar_decoder_sc_list.make(size, LENGTH, PLACES, frozen, [0] * len(frozen))
    graph = gr.top_block()
    source = blocks.vector_source_f(soft.ravel().tolist())
    sink = blocks.vector_sink_b()
    graph.connect(source, fec.decoder(decoder, gr.sizeof_float, gr.sizeof_char), sink)
    before = resource.getrusage(resource.RUSAGE_SELF)
    graph.run()
    after = resource.getrusage(resource.RUSAGE_SELF)
    decoded = np.array(sink.data(), dtype=np.uint8).reshape(count, PLACES)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wrong = int((decoded != messages).any(1).sum())
    return {"program": "gnuradio", "N": LENGTH, "places": PLACES, "list": size, "ebn0_db": level, "blocks": count,
            "block_errors": wrong, "block_error_rate": wrong / count, "blocks_per_cpu_second": count / seconds}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csilink", default=str(PROGRAM), help="the program PolarBenchmark")
    parser.add_argument("--list", type=int, default=8)
    parser.add_argument("--level", type=float, default=3, help="Eb/N0 of a message bit in dB")
    parser.add_argument("--blocks", type=int, default=20000, help="of GNU Radio; csilink takes five times as many")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ratios = []
    for _ in range(options.rounds):
        theirs = gnuradio(options.list, options.level, options.blocks)
        line = subprocess.run([options.csilink, "-A", "64", "-E", "128", "--list", str(options.list), f"--level={options.level}",
                               "--blocks", str(5 * options.blocks), "--errors", "1000000000"],
                              check=True, capture_output=True, text=True).stdout
        ours = json.loads(line)
        ratios.append(ours["blocks_per_cpu_second"] / theirs["blocks_per_cpu_second"])
        print(json.dumps(ours), json.dumps(theirs), sep="\n", flush=True)
    print("# speed", " ".join(f"{ratio:.1f}" for ratio in ratios), "times")


if __name__ == "__main__":
    main()
