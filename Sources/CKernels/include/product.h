#pragma once
#include <stddef.h>

/// Dense single-precision products C = A B whose bits do not depend on how the work is divided.
///
/// Every element of C is one chain over k in ascending order, `c = fma(a[i, k], b[k, j], c)`, started from 0 or from the
/// value that C holds. So a row of C is the same in any matrix, at any place of it and with any neighbours; and the
/// levels with fused multiply-adds (AVX2, AVX-512, NEON) agree to the bit. Without them (x86-64 baseline) each step rounds twice.
///
/// A complex product is the real one of [m, 2k] and [2k, 2n]: re and im of a lie side by side as they are, and each row of
/// B becomes two, (re, im) and (-im, re).

#ifdef __cplusplus
extern "C" {
#endif

enum { CSK_TRANSPOSE = 1, CSK_CONJUGATE = 2 };

/// A multiple of the columns of a packed panel, whatever the level.
enum { CSK_PANELS = 32 };

/// Columns of a packed panel at the level in use.
size_t csk_product_panel(void);

/// Floats that `csk_product_pack` writes for B [k, n]; for a complex B give 2k and 2n.
size_t csk_product_packed_count(size_t k, size_t n);

/// Reorders B [k, n] (stored [n, k] if `transposed`; `ldb` floats between stored rows) for `csk_product`.
void csk_product_pack(size_t k, size_t n, const float *b, size_t ldb, int transposed,
                      float *packed);

/// The same for a complex B [k, n], interleaved, `ldb` values between stored rows; `operation` combines CSK_TRANSPOSE
/// and CSK_CONJUGATE.
void csk_product_pack_complex(size_t k, size_t n, const float *b, size_t ldb, int operation,
                              float *packed);

/// C [m, n] = A B, or C += A B if `adding`; A [m, k] is stored [k, m] if `transposed`. C must not overlap A.
void csk_product(size_t m, size_t n, size_t k, const float *a, size_t lda, int transposed,
                 const float *packed, float *c, size_t ldc, int adding);

/// `csk_product` with a part of a larger packed B of `packed_k` rows: its columns from `packed = whole + column packed_k`
/// (column a multiple of CSK_PANELS), its rows from `packed = whole + row csk_product_panel()`. C = bias + A B with the same
/// bias [n] in each row, or C += A B without one. A is [m, k].
void csk_product_part(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *packed,
                      size_t packed_k, const float *bias, float *c, size_t ldc);

/// `csk_product` with a B [k, n] as it lies, n a multiple of CSK_PANELS; for a B that fits the cache and is used once.
void csk_product_unpacked(size_t m, size_t n, size_t k, const float *a, size_t lda, int transposed,
                          const float *b, size_t ldb, float *c, size_t ldc, int adding);

/// `csk_product` for complex A and C: m, n and k count complex values, as do lda and ldc.
void csk_product_complex(size_t m, size_t n, size_t k, const float *a, size_t lda, int operation,
                         const float *packed, float *c, size_t ldc, int adding);

/// `csk_product` for few rows of A and a B that is not packed: C = A B with A [m, k] and B [k, n] as they lie.
void csk_product_few_rows(size_t m, size_t n, size_t k, const float *a, size_t lda, const float *b,
                          size_t ldb, float *c, size_t ldc, int adding);

/// The same for complex values, which m, n, k, lda, ldb and ldc count.
void csk_product_few_rows_complex(size_t m, size_t n, size_t k, const float *a, size_t lda,
                                  const float *b, size_t ldb, float *c, size_t ldc, int adding);

/// Greatest number of rows of A for which the functions above are faster than packing B.
enum { CSK_FEW_ROWS = 3 };

#ifdef __cplusplus
}
#endif
