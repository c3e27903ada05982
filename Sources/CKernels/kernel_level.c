#include "include/kernel_level.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
static const char *const names[] = {"x86-64-v4", "x86-64-v3", "baseline"};

int csk_level_runs(long level) {
  __builtin_cpu_init();
  switch (level) {
  case 0: return __builtin_cpu_supports("x86-64-v4");
  case 1: return __builtin_cpu_supports("x86-64-v3");
  default: return level == 2;
  }
}

const char *csk_library_level(void) {
  __builtin_cpu_init();
  if (csk_level_runs(1)) return "AVX2";
  return __builtin_cpu_supports("avx") ? "AVX" : "SSE2";
}
#else
static const char *const names[] = {"neon"};
const char *csk_library_level(void) { return "NEON"; }
int csk_level_runs(long level) { return level == 0; }
#endif

long csk_level_count(void) { return (long)(sizeof names / sizeof *names); }

const char *csk_level_name(long level) { return names[level]; }

static long best(void) {
  long level = 0;
  while (!csk_level_runs(level)) level++;
  return level;
}

// The level that the environment names, -1 if there is no such level here, -2 if it names none.
static long wanted(void) {
  const char *name = getenv("CSILINK_KERNEL");
  if (!name || !*name) return -2;
  for (long level = 0; level < csk_level_count(); level++)
    if (!strcmp(name, names[level]) && csk_level_runs(level)) return level;
  return -1;
}

int csk_level_refused(void) { return wanted() == -1; }

long csk_level(void) {
  static _Atomic long chosen = -1;
  long level = atomic_load_explicit(&chosen, memory_order_relaxed);
  if (level < 0) {
    level = wanted();
    if (level < 0) level = best();
    atomic_store_explicit(&chosen, level, memory_order_relaxed);
  }
  return level;
}
