#pragma once
#include "include/hdf5_probe.h"

// Runs `body` in a child process under the limits and waits for it. The child calls `guarded_progress` often enough.
struct hdf5_finding guarded_run(
    void (*body)(const char *), const char *argument, int seconds, unsigned long long bytes);

// For the child: tells the parent that work goes on; that memory ran out, which ends the child.
void guarded_progress(void);
void guarded_exhausted(void);
