// AVX-512 (x86-64-v4): 32 registers of 16 lanes.
#if defined(__x86_64__)
#include "every_level.h"

#pragma clang attribute push(__attribute__((CSK_V4)), apply_to = function)
#define LEVEL_TABLE kernels_x86_v4
#define LEVEL_NAME "x86-64-v4"
#define LANES 16
#define WIDE(C) 2
#define FLAT(C) WIDE(C)
#define FACTORS_FIRST(C, N) 0
#define MAX_BLOCK 8
#define PREFERRED_BLOCK 4
#define ROWS(C) ((C) == 1 ? 8 : (C) == 2 ? 4 : (C) <= 5 ? 2 : 1)
#define FILTER_WIDE(C) 2
#define FILTER_AT_ONCE(C) ((C) == 1 ? 6 : (C) == 2 ? 3 : (C) == 3 ? 2 : 1)
#define WEIGHT_CHANNELS 8
#define WEIGHT_MAX_TAPS 12
#define WEIGHT_TAPS(C) \
  ((C) == 1 ? 12 : (C) == 2 ? 9 : (C) == 3 ? 7 : (C) == 4 ? 5 : (C) == 5 ? 4 : 3)
#define OUTER_TAPS 12
#define WEIGHT_TILES(X) \
  X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(1, 7) X(1, 8) X(1, 9) X(1, 10) X(1, 11) \
  X(1, 12) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(2, 6) X(2, 7) X(2, 8) X(2, 9) X(3, 1) \
  X(3, 2) X(3, 3) X(3, 4) X(3, 5) X(3, 6) X(3, 7) X(4, 1) X(4, 2) X(4, 3) X(4, 4) X(4, 5) \
  X(5, 1) X(5, 2) X(5, 3) X(5, 4) X(6, 1) X(6, 2) X(6, 3) X(7, 1) X(7, 2) X(7, 3) X(8, 1) \
  X(8, 2) X(8, 3)
#include "conv_level.h"
#pragma clang attribute pop
#else
typedef int conv_x86_v4_is_empty;
#endif
