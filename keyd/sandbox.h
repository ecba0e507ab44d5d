/* sandbox.h - what the process gives up, in the order in which it can.
 * Called by the main thread alone. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/fault.h"

/* First of all, before any secret is read: no new privileges, no core dump, no ptrace by our own
 * user, a tight umask, and no inherited descriptor but standard input, output, error and `keep`
 * (ascending). */
bool sandbox_prepare(const int *keep, size_t n, struct fault *f);
/* With the keys in memory: keeps it out of swap where the limits allow, and bounds descriptors. */
void sandbox_lock_memory(void);
/* With all threads made and all files open: from here on no thread can open, connect, start a
 * program, or map code; whoever tries ends the process. */
bool sandbox_enter(struct fault *f);
