/* event_decode.c - see event_decode.h. */
#include "daemon/event_decode.h"

#include <stddef.h>
#include <stdlib.h>

#include "daemon/filter.h"
#include "daemon/search_decode.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

static bool put_kind(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct event_search *search = to;
  return event_kind_named(text, &search->query.kind) ||
         fault_set(f, BAD_FIELD, "%s must be a kind of event, like issued, refused or denied",
                   field->name);
}

static bool put_code(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct event_search *search = to;
  for (int code = FAULT_NONE + 1; code < FAULT_COUNT; code++)
    if (bytes_equal(text, bytes_of_text(fault_problem_code((enum fault_code)code)))) {
      search->query.code = (enum fault_code)code;
      return true;
    }
  return fault_set(f, BAD_FIELD, "%s must be a problem's code, like key-already-used", field->name);
}

static bool put_source(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct event_search *search = to;
  if (!ip_read(text, &search->source))
    return fault_set(f, BAD_FIELD, "%s must be an IPv4 or IPv6 address", field->name);
  search->query.source = &search->source;
  return true;
}

static bool put_serial_number(const struct field *field, struct bytes text, void *to,
                              struct fault *f)
{
  struct event_search *search = to;
  size_t len;
  if (!text_unhex(text, search->serial_number, sizeof search->serial_number, &len) ||
      len != sizeof search->serial_number)
    return fault_set(f, BAD_FIELD, "%s must be that of a certificate, %zu hexadecimal digits",
                     field->name, 2 * sizeof search->serial_number);
  search->query.serial_number = bytes_of(search->serial_number, len);
  return true;
}

#define AT(member)      .at = offsetof(struct event_search, member)
#define LABEL_AT(field) .put = filter_put_label, AT(field)

static const struct field fields[] = {
    {"principal", LABEL_AT(principal)},
    {"device_serial", LABEL_AT(device_serial)},
    {"order", LABEL_AT(order)},
    {"request_id", LABEL_AT(request_id)},
    {"kind", .put = put_kind},
    {"code", .put = put_code},
    {"source", .put = put_source},
    {"serial_number", .put = put_serial_number},
    {"after", .put = filter_put_time, AT(query.after_ms), .kind = 1000},
    {"before", .put = filter_put_time, AT(query.before_ms), .kind = 1000},
    {"limit", .put = filter_put_limit, AT(query.limit)},
    {"cursor", .put = filter_put_cursor, AT(cursor)},
};
_Static_assert((int)REQUEST_ID_SIZE == (int)LABEL_SIZE, "field_put_label puts a request_id");

static const struct field_table table = {fields, ARRAY_LEN(fields), FAULT_BAD_FIELD};

static bool force_principal(const struct principal *principal, struct event_search *search,
                            struct fault *f)
{
  if (search_sees_all(principal->role))
    return true;
  if (search->principal[0] != '\0' && strcmp(search->principal, principal->name) != 0)
    return fault_set(f, FORBIDDEN, "a %s sees only events of its own", role_name(principal->role));
  return TEXT_COPY(search->principal, bytes_of_text(principal->name)) ||
         fault_set(f, FORBIDDEN, "nobody has such a name");
}

static const char *given(const char *text)
{
  return text[0] != '\0' ? text : NULL;
}

/* Each filter's normal form, with a NUL behind it, which no text has inside. */
static bool make_canonical(struct event_search *search, struct fault *f)
{
  const struct event_query *query = &search->query;
  struct buf *out = &search->filters;
  char source[IP_TEXT_SIZE] = "";
  if (query->source != NULL)
    ip_text(query->source, source);
  const char *texts[] = {"events",      search->principal,  search->device_serial,
                         search->order, search->request_id, event_kind_name(query->kind),
                         source};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    buf_add_text(out, texts[i]);
    buf_add_u8(out, '\0');
  }
  text_add_hex(out, query->serial_number);
  buf_addf(out, " %d %lld %lld", (int)query->code, (long long)query->after_ms,
           (long long)query->before_ms);
  return buf_ok(out) || fault_no_memory(f);
}

static bool decode(const struct exchange *x, struct event_search *search, struct fault *f)
{
  struct event_query *query = &search->query;
  if (!fields_from_query(&table, x->query, x->n_query, search, f) ||
      !force_principal(&x->principal, search, f))
    return false;
  query->principal = given(search->principal);
  query->device_serial = given(search->device_serial);
  query->order = given(search->order);
  query->request_id = given(search->request_id);
  if (!make_canonical(search, f))
    return false;
  return search->cursor[0] == '\0' ||
         cursor_read(search->cursor, buf_bytes(&search->filters), &query->before_id, f);
}

bool event_decode(const struct exchange *x, struct event_search **ret_search, struct fault *f)
{
  AUTO(event_search) search = calloc(1, sizeof *search);
  if (search == NULL)
    return fault_no_memory(f);
  if (!decode(x, search, f))
    return false;
  *ret_search = TAKE(search);
  return true;
}

void event_search_free(struct event_search *search)
{
  if (search == NULL)
    return;
  buf_free(&search->filters);
  free(search);
}
