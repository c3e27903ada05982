#pragma once
#include <stddef.h>

/// Inner products of the rows of two complex matrices [rows, columns] (interleaved re, im), in single precision with
/// sixteen partial sums: cross[r] = sum_c a[r,c] * conj(b[r,c]) (re, im), and the energies of both rows.
void csk_row_products(size_t rows, size_t columns, const float *a, const float *b, float *cross,
                      float *energy_a, float *energy_b);

/// Energies of the rows of a complex matrix.
void csk_row_energies(size_t rows, size_t columns, const float *a, float *energy);

/// Sum of squared differences and sum of squares of a, over `count` floats, folded in double every 256 floats.
void csk_error_energy(size_t count, const float *a, const float *b, double *error, double *energy);

/// out[r,c] = in[r,c] * factor[r] for complex factors (interleaved), in place allowed.
void csk_scale_rows(size_t rows, size_t columns, const float *factor, const float *in, float *out);

/// In-place Walsh-Hadamard transform (Sylvester order, no scaling) of each row of [rows, columns] complex values;
/// `columns` is a power of two.
void csk_hadamard_rows(size_t rows, size_t columns, float *data);

/// base-2 logarithm of 1 + x for x >= 0, relative error below 1e-6, `count` values summed in double.
double csk_sum_log2_1p(size_t count, const float *x);
