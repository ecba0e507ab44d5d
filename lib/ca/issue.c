/* issue.c - see issue.h. */
#include "lib/ca/issue.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/when.h"
#include "lib/base/wire.h"
#include "lib/ca/issue_private.h"

void issue_job_free(struct issue_job *job)
{
  if (job == NULL)
    return;
  buf_free(&job->request.csr);
  sans_free(&job->request.names);
  sans_free(&job->asked);
  issued_free(&job->result.row);
  fault_free(&job->fault);
  free(job);
}

/* --- the same request --- */

static int compare_names(const void *a, const void *b)
{
  const struct san *x = a, *y = b;
  if (x->kind != y->kind)
    return x->kind < y->kind ? -1 : 1;
  size_t common = x->value.len < y->value.len ? x->value.len : y->value.len;
  int order = common > 0 ? memcmp(x->value.data, y->value.data, common) : 0;
  if (order != 0)
    return order;
  return (x->value.len > y->value.len) - (x->value.len < y->value.len);
}

/* As a set: in one order, whatever order they came in. */
static bool put_names(const struct sans *names, struct buf *out)
{
  struct san few[16], *all = names->n > ARRAY_LEN(few) ? calloc(names->n, sizeof *all) : few;
  if (all == NULL)
    return false;
  for (size_t i = 0; i < names->n; i++)
    all[i] = sans_get(names, i);
  qsort(all, names->n, sizeof *all, compare_names);
  wire_put_u32(out, (uint32_t)names->n);
  for (size_t i = 0; i < names->n; i++) {
    wire_put_u8(out, (uint8_t)all[i].kind);
    wire_put_bytes(out, all[i].value);
  }
  if (all != few)
    free(all);
  return true;
}

/* Every part has its length before it, so that no two requests have the same octets. */
static bool put_request(const struct issue_request *request, const uint8_t spki_sha256[32],
                        struct buf *out)
{
  wire_put_bytes(out, bytes_of_text("mintmark request 1"));
  wire_put_bytes(out, bytes_of_text(request->device_serial));
  wire_put_bytes(out, bytes_of_text(request->profile));
  wire_put_bytes(out, bytes_of_text(request->order));
  wire_put_bytes(out, bytes_of_text(request->model));
  wire_put_u8(out, request->replace);
  wire_put_bytes(out, bytes_of(spki_sha256, 32));
  return put_names(&request->names, out);
}

static bool put_renewal(const struct issue_request *request, const uint8_t spki_sha256[32],
                        struct buf *out)
{
  wire_put_bytes(out, bytes_of_text("mintmark renewal 1"));
  wire_put_u32(out, (uint32_t)((uint64_t)request->renews >> 32));
  wire_put_u32(out, (uint32_t)request->renews);
  wire_put_bytes(out, bytes_of(spki_sha256, 32));
  return true;
}

bool issue_request_sha256(const struct issue_request *request, const uint8_t spki_sha256[32],
                          uint8_t ret_sha256[32], struct fault *f)
{
  AUTO(buf) canonical = {0};
  buf_reserve(&canonical, 512);
  bool put = request->renews != 0 ? put_renewal(request, spki_sha256, &canonical)
                                  : put_request(request, spki_sha256, &canonical);
  if (!put || !buf_ok(&canonical))
    return fault_no_memory(f);
  pubkey_sha256(buf_bytes(&canonical), ret_sha256);
  return true;
}

/* --- what the parts share --- */

struct conf *issuer_conf(struct issuer *issuer)
{
  pthread_mutex_lock(&issuer->conf_lock);
  struct conf *conf = conf_hold(issuer->conf);
  pthread_mutex_unlock(&issuer->conf_lock);
  return conf;
}

void issuer_finish(struct issuer *issuer, struct issue_job *job)
{
  atomic_fetch_sub(&issuer->n_jobs, 1);
  job->done(job);
}

void issuer_fail(struct issuer *issuer, struct issue_job *job, const struct fault *f)
{
  if (f != NULL)
    fault_set_code(&job->fault, f->code, "%s", f->detail);
  issued_free(&job->result.row);
  job->result = (struct issue_result){0};
  issuer_finish(issuer, job);
}

/* --- its life --- */

static void take_limits(struct issuer *issuer, const struct conf *conf)
{
  atomic_store(&issuer->limit, conf->queue);
  atomic_store(&issuer->work_ms, (int64_t)conf->work_seconds * 1000);
}

void issuer_reload(struct issuer *issuer, struct conf *conf)
{
  pthread_mutex_lock(&issuer->conf_lock);
  struct conf *old = issuer->conf;
  issuer->conf = conf_hold(conf);
  pthread_mutex_unlock(&issuer->conf_lock);
  take_limits(issuer, conf);
  conf_release(old);
}

bool issuer_has_profile(struct issuer *issuer, const char *name)
{
  AUTO(conf) conf = issuer_conf(issuer);
  return conf_profile(conf, name) != NULL && strcmp(name, PROFILE_OCSP) != 0;
}

unsigned issuer_load(const struct issuer *issuer)
{
  return atomic_load(&issuer->n_jobs);
}

/* As it was before an earlier try. */
static void forget_try(struct issue_job *job)
{
  fault_free(&job->fault);
  if (job->names_added) {
    sans_free(&job->request.names);
    job->request.names = job->asked;
    job->asked = (struct sans){0};
  }
  job->names_added = job->decided = job->unwritten = false;
}

static bool put(struct issuer *issuer, struct job_queue *queue, struct issue_job *job,
                struct fault *f)
{
  struct job_list one = {0};
  unsigned limit = atomic_load(&issuer->limit);
  if (job->batch != 0)
    limit = (limit + 1) / 2;
  if (atomic_fetch_add(&issuer->n_jobs, 1) >= limit) {
    atomic_fetch_sub(&issuer->n_jobs, 1);
    return fault_set(f, BUSY, "%u requests wait already", limit);
  }
  job->deadline_ms = when_monotonic_ms() + atomic_load(&issuer->work_ms);
  job_list_add(&one, job);
  if (job_queue_put(queue, &one))
    return true;
  atomic_fetch_sub(&issuer->n_jobs, 1);
  return fault_set(f, STOPPING, "no more requests are taken");
}

bool issuer_submit(struct issuer *issuer, struct issue_job *job, struct fault *f)
{
  if (!standing_check(issuer->standing, f))
    return false;
  forget_try(job);
  return put(issuer, &issuer->incoming, job, f);
}

bool issuer_record(struct issuer *issuer, struct issue_job *job, struct fault *f)
{
  job->decided = true;
  job->unwritten = false;
  return put(issuer, &issuer->ready, job, f);
}

static bool make_workers(struct issuer *issuer, struct key_holder *holder, unsigned timeout_ms,
                         struct fault *f)
{
  issuer->workers = calloc(issuer->n_workers, sizeof(struct worker *));
  if (issuer->workers == NULL)
    return fault_no_memory(f);
  for (unsigned i = 0; i < issuer->n_workers; i++)
    if (!worker_new(issuer, i, holder, timeout_ms, &issuer->workers[i], f))
      return false;
  return true;
}

/* Signals are for the daemon's own thread: these have all of them blocked. */
static bool start_threads(struct issuer *issuer, struct fault *f)
{
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  issuer->writer_runs = pthread_create(&issuer->writer, NULL, writer_run, issuer) == 0;
  bool started = issuer->writer_runs || fault_set(f, INTERNAL, "cannot start the ledger's writer");
  while (started && issuer->n_running < issuer->n_workers) {
    started = worker_start(issuer->workers[issuer->n_running], f);
    issuer->n_running += started;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return started;
}

void issuer_stop(struct issuer *issuer)
{
  if (issuer == NULL)
    return;
  job_queue_close(&issuer->incoming);
  for (unsigned i = 0; i < issuer->n_running; i++)
    worker_join(issuer->workers[i]);
  job_queue_close(&issuer->ready);
  if (issuer->writer_runs)
    pthread_join(issuer->writer, NULL);
  for (unsigned i = 0; issuer->workers != NULL && i < issuer->n_workers; i++)
    worker_free(issuer->workers[i]);
  free(issuer->workers);
  job_queue_free(&issuer->incoming);
  job_queue_free(&issuer->ready);
  pthread_mutex_destroy(&issuer->conf_lock);
  conf_release(issuer->conf);
  free(issuer);
}

static bool init(struct issuer *issuer)
{
  if (pthread_mutex_init(&issuer->conf_lock, NULL) != 0)
    return false;
  if (!job_queue_init(&issuer->incoming))
    goto no_incoming;
  if (job_queue_init(&issuer->ready))
    return true;
  job_queue_free(&issuer->incoming);
no_incoming:
  pthread_mutex_destroy(&issuer->conf_lock);
  return false;
}

bool issuer_start(struct conf *conf, const struct authorities *authorities, struct ledger *ledger,
                  struct key_holder *holder, struct standing *standing, struct issuer **ret_issuer,
                  struct fault *f)
{
  struct issuer *issuer = calloc(1, sizeof *issuer);
  if (issuer == NULL || !init(issuer)) {
    free(issuer);
    return fault_no_memory(f);
  }
  issuer->authorities = authorities;
  issuer->ledger = ledger;
  issuer->standing = standing;
  issuer->conf = conf_hold(conf);
  issuer->n_workers = conf->workers;
  take_limits(issuer, conf);
  if (!make_workers(issuer, holder, conf->work_seconds * 1000, f) || !start_threads(issuer, f)) {
    issuer_stop(issuer);
    return false;
  }
  *ret_issuer = issuer;
  return true;
}
