/* expiring.c - see expiring.h. */
#include "daemon/expiring.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/base/when.h"
#include "lib/ca/expiring.h"

/* A step writes for some milliseconds; the rest of the time is for those who issue. */
enum { LOOK_EVERY_MS = 3600 * 1000, STEP_PAUSE_MS = 25, RETRY_MS = 60 * 1000 };

struct expiry_watch {
  struct ledger *ledger;
  pthread_t thread;
  pthread_mutex_t lock; /* for all that follows */
  pthread_cond_t changed;
  int64_t expiring_s;
  bool look, stopping;
};

/* With the lock held; ends sooner when there is something to look at, or it is to stop. */
static void wait(struct expiry_watch *watch, int64_t ms)
{
  int64_t at_ms = when_monotonic_ms() + ms;
  struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
  while (!watch->look && !watch->stopping)
    if (pthread_cond_timedwait(&watch->changed, &watch->lock, &at) != 0)
      break;
}

/* A walk over all certificates, with the lock held between its steps; returns when to begin the
 * next one. */
static int64_t walk(struct expiry_watch *watch)
{
  AUTO(fault) f = {0};
  int64_t now = when_now(), until = now + watch->expiring_s, after_id = 0;
  size_t n_all = 0, n = 0;
  bool more = watch->expiring_s > 0, done = true;
  watch->look = false;
  while (more && done && !watch->look && !watch->stopping) {
    pthread_mutex_unlock(&watch->lock);
    done = ledger_announce_expiring(watch->ledger, now, until, &after_id, &n, &more, &f);
    pthread_mutex_lock(&watch->lock);
    if (!done)
      break;
    n_all += n;
    if (more && n > 0)
      wait(watch, STEP_PAUSE_MS);
  }
  if (n_all > 0)
    log_say(LOG_LEVEL_INFO, "certificates are about to expire: see the events of kind expiring",
            LOG_NUMBER("certificates", (int64_t)n_all));
  /* A ledger that cannot be used is a matter of the probes, who say so. */
  return done ? LOOK_EVERY_MS : RETRY_MS;
}

static void *run(void *context)
{
  struct expiry_watch *watch = context;
  pthread_mutex_lock(&watch->lock);
  while (!watch->stopping)
    wait(watch, walk(watch));
  pthread_mutex_unlock(&watch->lock);
  return NULL;
}

/* --- its life --- */

static void take_apart(struct expiry_watch *watch)
{
  pthread_cond_destroy(&watch->changed);
  pthread_mutex_destroy(&watch->lock);
  free(watch);
}

bool expiry_watch_start(struct ledger *ledger, int64_t expiring_s, struct expiry_watch **ret_watch,
                        struct fault *f)
{
  pthread_condattr_t monotonic;
  struct expiry_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL)
    return fault_no_memory(f);
  watch->ledger = ledger;
  watch->expiring_s = expiring_s;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&watch->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&watch->lock, NULL);
  if (!thread_start(&watch->thread, run, watch)) {
    take_apart(watch);
    return fault_set(f, INTERNAL, "the thread that looks for expiring certificates does not start");
  }
  *ret_watch = watch;
  return true;
}

void expiry_watch_reload(struct expiry_watch *watch, int64_t expiring_s)
{
  pthread_mutex_lock(&watch->lock);
  watch->expiring_s = expiring_s;
  watch->look = true;
  pthread_cond_broadcast(&watch->changed);
  pthread_mutex_unlock(&watch->lock);
}

void expiry_watch_stop(struct expiry_watch *watch)
{
  if (watch == NULL)
    return;
  pthread_mutex_lock(&watch->lock);
  watch->stopping = true;
  pthread_cond_broadcast(&watch->changed);
  pthread_mutex_unlock(&watch->lock);
  pthread_join(watch->thread, NULL);
  take_apart(watch);
}
