// One translation per instruction level, chosen by the loader: AVX-512, AVX2+FMA, baseline. Elsewhere (arm64) the
// compiler's only level is used.
#pragma once
#if defined(__x86_64__) && defined(__linux__)
#define CSK_LEVELS \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CSK_LEVELS
#endif
