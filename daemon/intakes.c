/* intakes.c - all batches that come in, and the thread that ends them. See intakes.h. */
#include "daemon/intakes.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/batch_form.h"
#include "daemon/intake.h"
#include "lib/base/log.h"
#include "lib/base/when.h"

void intakes_wake(struct intakes *all)
{
  all->woken = true;
  pthread_cond_signal(&all->changed);
}

/* --- the list --- */

bool intakes_reserve(struct intakes *all, struct fault *f)
{
  pthread_mutex_lock(&all->lock);
  bool stopping = all->quitting, full = all->n == INTAKES_MAX;
  all->n += !stopping && !full;
  pthread_mutex_unlock(&all->lock);
  if (stopping)
    return fault_set(f, STOPPING, "the daemon is stopping: ask again in a moment");
  return !full || fault_set(f, BUSY, "%d batches come in already", INTAKES_MAX);
}

void intakes_unreserve(struct intakes *all)
{
  pthread_mutex_lock(&all->lock);
  all->n--;
  pthread_mutex_unlock(&all->lock);
}

void intakes_add(struct intake *intake)
{
  struct intakes *all = intake->all;
  pthread_mutex_lock(&all->lock);
  intake->next = all->first;
  all->first = intake;
  intakes_wake(all);
  pthread_mutex_unlock(&all->lock);
}

/* With the lock held; the thread. */
static void take_out(struct intakes *all, struct intake *intake)
{
  struct intake **at = &all->first;
  while (*at != intake)
    at = &(*at)->next;
  *at = intake->next;
  all->n--;
}

/* --- the end of one; by the thread alone, from when it is over --- */

static void reply(struct intake *intake, struct fault *f)
{
  struct exchange *x = intake->x;
  if (intake->given_up)
    fault_set_code(f, intake->fault.code, "%s", intake->fault.detail);
  if (f->code != FAULT_NONE || !batch_results_start(intake->service, intake->id, &x->reply, f)) {
    exchange_fail(x, f);
    return;
  }
  snprintf(x->reply.location, sizeof x->reply.location, "/v1/batches/%s", intake->name);
}

static void say(const struct intake *intake, bool cut_off, const struct fault *f)
{
  if (f->code != FAULT_NONE)
    log_say(LOG_LEVEL_ERROR, "the end of a batch cannot be written",
            LOG_TEXT("batch", intake->name), LOG_TEXT("code", fault_problem_code(f->code)),
            LOG_TEXT("detail", f->detail));
  else
    log_say(LOG_LEVEL_INFO, cut_off ? "a batch was cut off" : "a batch has ended",
            LOG_TEXT("batch", intake->name), LOG_NUMBER("last_line", intake->reader.number));
}

/* With the lock held, which it leaves meanwhile. */
static void end(struct intakes *all, struct intake *intake)
{
  AUTO(fault) f = {0};
  struct exchange *x = intake->x;
  bool cut_off = !intake->whole || intake->given_up;
  pthread_mutex_unlock(&all->lock);
  ledger_end_batch(all->ledger, intake->id, cut_off, when_now(), &f);
  say(intake, cut_off, &f);
  if (x != NULL)
    reply(intake, &f);
  pthread_mutex_lock(&all->lock);
  take_out(all, intake);
  intake->ended = true;
  if (x == NULL) {
    intake_free(intake);
    return;
  }
  /* As soon as this is done it belongs to the front. */
  pthread_mutex_unlock(&all->lock);
  exchange_finish(x);
  pthread_mutex_lock(&all->lock);
}

/* --- the thread --- */

/* With the lock held, which it leaves meanwhile. Returns when to look again. */
static int64_t look_at(struct intakes *all, struct intake *intake)
{
  int64_t at_ms = intake_try_again(intake, when_monotonic_ms());
  if (all->quitting && intake->x != NULL && !intake->whole)
    exchange_cut(intake->x);
  struct exchange *x = intake_wake(intake);
  if (x != NULL) {
    pthread_mutex_unlock(&all->lock);
    exchange_go_on(x);
    pthread_mutex_lock(&all->lock);
  }
  if (intake_is_over(intake))
    end(all, intake);
  return at_ms;
}

/* Others come in front of the first, and nobody but this thread takes one out: so the next stays.
 */
static int64_t look_at_all(struct intakes *all)
{
  int64_t at_ms = INT64_MAX;
  for (struct intake *intake = all->first, *next; intake != NULL; intake = next) {
    next = intake->next;
    int64_t this_ms = look_at(all, intake);
    if (this_ms < at_ms)
      at_ms = this_ms;
  }
  return at_ms;
}

static void wait_until(struct intakes *all, int64_t at_ms)
{
  const struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
  if (all->woken)
    return;
  if (at_ms == INT64_MAX)
    pthread_cond_wait(&all->changed, &all->lock);
  else
    pthread_cond_timedwait(&all->changed, &all->lock, &at);
}

static void *run(void *context)
{
  struct intakes *all = context;
  pthread_mutex_lock(&all->lock);
  for (;;) {
    all->woken = false;
    int64_t at_ms = look_at_all(all);
    if (all->stopping && all->first == NULL)
      break;
    wait_until(all, at_ms);
  }
  pthread_mutex_unlock(&all->lock);
  return NULL;
}

/* --- its life --- */

static void init_lock(struct intakes *all)
{
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&all->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&all->lock, NULL);
}

static void free_all(struct intakes *all)
{
  pthread_cond_destroy(&all->changed);
  pthread_mutex_destroy(&all->lock);
  free(all);
}

/* Signals are for the daemon's own thread: this one has all of them blocked. */
static bool start_thread(struct intakes *all, struct fault *f)
{
  sigset_t every, before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  bool started = pthread_create(&all->thread, NULL, run, all) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started || fault_set(f, INTERNAL, "cannot start the thread for batches");
}

bool intakes_new(struct ledger *ledger, struct issuer *issuer, struct intakes **ret_intakes,
                 struct fault *f)
{
  if (!ledger_cut_off_batches(ledger, when_now(), f))
    return false;
  struct intakes *all = calloc(1, sizeof *all);
  if (all == NULL)
    return fault_no_memory(f);
  all->ledger = ledger;
  all->issuer = issuer;
  init_lock(all);
  if (!start_thread(all, f)) {
    free_all(all);
    return false;
  }
  *ret_intakes = all;
  return true;
}

void intakes_quit(struct intakes *all)
{
  if (all == NULL)
    return;
  pthread_mutex_lock(&all->lock);
  all->quitting = true;
  intakes_wake(all);
  pthread_mutex_unlock(&all->lock);
}

void intakes_free(struct intakes *all)
{
  if (all == NULL)
    return;
  pthread_mutex_lock(&all->lock);
  all->stopping = true;
  intakes_wake(all);
  pthread_mutex_unlock(&all->lock);
  pthread_join(all->thread, NULL);
  free_all(all);
}
