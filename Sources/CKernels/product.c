#include "product.h"

#include <string.h>

#include "buffer_cache.h"
#include "kernel_level.h"

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

enum { DEPTH = 256, HEIGHT = 240 };  // of a block of A in floats; HEIGHT is a multiple of all ROWS

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
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
#define RUN(name, ...)                            \
  switch (csk_level()) {                          \
  case 0: name##_v4(__VA_ARGS__); break;          \
  case 1: name##_v3(__VA_ARGS__); break;          \
  default: name##_generic(__VA_ARGS__);           \
  }
static size_t panel(void) { return (size_t[]){32, 16, 8}[csk_level()]; }
#else
#define RUN(name, ...) name##_generic(__VA_ARGS__);
static size_t panel(void) { return 8; }
#endif

#define BLOCK_BYTES (HEIGHT * DEPTH * sizeof(float))

size_t csk_product_packed_count(size_t k, size_t n) {
  const size_t width = panel();
  return k * ((n + width - 1) / width * width);
}

void csk_product_pack(size_t k, size_t n, const float *b, size_t ldb, int transposed,
                      float *packed) {
  RUN(pack, k, n, b, transposed ? 1 : ldb, transposed ? ldb : 1, packed)
}

void csk_product_pack_complex(size_t k, size_t n, const float *b, size_t ldb, int operation,
                              float *packed) {
  const int transposed = operation & CSK_TRANSPOSE;
  RUN(pack_pairs, k, n, b, transposed ? 1 : ldb, transposed ? ldb : 1,
      operation & CSK_CONJUGATE ? -1 : 1, packed)
}

void csk_product(size_t m, size_t n, size_t k, const float *a, size_t lda, int transposed,
                 const float *packed, float *c, size_t ldc, int adding) {
  float *block = csk_buffer_take(BLOCK_BYTES);
  RUN(product, m, n, k, a, lda, transposed, 1, packed, c, ldc, adding, block)
  csk_buffer_release(block, BLOCK_BYTES);
}

void csk_product_complex(size_t m, size_t n, size_t k, const float *a, size_t lda, int operation,
                         const float *packed, float *c, size_t ldc, int adding) {
  float *block = csk_buffer_take(BLOCK_BYTES);
  RUN(product, m, n, k, a, lda, operation, 2, packed, c, ldc, adding, block)
  csk_buffer_release(block, BLOCK_BYTES);
}

void csk_product_few_rows(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                          size_t ldb, float *c, size_t ldc, int adding) {
  RUN(few_rows, m, n, k, a, lda, b, ldb, c, ldc, 0, adding)
}

void csk_product_few_rows_complex(size_t m, size_t n, size_t k, const float *a, size_t lda,
                                  const float *b, size_t ldb, float *c, size_t ldc, int adding) {
  RUN(few_rows, m, n, k, a, lda, b, ldb, c, ldc, 1, adding)
}
