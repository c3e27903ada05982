// Body of one instruction level of dft32.c, which defines LANES, LEVEL(name), and the shuffles between LANES interleaved complex
// values in two vectors and their parts: REAL and IMAGINARY, and FIRST and SECOND, which take them back.

// Real and imaginary parts of LANES transforms side by side in two vectors; point n of all of them at re[n], im[n].
typedef float LEVEL(vec) __attribute__((vector_size(LANES * 4)));
typedef float LEVEL(uvec) __attribute__((vector_size(LANES * 4), aligned(4)));
typedef double LEVEL(dvec) __attribute__((vector_size(LANES * 4)));
#define vec LEVEL(vec)
#define dvec LEVEL(dvec)
#define LOAD(p) ((vec) * (const LEVEL(uvec) *)(p))
#define STORE(p, v) (*(LEVEL(uvec) *)(p) = (v))
#define HALF (LANES / 2)

INLINE void LEVEL(dft4)(vec re[4], vec im[4]) {
  const vec ar = re[0] + re[2], ai = im[0] + im[2], br = re[0] - re[2], bi = im[0] - im[2];
  const vec cr = re[1] + re[3], ci = im[1] + im[3], dr = re[1] - re[3], di = im[1] - im[3];
  re[0] = ar + cr, im[0] = ai + ci;
  re[1] = br + di, im[1] = bi - dr;
  re[2] = ar - cr, im[2] = ai - ci;
  re[3] = br - di, im[3] = bi + dr;
}

// Forward DFT of 32 points as 4 x 8: n = 8 a + b, k = q + 4 r.
INLINE void LEVEL(dft32)(vec re[32], vec im[32]) {
  vec yr[32], yi[32];
  UNROLL for (int b = 0; b < 8; ++b) {
    vec r[4] = {re[b], re[8 + b], re[16 + b], re[24 + b]};
    vec i[4] = {im[b], im[8 + b], im[16 + b], im[24 + b]};
    LEVEL(dft4)(r, i);
    yr[b] = r[0], yi[b] = i[0];
    UNROLL for (int q = 1; q < 4; ++q) {
      const float c = cosine(b * q), s = sine(b * q);
      yr[8 * q + b] = b ? r[q] * c + i[q] * s : r[q];
      yi[8 * q + b] = b ? i[q] * c - r[q] * s : i[q];
    }
  }
  UNROLL for (int q = 0; q < 4; ++q) {
    const vec *r = yr + 8 * q, *i = yi + 8 * q;
    vec er[4] = {r[0], r[2], r[4], r[6]}, ei[4] = {i[0], i[2], i[4], i[6]};
    vec or_[4] = {r[1], r[3], r[5], r[7]}, oi[4] = {i[1], i[3], i[5], i[7]};
    LEVEL(dft4)(er, ei);
    LEVEL(dft4)(or_, oi);
    const float h = 0.70710678f;
    const vec wr[4] = {or_[0], (or_[1] + oi[1]) * h, oi[2], (oi[3] - or_[3]) * h};
    const vec wi[4] = {oi[0], (oi[1] - or_[1]) * h, -or_[2], -(oi[3] + or_[3]) * h};
    UNROLL for (int k = 0; k < 4; ++k) {
      re[q + 4 * k] = er[k] + wr[k], im[q + 4 * k] = ei[k] + wi[k];
      re[q + 4 * k + 16] = er[k] - wr[k], im[q + 4 * k + 16] = ei[k] - wi[k];
    }
  }
}

// The inverse sign is the forward transform with real and imaginary parts exchanged.
INLINE void LEVEL(dft32_signed)(vec *re, vec *im, int sign) {
  if (sign < 0)
    LEVEL(dft32)(re, im);
  else
    LEVEL(dft32)(im, re);
}

INLINE void LEVEL(split)(const float *p, vec *re, vec *im) {
  const vec a = LOAD(p), b = LOAD(p + LANES);
  *re = REAL(a, b);
  *im = IMAGINARY(a, b);
}

INLINE void LEVEL(merge)(float *p, const vec *re, const vec *im) {
  STORE(p, FIRST(*re, *im));
  STORE(p + LANES, SECOND(*re, *im));
}

// Transposes a block of HALF x HALF complex values (64 bits each).
INLINE void LEVEL(transpose)(dvec v[HALF]) {
#if LANES == 16
  dvec t[8], u[8];
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
#elif LANES == 8
  dvec t[4];
  UNROLL for (int i = 0; i < 4; i += 2) {
    t[i] = __builtin_shufflevector(v[i], v[i + 1], 0, 4, 2, 6);
    t[i + 1] = __builtin_shufflevector(v[i], v[i + 1], 1, 5, 3, 7);
  }
  UNROLL for (int i = 0; i < 2; ++i) {
    v[i] = __builtin_shufflevector(t[i], t[i + 2], 0, 1, 4, 5);
    v[i + 2] = __builtin_shufflevector(t[i], t[i + 2], 2, 3, 6, 7);
  }
#else
  const dvec t = __builtin_shufflevector(v[0], v[1], 0, 2);
  v[1] = __builtin_shufflevector(v[0], v[1], 1, 3);
  v[0] = t;
#endif
}

// LANES rows of 32 complex values to one vector pair for each column.
INLINE void LEVEL(load_rows)(const float *in, vec re[32], vec im[32]) {
  UNROLL for (int block = 0; block < 32; block += HALF) {
    dvec low[HALF], high[HALF];
    UNROLL for (int r = 0; r < HALF; ++r) {
      low[r] = (dvec)LOAD(in + 64 * r + 2 * block);
      high[r] = (dvec)LOAD(in + 64 * (r + HALF) + 2 * block);
    }
    LEVEL(transpose)(low);
    LEVEL(transpose)(high);
    UNROLL for (int c = 0; c < HALF; ++c) {
      re[block + c] = REAL((vec)low[c], (vec)high[c]);
      im[block + c] = IMAGINARY((vec)low[c], (vec)high[c]);
    }
  }
}

INLINE void LEVEL(store_rows)(const vec re[32], const vec im[32], float scale, float *out) {
  UNROLL for (int block = 0; block < 32; block += HALF) {
    dvec low[HALF], high[HALF];
    UNROLL for (int c = 0; c < HALF; ++c) {
      const vec r = re[block + c] * scale, i = im[block + c] * scale;
      low[c] = (dvec)FIRST(r, i);
      high[c] = (dvec)SECOND(r, i);
    }
    LEVEL(transpose)(low);
    LEVEL(transpose)(high);
    UNROLL for (int r = 0; r < HALF; ++r) {
      STORE(out + 64 * r + 2 * block, (vec)low[r]);
      STORE(out + 64 * (r + HALF) + 2 * block, (vec)high[r]);
    }
  }
}

static void LEVEL(rows32)(size_t rows, int sign, float scale, const float *in, float *out) {
  enum { GROUP = 64 * LANES };  // floats
  vec re[32], im[32];
  size_t r = 0;
  for (; r + LANES <= rows; r += LANES, in += GROUP, out += GROUP) {
    // The hardware does not look past the end of a page; callers work on tiles of three pages.
    UNROLL for (int line = 0; line < GROUP; line += 16) __builtin_prefetch(in + 3072 + line, 0, 2);
    LEVEL(load_rows)(in, re, im);
    LEVEL(dft32_signed)(re, im, sign);
    LEVEL(store_rows)(re, im, scale, out);
  }
  if (r < rows) {
    float rest[GROUP] __attribute__((aligned(64))) = {0};
    memcpy(rest, in, (rows - r) * 256);
    LEVEL(load_rows)(rest, re, im);
    LEVEL(dft32_signed)(re, im, sign);
    LEVEL(store_rows)(re, im, scale, rest);
    memcpy(out, rest, (rows - r) * 256);
  }
}

static void LEVEL(gather)(size_t step, size_t columns, size_t first, size_t rows,
                          const float *twiddle, const float *in, float *out) {
  const size_t n = 2 * columns;
  for (size_t c = 0; c < n; c += 2 * LANES) {
    vec sum_re[32] = {0}, sum_im[32] = {0};
    for (size_t s = 0; s < step; ++s) {
      vec re[32], im[32];
      const float *p = in + s * n + c;
      UNROLL for (int m = 0; m < 32; ++m) {
        LEVEL(split)(p + m * step * n, &re[m], &im[m]);
        for (int line = 0; line < 2 * LANES; line += 16)
          __builtin_prefetch(p + m * step * n + 4 * n + line);
      }
      LEVEL(dft32_signed)(re, im, 1);
      for (size_t i = 0; i < rows; ++i) {
        const size_t k = (first + i) & 31;
        const float tr = twiddle[2 * (i * step + s)], ti = twiddle[2 * (i * step + s) + 1];
        sum_re[i] += re[k] * tr - im[k] * ti;
        sum_im[i] += re[k] * ti + im[k] * tr;
      }
    }
    for (size_t i = 0; i < rows; ++i) LEVEL(merge)(out + i * n + c, &sum_re[i], &sum_im[i]);
  }
}

static void LEVEL(scatter)(size_t step, size_t columns, size_t first, size_t rows,
                           const float *twiddle, const float *in, float *out) {
  const size_t n = 2 * columns;
  for (size_t c = 0; c < n; c += 2 * LANES) {
    vec in_re[32], in_im[32];
    for (size_t i = 0; i < rows; ++i) LEVEL(split)(in + i * n + c, &in_re[i], &in_im[i]);
    for (size_t s = 0; s < step; ++s) {
      vec re[32], im[32];
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
      LEVEL(dft32_signed)(re, im, -1);
      float *p = out + s * n + c;
      UNROLL for (int m = 0; m < 32; ++m) LEVEL(merge)(p + m * step * n, &re[m], &im[m]);
    }
  }
}

#undef vec
#undef dvec
#undef LOAD
#undef STORE
#undef HALF
#undef LANES
#undef LEVEL
#undef REAL
#undef IMAGINARY
#undef FIRST
#undef SECOND
