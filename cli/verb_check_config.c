/* verb_check_config.c - mintmark check-config: is a configuration right? The daemon itself says. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/args.h"
#include "lib/base/file.h"

#define DEFAULT_CONFIG SYSCONFDIR "/mintmark/mintmark.conf"

static bool run_daemon(const char *config, struct fault *f)
{
  char *program = file_find_program("mintmarkd", SBINDIR);
  if (program == NULL)
    return fault_no_memory(f);
  fflush(stdout);
  execl(program, "mintmarkd", "--check", "--config", config, (char *)NULL);
  fault_set(f, FILE_ERROR, "cannot run %s: %m", program);
  free(program);
  return false;
}

static bool run(const struct args *args, struct fault *f)
{
  const char *config = args_get(args, "config"), *dir = args_get(args, "dir");
  char *in_dir = NULL;
  if (config != NULL && dir != NULL)
    return fault_set(f, BAD_USAGE, "give --config or --dir, not both");
  if (dir != NULL && asprintf(&in_dir, "%s/mintmark.conf", dir) < 0)
    return fault_no_memory(f);
  if (dir != NULL)
    config = in_dir;
  bool done = run_daemon(config != NULL ? config : DEFAULT_CONFIG, f);
  free(in_dir);
  return done;
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
