"""The other end of csilink's codec 'process': serve(encoder, decoder) answers batches until csilink has no more."""

import json
import sys

import numpy as np


def serve(make_encoder, make_decoder):
    """Each of the two is called with the greeting (image [2, angles, taps], reals of a codeword) and returns a function of a
    batch: images [samples, 2, angles, taps] to codewords [samples, reals], or back."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # what is printed must not go between the answers
    hello = json.loads(source.readline())
    is_encoder = hello["side"] == "encoder"
    work = (make_encoder if is_encoder else make_decoder)(hello)
    shape = hello["image"] if is_encoder else [hello["codeword"]]
    size = 4 * int(np.prod(shape))
    sink.write(b"ready\n")
    sink.flush()
    while head := source.read(4):
        count = int.from_bytes(head, "little")
        batch = np.frombuffer(source.read(count * size), "<f4").reshape(count, *shape)
        sink.write(head + np.ascontiguousarray(work(batch), dtype="<f4").tobytes())
        sink.flush()
