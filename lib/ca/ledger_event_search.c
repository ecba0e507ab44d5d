/* ledger_event_search.c - what happened: a page of the events that match. */
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/ca/ledger_private.h"

enum { LIMIT_MAX = 1000 };

static const struct ledger_filter filters[EVENT_FILTER_COUNT] = EVENT_FILTERS;

/* --- the statement --- */

void ledger_event_search_sql(const struct ledger_event_search *search, struct buf *out)
{
  static const struct ledger_select select = {
      "SELECT " EVENT_COLUMNS, "events e", "e.id", "event_spans", filters, EVENT_FILTER_COUNT};
  const struct event_query *q = search->query;
  bool has_device = search->device_serial[0] != '\0', has_certificate = search->certificate != 0;
  const bool given[EVENT_FILTER_COUNT] = {
      [EVENT_FILTER_REQUEST_ID] = q->request_id != NULL,
      [EVENT_FILTER_CERTIFICATE_ALONE] = has_certificate && !has_device,
      [EVENT_FILTER_DEVICE_SERIAL] = has_device,
      [EVENT_FILTER_CODE] = q->code != FAULT_NONE,
      [EVENT_FILTER_SOURCE] = q->source != NULL,
      [EVENT_FILTER_ORDER] = q->order != NULL,
      [EVENT_FILTER_KIND] = q->kind != EVENT_NONE && q->kind != EVENT_ISSUED,
      [EVENT_FILTER_PRINCIPAL] = q->principal != NULL,
      [EVENT_FILTER_CERTIFICATE] = has_certificate && has_device,
      [EVENT_FILTER_ISSUED] = q->kind == EVENT_ISSUED,
      [EVENT_FILTER_AFTER] = q->after_ms != 0,
      [EVENT_FILTER_BEFORE] = q->before_ms != 0,
  };
  ledger_select_sql(&select, given, out);
}

/* In the order of enum event_parameter. */
static void bind_query(const struct ledger_event_search *search, struct ledger_call *call,
                       const uint8_t *request_id, size_t request_id_len)
{
  const struct event_query *q = search->query;
  ledger_call_number(call, search->certificate);
  ledger_call_number(call, q->before_id > 0 ? q->before_id : INT64_MAX);
  ledger_call_number(call, (int64_t)q->limit + 1);
  ledger_call_text(call, search->device_serial);
  ledger_call_text(call, q->principal);
  ledger_call_text(call, q->order);
  ledger_call_text(call, event_kind_name(q->kind));
  ledger_call_text(call, q->code != FAULT_NONE ? fault_problem_code(q->code) : NULL);
  ledger_call_blob(call, q->source != NULL ? q->source->octets : NULL,
                   q->source != NULL ? q->source->len : 0);
  if (request_id_len > 0)
    ledger_call_blob(call, request_id, request_id_len);
  else
    ledger_call_text(call, q->request_id);
  ledger_call_number(call, q->after_ms);
  ledger_call_number(call, q->before_ms);
}

/* --- the answer --- */

/* The columns of EVENT_COLUMNS. */
enum {
  COLUMN_ID,
  COLUMN_AT,
  COLUMN_KIND,
  COLUMN_CODE,
  COLUMN_PRINCIPAL,
  COLUMN_SOURCE,
  COLUMN_REQUEST_ID,
  COLUMN_DEVICE_SERIAL,
  COLUMN_PROFILE,
  COLUMN_ORDER,
  COLUMN_ABOUT,
  COLUMN_CERTIFICATE,
  COLUMN_SERIAL_NUMBER,
  COLUMN_NOT_AFTER,
  COLUMN_COUNT
};

static bool read_texts(const struct ledger_call *call, struct event *event)
{
  struct bytes kind = ledger_call_column(call, COLUMN_KIND);
  if (kind.len == 0)
    kind = bytes_of_text(event_kind_name(EVENT_ISSUED));
  return TEXT_COPY(event->kind_name, kind) &&
         TEXT_COPY(event->code_name, ledger_call_column(call, COLUMN_CODE)) &&
         TEXT_COPY(event->principal, ledger_call_column(call, COLUMN_PRINCIPAL)) &&
         TEXT_COPY(event->device_serial, ledger_call_column(call, COLUMN_DEVICE_SERIAL)) &&
         TEXT_COPY(event->profile, ledger_call_column(call, COLUMN_PROFILE)) &&
         TEXT_COPY(event->order, ledger_call_column(call, COLUMN_ORDER)) &&
         TEXT_COPY(event->about, ledger_call_column(call, COLUMN_ABOUT));
}

static bool read_request_id(const struct ledger_call *call, struct event *event)
{
  bool is_blob = sqlite3_column_type(call->statement, COLUMN_REQUEST_ID) == SQLITE_BLOB;
  struct bytes value = ledger_call_column(call, COLUMN_REQUEST_ID);
  if (!is_blob)
    return TEXT_COPY(event->request_id, value);
  if (value.len > (sizeof event->request_id - 1) / 2)
    return false;
  text_hex(event->request_id, value.data, value.len);
  return true;
}

static bool read_source(const struct ledger_call *call, struct event *event)
{
  struct ip ip;
  struct bytes value = ledger_call_column(call, COLUMN_SOURCE);
  if (value.len == 0)
    return true;
  if (!ip_from_octets(value, &ip))
    return false;
  ip_text(&ip, event->source);
  return true;
}

static bool read_serial_number(const struct ledger_call *call, struct event *event)
{
  struct bytes value = ledger_call_column(call, COLUMN_SERIAL_NUMBER);
  if (value.len == 0)
    return true;
  if (value.len != sizeof event->serial_number)
    return false;
  memcpy(event->serial_number, value.data, value.len);
  event->has_serial_number = true;
  return true;
}

bool ledger_event_read(const struct ledger_call *call, struct event *ret_event, struct fault *f)
{
  sqlite3_stmt *s = call->statement;
  struct event event = {.id = sqlite3_column_int64(s, COLUMN_ID),
                        .at_ms = sqlite3_column_int64(s, COLUMN_AT),
                        .certificate = sqlite3_column_int64(s, COLUMN_CERTIFICATE),
                        .not_after = sqlite3_column_int64(s, COLUMN_NOT_AFTER),
                        .count = sqlite3_column_int64(s, COLUMN_COUNT)};
  if (event.count == 0)
    event.count = 1;
  if (!read_texts(call, &event) || !read_request_id(call, &event) || !read_source(call, &event) ||
      !read_serial_number(call, &event))
    return fault_set(f, LEDGER, "%s: event %lld is damaged", call->connection->path,
                     (long long)event.id);
  *ret_event = event;
  return true;
}

static bool read_page(struct ledger_call *call, unsigned limit, struct event_page *page,
                      struct fault *f)
{
  for (;;) {
    bool row;
    if (!ledger_call_step(call, &row, f))
      return false;
    page->more = row && page->n == limit;
    if (!row || page->more)
      return true;
    if (!ledger_event_read(call, &page->rows[page->n], f))
      return false;
    page->n++;
  }
}

/* False in *ret_found: nothing can match. */
static bool look_up_certificate(struct ledger_connection *reader,
                                struct ledger_event_search *search, bool *ret_found,
                                struct fault *f)
{
  const struct event_query *query = search->query;
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(reader, SQL_DEVICE_OF_CERTIFICATE, &call, f))
    return false;
  ledger_call_blob(&call, query->serial_number.data, query->serial_number.len);
  if (!ledger_call_step(&call, &found, f))
    return false;
  *ret_found = false;
  if (!found)
    return true;
  search->certificate = sqlite3_column_int64(call.statement, 0);
  if (!TEXT_COPY(search->device_serial, ledger_call_column(&call, 1)))
    return fault_set(f, LEDGER, "%s: row %lld is damaged", reader->path,
                     (long long)search->certificate);
  *ret_found =
      query->device_serial == NULL || strcmp(query->device_serial, search->device_serial) == 0;
  return true;
}

/* What is asked for stands in `search` now; nothing else of the query changes. */
static bool prepare(struct ledger_connection *reader, struct ledger_event_search *search,
                    bool *ret_possible, struct fault *f)
{
  const char *device_serial = search->query->device_serial;
  *ret_possible = true;
  if (search->query->serial_number.len > 0)
    return look_up_certificate(reader, search, ret_possible, f);
  if (device_serial != NULL)
    *ret_possible = TEXT_COPY(search->device_serial, bytes_of_text(device_serial));
  return true;
}

static bool search_events(struct ledger_connection *reader, const struct event_query *query,
                          struct event_page *page, struct fault *f)
{
  struct ledger_event_search search = {.query = query};
  uint8_t request_id[REQUEST_ID_SIZE / 2];
  bool possible;
  AUTO(buf) sql = {0};
  AUTO(ledger_call) call = {0};
  if (!prepare(reader, &search, &possible, f))
    return false;
  if (!possible)
    return true;
  ledger_event_search_sql(&search, &sql);
  const char *text = buf_text(&sql);
  page->rows = calloc(query->limit, sizeof page->rows[0]);
  if (!buf_ok(&sql) || page->rows == NULL)
    return fault_no_memory(f);
  if (!ledger_call_open_text(reader, text, &call, f))
    return false;
  bind_query(&search, &call, request_id,
             query->request_id != NULL ? ledger_request_id_octets(query->request_id, request_id)
                                       : 0);
  return read_page(&call, query->limit, page, f);
}

bool ledger_search_events(struct ledger *ledger, const struct event_query *query,
                          struct event_page *ret_page, struct fault *f)
{
  AUTO(event_page) page = {0};
  struct ledger_connection *reader;
  if (query->limit < 1 || query->limit > LIMIT_MAX)
    return fault_set(f, INTERNAL, "a page has 1 to %d rows, not %u", LIMIT_MAX, query->limit);
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = search_events(reader, query, &page, f);
  ledger_give_back(ledger, reader);
  if (!done)
    return false;
  *ret_page = page;
  page = (struct event_page){0};
  return true;
}
