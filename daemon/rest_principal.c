/* rest_principal.c - POST and GET /v1/principals: who may ask. */
#include <stddef.h>

#include "daemon/fields.h"
#include "daemon/json_text.h"
#include "daemon/rest.h"
#include "daemon/service.h"
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

static const struct field fields[] = {
    {"name", .type = FIELD_STRING, .required = true, .put = put_name},
    {"role", .type = FIELD_STRING, .required = true, .put = put_role},
};
static const struct field_table table = {fields, ARRAY_LEN(fields), FAULT_UNKNOWN_FIELD};

static void add_principal(struct buf *out, const struct principal *principal)
{
  char created_at[WHEN_TEXT_SIZE];
  when_text(created_at, principal->created_at);
  json_add_comma(out);
  buf_add_u8(out, '{');
  json_add_member(out, "name", bytes_of_text(principal->name));
  json_add_member(out, "role", bytes_of_text(role_name(principal->role)));
  json_add_member(out, "created_at", bytes_of_text(created_at));
}

static bool add_and_reply(struct exchange *x, struct fault *f)
{
  struct principal principal = {.created_at = when_now()};
  AUTO(secret_buf) token = {0};
  uint8_t token_sha256[TOKEN_SHA256_LEN];
  struct buf *body = &x->reply.body;
  if (strcmp(x->content_type, "application/json") != 0)
    return fault_set(f, UNSUPPORTED_MEDIA_TYPE, "send application/json");
  if (!fields_from_json(&table, buf_bytes(&x->body), &principal, f) ||
      !principal_make_token(principal.name, &token, token_sha256, f))
    return false;
  x->reply.secret = true;
  add_principal(body, &principal);
  json_add_member(body, "token", buf_bytes(&token));
  buf_add_u8(body, '}');
  /* Nothing is written before the token is sure to be told. */
  if (!buf_ok(body))
    return fault_no_memory(f);
  return ledger_add_principal(x->service->ledger, &principal, token_sha256, f);
}

enum handled rest_add_principal(struct exchange *x)
{
  AUTO(fault) f = {0};
  if (!add_and_reply(x, &f)) {
    buf_wipe(&x->reply.body);
    return exchange_fail(x, &f);
  }
  x->reply.status = 201;
  x->reply.content_type = "application/json";
  return HANDLED;
}

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
