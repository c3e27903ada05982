#include "product.h"

#include <string.h>

#include "buffer_cache.h"
#include "every_level.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { DEPTH = 256, HEIGHT = 240 };  // of a block of A in floats; HEIGHT is a multiple of all ROWS

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((CSK_V4)), apply_to = function)
#define LANES 16
#define ROWS 12
#define LEVEL(name) name##_v4
#define SWAP_PAIRS(x) \
  __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14)
#include "product_level.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LANES 8
#define ROWS 6
#define LEVEL(name) name##_v3
#define SWAP_PAIRS(x) __builtin_shufflevector(x, x, 1, 0, 3, 2, 5, 4, 7, 6)
#include "product_level.h"
#pragma clang attribute pop
#endif

#define LANES 4
#define ROWS 4
#define LEVEL(name) name##_generic
#define SWAP_PAIRS(x) __builtin_shufflevector(x, x, 1, 0, 3, 2)
#include "product_level.h"

#if defined(__x86_64__)
size_t csk_product_panel(void) { return (size_t[]){32, 16, 8}[csk_level()]; }
#else
size_t csk_product_panel(void) { return 8; }
#endif

// Vectors that are packed reach up to 16 floats behind the last tile.
#define BLOCK_BYTES ((HEIGHT * DEPTH + 16) * sizeof(float))

size_t csk_product_packed_count(size_t k, size_t n) {
  const size_t width = csk_product_panel();
  return k * ((n + width - 1) / width * width);
}

void csk_product_pack(size_t k, size_t n, const float *b, size_t ldb, int transposed,
                      float *packed) {
  CSK_RUN(pack, k, n, b, transposed ? 1 : ldb, transposed ? ldb : 1, packed)
}

void csk_product_pack_complex(size_t k, size_t n, const float *b, size_t ldb, int operation,
                              float *packed) {
  const int transposed = operation & CSK_TRANSPOSE;
  CSK_RUN(pack_pairs, k, n, b, transposed ? 1 : ldb, transposed ? ldb : 1,
      operation & CSK_CONJUGATE ? -1 : 1, packed)
}

// Panels of B lie b_panel floats apart, its rows b_step; C starts from `start`.
static void multiply(size_t m, size_t n, size_t k, const float *a, size_t lda, int operation,
                     int values, const float *b, size_t b_step, size_t b_panel, const float *start,
                     size_t start_row, float *c, size_t ldc) {
  float *block = csk_buffer_take(BLOCK_BYTES);
  CSK_RUN(product, m, n, k, a, lda, operation, values, b, b_step, b_panel, start, start_row, c, ldc,
          block)
  csk_buffer_release(block, BLOCK_BYTES);
}

void csk_product(size_t m, size_t n, size_t k, const float *a, size_t lda, int transposed,
                 const float *packed, float *c, size_t ldc, int adding) {
  const size_t panel = csk_product_panel();
  multiply(m, n, k, a, lda, transposed, 1, packed, panel, panel * k, adding ? c : NULL, ldc, c,
           ldc);
}

void csk_product_part(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                      size_t packed_k, const float *bias, float *c, size_t ldc) {
  const size_t panel = csk_product_panel();
  multiply(m, n, k, a, lda, 0, 1, packed, panel, panel * packed_k, bias ? bias : c, bias ? 0 : ldc,
           c, ldc);
}

void csk_product_unpacked(size_t m, size_t n, size_t k, const float *a, size_t lda, int transposed,
                          const float *b, size_t ldb, float *c, size_t ldc, int adding) {
  multiply(m, n, k, a, lda, transposed, 1, b, ldb, csk_product_panel(), adding ? c : NULL, ldc, c,
           ldc);
}

void csk_product_complex(size_t m, size_t n, size_t k, const float *a, size_t lda, int operation,
                         const float *packed, float *c, size_t ldc, int adding) {
  const size_t panel = csk_product_panel();
  multiply(m, n, k, a, lda, operation, 2, packed, panel, panel * 2 * k, adding ? c : NULL, 2 * ldc,
           c, ldc);
}

void csk_product_few_rows(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                          size_t ldb, float *c, size_t ldc, int adding) {
  CSK_RUN(few_rows, m, n, k, a, lda, b, ldb, c, ldc, 0, adding)
}

void csk_product_few_rows_complex(size_t m, size_t n, size_t k, const float *a, size_t lda,
                                  const float *b, size_t ldb, float *c, size_t ldc, int adding) {
  CSK_RUN(few_rows, m, n, k, a, lda, b, ldb, c, ldc, 1, adding)
}
