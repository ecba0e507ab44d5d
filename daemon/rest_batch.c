/* rest_batch.c - /v1/batches: many requests in one body, how far they are, what became of each. */
#include <openssl/rand.h>
#include <stddef.h>

#include "daemon/accept.h"
#include "daemon/batch_form.h"
#include "daemon/cursor.h"
#include "daemon/fields.h"
#include "daemon/filter.h"
#include "daemon/intakes.h"
#include "daemon/json_text.h"
#include "daemon/rest.h"
#include "daemon/rest_reply.h"
#include "lib/base/text.h"

enum { LIMIT_DEFAULT = 100 };

static bool read_name(struct bytes text, uint8_t ret_name[BATCH_NAME_LEN])
{
  size_t len = 0;
  return text_unhex(text, ret_name, BATCH_NAME_LEN, &len) && len == BATCH_NAME_LEN;
}

/* --- a new one --- */

struct parameters {
  bool given;
  uint8_t name[BATCH_NAME_LEN];
};

static bool put_id(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct parameters *parameters = to;
  parameters->given = true;
  return read_name(text, parameters->name) ||
         fault_set(f, BAD_FIELD, "%s must be %d hexadecimal digits", field->name,
                   2 * BATCH_NAME_LEN);
}

static const struct field parameter_fields[] = {{"id", .put = put_id}};
static const struct field_table parameter_table = {parameter_fields, ARRAY_LEN(parameter_fields),
                                                   FAULT_BAD_FIELD};

static bool begin(struct exchange *x, struct fault *f)
{
  struct parameters parameters = {0};
  if (!fields_from_query(&parameter_table, x->query, x->n_query, &parameters, f))
    return false;
  if (!parameters.given && RAND_bytes(parameters.name, sizeof parameters.name) != 1)
    return fault_set(f, INTERNAL, "no random octets");
  return intake_open(x, parameters.name, f);
}

enum handled rest_take_batch(struct exchange *x)
{
  AUTO(fault) f = {0};
  return begin(x, &f) ? HANDLED : exchange_fail(x, &f);
}

/* --- all of them --- */

struct list {
  char cursor[CURSOR_TEXT_SIZE];
  unsigned limit;
  int64_t before_id, last_id;
  struct buf *out;
};

static const struct field list_fields[] = {
    {"limit", .put = filter_put_limit, .at = offsetof(struct list, limit)},
    {"cursor", .put = filter_put_cursor, .at = offsetof(struct list, cursor)},
};
static const struct field_table list_table = {list_fields, ARRAY_LEN(list_fields), FAULT_BAD_FIELD};

static const char *whose(const struct exchange *x)
{
  return x->principal.role == ROLE_STATION ? x->principal.name : NULL;
}

/* What a cursor of this listing is good for. */
static void add_filters(const struct exchange *x, struct buf *out)
{
  buf_addf(out, "batches %s", whose(x) != NULL ? whose(x) : "");
}

static void add_one(const struct batch *batch, void *context)
{
  struct list *list = context;
  json_add_comma(list->out);
  batch_json_add(batch, list->out);
  list->last_id = batch->id;
}

static bool add_next_cursor(const struct list *list, struct bytes filters, bool more,
                            struct fault *f)
{
  char cursor[CURSOR_TEXT_SIZE];
  json_add_name(list->out, "next_cursor");
  if (more && !cursor_write(list->last_id, filters, cursor, f))
    return false;
  if (more)
    json_add_string(list->out, bytes_of_text(cursor));
  else
    buf_add_text(list->out, "null");
  return true;
}

static bool list_batches(struct exchange *x, struct fault *f)
{
  AUTO(buf) filters = {0};
  struct list list = {.limit = LIMIT_DEFAULT, .out = &x->reply.body};
  bool more;
  add_filters(x, &filters);
  if (!buf_ok(&filters))
    return fault_no_memory(f);
  if (!fields_from_query(&list_table, x->query, x->n_query, &list, f) ||
      (list.cursor[0] != '\0' &&
       !cursor_read(list.cursor, buf_bytes(&filters), &list.before_id, f)))
    return false;
  buf_add_text(list.out, "{\"batches\":[");
  if (!ledger_each_batch(x->service->ledger, whose(x), list.before_id, list.limit, add_one, &list,
                         &more, f))
    return false;
  buf_add_u8(list.out, ']');
  if (!add_next_cursor(&list, buf_bytes(&filters), more, f))
    return false;
  buf_add_u8(list.out, '}');
  return buf_ok(list.out) || fault_no_memory(f);
}

enum handled rest_list_batches(struct exchange *x)
{
  AUTO(fault) f = {0};
  return rest_reply_json(x, 200, list_batches(x, &f), &f);
}

/* --- one of them --- */

/* One that there is not, and one of somebody else, are the same to a station. */
static bool find(const struct exchange *x, struct batch *ret_batch, struct fault *f)
{
  uint8_t name[BATCH_NAME_LEN];
  struct batch batch;
  if (!read_name(bytes_of_text(x->path_value), name))
    return fault_set(f, UNKNOWN_BATCH, "an id has %d hexadecimal digits", 2 * BATCH_NAME_LEN);
  bool found = ledger_find_batch(x->service->ledger, name, &batch, f);
  if (!found && f->code != FAULT_UNKNOWN_BATCH)
    return false;
  if (!found || (whose(x) != NULL && strcmp(whose(x), batch.principal) != 0))
    return fault_set(f, UNKNOWN_BATCH, "no batch of this id is yours to see");
  *ret_batch = batch;
  return true;
}

static bool show(struct exchange *x, struct fault *f)
{
  enum { FORM_JSON, FORM_NDJSON, FORM_COUNT };
  const char *const offers[FORM_COUNT] = {
      [FORM_JSON] = "application/json", [FORM_NDJSON] = batch_results_type};
  struct batch batch;
  size_t form = FORM_JSON;
  if (!accept_choose(x->accept, offers, FORM_COUNT, &form, f) || !find(x, &batch, f))
    return false;
  if (form == FORM_NDJSON)
    return batch_results_start(x->service, batch.id, &x->reply, f);
  batch_json_add(&batch, &x->reply.body);
  if (!buf_ok(&x->reply.body)) {
    buf_free(&x->reply.body);
    return fault_no_memory(f);
  }
  x->reply.status = 200;
  x->reply.content_type = "application/json";
  return true;
}

enum handled rest_show_batch(struct exchange *x)
{
  AUTO(fault) f = {0};
  return show(x, &f) ? HANDLED : exchange_fail(x, &f);
}
