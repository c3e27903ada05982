#include "philox.h"

#include <string.h>

#include "every_level.h"

// Fused multiply-adds only where they are written: the streams have the same bits on every instruction level.
#pragma STDC FP_CONTRACT OFF
#define FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef uint64_t u64x8 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef float f32x16 __attribute__((vector_size(64)));

enum { CHUNK = 128, NORMALS = 192 };  // words and normal values of 32 blocks

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

// Ten rounds on 32 consecutive blocks: word w of blocks first + 16 g + (0..15) in out[g][w].
//
// One word lives in the low half of each 64-bit lane; the high halves hold rubbish, which the 32-bit multiplications do
// not see. Four independent groups of lanes hide the latency of the multiplications.
INLINE void consecutive_blocks(const csk_philox *s, uint32_t first, u32x16 out[2][4]) {
  const u64x8 lane = {0, 1, 2, 3, 4, 5, 6, 7};
  const u64x8 low = (lane & 0) + 0xffffffffu;
  u64x8 c0[4], c1[4], c2[4], c3[4];
  UNROLL for (int g = 0; g < 4; ++g) {
    c0[g] = (lane + (first + 8 * (uint32_t)g)) & low;  // the block counter wraps at 32 bits
    c1[g] = (lane & 0) + s->counter[1];
    c2[g] = (lane & 0) + s->counter[2];
    c3[g] = (lane & 0) + s->counter[3];
  }
  uint32_t k0 = s->key[0], k1 = s->key[1];
  UNROLL for (int round = 0; round < 10; ++round) {
    UNROLL for (int g = 0; g < 4; ++g) {
      const u64x8 p0 = (c0[g] & low) * (uint64_t)M0, p1 = (c2[g] & low) * (uint64_t)M1;
      c0[g] = (p1 >> 32) ^ c1[g] ^ (uint64_t)k0;
      c1[g] = p1;
      c2[g] = (p0 >> 32) ^ c3[g] ^ (uint64_t)k1;
      c3[g] = p0;
    }
    k0 += W0;
    k1 += W1;
  }
#define LOW_HALVES(a, b) \
  __builtin_shufflevector((u32x16)a, (u32x16)b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, \
                          28, 30)
  UNROLL for (int g = 0; g < 2; ++g) {
    out[g][0] = LOW_HALVES(c0[2 * g], c0[2 * g + 1]);
    out[g][1] = LOW_HALVES(c1[2 * g], c1[2 * g + 1]);
    out[g][2] = LOW_HALVES(c2[2 * g], c2[2 * g + 1]);
    out[g][3] = LOW_HALVES(c3[2 * g], c3[2 * g + 1]);
  }
#undef LOW_HALVES
}

#define SPLAT(v) ((f32x16){} + (v))

// -2 ln x for x in (0, 1], to about two units in the last place (Cephes' logf, coefficients times -2).
INLINE void minus_two_log(const f32x16 *x, f32x16 *result) {
  // The exponent that leaves a mantissa in [sqrt(1/2), sqrt 2).
  const i32x16 bits = (i32x16)*x;
  const i32x16 exponent = (bits - 0x3f3504f3) >> 23;
  const f32x16 m = (f32x16)(bits - (exponent << 23)) - 1.0f;
  const f32x16 z = m * m;
  f32x16 y = FMA(SPLAT(-1.4075367258e-1f), m, SPLAT(2.3029220620e-1f));
  y = FMA(y, m, SPLAT(-2.3353997480e-1f));
  y = FMA(y, m, SPLAT(2.4840281692e-1f));
  y = FMA(y, m, SPLAT(-2.8498644574e-1f));
  y = FMA(y, m, SPLAT(3.3336115330e-1f));
  y = FMA(y, m, SPLAT(-4.0001429530e-1f));
  y = FMA(y, m, SPLAT(4.9999987986e-1f));
  y = FMA(y, m, SPLAT(-6.6666662348e-1f));
  y = FMA(y * m, z, FMA(SPLAT(-2.0f), m, z));
  *result = FMA(__builtin_convertvector(exponent, f32x16), SPLAT(-1.3862943611f), y);
}

// cos and sin of pi * w / 2^31 for a word w: the quadrant is exact integer arithmetic (Cephes' polynomials).
INLINE void cos_sin(const u32x16 *word, f32x16 *cosine, f32x16 *sine) {
  const u32x16 quadrant = *word + 0x20000000u;  // in the two top bits
  const i32x16 rest = (i32x16)((*word << 2)) >> 2;  // [-2^29, 2^29): word minus quadrant
  const f32x16 x = __builtin_convertvector(rest, f32x16) * 1.4629180792671596e-9f;  // pi / 2^31
  const f32x16 z = x * x;
  f32x16 s = FMA(SPLAT(-1.9515295891e-4f), z, SPLAT(8.3321608736e-3f));
  s = FMA(s, z, SPLAT(-1.6666654611e-1f));
  s = FMA(s * z, x, x);
  f32x16 c = FMA(SPLAT(2.443315711809948e-5f), z, SPLAT(-1.388731625493765e-3f));
  c = FMA(c, z, SPLAT(4.166664568298827e-2f));
  c = FMA(c * z, z, FMA(SPLAT(-0.5f), z, SPLAT(1.0f)));
  const i32x16 swap = (i32x16)(quadrant << 1) >> 31;
  const i32x16 cb = ((i32x16)s & swap) | ((i32x16)c & ~swap);
  const i32x16 sb = ((i32x16)c & swap) | ((i32x16)s & ~swap);
  // Signs: cosine negative in quadrants 1 and 2, sine in 2 and 3.
  const u32x16 cosine_sign = (quadrant + 0x40000000u) & 0x80000000u;
  const u32x16 sine_sign = quadrant & 0x80000000u;
  *cosine = (f32x16)((u32x16)cb ^ cosine_sign);
  *sine = (f32x16)((u32x16)sb ^ sine_sign);
}

// [value][block] of sixteen blocks to [block][value].
INLINE void transpose(const f32x16 g[4], float *out) {
  const f32x16 ab0 = __builtin_shufflevector(g[0], g[1], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                             6, 22, 7, 23);
  const f32x16 ab1 = __builtin_shufflevector(g[0], g[1], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                             29, 14, 30, 15, 31);
  const f32x16 cd0 = __builtin_shufflevector(g[2], g[3], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                             6, 22, 7, 23);
  const f32x16 cd1 = __builtin_shufflevector(g[2], g[3], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                             29, 14, 30, 15, 31);
  const f32x16 rows[4] = {
      __builtin_shufflevector(ab0, cd0, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23),
      __builtin_shufflevector(ab0, cd0, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30,
                              31),
      __builtin_shufflevector(ab1, cd1, 0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23),
      __builtin_shufflevector(ab1, cd1, 8, 9, 24, 25, 10, 11, 26, 27, 12, 13, 28, 29, 14, 15, 30,
                              31)};
  memcpy(out, rows, sizeof rows);
}

// The three pairs of normal values of sixteen blocks by Box-Muller: 26 bits for the radius (the tail reaches 6 sigma) and
// 16 bits for the direction of each pair.
INLINE void normal_pairs(const u32x16 w[4], float scale, f32x16 g[6]) {
  const u32x16 radii[3] = {w[0] >> 6, (w[1] & 0x3fffff) << 4 | w[2] >> 28,
                           (w[2] & 0xfff) << 14 | w[3] >> 18};
  const u32x16 angles[3] = {w[0] << 26 | (w[1] >> 6 & 0x3ff0000), w[2] << 4 & 0xffff0000,
                            w[3] << 14 & 0xffff0000};
  UNROLL for (int pair = 0; pair < 3; ++pair) {
    // Upper end of one of 2^26 cells, so that u is never 0.
    f32x16 u = __builtin_convertvector((i32x16)radii[pair], f32x16);
    u = FMA(u, SPLAT(1.490116119384765625e-8f), SPLAT(1.490116119384765625e-8f));
    f32x16 square, cosine, sine;
    minus_two_log(&u, &square);
    const f32x16 radius = __builtin_elementwise_sqrt(square) * scale;
    cos_sin(&angles[pair], &cosine, &sine);
    g[2 * pair] = radius * cosine;
    g[2 * pair + 1] = radius * sine;
  }
}

// Normal values of 32 blocks: of blocks 0 to 15 the first values of all, then the second ones, up to the sixth; then of
// blocks 16 to 31.
INLINE void normal_chunk(const csk_philox *s, uint32_t first, float scale, float chunk[NORMALS]) {
  u32x16 words[2][4];
  consecutive_blocks(s, first, words);
  UNROLL for (int half = 0; half < 2; ++half) {
    f32x16 g[6];
    normal_pairs(words[half], scale, g);
    memcpy(chunk + 96 * half, g, sizeof g);
  }
}

INLINE void csk_philox_words_body(const csk_philox *s, uint32_t *out, size_t count) {
  for (size_t i = 0; i < count; i += CHUNK) {
    u32x16 words[2][4];
    consecutive_blocks(s, s->counter[0] + (uint32_t)(i / 4), words);
    float chunk[CHUNK];
    for (int half = 0; half < 2; ++half) {
      const f32x16 w[4] = {(f32x16)words[half][0], (f32x16)words[half][1], (f32x16)words[half][2],
                           (f32x16)words[half][3]};
      transpose(w, chunk + 64 * half);
    }
    memcpy(out + i, chunk, (count - i < CHUNK ? count - i : CHUNK) * sizeof(uint32_t));
  }
}
CSK_EVERY_LEVEL(csk_philox_words,
                (const csk_philox *s, uint32_t *out, size_t count),
                (s, out, count))

// Value i is in chunk i / NORMALS, which starts at block counter[0] + 32 (i / NORMALS).
INLINE uint32_t chunk_block(const csk_philox *s, size_t i) {
  return s->counter[0] + (uint32_t)(i / NORMALS * 32);
}

INLINE void csk_gaussian_fill_body(const csk_philox *s, float scale, float *out, size_t count) {
  size_t i = 0;
  for (; i + NORMALS <= count; i += NORMALS) normal_chunk(s, chunk_block(s, i), scale, out + i);
  if (i < count) {
    float chunk[NORMALS];
    normal_chunk(s, chunk_block(s, i), scale, chunk);
    memcpy(out + i, chunk, (count - i) * sizeof(float));
  }
}
CSK_EVERY_LEVEL(csk_gaussian_fill,
                (const csk_philox *s, float scale, float *out, size_t count),
                (s, scale, out, count))

INLINE void csk_gaussian_add_body(const csk_philox *s, float scale, float gain, const float *in,
                                 float *out, size_t count) {
  float chunk[NORMALS];
  for (size_t i = 0; i < count; i += NORMALS) {
    normal_chunk(s, chunk_block(s, i), scale, chunk);
    const size_t n = count - i < NORMALS ? count - i : NORMALS;
    if (n == NORMALS) {
      UNROLL for (int j = 0; j < NORMALS; j += 16) {
        f32x16 x, g;
        memcpy(&x, in + i + j, 64);
        memcpy(&g, chunk + j, 64);
        x = FMA(x, SPLAT(gain), g);
        memcpy(out + i + j, &x, 64);
      }
    } else {
      for (size_t j = 0; j < n; ++j) out[i + j] = __builtin_fmaf(gain, in[i + j], chunk[j]);
    }
  }
}
CSK_EVERY_LEVEL(csk_gaussian_add,
                (const csk_philox *s, float scale, float gain, const float *in, float *out, size_t
                 count),
                (s, scale, gain, in, out, count))
