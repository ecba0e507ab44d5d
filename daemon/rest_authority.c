/* rest_authority.c - /v1/authorities: which CA issues, and which do no more. */
#include <signal.h>
#include <unistd.h>

#include "daemon/json_text.h"
#include "daemon/key_check.h"
#include "daemon/rest.h"
#include "daemon/rest_reply.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

/* What the ledger keeps of each, with the certificate's end. */
static void add_one(struct buf *out, const struct authority *authority,
                    const struct authority_row *row)
{
  char when[WHEN_TEXT_SIZE];
  json_add_comma(out);
  buf_add_u8(out, '{');
  json_add_member(out, "name", bytes_of_text(authority->name));
  json_add_member(out, "state", bytes_of_text(authority_state_name(row->state)));
  when_text(when, row->changed_at);
  json_add_member(out, "changed_at", bytes_of_text(row->changed_at != 0 ? when : ""));
  when_text(when, authority->certificate.not_after);
  json_add_member(out, "not_after", bytes_of_text(when));
  json_add_number(out, "issued", row->issued);
  json_add_number(out, "missing", row->missing);
  buf_add_u8(out, '}');
}

static bool add_row(struct exchange *x, const struct authority *authority, struct fault *f)
{
  struct authority_row row = {0};
  bool found = false;
  if (!ledger_find_authority(x->service->ledger, authority->name, &found, &row, f))
    return false;
  add_one(&x->reply.body, authority, &row);
  return buf_ok(&x->reply.body) || fault_no_memory(f);
}

static bool list(struct exchange *x, struct fault *f)
{
  const struct authorities *authorities = x->service->authorities;
  buf_add_text(&x->reply.body, "{\"authorities\":[");
  for (size_t i = 0; i < authorities_n(authorities); i++)
    if (!add_row(x, authorities_at(authorities, i), f))
      return false;
  buf_add_text(&x->reply.body, "]}");
  return buf_ok(&x->reply.body) || fault_no_memory(f);
}

enum handled rest_list_authorities(struct exchange *x)
{
  AUTO(fault) f = {0};
  bool done = list(x, &f);
  return rest_reply_json(x, 200, done, &f);
}

/* --- changes --- */

/* Tells what it is now, and so whoever asks again after a lost reply is told the same. */
static enum handled answer(struct exchange *x, bool done, struct fault *f)
{
  const struct authority *authority =
      done ? authorities_named(x->service->authorities, x->path_value) : NULL;
  done = authority != NULL && add_row(x, authority, f);
  return rest_reply_json(x, 200, done, f);
}

/* Not before it is sure that it can sign: a line that stands still is no place to find it out. */
static bool can_sign(const struct exchange *x, struct fault *f)
{
  const struct authority *authority = authorities_named(x->service->authorities, x->path_value);
  AUTO(fault) why = {0};
  if (authority == NULL)
    return fault_set(f, UNKNOWN_AUTHORITY, "there is no authority %s", x->path_value);
  if (key_check_ask(x->service->keys, authority->key_sha256, &why))
    return true;
  return fault_set(f, AUTHORITY_STATE,
                   "the key holder does not sign for %s: %s; has it been told of its key?",
                   authority->name, why.detail);
}

enum handled rest_activate_authority(struct exchange *x)
{
  AUTO(fault) f = {0};
  const struct event who = who_asks(x);
  bool done = can_sign(x, &f) &&
              authorities_activate(x->service->authorities, x->path_value, when_now(), &who, &f);
  return answer(x, done, &f);
}

enum handled rest_retire_authority(struct exchange *x)
{
  AUTO(fault) f = {0};
  const struct event who = who_asks(x);
  bool done = authorities_retire(x->service->authorities, x->path_value, &who, &f);
  return answer(x, done, &f);
}

/* The main thread does it, as at a signal from outside: what comes of it stands in the log, and in
 * what there is afterwards. */
enum handled rest_reload(struct exchange *x)
{
  AUTO(fault) f = {0};
  bool done = kill(getpid(), SIGHUP) == 0 || fault_set(&f, INTERNAL, "no signal could be sent: %m");
  if (done)
    buf_add_text(&x->reply.body, "{\"reload\":\"asked\"}");
  return rest_reply_json(x, 202, done, &f);
}
