/* event_form.c - see event_form.h. */
#include "daemon/event_form.h"

#include <stddef.h>

#include "daemon/csv.h"
#include "daemon/json_text.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

struct event_field {
  const char *name;
  /* Appends the field's text. */
  void (*add)(const struct event_field *field, const struct event *event, struct buf *out);
  size_t at;
  bool is_number;
};

static void add_id(const struct event_field *field, const struct event *event, struct buf *out)
{
  (void)field;
  buf_addf(out, "%lld", (long long)event->id);
}

static void add_at(const struct event_field *field, const struct event *event, struct buf *out)
{
  char text[WHEN_TEXT_SIZE];
  (void)field;
  when_text(text, event->at_ms / 1000);
  buf_add_text(out, text);
}

static void add_text(const struct event_field *field, const struct event *event, struct buf *out)
{
  buf_add_text(out, (const char *)event + field->at);
}

static void add_serial_number(const struct event_field *field, const struct event *event,
                              struct buf *out)
{
  (void)field;
  if (event->has_serial_number)
    text_add_hex(out, bytes_of(event->serial_number, sizeof event->serial_number));
}

static void add_not_after(const struct event_field *field, const struct event *event,
                          struct buf *out)
{
  char text[WHEN_TEXT_SIZE];
  (void)field;
  when_text(text, event->not_after);
  if (event->not_after != 0)
    buf_add_text(out, text);
}

static void add_count(const struct event_field *field, const struct event *event, struct buf *out)
{
  (void)field;
  buf_addf(out, "%lld", (long long)event->count);
}

#define TEXT_AT(member) .add = add_text, .at = offsetof(struct event, member)

/* New ones come last: somebody counts the columns. */
static const struct event_field fields[] = {
    {"at", .add = add_at},
    {"kind", TEXT_AT(kind_name)},
    {"code", TEXT_AT(code_name)},
    {"principal", TEXT_AT(principal)},
    {"source", TEXT_AT(source)},
    {"device_serial", TEXT_AT(device_serial)},
    {"serial_number", .add = add_serial_number},
    {"profile", TEXT_AT(profile)},
    {"order", TEXT_AT(order)},
    {"about", TEXT_AT(about)},
    {"count", .add = add_count, .is_number = true},
    {"request_id", TEXT_AT(request_id)},
    {"id", .add = add_id, .is_number = true},
    {"not_after", .add = add_not_after},
};

void event_json_add(const struct event *event, struct buf *out)
{
  AUTO(buf) text = {0};
  buf_add_u8(out, '{');
  for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
    buf_clear(&text);
    fields[i].add(&fields[i], event, &text);
    out->failed |= text.failed;
    json_add_name(out, fields[i].name);
    if (fields[i].is_number)
      buf_add_bytes(out, buf_bytes(&text));
    else
      json_add_string(out, buf_bytes(&text));
  }
  buf_add_u8(out, '}');
}

void event_csv_begin(struct buf *out)
{
  for (size_t i = 0; i < ARRAY_LEN(fields); i++)
    csv_add_cell(out, bytes_of_text(fields[i].name));
  csv_end_line(out);
}

void event_csv_add(const struct event *event, struct buf *out)
{
  AUTO(buf) text = {0};
  for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
    buf_clear(&text);
    fields[i].add(&fields[i], event, &text);
    out->failed |= text.failed;
    csv_add_cell(out, buf_bytes(&text));
  }
  csv_end_line(out);
}
