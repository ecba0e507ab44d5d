/* issue_worker.c - from a request to a signed certificate: read, look into the ledger, check,
 * build, lint; then one message to the key holder for the whole batch. See issue_private.h. */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/issue_private.h"
#include "lib/pki/csr.h"
#include "lib/pki/lint.h"

/* A batch costs one question to the ledger and one message to the key holder, whatever its size. */
enum { RANDOM_POOL = 455 * SERIAL_NUMBER_RANDOM_LEN, FEW = 8, GATHER_US = 500 };

struct worker {
  struct issuer *issuer;
  struct signer *signer;
  pthread_t thread;
  uint8_t random[RANDOM_POOL];
  size_t random_left;
  /* The batch: jobs, by whom each is issued, and what is to be signed. Buffers keep their memory.
   */
  struct draft drafts[SIGNER_BATCH_MAX];
  size_t n_drafts;
  struct order_shelf shelf;
  struct issue_job *jobs[SIGNER_BATCH_MAX];
  const struct authority *authorities[SIGNER_BATCH_MAX];
  struct buf tbs[SIGNER_BATCH_MAX];
  struct signer_item items[SIGNER_BATCH_MAX];
  size_t n;
};

/* One system call for many serial numbers. Used octets are wiped, and none is used twice. */
static bool take_random(struct worker *w, uint8_t ret_random[SERIAL_NUMBER_RANDOM_LEN],
                        struct fault *f)
{
  if (w->random_left < SERIAL_NUMBER_RANDOM_LEN) {
    if (RAND_bytes(w->random, sizeof w->random) != 1)
      return fault_set(f, INTERNAL, "the random generator does not work");
    w->random_left = sizeof w->random;
  }
  w->random_left -= SERIAL_NUMBER_RANDOM_LEN;
  memcpy(ret_random, w->random + w->random_left, SERIAL_NUMBER_RANDOM_LEN);
  OPENSSL_cleanse(w->random + w->random_left, SERIAL_NUMBER_RANDOM_LEN);
  return true;
}

/* --- a batch --- */

/* It needs no row any more: the writer has it for its event. */
static void decide(struct issue_job *job, struct job_list *decided)
{
  job->decided = true;
  job_list_add(decided, job);
}

/* Looks up all of them from one moment of the ledger: its locks and pages are had once for a batch,
 * and it is over before the work begins. (Without it, each question is a transaction of its own.)
 */
static void look_up_all(struct worker *w, const struct conf *conf, struct job_list *list)
{
  AUTO(fault) ignored = {0};
  struct ledger *ledger = w->issuer->ledger;
  bool at_once = list->n > 1 && ledger_snapshot_begin(ledger, &ignored);
  struct issue_job *job;
  w->shelf.n = 0;
  for (w->n_drafts = 0; (job = job_list_take(list)) != NULL; w->n_drafts++) {
    struct draft *draft = &w->drafts[w->n_drafts];
    *draft = (struct draft){.job = job, .conf = conf};
    draft->is_open = draft_look_up(draft, w->issuer, &w->shelf, &job->fault);
  }
  if (at_once)
    ledger_snapshot_end(ledger);
}

/* True when it may be certified; otherwise the job has its answer. */
static bool check_one(struct worker *w, struct draft *draft, struct fault *f)
{
  uint8_t random[SERIAL_NUMBER_RANDOM_LEN];
  if (!draft->is_open)
    return draft_refuse(draft, f);
  if (draft->replayed)
    return draft_replay(draft, f) && false;
  return take_random(w, random, f) && draft_check(draft, random, f);
}

/* What verifications are cheaper to have together. */
static void hint_all(struct worker *w)
{
  struct csr *csrs[SIGNER_BATCH_MAX];
  size_t n = 0;
  for (size_t i = 0; i < w->n_drafts; i++)
    if (w->drafts[i].is_open)
      csrs[n++] = &w->drafts[i].csr;
  csr_hint_all(csrs, n);
}

/* Each step for all of them: a verification sweeps over tables that fill the nearest caches, where
 * one after the other finds them, and what other steps need is not driven out each time. */
static void check_all(struct worker *w)
{
  hint_all(w);
  for (size_t i = 0; i < w->n_drafts; i++)
    w->drafts[i].is_open = check_one(w, &w->drafts[i], &w->drafts[i].job->fault);
}

/* Those that need no signature do not wait for one. */
static void write_all(struct worker *w, struct job_list *decided)
{
  w->n = 0;
  for (size_t i = 0; i < w->n_drafts; i++) {
    struct draft *draft = &w->drafts[i];
    struct issue_job *job = draft->job;
    if (draft->is_open && draft_write(draft, &w->tbs[w->n], &job->fault)) {
      w->authorities[w->n] = draft->authority;
      w->jobs[w->n++] = job;
    } else {
      decide(job, decided);
    }
    draft_free(draft);
  }
}

/* The writer is closed only after the workers have ended. */
static void prepare_all(struct worker *w, struct job_list *list)
{
  struct conf *conf = issuer_conf(w->issuer);
  struct job_list decided = {0};
  look_up_all(w, conf, list);
  check_all(w);
  write_all(w, &decided);
  conf_release(conf);
  job_queue_put(&w->issuer->ready, &decided);
}

static void sign_part(struct worker *w, size_t from, size_t n)
{
  AUTO(fault) f = {0};
  if (standing_settle(w->issuer->standing, &f) &&
      signer_sign(w->signer, w->authorities[from]->key_sha256, w->items + from, n, &f))
    return;
  for (size_t i = from; i < from + n; i++)
    fault_set_code(&w->items[i].fault, f.code, "%s", f.detail);
}

/* How many from here on are signed with one key: nearly always the whole batch. */
static size_t same_authority(const struct worker *w, size_t from)
{
  size_t n = 1;
  while (from + n < w->n && w->authorities[from + n] == w->authorities[from])
    n++;
  return n;
}

static void sign_all(struct worker *w)
{
  for (size_t i = 0; i < w->n; i++) {
    w->items[i].kind = SIGN_CERTIFICATE;
    w->items[i].tbs = buf_bytes(&w->tbs[i]);
    buf_clear(&w->items[i].signature);
  }
  for (size_t from = 0, n; from < w->n; from += n) {
    n = same_authority(w, from);
    sign_part(w, from, n);
  }
}

static bool assemble(struct worker *w, size_t i, struct fault *f)
{
  struct signer_item *item = &w->items[i];
  if (item->fault.code != FAULT_NONE) {
    fault_move(f, &item->fault);
    return false;
  }
  return cert_assemble(item->tbs, w->authorities[i]->alg, buf_bytes(&item->signature),
                       &w->jobs[i]->result.row.der, f);
}

/* The ledger's writer has them next, also those that were not signed. */
static void pass_on(struct worker *w)
{
  struct job_list all = {0};
  for (size_t i = 0; i < w->n; i++)
    if (assemble(w, i, &w->jobs[i]->fault))
      job_list_add(&all, w->jobs[i]);
    else
      decide(w->jobs[i], &all);
  job_queue_put(&w->issuer->ready, &all);
}

static void *run(void *context)
{
  struct worker *w = context;
  struct job_list list;
  const struct job_taker taker = {.takers = w->issuer->n_workers,
                                  .share = 2 * w->issuer->n_workers,
                                  .few = FEW,
                                  .gather_us = GATHER_US,
                                  .most = SIGNER_BATCH_MAX};
  while (job_queue_take(&w->issuer->incoming, &taker, &w->issuer->n_jobs, &list)) {
    prepare_all(w, &list);
    sign_all(w);
    pass_on(w);
  }
  return NULL;
}

/* --- its life --- */

bool worker_new(struct issuer *issuer, unsigned slot, struct key_holder *holder,
                unsigned timeout_ms, struct worker **ret_worker, struct fault *f)
{
  struct worker *w = calloc(1, sizeof *w);
  if (w == NULL)
    return fault_no_memory(f);
  w->issuer = issuer;
  if (!signer_new(holder, slot, timeout_ms, &w->signer, f)) {
    worker_free(w);
    return false;
  }
  *ret_worker = w;
  return true;
}

bool worker_start(struct worker *w, struct fault *f)
{
  return pthread_create(&w->thread, NULL, run, w) == 0 ||
         fault_set(f, INTERNAL, "cannot start a worker");
}

void worker_join(struct worker *w)
{
  pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w)
{
  if (w == NULL)
    return;
  signer_free(w->signer);
  for (size_t i = 0; i < SIGNER_BATCH_MAX; i++) {
    buf_free(&w->tbs[i]);
    buf_free(&w->items[i].signature);
    fault_free(&w->items[i].fault);
  }
  OPENSSL_cleanse(w->random, sizeof w->random);
  free(w);
}
