#include "include/conv_kernels.h"

#include <stddef.h>

#if defined(__x86_64__)
extern const kernel_table kernels_x86_v4, kernels_x86_v3;
#endif
extern const kernel_table kernels_generic;

#if defined(__x86_64__)
// What the levels need, and that the operating system saves the wide registers (which the
// compiler's run-time library checks).
static int runs(long level) {
  __builtin_cpu_init();
  switch (level) {
  case 0: return __builtin_cpu_supports("x86-64-v4");
  case 1: return __builtin_cpu_supports("x86-64-v3");
  default: return 1;
  }
}
static const kernel_table *const levels[] = {&kernels_x86_v4, &kernels_x86_v3, &kernels_generic};
#else
static int runs(long level) { return 1; }
static const kernel_table *const levels[] = {&kernels_generic};
#endif

long kernel_level_count(void) { return (long)(sizeof levels / sizeof *levels); }

const kernel_table *kernels_at(long level) {
  if (level < 0 || level >= kernel_level_count() || !runs(level)) return NULL;
  return levels[level];
}

const kernel_table *kernels(void) {
  for (long level = 0; level < kernel_level_count(); level++)
    if (kernels_at(level)) return levels[level];
  return &kernels_generic;
}
