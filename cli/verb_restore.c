/* verb_restore.c - mintmark restore: a copy takes the place of the ledger. The daemon's program
 * does it, as nobody else knows what a ledger is. */
#include "cli/daemon_program.h"

static bool run(const struct args *args, struct fault *f)
{
  return daemon_program_run(args, "--restore", args->operands[0], f);
}

static const struct option options[] = {
    {"config", "FILE", "the configuration [" DEFAULT_CONFIG "]", 0},
    {"dir", "DIR", "folder that init made: its mintmark.conf", 0},
    {0},
};

static const char *const examples[] = {
    "The disk was lost; last night's copy was not",
    "systemctl stop mintmarkd && mintmark restore /backup/mintmark-2026-11-24.db",
    NULL,
};

const struct verb verb_restore = {
    .name = "restore",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "put a copy of the ledger back in its place",
    .about =
        "FILE is a copy that mintmark backup made. It is looked at, and takes the place of the "
        "ledger of a daemon that does not run; the ledger that was there is kept beside it. "
        "Runs 'mintmarkd --restore', as the user that the ledger belongs to, or as root.",
    .options = options,
    .examples = examples,
    .run = run,
};
