/* answer.c - see answer.h. */
#include "keyd/answer.h"

#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/base/wire.h"
#include "lib/pki/sign_protocol.h"

static struct bytes get_octets(struct wire_reader *in, size_t len)
{
  if (in->failed || in->rest.len < len) {
    in->failed = true;
    return bytes_of(NULL, 0);
  }
  struct bytes octets = bytes_of(in->rest.data, len);
  in->rest = bytes_of(in->rest.data + len, in->rest.len - len);
  return octets;
}

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

/* The signature goes through a buffer of its own that serves the whole batch. */
static void sign_item(struct signing_key *key, enum sign_kind kind, struct bytes tbs,
                      struct instant at, struct buf *signature, struct buf *reply)
{
  AUTO(fault) fault = {0};
  char name[GUARD_NAME_SIZE];
  const char *what = kind == SIGN_CRL ? "CRL" : "certificate";
  buf_clear(signature);
  name[0] = '\0';
  if (key == NULL ? refuse_unknown_key(&fault)
                  : guard_check(&key->guard, kind, tbs, at.now, at.monotonic_ms, name, &fault) &&
                        private_key_sign(key->key, tbs, signature, &fault))
    put_result(reply, SIGN_DONE, buf_bytes(signature));
  else
    put_refusal(reply, what, name, &fault);
}

/* The whole request has its form before the first signature is made. */
static bool is_sign_request(struct bytes request)
{
  struct wire_reader in = {.rest = request};
  get_octets(&in, SIGN_KEY_SHA256_LEN);
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

static bool answer_sign(const struct keys *keys, struct bytes request, struct buf *reply)
{
  struct wire_reader in = {.rest = request};
  AUTO(buf) signature = {0};
  if (!is_sign_request(request))
    return false;
  struct signing_key *key = keys_find(keys, get_octets(&in, SIGN_KEY_SHA256_LEN));
  struct instant at = {.now = when_now(), .monotonic_ms = when_monotonic_ms()};
  uint16_t n = wire_get_u16(&in);
  wire_put_u16(reply, n);
  for (uint16_t i = 0; i < n; i++) {
    enum sign_kind kind = (enum sign_kind)wire_get_u8(&in);
    sign_item(key, kind, wire_get_bytes(&in), at, &signature, reply);
  }
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

static const struct {
  uint8_t type, reply_type;
  bool (*answer)(const struct keys *keys, struct bytes request, struct buf *reply);
} messages[] = {
    {SIGN_REQUEST, SIGN_REPLY, answer_sign},
    {PROBE_REQUEST, PROBE_REPLY, answer_probe},
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
