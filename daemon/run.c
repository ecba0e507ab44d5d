/* run.c - see run.h. */
#include "daemon/run.h"

#include <stdlib.h>
#include <unistd.h>

#include "daemon/adopt.h"
#include "daemon/background.h"
#include "daemon/backups.h"
#include "daemon/clock_watch.h"
#include "daemon/crl_publisher.h"
#include "daemon/expiring.h"
#include "daemon/fronts.h"
#include "daemon/health.h"
#include "daemon/intakes.h"
#include "daemon/key_check.h"
#include "daemon/limits.h"
#include "daemon/metrics.h"
#include "daemon/ocsp.h"
#include "daemon/renew.h"
#include "daemon/renew_files.h"
#include "daemon/run_fixed.h"
#include "daemon/service.h"
#include "daemon/tls.h"
#include "daemon/webhook_post.h"
#include "daemon/webhooks.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/recorder.h"

struct run {
  struct conf *conf;
  struct listeners listeners;
  struct authorities *authorities;
  struct ledger *ledger;
  struct recorder *recorder;
  struct key_holder *holder;
  struct standing *standing;
  struct issuer *issuer;
  struct key_check *keys;
  struct prober *prober;
  struct backups *backups;
  struct background *background;
  struct crl_store *crls;
  struct crl_publisher *publisher;
  struct intakes *intakes;
  struct limits *limits;
  struct metrics *metrics;
  struct ocsp *ocsp;
  struct trust_box *trusts;
  struct buf client_authorities;
  struct service service;
  struct fronts *fronts;
  struct renewer *renewer;
  struct webhooks *webhooks;
  struct expiry_watch *expiry_watch;
  struct clock_watch clock;
};

/* --- start --- */

static bool open_ledger(struct run *run, struct fault *f)
{
  bool adopted;
  /* One that a version before has written is brought up to date, which may take minutes. */
  log_say(LOG_LEVEL_INFO, "opening the ledger", LOG_TEXT("file", run->conf->ledger));
  if (!ledger_open(run->conf->ledger, &run->ledger, f) ||
      !authorities_load(run->conf, run->ledger, when_now(), &run->authorities, f) ||
      !adopt_admin(run->ledger, run->conf, f))
    return false;
  if (!adopt_server_certificate(run->ledger, run->conf, run->authorities, &adopted, f))
    return false;
  if (adopted)
    log_say(LOG_LEVEL_INFO, "the daemon's own certificate is on the record now",
            LOG_TEXT("file", run->conf->tls_certificate));
  return true;
}

/* Connections to the key holder: the workers have the first, then come these. */
enum slot_behind_workers {
  SLOT_PROBER,
  SLOT_COUNT,
  SLOT_CRL,
  SLOT_KEY_CHECK,
  SLOTS_BEHIND_WORKERS
};

static void say_standing(const struct standing_report *report)
{
  if (report->state == STANDING_GOOD)
    log_say(LOG_LEVEL_INFO, "the ledger has all that the key holder knows of");
  for (size_t i = 0; i < report->n; i++) {
    const struct standing_row *row = &report->rows[i];
    if (row->missing > 0 || row->crl_signed > row->crl_known)
      log_say(LOG_LEVEL_ERROR,
              "the ledger is an older copy, and nothing is signed until that is accepted",
              LOG_TEXT("authority", row->authority), LOG_NUMBER("missing", row->missing),
              LOG_NUMBER("in_ledger", row->issued), LOG_NUMBER("crl_signed", row->crl_signed),
              LOG_NUMBER("crl_known", row->crl_known));
  }
}

static bool start_pipeline(struct run *run, struct fault *f)
{
  struct conf *conf = run->conf;
  return recorder_start(run->ledger, &run->recorder, f) &&
         key_holder_new(conf->key_holder_socket, conf->key_holder_program, conf->key_holder_config,
                        conf->workers + SLOTS_BEHIND_WORKERS, &run->holder, f) &&
         key_check_new(run->holder, conf->workers + SLOT_KEY_CHECK, &run->keys, f) &&
         standing_new(run->ledger, run->authorities, run->holder, conf->workers + SLOT_COUNT,
                      run->recorder, say_standing, &run->standing, f) &&
         issuer_start(conf, run->authorities, run->ledger, run->holder, run->standing, &run->issuer,
                      f) &&
         prober_start(run->ledger, run->recorder, run->authorities, run->standing, run->holder,
                      conf->workers + SLOT_PROBER, &run->prober, f) &&
         crl_store_new(conf->crl.folder, &run->crls, f) &&
         crl_publisher_start(conf, run->authorities, run->ledger, run->holder,
                             conf->workers + SLOT_CRL, run->crls, run->standing, &run->publisher,
                             f);
}

/* The list that clients are told stays as it is at the start; what counts follows the files. */
static bool load_trust(struct run *run, struct fault *f)
{
  struct trust *trust;
  if (!trust_load(run->conf, run->authorities, &trust, f))
    return false;
  trust_add_pem(trust, &run->client_authorities);
  return trust_box_new(trust, &run->trusts, f) &&
         (buf_ok(&run->client_authorities) || fault_no_memory(f));
}

static bool start_fronts(struct run *run, struct fault *f)
{
  const struct conf *conf = run->conf;
  if (!limits_new(conf, &run->limits, f) || !background_new(&run->background, f) ||
      !metrics_new(routes, n_routes, &run->metrics, f) ||
      !backups_new(run->ledger, run->recorder, &run->backups, f) ||
      !intakes_new(run->ledger, run->issuer, &run->intakes, f) ||
      !ocsp_start(conf, run->authorities, run->issuer, run->ledger, run->standing, &run->ocsp, f))
    return false;
  run->service = (struct service){.authorities = run->authorities,
                                  .ledger = run->ledger,
                                  .issuer = run->issuer,
                                  .recorder = run->recorder,
                                  .trusts = run->trusts,
                                  .keys = run->keys,
                                  .standing = run->standing,
                                  .ocsp = run->ocsp,
                                  .prober = run->prober,
                                  .backups = run->backups,
                                  .background = run->background,
                                  .intakes = run->intakes,
                                  .limits = run->limits,
                                  .metrics = run->metrics,
                                  .crls = run->crls};
  return tls_load(conf->tls_certificate, conf->tls_key, f) &&
         renewer_start(run->conf, run->authorities, run->issuer, run->recorder, &run->renewer, f) &&
         fronts_start(conf, &run->listeners, &run->service, buf_text(&run->client_authorities),
                      &run->fronts, f);
}

/* What looks at the ledger and at the events in it. */
static bool start_tellers(struct run *run, struct fault *f)
{
  struct webhook_setups *setups;
  return webhook_setups_load(run->conf, &setups, f) &&
         webhooks_start(setups, run->ledger, &run->webhooks, f) &&
         expiry_watch_start(run->ledger, run->conf->expiring_s, &run->expiry_watch, f);
}

/* In the order of their dependence; each accepts what was never started. */
static void take_apart(struct run *run)
{
  background_free(run->background);
  fronts_stop(run->fronts);
  intakes_free(run->intakes);
  backups_free(run->backups);
  crl_publisher_stop(run->publisher);
  crl_store_free(run->crls);
  ocsp_free(run->ocsp);
  limits_free(run->limits);
  expiry_watch_stop(run->expiry_watch);
  webhooks_stop(run->webhooks);
  metrics_free(run->metrics);
  prober_stop(run->prober);
  standing_free(run->standing);
  recorder_stop(run->recorder);
  key_check_free(run->keys);
  key_holder_free(run->holder);
  ledger_close(run->ledger);
  trust_box_free(run->trusts);
  buf_free(&run->client_authorities);
  authorities_free(run->authorities);
  tls_unload();
  listen_close(&run->listeners);
  conf_release(run->conf);
  free(run);
}

/* What the daemon itself does, and which one. */
static void note(struct run *run, enum event_kind kind)
{
  struct event event = {.kind = kind};
  TEXT_COPY(event.about, bytes_of_text("mintmarkd " PACKAGE_VERSION));
  recorder_note(run->recorder, &event);
}

bool run_start(struct conf *conf, const struct listeners *listeners, struct run **ret_run,
               struct fault *f)
{
  struct run *run = calloc(1, sizeof *run);
  if (run == NULL) {
    listen_close(listeners);
    conf_release(conf);
    return fault_no_memory(f);
  }
  run->conf = conf;
  run->listeners = *listeners;
  clock_watch_start(&run->clock, when_now_ms(), when_monotonic_ms());
  if (webhook_post_init(f) && renew_files_recover(conf->tls_certificate, conf->tls_key, f) &&
      open_ledger(run, f) && load_trust(run, f) && start_pipeline(run, f) &&
      start_tellers(run, f) && start_fronts(run, f)) {
    note(run, EVENT_STARTED);
    *ret_run = run;
    return true;
  }
  renewer_stop(run->renewer);
  ocsp_stop(run->ocsp);
  if (run->issuer != NULL)
    issuer_stop(run->issuer);
  take_apart(run);
  return false;
}

/* --- reload --- */

static bool take_new_authorities(struct run *run, const struct conf *conf, struct fault *f)
{
  size_t n = 0;
  if (!authorities_reload(run->authorities, conf, when_now(), &n, f))
    return false;
  if (n > 0)
    log_say(LOG_LEVEL_INFO, "authorities were added", LOG_NUMBER("count", (int64_t)n));
  return true;
}

bool run_reload(struct run *run, struct fault *f)
{
  AUTO(conf) conf = NULL;
  AUTO(trust) trust = NULL;
  AUTO(webhook_setups) webhooks = NULL;
  /* The key holder first: an authority that is listed is one that can sign. */
  if (!conf_load(run->conf->path, &conf, f) || !run_check(conf, f) ||
      !key_holder_renew(run->holder, f) || !take_new_authorities(run, conf, f) ||
      !trust_load(conf, run->authorities, &trust, f) || !webhook_setups_load(conf, &webhooks, f) ||
      !tls_load(conf->tls_certificate, conf->tls_key, f))
    return false;
  trust_box_put(run->trusts, TAKE(trust));
  run_warn_of_fixed(run->conf, conf);
  log_setup(conf->log_format, conf->log_level, STDERR_FILENO);
  fronts_set_seconds(run->fronts, conf->request_seconds, conf->idle_seconds);
  /* The pipeline first: a certificate that is renewed at once is to be of the new profile. */
  issuer_reload(run->issuer, conf);
  renewer_reload(run->renewer, conf);
  crl_publisher_reload(run->publisher, conf);
  ocsp_reload(run->ocsp, conf);
  limits_reload(run->limits, conf);
  webhooks_reload(run->webhooks, TAKE(webhooks));
  expiry_watch_reload(run->expiry_watch, conf->expiring_s);
  /* What is compared the next time is what was asked for this time. */
  conf_release(run->conf);
  run->conf = TAKE(conf);
  note(run, EVENT_RELOADED);
  AUTO(fault) unasked = {0};
  standing_compare(run->standing, &unasked); /* the prober does it again, until it can be done */
  return true;
}

/* --- the clock --- */

/* What waits for a time of day waits for so long, and does not hear that the clock was set. Lists
 * of revoked certificates, and authorities, are looked at every few seconds anyway. */
void run_look_at_clock(struct run *run)
{
  int64_t by_s;
  if (!clock_watch_look(&run->clock, when_now_ms(), when_monotonic_ms(), &by_s))
    return;
  log_say(LOG_LEVEL_WARNING, "the clock was set, or the machine slept", LOG_NUMBER("by_s", by_s));
  renewer_reload(run->renewer, run->conf);
  ocsp_reload(run->ocsp, run->conf);
  expiry_watch_reload(run->expiry_watch, run->conf->expiring_s);
}

bool run_is_alive(struct run *run)
{
  return prober_is_alive(run->prober);
}

/* --- stop --- */

void run_stop(struct run *run)
{
  unsigned grace_ms = (run->conf->work_seconds + run->conf->request_seconds) * 1000;
  unsigned most_ms = 30 * 1000;
  fronts_quiesce(run->fronts);
  /* These may take longer than anybody waits for the daemon to stop. */
  background_quit(run->background);
  backups_stop(run->backups);
  intakes_quit(run->intakes);
  renewer_stop(run->renewer);
  if (!fronts_wait(run->fronts, grace_ms < most_ms ? grace_ms : most_ms))
    log_say(LOG_LEVEL_WARNING, "requests that did not end in time are given up");
  /* Handlers hand jobs to the pipeline: so none may run any more when it ends. Then its last jobs
   * are done, and what waited for them is answered. */
  fronts_close_doors(run->fronts);
  ocsp_stop(run->ocsp);
  issuer_stop(run->issuer);
  fronts_wait(run->fronts, 5000);
  note(run, EVENT_STOPPED);
  take_apart(run);
}
