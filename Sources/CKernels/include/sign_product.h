#pragma once
#include <stddef.h>
#include <stdint.h>

/// Products with a matrix of signs, y = bias + scale S x with S in {-1, +1}, computed from its bits.
///
/// Inputs are taken in threes: each of the eight sums ±x0 ±x1 ±x2 is formed once for a row of x, and every output looks its own
/// one up by three bits. Outputs lie in the lanes and every output is one chain of additions in ascending order, so all levels
/// have the same bits and no weight is ever a float.

#ifdef __cplusplus
extern "C" {
#endif

/// Words that `csk_sign_pack` writes.
size_t csk_sign_words(size_t inputs, size_t outputs);

/// Reorders signs for `csk_sign_product`. Bit i % 8 of byte i / 8 is 1 for +1 and belongs to entry i, row-major, of
/// [outputs, inputs], or of [inputs, outputs] if `transposed`.
void csk_sign_pack(size_t inputs, size_t outputs, const uint8_t *bits, int transposed,
                   uint32_t *packed);

/// Floats of scratch memory for `csk_sign_product`.
size_t csk_sign_scratch(size_t inputs);

/// y [rows, outputs] = bias + scale S x for x [rows, inputs]; `bias` may be null. Rows of x and y lie ldx and ldy floats apart.
void csk_sign_product(size_t rows, size_t outputs, size_t inputs, const float *x, size_t ldx,
                      const uint32_t *packed, float scale, const float *bias, float *y, size_t ldy,
                      float *scratch);

/// The same at a level that the machine can run (`kernel_level.h`).
void csk_sign_product_at(long level, size_t rows, size_t outputs, size_t inputs, const float *x,
                         size_t ldx, const uint32_t *packed, float scale, const float *bias,
                         float *y, size_t ldy, float *scratch);

#ifdef __cplusplus
}
#endif
