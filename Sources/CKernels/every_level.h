// One body for all instruction levels. `CSK_EVERY_LEVEL(name, (parameters), (arguments))` defines the function `name`, which
// runs the always-inlined `name_body` compiled for the level in use: AVX-512, AVX2 with FMA, or what every machine has.
//
// A product and a sum in one expression become one fused multiply-add on both wide levels, so these have the same bits.
#pragma once

#include "include/kernel_level.h"

// Attributes of a function for AVX-512. Without the second one, vectors of 512 bits would be split into two of 256, and the sums
// that fill 32 registers would be spilled.
#define CSK_V4 target("arch=x86-64-v4"), min_vector_width(512)

#if defined(__x86_64__)
#define CSK_EVERY_LEVEL(name, parameters, arguments)                                              \
  __attribute__((CSK_V4)) static void name##_v4 parameters {                                      \
    name##_body arguments;                                                                        \
  }                                                                                               \
  __attribute__((target("arch=x86-64-v3"))) static void name##_v3 parameters {                    \
    name##_body arguments;                                                                        \
  }                                                                                               \
  static void name##_baseline parameters { name##_body arguments; }                               \
  void name parameters {                                                                          \
    switch (csk_level()) {                                                                        \
    case 0: name##_v4 arguments; break;                                                           \
    case 1: name##_v3 arguments; break;                                                           \
    default: name##_baseline arguments;                                                           \
    }                                                                                             \
  }
#else
#define CSK_EVERY_LEVEL(name, parameters, arguments) \
  void name parameters { name##_body arguments; }
#endif

// Runs `name_v4`, `name_v3` or `name_generic`: functions of a body that the including file includes once per level.
#if defined(__x86_64__)
#define CSK_RUN(name, ...)               \
  switch (csk_level()) {                 \
  case 0: name##_v4(__VA_ARGS__); break; \
  case 1: name##_v3(__VA_ARGS__); break; \
  default: name##_generic(__VA_ARGS__);  \
  }
#else
#define CSK_RUN(name, ...) name##_generic(__VA_ARGS__);
#endif
