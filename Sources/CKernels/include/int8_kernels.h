#pragma once
#include <stddef.h>
#include <stdint.h>

/// Products of 8-bit integers with 32-bit sums, and what lies between them and floats. Integers are exact and every float is
/// rounded by itself, so all instruction levels have the same bits.
///
/// Activations x are q = clamp(round(x / scale) + zero, 0, levels), rounded half to even; the kernels take them as the 16-bit
/// differences q - zero, so that no pair of products can saturate and the padding of a map is 0.

#ifdef __cplusplus
extern "C" {
#endif

/// Floats to q - zero. `scale` 0 gives 0.
void csk_int8_quantise(size_t count, const float *x, float scale, int zero, int levels, int16_t *y);

/// Floats as `csk_int8_quantise` and back: what the integers stand for.
void csk_int8_round(size_t count, const float *x, float scale, int zero, int levels, float *y);

/// Smallest and largest value, at first those given in `range`.
void csk_float_range(size_t count, const float *x, float range[2]);

/// y [rows, outputs] = bias[o] + row_scales[row] scales[o] sum_k a[row, k] w[o, k]; `a` [rows, inputs] and `w` [outputs, inputs]
/// as they lie, rows of y ldy floats apart.
void csk_int8_product(size_t rows, size_t outputs, size_t inputs, const int16_t *a, const int8_t *w,
                      const float *row_scales, const float *scales, const float *bias, float *y,
                      size_t ldy);
/// The same at a level that the machine can run (`kernel_level.h`).
void csk_int8_product_at(long level, size_t rows, size_t outputs, size_t inputs, const int16_t *a,
                         const int8_t *w, const float *row_scales, const float *scales,
                         const float *bias, float *y, size_t ldy);

/// Columns that a convolution computes at once at most: rows of its input hold that many more.
enum { CSK_INT8_COLUMNS = 32 };

/// A convolution of stride 1 over maps of pairs of channels: input [pair, row, column, 2] with its halo, weights
/// [output, pair, kernel row, kernel column, 2] of the output's group.
typedef struct {
  size_t height, width;             // of the output
  size_t kernel_rows, kernel_columns;
  size_t pairs;                     // of channels of one group
  size_t group_count, group_outputs;
  const int16_t *input;             // [group_count pairs, height + kernel_rows - 1, pitch, 2]
  size_t pitch;                     // columns of a row of the input: width + kernel_columns - 1 + CSK_INT8_COLUMNS at least
  const int16_t *weights;
} csk_int8_convolution;

/// Sums of one output row, `[CSK_INT8_COLUMNS * ceil(width / CSK_INT8_COLUMNS)]` integers.
void csk_int8_convolve_row(const csk_int8_convolution *job, size_t output, size_t row, int32_t *sums);
/// The same at a level that the machine can run.
void csk_int8_convolve_row_at(long level, const csk_int8_convolution *job, size_t output, size_t row,
                              int32_t *sums);

/// y = f(bias + scale sums + residual), f with a slope below zero; `residual` may be null and may be y.
void csk_int8_finish_row(size_t width, const int32_t *sums, float scale, float bias,
                         const float *residual, float slope, float *y);

#ifdef __cplusplus
}
#endif
