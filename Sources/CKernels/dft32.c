#include "dft32.h"

#include <string.h>

#include "every_level.h"

// Real and imaginary parts of sixteen transforms side by side in two vectors; point n of all of them at re[n], im[n].
typedef float f32x16 __attribute__((vector_size(64)));
typedef double f64x8 __attribute__((vector_size(64)));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

static const float COS32[8] = {1.0f,         0.98078528f, 0.92387953f, 0.83146961f,
                               0.70710678f, 0.55557023f, 0.38268343f, 0.19509032f};

// cos and sin of 2 pi t / 32 for 0 <= t < 32.
INLINE float cosine(int t) {
  t &= 31;
  if (t > 16) t = 32 - t;
  return t < 8 ? COS32[t] : t == 8 ? 0.0f : -COS32[16 - t];
}
INLINE float sine(int t) { return cosine(t - 8); }

INLINE void dft4(f32x16 re[4], f32x16 im[4]) {
  const f32x16 ar = re[0] + re[2], ai = im[0] + im[2], br = re[0] - re[2], bi = im[0] - im[2];
  const f32x16 cr = re[1] + re[3], ci = im[1] + im[3], dr = re[1] - re[3], di = im[1] - im[3];
  re[0] = ar + cr, im[0] = ai + ci;
  re[1] = br + di, im[1] = bi - dr;
  re[2] = ar - cr, im[2] = ai - ci;
  re[3] = br - di, im[3] = bi + dr;
}

// Forward DFT of 32 points as 4 x 8: n = 8 a + b, k = q + 4 r.
INLINE void dft32(f32x16 re[32], f32x16 im[32]) {
  f32x16 yr[32], yi[32];
  UNROLL for (int b = 0; b < 8; ++b) {
    f32x16 r[4] = {re[b], re[8 + b], re[16 + b], re[24 + b]};
    f32x16 i[4] = {im[b], im[8 + b], im[16 + b], im[24 + b]};
    dft4(r, i);
    yr[b] = r[0], yi[b] = i[0];
    UNROLL for (int q = 1; q < 4; ++q) {
      const float c = cosine(b * q), s = sine(b * q);
      yr[8 * q + b] = b ? r[q] * c + i[q] * s : r[q];
      yi[8 * q + b] = b ? i[q] * c - r[q] * s : i[q];
    }
  }
  UNROLL for (int q = 0; q < 4; ++q) {
    const f32x16 *r = yr + 8 * q, *i = yi + 8 * q;
    f32x16 er[4] = {r[0], r[2], r[4], r[6]}, ei[4] = {i[0], i[2], i[4], i[6]};
    f32x16 or_[4] = {r[1], r[3], r[5], r[7]}, oi[4] = {i[1], i[3], i[5], i[7]};
    dft4(er, ei);
    dft4(or_, oi);
    const float h = 0.70710678f;
    const f32x16 wr[4] = {or_[0], (or_[1] + oi[1]) * h, oi[2], (oi[3] - or_[3]) * h};
    const f32x16 wi[4] = {oi[0], (oi[1] - or_[1]) * h, -or_[2], -(oi[3] + or_[3]) * h};
    UNROLL for (int k = 0; k < 4; ++k) {
      re[q + 4 * k] = er[k] + wr[k], im[q + 4 * k] = ei[k] + wi[k];
      re[q + 4 * k + 16] = er[k] - wr[k], im[q + 4 * k + 16] = ei[k] - wi[k];
    }
  }
}

// The inverse sign is the forward transform with real and imaginary parts exchanged.
INLINE void dft32_signed(f32x16 *re, f32x16 *im, int sign) {
  if (sign < 0)
    dft32(re, im);
  else
    dft32(im, re);
}

INLINE void split(const float *p, f32x16 *re, f32x16 *im) {
  f32x16 a, b;
  memcpy(&a, p, 64);
  memcpy(&b, p + 16, 64);
  *re = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  *im = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

INLINE void merge(float *p, const f32x16 *re, const f32x16 *im) {
  const f32x16 a = __builtin_shufflevector(*re, *im, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                           22, 7, 23);
  const f32x16 b = __builtin_shufflevector(*re, *im, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                           14, 30, 15, 31);
  memcpy(p, &a, 64);
  memcpy(p + 16, &b, 64);
}

// Transposes an 8 x 8 block of complex values (64 bits each).
INLINE void transpose8(f64x8 v[8]) {
  f64x8 t[8], u[8];
  UNROLL for (int i = 0; i < 8; i += 2) {
    t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  UNROLL for (int i = 0; i < 2; ++i) {
    UNROLL for (int h = 0; h < 8; h += 4) {
      u[h + i] = __builtin_shufflevector(t[h + i], t[h + i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      u[h + i + 2] = __builtin_shufflevector(t[h + i], t[h + i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  }
  UNROLL for (int i = 0; i < 4; ++i) {
    v[i] = __builtin_shufflevector(u[i], u[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    v[i + 4] = __builtin_shufflevector(u[i], u[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// Sixteen rows of 32 complex values to one vector pair for each column.
INLINE void load_rows(const float *in, f32x16 re[32], f32x16 im[32]) {
  UNROLL for (int block = 0; block < 4; ++block) {
    f64x8 low[8], high[8];
    UNROLL for (int r = 0; r < 8; ++r) {
      memcpy(&low[r], in + 64 * r + 16 * block, 64);
      memcpy(&high[r], in + 64 * (r + 8) + 16 * block, 64);
    }
    transpose8(low);
    transpose8(high);
    UNROLL for (int c = 0; c < 8; ++c) {
      const f32x16 a = (f32x16)low[c], b = (f32x16)high[c];
      re[8 * block + c] = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22,
                                                  24, 26, 28, 30);
      im[8 * block + c] = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23,
                                                  25, 27, 29, 31);
    }
  }
}

INLINE void store_rows(const f32x16 re[32], const f32x16 im[32], float scale, float *out) {
  UNROLL for (int block = 0; block < 4; ++block) {
    f64x8 low[8], high[8];
    UNROLL for (int c = 0; c < 8; ++c) {
      const f32x16 r = re[8 * block + c] * scale, i = im[8 * block + c] * scale;
      low[c] = (f64x8)__builtin_shufflevector(r, i, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6,
                                              22, 7, 23);
      high[c] = (f64x8)__builtin_shufflevector(r, i, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29,
                                               14, 30, 15, 31);
    }
    transpose8(low);
    transpose8(high);
    UNROLL for (int r = 0; r < 8; ++r) {
      memcpy(out + 64 * r + 16 * block, &low[r], 64);
      memcpy(out + 64 * (r + 8) + 16 * block, &high[r], 64);
    }
  }
}

INLINE void csk_dft32_rows_body(size_t rows, int sign, float scale, const float *in, float *out) {
  f32x16 re[32], im[32];
  size_t r = 0;
  for (; r + 16 <= rows; r += 16, in += 1024, out += 1024) {
    // Each group is a page of its own, where the hardware does not look ahead; callers work on tiles of three groups.
    UNROLL for (int line = 0; line < 64; ++line) __builtin_prefetch(in + 3072 + 16 * line, 0, 2);
    load_rows(in, re, im);
    dft32_signed(re, im, sign);
    store_rows(re, im, scale, out);
  }
  if (r < rows) {
    float rest[1024] __attribute__((aligned(64))) = {0};
    memcpy(rest, in, (rows - r) * 256);
    load_rows(rest, re, im);
    dft32_signed(re, im, sign);
    store_rows(re, im, scale, rest);
    memcpy(out, rest, (rows - r) * 256);
  }
}
CSK_EVERY_LEVEL(csk_dft32_rows,
                (size_t rows, int sign, float scale, const float *in, float *out),
                (rows, sign, scale, in, out))

INLINE void csk_dft32_gather_body(size_t step, size_t columns, size_t first, size_t rows,
                                 const float *twiddle, const float *in, float *out) {
  const size_t n = 2 * columns;
  for (size_t c = 0; c < n; c += 32) {
    f32x16 sum_re[32] = {0}, sum_im[32] = {0};
    for (size_t s = 0; s < step; ++s) {
      f32x16 re[32], im[32];
      const float *p = in + s * n + c;
      UNROLL for (int m = 0; m < 32; ++m) {
        split(p + m * step * n, &re[m], &im[m]);
        __builtin_prefetch(p + m * step * n + 4 * n);
        __builtin_prefetch(p + m * step * n + 4 * n + 16);
      }
      dft32_signed(re, im, 1);
      for (size_t i = 0; i < rows; ++i) {
        const size_t k = (first + i) & 31;
        const float tr = twiddle[2 * (i * step + s)], ti = twiddle[2 * (i * step + s) + 1];
        sum_re[i] += re[k] * tr - im[k] * ti;
        sum_im[i] += re[k] * ti + im[k] * tr;
      }
    }
    for (size_t i = 0; i < rows; ++i) merge(out + i * n + c, &sum_re[i], &sum_im[i]);
  }
}
CSK_EVERY_LEVEL(csk_dft32_gather,
                (size_t step, size_t columns, size_t first, size_t rows, const float *twiddle,
                 const float *in, float *out),
                (step, columns, first, rows, twiddle, in, out))

INLINE void csk_dft32_scatter_body(size_t step, size_t columns, size_t first, size_t rows,
                                  const float *twiddle, const float *in, float *out) {
  const size_t n = 2 * columns;
  for (size_t c = 0; c < n; c += 32) {
    f32x16 in_re[32], in_im[32];
    for (size_t i = 0; i < rows; ++i) split(in + i * n + c, &in_re[i], &in_im[i]);
    for (size_t s = 0; s < step; ++s) {
      f32x16 re[32], im[32];
      if (rows < 32) {
        memset(re, 0, sizeof re);
        memset(im, 0, sizeof im);
      }
      for (size_t i = 0; i < rows; ++i) {
        const size_t k = (first + i) & 31;
        const float tr = twiddle[2 * (i * step + s)], ti = twiddle[2 * (i * step + s) + 1];
        re[k] = in_re[i] * tr + in_im[i] * ti;
        im[k] = in_im[i] * tr - in_re[i] * ti;
      }
      dft32_signed(re, im, -1);
      float *p = out + s * n + c;
      UNROLL for (int m = 0; m < 32; ++m) merge(p + m * step * n, &re[m], &im[m]);
    }
  }
}
CSK_EVERY_LEVEL(csk_dft32_scatter,
                (size_t step, size_t columns, size_t first, size_t rows, const float *twiddle,
                 const float *in, float *out),
                (step, columns, first, rows, twiddle, in, out))
