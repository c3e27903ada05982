#include "include/conv_kernels.h"
#include "include/kernel_level.h"

#include <stddef.h>

#if defined(__x86_64__)
extern const kernel_table kernels_x86_v4, kernels_x86_v3;
#endif
extern const kernel_table kernels_generic;

#if defined(__x86_64__)
static const kernel_table *const levels[] = {&kernels_x86_v4, &kernels_x86_v3, &kernels_generic};
#else
static const kernel_table *const levels[] = {&kernels_generic};
#endif

const kernel_table *kernels_at(long level) {
  return level >= 0 && level < csk_level_count() && csk_level_runs(level) ? levels[level] : NULL;
}

const kernel_table *kernels(void) { return levels[csk_level()]; }
