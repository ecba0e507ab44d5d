/* key_child.c - see key_child.h. */
#include "lib/ca/key_child.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/wire.h"
#include "lib/pki/sign_protocol.h"

enum { FAREWELL_MS = 2000 };

void key_child_init(struct key_child *child, unsigned slots)
{
  *child = (struct key_child){.slots = slots};
  memset(child->sockets, -1, sizeof child->sockets);
}

static void close_sockets(int *sockets, unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    if (sockets[i] >= 0)
      close(sockets[i]);
    sockets[i] = -1;
  }
}

/* --- starting --- */

/* What the service manager told us is not for the child. */
static bool is_ours_alone(const char *variable)
{
  static const char *const names[] = {"NOTIFY_SOCKET=", "WATCHDOG_", "LISTEN_"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (strncmp(variable, names[i], strlen(names[i])) == 0)
      return true;
  return false;
}

/* The array is the caller's, its texts are the environment's. */
static char **child_environment(void)
{
  size_t n = 0, kept = 0;
  while (environ[n] != NULL)
    n++;
  char **environment = calloc(n + 1, sizeof *environment);
  if (environment == NULL)
    return NULL;
  for (size_t i = 0; i < n; i++)
    if (!is_ours_alone(environ[i]))
      environment[kept++] = environ[i];
  return environment;
}

/* No signal blocked or ignored, and a process group of its own: a ^C at the terminal is for the
 * daemon, which drains with the key holder still at work. */
static int set_attributes(posix_spawnattr_t *attributes)
{
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  sigdelset(&all, SIGKILL);
  sigdelset(&all, SIGSTOP);
  int error = posix_spawnattr_setsigmask(attributes, &none);
  if (error == 0)
    error = posix_spawnattr_setsigdefault(attributes, &all);
  if (error == 0)
    error = posix_spawnattr_setpgroup(attributes, 0);
  if (error == 0)
    error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                     POSIX_SPAWN_SETPGROUP);
  return error;
}

/* A descriptor that is duplicated onto itself loses its close-on-exec, in the child alone. */
static int inherit(posix_spawn_file_actions_t *actions, const int *fds, unsigned n)
{
  int error = 0;
  for (unsigned i = 0; i < n && error == 0; i++)
    error = posix_spawn_file_actions_adddup2(actions, fds[i], fds[i]);
  return error;
}

static int spawn_with(struct key_child *child, const char *program, const int *fds,
                      char *const *arguments, char *const *environment)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int error = posix_spawn_file_actions_init(&actions);
  if (error != 0)
    return error;
  error = posix_spawnattr_init(&attributes);
  if (error == 0) {
    error = set_attributes(&attributes);
    if (error == 0)
      error = inherit(&actions, fds, child->slots);
    if (error == 0)
      error = posix_spawn(&child->pid, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* `fds`: the child's ends of the sockets. */
static int spawn(struct key_child *child, const char *program, const char *config, const int *fds)
{
  AUTO(buf) list = {0};
  for (unsigned i = 0; i < child->slots; i++)
    buf_addf(&list, i == 0 ? "%d" : ",%d", fds[i]);
  char **environment = child_environment();
  const char *numbers = buf_text(&list);
  if (environment == NULL || !buf_ok(&list)) {
    free(environment);
    return ENOMEM;
  }
  const char *arguments[] = {program, "--fds", numbers, config != NULL ? "--config" : NULL,
                             config,  NULL};
  int error = spawn_with(child, program, fds, (char *const *)(uintptr_t)arguments, environment);
  free(environment);
  return error;
}

static bool make_pairs(struct key_child *child, int *ret_fds, struct fault *f)
{
  for (unsigned i = 0; i < child->slots; i++) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
      return fault_set(f, SIGNER_DOWN, "no socket for the key holder: %s", strerror(errno));
    child->sockets[i] = pair[0];
    ret_fds[i] = pair[1];
  }
  return true;
}

bool key_child_start(struct key_child *child, const char *program, const char *config,
                     struct fault *f)
{
  int fds[KEY_CHILD_SLOTS_MAX];
  memset(fds, -1, sizeof fds);
  bool ok = make_pairs(child, fds, f);
  int error = ok ? spawn(child, program, config, fds) : 0;
  close_sockets(fds, child->slots);
  if (error != 0) {
    child->pid = 0;
    snprintf(child->ending, sizeof child->ending, "could not be started");
    ok = fault_set(f, SIGNER_DOWN, "cannot start %s: %s", program, strerror(error));
  }
  if (!ok)
    key_child_close(child);
  return ok;
}

/* --- ending --- */

/* `flags` as for waitpid. */
static bool reap(struct key_child *child, int flags)
{
  int status = 0;
  pid_t pid;
  if (child->pid == 0)
    return true;
  do {
    pid = waitpid(child->pid, &status, flags);
  } while (pid < 0 && errno == EINTR);
  if (pid == 0)
    return false;
  if (pid < 0) /* somebody else took note of it */
    snprintf(child->ending, sizeof child->ending, "ended");
  else if (WIFSIGNALED(status))
    snprintf(child->ending, sizeof child->ending, "was ended by signal %d", WTERMSIG(status));
  else
    snprintf(child->ending, sizeof child->ending, "ended with exit code %d", WEXITSTATUS(status));
  child->pid = 0;
  return true;
}

bool key_child_ended(struct key_child *child)
{
  return reap(child, WNOHANG);
}

void key_child_close(struct key_child *child)
{
  close_sockets(child->sockets, child->slots);
}

void key_child_kill(struct key_child *child)
{
  key_child_close(child);
  if (key_child_ended(child))
    return;
  kill(child->pid, SIGKILL);
  reap(child, 0);
}

/* Gives it some time to end. */
static void wait_and_kill(struct key_child *child)
{
  int pidfd = pidfd_open(child->pid, 0);
  if (pidfd >= 0) {
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    poll(&end, 1, FAREWELL_MS);
    close(pidfd);
  }
  key_child_kill(child);
}

void key_child_part(struct key_child *child)
{
  key_child_close(child);
  if (key_child_ended(child))
    return;
  kill(child->pid, SIGTERM);
  wait_and_kill(child);
}

/* --- does it serve? --- */

static enum wire_result say_hello(int fd, int timeout_ms)
{
  struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
  struct wire_header header;
  AUTO(buf) reply = {0};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
    return WIRE_BROKEN;
  enum wire_result result = wire_send(fd, HELLO_REQUEST, 0, (struct bytes){0});
  if (result == WIRE_OK)
    result = wire_receive(fd, SIGN_REPLY_MAX, &header, &reply);
  return result == WIRE_OK && header.type != HELLO_REPLY ? WIRE_BAD_FRAME : result;
}

bool key_child_await(struct key_child *child, int timeout_ms, struct fault *f)
{
  enum wire_result result = say_hello(child->sockets[0], timeout_ms);
  if (result == WIRE_OK)
    return true;
  /* One that could not start closes its sockets a moment before it has ended. */
  if (result == WIRE_TIMEOUT || result == WIRE_BAD_FRAME)
    key_child_kill(child);
  else
    wait_and_kill(child);
  return fault_set(f, SIGNER_DOWN, "the new key holder %s; its log says why",
                   result == WIRE_TIMEOUT ? "does not answer" : child->ending);
}
