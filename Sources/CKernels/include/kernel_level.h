#pragma once

/// Instruction levels of the kernels, best first. One is chosen on first use: the best that the machine can run, or the
/// one that the environment variable `CSILINK_KERNEL` names (`x86-64-v4`, `x86-64-v3`, `baseline`; `neon` on arm64).

#ifdef __cplusplus
extern "C" {
#endif

/// Levels compiled in.
long csk_level_count(void);
/// Name of a level.
const char *csk_level_name(long level);
/// Whether this machine, and its operating system, can run a level.
int csk_level_runs(long level);
/// The level in use.
long csk_level(void);
/// What libraries that look at the processor themselves find: "AVX2", "AVX" or "SSE2", or "NEON".
const char *csk_library_level(void);
/// 1 if `CSILINK_KERNEL` names a level that this machine cannot run, or none at all; the best level is then in use.
int csk_level_refused(void);

#ifdef __cplusplus
}
#endif
