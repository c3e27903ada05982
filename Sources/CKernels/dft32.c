#include "dft32.h"

#include <string.h>

#include "every_level.h"

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

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((CSK_V4)), apply_to = function)
#define LANES 16
#define LEVEL(name) name##_v4
#define REAL(a, b) \
  __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
#define IMAGINARY(a, b) \
  __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31)
#define FIRST(re, im) \
  __builtin_shufflevector(re, im, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define SECOND(re, im) \
  __builtin_shufflevector(re, im, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#include "dft32_level.h"
#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LANES 8
#define LEVEL(name) name##_v3
// Within the halves of a register: the transforms lie in the order 0 1 4 5 2 3 6 7 meanwhile.
#define REAL(a, b) __builtin_shufflevector(a, b, 0, 2, 8, 10, 4, 6, 12, 14)
#define IMAGINARY(a, b) __builtin_shufflevector(a, b, 1, 3, 9, 11, 5, 7, 13, 15)
#define FIRST(re, im) __builtin_shufflevector(re, im, 0, 8, 1, 9, 4, 12, 5, 13)
#define SECOND(re, im) __builtin_shufflevector(re, im, 2, 10, 3, 11, 6, 14, 7, 15)
#include "dft32_level.h"
#pragma clang attribute pop
#endif

#define LANES 4
#define LEVEL(name) name##_generic
#define REAL(a, b) __builtin_shufflevector(a, b, 0, 2, 4, 6)
#define IMAGINARY(a, b) __builtin_shufflevector(a, b, 1, 3, 5, 7)
#define FIRST(re, im) __builtin_shufflevector(re, im, 0, 4, 1, 5)
#define SECOND(re, im) __builtin_shufflevector(re, im, 2, 6, 3, 7)
#include "dft32_level.h"

void csk_dft32_rows(size_t rows, int sign, float scale, const float *in, float *out) {
  CSK_RUN(rows32, rows, sign, scale, in, out)
}

void csk_dft32_gather(size_t step, size_t columns, size_t first, size_t rows, const float *twiddle,
                      const float *in, float *out) {
  CSK_RUN(gather, step, columns, first, rows, twiddle, in, out)
}

void csk_dft32_scatter(size_t step, size_t columns, size_t first, size_t rows,
                       const float *twiddle, const float *in, float *out) {
  CSK_RUN(scatter, step, columns, first, rows, twiddle, in, out)
}
