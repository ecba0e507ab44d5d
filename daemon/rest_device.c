/* rest_device.c - GET /v1/devices and POST /v1/device-resets: what is known of devices. */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stddef.h>

#include "daemon/cert_json.h"
#include "daemon/cursor.h"
#include "daemon/fields.h"
#include "daemon/json_text.h"
#include "daemon/rest.h"
#include "daemon/rest_reply.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger_device.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

/* --- GET /v1/devices --- */

struct search {
  char device_serial[LABEL_SIZE], order[LABEL_SIZE], model[LABEL_SIZE];
  char cursor[CURSOR_TEXT_SIZE];
  enum device_state state;
  unsigned limit;
};

static bool put_state(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct search *search = to;
  return device_state_named(text, &search->state) ||
         fault_set(f, BAD_FIELD, "%s must be waiting, enrolled or locked", field->name);
}

static bool put_limit(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct search *search = to;
  uint64_t limit;
  if (!text_to_u64(text, LIMIT_MAX, &limit) || limit == 0)
    return fault_set(f, BAD_FIELD, "%s must be a number from 1 to %d", field->name, LIMIT_MAX);
  search->limit = (unsigned)limit;
  return true;
}

static bool put_cursor(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct search *search = to;
  return TEXT_COPY(search->cursor, text) ||
         fault_set(f, BAD_CURSOR, "%s: take next_cursor as the listing gave it", field->name);
}

#define LABEL_AT(member)                                                                           \
  .type = FIELD_STRING, .put = field_put_label, .at = offsetof(struct search, member)

static const struct field search_fields[] = {
    {"device_serial", LABEL_AT(device_serial)},
    {"order", LABEL_AT(order)},
    {"model", LABEL_AT(model)},
    {"state", .put = put_state},
    {"limit", .put = put_limit},
    {"cursor", .put = put_cursor},
};
static const struct field_table search_table = {search_fields, ARRAY_LEN(search_fields),
                                                FAULT_BAD_FIELD};

static const char *given(const char *text)
{
  return text[0] != '\0' ? text : NULL;
}

/* Each filter with a NUL behind it, which no text has inside. */
static void add_filters(const struct search *search, struct buf *out)
{
  const char *texts[] = {"devices", search->device_serial, search->order, search->model,
                         device_state_name(search->state)};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    buf_add(out, texts[i], strlen(texts[i]) + 1);
}

static void add_given(struct buf *out, const char *name, const char *text)
{
  if (text[0] != '\0')
    json_add_member(out, name, bytes_of_text(text));
}

static void add_time(struct buf *out, const char *name, int64_t instant)
{
  char text[WHEN_TEXT_SIZE];
  if (instant == 0)
    return;
  when_text(text, instant);
  json_add_member(out, name, bytes_of_text(text));
}

static bool add_device(const struct device *device, struct buf *out, struct fault *f)
{
  AUTO(sans) names = {0};
  if (!device_names_read(buf_bytes(&device->names), &names, f))
    return false;
  json_add_comma(out);
  buf_add_u8(out, '{');
  json_add_member(out, "device_serial", bytes_of_text(device->device_serial));
  json_add_member(out, "state", bytes_of_text(device_state_name(device_state(device))));
  add_given(out, "model", device->model);
  add_given(out, "order", device->order);
  for (enum san_kind kind = SAN_IP; kind < SAN_KIND_END; kind++) {
    json_add_name(out, san_kind_field(kind));
    cert_json_add_names(out, &names, kind);
  }
  json_add_name(out, "wrong_tries");
  buf_addf(out, "%lld", (long long)device->wrong_tries);
  add_time(out, "imported_at", device->imported_at);
  add_time(out, "enrolled_at", device->used_at);
  buf_add_u8(out, '}');
  return true;
}

static bool add_next_cursor(const struct device_page *page, struct bytes filters, struct buf *out,
                            struct fault *f)
{
  char cursor[CURSOR_TEXT_SIZE];
  buf_add_text(out, "],\"next_cursor\":");
  if (!page->more || page->n == 0) {
    buf_add_text(out, "null}");
    return buf_ok(out) || fault_no_memory(f);
  }
  if (!cursor_write(page->devices[page->n - 1].id, filters, cursor, f))
    return false;
  json_add_string(out, bytes_of_text(cursor));
  buf_add_u8(out, '}');
  return buf_ok(out) || fault_no_memory(f);
}

static bool list(struct exchange *x, struct fault *f)
{
  AUTO(buf) filters = {0};
  AUTO(device_page) page = {0};
  struct search search = {.limit = LIMIT_DEFAULT};
  struct device_query query = {0};
  if (!fields_from_query(&search_table, x->query, x->n_query, &search, f))
    return false;
  add_filters(&search, &filters);
  if (!buf_ok(&filters))
    return fault_no_memory(f);
  query = (struct device_query){.device_serial = given(search.device_serial),
                                .order = given(search.order),
                                .model = given(search.model),
                                .state = search.state,
                                .limit = search.limit};
  if (search.cursor[0] != '\0' &&
      !cursor_read(search.cursor, buf_bytes(&filters), &query.after_id, f))
    return false;
  if (!ledger_search_devices(x->service->ledger, &query, &page, f))
    return false;
  buf_add_text(&x->reply.body, "{\"devices\":[");
  for (size_t i = 0; i < page.n; i++)
    if (!add_device(&page.devices[i], &x->reply.body, f))
      return false;
  return add_next_cursor(&page, buf_bytes(&filters), &x->reply.body, f);
}

enum handled rest_list_devices(struct exchange *x)
{
  AUTO(fault) f = {0};
  return rest_reply_json(x, 200, list(x, &f), &f);
}

/* --- POST /v1/device-resets --- */

struct order_reset {
  char device_serial[LABEL_SIZE];
};

static const struct field reset_fields[] = {
    {"device_serial", .type = FIELD_STRING, .required = true, .put = field_put_label,
     .at = offsetof(struct order_reset, device_serial)},
};
static const struct field_table reset_table = {reset_fields, ARRAY_LEN(reset_fields),
                                               FAULT_UNKNOWN_FIELD};

static bool make_secret(char ret_text[DEVICE_SECRET_LEN + 1], struct device_secret *ret_secret,
                        struct fault *f)
{
  uint8_t random[DEVICE_SECRET_LEN / 2];
  if (RAND_priv_bytes(random, sizeof random) != 1)
    return fault_set(f, INTERNAL, "the random generator does not work");
  device_secret_make(random, ret_text, ret_secret);
  OPENSSL_cleanse(random, sizeof random);
  return true;
}

static bool reset(struct exchange *x, char secret_text[DEVICE_SECRET_LEN + 1], struct fault *f)
{
  struct order_reset asked = {0};
  struct device_secret secret;
  struct buf *body = &x->reply.body;
  if (!fields_from_json(&reset_table, buf_bytes(&x->body), &asked, f) ||
      !make_secret(secret_text, &secret, f))
    return false;
  TEXT_COPY(x->device_serial, bytes_of_text(asked.device_serial));
  x->reply.secret = true;
  buf_reserve(body, 1024); /* all at once: growing would leave copies of the secret behind */
  buf_add_u8(body, '{');
  json_add_member(body, "device_serial", bytes_of_text(asked.device_serial));
  json_add_member(body, "secret", bytes_of_text(secret_text));
  buf_add_u8(body, '}');
  /* Nothing is written before the secret is sure to be told. */
  if (!buf_ok(body))
    return fault_no_memory(f);
  struct event who = who_asks(x);
  return ledger_reset_device(x->service->ledger, asked.device_serial, &secret, &who, f);
}

enum handled rest_reset_device(struct exchange *x)
{
  AUTO(fault) f = {0};
  char secret_text[DEVICE_SECRET_LEN + 1] = "";
  bool done = reset(x, secret_text, &f);
  OPENSSL_cleanse(secret_text, sizeof secret_text);
  return rest_reply_json(x, 200, done, &f);
}
