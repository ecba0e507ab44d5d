/* daemon_program.c - see daemon_program.h. */
#include "cli/daemon_program.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"

static bool run(const char *config, const char *option, const char *value, struct fault *f)
{
  char *program = file_find_program("mintmarkd", SBINDIR);
  if (program == NULL)
    return fault_no_memory(f);
  fflush(stdout);
  const char *const arguments[] = {"mintmarkd", "--config", config, option, value, NULL};
  execv(program, (char *const *)(uintptr_t)arguments);
  fault_set(f, FILE_ERROR, "cannot run %s: %m", program);
  free(program);
  return false;
}

bool daemon_program_run(const struct args *args, const char *option, const char *value,
                        struct fault *f)
{
  const char *config = args_get(args, "config"), *dir = args_get(args, "dir");
  char *in_dir = NULL;
  if (config != NULL && dir != NULL)
    return fault_set(f, BAD_USAGE, "give --config or --dir, not both");
  if (dir != NULL && asprintf(&in_dir, "%s/mintmark.conf", dir) < 0)
    return fault_no_memory(f);
  if (dir != NULL)
    config = in_dir;
  bool done = run(config != NULL ? config : DEFAULT_CONFIG, option, value, f);
  free(in_dir);
  return done;
}
