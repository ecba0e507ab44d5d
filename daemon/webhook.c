/* webhook.c - see webhook.h. */
#include "daemon/webhook.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "daemon/event_form.h"
#include "daemon/webhook_post.h"
#include "daemon/webhook_sign.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/base/when.h"
#include "lib/ca/webhook.h"

enum {
  PAGE = 100,         /* events that are read at once */
  LOOK_MS = 200,      /* how often it is seen whether there are new ones */
  KEEP_TOLD = 64,     /* the position is written after so many, */
  KEEP_MS = 1000,     /* or so long after the first of them; */
  KEEP_PASSED = 10000 /* and after so many that were none of its matter */
};

/* What the log has said. The rows are in the order of how much it is. */
enum trouble { TROUBLE_NONE, TROUBLE_FAILS, TROUBLE_REFUSES };

struct webhook {
  const struct webhook_setup *setup;
  struct ledger *ledger;
  struct webhook_poster *poster;
  pthread_t thread;
  pthread_mutex_t lock; /* for stopping */
  pthread_cond_t changed;
  bool stopping;
  /* The thread's own. */
  int64_t position, kept; /* told up to here; and what the ledger has of that */
  unsigned n_told;        /* since it was kept */
  int64_t keep_at_ms;     /* monotonic; 0: nothing was told since */
  unsigned n_failures;    /* in a row */
  int64_t failing_since_ms;
  enum trouble trouble;
};

/* --- waiting --- */

int64_t webhook_pause_ms(unsigned n_failures, uint32_t random)
{
  int64_t pause_ms = 1000, most_ms = 300 * 1000;
  for (unsigned i = 1; i < n_failures && pause_ms < most_ms; i++)
    pause_ms *= 2;
  if (pause_ms > most_ms)
    pause_ms = most_ms;
  return pause_ms - random % (pause_ms / 4 + 1);
}

static bool is_stopping(struct webhook *webhook)
{
  pthread_mutex_lock(&webhook->lock);
  bool stopping = webhook->stopping;
  pthread_mutex_unlock(&webhook->lock);
  return stopping;
}

/* Less when it is to stop. */
static void pause_for(struct webhook *webhook, int64_t ms)
{
  int64_t at_ms = when_monotonic_ms() + ms;
  struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
  pthread_mutex_lock(&webhook->lock);
  while (!webhook->stopping)
    if (pthread_cond_timedwait(&webhook->changed, &webhook->lock, &at) != 0)
      break;
  pthread_mutex_unlock(&webhook->lock);
}

static void pause_after_failure(struct webhook *webhook)
{
  uint32_t random = 0;
  if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
    random = (uint32_t)when_monotonic_ms();
  pause_for(webhook, webhook_pause_ms(webhook->n_failures, random));
}

/* --- the position --- */

/* A ledger that cannot be written is a matter of the probes, who say so; it is tried again. */
static void keep(struct webhook *webhook)
{
  AUTO(fault) f = {0};
  if (webhook->position == webhook->kept)
    return;
  if (ledger_move_webhook(webhook->ledger, webhook->setup->name, webhook->position, when_now(),
                          &f)) {
    webhook->kept = webhook->position;
    webhook->n_told = 0;
    webhook->keep_at_ms = 0;
  } else {
    webhook->keep_at_ms = when_monotonic_ms() + KEEP_MS;
  }
}

static void keep_when_due(struct webhook *webhook)
{
  bool over = webhook->keep_at_ms != 0 && when_monotonic_ms() >= webhook->keep_at_ms;
  if (over || webhook->n_told >= KEEP_TOLD || webhook->position - webhook->kept >= KEEP_PASSED)
    keep(webhook);
}

static void count_told(struct webhook *webhook, const struct event *event)
{
  webhook->position = event->id;
  webhook->n_told++;
  if (webhook->keep_at_ms == 0)
    webhook->keep_at_ms = when_monotonic_ms() + KEEP_MS;
  keep_when_due(webhook);
}

/* --- one event --- */

static bool is_success(const struct webhook_answer *answer)
{
  return answer->status / 100 == 2;
}

/* 4xx says that something is wrong with what we send or where to, and not with the moment: all but
 * 408 Request Timeout, 425 Too Early and 429 Too Many Requests. */
static enum trouble trouble_of(const struct webhook_answer *answer)
{
  bool of_the_moment = answer->status == 408 || answer->status == 425 || answer->status == 429;
  return answer->status / 100 == 4 && !of_the_moment ? TROUBLE_REFUSES : TROUBLE_FAILS;
}

static void note_failure(struct webhook *webhook, const struct event *event,
                         const struct webhook_answer *answer)
{
  enum trouble trouble = trouble_of(answer);
  if (webhook->n_failures++ == 0)
    webhook->failing_since_ms = when_monotonic_ms();
  if (trouble <= webhook->trouble)
    return;
  webhook->trouble = trouble;
  bool refuses = trouble == TROUBLE_REFUSES;
  log_say(refuses ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
          refuses ? "a webhook refuses events: look at its url and secret; they wait for it"
                  : "a webhook does not take events: they wait for it",
          LOG_TEXT("webhook", webhook->setup->name), LOG_NUMBER("event", event->id),
          answer->status != 0 ? LOG_NUMBER("status", answer->status)
                              : LOG_TEXT("detail", answer->why));
}

static void note_success(struct webhook *webhook)
{
  if (webhook->trouble != TROUBLE_NONE)
    log_say(LOG_LEVEL_INFO, "a webhook takes events again",
            LOG_TEXT("webhook", webhook->setup->name),
            LOG_NUMBER("after_seconds", (when_monotonic_ms() - webhook->failing_since_ms) / 1000));
  webhook->trouble = TROUBLE_NONE;
  webhook->n_failures = 0;
}

/* One try. The signature has the time of this one. */
static void send_once(struct webhook *webhook, const struct event *event,
                      struct webhook_answer *ret_answer)
{
  AUTO(fault) f = {0};
  AUTO(buf) body = {0};
  char signature[WEBHOOK_SIGNATURE_SIZE];
  struct webhook_post post = {.event_id = event->id, .signature = signature};
  event_json_add(event, &body);
  post.body = buf_bytes(&body);
  if (!buf_ok(&body))
    fault_no_memory(&f);
  else if (webhook_sign(buf_bytes(&webhook->setup->secret), when_now(), post.body, signature, &f)) {
    webhook_poster_send(webhook->poster, &post, ret_answer);
    return;
  }
  *ret_answer = (struct webhook_answer){0};
  memcpy(ret_answer->why, f.detail, strnlen(f.detail, sizeof ret_answer->why - 1));
}

/* False when it is to stop. */
static bool tell(struct webhook *webhook, const struct event *event)
{
  while (!is_stopping(webhook)) {
    struct webhook_answer answer;
    send_once(webhook, event, &answer);
    if (is_success(&answer)) {
      note_success(webhook);
      count_told(webhook, event);
      return true;
    }
    if (is_stopping(webhook))
      break;
    note_failure(webhook, event, &answer);
    keep(webhook); /* what was told before is not told again for the sake of this one */
    pause_after_failure(webhook);
  }
  return false;
}

/* --- the thread --- */

static void tell_page(struct webhook *webhook)
{
  AUTO(event_page) page = {0};
  AUTO(fault) f = {0};
  int64_t seen;
  if (!ledger_events_behind(webhook->ledger, webhook->position, webhook->setup->kinds, PAGE, &page,
                            &seen, &f)) {
    pause_for(webhook, KEEP_MS);
    return;
  }
  for (size_t i = 0; i < page.n; i++)
    if (!tell(webhook, &page.rows[i]))
      return;
  webhook->position = seen;
}

/* False when it is to stop. */
static bool find_position(struct webhook *webhook)
{
  while (!is_stopping(webhook)) {
    AUTO(fault) f = {0};
    if (ledger_find_webhook(webhook->ledger, webhook->setup->name, when_now(), &webhook->position,
                            &f)) {
      webhook->kept = webhook->position;
      return true;
    }
    pause_for(webhook, KEEP_MS);
  }
  return false;
}

static void *run(void *context)
{
  struct webhook *webhook = context;
  if (!find_position(webhook))
    return NULL;
  while (!is_stopping(webhook)) {
    if (ledger_last_event(webhook->ledger) > webhook->position)
      tell_page(webhook);
    else
      pause_for(webhook, LOOK_MS);
    keep_when_due(webhook);
  }
  keep(webhook);
  return NULL;
}

/* --- its life --- */

static void init_lock(struct webhook *webhook)
{
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&webhook->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&webhook->lock, NULL);
}

static void take_apart(struct webhook *webhook)
{
  webhook_poster_free(webhook->poster);
  pthread_cond_destroy(&webhook->changed);
  pthread_mutex_destroy(&webhook->lock);
  free(webhook);
}

bool webhook_start(const struct webhook_setup *setup, struct ledger *ledger,
                   struct webhook **ret_webhook, struct fault *f)
{
  struct webhook *webhook = calloc(1, sizeof *webhook);
  if (webhook == NULL)
    return fault_no_memory(f);
  init_lock(webhook);
  webhook->setup = setup;
  webhook->ledger = ledger;
  bool ready = webhook_poster_new(setup, &webhook->poster, f);
  if (!ready || !thread_start(&webhook->thread, run, webhook)) {
    take_apart(webhook);
    return ready
               ? fault_set(f, INTERNAL, "the thread of webhook \"%s\" does not start", setup->name)
               : false;
  }
  *ret_webhook = webhook;
  return true;
}

void webhook_quit(struct webhook *webhook)
{
  pthread_mutex_lock(&webhook->lock);
  webhook->stopping = true;
  pthread_cond_broadcast(&webhook->changed);
  pthread_mutex_unlock(&webhook->lock);
  webhook_poster_abort(webhook->poster);
}

void webhook_free(struct webhook *webhook)
{
  if (webhook == NULL)
    return;
  pthread_join(webhook->thread, NULL);
  take_apart(webhook);
}
