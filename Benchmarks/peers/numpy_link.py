"""csilink's full link chain in NumPy and SciPy; README.md lists the stages."""

import sys

import peer

if __name__ == "__main__" or __name__ == "__mp_main__":
    peer.limit_library_threads(sys.argv[1:])

import numpy as np
import scipy.fft

import check
from peer import DELAY_ROWS, NOISE_VARIANCE, PORTS, SNR, SUBCARRIERS, Totals


class BoxMuller:
    """Fills [drop, value] float32 arrays with independent N(0, variance) values.

    The vectorised logarithm, sine and cosine of NumPy beat its own ziggurat three times.
    A 32-bit radius word reaches 6.7 standard deviations. One drop at a time:
    scratch stays in the cache.
    """

    def __init__(self, seed, values_per_drop):
        self.bits = np.random.SFC64(seed)
        self.radius = np.empty(values_per_drop // 2, np.float32)
        self.angle = np.empty(values_per_drop // 2, np.float32)

    def fill(self, out, variance):
        for drop in out:
            self._fill_drop(drop.reshape(2, -1), variance)

    def _fill_drop(self, halves, variance):
        radius, angle = self.radius, self.angle
        words = self.bits.random_raw(radius.size).view(np.uint32).reshape(halves.shape)
        np.copyto(radius, words[0], casting="unsafe")
        radius *= np.float32(2.0**-32)
        radius += np.float32(2.0**-33)
        np.log(radius, out=radius)
        radius *= np.float32(-2 * variance)
        np.sqrt(radius, out=radius)
        np.copyto(angle, words[1].view(np.int32), casting="unsafe")
        angle *= np.float32(np.pi * 2.0**-31)
        np.cos(angle, out=halves[0])
        np.sin(angle, out=halves[1])
        halves *= radius


class Ziggurat:
    """NumPy's own normal generator."""

    def __init__(self, seed, values_per_drop):
        self.generator = np.random.Generator(np.random.SFC64(seed))

    def fill(self, out, variance):
        self.generator.standard_normal(dtype=np.float32, out=out)
        out *= np.float32(np.sqrt(variance))


class SplitDelay:
    """First 32 delay rows by two radix-2 steps over subcarriers, then four small matrix products.

    With subcarrier n = 256 a + b and row k = 4 q + r the sum over a is a 4-point DFT that
    depends on r only,
    so the products shrink four times: 4 x [8, 256] instead of [32, 1024]. Products are real, on
    interleaved
    complex values: OpenBLAS has small-matrix kernels for them and none for complex ones.
    """

    def __init__(self, batch, threads):
        quarter, rows = SUBCARRIERS // 4, DELAY_ROWS // 4
        self.count = rows
        self.parts = np.empty((batch, 4, quarter, PORTS), np.complex64)
        self.half = np.empty((batch, 2, quarter, PORTS), np.complex64)
        self.rows = np.empty((batch, 4, 2 * rows, PORTS), np.complex64)
        exponents = np.arange(4)[:, None] + 4 * np.arange(rows)
        phase = 2 * np.pi / SUBCARRIERS * exponents[:, :, None] * np.arange(quarter)
        down = np.concatenate([np.cos(phase), np.sin(phase)], axis=1) / np.sqrt(SUBCARRIERS)
        self.down = down.astype(np.float32)
        self.up = np.ascontiguousarray(self.down.transpose(0, 2, 1))

    def forward(self, response, out):
        batch, parts, half, rows = len(response), self.parts, self.half, self.rows
        x = response.reshape(batch, 4, -1, PORTS)
        np.add(x[:, :2], x[:, 2:], out=half)
        np.add(half[:, 0], half[:, 1], out=parts[:, 0])
        np.subtract(half[:, 0], half[:, 1], out=parts[:, 2])
        np.subtract(x[:, :2], x[:, 2:], out=half)
        half[:, 1] *= np.complex64(1j)
        np.add(half[:, 0], half[:, 1], out=parts[:, 1])
        np.subtract(half[:, 0], half[:, 1], out=parts[:, 3])
        np.matmul(self.down, parts.view(np.float32), out=rows.view(np.float32))
        rows[:, :, self.count :] *= np.complex64(1j)
        ordered = out.reshape(batch, -1, 4, PORTS).transpose(0, 2, 1, 3)
        np.add(rows[:, :, : self.count], rows[:, :, self.count :], out=ordered)

    def backward(self, kept, out):
        batch, parts, half, rows = len(kept), self.parts, self.half, self.rows
        ordered = kept.reshape(batch, -1, 4, PORTS).transpose(0, 2, 1, 3)
        rows[:, :, : self.count] = ordered
        np.multiply(ordered, np.complex64(-1j), out=rows[:, :, self.count :])
        np.matmul(self.up, rows.view(np.float32), out=parts.view(np.float32))
        x = out.reshape(batch, 4, -1, PORTS)
        np.add(parts[:, 0], parts[:, 2], out=half[:, 0])
        np.add(parts[:, 1], parts[:, 3], out=half[:, 1])
        np.add(half[:, 0], half[:, 1], out=x[:, 0])
        np.subtract(half[:, 0], half[:, 1], out=x[:, 2])
        np.subtract(parts[:, 0], parts[:, 2], out=half[:, 0])
        np.subtract(parts[:, 1], parts[:, 3], out=half[:, 1])
        half[:, 1] *= np.complex64(-1j)
        np.add(half[:, 0], half[:, 1], out=x[:, 1])
        np.subtract(half[:, 0], half[:, 1], out=x[:, 3])


class MatrixDelay:
    """First 32 delay rows by one [32, 1024] matrix product."""

    def __init__(self, batch, threads):
        phase = 2j * np.pi / SUBCARRIERS * np.outer(np.arange(DELAY_ROWS), np.arange(SUBCARRIERS))
        self.down = (np.exp(phase) / np.sqrt(SUBCARRIERS)).astype(np.complex64)
        self.up = np.ascontiguousarray(self.down.conj().T)

    def forward(self, response, out):
        np.matmul(self.down, response, out=out)

    def backward(self, rows, out):
        np.matmul(self.up, rows, out=out)


class FFTDelay:
    """All delay rows by FFT."""

    def __init__(self, batch, threads):
        self.options = {"axis": 1, "norm": "ortho", "workers": threads}

    def forward(self, response, out):
        out[...] = scipy.fft.ifft(response, **self.options)[:, :DELAY_ROWS]

    def backward(self, rows, out):
        out[...] = scipy.fft.fft(rows, n=SUBCARRIERS, **self.options)


class FFTPorts:
    """Unitary DFT over ports and its inverse, by FFT."""

    def __init__(self, threads):
        self.threads = threads

    def forward(self, x, out):
        if self.threads == 1:
            np.fft.fft(x, norm="ortho", out=out)
        else:
            out[...] = scipy.fft.fft(x, norm="ortho", workers=self.threads)

    def backward(self, x, out):
        if self.threads == 1:
            np.fft.ifft(x, norm="ortho", out=out)
        else:
            out[...] = scipy.fft.ifft(x, norm="ortho", workers=self.threads)


class MatrixPorts:
    """Unitary DFT over ports and its inverse, by products of interleaved real views."""

    def __init__(self, threads):
        phase = -2j * np.pi / PORTS * np.outer(np.arange(PORTS), np.arange(PORTS))
        matrix = np.exp(phase) / np.sqrt(PORTS)
        self.down, self.up = self._real(matrix), self._real(matrix.conj())

    @staticmethod
    def _real(matrix):
        blocks = np.array([[matrix.real, matrix.imag], [-matrix.imag, matrix.real]])
        return blocks.transpose(2, 0, 3, 1).reshape(2 * PORTS, 2 * PORTS).astype(np.float32)

    def forward(self, x, out):
        self._product(x, self.down, out)

    def backward(self, x, out):
        self._product(x, self.up, out)

    @staticmethod
    def _product(x, matrix, out):
        width = 2 * PORTS
        a, b = (v.view(np.float32).reshape(-1, width) for v in (x, out))
        np.matmul(a, matrix, out=b)


def energies(x):
    """Sums of |x|^2 over the last axis, float32."""
    real = x.view(np.float32)
    return np.vecdot(real, real)


class Channel:
    """Rayleigh taps of decaying power at integer delays; response [drop, subcarrier, port]."""

    def __init__(self, arguments, seed, batch):
        taps = arguments.taps
        amplitudes = np.array(peer.tap_amplitudes(taps, arguments.decay))
        phase = -2j * np.pi / SUBCARRIERS * np.outer(np.arange(SUBCARRIERS), np.arange(taps))
        self.synthesis = (np.exp(phase) * amplitudes).astype(np.complex64)
        self.taps = np.empty((batch, taps, PORTS), np.complex64)
        self.generator = BoxMuller(seed, 2 * taps * PORTS)
        self.response = np.empty((batch, SUBCARRIERS, PORTS), np.complex64)
        # Taps inside the kept rows use the faster inverse transform of the chain.
        self.delay = SplitDelay(batch, 1) if taps == DELAY_ROWS else None
        self.scale = (amplitudes * np.sqrt(SUBCARRIERS)).astype(np.float32)[:, None]

    def draw(self):
        self.generator.fill(self.taps.view(np.float32).reshape(len(self.taps), -1), 0.5)
        if self.delay is None:
            np.matmul(self.synthesis, self.taps, out=self.response)
        else:
            self.taps *= self.scale
            self.delay.backward(self.taps, self.response)
        return self.response


class Chain:
    """The stages of one batch of drops, from pilots to metrics."""

    def __init__(self, arguments, worker, threads):
        batch = self.batch = arguments.batch
        seeds = np.random.SeedSequence([arguments.seed, worker]).spawn(2)
        shape = (batch, SUBCARRIERS, PORTS)
        self.channel = Channel(arguments, seeds[0], batch)
        self.pool = None
        if not arguments.with_channel:
            count = arguments.pool // batch
            self.pool = np.stack([self.channel.draw() for _ in range(count)])
        self.turn = 0
        self.noise = np.empty(shape, np.complex64)
        self.estimate = np.empty(shape, np.complex64)
        self.reconstruction = np.empty(shape, np.complex64)
        rows = (batch, DELAY_ROWS, PORTS)
        self.delay_rows, self.true_rows, self.kept_rows = (
            np.empty(rows, np.complex64) for _ in range(3)
        )
        self.generator = NOISE[arguments.noise](seeds[1], 2 * SUBCARRIERS * PORTS)
        self.delay = DELAY[arguments.delay](batch, threads)
        self.pilots = PILOTS[arguments.pilots](threads)
        self.ports = FFTPorts(threads)

    def next_response(self):
        if self.pool is None:
            return self.channel.draw()
        response = self.pool[self.turn]
        self.turn = (self.turn + 1) % len(self.pool)
        return response

    def step(self):
        self.response = response = self.next_response()
        estimate, reconstruction = self.estimate, self.reconstruction

        self.pilots.forward(response, estimate)  # H X
        self.generator.fill(self.noise.view(np.float32).reshape(self.batch, -1), NOISE_VARIANCE / 2)
        estimate += self.noise  # Y
        self.pilots.backward(estimate, estimate)  # Y X^H

        self.delay.forward(response, self.delay_rows)
        self.ports.backward(self.delay_rows, self.true_rows)
        self.delay.forward(estimate, self.delay_rows)
        self.ports.backward(self.delay_rows, self.kept_rows)

        self.ports.forward(self.kept_rows, self.delay_rows)
        self.delay.backward(self.delay_rows, reconstruction)
        return self.metrics(response, reconstruction)

    def metrics(self, response, reconstruction):
        truth = energies(response)
        power = energies(reconstruction)
        cross = np.vecdot(reconstruction, response)  # h w ||w||, w = conj(reconstruction)
        gain = energies(cross.reshape(self.batch, SUBCARRIERS, 1)) / power
        rate = np.log2(1 + np.float32(SNR) * gain)
        rate_perfect = np.log2(1 + np.float32(SNR) * truth)
        # ||h - g||^2 = ||h||^2 + ||g||^2 - 2 Re h g^H costs nothing once MRT has the products.
        error = truth + power - 2 * cross.real
        self.kept_rows -= self.true_rows
        flat = (self.batch, DELAY_ROWS * PORTS)
        nmse = energies(self.kept_rows.reshape(flat)) / energies(self.true_rows.reshape(flat))
        return Totals(
            drops=self.batch,
            nmse=float(nmse.sum()),
            nmse_full=float((error.sum(axis=1) / truth.sum(axis=1)).sum()),
            rate=float(rate.mean(axis=1).sum()),
            rate_perfect=float(rate_perfect.mean(axis=1).sum()),
        )

    def arrays(self):
        """Channel, noise, LS estimate and reconstruction of the last batch."""
        return self.response, self.noise, self.estimate, self.reconstruction


NOISE = {"box-muller": BoxMuller, "ziggurat": Ziggurat}
DELAY = {"split": SplitDelay, "matrix": MatrixDelay, "fft": FFTDelay}
PILOTS = {"fft": FFTPorts, "matrix": MatrixPorts}


def add_options(parser):
    parser.add_argument("--batch", type=int, default=4, help="drops per step")
    parser.add_argument("--noise", choices=NOISE, default="box-muller")
    parser.add_argument("--delay", choices=DELAY, default="split")
    parser.add_argument("--pilots", choices=PILOTS, default="fft")


if __name__ == "__main__":
    arguments = peer.parse_arguments(__doc__, ["processes", "threads", "library"], add_options)
    if arguments.check:
        check.run("numpy", Chain, arguments)
    else:
        peer.benchmark("numpy", Chain, arguments)
