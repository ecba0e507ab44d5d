/* after.c - see after.h. */
#include "cli/after.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/file.h"

static const char *mark(const char *cert, struct buf *out)
{
  buf_addf(out, "%s.after", cert);
  return buf_text(out);
}

static bool is_none(const char *command)
{
  return command == NULL || command[0] == '\0';
}

bool after_owe(const char *cert, const char *command, struct fault *f)
{
  AUTO(buf) name = {0};
  return is_none(command) || file_write(mark(cert, &name), bytes_of_text(""), 0600, true, f);
}

/* The wait status, or -1. */
static int run(const char *command)
{
  char *const arguments[] = {"sh", "-c", (char *)(uintptr_t)command, NULL};
  posix_spawnattr_t attributes;
  sigset_t none;
  pid_t pid;
  int status = -1;
  if (posix_spawnattr_init(&attributes) != 0)
    return -1;
  sigemptyset(&none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigmask(&attributes, &none);
  if (posix_spawn(&pid, "/bin/sh", NULL, &attributes, arguments, environ) == 0)
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
      ;
  posix_spawnattr_destroy(&attributes);
  return status;
}

bool after_run(const char *cert, const char *command, struct fault *f)
{
  AUTO(buf) name = {0};
  if (is_none(command) || !file_exists(mark(cert, &name)))
    return true;
  int status = run(command);
  if (status == -1 || !WIFEXITED(status))
    return fault_set(f, BAD_FILE, "'%s' did not come to its end", command);
  if (WEXITSTATUS(status) != 0)
    return fault_set(f, BAD_FILE, "'%s' failed with exit code %d", command, WEXITSTATUS(status));
  unlink(buf_text(&name));
  return true;
}
