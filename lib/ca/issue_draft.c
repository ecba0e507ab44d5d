/* issue_draft.c - one request on its way to the octets that are to be signed: first all that is
 * asked of the ledger, then the policy, which is the work. See issue_private.h. */
#include <string.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/issue_private.h"
#include "lib/pki/lint.h"

void draft_free(struct draft *draft)
{
  csr_free(&draft->csr);
  device_bounds_free(&draft->bounds);
  issued_free(&draft->renewed);
  issued_free(&draft->earlier);
  plan_free(&draft->plan);
  *draft = (struct draft){0};
}

/* --- looking up --- */

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

/* With it comes what the request left out. */
static bool find_sources(struct draft *draft, struct issuer *issuer, struct order_shelf *shelf,
                         struct fault *f)
{
  struct issue_request *request = &draft->job->request;
  struct ledger *ledger = issuer->ledger;
  return issue_take_renewal(ledger, request, draft->now_ms / 1000, &draft->renewed, f) &&
         issue_bound_device(ledger, request, &draft->bounds, f) &&
         issue_take_order(ledger, shelf, request, &draft->order, f) &&
         choose_profile(draft->conf, request, &draft->profile, f) &&
         csr_read(buf_bytes(&request->csr), &draft->csr, f) &&
         choose_authority(issuer->authorities, request, &draft->csr, &draft->authority, f);
}

/* A renewal keeps its station too: what a station has made stays its own for as long as it lives,
 * for its subject and for whoever looks for all of them. */
static void copy_labels(const struct draft *draft, struct issued *row)
{
  const struct issue_request *request = &draft->job->request;
  bool renews = request->renews != 0;
  TEXT_COPY(row->device_serial, bytes_of_text(request->device_serial));
  TEXT_COPY(row->profile, bytes_of_text(request->profile));
  TEXT_COPY(row->station, bytes_of_text(renews ? draft->renewed.station : request->station));
  TEXT_COPY(row->order, bytes_of_text(request->order));
  TEXT_COPY(row->model, bytes_of_text(request->model));
  TEXT_COPY(row->authority, bytes_of_text(draft->authority->name));
  row->secret_no = request->secret_no;
  row->is_renewal = renews || request->spares;
  row->renews = request->renews;
  row->renews_proof = renews && request->role != ROLE_DEVICE;
}

bool draft_look_up(struct draft *draft, struct issuer *issuer, struct order_shelf *shelf,
                   struct fault *f)
{
  struct issue_job *job = draft->job;
  struct issued *row = &job->result.row;
  draft->now_ms = when_now_ms();
  if (when_monotonic_ms() > job->deadline_ms)
    return fault_set(f, DEADLINE, "the request waited too long for a worker; try again later");
  if (!find_sources(draft, issuer, shelf, f))
    return false;
  pubkey_sha256(draft->csr.key.spki, row->spki_sha256);
  if (!issue_request_sha256(&job->request, row->spki_sha256, row->request_sha256, f))
    return false;
  copy_labels(draft, row);
  draft->is_judged = true;
  return ledger_foresee(issuer->ledger, row, &job->request.names, job->request.replace,
                        draft->now_ms / 1000, &draft->replayed, &draft->earlier, f);
}

/* --- the policy --- */

/* All that the profile and the order say, and the proof of possession. */
static bool check(struct draft *draft, struct fault *f)
{
  const struct device_bounds *bounds = &draft->bounds;
  const struct issue_request *request = &draft->job->request;
  const struct issued *row = &draft->job->result.row;
  int64_t now = draft->now_ms / 1000;
  const struct profile_request asked = {.csr = &draft->csr,
                                        .device_serial = request->device_serial,
                                        .model = request->model,
                                        .station = row->station,
                                        .order = request->order,
                                        .names = &request->names,
                                        .only = bounds->has_names ? &bounds->names : NULL,
                                        .peer = bounds->is_device ? &bounds->peer : NULL,
                                        .names_are_all = request->renews != 0,
                                        .ends_with_issuer = request->ends_with_issuer,
                                        .public_url = draft->conf->public_url,
                                        .crl_shards = draft->conf->crl.shards};
  return issue_check_renewal(draft->profile, &draft->renewed, row, now, f) &&
         profile_check(draft->profile, &asked, draft->authority, now, row->serial_number,
                       &draft->plan, f) &&
         (draft->order == NULL || order_check_names(draft->order, draft->plan.spec.names, f));
}

bool draft_check(struct draft *draft, const uint8_t random[SERIAL_NUMBER_RANDOM_LEN],
                 struct fault *f)
{
  struct issued *row = &draft->job->result.row;
  row->issued_at_ms = draft->now_ms;
  serial_number_make(draft->conf->instance, draft->now_ms, random, row->serial_number);
  return check(draft, f);
}

bool draft_write(struct draft *draft, struct buf *tbs, struct fault *f)
{
  struct plan *plan = &draft->plan;
  struct issue_job *job = draft->job;
  struct issued *row = &job->result.row;
  buf_clear(tbs);
  if (!cert_build(&plan->spec, tbs, f) || !lint_leaf(buf_bytes(tbs), &plan->spec, f))
    return false;
  row->not_before = plan->spec.not_before;
  row->not_after = plan->spec.not_after;
  row->shard = plan->shard;
  if (plan->spec.names == &plan->names) { /* those of the CSR were copied */
    job->asked = job->request.names;
    job->names_added = true;
    job->request.names = plan->names;
    plan->names = (struct sans){0};
  }
  return true;
}

bool draft_refuse(const struct draft *draft, struct fault *f)
{
  if (draft->is_judged && fault_whose(f->code) == FAULT_PEER)
    csr_verify(&draft->csr, f);
  return false;
}

bool draft_replay(struct draft *draft, struct fault *f)
{
  struct issue_result *result = &draft->job->result;
  if (!csr_verify(&draft->csr, f))
    return false;
  issued_free(&result->row);
  *result = (struct issue_result){.replayed = true, .row = draft->earlier};
  draft->earlier = (struct issued){0};
  return true;
}
