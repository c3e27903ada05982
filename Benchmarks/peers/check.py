"""Closed forms and a plain double-precision chain that both peers must agree with."""

import math

import numpy as np

from peer import DELAY_ROWS, NOISE_VARIANCE, PORTS, SNR, SUBCARRIERS

STEPS = 64


def ergodic_mrt_rate(branches, snr):
    """E log2(1 + snr x) for x ~ Gamma(branches, 1), bit/s/Hz, by the trapezoid rule."""
    grid = np.linspace(1e-6, branches + 40 * math.sqrt(branches), 2_000_001)
    density = np.exp((branches - 1) * np.log(grid) - grid - math.lgamma(branches))
    return float(np.trapezoid(density * np.log2(1 + snr * grid), grid))


def reference(response, noise):
    """LS estimate, reconstruction, then nmse, nmse_full, rate and rate_perfect per drop."""
    response, noise = response.astype(np.complex128), noise.astype(np.complex128)
    index = np.arange(PORTS)
    pilots = np.exp(-2j * np.pi * np.outer(index, index) / PORTS) / math.sqrt(PORTS)
    estimate = (response @ pilots + noise) @ pilots.conj().T

    def rows(x):
        delay = np.fft.ifft(x, axis=1, norm="ortho")[:, :DELAY_ROWS]
        return delay @ pilots.conj().T  # H F_a^H with F_a the unitary DFT

    kept, truth = rows(estimate), rows(response)
    reconstruction = np.fft.fft(kept @ pilots, n=SUBCARRIERS, axis=1, norm="ortho")

    def power(x, axes):
        return (np.abs(x) ** 2).sum(axis=axes)

    precoder = reconstruction.conj() / np.sqrt(power(reconstruction, 2))[:, :, None]
    gain = np.abs((response * precoder).sum(axis=2)) ** 2
    return (
        estimate,
        reconstruction,
        power(kept - truth, (1, 2)) / power(truth, (1, 2)),
        power(reconstruction - response, (1, 2)) / power(response, (1, 2)),
        np.log2(1 + SNR * gain).mean(axis=1),
        np.log2(1 + SNR * power(response, 2)).mean(axis=1),
    )


def close(name, value, expected, tolerance):
    """Prints one comparison and fails the run when it is outside the tolerance."""
    difference = abs(value - expected)
    print(f"{name:52} {value:12.6f} {expected:12.6f}  +-{tolerance:.2e}")
    assert difference <= tolerance, f"{name}: {value} is not {expected} within {tolerance}"


def against_reference(chain):
    """Compares some steps with double precision on the same channel and noise."""
    worst = np.zeros(3)
    for _ in range(4):
        totals = chain.step()
        response, noise, estimate, reconstruction = (np.array(x) for x in chain.arrays())
        exact = reference(response, noise)
        worst[0] = max(worst[0], np.abs(estimate - exact[0]).max())
        worst[1] = max(worst[1], np.abs(reconstruction - exact[1]).max())
        measured = (totals.nmse, totals.nmse_full, totals.rate, totals.rate_perfect)
        for value, expected in zip(measured, exact[2:]):
            worst[2] = max(worst[2], abs(value / expected.sum() - 1))
    close("largest error of the LS estimate", worst[0], 0, 2e-5)
    close("largest error of the reconstruction", worst[1], 0, 2e-5)
    close("largest relative error of a metric", worst[2], 0, 1e-4)


def closed_forms(chain):
    """Energies and the rate against their expectations, within 4 standard errors."""
    sums = np.zeros(6)  # noise^2, noise^4, LS error, kept error, full error - tail, drops
    means = np.zeros(2)
    rates = []
    for _ in range(STEPS):
        totals = chain.step()
        response, noise, estimate, reconstruction = (
            np.array(x, np.complex128) for x in chain.arrays()
        )
        real = noise.view(np.float64)
        rows = np.fft.ifft(response, axis=1, norm="ortho")
        tail = (np.abs(rows[:, DELAY_ROWS:]) ** 2).sum()
        errors = np.fft.ifft(reconstruction - response, axis=1, norm="ortho")
        sums += [
            (real**2).sum(),
            (real**4).sum(),
            (np.abs(estimate - response) ** 2).sum(),
            (np.abs(errors[:, :DELAY_ROWS]) ** 2).sum(),
            (np.abs(reconstruction - response) ** 2).sum() - tail,
            len(response),
        ]
        means += [real.sum(), (real[..., 1:] * real[..., :-1]).sum()]
        rates.append(totals.rate_perfect / totals.drops)
    drops = sums[5]
    entries, kept = drops * SUBCARRIERS * PORTS, drops * DELAY_ROWS * PORTS
    variance = NOISE_VARIANCE / 2
    # A sum of m exponential variables has relative standard error 1 / sqrt(m).
    wide, narrow = 4 / math.sqrt(entries), 4 / math.sqrt(kept)
    close("noise variance per complex sample x snr", sums[0] / entries * SNR, 1, wide)
    close(
        "kurtosis of the noise",
        sums[1] / (2 * entries) / variance**2,
        3,
        4 * math.sqrt(96 / (2 * entries)),
    )
    close("mean of the noise / deviation", means[0] / (2 * entries) / math.sqrt(variance), 0, wide)
    close("correlation of neighbouring samples", means[1] / (2 * entries) / variance, 0, wide)
    close("LS NMSE, full band, dB", 10 * math.log10(sums[2] / entries), -10, 4.343 * wide)
    gain = 10 * math.log10(DELAY_ROWS / SUBCARRIERS)
    close(
        "noise left after truncation, dB",
        10 * math.log10(sums[3] / entries),
        gain - 10,
        4.343 * narrow,
    )
    close(
        "full-band error less tail, dB",
        10 * math.log10(sums[4] / entries),
        gain - 10,
        4.343 * narrow,
    )
    error = np.std(rates, ddof=1) / math.sqrt(len(rates))
    close("perfect-CSI rate", np.mean(rates), ergodic_mrt_rate(PORTS, SNR), 4 * error)


def run(name, make_chain, arguments):
    """Checks the chain with all taps inside the kept rows, and with a tail beyond them."""
    arguments.with_channel = True
    for arguments.taps in (DELAY_ROWS, 2 * DELAY_ROWS):
        print(f"{name}: {arguments.taps} taps{'measured':>43} {'expected':>12}")
        chain = make_chain(
            arguments, 0, arguments.threads if arguments.parallel == "library" else 1
        )
        against_reference(chain)
        closed_forms(chain)
    print(f"{name}: all checks passed")
