#include "complex_rows.h"

#include <math.h>
#include <stdint.h>

#include "levels.h"

typedef float f32x16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t i32x16 __attribute__((vector_size(64), aligned(4)));

#define INLINE static inline __attribute__((always_inline))

INLINE float total(const f32x16 *v) {
  float s[8];
  for (int i = 0; i < 8; ++i) s[i] = (*v)[i] + (*v)[i + 8];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

CSK_LEVELS void csk_row_products(size_t rows, size_t columns, const float *a, const float *b,
                                 float *cross, float *energy_a, float *energy_b) {
  const size_t n = 2 * columns;
  for (size_t r = 0; r < rows; ++r, a += n, b += n) {
    f32x16 same = {0}, swapped = {0}, ea = {0}, eb = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
      const f32x16 x = *(const f32x16 *)(a + i), y = *(const f32x16 *)(b + i);
      const f32x16 z =
          __builtin_shufflevector(y, y, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
      same += x * y;
      swapped += x * z;
      ea += x * x;
      eb += y * y;
    }
    const f32x16 sign = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
    const f32x16 rotated = swapped * sign;
    float re = total(&same), im = total(&rotated), sa = total(&ea), sb = total(&eb);
    for (; i < n; i += 2) {
      re += a[i] * b[i] + a[i + 1] * b[i + 1];
      im += a[i + 1] * b[i] - a[i] * b[i + 1];
      sa += a[i] * a[i] + a[i + 1] * a[i + 1];
      sb += b[i] * b[i] + b[i + 1] * b[i + 1];
    }
    cross[2 * r] = re;
    cross[2 * r + 1] = im;
    energy_a[r] = sa;
    energy_b[r] = sb;
  }
}

CSK_LEVELS void csk_row_energies(size_t rows, size_t columns, const float *a, float *energy) {
  const size_t n = 2 * columns;
  for (size_t r = 0; r < rows; ++r, a += n) {
    f32x16 sum = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
      const f32x16 x = *(const f32x16 *)(a + i);
      sum += x * x;
    }
    float e = total(&sum);
    for (; i < n; ++i) e += a[i] * a[i];
    energy[r] = e;
  }
}

CSK_LEVELS void csk_error_energy(size_t count, const float *a, const float *b, double *error,
                                 double *energy) {
  double e = 0, s = 0;
  for (size_t start = 0; start < count; start += 256) {
    const size_t end = start + 256 < count ? start + 256 : count;
    f32x16 ve = {0}, vs = {0};
    size_t i = start;
    for (; i + 16 <= end; i += 16) {
      const f32x16 x = *(const f32x16 *)(a + i), d = x - *(const f32x16 *)(b + i);
      ve += d * d;
      vs += x * x;
    }
    float fe = total(&ve), fs = total(&vs);
    for (; i < end; ++i) {
      const float d = a[i] - b[i];
      fe += d * d;
      fs += a[i] * a[i];
    }
    e += fe;
    s += fs;
  }
  *error = e;
  *energy = s;
}

CSK_LEVELS void csk_scale_rows(size_t rows, size_t columns, const float *factor, const float *in,
                               float *out) {
  for (size_t r = 0; r < rows; ++r, in += 2 * columns, out += 2 * columns) {
    const float re = factor[2 * r], im = factor[2 * r + 1];
    for (size_t i = 0; i < 2 * columns; i += 2) {
      const float x = in[i], y = in[i + 1];
      out[i] = x * re - y * im;
      out[i + 1] = x * im + y * re;
    }
  }
}

CSK_LEVELS void csk_hadamard_rows(size_t rows, size_t columns, float *data) {
  const size_t n = 2 * columns;
  for (size_t r = 0; r < rows; ++r, data += n) {
    for (size_t half = 2; half < n; half *= 2) {
      for (size_t base = 0; base < n; base += 2 * half) {
        float *restrict x = data + base, *restrict y = data + base + half;
        for (size_t i = 0; i < half; ++i) {
          const float u = x[i], v = y[i];
          x[i] = u + v;
          y[i] = u - v;
        }
      }
    }
  }
}

CSK_LEVELS double csk_sum_log2_1p(size_t count, const float *x) {
  double sum = 0;
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    f32x16 v = *(const f32x16 *)(x + i) + 1.0f;
    i32x16 bits = (i32x16)v;
    i32x16 exponent = ((bits - 0x3f3504f3) >> 23);  // mantissa in [sqrt(1/2), sqrt 2)
    f32x16 m = (f32x16)(bits - (exponent << 23)) - 1.0f;
    const f32x16 z = m * m;
    f32x16 y = 7.0376836292e-2f * m - 1.1514610310e-1f;
    y = y * m + 1.1676998740e-1f;
    y = y * m - 1.2420140846e-1f;
    y = y * m + 1.4249322787e-1f;
    y = y * m - 1.6668057665e-1f;
    y = y * m + 2.0000714765e-1f;
    y = y * m - 2.4999993993e-1f;
    y = y * m + 3.3333331174e-1f;
    y = y * m * z - 0.5f * z + m;
    const f32x16 r = __builtin_convertvector(exponent, f32x16) + y * 1.44269504f;
    sum += total(&r);
  }
  for (; i < count; ++i) sum += log2(1.0 + (double)x[i]);
  return sum;
}
