/* rest_principal.c - /v1/principals: who may ask. */
#include <stddef.h>
#include <string.h>

#include "daemon/fields.h"
#include "daemon/json_text.h"
#include "daemon/rest.h"
#include "daemon/rest_reply.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

static bool put_name(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct principal *principal = to;
  if (!principal_name_is_valid(text) || !TEXT_COPY(principal->name, text))
    return fault_set(f, BAD_FIELD, "%s must be 1 to %d of A-Z a-z 0-9 - _", field->name,
                     PRINCIPAL_NAME_SIZE - 1);
  return true;
}

/* A device gets its principal by enrolling, not by an administrator's word. */
static bool put_role(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct principal *principal = to;
  if (!role_named(text, &principal->role) || principal->role == ROLE_DEVICE)
    return fault_set(f, BAD_FIELD, "%s must be station, operator, auditor or admin", field->name);
  return true;
}

/* --- what a principal shows --- */

/* What a request says of it. */
struct shows {
  struct principal principal;
  char trust[65];
  uint8_t serial_number[SERIAL_NUMBER_LEN];
  bool by_certificate, by_trust;
};

static bool put_certificate(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct shows *shows = to;
  size_t len = 0;
  if (!text_unhex(text, shows->serial_number, sizeof shows->serial_number, &len) ||
      len != sizeof shows->serial_number)
    return fault_set(f, BAD_FIELD, "%s must be a serial number: %d hexadecimal digits", field->name,
                     2 * SERIAL_NUMBER_LEN);
  shows->by_certificate = true;
  return true;
}

static bool put_trust(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct shows *shows = to;
  if (!text_is_token(text, sizeof shows->trust - 1, "-_.") || !TEXT_COPY(shows->trust, text))
    return fault_set(f, BAD_FIELD, "%s must be the name of a trust of the configuration",
                     field->name);
  shows->by_trust = true;
  return true;
}

_Static_assert(offsetof(struct shows, principal) == 0, "put_name and put_role take either");

static const struct field fields[] = {
    {"name", .type = FIELD_STRING, .required = true, .put = put_name},
    {"role", .type = FIELD_STRING, .required = true, .put = put_role},
    {"certificate", .type = FIELD_STRING, .put = put_certificate},
    {"trust", .type = FIELD_STRING, .put = put_trust},
};
static const struct field_table of_new = {fields, ARRAY_LEN(fields), FAULT_UNKNOWN_FIELD};
/* The path names who it is, and the role stays. */
static const struct field_table of_rotate = {fields + 2, 1, FAULT_UNKNOWN_FIELD};
static const struct field_table of_switch = {NULL, 0, FAULT_UNKNOWN_FIELD};

/* Only what was issued to this very name under the profile of stations can stand for it. */
static bool prove_by_certificate(const struct exchange *x, const struct shows *shows,
                                 uint8_t ret_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  AUTO(issued) row = {0};
  if (!ledger_get(x->service->ledger, bytes_of(shows->serial_number, SERIAL_NUMBER_LEN), when_now(),
                  &row, f))
    return false;
  if (strcmp(row.profile, "station") != 0 ||
      strcmp(row.device_serial, shows->principal.name) != 0 || row.status != STATUS_VALID)
    return fault_set(f, BAD_FIELD,
                     "certificate must be a valid one of profile station with the device_serial %s",
                     shows->principal.name);
  memcpy(ret_sha256, row.spki_sha256, TOKEN_SHA256_LEN);
  return true;
}

static bool prove_by_trust(const struct shows *shows, uint8_t ret_sha256[TOKEN_SHA256_LEN],
                           struct fault *f)
{
  if (shows->principal.role != ROLE_STATION)
    return fault_set(f, BAD_FIELD, "a trust can vouch for the role station alone");
  proof_of_trust(shows->trust, ret_sha256);
  return true;
}

/* A new token is appended; there is none for other proofs. */
static bool make_proof(const struct exchange *x, struct shows *shows, struct buf *ret_token,
                       uint8_t ret_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  struct principal *principal = &shows->principal;
  if (shows->by_certificate && shows->by_trust)
    return fault_set(f, BAD_FIELD, "give certificate or trust, not both");
  principal->proof = shows->by_certificate ? PROOF_CERTIFICATE
                     : shows->by_trust     ? PROOF_TRUST
                                           : PROOF_TOKEN;
  if (shows->by_certificate)
    return prove_by_certificate(x, shows, ret_sha256, f);
  if (shows->by_trust)
    return prove_by_trust(shows, ret_sha256, f);
  return principal_make_token(principal->name, ret_token, ret_sha256, f);
}

/* --- replies --- */

static void add_principal(struct buf *out, const struct principal *principal)
{
  char when[WHEN_TEXT_SIZE];
  when_text(when, principal->created_at);
  json_add_comma(out);
  buf_add_u8(out, '{');
  json_add_member(out, "name", bytes_of_text(principal->name));
  json_add_member(out, "role", bytes_of_text(role_name(principal->role)));
  json_add_member(out, "proof", bytes_of_text(proof_name(principal->proof)));
  json_add_member(out, "created_at", bytes_of_text(when));
  when_text(when, principal->disabled_at);
  json_add_member(out, "disabled_at", bytes_of_text(principal->disabled_at != 0 ? when : ""));
}

/* Before anything is written, so that a token is sure to be told. */
static bool prepare_reply(struct exchange *x, const struct principal *principal,
                          const struct buf *token, struct fault *f)
{
  struct buf *body = &x->reply.body;
  x->reply.secret = true;
  add_principal(body, principal);
  if (token->len > 0)
    json_add_member(body, "token", buf_bytes(token));
  buf_add_u8(body, '}');
  return buf_ok(body) || fault_no_memory(f);
}

static bool read_body(const struct exchange *x, const struct field_table *table,
                      struct shows *shows, struct fault *f)
{
  if (strcmp(x->content_type, "application/json") != 0)
    return fault_set(f, UNSUPPORTED_MEDIA_TYPE, "send application/json");
  return fields_from_json(table, buf_bytes(&x->body), shows, f);
}

/* --- adding --- */

static bool add_and_reply(struct exchange *x, struct fault *f)
{
  struct shows shows = {.principal = {.created_at = when_now()}};
  const struct event who = who_asks(x);
  AUTO(secret_buf) token = {0};
  uint8_t sha256[TOKEN_SHA256_LEN];
  return read_body(x, &of_new, &shows, f) && make_proof(x, &shows, &token, sha256, f) &&
         prepare_reply(x, &shows.principal, &token, f) &&
         ledger_add_principal(x->service->ledger, &shows.principal, sha256, &who, f);
}

enum handled rest_add_principal(struct exchange *x)
{
  AUTO(fault) f = {0};
  bool done = add_and_reply(x, &f);
  return rest_reply_json(x, 201, done, &f);
}

/* --- changing --- */

/* The one that the path names. */
static bool find(const struct exchange *x, struct principal *ret_principal, struct fault *f)
{
  uint8_t sha256[TOKEN_SHA256_LEN];
  bool found = false;
  if (!ledger_find_principal(x->service->ledger, x->path_value, &found, ret_principal, sha256, f))
    return false;
  return found || fault_set(f, UNKNOWN_PRINCIPAL, "there is no principal %s", x->path_value);
}

static bool rotate_and_reply(struct exchange *x, struct fault *f)
{
  struct shows shows = {0};
  const struct event who = who_asks(x);
  AUTO(secret_buf) token = {0};
  uint8_t sha256[TOKEN_SHA256_LEN];
  if (!read_body(x, &of_rotate, &shows, f) || !find(x, &shows.principal, f))
    return false;
  if (shows.principal.proof == PROOF_TRUST && !shows.by_certificate)
    return fault_set(f, BAD_FIELD, "another authority makes its certificates: ask that one");
  if (shows.principal.proof == PROOF_CERTIFICATE && !shows.by_certificate)
    return fault_set(f, BAD_FIELD, "it shows a certificate: issue a new one and name it here");
  return make_proof(x, &shows, &token, sha256, f) &&
         prepare_reply(x, &shows.principal, &token, f) &&
         ledger_rotate_principal(x->service->ledger, shows.principal.name, shows.principal.proof,
                                 sha256, &who, f);
}

enum handled rest_rotate_principal(struct exchange *x)
{
  AUTO(fault) f = {0};
  bool done = rotate_and_reply(x, &f);
  return rest_reply_json(x, 200, done, &f);
}

/* Whoever disables himself could not take it back: so one administrator is always left. */
static bool disable_and_reply(struct exchange *x, int64_t disabled_at, struct fault *f)
{
  struct shows shows = {0};
  const struct event who = who_asks(x);
  const struct buf no_token = {0};
  if (!read_body(x, &of_switch, &shows, f) || !find(x, &shows.principal, f))
    return false;
  if (disabled_at != 0 && strcmp(shows.principal.name, x->principal.name) == 0)
    return fault_set(f, FORBIDDEN, "nobody disables himself: let another administrator do it");
  shows.principal.disabled_at = disabled_at;
  return prepare_reply(x, &shows.principal, &no_token, f) &&
         ledger_disable_principal(x->service->ledger, shows.principal.name, disabled_at, &who, f);
}

enum handled rest_disable_principal(struct exchange *x)
{
  AUTO(fault) f = {0};
  bool done = disable_and_reply(x, when_now(), &f);
  return rest_reply_json(x, 200, done, &f);
}

enum handled rest_enable_principal(struct exchange *x)
{
  AUTO(fault) f = {0};
  bool done = disable_and_reply(x, 0, &f);
  return rest_reply_json(x, 200, done, &f);
}

/* --- listing --- */

static void add_one(const struct principal *principal, void *context)
{
  struct buf *out = context;
  add_principal(out, principal);
  buf_add_u8(out, '}');
}

enum handled rest_list_principals(struct exchange *x)
{
  AUTO(fault) f = {0};
  struct buf *body = &x->reply.body;
  buf_add_text(body, "{\"principals\":[");
  bool done = ledger_each_principal(x->service->ledger, add_one, body, &f);
  buf_add_text(body, "]}");
  if (!done || (!buf_ok(body) && !fault_no_memory(&f))) {
    buf_free(body);
    return exchange_fail(x, &f);
  }
  x->reply.status = 200;
  x->reply.content_type = "application/json";
  return HANDLED;
}
