"""csilink's full link chain in PyTorch on the CPU; README.md lists the stages."""

import argparse
import math
import sys

import peer

if __name__ == "__main__" or __name__ == "__mp_main__":
    peer.limit_library_threads(sys.argv[1:])

import torch

import check
from peer import DELAY_ROWS, NOISE_VARIANCE, PORTS, SNR, SUBCARRIERS, Totals

WORD = 0xFFFFFFFF


def philox(counter, stream, key):
    """Philox 4x32-10 (Salmon et al., 2011) at (counter, stream, 0, 0); words in int64."""
    c0, c1 = counter, stream.expand(counter.shape)
    c2 = c3 = torch.zeros_like(counter)
    k0, k1 = key & WORD, key >> 32
    for _ in range(10):
        a, b = c0 * 0xD2511F53, c2 * 0xCD9E8D57
        c0, c1, c2, c3 = (b >> 32) & WORD ^ c1 ^ k0, b & WORD, (a >> 32) & WORD ^ c3 ^ k1, a & WORD
        k0, k1 = (k0 + 0x9E3779B9) & WORD, (k1 + 0xBB67AE85) & WORD
    return c0, c1, c2, c3


def box_muller(u, v, variance):
    """Two independent N(0, variance) arrays from two arrays of 32-bit words."""
    radius = torch.sqrt(torch.log(u.float() * 2.0**-32 + 2.0**-33) * (-2 * variance))
    angle = (v - 2**31).float() * (math.pi * 2.0**-31)
    return radius * torch.cos(angle), radius * torch.sin(angle)


def add_noise(signal, stream, key):
    """Adds complex white Gaussian noise to `signal`, float32 of any even layout, in place."""
    flat = signal.view(4, -1)
    counter = torch.arange(flat.shape[1], dtype=torch.int64)
    a, b, c, d = philox(counter, stream, key)
    variance = NOISE_VARIANCE / 2
    flat += torch.stack((*box_muller(a, b, variance), *box_muller(c, d, variance)))


def link_metrics(response, reconstruction, true_rows, kept_rows):
    """Batch sums of nmse, nmse_full, rate, rate_perfect from interleaved real views."""
    truth, power = (response * response).sum(-1), (reconstruction * reconstruction).sum(-1)
    # h w ||w|| with w = conj(reconstruction)
    h, g = (x.unflatten(-1, (PORTS, 2)) for x in (response, reconstruction))
    real = (response * reconstruction).sum(-1)
    imaginary = (h[..., 1] * g[..., 0] - h[..., 0] * g[..., 1]).sum(-1)
    gain = (real * real + imaginary * imaginary) / power
    # ||h - g||^2 = ||h||^2 + ||g||^2 - 2 Re h g^H costs nothing once MRT has the products.
    full = (truth + power - 2 * real).sum(-1) / truth.sum(-1)
    error = kept_rows - true_rows
    nmse = (error * error).sum((1, 2)) / (true_rows * true_rows).sum((1, 2))
    rate = torch.log2(1 + SNR * gain).mean(-1)
    rate_perfect = torch.log2(1 + SNR * truth).mean(-1)
    return torch.stack([nmse.sum(), full.sum(), rate.sum(), rate_perfect.sum()])


class SplitDelay:
    """First 32 delay rows by two radix-2 steps over subcarriers, then four small matrix products.

    With subcarrier n = 256 a + b and row k = 4 q + r the sum over a is a 4-point DFT that
    depends on r only,
    so the products shrink four times; real, on interleaved complex values.
    """

    def __init__(self, batch):
        quarter, rows = SUBCARRIERS // 4, DELAY_ROWS // 4
        self.batch, self.count = batch, rows
        self.parts = torch.empty(batch, 4, quarter, PORTS, dtype=torch.complex64)
        self.half = torch.empty(batch, 2, quarter, PORTS, dtype=torch.complex64)
        self.rows = torch.empty(batch, 4, 2 * rows, PORTS, dtype=torch.complex64)
        exponents = torch.arange(4.0, dtype=torch.float64)[:, None] + 4 * torch.arange(rows)
        phase = 2 * math.pi / SUBCARRIERS * exponents[:, :, None] * torch.arange(quarter)
        down = torch.cat([phase.cos(), phase.sin()], dim=1).float() / math.sqrt(SUBCARRIERS)
        self.down = down.repeat(batch, 1, 1)
        self.up = down.transpose(1, 2).contiguous().repeat(batch, 1, 1)
        self.real_parts, self.real_rows = (
            torch.view_as_real(x).view(4 * batch, -1, 2 * PORTS) for x in (self.parts, self.rows)
        )

    def forward(self, response, out):
        parts, half, rows, count = self.parts, self.half, self.rows, self.count
        x = response.view(self.batch, 4, -1, PORTS)
        torch.add(x[:, :2], x[:, 2:], out=half)
        torch.add(half[:, 0], half[:, 1], out=parts[:, 0])
        torch.sub(half[:, 0], half[:, 1], out=parts[:, 2])
        torch.sub(x[:, :2], x[:, 2:], out=half)
        half[:, 1] *= 1j
        torch.add(half[:, 0], half[:, 1], out=parts[:, 1])
        torch.sub(half[:, 0], half[:, 1], out=parts[:, 3])
        torch.bmm(self.down, self.real_parts, out=self.real_rows)
        rows[:, :, count:] *= 1j
        ordered = out.view(self.batch, -1, 4, PORTS).transpose(1, 2)
        torch.add(rows[:, :, :count], rows[:, :, count:], out=ordered)

    def backward(self, kept, out):
        parts, half, rows, count = self.parts, self.half, self.rows, self.count
        ordered = kept.view(self.batch, -1, 4, PORTS).transpose(1, 2)
        rows[:, :, :count] = ordered
        torch.mul(ordered, -1j, out=rows[:, :, count:])
        torch.bmm(self.up, self.real_rows, out=self.real_parts)
        x = out.view(self.batch, 4, -1, PORTS)
        torch.add(parts[:, :2], parts[:, 2:], out=half)
        torch.add(half[:, 0], half[:, 1], out=x[:, 0])
        torch.sub(half[:, 0], half[:, 1], out=x[:, 2])
        torch.sub(parts[:, :2], parts[:, 2:], out=half)
        half[:, 1] *= -1j
        torch.add(half[:, 0], half[:, 1], out=x[:, 1])
        torch.sub(half[:, 0], half[:, 1], out=x[:, 3])


class MatrixDelay:
    """First 32 delay rows by one [32, 1024] matrix product."""

    def __init__(self, batch):
        rows = torch.arange(float(DELAY_ROWS), dtype=torch.float64)
        phase = 2 * math.pi / SUBCARRIERS * rows[:, None] * torch.arange(SUBCARRIERS)
        down = torch.complex(phase.cos(), phase.sin()).to(torch.complex64) / math.sqrt(SUBCARRIERS)
        self.down = down.expand(batch, -1, -1)
        self.up = down.conj().T.resolve_conj().contiguous().expand(batch, -1, -1)

    def forward(self, response, out):
        torch.bmm(self.down, response, out=out)

    def backward(self, kept, out):
        torch.bmm(self.up, kept, out=out)


class FFTDelay:
    """All delay rows by FFT."""

    def __init__(self, batch):
        pass

    def forward(self, response, out):
        out.copy_(torch.fft.ifft(response, dim=1, norm="ortho")[:, :DELAY_ROWS])

    def backward(self, kept, out):
        out.copy_(torch.fft.fft(kept, n=SUBCARRIERS, dim=1, norm="ortho"))


class FFTPorts:
    """Unitary DFT over ports and its inverse, by FFT."""

    def forward(self, x, out):
        torch.fft.fft(x, norm="ortho", out=out)

    def backward(self, x, out):
        torch.fft.ifft(x, norm="ortho", out=out)


class MatrixPorts:
    """Unitary DFT over ports and its inverse, by matrix products."""

    def __init__(self):
        index = torch.arange(float(PORTS), dtype=torch.float64)
        phase = -2 * math.pi / PORTS * torch.outer(index, index)
        self.down = torch.complex(phase.cos(), phase.sin()).to(torch.complex64) / math.sqrt(PORTS)
        self.up = self.down.conj().resolve_conj()
        self.scratch = None

    def forward(self, x, out):
        self._product(x, self.down, out)

    def backward(self, x, out):
        self._product(x, self.up, out)

    def _product(self, x, matrix, out):
        if x.data_ptr() == out.data_ptr():
            if self.scratch is None or self.scratch.shape != x.shape:
                self.scratch = torch.empty_like(x)
            x = self.scratch.copy_(x)
        torch.mm(x.view(-1, PORTS), matrix, out=out.view(-1, PORTS))


class Channel:
    """Rayleigh taps of decaying power at integer delays; response [drop, subcarrier, port]."""

    def __init__(self, arguments, generator, batch):
        taps, self.generator = arguments.taps, generator
        self.scale = torch.tensor(peer.tap_amplitudes(taps, arguments.decay))[:, None]
        self.scale *= math.sqrt(SUBCARRIERS / 2)
        self.taps = torch.empty(batch, taps, PORTS, dtype=torch.complex64)
        self.response = torch.empty(batch, SUBCARRIERS, PORTS, dtype=torch.complex64)
        # Taps inside the kept rows use the faster inverse transform of the chain.
        self.delay = SplitDelay(batch) if taps == DELAY_ROWS else FFTDelay(batch)

    def draw(self):
        torch.view_as_real(self.taps).normal_(generator=self.generator)
        self.taps *= self.scale
        self.delay.backward(self.taps, self.response)
        return self.response


def real(x):
    """Interleaved real view [..., 2 n] of a complex array [..., n]."""
    return torch.view_as_real(x).flatten(-2)


class Chain:
    """The stages of one batch of drops, from pilots to metrics."""

    @torch.inference_mode()
    def __init__(self, arguments, worker, threads):
        torch.set_num_threads(threads)
        batch = self.batch = arguments.batch
        self.generator = torch.Generator().manual_seed(arguments.seed * 65536 + worker)
        self.key = torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        self.stream = torch.zeros((), dtype=torch.int64)
        self.channel = Channel(arguments, self.generator, batch)
        self.pool = None
        if not arguments.with_channel:
            self.pool = [self.channel.draw().clone() for _ in range(arguments.pool // batch)]
        self.turn = 0

        def empty(rows):
            return torch.empty(batch, rows, PORTS, dtype=torch.complex64)

        self.noise = empty(SUBCARRIERS)
        self.estimate, self.reconstruction = empty(SUBCARRIERS), empty(SUBCARRIERS)
        self.delay_rows, self.true_rows, self.kept_rows = (empty(DELAY_ROWS) for _ in range(3))
        self.delay = DELAY[arguments.delay](batch)
        self.pilots = PILOTS[arguments.pilots]()
        self.ports = FFTPorts()
        self.compiled = arguments.compile
        self.add_noise, self.metrics = add_noise, link_metrics
        if self.compiled:
            self.add_noise = torch.compile(add_noise, dynamic=False)
            self.metrics = torch.compile(link_metrics, dynamic=False)

    def next_response(self):
        if self.pool is None:
            return self.channel.draw()
        response = self.pool[self.turn]
        self.turn = (self.turn + 1) % len(self.pool)
        return response

    def receive_noise(self, signal):
        """Adds the noise: compiled in one pass, otherwise from PyTorch's own generator."""
        if self.compiled:
            self.stream += 1
            self.add_noise(torch.view_as_real(signal), self.stream, self.key)
        else:
            deviation = math.sqrt(NOISE_VARIANCE / 2)
            torch.view_as_real(self.noise).normal_(0, deviation, generator=self.generator)
            signal += self.noise

    @torch.inference_mode()
    def step(self):
        self.response = response = self.next_response()
        estimate, reconstruction = self.estimate, self.reconstruction

        self.pilots.forward(response, estimate)  # H X
        self.receive_noise(estimate)  # Y
        self.pilots.backward(estimate, estimate)  # Y X^H

        self.delay.forward(response, self.delay_rows)
        self.ports.backward(self.delay_rows, self.true_rows)
        self.delay.forward(estimate, self.delay_rows)
        self.ports.backward(self.delay_rows, self.kept_rows)

        self.ports.forward(self.kept_rows, self.delay_rows)
        self.delay.backward(self.delay_rows, reconstruction)

        arrays = (response, reconstruction, self.true_rows, self.kept_rows)
        return Totals(self.batch, *self.metrics(*map(real, arrays)).tolist())

    @torch.inference_mode()
    def arrays(self):
        """Channel, noise, LS estimate and reconstruction of the last batch."""
        if self.compiled:
            self.noise.zero_()
            self.add_noise(torch.view_as_real(self.noise), self.stream, self.key)
        return tuple(
            x.numpy() for x in (self.response, self.noise, self.estimate, self.reconstruction)
        )


DELAY = {"split": SplitDelay, "matrix": MatrixDelay, "fft": FFTDelay}
PILOTS = {"fft": FFTPorts, "matrix": MatrixPorts}


def add_options(parser):
    parser.add_argument("--batch", type=int, default=4, help="drops per step")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--delay", choices=DELAY, default="split")
    parser.add_argument("--pilots", choices=PILOTS, default="fft")


if __name__ == "__main__":
    arguments = peer.parse_arguments(__doc__, ["processes", "library"], add_options)
    if arguments.check:
        check.run("pytorch", Chain, arguments)
    else:
        peer.benchmark("pytorch", Chain, arguments)
