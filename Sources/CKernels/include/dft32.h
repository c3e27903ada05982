#pragma once
#include <stddef.h>

/// DFTs of 32 points on interleaved single-precision complex data, sixteen of them at a time. `sign` is that of the
/// exponent: -1 forward, +1 inverse; nothing is scaled but by the factors named.

/// out[r, k] = scale * sum_n in[r, n] e^{sign j 2 pi n k / 32} for each row of [rows, 32]; in and out may be the same.
void csk_dft32_rows(size_t rows, int sign, float scale, const float *in, float *out);

/// The pruned DFT over tones n = s + step * m, m < 32, of [32 * step, columns], columns a multiple of 16:
/// out[i, c] = sum_s twiddle[i, s] sum_m in[s + step m, c] e^{+j 2 pi k_i m / 32}, k_i = (first + i) mod 32,
/// i < rows <= 32; twiddle [rows, step] complex.
void csk_dft32_gather(size_t step, size_t columns, size_t first, size_t rows, const float *twiddle,
                      const float *in, float *out);

/// Its transpose with conjugate twiddles: out[s + step m, c] = sum_i conj(twiddle[i, s]) in[i, c] e^{-j 2 pi k_i m / 32}.
void csk_dft32_scatter(size_t step, size_t columns, size_t first, size_t rows,
                       const float *twiddle, const float *in, float *out);
