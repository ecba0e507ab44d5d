/* revoke.h - many revocations in a ledger that has rows: through the ledger's own code, in batches.
 * Threads: one. */
#pragma once
#include <stdint.h>

#include "lib/base/fault.h"

/* Revokes n certificates that are valid, the newest first, for all the reasons in turn. BAD_USAGE
 * when there are not so many. */
bool revoke_ledger(const char *path, uint64_t n, struct fault *f);
