/* verb_restore.c - mintmark restore: a copy takes the place of the ledger, and the daemon is told
 * to go on with it. The first is done by the daemon's program, as nobody else knows what a ledger
 * is. */
#include "cli/daemon_program.h"
#include "cli/restore_accept.h"

static bool run(const struct args *args, struct fault *f)
{
  static const char *const of_accept[] = {"crl", "without-crl", "yes", "json"};
  bool accept = args_has(args, "accept");
  if (accept && args->n_operands > 0)
    return fault_set(f, BAD_USAGE, "give a FILE to restore, or --accept, not both");
  if (accept)
    return restore_accept(args, f);
  if (args->n_operands == 0)
    return fault_set(f, BAD_USAGE, "give the FILE to restore, or --accept once the daemon runs");
  for (size_t i = 0; i < ARRAY_LEN(of_accept); i++)
    if (args_has(args, of_accept[i]))
      return fault_set(f, BAD_USAGE, "--%s goes with --accept", of_accept[i]);
  return daemon_program_run(args, "--restore", args->operands[0], f);
}

static const struct option options[] = {
    {"config", "FILE", "of FILE: the configuration [" DEFAULT_CONFIG "], unless --dir is given", 0},
    {"accept", NULL, "tell the running daemon that what the copy lacks is lost", 0},
    {"crl", "FILE", "with --accept: a revocation list (DER) that the daemon does not have",
     OPTION_REPEATS},
    {"without-crl", NULL, "with --accept: go on although the newest list is not at hand", 0},
    {"yes", NULL, "with --accept: do not ask", 0},
    {"json", NULL, "with --accept: print the result as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "The disk was lost; last night's copy was not",
    "systemctl stop mintmarkd && mintmark restore /backup/mintmark-2026-11-24.db",
    "The daemon runs again, and says that 7 certificates are missing",
    "mintmark restore --accept --dir acme",
    NULL,
};

const struct verb verb_restore = {
    .name = "restore",
    .operands = "[FILE]",
    .min_operands = 0,
    .max_operands = 1,
    .summary = "put a copy of the ledger back in its place",
    .about =
        "FILE is a copy that mintmark backup made. It is looked at, and takes the place of the "
        "ledger of a daemon that does not run; the ledger that was there is kept beside it. "
        "Runs 'mintmarkd --restore', as the user that the ledger belongs to, or as root. A "
        "daemon whose ledger is an older copy signs nothing until --accept: it shows what is "
        "missing, takes in what the published lists revoke, and goes on.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
