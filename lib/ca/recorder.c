/* recorder.c - see recorder.h. */
#include "lib/ca/recorder.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/thread.h"
#include "lib/base/when.h"
#include "lib/ca/denials.h"

enum { GATHERED_MAX = 256 };

struct gathered {
  struct event events[GATHERED_MAX];
  size_t n;
};

struct recorder {
  struct ledger *ledger;
  pthread_t thread;
  pthread_mutex_t lock; /* for all that follows but `writing` */
  pthread_cond_t changed;
  bool stopping;
  int64_t n_lost;
  struct denials denials;
  struct gathered *gathered;
  struct gathered *writing; /* the thread's own */
};

/* With the lock held. */
static void gather(const struct event *event, void *context)
{
  struct recorder *recorder = context;
  struct gathered *gathered = recorder->gathered;
  if (gathered->n == GATHERED_MAX) {
    recorder->n_lost++;
    return;
  }
  struct event *kept = &gathered->events[gathered->n++];
  *kept = *event;
  if (kept->at_ms == 0)
    kept->at_ms = when_now_ms();
  pthread_cond_signal(&recorder->changed);
}

void recorder_note(struct recorder *recorder, const struct event *event)
{
  int64_t now_ms = when_monotonic_ms();
  if (recorder == NULL)
    return;
  pthread_mutex_lock(&recorder->lock);
  denials_tell(&recorder->denials, now_ms, gather, recorder);
  if (event->kind != EVENT_DENIED || denials_admit(&recorder->denials, event, now_ms))
    gather(event, recorder);
  pthread_mutex_unlock(&recorder->lock);
}

/* --- the thread --- */

static bool write_all(struct recorder *recorder, int64_t n_lost, struct fault *f)
{
  struct ledger_batch *batch;
  const struct event lost = {.kind = EVENT_LOST, .count = n_lost};
  if (!ledger_begin(recorder->ledger, &batch, f))
    return false;
  bool added = n_lost == 0 || ledger_add_event(batch, &lost, f);
  for (size_t i = 0; i < recorder->writing->n && added; i++)
    added = ledger_add_event(batch, &recorder->writing->events[i], f);
  if (added)
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

/* With the lock held, and again when it returns. */
static void write_gathered(struct recorder *recorder)
{
  AUTO(fault) f = {0};
  struct gathered *empty = recorder->writing;
  int64_t n_lost = recorder->n_lost;
  recorder->writing = recorder->gathered;
  recorder->gathered = empty;
  recorder->n_lost = 0;
  pthread_mutex_unlock(&recorder->lock);
  /* A ledger that cannot be written is a matter of the probes, who say so. */
  bool written = write_all(recorder, n_lost, &f);
  size_t n = recorder->writing->n;
  recorder->writing->n = 0;
  pthread_mutex_lock(&recorder->lock);
  if (!written)
    recorder->n_lost += n_lost + (int64_t)n;
}

/* Until there is something to write; now and then, to see whether there is something to tell: a
 * flood must not wake the thread with everyone that is only counted. With the lock held. */
static void wait_for_change(struct recorder *recorder)
{
  int64_t due_ms = denials_due_ms(&recorder->denials);
  int64_t at_ms = when_monotonic_ms() + DENIALS_WINDOW_MS;
  if (due_ms < at_ms)
    at_ms = due_ms;
  struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
  pthread_cond_timedwait(&recorder->changed, &recorder->lock, &at);
}

static void *run(void *context)
{
  struct recorder *recorder = context;
  pthread_mutex_lock(&recorder->lock);
  for (;;) {
    bool stopping = recorder->stopping;
    denials_tell(&recorder->denials, stopping ? INT64_MAX : when_monotonic_ms(), gather, recorder);
    if (recorder->gathered->n > 0)
      write_gathered(recorder);
    else if (stopping)
      break;
    else
      wait_for_change(recorder);
  }
  if (recorder->n_lost > 0)
    write_gathered(recorder);
  pthread_mutex_unlock(&recorder->lock);
  return NULL;
}

/* --- its life --- */

static void recorder_free(struct recorder *recorder)
{
  pthread_cond_destroy(&recorder->changed);
  pthread_mutex_destroy(&recorder->lock);
  free(recorder->gathered);
  free(recorder->writing);
  free(recorder);
}

static void init_lock(struct recorder *recorder)
{
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&recorder->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&recorder->lock, NULL);
}

bool recorder_start(struct ledger *ledger, struct recorder **ret_recorder, struct fault *f)
{
  struct recorder *recorder = calloc(1, sizeof *recorder);
  if (recorder == NULL)
    return fault_no_memory(f);
  init_lock(recorder);
  recorder->ledger = ledger;
  recorder->gathered = calloc(1, sizeof *recorder->gathered);
  recorder->writing = calloc(1, sizeof *recorder->writing);
  bool allocated = recorder->gathered != NULL && recorder->writing != NULL;
  if (!allocated || !thread_start(&recorder->thread, run, recorder)) {
    recorder_free(recorder);
    return allocated ? fault_set(f, INTERNAL, "cannot start the thread that records events")
                     : fault_no_memory(f);
  }
  *ret_recorder = recorder;
  return true;
}

void recorder_stop(struct recorder *recorder)
{
  if (recorder == NULL)
    return;
  pthread_mutex_lock(&recorder->lock);
  recorder->stopping = true;
  pthread_cond_signal(&recorder->changed);
  pthread_mutex_unlock(&recorder->lock);
  pthread_join(recorder->thread, NULL);
  recorder_free(recorder);
}
