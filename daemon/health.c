/* health.c - see health.h. */
#include "daemon/health.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/authority_watch.h"
#include "daemon/service.h"
#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/ca/signer.h"

enum {
  ASKED_PERIOD_MS = 1000,
  QUIET_PERIOD_MS = 5000,
  ASKED_FOR_MS = 15 * 1000, /* somebody asks: counts for this long */
  SIGNER_TIMEOUT_MS = 2000,
  STALE_MS = 20 * 1000
};

struct finding {
  bool ok;
  enum fault_code code;
  char why[160];
};

struct prober {
  struct ledger *ledger;
  struct recorder *recorder;
  struct standing *standing;
  struct signer *signer;
  const struct authorities *authorities;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t stop_asked;
  bool stopping;
  struct finding ledger_finding, signer_finding;
  int64_t probed_ms, asked_ms;
};

static struct finding finding_of(bool ok, const struct fault *f)
{
  struct finding finding = {.ok = ok, .code = f->code};
  if (!ok)
    memcpy(finding.why, f->detail, sizeof finding.why - 1);
  return finding;
}

static void say_change(const char *what, const struct finding *before, const struct finding *now)
{
  if (before->ok && !now->ok)
    log_say(LOG_LEVEL_ERROR, "not ready", LOG_TEXT("what", what), LOG_TEXT("detail", now->why));
  else if (!before->ok && now->ok)
    log_say(LOG_LEVEL_INFO, "ready", LOG_TEXT("what", what));
}

static void note_change(struct prober *prober, bool before_ok, bool ok)
{
  struct event event = {.kind = ok ? EVENT_KEY_HOLDER_BACK : EVENT_KEY_HOLDER_LOST};
  if (before_ok != ok)
    recorder_note(prober->recorder, &event);
}

/* A ledger that cannot be used is what the probe itself tells of. */
static void look_at_authorities(const struct prober *prober)
{
  AUTO(fault) ignored = {0};
  authority_watch_look(prober->authorities, prober->ledger, when_now(), &ignored);
}

static void probe(struct prober *prober)
{
  AUTO(fault) of_ledger = {0}, of_signer = {0}, of_standing = {0};
  const uint8_t *key_sha256 = authorities_active(prober->authorities)->key_sha256;
  struct finding ledger = finding_of(ledger_probe(prober->ledger, &of_ledger), &of_ledger);
  struct finding signer =
      finding_of(signer_probe(prober->signer, key_sha256, &of_signer), &of_signer);
  /* What keeps it from comparing is what the findings say, or will say the next time. */
  if (signer.ok)
    standing_compare(prober->standing, &of_standing);
  pthread_mutex_lock(&prober->lock);
  say_change("ledger", &prober->ledger_finding, &ledger);
  say_change("key holder", &prober->signer_finding, &signer);
  note_change(prober, prober->signer_finding.ok, signer.ok);
  prober->ledger_finding = ledger;
  prober->signer_finding = signer;
  prober->probed_ms = when_monotonic_ms();
  pthread_mutex_unlock(&prober->lock);
  if (ledger.ok)
    look_at_authorities(prober);
}

/* With the lock held. */
static int64_t next_ms(const struct prober *prober)
{
  bool asked = prober->probed_ms - prober->asked_ms < ASKED_FOR_MS;
  return prober->probed_ms + (asked ? ASKED_PERIOD_MS : QUIET_PERIOD_MS);
}

static void *run(void *context)
{
  struct prober *prober = context;
  pthread_mutex_lock(&prober->lock);
  while (!prober->stopping) {
    int64_t at_ms = next_ms(prober);
    struct timespec at = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};
    if (pthread_cond_timedwait(&prober->stop_asked, &prober->lock, &at) != ETIMEDOUT)
      continue;
    pthread_mutex_unlock(&prober->lock);
    probe(prober);
    pthread_mutex_lock(&prober->lock);
  }
  pthread_mutex_unlock(&prober->lock);
  return NULL;
}

static void prober_free(struct prober *prober)
{
  pthread_cond_destroy(&prober->stop_asked);
  pthread_mutex_destroy(&prober->lock);
  signer_free(prober->signer);
  free(prober);
}

bool prober_start(struct ledger *ledger, struct recorder *recorder,
                  const struct authorities *authorities, struct standing *standing,
                  struct key_holder *holder, unsigned slot, struct prober **ret_prober,
                  struct fault *f)
{
  struct prober *prober = calloc(1, sizeof *prober);
  pthread_condattr_t monotonic;
  if (prober == NULL)
    return fault_no_memory(f);
  prober->ledger = ledger;
  prober->recorder = recorder;
  prober->authorities = authorities;
  prober->standing = standing;
  if (!signer_new(holder, slot, SIGNER_TIMEOUT_MS, &prober->signer, f)) {
    free(prober);
    return false;
  }
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&prober->stop_asked, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&prober->lock, NULL);
  prober->asked_ms = -ASKED_FOR_MS;
  prober->ledger_finding.ok = prober->signer_finding.ok = true;
  probe(prober);
  if (pthread_create(&prober->thread, NULL, run, prober) != 0) {
    prober_free(prober);
    return fault_set(f, INTERNAL, "the thread that probes cannot be started");
  }
  *ret_prober = prober;
  return true;
}

static bool judge(const struct prober *prober, struct fault *f)
{
  const struct finding *ledger = &prober->ledger_finding, *signer = &prober->signer_finding;
  if (when_monotonic_ms() - prober->probed_ms > STALE_MS)
    return fault_set(f, LEDGER, "the last probe of ledger and key holder does not end");
  /* Anybody may ask: paths and reasons are for the log. */
  if (!signer->ok)
    fault_add_item(f, "key_holder", "does not sign");
  if (!ledger->ok)
    fault_add_item(f, "ledger", "cannot be written");
  if (!ledger->ok)
    return fault_set(f, LEDGER, "the ledger cannot be written; the log says why");
  if (!signer->ok)
    return fault_set_code(f, signer->code, "the key holder does not sign; the log says why");
  if (standing_check(prober->standing, f))
    return true;
  fault_add_item(f, "ledger", "is an older copy");
  return fault_set(f, LEDGER_BEHIND,
                   "the ledger is an older copy, and nothing is signed; the log "
                   "says what is missing");
}

bool prober_is_ready(struct prober *prober, struct fault *f)
{
  pthread_mutex_lock(&prober->lock);
  prober->asked_ms = when_monotonic_ms();
  bool ready = judge(prober, f);
  pthread_mutex_unlock(&prober->lock);
  return ready;
}

void prober_findings(struct prober *prober, bool *ret_ledger, bool *ret_key_holder)
{
  pthread_mutex_lock(&prober->lock);
  bool fresh = when_monotonic_ms() - prober->probed_ms <= STALE_MS;
  *ret_ledger = fresh && prober->ledger_finding.ok;
  *ret_key_holder = fresh && prober->signer_finding.ok;
  pthread_mutex_unlock(&prober->lock);
}

bool prober_is_alive(struct prober *prober)
{
  pthread_mutex_lock(&prober->lock);
  bool alive = when_monotonic_ms() - prober->probed_ms <= STALE_MS;
  pthread_mutex_unlock(&prober->lock);
  return alive;
}

void prober_stop(struct prober *prober)
{
  if (prober == NULL)
    return;
  pthread_mutex_lock(&prober->lock);
  prober->stopping = true;
  pthread_cond_signal(&prober->stop_asked);
  pthread_mutex_unlock(&prober->lock);
  pthread_join(prober->thread, NULL);
  prober_free(prober);
}

/* --- the handlers --- */

static enum handled answer(struct exchange *x)
{
  AUTO(fault) fault = {0};
  if (!buf_ok(&x->reply.body)) {
    fault_no_memory(&fault);
    return exchange_fail(x, &fault);
  }
  x->reply.status = 200;
  x->reply.content_type = "application/json";
  return HANDLED;
}

enum handled health_live(struct exchange *x)
{
  buf_add_text(&x->reply.body, "{\"status\":\"alive\"}\n");
  return answer(x);
}

enum handled health_ready(struct exchange *x)
{
  AUTO(fault) fault = {0};
  if (!prober_is_ready(x->service->prober, &fault))
    return exchange_fail(x, &fault);
  struct buf *out = &x->reply.body;
  buf_add_text(out, "{\"status\":\"ready\",\"checks\":{\"ledger\":\"ok\",\"key_holder\":\"ok\"},"
                    "\"warnings\":");
  authority_watch_add_warnings(x->service->authorities, when_now(), out);
  buf_add_text(out, "}\n");
  return answer(x);
}
