/* fill.h - rows for a ledger that is to be large: through the ledger's own code, in batches as the
 * daemon writes them, with certificates that are well formed and as long as real ones (their keys
 * and signatures are random octets). Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fault.h"

/* Adds n rows, issued at equal distances, the last one now. */
bool fill_ledger(const char *path, uint64_t n, struct fault *f);
/* How many rows there are. */
bool fill_count(const char *path, uint64_t *ret_rows, struct fault *f);
