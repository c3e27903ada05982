#pragma once
#include <stddef.h>

/// The least of before[i] - (sum - sums[i])^2 / |weight - weights[i]| over i < count, and the first i that has it: where
/// the last run of a partition of points on a line starts best. A quotient whose weights are equal counts as (sum - sums[i])^2,
/// which is 0 for equal sums. The same bits on all levels; infinity and 0 for count 0.
void csk_least_split(const double *before, const double *sums, const double *weights, size_t count,
                     double sum, double weight, double *least, size_t *first);
