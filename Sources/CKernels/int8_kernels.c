#include "int8_kernels.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "every_level.h"

// Products and sums that are fused on some levels only would have other bits.
#pragma STDC FP_CONTRACT OFF
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

// Adding 1.5 2^23 leaves no bits behind the point: rounding half to even, for magnitudes below 2^22.
INLINE float nearest(float x) {
  const float shift = 12582912.0f;
  const float limit = 1 << 20;
  x = x > limit ? limit : x;
  x = x > -limit ? x : -limit;  // also what is not a number
  return (x + shift) - shift;
}

INLINE float difference(float x, float scale, float low, float high) {
  float q = nearest(x / scale);
  q = q < low ? low : q;
  return q > high ? high : q;
}

INLINE void csk_int8_quantise_body(size_t count, const float *x, float scale, int zero, int levels,
                                   int16_t *y) {
  const float low = (float)-zero, high = (float)(levels - zero);
  const float divisor = scale > 0 ? scale : __builtin_inff();
  for (size_t i = 0; i < count; i++) y[i] = (int16_t)(int)difference(x[i], divisor, low, high);
}

INLINE void csk_int8_round_body(size_t count, const float *x, float scale, int zero, int levels,
                                float *y) {
  const float low = (float)-zero, high = (float)(levels - zero);
  const float divisor = scale > 0 ? scale : __builtin_inff();
  for (size_t i = 0; i < count; i++) y[i] = scale * difference(x[i], divisor, low, high);
}

INLINE void csk_float_range_body(size_t count, const float *x, float range[2]) {
  enum { PARTS = 16 };
  float low[PARTS], high[PARTS];
  for (int p = 0; p < PARTS; p++) low[p] = range[0], high[p] = range[1];
  size_t i = 0;
  for (; i + PARTS <= count; i += PARTS) {
    for (int p = 0; p < PARTS; p++) {
      low[p] = x[i + p] < low[p] ? x[i + p] : low[p];
      high[p] = x[i + p] > high[p] ? x[i + p] : high[p];
    }
  }
  for (; i < count; i++) {
    low[0] = x[i] < low[0] ? x[i] : low[0];
    high[0] = x[i] > high[0] ? x[i] : high[0];
  }
  for (int p = 0; p < PARTS; p++) {
    range[0] = low[p] < range[0] ? low[p] : range[0];
    range[1] = high[p] > range[1] ? high[p] : range[1];
  }
}

INLINE void csk_int8_finish_row_body(size_t width, const int32_t *sums, float scale, float bias,
                                     const float *residual, float slope, float *y) {
  if (!residual) {
    _Pragma("clang loop vectorize(assume_safety)") for (size_t x = 0; x < width; x++) {
      const float product = scale * (float)sums[x], value = bias + product;
      y[x] = value > 0 ? value : slope * value;
    }
    return;
  }
  _Pragma("clang loop vectorize(assume_safety)") for (size_t x = 0; x < width; x++) {
    const float product = scale * (float)sums[x], value = bias + product + residual[x];
    y[x] = value > 0 ? value : slope * value;
  }
}

CSK_EVERY_LEVEL(csk_int8_quantise,
                (size_t count, const float *x, float scale, int zero, int levels, int16_t *y),
                (count, x, scale, zero, levels, y))
CSK_EVERY_LEVEL(csk_int8_round,
                (size_t count, const float *x, float scale, int zero, int levels, float *y),
                (count, x, scale, zero, levels, y))
CSK_EVERY_LEVEL(csk_float_range, (size_t count, const float *x, float range[2]), (count, x, range))
CSK_EVERY_LEVEL(csk_int8_finish_row,
                (size_t width, const int32_t *sums, float scale, float bias, const float *residual,
                 float slope, float *y),
                (width, sums, scale, bias, residual, slope, y))

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((CSK_V4)), apply_to = function)
#define LEVEL(name) name##_v4
#define LANES 16
#define vec __m512i
#define LOAD(p) _mm512_loadu_si512(p)
#define STORE(p, v) _mm512_storeu_si512(p, v)
#define ZERO _mm512_setzero_si512()
#define SPLAT(x) _mm512_set1_epi32(x)
#define WIDEN(p) _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)(p)))
#define PAIRS(a, b) _mm512_madd_epi16(a, b)
#define ADD(a, b) _mm512_add_epi32(a, b)
#define TOTAL(v) _mm512_reduce_add_epi32(v)
#include "int8_level.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
INLINE int32_t total_v3(__m256i v) {
  __m128i half = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
  half = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0xb1));
  return _mm_cvtsi128_si32(half);
}
#define LEVEL(name) name##_v3
#define LANES 8
#define vec __m256i
#define LOAD(p) _mm256_loadu_si256((const void *)(p))
#define STORE(p, v) _mm256_storeu_si256((void *)(p), v)
#define ZERO _mm256_setzero_si256()
#define SPLAT(x) _mm256_set1_epi32(x)
#define WIDEN(p) _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)(p)))
#define PAIRS(a, b) _mm256_madd_epi16(a, b)
#define ADD(a, b) _mm256_add_epi32(a, b)
#define TOTAL(v) total_v3(v)
#include "int8_level.h"
#pragma clang attribute pop

INLINE int32_t total_generic(__m128i v) {
  v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0x4e));
  v = _mm_add_epi32(v, _mm_shuffle_epi32(v, 0xb1));
  return _mm_cvtsi128_si32(v);
}
INLINE __m128i widen_generic(const int8_t *p) {
  const __m128i bytes = _mm_loadl_epi64((const void *)p);
  return _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
}
#define LEVEL(name) name##_generic
#define LANES 4
#define vec __m128i
#define LOAD(p) _mm_loadu_si128((const void *)(p))
#define STORE(p, v) _mm_storeu_si128((void *)(p), v)
#define ZERO _mm_setzero_si128()
#define SPLAT(x) _mm_set1_epi32(x)
#define WIDEN(p) widen_generic(p)
#define PAIRS(a, b) _mm_madd_epi16(a, b)
#define ADD(a, b) _mm_add_epi32(a, b)
#define TOTAL(v) total_generic(v)
#include "int8_level.h"
#else
// Plain loops in the place of the vectors.
typedef struct {
  int32_t lane[4];
} vec4;
INLINE vec4 load4(const void *p) {
  vec4 v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE vec4 widen4(const int8_t *p) {
  int16_t wide[8];
  for (int i = 0; i < 8; i++) wide[i] = p[i];
  return load4(wide);
}
INLINE vec4 pairs4(vec4 a, vec4 b) {
  int16_t x[8], y[8];
  memcpy(x, &a, sizeof x);
  memcpy(y, &b, sizeof y);
  vec4 v;
  for (int i = 0; i < 4; i++) v.lane[i] = x[2 * i] * y[2 * i] + x[2 * i + 1] * y[2 * i + 1];
  return v;
}
INLINE vec4 add4(vec4 a, vec4 b) {
  for (int i = 0; i < 4; i++) a.lane[i] += b.lane[i];
  return a;
}
#define LEVEL(name) name##_generic
#define LANES 4
#define vec vec4
#define LOAD(p) load4(p)
#define STORE(p, v) memcpy(p, &(vec4){v.lane[0], v.lane[1], v.lane[2], v.lane[3]}, sizeof(vec4))
#define ZERO ((vec4){{0}})
#define SPLAT(x) ((vec4){{x, x, x, x}})
#define WIDEN(p) widen4(p)
#define PAIRS(a, b) pairs4(a, b)
#define ADD(a, b) add4(a, b)
#define TOTAL(v) (v.lane[0] + v.lane[1] + v.lane[2] + v.lane[3])
#include "int8_level.h"
#endif

#if defined(__x86_64__)
#define AT_LEVEL(level, name, ...)         \
  switch (level) {                         \
  case 0: name##_v4(__VA_ARGS__); break;   \
  case 1: name##_v3(__VA_ARGS__); break;   \
  default: name##_generic(__VA_ARGS__);    \
  }
#else
#define AT_LEVEL(level, name, ...) \
  (void)level;                     \
  name##_generic(__VA_ARGS__);
#endif

void csk_int8_product_at(long level, size_t rows, size_t outputs, size_t inputs, const int16_t *a,
                         const int8_t *w, const float *row_scales, const float *scales,
                         const float *bias, float *y, size_t ldy) {
  AT_LEVEL(level, product, rows, outputs, inputs, a, w, row_scales, scales, bias, y, ldy)
}

void csk_int8_product(size_t rows, size_t outputs, size_t inputs, const int16_t *a, const int8_t *w,
                      const float *row_scales, const float *scales, const float *bias, float *y,
                      size_t ldy) {
  csk_int8_product_at(csk_level(), rows, outputs, inputs, a, w, row_scales, scales, bias, y, ldy);
}

void csk_int8_convolve_row_at(long level, const csk_int8_convolution *job, size_t output, size_t row,
                              int32_t *sums) {
  AT_LEVEL(level, convolve_row, job, output, row, sums)
}

void csk_int8_convolve_row(const csk_int8_convolution *job, size_t output, size_t row, int32_t *sums) {
  csk_int8_convolve_row_at(csk_level(), job, output, row, sums);
}
