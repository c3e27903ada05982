#include "partial_dft.h"

#include "levels.h"

typedef float f32x16 __attribute__((vector_size(64), aligned(4)));

CSK_LEVELS void csk_partial_dft_gather(size_t rows, size_t step, size_t columns,
                                       const float *twiddle, const float *const *parts,
                                       float *out) {
  const size_t n = 2 * columns;
  for (size_t k = 0; k < rows; ++k, twiddle += 2 * step, out += n) {
    size_t c = 0;
    for (; c + 32 <= n; c += 32) {
      f32x16 same0 = {0}, same1 = {0}, swap0 = {0}, swap1 = {0};
      const float *part = parts[k] + c;
      for (size_t s = 0; s < step; ++s, part += n) {
        const f32x16 x0 = *(const f32x16 *)part, x1 = *(const f32x16 *)(part + 16);
        const float re = twiddle[2 * s], im = twiddle[2 * s + 1];
        same0 += x0 * re;
        same1 += x1 * re;
        swap0 += x0 * im;
        swap1 += x1 * im;
      }
      // (x + iy)(re + i im): the imaginary products change places and the real one its sign.
      const f32x16 sign = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
      *(f32x16 *)(out + c) =
          same0 + sign * __builtin_shufflevector(swap0, swap0, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10,
                                                 13, 12, 15, 14);
      *(f32x16 *)(out + c + 16) =
          same1 + sign * __builtin_shufflevector(swap1, swap1, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10,
                                                 13, 12, 15, 14);
    }
    for (; c < n; c += 2) {
      float re = 0, im = 0;
      for (size_t s = 0; s < step; ++s) {
        const float x = parts[k][s * n + c], y = parts[k][s * n + c + 1];
        re += x * twiddle[2 * s] - y * twiddle[2 * s + 1];
        im += x * twiddle[2 * s + 1] + y * twiddle[2 * s];
      }
      out[c] = re;
      out[c + 1] = im;
    }
  }
}

CSK_LEVELS void csk_partial_dft_scatter(size_t rows, size_t step, size_t columns,
                                        const float *twiddle, const float *in,
                                        float *const *parts) {
  const size_t n = 2 * columns;
  for (size_t k = 0; k < rows; ++k, twiddle += 2 * step, in += n) {
    float *part = parts[k];
    for (size_t s = 0; s < step; ++s, part += n) {
      const float re = twiddle[2 * s], im = twiddle[2 * s + 1];
      for (size_t c = 0; c < n; c += 2) {
        part[c] = in[c] * re - in[c + 1] * im;
        part[c + 1] = in[c] * im + in[c + 1] * re;
      }
    }
  }
}
