/* restore.h - mintmarkd --restore: a copy takes the place of the ledger, while no daemon runs.
 * Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdio.h>

#include "lib/base/fault.h"
#include "lib/ca/conf.h"

/* Restores and says in `to` what there is now. Faults: those of ledger_restore(). */
bool restore_ledger(const struct conf *conf, const char *file, FILE *to, struct fault *f);
