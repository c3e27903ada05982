#include "sign_product.h"

#include <string.h>

#include "kernel_level.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Products and sums that are fused on some levels only would have other bits.
#pragma STDC FP_CONTRACT OFF
#define UNROLL _Pragma("clang loop unroll(full)")

// PANEL outputs share a row of words; a word has the bits of GROUPS groups of three inputs.
enum { PANEL = 64, GROUPS = 10, SUMS = 8 };

typedef float sums8 __attribute__((vector_size(32)));

static size_t words_of(size_t inputs) { return (inputs + 3 * GROUPS - 1) / (3 * GROUPS); }

size_t csk_sign_words(size_t inputs, size_t outputs) {
  return (outputs + PANEL - 1) / PANEL * PANEL * words_of(inputs);
}

size_t csk_sign_scratch(size_t inputs) { return words_of(inputs) * GROUPS * SUMS; }

void csk_sign_pack(size_t inputs, size_t outputs, const uint8_t *bits, int transposed,
                   uint32_t *packed) {
  const size_t words = words_of(inputs);
  memset(packed, 0, csk_sign_words(inputs, outputs) * sizeof *packed);
  for (size_t o = 0; o < outputs; o++) {
    uint32_t *column = packed + o / PANEL * PANEL * words + o % PANEL;
    for (size_t i = 0; i < inputs; i++) {
      const size_t entry = transposed ? i * outputs + o : o * inputs + i;
      const uint32_t bit = bits[entry / 8] >> (entry % 8) & 1;
      column[i / (3 * GROUPS) * PANEL] |= bit << (i % (3 * GROUPS));
    }
  }
}

// The eight sums of every group of three inputs; inputs behind the last are zeros.
static void tabulate(size_t inputs, const float *x, float *table) {
  const sums8 first = {-1, 1, -1, 1, -1, 1, -1, 1}, second = {-1, -1, 1, 1, -1, -1, 1, 1},
              third = {-1, -1, -1, -1, 1, 1, 1, 1};
  const size_t groups = words_of(inputs) * GROUPS;
  for (size_t g = 0; g < groups; g++) {
    float a = 0, b = 0, c = 0;
    if (3 * g + 2 < inputs) {
      a = x[3 * g], b = x[3 * g + 1], c = x[3 * g + 2];
    } else {
      if (3 * g < inputs) a = x[3 * g];
      if (3 * g + 1 < inputs) b = x[3 * g + 1];
    }
    const sums8 sums = a * first + b * second + c * third;
    memcpy(table + SUMS * g, &sums, sizeof sums);
  }
}

// Sums of one panel from the level's own look-up.
#if defined(__x86_64__)
__attribute__((target("arch=x86-64-v4"))) static void panel_v4(size_t words, const float *table,
                                                               const uint32_t *packed,
                                                               float *sums) {
  const __m512i low = _mm512_set1_epi32(SUMS - 1);
  __m512 total[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                     _mm512_setzero_ps()};
  for (size_t w = 0; w < words; w++, packed += PANEL) {
    __m512i bits[4];
    UNROLL for (int v = 0; v < 4; v++) bits[v] = _mm512_loadu_si512(packed + 16 * v);
    UNROLL for (int g = 0; g < GROUPS; g++, table += SUMS) {
      const __m512 sums8 = _mm512_castps256_ps512(_mm256_loadu_ps(table));
      UNROLL for (int v = 0; v < 4; v++) {
        const __m512i index = _mm512_and_si512(bits[v], low);
        total[v] = _mm512_add_ps(total[v], _mm512_permutexvar_ps(index, sums8));
        bits[v] = _mm512_srli_epi32(bits[v], 3);
      }
    }
  }
  UNROLL for (int v = 0; v < 4; v++) _mm512_storeu_ps(sums + 16 * v, total[v]);
}

__attribute__((target("arch=x86-64-v3"))) static void panel_v3(size_t words, const float *table,
                                                               const uint32_t *packed,
                                                               float *sums) {
  for (int part = 0; part < PANEL; part += 32) {
    const float *t = table;
    const uint32_t *p = packed + part;
    __m256 total[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                       _mm256_setzero_ps()};
    for (size_t w = 0; w < words; w++, p += PANEL) {
      __m256i bits[4];
      UNROLL for (int v = 0; v < 4; v++) bits[v] = _mm256_loadu_si256((const void *)(p + 8 * v));
      UNROLL for (int g = 0; g < GROUPS; g++, t += SUMS) {
        const __m256 sums8 = _mm256_loadu_ps(t);
        UNROLL for (int v = 0; v < 4; v++) {
          // The permutation reads the three lowest bits of a lane.
          total[v] = _mm256_add_ps(total[v], _mm256_permutevar8x32_ps(sums8, bits[v]));
          bits[v] = _mm256_srli_epi32(bits[v], 3);
        }
      }
    }
    UNROLL for (int v = 0; v < 4; v++) _mm256_storeu_ps(sums + part + 8 * v, total[v]);
  }
}
#endif

static void panel_generic(size_t words, const float *table, const uint32_t *packed, float *sums) {
  enum { AT_ONCE = 8 };
  for (int part = 0; part < PANEL; part += AT_ONCE) {
    float total[AT_ONCE] = {0};
    const float *t = table;
    for (size_t w = 0; w < words; w++) {
      uint32_t bits[AT_ONCE];
      memcpy(bits, packed + w * PANEL + part, sizeof bits);
      for (int g = 0; g < GROUPS; g++, t += SUMS) {
        UNROLL for (int o = 0; o < AT_ONCE; o++) {
          total[o] += t[bits[o] & (SUMS - 1)];
          bits[o] >>= 3;
        }
      }
    }
    memcpy(sums + part, total, sizeof total);
  }
}

static void finish(size_t count, const float *sums, float scale, const float *bias, float *y) {
  for (size_t o = 0; o < count; o++) {
    const float product = scale * sums[o];
    y[o] = bias ? bias[o] + product : product;
  }
}

typedef void look_up(size_t words, const float *table, const uint32_t *packed, float *sums);

static look_up *panel_at(long level) {
#if defined(__x86_64__)
  if (level < 2) return level == 0 ? panel_v4 : panel_v3;
#endif
  (void)level;
  return panel_generic;
}

void csk_sign_product_at(long level, size_t rows, size_t outputs, size_t inputs, const float *x,
                         size_t ldx, const uint32_t *packed, float scale, const float *bias,
                         float *y, size_t ldy, float *scratch) {
  const size_t words = words_of(inputs);
  look_up *const panel = panel_at(level);
  float sums[PANEL];
  for (size_t row = 0; row < rows; row++) {
    tabulate(inputs, x + row * ldx, scratch);
    for (size_t o = 0; o < outputs; o += PANEL) {
      const size_t count = outputs - o < PANEL ? outputs - o : PANEL;
      panel(words, scratch, packed + o * words, sums);
      finish(count, sums, scale, bias ? bias + o : NULL, y + row * ldy + o);
    }
  }
}

void csk_sign_product(size_t rows, size_t outputs, size_t inputs, const float *x, size_t ldx,
                      const uint32_t *packed, float scale, const float *bias, float *y, size_t ldy,
                      float *scratch) {
  csk_sign_product_at(csk_level(), rows, outputs, inputs, x, ldx, packed, scale, bias, y, ldy,
                      scratch);
}
