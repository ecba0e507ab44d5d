/* rest_order.c - /v1/orders: what is to be issued, and how much of it. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "daemon/cursor.h"
#include "daemon/fields.h"
#include "daemon/json_text.h"
#include "daemon/order_json.h"
#include "daemon/rest.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

static bool end_reply(struct exchange *x, struct fault *f)
{
  if (!buf_ok(&x->reply.body)) {
    buf_free(&x->reply.body);
    return fault_no_memory(f);
  }
  x->reply.status = 200;
  x->reply.content_type = "application/json";
  return true;
}

static bool reply_order(struct exchange *x, const struct order *order, struct fault *f)
{
  buf_add_u8(&x->reply.body, '{');
  order_json_add(order, &x->reply.body);
  buf_add_u8(&x->reply.body, '}');
  return end_reply(x, f);
}

/* --- a new one --- */

static bool put_name(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct order *order = to;
  if (!order_name_is_valid(text) || !TEXT_COPY(order->name, text))
    return fault_set(f, BAD_FIELD, "%s must be 1 to %d of A-Z a-z 0-9 - _", field->name,
                     ORDER_NAME_SIZE - 1);
  return true;
}

static bool put_station(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  return order_add_station(to, text, f) || fault_prefix(f, "%s", field->name);
}

static bool put_range(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  return order_add_range(to, text, f) || fault_prefix(f, "%s", field->name);
}

#define AT(member)        .at = offsetof(struct order, member)
#define NUMBER            .type = FIELD_NUMBER, .put = field_put_number, .most = ORDER_QUANTITY_MAX
#define NUMBER_AT(member) NUMBER, AT(member)

_Static_assert((int)LABEL_SIZE == (int)ORDER_NAME_SIZE, "field_put_label fits an order");

static const struct field add_fields[] = {
    {"name", .type = FIELD_STRING, .required = true, .put = put_name},
    {"profile", .type = FIELD_STRING, .required = true, .put = field_put_label, AT(profile)},
    {"quantity", NUMBER_AT(quantity), .least = 1, .required = true},
    {"model", .type = FIELD_STRING, .put = field_put_label, AT(model)},
    {"replacements", NUMBER_AT(replacements), .least = 0},
    {"stations", .type = FIELD_STRINGS, .put = put_station},
    {"ip_ranges", .type = FIELD_STRINGS, .put = put_range},
    {"from", .type = FIELD_STRING, .put = field_put_time, AT(from)},
    {"until", .type = FIELD_STRING, .put = field_put_time, AT(until)},
};
static const struct field_table add_table = {add_fields, ARRAY_LEN(add_fields),
                                             FAULT_UNKNOWN_FIELD};

static bool check_order(const struct exchange *x, const struct order *order, struct fault *f)
{
  if (order->until != 0 && order->until <= order->from)
    return fault_set(f, BAD_FIELD, "until must be later than from");
  if (!issuer_has_profile(x->service->issuer, order->profile))
    return fault_set(f, UNKNOWN_PROFILE, "there is no profile %s", order->profile);
  return true;
}

static bool add_and_reply(struct exchange *x, struct fault *f)
{
  struct order order = {.created_at = when_now()};
  struct event who = who_asks(x);
  if (!fields_from_json(&add_table, buf_bytes(&x->body), &order, f) || !check_order(x, &order, f) ||
      !ledger_add_order(x->service->ledger, &order, &who, f) || !reply_order(x, &order, f))
    return false;
  x->reply.status = 201;
  snprintf(x->reply.location, sizeof x->reply.location, "/v1/orders/%s", order.name);
  return true;
}

enum handled rest_add_order(struct exchange *x)
{
  AUTO(fault) f = {0};
  return add_and_reply(x, &f) ? HANDLED : exchange_fail(x, &f);
}

/* --- all of them --- */

struct listing {
  struct order_query query;
  char state[LABEL_SIZE], cursor[CURSOR_TEXT_SIZE];
  int64_t limit, last_id;
  struct buf filters, *out;
};

static void free_filters(struct listing *listing)
{
  buf_free(&listing->filters);
}
AUTO_VALUE(listing, struct listing, free_filters)

static bool put_state(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct listing *listing = to;
  if (bytes_equal(text, bytes_of_text("open")))
    listing->query.state = ORDER_OPEN;
  else if (bytes_equal(text, bytes_of_text("closed")))
    listing->query.state = ORDER_WAS_CLOSED;
  else
    return fault_set(f, BAD_FIELD, "%s must be open or closed", field->name);
  return true;
}

static bool put_cursor(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct listing *listing = to;
  return (text.len > 0 && TEXT_COPY(listing->cursor, text)) ||
         fault_set(f, BAD_CURSOR, "%s: take next_cursor as the listing gave it", field->name);
}

static const struct field list_fields[] = {
    {"state", .put = put_state},
    {"limit", .put = field_put_number, .at = offsetof(struct listing, limit), .least = 1,
     .most = LIMIT_MAX},
    {"cursor", .put = put_cursor},
};
static const struct field_table list_table = {list_fields, ARRAY_LEN(list_fields), FAULT_BAD_FIELD};

/* A station sees the orders that are open for it, and no others. */
static bool force_station(const struct principal *principal, struct order_query *query,
                          struct fault *f)
{
  if (principal->role != ROLE_STATION)
    return true;
  if (query->state == ORDER_WAS_CLOSED)
    return fault_set(f, FORBIDDEN, "a station sees the orders that are open for it");
  query->state = ORDER_OPEN;
  query->station = principal->name;
  return true;
}

static bool decode_listing(const struct exchange *x, struct listing *listing, struct fault *f)
{
  if (!fields_from_query(&list_table, x->query, x->n_query, listing, f) ||
      !force_station(&x->principal, &listing->query, f))
    return false;
  listing->query.limit = listing->limit == 0 ? LIMIT_DEFAULT : (unsigned)listing->limit;
  buf_addf(&listing->filters, "orders %d %s", (int)listing->query.state,
           listing->query.station != NULL ? listing->query.station : "");
  if (!buf_ok(&listing->filters))
    return fault_no_memory(f);
  return listing->cursor[0] == '\0' ||
         cursor_read(listing->cursor, buf_bytes(&listing->filters), &listing->query.before_id, f);
}

static void add_one(const struct order *order, void *context)
{
  struct listing *listing = context;
  json_add_comma(listing->out);
  buf_add_u8(listing->out, '{');
  order_json_add(order, listing->out);
  buf_add_u8(listing->out, '}');
  listing->last_id = order->id;
}

static bool add_next_cursor(const struct listing *listing, bool more, struct buf *out,
                            struct fault *f)
{
  char cursor[CURSOR_TEXT_SIZE];
  json_add_name(out, "next_cursor");
  if (!more) {
    buf_add_text(out, "null");
    return true;
  }
  if (!cursor_write(listing->last_id, buf_bytes(&listing->filters), cursor, f))
    return false;
  json_add_string(out, bytes_of_text(cursor));
  return true;
}

static bool list_and_reply(struct exchange *x, struct fault *f)
{
  AUTO(listing) listing = {.out = &x->reply.body};
  bool more;
  if (!decode_listing(x, &listing, f))
    return false;
  buf_add_text(&x->reply.body, "{\"orders\":[");
  bool done = ledger_each_order(x->service->ledger, &listing.query, add_one, &listing, &more, f);
  buf_add_u8(&x->reply.body, ']');
  if (!done || !add_next_cursor(&listing, more, &x->reply.body, f)) {
    buf_free(&x->reply.body);
    return false;
  }
  buf_add_u8(&x->reply.body, '}');
  return end_reply(x, f);
}

enum handled rest_list_orders(struct exchange *x)
{
  AUTO(fault) f = {0};
  return list_and_reply(x, &f) ? HANDLED : exchange_fail(x, &f);
}

/* --- one of them --- */

/* One that there is not, and one that is not for this station, are the same to it. */
static bool show_and_reply(struct exchange *x, struct fault *f)
{
  struct order order;
  if (!ledger_get_order(x->service->ledger, x->path_value, &order, f))
    return false;
  if (x->principal.role == ROLE_STATION &&
      (order.closed_at != 0 || !order_serves(&order, x->principal.name)))
    return fault_set(f, UNKNOWN_ORDER, "there is no order %s", x->path_value);
  return reply_order(x, &order, f);
}

enum handled rest_show_order(struct exchange *x)
{
  AUTO(fault) f = {0};
  return show_and_reply(x, &f) ? HANDLED : exchange_fail(x, &f);
}

enum handled rest_close_order(struct exchange *x)
{
  AUTO(fault) f = {0};
  struct order order;
  struct event who = who_asks(x);
  bool closed =
      ledger_close_order(x->service->ledger, x->path_value, when_now(), &who, &order, &f) &&
      reply_order(x, &order, &f);
  return closed ? HANDLED : exchange_fail(x, &f);
}

#define EXTENSION_AT(member) .at = offsetof(struct order_extension, member)

static const struct field extend_fields[] = {
    {"quantity", NUMBER, EXTENSION_AT(quantity), .least = 1},
    {"by", NUMBER, EXTENSION_AT(by), .least = 1},
    {"replacements", NUMBER, EXTENSION_AT(replacements), .least = 1},
    {"until", .type = FIELD_STRING, .put = field_put_time, EXTENSION_AT(until)},
};
static const struct field_table extend_table = {extend_fields, ARRAY_LEN(extend_fields),
                                                FAULT_UNKNOWN_FIELD};

enum handled rest_extend_order(struct exchange *x)
{
  AUTO(fault) f = {0};
  struct order_extension extension = {0};
  struct order order;
  struct event who = who_asks(x);
  bool extended =
      fields_from_json(&extend_table, buf_bytes(&x->body), &extension, &f) &&
      ledger_extend_order(x->service->ledger, x->path_value, &extension, &who, &order, &f) &&
      reply_order(x, &order, &f);
  return extended ? HANDLED : exchange_fail(x, &f);
}
