// The level every machine has: 4 lanes, which is SSE2 on x86-64 and NEON on arm64.
#define LEVEL_TABLE kernels_generic
#if defined(__aarch64__)
#define LEVEL_NAME "neon"
#define ROWS(C) ((C) == 1 ? 4 : (C) == 2 ? 2 : 1)
#else
#define LEVEL_NAME "baseline"
#define ROWS(C) ((C) == 1 ? 2 : 1)
#endif
#define LANES 4
#define WIDE(C) ((C) == 4 ? 2 : 4)
#define FLAT(C) WIDE(C)
#define FACTORS_FIRST(C, N) 0
#define MAX_BLOCK 4
#define PREFERRED_BLOCK 3
#define FILTER_WIDE(C) ((C) == 4 ? 2 : 4)
#define FILTER_AT_ONCE(C) ((C) == 1 ? 2 : 1)
#define WEIGHT_CHANNELS 4
#define WEIGHT_MAX_TAPS 9
#define WEIGHT_TAPS(C) ((C) == 1 ? 9 : (C) == 2 ? 5 : (C) == 3 ? 3 : 2)
#define OUTER_TAPS 4
#define WEIGHT_TILES(X) \
  X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(1, 7) X(1, 8) X(1, 9) X(2, 1) X(2, 2) \
  X(2, 3) X(2, 4) X(2, 5) X(3, 1) X(3, 2) X(3, 3) X(4, 1) X(4, 2)
#include "conv_level.h"
