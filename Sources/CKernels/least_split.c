#include "least_split.h"

#include <math.h>

#include "every_level.h"

enum { LANES = 8 };
typedef double f64x8 __attribute__((vector_size(LANES * 8)));
typedef double f64x8u __attribute__((vector_size(LANES * 8), aligned(8)));
typedef long i64x8 __attribute__((vector_size(LANES * 8)));

#define LOAD(p) ((f64x8) * (const f64x8u *)(p))

// a where the mask is set, else b.
#define SELECT(mask, a, b) (((mask) & (i64x8)(a)) | (~(mask) & (i64x8)(b)))

// No product meets a sum here, so that no level can fuse them: all levels have the same bits.
static inline __attribute__((always_inline)) void csk_least_split_body(
    const double *before, const double *sums, const double *weights, size_t count, double sum,
    double weight, double *least, size_t *first) {
  const i64x8 magnitude = (i64x8){0} + 0x7fffffffffffffff;
  f64x8 lows = (f64x8){0} + INFINITY;
  i64x8 places = {0}, place = {0, 1, 2, 3, 4, 5, 6, 7};
  size_t i = 0;
  for (; i + LANES <= count; i += LANES, place += LANES) {
    const f64x8 d = sum - LOAD(sums + i);
    const f64x8 apart = (f64x8)((i64x8)(weight - LOAD(weights + i)) & magnitude);
    const f64x8 width = (f64x8)SELECT((i64x8)(apart > 0), apart, (f64x8){0} + 1);
    const f64x8 value = LOAD(before + i) - d * d / width;
    const i64x8 less = (i64x8)(value < lows);
    lows = (f64x8)SELECT(less, value, lows);
    places = SELECT(less, place, places);
  }
  double low = INFINITY;
  size_t at = 0;
  for (int lane = 0; lane < LANES; lane++)
    if (lows[lane] < low || (lows[lane] == low && (size_t)places[lane] < at)) {
      low = lows[lane];
      at = (size_t)places[lane];
    }
  for (; i < count; i++) {
    const double d = sum - sums[i], apart = fabs(weight - weights[i]);
    const double value = before[i] - d * d / (apart > 0 ? apart : 1);
    if (value < low) {
      low = value;
      at = i;
    }
  }
  *least = low;
  *first = at;
}

CSK_EVERY_LEVEL(csk_least_split,
                (const double *before, const double *sums, const double *weights, size_t count,
                 double sum, double weight, double *least, size_t *first),
                (before, sums, weights, count, sum, weight, least, first))
