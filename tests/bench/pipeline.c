/* pipeline.c - certificates through the issue pipeline, without the network, for a count of
 * instructions: valgrind --tool=callgrind sees guard and signature too, which are in this process.
 *
 * Requests come in rounds of one size, so that batches do, and what is counted is what lies between
 * the two client requests: no keys are made there, and nothing is opened or closed. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/event.h"
#include "lib/ca/issue_private.h"
#include "lib/ca/order.h"
#include "lib/ca/standing.h"
#include "lib/pki/name.h"
#include "lib/pki/private_key.h"
#include "tests/bench/pipeline_signer.h"

enum { ROUND = 32, WARM_UP_ROUNDS = 2 };

struct pipeline {
  struct conf *conf;
  struct ledger *ledger;
  struct authorities *authorities;
  struct key_holder *holder;
  struct standing *standing;
  struct pipeline_signer *signer;
  struct issuer *issuer;
  struct buf *csrs;
  size_t n, next;
  pthread_mutex_t lock;
  pthread_cond_t answered;
  unsigned n_answered;
  struct fault fault; /* of the first one that failed */
};

static bool make_csrs(struct pipeline *p, struct fault *f)
{
  AUTO(buf) subject = {0};
  p->csrs = calloc(p->n, sizeof *p->csrs);
  if (p->csrs == NULL)
    return fault_no_memory(f);
  if (!name_write(NULL, 0, &subject, f))
    return false;
  for (size_t i = 0; i < p->n; i++) {
    AUTO(private_key) key = NULL;
    if (!private_key_generate("ec-p256", &key, f) ||
        !private_key_write_csr(key, buf_bytes(&subject), NULL, &p->csrs[i], f))
      return false;
  }
  return true;
}

static void ignore(const struct standing_report *report)
{
  (void)report;
}

/* Certificates are issued under a production order, as most are. */
static bool add_order(struct ledger *ledger, struct fault *f)
{
  const struct event who = {0};
  struct order order = {.quantity = ORDER_QUANTITY_MAX, .created_at = when_now()};
  TEXT_COPY(order.name, bytes_of_text("bench"));
  TEXT_COPY(order.profile, bytes_of_text("device-server"));
  return ledger_add_order(ledger, &order, &who, f);
}

static bool open_all(const char *dir, struct pipeline *p, struct fault *f)
{
  char conf[512], ledger[512], socket_path[512];
  snprintf(conf, sizeof conf, "%s/mintmark.conf", dir);
  snprintf(ledger, sizeof ledger, "%s/pipeline.db", dir);
  snprintf(socket_path, sizeof socket_path, "%s/pipeline.sock", dir);
  if (!conf_load(conf, &p->conf, f) || !pipeline_signer_start(dir, socket_path, &p->signer, f))
    return false;
  p->conf->workers = 1;
  return ledger_open(ledger, &p->ledger, f) && add_order(p->ledger, f) &&
         authorities_load(p->conf, p->ledger, when_now(), &p->authorities, f) &&
         key_holder_new(socket_path, NULL, NULL, 8, &p->holder, f) &&
         standing_new(p->ledger, p->authorities, p->holder, 1, NULL, ignore, &p->standing, f) &&
         standing_compare(p->standing, f) &&
         issuer_start(p->conf, p->authorities, p->ledger, p->holder, p->standing, &p->issuer, f);
}

static void on_done(struct issue_job *job)
{
  struct pipeline *p = job->context;
  pthread_mutex_lock(&p->lock);
  if (job->fault.code != FAULT_NONE && p->fault.code == FAULT_NONE)
    fault_move(&p->fault, &job->fault);
  p->n_answered++;
  pthread_cond_signal(&p->answered);
  pthread_mutex_unlock(&p->lock);
  issue_job_free(job);
}

/* What a station sends: a device, an address, a name. */
static bool fill(struct issue_request *request, const struct buf *csr, size_t n, struct fault *f)
{
  char text[64];
  snprintf(request->device_serial, sizeof request->device_serial, "W-%07zu", n);
  TEXT_COPY(request->station, bytes_of_text("line-1"));
  TEXT_COPY(request->order, bytes_of_text("bench"));
  TEXT_COPY(request->source, bytes_of_text("10.1.0.9"));
  snprintf(request->request_id, sizeof request->request_id, "%016zx", n);
  request->role = ROLE_STATION;
  buf_add_bytes(&request->csr, buf_bytes(csr));
  snprintf(text, sizeof text, "10.%zu.%zu.%zu", n >> 16 & 0xff, n >> 8 & 0xff, n & 0xff);
  if (!sans_add(&request->names, SAN_IP, bytes_of_text(text), f))
    return false;
  snprintf(text, sizeof text, "w-%07zu.widgets.example", n);
  return sans_add(&request->names, SAN_DNS, bytes_of_text(text), f) &&
         (buf_ok(&request->csr) || fault_no_memory(f));
}

static bool make_job(struct pipeline *p, struct job_list *round, struct fault *f)
{
  struct issue_job *job = calloc(1, sizeof *job);
  if (job == NULL)
    return fault_no_memory(f);
  job->done = on_done;
  job->context = p;
  job->deadline_ms = INT64_MAX;
  job_list_add(round, job);
  return fill(&job->request, &p->csrs[p->next], p->next, f) && ++p->next > 0;
}

/* All at once, behind issuer_submit()'s back: what a worker finds in the queue must not depend on
 * when it was woken. */
static bool submit(struct pipeline *p, struct fault *f)
{
  struct job_list round = {0};
  bool made = true;
  for (unsigned i = 0; i < ROUND && made; i++)
    made = make_job(p, &round, f);
  if (made) {
    atomic_fetch_add(&p->issuer->n_jobs, ROUND);
    return job_queue_put(&p->issuer->incoming, &round);
  }
  for (struct issue_job *job; (job = job_list_take(&round)) != NULL;)
    issue_job_free(job);
  return false;
}

static bool run_round(struct pipeline *p, struct fault *f)
{
  p->n_answered = 0;
  if (!submit(p, f))
    return false;
  pthread_mutex_lock(&p->lock);
  while (p->n_answered < ROUND)
    pthread_cond_wait(&p->answered, &p->lock);
  pthread_mutex_unlock(&p->lock);
  fault_move(f, &p->fault);
  return f->code == FAULT_NONE;
}

static bool run_rounds(struct pipeline *p, size_t n, struct fault *f)
{
  for (size_t i = 0; i < n; i++)
    if (!run_round(p, f))
      return false;
  return true;
}

static bool measure(struct pipeline *p, size_t rounds, struct fault *f)
{
  if (!run_rounds(p, WARM_UP_ROUNDS, f))
    return false;
  CALLGRIND_START_INSTRUMENTATION;
  bool done = run_rounds(p, rounds, f);
  CALLGRIND_STOP_INSTRUMENTATION;
  return done;
}

static void close_all(struct pipeline *p)
{
  issuer_stop(p->issuer);
  standing_free(p->standing);
  key_holder_free(p->holder);
  authorities_free(p->authorities);
  ledger_close(p->ledger);
  conf_release(p->conf);
  if (p->signer != NULL)
    pipeline_signer_stop(p->signer);
  for (size_t i = 0; p->csrs != NULL && i < p->n; i++)
    buf_free(&p->csrs[i]);
  free(p->csrs);
}

int main(int argc, char **argv)
{
  AUTO(fault) f = {0};
  struct pipeline p = {.lock = PTHREAD_MUTEX_INITIALIZER, .answered = PTHREAD_COND_INITIALIZER};
  uint64_t rounds = 0;
  if (argc != 3 || !text_to_u64(bytes_of_text(argv[2]), 100000, &rounds) || rounds == 0) {
    fprintf(stderr,
            "usage: mintmark-pipeline DIR ROUNDS\nIssues ROUNDS times %d certificates "
            "below DIR, which `mintmark init` made.\n",
            ROUND);
    return 2;
  }
  p.n = (WARM_UP_ROUNDS + rounds) * ROUND;
  bool done = make_csrs(&p, &f) && open_all(argv[1], &p, &f) && measure(&p, rounds, &f);
  close_all(&p);
  if (done)
    printf("%llu certificates\n", (unsigned long long)rounds * ROUND);
  else
    fprintf(stderr, "mintmark-pipeline: %s\n", f.detail);
  return done ? 0 : 1;
}
