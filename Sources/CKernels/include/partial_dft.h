#pragma once
#include <stddef.h>

/// The combining half of a pruned DFT of length N = radix * step that computes few outputs (or starts from few inputs),
/// for `columns` independent complex columns stored side by side.
///
/// gather: out[k, c] = sum_{s < step} twiddle[k, s] * parts[k mod radix.., s, c], parts laid out [rows, step, columns].
void csk_partial_dft_gather(size_t rows, size_t step, size_t columns, const float *twiddle,
                            const float *const *parts, float *out);

/// scatter: parts[k][s, c] = twiddle[k, s] * in[k, c], the transpose of gather.
void csk_partial_dft_scatter(size_t rows, size_t step, size_t columns, const float *twiddle,
                             const float *in, float *const *parts);
