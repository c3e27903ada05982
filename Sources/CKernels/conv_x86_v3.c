// AVX2 and FMA (x86-64-v3): 16 registers of 8 lanes.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define LEVEL_TABLE kernels_x86_v3
#define LEVEL_NAME "x86-64-v3"
#define LANES 8
#define WIDE(C) ((C) == 4 ? 1 : (C) == 2 ? 2 : 4)
#define FLAT(C) ((C) == 4 ? 2 : 4)
#define FACTORS_FIRST(C, N) ((C) < (N))
#define MAX_BLOCK 4
#define PREFERRED_BLOCK 3
#define ROWS(C) ((C) == 1 ? 2 : (C) == 4 ? 3 : (C) == 2 ? 3 : 1)
#define FILTER_WIDE(C) ((C) == 4 ? 2 : 4)
#define FILTER_AT_ONCE(C) ((C) == 1 ? 2 : 1)
#define WEIGHT_CHANNELS 4
#define WEIGHT_MAX_TAPS 9
#define WEIGHT_TAPS(C) ((C) == 1 ? 9 : (C) == 2 ? 6 : (C) == 3 ? 4 : 3)
#define OUTER_TAPS 6
#define WEIGHT_TILES(X) \
  X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(1, 7) X(1, 8) X(1, 9) X(2, 1) X(2, 2) \
  X(2, 3) X(2, 4) X(2, 5) X(2, 6) X(3, 1) X(3, 2) X(3, 3) X(3, 4) X(4, 1) X(4, 2) X(4, 3)
#include "conv_level.h"
#pragma clang attribute pop
#else
typedef int conv_x86_v3_is_empty;
#endif
