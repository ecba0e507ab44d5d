/* key_holder.c - see key_holder.h. */
#include "lib/ca/key_holder.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/when.h"

enum {
  WAIT_FIRST_MS = 200,
  WAIT_LAST_MS = 5000,
  HEALTHY_MS = 10000, /* a child that lived this long starts the waits anew */
  CONNECT_MS = 1000,
  FAREWELL_MS = 2000,
  SLOTS_MAX = 64 /* what one key holder serves */
};

struct key_holder {
  char *socket_path;      /* NULL: a child */
  char *program, *config; /* config may be NULL */
  unsigned slots;
  pthread_mutex_t lock;   /* for all that follows */
  pid_t pid;              /* 0: no child */
  int sockets[SLOTS_MAX]; /* our ends; -1: handed out, or none */
  int64_t started_ms, wait_ms;
  char ending[64]; /* how the last child ended */
};

/* --- the child --- */

static void close_sockets(int *sockets, unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    if (sockets[i] >= 0)
      close(sockets[i]);
    sockets[i] = -1;
  }
}

/* Takes note of how the child ended, if it did. `flags` as for waitpid. */
static bool child_ended(struct key_holder *holder, int flags)
{
  int status = 0;
  pid_t pid;
  if (holder->pid == 0)
    return true;
  do {
    pid = waitpid(holder->pid, &status, flags);
  } while (pid < 0 && errno == EINTR);
  if (pid == 0)
    return false;
  if (pid < 0) /* somebody else took note of it */
    snprintf(holder->ending, sizeof holder->ending, "ended");
  else if (WIFSIGNALED(status))
    snprintf(holder->ending, sizeof holder->ending, "was ended by signal %d", WTERMSIG(status));
  else
    snprintf(holder->ending, sizeof holder->ending, "ended with exit code %d", WEXITSTATUS(status));
  holder->pid = 0;
  return true;
}

static void end_child(struct key_holder *holder)
{
  close_sockets(holder->sockets, holder->slots);
  if (child_ended(holder, WNOHANG))
    return;
  kill(holder->pid, SIGKILL);
  child_ended(holder, 0);
}

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

static int spawn_with(struct key_holder *holder, const int *fds, char *const *arguments,
                      char *const *environment)
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
      error = inherit(&actions, fds, holder->slots);
    if (error == 0)
      error =
          posix_spawn(&holder->pid, holder->program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

/* `fds`: the child's ends of the sockets. */
static int spawn_child(struct key_holder *holder, const int *fds)
{
  AUTO(buf) list = {0};
  for (unsigned i = 0; i < holder->slots; i++)
    buf_addf(&list, i == 0 ? "%d" : ",%d", fds[i]);
  char **environment = child_environment();
  const char *numbers = buf_text(&list);
  if (environment == NULL || !buf_ok(&list)) {
    free(environment);
    return ENOMEM;
  }
  const char *arguments[] = {holder->program, "--fds",
                             numbers,         holder->config != NULL ? "--config" : NULL,
                             holder->config,  NULL};
  int error = spawn_with(holder, fds, (char *const *)(uintptr_t)arguments, environment);
  free(environment);
  return error;
}

static bool make_pairs(struct key_holder *holder, int *ret_fds, struct fault *f)
{
  for (unsigned i = 0; i < holder->slots; i++) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
      return fault_set(f, SIGNER_DOWN, "no socket for the key holder: %s", strerror(errno));
    holder->sockets[i] = pair[0];
    ret_fds[i] = pair[1];
  }
  return true;
}

static bool is_due(struct key_holder *holder, int64_t now, struct fault *f)
{
  int64_t rest = holder->started_ms + holder->wait_ms - now;
  if (holder->started_ms == 0 || rest <= 0)
    return true;
  return fault_set(f, SIGNER_DOWN, "the key holder %s; it is started again in %d ms",
                   holder->pid == 0 ? holder->ending : "broke off", (int)rest);
}

static void set_next_wait(struct key_holder *holder, int64_t now)
{
  bool anew = holder->started_ms == 0 || now - holder->started_ms >= HEALTHY_MS;
  int64_t doubled = holder->wait_ms * 2 < WAIT_LAST_MS ? holder->wait_ms * 2 : WAIT_LAST_MS;
  holder->wait_ms = anew ? WAIT_FIRST_MS : doubled;
  holder->started_ms = now;
}

/* A child that still lives although a slot's socket broke is of no more use: it hangs, or does not
 * understand us. All slots get sockets of the new one. */
static bool start_child(struct key_holder *holder, struct fault *f)
{
  int64_t now = when_monotonic_ms();
  int fds[SLOTS_MAX];
  if (!is_due(holder, now, f))
    return false;
  end_child(holder);
  set_next_wait(holder, now);
  memset(fds, -1, sizeof fds);
  bool ok = make_pairs(holder, fds, f);
  int error = ok ? spawn_child(holder, fds) : 0;
  close_sockets(fds, holder->slots);
  if (error != 0) {
    holder->pid = 0;
    snprintf(holder->ending, sizeof holder->ending, "could not be started");
    ok = fault_set(f, SIGNER_DOWN, "cannot start %s: %s", holder->program, strerror(error));
  }
  if (!ok)
    close_sockets(holder->sockets, holder->slots);
  return ok;
}

/* --- the socket of its own unit --- */

static bool connect_to(const char *path, int *ret_fd, struct fault *f)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval limit = {.tv_sec = CONNECT_MS / 1000, .tv_usec = CONNECT_MS % 1000 * 1000};
  memcpy(address.sun_path, path, strlen(path));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  /* The limit holds for connect() too: a full backlog must not hang a worker. */
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
      connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
    *ret_fd = fd;
    return true;
  }
  fault_set(f, SIGNER_DOWN, "cannot connect to the key holder at %s: %s", path, strerror(errno));
  if (fd >= 0)
    close(fd);
  return false;
}

/* --- both --- */

static bool take_paths(struct key_holder *holder, const char *socket_path, const char *program,
                       const char *config, struct fault *f)
{
  if (socket_path != NULL) {
    if (strlen(socket_path) >= sizeof((struct sockaddr_un *)0)->sun_path)
      return fault_set(f, BAD_CONFIG, "the key holder's socket path is too long: %s", socket_path);
    holder->socket_path = strdup(socket_path);
    return holder->socket_path != NULL || fault_no_memory(f);
  }
  holder->program = file_find_program(program, SBINDIR);
  holder->config = config != NULL ? strdup(config) : NULL;
  if (holder->program == NULL || (config != NULL && holder->config == NULL))
    return fault_no_memory(f);
  if (access(holder->program, X_OK) != 0)
    return fault_set(f, FILE_ERROR, "cannot run %s as the key holder: %s", holder->program,
                     strerror(errno));
  return true;
}

bool key_holder_new(const char *socket_path, const char *program, const char *config,
                    unsigned slots, struct key_holder **ret_holder, struct fault *f)
{
  if (slots == 0 || slots > SLOTS_MAX)
    return fault_set(f, BAD_CONFIG, "a key holder has 1 to %d connections, not %u", SLOTS_MAX,
                     slots);
  struct key_holder *holder = calloc(1, sizeof *holder);
  if (holder == NULL)
    return fault_no_memory(f);
  holder->slots = slots;
  pthread_mutex_init(&holder->lock, NULL);
  memset(holder->sockets, -1, sizeof holder->sockets);
  if (!take_paths(holder, socket_path, program, config, f)) {
    key_holder_free(holder);
    return false;
  }
  *ret_holder = holder;
  return true;
}

bool key_holder_connect(struct key_holder *holder, unsigned slot, int *ret_fd, struct fault *f)
{
  if (slot >= holder->slots)
    return fault_set(f, INTERNAL, "the key holder has no slot %u", slot);
  if (holder->socket_path != NULL)
    return connect_to(holder->socket_path, ret_fd, f);
  pthread_mutex_lock(&holder->lock);
  bool usable = !child_ended(holder, WNOHANG) && holder->sockets[slot] >= 0;
  bool ok = usable || start_child(holder, f);
  if (ok) {
    *ret_fd = holder->sockets[slot];
    holder->sockets[slot] = -1;
  }
  pthread_mutex_unlock(&holder->lock);
  return ok;
}

/* SIGTERM, some time to wipe the keys, SIGKILL. */
static void part_with_child(struct key_holder *holder)
{
  if (child_ended(holder, WNOHANG))
    return;
  kill(holder->pid, SIGTERM);
  int pidfd = pidfd_open(holder->pid, 0);
  if (pidfd >= 0) {
    struct pollfd end = {.fd = pidfd, .events = POLLIN};
    poll(&end, 1, FAREWELL_MS);
    close(pidfd);
  }
  end_child(holder);
}

void key_holder_free(struct key_holder *holder)
{
  if (holder == NULL)
    return;
  close_sockets(holder->sockets, holder->slots);
  part_with_child(holder);
  pthread_mutex_destroy(&holder->lock);
  free(holder->socket_path);
  free(holder->program);
  free(holder->config);
  free(holder);
}
