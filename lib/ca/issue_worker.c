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

enum { RANDOM_LEN = 9, RANDOM_POOL = 455 * RANDOM_LEN };

struct worker {
  struct issuer *issuer;
  struct signer *signer;
  pthread_t thread;
  uint8_t random[RANDOM_POOL];
  size_t random_left;
  /* The batch: jobs, by whom each is issued, and what is to be signed. Buffers keep their memory.
   */
  struct issue_job *jobs[SIGNER_BATCH_MAX];
  const struct authority *authorities[SIGNER_BATCH_MAX];
  struct buf tbs[SIGNER_BATCH_MAX];
  struct signer_item items[SIGNER_BATCH_MAX];
  size_t n;
};

/* One system call for many serial numbers. Used octets are wiped, and none is used twice. */
static bool take_random(struct worker *w, uint8_t ret_random[RANDOM_LEN], struct fault *f)
{
  if (w->random_left < RANDOM_LEN) {
    if (RAND_bytes(w->random, sizeof w->random) != 1)
      return fault_set(f, INTERNAL, "the random generator does not work");
    w->random_left = sizeof w->random;
  }
  w->random_left -= RANDOM_LEN;
  memcpy(ret_random, w->random + w->random_left, RANDOM_LEN);
  OPENSSL_cleanse(w->random + w->random_left, RANDOM_LEN);
  return true;
}

/* --- one job --- */

/* What a request is held against. */
struct sources {
  const struct conf *conf;
  const struct profile *profile;
  const struct authority *authority;
  struct order order;
  struct device_bounds bounds;
  struct issued renewed; /* of a renewal: the certificate that it renews */
};
static void sources_free(struct sources *from)
{
  device_bounds_free(&from->bounds);
  issued_free(&from->renewed);
}
AUTO_VALUE(sources, struct sources, sources_free)

/* What the daemon needs for itself may be an earlier authority's to issue. */
static bool choose_authority(const struct authorities *authorities,
                             const struct issue_request *request, const struct csr *csr,
                             const struct authority **ret_authority, struct fault *f)
{
  const struct authority *authority = request->authority[0] == '\0'
                                          ? authorities_active(authorities)
                                          : authorities_named(authorities, request->authority);
  if (authority == NULL)
    return fault_set(f, UNKNOWN_AUTHORITY, "there is no authority %s", request->authority);
  if (authorities_have_key(authorities, csr->key.spki))
    return fault_set(f, KEY_NOT_ALLOWED, "this is an authority's own key");
  *ret_authority = authority;
  return true;
}

/* From here on the request names its profile, given or not. Who holds a certificate may renew it
 * where the profile lets him, whoever may ask for a first one. */
static bool choose_profile(const struct conf *conf, struct issue_request *request,
                           const struct profile **ret_profile, struct fault *f)
{
  const struct profile *profile =
      request->profile[0] != '\0' ? conf_profile(conf, request->profile) : conf->default_profile;
  if (profile == NULL && request->profile[0] == '\0')
    return fault_set(f, UNKNOWN_PROFILE, "the request names no profile, and there is no default");
  if (profile == NULL)
    return fault_set(f, UNKNOWN_PROFILE, "there is no profile %s", request->profile);
  if (request->renews == 0 && !profile_takes_role(profile, request->role))
    return fault_set(f, FORBIDDEN, "a %s may not ask under profile %s", role_name(request->role),
                     profile->name);
  TEXT_COPY(request->profile, bytes_of_text(profile->name));
  *ret_profile = profile;
  return true;
}

/* A renewal keeps its station too: what a station has made stays its own for as long as it lives,
 * for its subject and for whoever looks for all of them. */
static void copy_labels(const struct issue_request *request, const struct sources *from,
                        struct issued *row)
{
  bool renews = request->renews != 0;
  TEXT_COPY(row->device_serial, bytes_of_text(request->device_serial));
  TEXT_COPY(row->profile, bytes_of_text(request->profile));
  TEXT_COPY(row->station, bytes_of_text(renews ? from->renewed.station : request->station));
  TEXT_COPY(row->order, bytes_of_text(request->order));
  TEXT_COPY(row->model, bytes_of_text(request->model));
  TEXT_COPY(row->authority, bytes_of_text(from->authority->name));
  row->secret_no = request->secret_no;
  row->is_renewal = renews || request->spares;
  row->renews = request->renews;
  row->renews_proof = renews && request->role != ROLE_DEVICE;
}

/* True and *ret_replayed: the job has its answer. What the ledger knows of a key is told to who has
 * the key alone; a request that goes on is verified by the policy. */
static bool look_back(struct worker *w, const struct csr *csr, struct issue_job *job, int64_t now,
                      bool *ret_replayed, struct fault *f)
{
  AUTO(issued) earlier = {0};
  bool replayed = false;
  if (!ledger_foresee(w->issuer->ledger, &job->result.row, &job->request.names,
                      job->request.replace, now, &replayed, &earlier, f)) {
    if (fault_whose(f->code) == FAULT_PEER)
      csr_verify(csr, f);
    return false;
  }
  if (replayed && !csr_verify(csr, f))
    return false;
  if (replayed) {
    issued_free(&job->result.row);
    job->result = (struct issue_result){.replayed = true, .row = earlier};
    earlier = (struct issued){0};
  }
  *ret_replayed = replayed;
  return true;
}

/* The policy, and the octets to be signed. */
static bool build(const struct sources *from, const struct csr *csr, struct issue_job *job,
                  int64_t now, struct buf *tbs, struct fault *f)
{
  const struct device_bounds *bounds = &from->bounds;
  struct issue_request *request = &job->request;
  struct issued *row = &job->result.row;
  const struct profile_request asked = {.csr = csr,
                                        .device_serial = request->device_serial,
                                        .model = request->model,
                                        .station = row->station,
                                        .order = request->order,
                                        .names = &request->names,
                                        .only = bounds->has_names ? &bounds->names : NULL,
                                        .peer = bounds->is_device ? &bounds->peer : NULL,
                                        .names_are_all = request->renews != 0,
                                        .ends_with_issuer = request->ends_with_issuer,
                                        .public_url = from->conf->public_url,
                                        .crl_shards = from->conf->crl.shards};
  AUTO(plan) plan = {0};
  buf_clear(tbs);
  if (!issue_check_renewal(from->profile, &from->renewed, row, now, f) ||
      !profile_check(from->profile, &asked, from->authority, now, row->serial_number, &plan, f) ||
      !order_check_names(&from->order, plan.spec.names, f) || !cert_build(&plan.spec, tbs, f) ||
      !lint_leaf(buf_bytes(tbs), &plan.spec, f))
    return false;
  row->not_before = plan.spec.not_before;
  row->not_after = plan.spec.not_after;
  row->shard = plan.shard;
  if (plan.spec.names == &plan.names) { /* those of the CSR were copied */
    job->asked = request->names;
    job->names_added = true;
    request->names = plan.names;
    plan.names = (struct sans){0};
  }
  return true;
}

/* Everything that is looked up, and with it what the request left out. */
static bool find_sources(const struct worker *w, struct issue_request *request, int64_t now,
                         struct sources *from, struct fault *f)
{
  struct ledger *ledger = w->issuer->ledger;
  return issue_take_renewal(ledger, request, now, &from->renewed, f) &&
         issue_bound_device(ledger, request, &from->bounds, f) &&
         issue_take_order(ledger, request, &from->order, f) &&
         choose_profile(from->conf, request, &from->profile, f);
}

/* True when the job is to be signed, with its octets in `tbs`, or (*ret_replayed) when it has its
 * answer already. */
static bool prepare(struct worker *w, const struct conf *conf, struct issue_job *job,
                    struct buf *tbs, bool *ret_replayed, struct fault *f)
{
  struct issued *row = &job->result.row;
  uint8_t random[RANDOM_LEN];
  AUTO(csr) csr = {0};
  AUTO(sources) from = {.conf = conf};
  int64_t now_ms = when_now_ms(), now = now_ms / 1000;
  *ret_replayed = false;
  if (when_monotonic_ms() > job->deadline_ms)
    return fault_set(f, DEADLINE, "the request waited too long for a worker; try again later");
  if (!find_sources(w, &job->request, now, &from, f) ||
      !csr_read(buf_bytes(&job->request.csr), &csr, f) ||
      !choose_authority(w->issuer->authorities, &job->request, &csr, &from.authority, f))
    return false;
  pubkey_sha256(csr.key.spki, row->spki_sha256);
  if (!issue_request_sha256(&job->request, row->spki_sha256, row->request_sha256, f))
    return false;
  copy_labels(&job->request, &from, row);
  if (!look_back(w, &csr, job, now, ret_replayed, f) || *ret_replayed)
    return *ret_replayed;
  if (!take_random(w, random, f))
    return false;
  row->issued_at_ms = now_ms;
  serial_number_make(conf->instance, now_ms, random, row->serial_number);
  w->authorities[w->n] = from.authority;
  return build(&from, &csr, job, now, tbs, f);
}

/* --- a batch --- */

/* It needs no row any more: the writer has it for its event. */
static void decide(struct issue_job *job, struct job_list *decided)
{
  job->decided = true;
  job_list_add(decided, job);
}

/* Those that need no signature do not wait for one. The writer is closed only after the workers
 * have ended. */
static void prepare_all(struct worker *w, struct job_list *list)
{
  struct conf *conf = issuer_conf(w->issuer);
  struct job_list decided = {0};
  struct issue_job *job;
  w->n = 0;
  while ((job = job_list_take(list)) != NULL) {
    bool replayed;
    if (prepare(w, conf, job, &w->tbs[w->n], &replayed, &job->fault) && !replayed)
      w->jobs[w->n++] = job;
    else
      decide(job, &decided);
  }
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
  while (job_queue_take(&w->issuer->incoming, w->issuer->n_workers, SIGNER_BATCH_MAX, &list)) {
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
