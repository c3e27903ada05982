#pragma once
#include <stddef.h>

/// Inner products of the rows of two complex matrices [rows, columns] (interleaved re, im), in single precision with
/// sixteen partial sums: cross[r] = sum_c a[r,c] conj(b[r,c]) (re, im), the energies of both rows and of their
/// difference.
void csk_row_products(size_t rows, size_t columns, const float *a, const float *b, float *cross,
                      float *energy_a, float *energy_b, float *difference);

/// Sum of squared differences and sum of squares of a, over `count` floats, folded in double every 256 floats.
void csk_error_energy(size_t count, const float *a, const float *b, double *error, double *energy);

/// In-place Walsh-Hadamard transform (Sylvester order, no scaling) of each row of [rows, columns] complex values;
/// `columns` is a power of two.
void csk_hadamard_rows(size_t rows, size_t columns, float *data);

/// Sums over tones: |c| / (|h| |g|) and its square, received power, its share of |h|^2, log2(1 + snr power) and
/// log2(1 + snr |h|^2), |h|^2, |h - g|^2; `undirected` is not 0 if g is zero on a tone where h is not.
typedef struct {
  double cosine, squared, power, fraction, rate, perfect, energy, error;
  int undirected;
} csk_tone_sums;

/// The metrics of one drop from the products of csk_row_products of channel h and direction g; the received power is
/// |c|^2 / |g|^2, and `fallback` (or 0 if NULL) on tones where
/// g is zero.
void csk_tone_metrics(size_t tones, const float *cross, const float *energy_h,
                      const float *energy_g, const float *difference, const float *fallback,
                      float snr, csk_tone_sums *sums);
