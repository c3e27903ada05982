#include "sign_product.h"

#include <string.h>

#include "every_level.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Products and sums that are fused on some levels only would have other bits.
#pragma STDC FP_CONTRACT OFF
#define UNROLL _Pragma("clang loop unroll(full)")

// PANEL outputs share a row of words; a byte of a word has the bits of two groups of three inputs. Vectors loaded from the second
// byte of a row on have the bits of the second byte lowest, so that only every other look-up needs a shift.
enum { PANEL = 64, GROUPS = 8, SUMS = 8, THREE = 3 };

// Where the bits of a group lie in its word.
#define PLACE(group) ((group) / 2 * 8 + (group) % 2 * THREE)

typedef float sums8 __attribute__((vector_size(32)));

static size_t words_of(size_t inputs) {
  return (inputs + THREE * GROUPS - 1) / (THREE * GROUPS);
}

size_t csk_sign_words(size_t inputs, size_t outputs) {
  // One more for the bytes that vectors reach behind the last row.
  return (outputs + PANEL - 1) / PANEL * PANEL * words_of(inputs) + 1;
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
      const size_t group = i / THREE, word = group / GROUPS;
      column[word * PANEL] |= bit << (PLACE(group % GROUPS) + i % THREE);
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
    if (THREE * g + 2 < inputs) {
      a = x[THREE * g], b = x[THREE * g + 1], c = x[THREE * g + 2];
    } else {
      if (THREE * g < inputs) a = x[THREE * g];
      if (THREE * g + 1 < inputs) b = x[THREE * g + 1];
    }
    const sums8 sums = a * first + b * second + c * third;
    memcpy(table + SUMS * g, &sums, sizeof sums);
  }
}

// Sums of one panel from the level's own look-up.
#if defined(__x86_64__)
__attribute__((CSK_V4)) static void panel_v4(size_t words, const float *table,
                                             const uint32_t *packed, float *sums) {
  const __m512i low = _mm512_set1_epi32(SUMS - 1);
  __m512 total[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(),
                     _mm512_setzero_ps()};
  for (size_t w = 0; w < words; w++, packed += PANEL) {
    UNROLL for (int byte = 0; byte < GROUPS / 2; byte++, table += 2 * SUMS) {
      const __m512 first = _mm512_castps256_ps512(_mm256_loadu_ps(table));
      const __m512 second = _mm512_castps256_ps512(_mm256_loadu_ps(table + SUMS));
      UNROLL for (int v = 0; v < 4; v++) {
        const __m512i bits = _mm512_loadu_si512((const uint8_t *)(packed + 16 * v) + byte);
        const __m512i one = _mm512_and_si512(bits, low);
        const __m512i other = _mm512_and_si512(_mm512_srli_epi32(bits, THREE), low);
        total[v] = _mm512_add_ps(total[v], _mm512_permutexvar_ps(one, first));
        total[v] = _mm512_add_ps(total[v], _mm512_permutexvar_ps(other, second));
      }
    }
  }
  UNROLL for (int v = 0; v < 4; v++) _mm512_storeu_ps(sums + 16 * v, total[v]);
}

__attribute__((target("arch=x86-64-v3"))) static void panel_v3(size_t words, const float *table,
                                                               const uint32_t *packed,
                                                               float *sums) {
  __m256 total[8];
  UNROLL for (int v = 0; v < 8; v++) total[v] = _mm256_setzero_ps();
  for (size_t w = 0; w < words; w++, packed += PANEL) {
    UNROLL for (int byte = 0; byte < GROUPS / 2; byte++, table += 2 * SUMS) {
      const __m256 first = _mm256_loadu_ps(table), second = _mm256_loadu_ps(table + SUMS);
      UNROLL for (int v = 0; v < 8; v++) {
        // The permutation reads the three lowest bits of a lane.
        const uint8_t *place = (const uint8_t *)(packed + 8 * v) + byte;
        const __m256i bits = _mm256_loadu_si256((const void *)place);
        total[v] = _mm256_add_ps(total[v], _mm256_permutevar8x32_ps(first, bits));
        total[v] = _mm256_add_ps(
            total[v], _mm256_permutevar8x32_ps(second, _mm256_srli_epi32(bits, THREE)));
      }
    }
  }
  UNROLL for (int v = 0; v < 8; v++) _mm256_storeu_ps(sums + 8 * v, total[v]);
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
      UNROLL for (int g = 0; g < GROUPS; g++, t += SUMS) {
        UNROLL for (int o = 0; o < AT_ONCE; o++) total[o] += t[bits[o] >> PLACE(g) & (SUMS - 1)];
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
