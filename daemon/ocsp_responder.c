/* ocsp_responder.c - see ocsp_responder.h. */
#include "daemon/ocsp_responder.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/log.h"
#include "lib/base/when.h"

enum { LOOK_MS = 60 * 1000, RETRY_MIN_MS = 1000, RETRY_MAX_MS = 60 * 1000, WAITERS_MAX = 1000 };

struct ocsp_responder {
  struct ocsp_responders *all;
  const struct authority *authority;
  struct ocsp_issuer_hashes hashes;
  /* Under the lock. */
  struct ocsp_credential *credential; /* NULL: none as yet */
  bool wanted;
  int64_t retry_at_ms;    /* on when_monotonic_ms(): not before */
  int64_t retry_after_ms; /* 0: it has not failed */
  struct ocsp_waiter *waiters;
  size_t n_waiters;
};

/* Like the authorities, responders are only added, and n is raised when one is whole. */
struct ocsp_responders {
  const struct authorities *authorities;
  struct issuer *issuer;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  bool runs, at_once, stopping;
  uint64_t n_made;
  struct ocsp_responder list[AUTHORITIES_MAX];
  atomic_size_t n;
};

/* --- which one --- */

/* With the lock held: those of authorities that were added since. */
static void take_new(struct ocsp_responders *all)
{
  size_t n = atomic_load(&all->n), n_authorities = authorities_n(all->authorities);
  for (; n < n_authorities; n++) {
    struct ocsp_responder *responder = &all->list[n];
    responder->all = all;
    responder->authority = authorities_at(all->authorities, n);
    responder->wanted = all->at_once;
    ocsp_issuer_hashes(&responder->authority->certificate, &responder->hashes);
    atomic_store(&all->n, n + 1);
  }
}

struct ocsp_responder *ocsp_responders_find(struct ocsp_responders *all,
                                            const struct ocsp_cert_id *id, int64_t now)
{
  if (atomic_load(&all->n) < authorities_n(all->authorities)) {
    pthread_mutex_lock(&all->lock);
    take_new(all);
    pthread_mutex_unlock(&all->lock);
  }
  size_t n = atomic_load(&all->n);
  for (size_t i = 0; i < n; i++)
    if (ocsp_issuer_is(&all->list[i].hashes, id))
      return now <= all->list[i].authority->certificate.not_after ? &all->list[i] : NULL;
  return NULL;
}

const struct authority *ocsp_responder_authority(const struct ocsp_responder *responder)
{
  return responder->authority;
}

/* --- asking --- */

static bool is_valid(const struct ocsp_credential *credential, int64_t now)
{
  return credential != NULL && now >= credential->not_before && now < credential->not_after;
}

/* After two thirds of its life. What ends with its issuer is not renewed: the next one would end
 * there, too. */
static int64_t renew_at(const struct ocsp_responder *responder)
{
  const struct ocsp_credential *credential = responder->credential;
  if (credential == NULL)
    return 0;
  if (credential->not_after >= responder->authority->certificate.not_after)
    return credential->not_after;
  return credential->not_after - (credential->not_after - credential->not_before) / 3;
}

static bool is_due(const struct ocsp_responder *responder, int64_t now)
{
  return !is_valid(responder->credential, now) || now >= renew_at(responder);
}

static bool may_try(const struct ocsp_responder *responder)
{
  return when_monotonic_ms() >= responder->retry_at_ms;
}

static bool may_wait(const struct ocsp_responder *responder)
{
  return may_try(responder) && responder->n_waiters < WAITERS_MAX && !responder->all->stopping;
}

static enum ocsp_readiness ask(struct ocsp_responder *responder, int64_t now,
                               struct ocsp_waiter *waiter, struct ocsp_credential **ret_credential)
{
  /* The thread looks by itself; but clocks are set, and sleep with the machine. */
  responder->wanted = true;
  if (is_due(responder, now) && may_try(responder))
    pthread_cond_signal(&responder->all->changed);
  if (is_valid(responder->credential, now)) {
    *ret_credential = ocsp_credential_hold(responder->credential);
    return OCSP_READY;
  }
  if (waiter == NULL || !may_wait(responder))
    return OCSP_NOT_NOW;
  waiter->next = responder->waiters;
  responder->waiters = waiter;
  responder->n_waiters++;
  return OCSP_COMING;
}

enum ocsp_readiness ocsp_responder_ask(struct ocsp_responder *responder, int64_t now,
                                       struct ocsp_waiter *waiter,
                                       struct ocsp_credential **ret_credential)
{
  pthread_mutex_lock(&responder->all->lock);
  enum ocsp_readiness readiness = ask(responder, now, waiter, ret_credential);
  pthread_mutex_unlock(&responder->all->lock);
  return readiness;
}

/* --- making --- */

/* With the lock held, which is let go while they are told. */
static void tell_waiters(struct ocsp_responder *responder)
{
  struct ocsp_waiter *waiter = responder->waiters;
  responder->waiters = NULL;
  responder->n_waiters = 0;
  pthread_mutex_unlock(&responder->all->lock);
  while (waiter != NULL) {
    struct ocsp_waiter *next = waiter->next; /* it may be gone when it was told */
    waiter->ready(waiter);
    waiter = next;
  }
  pthread_mutex_lock(&responder->all->lock);
}

static void note_success(struct ocsp_responder *responder, struct ocsp_credential *credential)
{
  char until[WHEN_TEXT_SIZE];
  ocsp_credential_release(responder->credential);
  responder->credential = credential;
  responder->retry_after_ms = 0;
  /* One that is due when it is new, because it is short-lived, is not made over and over. */
  responder->retry_at_ms = when_monotonic_ms() + RETRY_MIN_MS;
  when_text(until, credential->not_after);
  log_say(LOG_LEVEL_INFO, "an OCSP responder has a new certificate",
          LOG_TEXT("authority", responder->authority->name), LOG_TEXT("not_after", until));
}

static void note_failure(struct ocsp_responder *responder, const struct fault *f)
{
  int64_t after_ms = 2 * responder->retry_after_ms;
  if (after_ms < RETRY_MIN_MS)
    after_ms = RETRY_MIN_MS;
  responder->retry_after_ms = after_ms < RETRY_MAX_MS ? after_ms : RETRY_MAX_MS;
  responder->retry_at_ms = when_monotonic_ms() + responder->retry_after_ms;
  log_say(LOG_LEVEL_ERROR, "an OCSP responder gets no certificate",
          LOG_TEXT("authority", responder->authority->name),
          LOG_TEXT("code", fault_problem_code(f->code)), LOG_TEXT("detail", f->detail));
}

/* With the lock held, which is let go meanwhile. */
static void make(struct ocsp_responder *responder)
{
  struct ocsp_responders *all = responder->all;
  struct ocsp_credential *credential = NULL;
  AUTO(fault) f = {0};
  uint64_t number = ++all->n_made;
  pthread_mutex_unlock(&all->lock);
  bool made =
      ocsp_credential_make(responder->authority->name, all->issuer, number, &credential, &f);
  pthread_mutex_lock(&all->lock);
  if (made)
    note_success(responder, credential);
  else
    note_failure(responder, &f);
  tell_waiters(responder);
}

static bool is_to_be_kept_up(const struct ocsp_responder *responder, int64_t now)
{
  return responder->wanted && now <= responder->authority->certificate.not_after;
}

static void make_all(struct ocsp_responders *all)
{
  take_new(all);
  for (size_t i = 0; i < atomic_load(&all->n) && !all->stopping; i++)
    if (is_to_be_kept_up(&all->list[i], when_now()) && is_due(&all->list[i], when_now()) &&
        may_try(&all->list[i]))
      make(&all->list[i]);
}

/* --- when --- */

/* Milliseconds until the next look. */
static int64_t wait_ms(const struct ocsp_responders *all)
{
  enum { AT_LEAST_MS = 100 };
  int64_t least_ms = LOOK_MS, now = when_now(), now_ms = when_monotonic_ms();
  for (size_t i = 0; i < atomic_load(&all->n); i++) {
    const struct ocsp_responder *responder = &all->list[i];
    if (!is_to_be_kept_up(responder, now))
      continue;
    int64_t due_ms = (renew_at(responder) - now) * 1000, retry_ms = responder->retry_at_ms - now_ms;
    int64_t ms = due_ms > retry_ms ? due_ms : retry_ms;
    least_ms = ms < least_ms ? ms : least_ms;
  }
  return least_ms < AT_LEAST_MS ? AT_LEAST_MS : least_ms;
}

static void wait(struct ocsp_responders *all)
{
  struct timespec until;
  int64_t ms = wait_ms(all);
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += ms / 1000;
  until.tv_nsec += ms % 1000 * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_nsec -= 1000000000;
    until.tv_sec++;
  }
  pthread_cond_timedwait(&all->changed, &all->lock, &until);
}

static void *run(void *context)
{
  struct ocsp_responders *all = context;
  pthread_mutex_lock(&all->lock);
  for (make_all(all); !all->stopping; make_all(all))
    wait(all);
  for (size_t i = 0; i < atomic_load(&all->n); i++)
    tell_waiters(&all->list[i]);
  pthread_mutex_unlock(&all->lock);
  return NULL;
}

/* --- its life --- */

static void init(struct ocsp_responders *all)
{
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&all->changed, &attributes);
  pthread_condattr_destroy(&attributes);
  pthread_mutex_init(&all->lock, NULL);
}

/* Signals are for the daemon's main thread. */
static bool start_thread(struct ocsp_responders *all)
{
  sigset_t every, before;
  sigfillset(&every);
  pthread_sigmask(SIG_SETMASK, &every, &before);
  all->runs = pthread_create(&all->thread, NULL, run, all) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return all->runs;
}

bool ocsp_responders_start(const struct authorities *authorities, struct issuer *issuer,
                           bool at_once, struct ocsp_responders **ret_responders, struct fault *f)
{
  struct ocsp_responders *all = calloc(1, sizeof *all);
  if (all == NULL)
    return fault_no_memory(f);
  all->authorities = authorities;
  all->issuer = issuer;
  all->at_once = at_once;
  init(all);
  if (!start_thread(all)) {
    ocsp_responders_free(all);
    return fault_set(f, INTERNAL, "the thread of the OCSP responders does not start");
  }
  *ret_responders = all;
  return true;
}

void ocsp_responders_reload(struct ocsp_responders *all, bool at_once)
{
  pthread_mutex_lock(&all->lock);
  all->at_once = at_once;
  for (size_t i = 0; i < atomic_load(&all->n); i++)
    all->list[i].wanted |= at_once;
  pthread_cond_signal(&all->changed);
  pthread_mutex_unlock(&all->lock);
}

void ocsp_responders_stop(struct ocsp_responders *all)
{
  if (all == NULL || !all->runs)
    return;
  pthread_mutex_lock(&all->lock);
  all->stopping = true;
  pthread_cond_signal(&all->changed);
  pthread_mutex_unlock(&all->lock);
  pthread_join(all->thread, NULL);
  all->runs = false;
}

void ocsp_responders_free(struct ocsp_responders *all)
{
  if (all == NULL)
    return;
  ocsp_responders_stop(all);
  for (size_t i = 0; i < atomic_load(&all->n); i++)
    ocsp_credential_release(all->list[i].credential);
  pthread_cond_destroy(&all->changed);
  pthread_mutex_destroy(&all->lock);
  free(all);
}
