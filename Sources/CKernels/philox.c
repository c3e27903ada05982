#include "philox.h"

#include <string.h>

#include "levels.h"

// No contraction to fused multiply-add: the streams have the same bits on every instruction level.
#pragma STDC FP_CONTRACT OFF

typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef uint64_t u64x8 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef float f32x16 __attribute__((vector_size(64)));

enum { LANES = 16, BLOCK = 4 * LANES };

static const uint32_t M0 = 0xD2511F53u, M1 = 0xCD9E8D57u;
static const uint32_t W0 = 0x9E3779B9u, W1 = 0xBB67AE85u;

void csk_philox_block(const csk_philox *s, uint32_t words[4]) {
  uint32_t c0 = s->counter[0], c1 = s->counter[1], c2 = s->counter[2], c3 = s->counter[3];
  uint32_t k0 = s->key[0], k1 = s->key[1];
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = (uint64_t)M0 * c0, p1 = (uint64_t)M1 * c2;
    c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
    c1 = (uint32_t)p1;
    c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
    c3 = (uint32_t)p0;
    k0 += W0;
    k1 += W1;
  }
  words[0] = c0;
  words[1] = c1;
  words[2] = c2;
  words[3] = c3;
}

#define INLINE static inline __attribute__((always_inline))

// High and low halves of the sixteen 64-bit products a * m, by even and odd lanes.
INLINE void multiply(const u32x16 *a, uint32_t m, u32x16 *high, u32x16 *low) {
  const u64x8 low_mask = {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu,
                          0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu};
  const u64x8 wide = (u64x8)*a;
  const u64x8 even = (wide & low_mask) * (uint64_t)m;
  const u64x8 odd = (wide >> 32) * (uint64_t)m;
  *low = (u32x16)((even & low_mask) | (odd << 32));
  *high = (u32x16)((even >> 32) | (odd & ~low_mask));
}

// Sixteen consecutive blocks, word w of block first + lane in out[w][lane].
INLINE void sixteen_blocks(const csk_philox *s, uint32_t first, u32x16 out[4]) {
  const u32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  u32x16 c0 = lane + first;
  u32x16 c1 = (lane & 0) + s->counter[1];
  u32x16 c2 = (lane & 0) + s->counter[2];
  u32x16 c3 = (lane & 0) + s->counter[3];
  uint32_t k0 = s->key[0], k1 = s->key[1];
  for (int round = 0; round < 10; ++round) {
    u32x16 h0, l0, h1, l1;
    multiply(&c0, M0, &h0, &l0);
    multiply(&c2, M1, &h1, &l1);
    c0 = h1 ^ c1 ^ k0;
    c1 = l1;
    c2 = h0 ^ c3 ^ k1;
    c3 = l0;
    k0 += W0;
    k1 += W1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

// Natural logarithm of x in (0, 1], to about two units in the last place (coefficients of Cephes' logf).
INLINE void natural_log(const f32x16 *x, f32x16 *result) {
  i32x16 bits = (i32x16)*x;
  i32x16 exponent = (bits >> 23) - 126;
  f32x16 m = (f32x16)((bits & 0x007fffff) | 0x3f000000);  // mantissa in [0.5, 1)
  const i32x16 small = m < 0.70710678f;
  exponent += small;  // true is -1
  m = m + (f32x16)((i32x16)m & small) - 1.0f;
  const f32x16 z = m * m;
  f32x16 y = 7.0376836292e-2f * m - 1.1514610310e-1f;
  y = y * m + 1.1676998740e-1f;
  y = y * m - 1.2420140846e-1f;
  y = y * m + 1.4249322787e-1f;
  y = y * m - 1.6668057665e-1f;
  y = y * m + 2.0000714765e-1f;
  y = y * m - 2.4999993993e-1f;
  y = y * m + 3.3333331174e-1f;
  y = y * m * z;
  const f32x16 e = __builtin_convertvector(exponent, f32x16);
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * z;
  *result = m + y + e * 0.693359375f;
}

// cos and sin of pi * w / 2^31 for a word w: the quadrant is exact integer arithmetic (Cephes' polynomials).
INLINE void cos_sin(const u32x16 *word, f32x16 *cosine, f32x16 *sine) {
  const u32x16 quadrant = (*word + 0x20000000u) >> 30;
  const i32x16 rest = (i32x16)(*word - (quadrant << 30));  // [-2^29, 2^29)
  const f32x16 x = __builtin_convertvector(rest, f32x16) * 1.4629180792671596e-9f;  // pi / 2^31
  const f32x16 z = x * x;
  f32x16 s = -1.9515295891e-4f * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * x + x;
  f32x16 c = 2.443315711809948e-5f * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * z * z - 0.5f * z + 1.0f;
  const i32x16 swap = (i32x16)(quadrant & 1) != 0;
  const i32x16 cb = ((i32x16)s & swap) | ((i32x16)c & ~swap);
  const i32x16 sb = ((i32x16)c & swap) | ((i32x16)s & ~swap);
  // Signs: cosine negative in quadrants 1 and 2, sine in 2 and 3.
  const u32x16 cosine_sign = ((quadrant + 1) & 2) << 30;
  const u32x16 sine_sign = (quadrant & 2) << 30;
  *cosine = (f32x16)((u32x16)cb ^ cosine_sign);
  *sine = (f32x16)((u32x16)sb ^ sine_sign);
}

// Square root, correctly rounded.
INLINE void root(const f32x16 *x, f32x16 *result) { *result = __builtin_elementwise_sqrt(*x); }

// Normal values of sixteen blocks, in stream order: block b gives (cos, sin) of words (0, 1), then of words (2, 3).
INLINE void normal_chunk(const csk_philox *s, uint32_t first, float scale, float chunk[BLOCK]) {
  u32x16 w[4];
  sixteen_blocks(s, first, w);
  f32x16 g[4];
  for (int pair = 0; pair < 2; ++pair) {
    // Centre of one of 2^23 cells: exact in single precision.
    f32x16 u = __builtin_convertvector(w[2 * pair] >> 9, f32x16);
    u = (u + 0.5f) * 1.1920928955078125e-7f;  // 2^-23
    // Nine more bits where they matter: the smallest cell is split, so the tail reaches 6.7 sigma.
    const f32x16 fine =
        (__builtin_convertvector(w[2 * pair] & 0x1ff, f32x16) + 0.5f) * 2.3283064365386963e-10f;
    const i32x16 tiny = (i32x16)((w[2 * pair] >> 9) == 0);
    u = (f32x16)(((i32x16)fine & tiny) | ((i32x16)u & ~tiny));
    f32x16 logarithm, radius, cosine, sine;
    natural_log(&u, &logarithm);
    f32x16 square = -2.0f * logarithm;
    square = (f32x16)((i32x16)square & (square > 0.0f));
    root(&square, &radius);
    cos_sin(&w[2 * pair + 1], &cosine, &sine);
    radius = radius * scale;
    g[2 * pair] = radius * cosine;
    g[2 * pair + 1] = radius * sine;
  }
  // Transpose [word][block] to [block][word].
  const f32x16 ab0 = __builtin_shufflevector(g[0], g[1], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const f32x16 ab1 = __builtin_shufflevector(g[0], g[1], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const f32x16 cd0 = __builtin_shufflevector(g[2], g[3], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const f32x16 cd1 = __builtin_shufflevector(g[2], g[3], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  const f32x16 r0 = __builtin_shufflevector(ab0, cd0, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
  const f32x16 r1 = __builtin_shufflevector(ab0, cd0, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
  const f32x16 r2 = __builtin_shufflevector(ab1, cd1, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23);
  const f32x16 r3 = __builtin_shufflevector(ab1, cd1, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30, 31);
  memcpy(chunk, &r0, 64);
  memcpy(chunk + 16, &r1, 64);
  memcpy(chunk + 32, &r2, 64);
  memcpy(chunk + 48, &r3, 64);
}

CSK_LEVELS void csk_philox_words(const csk_philox *s, uint32_t *out, size_t count) {
  uint32_t chunk[4][LANES];
  for (size_t i = 0; i < count; i += BLOCK) {
    u32x16 w[4];
    sixteen_blocks(s, s->counter[0] + (uint32_t)(i / 4), w);
    memcpy(chunk, w, sizeof chunk);
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    for (size_t j = 0; j < n; ++j) out[i + j] = chunk[j & 3][j >> 2];
  }
}

CSK_LEVELS void csk_gaussian_fill(const csk_philox *s, float scale, float *out, size_t count) {
  size_t i = 0;
  for (; i + BLOCK <= count; i += BLOCK)
    normal_chunk(s, s->counter[0] + (uint32_t)(i / 4), scale, out + i);
  if (i < count) {
    float chunk[BLOCK];
    normal_chunk(s, s->counter[0] + (uint32_t)(i / 4), scale, chunk);
    memcpy(out + i, chunk, (count - i) * sizeof(float));
  }
}

CSK_LEVELS void csk_gaussian_add(const csk_philox *s, float scale, float gain, const float *in,
                                 float *out, size_t count) {
  float chunk[BLOCK];
  for (size_t i = 0; i < count; i += BLOCK) {
    normal_chunk(s, s->counter[0] + (uint32_t)(i / 4), scale, chunk);
    const size_t n = count - i < BLOCK ? count - i : BLOCK;
    for (size_t j = 0; j < n; ++j) out[i + j] = gain * in[i + j] + chunk[j];
  }
}
