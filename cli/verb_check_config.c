/* verb_check_config.c - mintmark check-config: is a configuration right? The daemon itself says. */
#include "cli/daemon_program.h"

static bool run(const struct args *args, struct fault *f)
{
  return daemon_program_run(args, "--check", NULL, f);
}

static const struct option options[] = {
    {"config", "FILE", "the configuration [" DEFAULT_CONFIG "]", 0},
    {"dir", "DIR", "folder that init made: its mintmark.conf", 0},
    {0},
};

static const char *const examples[] = {
    "Before the daemon is told to read its configuration again",
    "mintmark check-config --dir acme && systemctl reload mintmarkd",
    NULL,
};

const struct verb verb_check_config = {
    .name = "check-config",
    .summary = "say whether a configuration is right, and where it is not",
    .about = "Runs 'mintmarkd --check', and ends with its exit code: 0 when the configuration and "
             "the files that it names are right. Nothing is started or changed.",
    .options = options,
    .examples = examples,
    .run = run,
};
