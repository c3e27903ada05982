#include "complex_rows.h"

#include <math.h>
#include <stdint.h>

#include "every_level.h"

typedef float f32x16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t i32x16 __attribute__((vector_size(64), aligned(4)));

#define INLINE static inline __attribute__((always_inline))

INLINE float total(const f32x16 *v) {
  float s[8];
  for (int i = 0; i < 8; ++i) s[i] = (*v)[i] + (*v)[i + 8];
  return ((s[0] + s[4]) + (s[2] + s[6])) + ((s[1] + s[5]) + (s[3] + s[7]));
}

typedef float f32x8 __attribute__((vector_size(32), aligned(4)));
typedef float f32x4 __attribute__((vector_size(16), aligned(4)));

INLINE void halves(const f32x16 *v, f32x4 *result) {
  const f32x8 a = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
                  __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
  *result = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
}

// The sums of four vectors at once: the additions of one horizontal sum serve all.
INLINE void totals(const f32x16 *a, const f32x16 *b, const f32x16 *c, const f32x16 *d,
                   float sums[4]) {
  f32x4 x, y, z, w;
  halves(a, &x);
  halves(b, &y);
  halves(c, &z);
  halves(d, &w);
  const f32x4 xy = __builtin_shufflevector(x, y, 0, 4, 1, 5) + __builtin_shufflevector(x, y, 2, 6, 3, 7);
  const f32x4 zw = __builtin_shufflevector(z, w, 0, 4, 1, 5) + __builtin_shufflevector(z, w, 2, 6, 3, 7);
  const f32x4 s = __builtin_shufflevector(xy, zw, 0, 1, 4, 5) + __builtin_shufflevector(xy, zw, 2, 3, 6, 7);
  *(f32x4 *)sums = s;
}

INLINE void csk_row_products_body(size_t rows, size_t columns, const float *a, const float *b,
                                 float *cross, float *energy_a, float *energy_b,
                                 float *difference) {
  const size_t n = 2 * columns;
  const f32x16 sign = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
  for (size_t r = 0; r < rows; ++r, a += n, b += n) {
    f32x16 same = {0}, swapped = {0}, ea = {0}, eb = {0}, ed = {0};
    size_t i = 0;
    for (size_t line = 0; line < n; line += 16) __builtin_prefetch(a + 16 * n + line);
    for (; i + 16 <= n; i += 16) {
      const f32x16 x = *(const f32x16 *)(a + i), y = *(const f32x16 *)(b + i), d = x - y;
      const f32x16 z =
          __builtin_shufflevector(y, y, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
      same += x * y;
      swapped += x * z;
      ea += x * x;
      eb += y * y;
      ed += d * d;
    }
    const f32x16 rotated = swapped * sign;
    float sums[4];
    totals(&same, &rotated, &ea, &eb, sums);
    float re = sums[0], im = sums[1], sa = sums[2], sb = sums[3], sd = total(&ed);
    for (; i < n; i += 2) {
      const float dr = a[i] - b[i], di = a[i + 1] - b[i + 1];
      re += a[i] * b[i] + a[i + 1] * b[i + 1];
      im += a[i + 1] * b[i] - a[i] * b[i + 1];
      sa += a[i] * a[i] + a[i + 1] * a[i + 1];
      sb += b[i] * b[i] + b[i + 1] * b[i + 1];
      sd += dr * dr + di * di;
    }
    cross[2 * r] = re;
    cross[2 * r + 1] = im;
    energy_a[r] = sa;
    energy_b[r] = sb;
    difference[r] = sd;
  }
}
CSK_EVERY_LEVEL(csk_row_products,
                (size_t rows, size_t columns, const float *a, const float *b, float *cross, float
                 *energy_a, float *energy_b, float *difference),
                (rows, columns, a, b, cross, energy_a, energy_b, difference))

INLINE void csk_error_energy_body(size_t count, const float *a, const float *b, double *error,
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
CSK_EVERY_LEVEL(csk_error_energy,
                (size_t count, const float *a, const float *b, double *error, double *energy),
                (count, a, b, error, energy))

INLINE void csk_hadamard_rows_body(size_t rows, size_t columns, float *data) {
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
CSK_EVERY_LEVEL(csk_hadamard_rows,
                (size_t rows, size_t columns, float *data),
                (rows, columns, data))

// log2(1 + x) for 0 <= x < 2^127, relative error below 1e-6 however small x is: ln u of u = fl(1 + x) (polynomial of
// Cephes' logf), and the part of x that the rounding lost, ln(1 + x) = ln u + (1 + x - u) / u.
INLINE void log2_1p(const f32x16 *x, f32x16 *result) {
  const f32x16 u = *x + 1.0f;
  const i32x16 small = *x < 1.0f;
  // Both differences are exact on their side of one.
  const f32x16 below = *x - (u - 1.0f), above = 1.0f - (u - *x);
  const f32x16 lost = (f32x16)(((i32x16)below & small) | ((i32x16)above & ~small));
  const i32x16 bits = (i32x16)u;
  const i32x16 exponent = (bits - 0x3f3504f3) >> 23;  // mantissa in [sqrt(1/2), sqrt 2)
  const f32x16 m = (f32x16)(bits - (exponent << 23)) - 1.0f;
  const f32x16 z = m * m;
  f32x16 y = 7.0376836292e-2f * m - 1.1514610310e-1f;
  y = y * m + 1.1676998740e-1f;
  y = y * m - 1.2420140846e-1f;
  y = y * m + 1.4249322787e-1f;
  y = y * m - 1.6668057665e-1f;
  y = y * m + 2.0000714765e-1f;
  y = y * m - 2.4999993993e-1f;
  y = y * m + 3.3333331174e-1f;
  y = y * m * z - 0.5f * z + m + lost / u;
  *result = __builtin_convertvector(exponent, f32x16) + y * 1.44269504f;
}

// Sixteen tones from `i`, zeros behind `tones`.
INLINE void load_tones(const float *p, size_t i, size_t tones, f32x16 *v) {
  if (i + 16 <= tones) {
    *v = *(const f32x16 *)(p + i);
  } else {
    *v = (f32x16){0};
    for (size_t j = i; j < tones; ++j) (*v)[j - i] = p[j];
  }
}

INLINE void csk_tone_metrics_body(size_t tones, const float *cross, const float *energy_h,
                                 const float *energy_g, const float *difference,
                                 const float *fallback, float snr, csk_tone_sums *sums) {
  csk_tone_sums s = {0};
  i32x16 undirected = {0};
  for (size_t i = 0; i < tones; i += 16) {
    f32x16 c0, c1, h, g, d, equal;
    load_tones(cross, 2 * i, 2 * tones, &c0);
    load_tones(cross, 2 * i + 16, 2 * tones, &c1);
    load_tones(energy_h, i, tones, &h);
    load_tones(energy_g, i, tones, &g);
    load_tones(difference, i, tones, &d);
    if (fallback)
      load_tones(fallback, i, tones, &equal);
    else
      equal = (f32x16){0};
    const f32x16 re = __builtin_shufflevector(c0, c1, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24,
                                              26, 28, 30);
    const f32x16 im = __builtin_shufflevector(c0, c1, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25,
                                              27, 29, 31);
    // Norms before products, so that weak channels do not underflow.
    const f32x16 norm = __builtin_elementwise_sqrt(h) * __builtin_elementwise_sqrt(g);
    const i32x16 valid = norm > 0.0f;
    const f32x16 inverse = 1.0f / norm;
    const f32x16 x = re * inverse, y = im * inverse;
    f32x16 square = __builtin_elementwise_min(x * x + y * y, (f32x16){0} + 1.0f);
    square = (f32x16)((i32x16)square & valid);
    const f32x16 cosine = __builtin_elementwise_sqrt(square);
    const i32x16 pointed = g > 0.0f;
    const f32x16 beam = square * h;
    const f32x16 power = (f32x16)(((i32x16)beam & pointed) | ((i32x16)equal & ~pointed));
    f32x16 fraction = square;
    if (fallback) {
      const f32x16 share = equal / h;
      fraction = (f32x16)(((i32x16)square & pointed) | ((i32x16)share & ~pointed & (h > 0.0f)));
    }
    undirected |= ~pointed & (h > 0.0f);
    const f32x16 received = power * snr, bound = h * snr;
    f32x16 rate, perfect;
    log2_1p(&received, &rate);
    log2_1p(&bound, &perfect);
    s.cosine += total(&cosine);
    s.squared += total(&square);
    s.power += total(&power);
    s.fraction += total(&fraction);
    s.rate += total(&rate);
    s.perfect += total(&perfect);
    s.energy += total(&h);
    s.error += total(&d);
  }
  for (int lane = 0; lane < 16; ++lane) s.undirected |= undirected[lane];
  *sums = s;
}
CSK_EVERY_LEVEL(csk_tone_metrics,
                (size_t tones, const float *cross, const float *energy_h, const float *energy_g,
                 const float *difference, const float *fallback, float snr, csk_tone_sums *sums),
                (tones, cross, energy_h, energy_g, difference, fallback, snr, sums))
