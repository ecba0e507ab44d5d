/* rest_import.c - /v1/device-imports: begin, rows, commit, abort. */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/fields.h"
#include "daemon/json_text.h"
#include "daemon/rest.h"
#include "daemon/rest_reply.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/ledger_device.h"

/* A request's work has a bound, too: a short secret that was given costs a millisecond. */
enum { ROWS_MAX = 5000, RANDOM_LEN = DEVICE_SECRET_LEN / 2, LINE_LAST = 1000000000 };

/* --- one row --- */

struct row {
  struct device_row row;
  struct sans names;
  bool given; /* it brought its secret */
  char secret_text[DEVICE_SECRET_LEN + 1];
};

static bool put_serial(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  return text.len > 0 ? field_put_label(field, text, to, f)
                      : fault_set(f, BAD_FIELD, "%s is empty", field->name);
}

static bool put_name(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct row *row = to;
  if (sans_add(&row->names, (enum san_kind)field->kind, text, f))
    return true;
  if (f->code == FAULT_BAD_NAME && f->n_items > 0)
    fault_set(f, BAD_NAME, "%s: %s: %s", field->name, f->items[0].name, f->items[0].why);
  return false;
}

static bool put_secret(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct row *row = to;
  if (!device_given_is_valid(text))
    return fault_set(f, BAD_FIELD, "%s must be %d to %d printable ASCII characters but : and space",
                     field->name, DEVICE_GIVEN_MIN, DEVICE_GIVEN_MAX);
  row->given = true;
  return device_secret_hash(text, &row->row.secret, f);
}

#define LABEL(name_, member, put_)                                                                 \
  {                                                                                                \
    name_, .type = FIELD_STRING, .put = (put_), .at = offsetof(struct row, row.member)             \
  }

static const struct field fields[] = {
    {"device_serial", .type = FIELD_STRING, .required = true, .put = put_serial,
     .at = offsetof(struct row, row.device_serial)},
    LABEL("model", model, field_put_label),
    LABEL("order", order, field_put_label),
    {"ip_sans", .type = FIELD_STRINGS, .put = put_name, .kind = SAN_IP},
    {"dns_sans", .type = FIELD_STRINGS, .put = put_name, .kind = SAN_DNS},
    {"uri_sans", .type = FIELD_STRINGS, .put = put_name, .kind = SAN_URI},
    {"secret", .type = FIELD_STRING, .put = put_secret},
};
static const struct field_table table = {fields, ARRAY_LEN(fields), FAULT_UNKNOWN_FIELD};

/* What is wrong with a row is said of its line; false only for a fault of ours. */
static bool read_row(struct bytes line, struct row *row, struct fault *f)
{
  AUTO(fault) bad = {0};
  bool good = fields_from_json(&table, line, row, &bad);
  if (!good && fault_whose(bad.code) == FAULT_OURS) {
    fault_move(f, &bad);
    return false;
  }
  if (!good) {
    row->row.refused = true;
    snprintf(row->row.why, sizeof row->row.why, "%.150s", bad.detail);
  }
  device_names_write(&row->names, &row->row.names);
  return buf_ok(&row->row.names) || fault_no_memory(f);
}

/* --- all rows of a request --- */

struct rows {
  struct row *rows;
  struct device_row *known; /* the same, side by side, for the ledger */
  size_t n;
};

static void rows_free(struct rows *rows)
{
  for (size_t i = 0; i < rows->n; i++) {
    buf_free(&rows->known[i].names);
    sans_free(&rows->rows[i].names);
  }
  if (rows->rows != NULL)
    OPENSSL_cleanse(rows->rows, rows->n * sizeof *rows->rows);
  free(rows->rows);
  free(rows->known);
}
AUTO_VALUE(rows, struct rows, rows_free)

static size_t count_lines(struct bytes body)
{
  size_t n = 1;
  for (size_t i = 0; i < body.len; i++)
    n += body.data[i] == '\n';
  return n;
}

/* One secret for each row that brought none, from one request for randomness. */
static bool make_secrets(struct rows *rows, struct fault *f)
{
  AUTO(secret_buf) random = {0};
  if (rows->n == 0)
    return true;
  if (!buf_reserve(&random, rows->n * RANDOM_LEN))
    return fault_no_memory(f);
  random.len = rows->n * RANDOM_LEN;
  if (RAND_priv_bytes(random.data, (int)random.len) != 1)
    return fault_set(f, INTERNAL, "the random generator does not work");
  for (size_t i = 0; i < rows->n; i++)
    if (!rows->rows[i].given)
      device_secret_make(random.data + i * RANDOM_LEN, rows->rows[i].secret_text,
                         &rows->known[i].secret);
  return true;
}

/* An empty line counts as a line, and is no row. */
static bool read_rows(struct bytes body, int64_t line, struct rows *rows, struct fault *f)
{
  size_t most = count_lines(body);
  rows->rows = calloc(most, sizeof *rows->rows);
  rows->known = calloc(most, sizeof *rows->known);
  if (rows->rows == NULL || rows->known == NULL)
    return fault_no_memory(f);
  for (; body.len > 0; line++) {
    const uint8_t *end = memchr(body.data, '\n', body.len);
    size_t len = end != NULL ? (size_t)(end - body.data) : body.len;
    struct bytes text = bytes_of(body.data, len);
    body = bytes_of(body.data + len, body.len - len);
    if (end != NULL)
      body = bytes_of(body.data + 1, body.len - 1);
    if (text.len == 0)
      continue;
    if (rows->n == ROWS_MAX)
      return fault_set(f, BODY_TOO_LARGE, "send at most %d rows at a time", ROWS_MAX);
    struct row *row = &rows->rows[rows->n];
    bool done = read_row(text, row, f);
    row->row.line = line;
    rows->known[rows->n++] = row->row;
    row->row.names = (struct buf){0};
    if (!done)
      return false;
  }
  return make_secrets(rows, f);
}

static void add_errors(const struct rows *rows, struct buf *out)
{
  json_add_name(out, "errors");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < rows->n; i++) {
    if (!rows->known[i].refused)
      continue;
    json_add_comma(out);
    buf_addf(out, "{\"line\":%lld,\"why\":", (long long)rows->known[i].line);
    json_add_string(out, bytes_of_text(rows->known[i].why));
    buf_add_u8(out, '}');
  }
  buf_add_u8(out, ']');
}

static void add_secrets(const struct rows *rows, struct buf *out)
{
  json_add_name(out, "secrets");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < rows->n; i++) {
    if (rows->known[i].refused || rows->rows[i].given)
      continue;
    json_add_comma(out);
    buf_add_u8(out, '{');
    json_add_member(out, "device_serial", bytes_of_text(rows->known[i].device_serial));
    json_add_member(out, "secret", bytes_of_text(rows->rows[i].secret_text));
    buf_add_u8(out, '}');
  }
  buf_add_u8(out, ']');
}

/* Nothing of them was added. */
static bool refuse_rows(const struct rows *rows, struct fault *f)
{
  size_t n = 0;
  for (size_t i = 0; i < rows->n; i++) {
    char line[32];
    if (!rows->known[i].refused)
      continue;
    snprintf(line, sizeof line, "line %lld", (long long)rows->known[i].line);
    fault_add_item(f, line, "%s", rows->known[i].why);
    n++;
  }
  return fault_set(f, BAD_FIELD, "%zu of %zu rows cannot be imported; none of them was", n,
                   rows->n);
}

/* --- the parameters --- */

struct parameters {
  int64_t line;
  bool partial;
};

static bool put_line(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct parameters *parameters = to;
  uint64_t line;
  if (!text_to_u64(text, LINE_LAST, &line) || line == 0)
    return fault_set(f, BAD_FIELD, "%s must be a number from 1 to %d", field->name, LINE_LAST);
  parameters->line = (int64_t)line;
  return true;
}

static const struct field parameter_fields[] = {
    {"line", .put = put_line},
    {"partial", .type = FIELD_BOOLEAN, .put = field_put_flag,
     .at = offsetof(struct parameters, partial)},
};
static const struct field_table parameter_table = {parameter_fields, ARRAY_LEN(parameter_fields),
                                                   FAULT_BAD_FIELD};

static bool read_id(const struct exchange *x, int64_t *ret_id, struct fault *f)
{
  uint64_t id;
  if (!text_to_u64(bytes_of_text(x->path_value), INT64_MAX, &id) || id == 0)
    return fault_set(f, NOT_FOUND, "there is no import %s", x->path_value);
  *ret_id = (int64_t)id;
  return true;
}

static bool import_rows(struct exchange *x, struct fault *f)
{
  AUTO(rows) rows = {0};
  struct parameters parameters = {.line = 1};
  struct buf *body = &x->reply.body;
  int64_t id;
  size_t added;
  if (!read_id(x, &id, f) ||
      !fields_from_query(&parameter_table, x->query, x->n_query, &parameters, f) ||
      !read_rows(buf_bytes(&x->body), parameters.line, &rows, f))
    return false;
  if (!ledger_import_rows(x->service->ledger, id, rows.known, rows.n, parameters.partial,
                          when_now(), &added, f))
    return false;
  if (added < rows.n && !parameters.partial)
    return refuse_rows(&rows, f);
  x->reply.secret = true;
  /* All at once: growing would leave copies of the secrets behind. */
  buf_reserve(body, 1024 + rows.n * (6 * LABEL_SIZE + DEVICE_SECRET_LEN + sizeof rows.known->why));
  buf_addf(body, "{\"devices\":%zu", added);
  add_secrets(&rows, body);
  add_errors(&rows, body);
  buf_add_u8(body, '}');
  return buf_ok(body) || fault_no_memory(f);
}

enum handled rest_import_rows(struct exchange *x)
{
  AUTO(fault) f = {0};
  bool done = import_rows(x, &f);
  if (x->body.len > 0)
    OPENSSL_cleanse(x->body.data, x->body.len); /* secrets may have come with it */
  return rest_reply_json(x, 200, done, &f);
}

/* --- begin, commit, abort --- */

static bool begin(struct exchange *x, struct fault *f)
{
  int64_t id;
  if (!ledger_begin_import(x->service->ledger, x->principal.name, when_now(), &id, f))
    return false;
  buf_addf(&x->reply.body, "{\"id\":\"%lld\"}", (long long)id);
  return buf_ok(&x->reply.body) || fault_no_memory(f);
}

enum handled rest_begin_import(struct exchange *x)
{
  AUTO(fault) f = {0};
  return rest_reply_json(x, 201, begin(x, &f), &f);
}

static bool commit(struct exchange *x, struct fault *f)
{
  int64_t id, devices;
  struct event who = who_asks(x);
  if (!read_id(x, &id, f) ||
      !ledger_commit_import(x->service->ledger, id, when_now(), &who, &devices, f))
    return false;
  buf_addf(&x->reply.body, "{\"devices\":%lld}", (long long)devices);
  return buf_ok(&x->reply.body) || fault_no_memory(f);
}

enum handled rest_commit_import(struct exchange *x)
{
  AUTO(fault) f = {0};
  return rest_reply_json(x, 200, commit(x, &f), &f);
}

static bool drop(struct exchange *x, struct fault *f)
{
  int64_t id;
  if (!read_id(x, &id, f) || !ledger_drop_import(x->service->ledger, id, f))
    return false;
  buf_add_text(&x->reply.body, "{\"devices\":0}");
  return buf_ok(&x->reply.body) || fault_no_memory(f);
}

enum handled rest_abort_import(struct exchange *x)
{
  AUTO(fault) f = {0};
  return rest_reply_json(x, 200, drop(x, &f), &f);
}
