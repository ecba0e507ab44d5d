/* key_holder.c - see key_holder.h. */
#include "lib/ca/key_holder.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/ca/key_child.h"

enum {
  WAIT_FIRST_MS = 200,
  WAIT_LAST_MS = 5000,
  HEALTHY_MS = 10000, /* a child that lived this long starts the waits anew */
  CONNECT_MS = 1000,
  AWAIT_MS = 15000, /* a passphrase takes its time */
  PARTING_MAX = 8
};

struct key_holder {
  char *socket_path;      /* NULL: a child */
  char *program, *config; /* config may be NULL */
  unsigned slots;
  _Atomic unsigned generation;
  pthread_mutex_t renewing; /* one renewal at a time */
  pthread_mutex_t lock;     /* for all that follows */
  struct key_child child;
  struct key_child parting[PARTING_MAX]; /* replaced, and not yet known to have ended */
  _Atomic unsigned n_parting;            /* read without the lock to see whether there are any */
  int64_t started_ms, wait_ms;
};

/* --- the child --- */

static bool is_due(struct key_holder *holder, int64_t now, struct fault *f)
{
  int64_t rest = holder->started_ms + holder->wait_ms - now;
  if (holder->started_ms == 0 || rest <= 0)
    return true;
  return fault_set(f, SIGNER_DOWN, "the key holder %s; it is started again in %d ms",
                   holder->child.pid == 0 ? holder->child.ending : "broke off", (int)rest);
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
  if (!is_due(holder, now, f))
    return false;
  key_child_kill(&holder->child);
  set_next_wait(holder, now);
  return key_child_start(&holder->child, holder->program, holder->config, f);
}

/* --- the next child --- */

static void reap_parting(struct key_holder *holder)
{
  for (unsigned i = 0; i < holder->n_parting;)
    if (key_child_ended(&holder->parting[i]))
      holder->parting[i] = holder->parting[--holder->n_parting];
    else
      i++;
}

static bool has_room_for_parting(struct key_holder *holder, struct fault *f)
{
  pthread_mutex_lock(&holder->lock);
  reap_parting(holder);
  bool has_room = holder->n_parting < PARTING_MAX;
  pthread_mutex_unlock(&holder->lock);
  return has_room ||
         fault_set(f, BUSY, "%d key holders of earlier configurations are still at work",
                   PARTING_MAX);
}

/* The one before keeps the connections that it has. */
static void replace_child(struct key_holder *holder, const struct key_child *next)
{
  pthread_mutex_lock(&holder->lock);
  key_child_close(&holder->child);
  if (!key_child_ended(&holder->child))
    holder->parting[holder->n_parting++] = holder->child;
  holder->child = *next;
  holder->started_ms = when_monotonic_ms();
  holder->wait_ms = WAIT_FIRST_MS;
  holder->generation++;
  pthread_mutex_unlock(&holder->lock);
}

static bool renew_child(struct key_holder *holder, struct fault *f)
{
  struct key_child next;
  key_child_init(&next, holder->slots);
  if (!has_room_for_parting(holder, f) ||
      !key_child_start(&next, holder->program, holder->config, f) ||
      !key_child_await(&next, AWAIT_MS, f))
    return false;
  replace_child(holder, &next);
  return true;
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
  if (slots == 0 || slots > KEY_CHILD_SLOTS_MAX)
    return fault_set(f, BAD_CONFIG, "a key holder has 1 to %d connections, not %u",
                     KEY_CHILD_SLOTS_MAX, slots);
  struct key_holder *holder = calloc(1, sizeof *holder);
  if (holder == NULL)
    return fault_no_memory(f);
  holder->slots = slots;
  pthread_mutex_init(&holder->renewing, NULL);
  pthread_mutex_init(&holder->lock, NULL);
  key_child_init(&holder->child, slots);
  if (!take_paths(holder, socket_path, program, config, f)) {
    key_holder_free(holder);
    return false;
  }
  *ret_holder = holder;
  return true;
}

bool key_holder_connect(struct key_holder *holder, unsigned slot, int *ret_fd,
                        unsigned *ret_generation, struct fault *f)
{
  if (slot >= holder->slots)
    return fault_set(f, INTERNAL, "the key holder has no slot %u", slot);
  if (holder->socket_path != NULL) {
    *ret_generation = holder->generation; /* before: at worst it is connected once more */
    return connect_to(holder->socket_path, ret_fd, f);
  }
  pthread_mutex_lock(&holder->lock);
  struct key_child *child = &holder->child;
  bool usable = !key_child_ended(child) && child->sockets[slot] >= 0;
  bool ok = usable || start_child(holder, f);
  if (ok) {
    *ret_fd = child->sockets[slot];
    *ret_generation = holder->generation;
    child->sockets[slot] = -1;
  }
  pthread_mutex_unlock(&holder->lock);
  return ok;
}

unsigned key_holder_generation(struct key_holder *holder)
{
  if (holder->n_parting > 0 && pthread_mutex_trylock(&holder->lock) == 0) {
    reap_parting(holder);
    pthread_mutex_unlock(&holder->lock);
  }
  return holder->generation;
}

bool key_holder_renew(struct key_holder *holder, struct fault *f)
{
  if (holder->socket_path != NULL) {
    holder->generation++;
    return true;
  }
  pthread_mutex_lock(&holder->renewing);
  bool ok = renew_child(holder, f);
  pthread_mutex_unlock(&holder->renewing);
  return ok;
}

void key_holder_free(struct key_holder *holder)
{
  if (holder == NULL)
    return;
  key_child_part(&holder->child);
  for (unsigned i = 0; i < holder->n_parting; i++)
    key_child_part(&holder->parting[i]);
  pthread_mutex_destroy(&holder->lock);
  pthread_mutex_destroy(&holder->renewing);
  free(holder->socket_path);
  free(holder->program);
  free(holder->config);
  free(holder);
}
