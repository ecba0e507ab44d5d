/* ocsp.c - see ocsp.h. */
#include "daemon/ocsp.h"

#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "daemon/ocsp_cache.h"
#include "lib/base/when.h"
#include "lib/ca/revocation.h"
#include "lib/pki/ocsp_response.h"

struct ocsp {
  struct ledger *ledger;
  struct standing *standing; /* may be NULL */
  struct ocsp_responders *responders;
  struct ocsp_cache *cache;
  _Atomic int64_t validity_s;
};

/* One request on its way to its answer. */
struct question {
  struct ocsp *ocsp;
  struct ocsp_request request;
  int64_t now, checked_id;
  struct ocsp_responder *responder;
  struct ocsp_credential *credential; /* held */
};

static void question_free(struct question *question)
{
  ocsp_credential_release(question->credential);
}
AUTO_VALUE(question, struct question, question_free)

/* --- what is on record --- */

static bool look_up(const struct question *q, const struct ocsp_cert_id *id,
                    struct ocsp_single *ret_single, struct fault *f)
{
  static const enum ocsp_status statuses[] = {[REVOCATION_UNKNOWN] = OCSP_UNKNOWN,
                                              [REVOCATION_GOOD] = OCSP_GOOD,
                                              [REVOCATION_REVOKED] = OCSP_REVOKED};
  const struct authority *authority = ocsp_responder_authority(q->responder);
  struct revocation_status status;
  if (!ledger_revocation_of(q->ocsp->ledger, authority->name, id->serial_number, &status, f))
    return false;
  *ret_single = (struct ocsp_single){.cert_id = id->whole, .status = statuses[status.state]};
  if (status.state == REVOCATION_REVOKED) {
    ret_single->revoked_at = status.at;
    ret_single->reason = (unsigned)status.reason;
  }
  return true;
}

static bool is_same(const struct ocsp_single *a, const struct ocsp_single *b)
{
  return a->status == b->status && a->revoked_at == b->revoked_at && a->reason == b->reason;
}

/* --- signing --- */

/* An answer holds no longer than the certificate of who signs it. */
static struct ocsp_answer begin_answer(const struct question *q, const struct ocsp_single *singles,
                                       size_t n)
{
  int64_t next_update = q->now + atomic_load(&q->ocsp->validity_s);
  if (next_update > q->credential->not_after)
    next_update = q->credential->not_after;
  return (struct ocsp_answer){.singles = singles,
                              .n = n,
                              .this_update = q->now,
                              .next_update = next_update,
                              .nonce = q->request.nonce,
                              .key = q->credential->key,
                              .certificate = buf_bytes(&q->credential->der)};
}

/* Half of its validity is for who asks: whoever gets an answer can use it that long. */
static struct ocsp_reply reply_of(int64_t this_update, int64_t next_update)
{
  return (struct ocsp_reply){this_update, next_update,
                             this_update + (next_update - this_update) / 2};
}

/* --- one certificate, no nonce: the same answer for everybody --- */

static bool wrap(const struct question *q, const struct ocsp_cached *cached, struct buf *ret_der,
                 struct ocsp_reply *ret_reply, struct fault *f)
{
  *ret_reply = reply_of(cached->this_update, cached->next_update);
  return ocsp_response_wrap(bytes_of(cached->octets, cached->data_len),
                            private_key_alg(q->credential->key),
                            bytes_of(cached->octets + cached->data_len, cached->signature_len),
                            buf_bytes(&q->credential->der), ret_der, f);
}

/* Of what was never issued there is no end: whoever asks for that does not get others' answers out
 * of the cache. */
static bool sign_one(const struct question *q, const uint8_t key[OCSP_CACHE_KEY_LEN],
                     const struct ocsp_single *single, struct ocsp_cached *ret_cached,
                     struct fault *f)
{
  AUTO(buf) data = {0};
  AUTO(buf) signature = {0};
  const struct ocsp_answer answer = begin_answer(q, single, 1);
  if (!ocsp_response_sign(&answer, &data, &signature, f))
    return false;
  if (data.len + signature.len > OCSP_CACHED_MAX)
    return fault_set(f, INTERNAL, "an OCSP answer of %zu octets", data.len + signature.len);
  *ret_cached = (struct ocsp_cached){.this_update = answer.this_update,
                                     .next_update = answer.next_update,
                                     .checked_id = q->checked_id,
                                     .credential = q->credential->number,
                                     .is = *single,
                                     .data_len = (uint16_t)data.len,
                                     .signature_len = (uint16_t)signature.len};
  memcpy(ret_cached->octets, data.data, data.len);
  memcpy(ret_cached->octets + data.len, signature.data, signature.len);
  ret_cached->is.cert_id = (struct bytes){0};
  if (single->status != OCSP_UNKNOWN)
    ocsp_cache_put(q->ocsp->cache, key, ret_cached);
  return true;
}

/* Until half of its validity is over, unless the clock was set back. */
static bool is_fresh(const struct question *q, const struct ocsp_cached *cached)
{
  return cached->credential == q->credential->number && q->now >= cached->this_update &&
         q->now < reply_of(cached->this_update, cached->next_update).renew_at;
}

static bool take_cached(const struct question *q, const uint8_t key[OCSP_CACHE_KEY_LEN],
                        struct ocsp_cached *ret_cached)
{
  return ocsp_cache_get(q->ocsp->cache, key, ret_cached) && is_fresh(q, ret_cached);
}

/* Something was revoked since an answer was signed: so the ledger is asked, and nothing is signed
 * when it says the same. A revocation is in the very next answer. */
static bool answer_one(const struct question *q, struct buf *ret_der, struct ocsp_reply *ret_reply,
                       struct fault *f)
{
  const struct ocsp_cert_id *id = &q->request.asked[0];
  uint8_t key[OCSP_CACHE_KEY_LEN];
  struct ocsp_cached cached;
  struct ocsp_single now_is;
  SHA256(id->whole.data, id->whole.len, key);
  bool found = take_cached(q, key, &cached);
  if (found && cached.checked_id == q->checked_id)
    return wrap(q, &cached, ret_der, ret_reply, f);
  if (!look_up(q, id, &now_is, f))
    return false;
  if (found && is_same(&cached.is, &now_is)) {
    cached.checked_id = q->checked_id;
    ocsp_cache_put(q->ocsp->cache, key, &cached);
  } else if (!sign_one(q, key, &now_is, &cached, f)) {
    return false;
  }
  return wrap(q, &cached, ret_der, ret_reply, f);
}

/* --- any other --- */

static bool is_of_responder(const struct question *q, const struct ocsp_cert_id *id)
{
  return ocsp_responders_find(q->ocsp->responders, id, q->now) == q->responder;
}

static bool answer_all(const struct question *q, struct buf *ret_der, struct ocsp_reply *ret_reply,
                       struct fault *f)
{
  struct ocsp_single singles[OCSP_ASKED_MAX];
  size_t n = q->request.n_asked;
  for (size_t i = 0; i < n; i++) {
    const struct ocsp_cert_id *id = &q->request.asked[i];
    singles[i] = (struct ocsp_single){.cert_id = id->whole, .status = OCSP_UNKNOWN};
    if (is_of_responder(q, id) && !look_up(q, id, &singles[i], f))
      return false;
  }
  const struct ocsp_answer answer = begin_answer(q, singles, n);
  *ret_reply = reply_of(answer.this_update, answer.next_update);
  return ocsp_response_build(&answer, ret_der, f);
}

/* --- the whole --- */

/* The responder of the first authority of ours that is named; NULL: none is. */
static struct ocsp_responder *find_responder(const struct question *q)
{
  struct ocsp_responder *responder = NULL;
  for (size_t i = 0; i < q->request.n_asked && responder == NULL; i++)
    responder = ocsp_responders_find(q->ocsp->responders, &q->request.asked[i], q->now);
  return responder;
}

static bool answer(const struct question *q, struct buf *ret_der, struct ocsp_reply *ret_reply,
                   struct fault *f)
{
  bool is_common = q->request.n_asked == 1 && q->request.nonce.len == 0;
  return is_common ? answer_one(q, ret_der, ret_reply, f) : answer_all(q, ret_der, ret_reply, f);
}

static bool end_with_error(enum ocsp_error error, struct buf *ret_der)
{
  ocsp_response_error(error, ret_der);
  return true;
}

bool ocsp_answer(struct ocsp *ocsp, struct bytes request, struct ocsp_waiter *waiter,
                 struct buf *ret_der, struct ocsp_reply *ret_reply, struct fault *f)
{
  /* What was revoked last is asked for before the ledger is, so that what comes in between is
   * looked up again. */
  AUTO(question)
  q = {.ocsp = ocsp, .now = when_now(), .checked_id = ledger_last_revocation(ocsp->ledger)};
  *ret_reply = (struct ocsp_reply){0};
  if (!ocsp_request_read(request, &q.request, f))
    return end_with_error(OCSP_MALFORMED_REQUEST, ret_der);
  /* An older ledger would call good, or unknown, what somebody was told is revoked. */
  if (!standing_check(ocsp->standing, f))
    return end_with_error(OCSP_TRY_LATER, ret_der);
  q.responder = find_responder(&q);
  if (q.responder == NULL)
    return end_with_error(OCSP_UNAUTHORIZED, ret_der);
  switch (ocsp_responder_ask(q.responder, q.now, waiter, &q.credential)) {
  case OCSP_COMING:
    return false;
  case OCSP_NOT_NOW:
    fault_set(f, BUSY, "the OCSP responder of authority %s has no certificate",
              ocsp_responder_authority(q.responder)->name);
    return end_with_error(OCSP_TRY_LATER, ret_der);
  case OCSP_READY:
    break;
  }
  if (answer(&q, ret_der, ret_reply, f))
    return true;
  *ret_reply = (struct ocsp_reply){0};
  return end_with_error(OCSP_TRY_LATER, ret_der);
}

/* --- its life --- */

void ocsp_reload(struct ocsp *ocsp, const struct conf *conf)
{
  atomic_store(&ocsp->validity_s, conf->ocsp.validity_s);
  ocsp_responders_reload(ocsp->responders, conf->public_url != NULL);
}

bool ocsp_start(const struct conf *conf, const struct authorities *authorities,
                struct issuer *issuer, struct ledger *ledger, struct standing *standing,
                struct ocsp **ret_ocsp, struct fault *f)
{
  struct ocsp *ocsp = calloc(1, sizeof *ocsp);
  if (ocsp == NULL)
    return fault_no_memory(f);
  ocsp->ledger = ledger;
  ocsp->standing = standing;
  atomic_store(&ocsp->validity_s, conf->ocsp.validity_s);
  if (!ocsp_cache_new(conf->ocsp.cache, &ocsp->cache, f) ||
      !ocsp_responders_start(authorities, issuer, conf->public_url != NULL, &ocsp->responders, f)) {
    ocsp_free(ocsp);
    return false;
  }
  *ret_ocsp = ocsp;
  return true;
}

void ocsp_stop(struct ocsp *ocsp)
{
  if (ocsp != NULL)
    ocsp_responders_stop(ocsp->responders);
}

void ocsp_free(struct ocsp *ocsp)
{
  if (ocsp == NULL)
    return;
  ocsp_responders_free(ocsp->responders);
  ocsp_cache_free(ocsp->cache);
  free(ocsp);
}
