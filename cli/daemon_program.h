/* daemon_program.h - what only mintmarkd itself can do, such as looking into its ledger: it is run
 * in the place of this program. Threads: one. */
#pragma once
#include <stdbool.h>

#include "cli/args.h"

#define DEFAULT_CONFIG SYSCONFDIR "/mintmark/mintmark.conf"

/* Runs 'mintmarkd OPTION [VALUE] --config FILE', with the configuration that --config names, or
 * that stands in --dir, or the system's; its exit code is then ours. value may be NULL. Returns
 * only when it cannot be run: BAD_USAGE, FILE_ERROR, NO_MEMORY. */
bool daemon_program_run(const struct args *args, const char *option, const char *value,
                        struct fault *f);
