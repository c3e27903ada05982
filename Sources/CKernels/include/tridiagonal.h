#pragma once
#include <stddef.h>

/// Householder reduction of Hermitian matrices in double precision, with the same bits on all levels that have fused
/// multiply-adds: sums are sixteen partial sums, folded in a fixed order.
///
/// Matrices are two planes of n x n, real and imaginary parts, row-major; `im` is NULL for a real symmetric one. Only the
/// lower triangle is read; afterwards row k right of the diagonal holds the reflector v_k, v_k[k + 1] = 1:
/// H_k = I - tau_k v_k v_k^H and A = H_0 ... H_{n-2} T H_{n-2}^H ... H_0^H (G. H. Golub, C. F. Van Loan, Matrix
/// Computations, 4th ed. 2013, section 8.3.1; the complex tau as in LAPACK's zhetd2).

/// Reduces A to the real tridiagonal T with diagonal d [n] and off-diagonal e [n - 1]; tau [n - 1], real and imaginary.
/// `work` holds 6 n values. O(4/3 n^3) multiply-adds, four times as many if complex.
void csk_tridiagonalise(size_t n, double *re, double *im, double *d, double *e, double *tau_re,
                        double *tau_im, double *work);

/// Turns `count` eigenvectors of T, rows of z_re [count, n] (z_im NULL if real, else zero on entry), into those of A.
/// O(n^2 count) multiply-adds.
void csk_back_transform(size_t n, const double *re, const double *im, const double *tau_re,
                        const double *tau_im, size_t count, double *z_re, double *z_im);
