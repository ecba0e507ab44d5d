/* answer.c - see answer.h. */
#include "keyd/answer.h"

#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/base/wire.h"
#include "lib/pki/sign_protocol.h"

static void put_result(struct buf *reply, enum sign_status status, struct bytes octets)
{
  wire_put_u8(reply, (uint8_t)status);
  wire_put_bytes(reply, octets);
}

/* `f` is of the guard or the key. */
static void put_refusal(struct buf *reply, const char *what, const char *name,
                        const struct fault *f)
{
  const char *reason = f->detail;
  log_say(LOG_LEVEL_WARNING, "refused to sign", LOG_TEXT("what", what),
          LOG_TEXT("serial_number", name), LOG_TEXT("reason", reason));
  put_result(reply, f->code == FAULT_SIGNER_SPENT ? SIGN_LATER : SIGN_REFUSED,
             bytes_of_text(reason));
}

static bool refuse_unknown_key(struct fault *f)
{
  return fault_set(f, SIGNER_REFUSED, "there is no such key here");
}

struct instant {
  int64_t now, monotonic_ms;
};

/* May this be signed? A CRL's number is taken by that. */
static bool check_item(const struct keys *keys, struct signing_key *key, enum sign_kind kind,
                       struct bytes tbs, struct instant at, struct guard_subject *ret_subject,
                       struct fault *f)
{
  if (key == NULL)
    return refuse_unknown_key(f);
  return guard_check(&key->guard, kind, tbs, at.now, at.monotonic_ms, ret_subject, f) &&
         (kind != SIGN_CRL ||
          state_take_crl_number(keys->state, key->sha256, ret_subject->crl_number, f));
}

/* One of a batch: first all are checked, then all are signed, since a signature sweeps over tables
 * that drive what checks need out of the nearest caches. */
struct item {
  enum sign_kind kind;
  struct bytes tbs;
  struct guard_subject subject;
  bool may_be_signed;
  size_t refused_at, refused_len; /* otherwise: its result within the batch's refusals */
};

/* What serves the whole batch, one item after the other. */
struct item_space {
  struct buf signature, refusals;
  struct fault fault;
};

static void put_item_refusal(struct buf *out, const struct item *item, struct item_space *space)
{
  put_refusal(out, item->kind == SIGN_CRL ? "CRL" : "certificate", item->subject.name,
              &space->fault);
  fault_free(&space->fault);
}

static void take_item(const struct keys *keys, struct signing_key *key, struct instant at,
                      struct wire_reader *in, struct item_space *space, struct item *ret_item)
{
  struct item *item = ret_item;
  item->kind = (enum sign_kind)wire_get_u8(in);
  item->tbs = wire_get_bytes(in);
  item->subject = (struct guard_subject){.name = ""};
  item->refused_at = space->refusals.len;
  item->may_be_signed =
      check_item(keys, key, item->kind, item->tbs, at, &item->subject, &space->fault);
  if (!item->may_be_signed)
    put_item_refusal(&space->refusals, item, space);
  item->refused_len = space->refusals.len - item->refused_at;
}

/* False: refused. */
static bool sign_item(struct signing_key *key, const struct item *item, struct item_space *space,
                      struct buf *reply)
{
  buf_clear(&space->signature);
  if (!item->may_be_signed) {
    buf_add(reply, space->refusals.data + item->refused_at, item->refused_len);
    return false;
  }
  if (private_key_sign(key->key, item->tbs, &space->signature, &space->fault)) {
    put_result(reply, SIGN_DONE, buf_bytes(&space->signature));
    return true;
  }
  put_item_refusal(reply, item, space);
  return false;
}

static void item_space_free(struct item_space *space)
{
  buf_free(&space->signature);
  buf_free(&space->refusals);
  fault_free(&space->fault);
}

AUTO_VALUE(item_space, struct item_space, item_space_free)

/* The whole request has its form before the first signature is made. */
static bool is_sign_request(struct bytes request)
{
  struct wire_reader in = {.rest = request};
  wire_get_octets(&in, SIGN_KEY_SHA256_LEN);
  size_t n = wire_get_u16(&in);
  if (n == 0 || n > SIGN_BATCH_MAX)
    return false;
  for (size_t i = 0; i < n; i++) {
    uint8_t kind = wire_get_u8(&in);
    if (kind != SIGN_CERTIFICATE && kind != SIGN_CRL)
      return false;
    wire_get_bytes(&in);
  }
  return wire_at_end(&in);
}

/* In place of what the reply holds already: signatures that were not counted do not go out. */
static void refuse_all(struct buf *reply, size_t start, uint16_t n, const struct fault *f)
{
  log_say(LOG_LEVEL_ERROR, "cannot count what was signed", LOG_TEXT("reason", f->detail));
  reply->len = start;
  for (uint16_t i = 0; i < n; i++)
    put_result(reply, SIGN_REFUSED, bytes_of_text(f->detail));
}

static bool answer_sign(const struct keys *keys, struct bytes request, struct buf *reply)
{
  struct wire_reader in = {.rest = request};
  AUTO(item_space) space = {0};
  struct item items[SIGN_BATCH_MAX];
  uint64_t n_certificates = 0;
  if (!is_sign_request(request))
    return false;
  struct signing_key *key = keys_find(keys, wire_get_octets(&in, SIGN_KEY_SHA256_LEN));
  struct instant at = {.now = when_now(), .monotonic_ms = when_monotonic_ms()};
  uint16_t n = wire_get_u16(&in);
  wire_put_u16(reply, n);
  size_t start = reply->len;
  for (uint16_t i = 0; i < n; i++)
    take_item(keys, key, at, &in, &space, &items[i]);
  for (uint16_t i = 0; i < n; i++)
    n_certificates += sign_item(key, &items[i], &space, reply) && items[i].kind == SIGN_CERTIFICATE;
  reply->failed |= space.refusals.failed;
  if (n_certificates > 0 &&
      !state_count_signed(keys->state, key->sha256, n_certificates, &space.fault))
    refuse_all(reply, start, n, &space.fault);
  return true;
}

static bool answer_probe(const struct keys *keys, struct bytes request, struct buf *reply)
{
  AUTO(fault) fault = {0};
  if (request.len != SIGN_KEY_SHA256_LEN)
    return false;
  struct signing_key *key = keys_find(keys, request);
  if (key == NULL ? refuse_unknown_key(&fault)
                  : signing_key_probe(key, when_now(), &fault) &&
                        guard_check_room(&key->guard, when_monotonic_ms(), &fault))
    put_result(reply, SIGN_DONE, bytes_of(NULL, 0));
  else
    put_refusal(reply, "probe", "", &fault);
  return true;
}

static void put_counts(struct buf *reply, const struct state_counts *counts)
{
  AUTO(buf) octets = {0};
  wire_put_u64(&octets, counts->n_signed);
  wire_put_u64(&octets, counts->recorded);
  wire_put_u64(&octets, counts->crl_number);
  put_result(reply, SIGN_DONE, buf_bytes(&octets));
  reply->failed |= octets.failed;
}

static bool answer_count(const struct keys *keys, struct bytes request, struct buf *reply)
{
  struct wire_reader in = {.rest = request};
  AUTO(fault) fault = {0};
  struct state_counts counts;
  const struct signing_key *key = keys_find(keys, wire_get_octets(&in, SIGN_KEY_SHA256_LEN));
  uint64_t recorded = wire_get_u64(&in);
  if (!wire_at_end(&in))
    return false;
  if (key == NULL ? refuse_unknown_key(&fault)
                  : state_record(keys->state, key->sha256, recorded, &counts, &fault))
    put_counts(reply, &counts);
  else
    put_refusal(reply, "count", "", &fault);
  return true;
}

static bool answer_hello(const struct keys *keys, struct bytes request, struct buf *reply)
{
  wire_put_u16(reply, (uint16_t)keys->n);
  return request.len == 0;
}

static const struct {
  uint8_t type, reply_type;
  bool (*answer)(const struct keys *keys, struct bytes request, struct buf *reply);
} messages[] = {
    {SIGN_REQUEST, SIGN_REPLY, answer_sign},
    {PROBE_REQUEST, PROBE_REPLY, answer_probe},
    {COUNT_REQUEST, COUNT_REPLY, answer_count},
    {HELLO_REQUEST, HELLO_REPLY, answer_hello},
};

bool answer_request(const struct keys *keys, uint8_t type, struct bytes request, uint8_t *ret_type,
                    struct buf *ret_reply)
{
  for (size_t i = 0; i < ARRAY_LEN(messages); i++)
    if (messages[i].type == type) {
      *ret_type = messages[i].reply_type;
      return messages[i].answer(keys, request, ret_reply) && buf_ok(ret_reply);
    }
  return false;
}
