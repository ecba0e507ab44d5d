/* ledger_search.c - who got what, and when: one certificate, or a page of those that match. */
#include <stdlib.h>

#include "lib/ca/ledger_private.h"

enum { LIMIT_MAX = 1000 };

static const struct ledger_filter filters[FILTER_COUNT] = LEDGER_FILTERS;

static bool read_one(struct ledger_connection *reader, struct bytes serial_number, int64_t now,
                     struct issued *ret_row, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(reader, SQL_GET, &call, f))
    return false;
  ledger_call_blob(&call, serial_number.data, serial_number.len);
  if (!ledger_call_step(&call, &found, f))
    return false;
  if (!found)
    return fault_set(f, UNKNOWN_SERIAL_NUMBER, "look it up in the list of certificates");
  return ledger_row_read(&call, now, ret_row, f);
}

static bool read_at(struct ledger_connection *reader, int64_t id, int64_t now,
                    struct issued *ret_row, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(reader, SQL_GET_AT, &call, f))
    return false;
  ledger_call_number(&call, id);
  if (!ledger_call_step(&call, &found, f))
    return false;
  if (!found)
    return fault_set(f, LEDGER, "%s: row %lld is not there", reader->path, (long long)id);
  return ledger_row_read(&call, now, ret_row, f);
}

bool ledger_get(struct ledger *ledger, struct bytes serial_number, int64_t now,
                struct issued *ret_row, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = read_one(reader, serial_number, now, ret_row, f);
  ledger_give_back(ledger, reader);
  return done;
}

bool ledger_get_at(struct ledger *ledger, int64_t id, int64_t now, struct issued *ret_row,
                   struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = read_at(reader, id, now, ret_row, f);
  ledger_give_back(ledger, reader);
  return done;
}

/* --- the statement --- */

static void find_given(const struct ledger_query *q, bool ret_given[FILTER_COUNT])
{
  ret_given[FILTER_SERIAL_NUMBERS] = q->serial_numbers.len > 0;
  ret_given[FILTER_DNS] = q->dns != NULL;
  ret_given[FILTER_URI] = q->uri != NULL;
  ret_given[FILTER_IP] = q->ip != NULL;
  ret_given[FILTER_DEVICE_SERIAL] = q->device_serial != NULL;
  ret_given[FILTER_ORDER] = q->order != NULL;
  ret_given[FILTER_ON_HOLD] = q->only_on_hold;
  ret_given[FILTER_REVOKED] = q->status == STATUS_REVOKED;
  ret_given[FILTER_SUPERSEDED] = q->status == STATUS_SUPERSEDED;
  ret_given[FILTER_STATION] = q->station != NULL;
  ret_given[FILTER_MODEL] = q->model != NULL;
  ret_given[FILTER_PROFILE] = q->profile != NULL;
  ret_given[FILTER_VALID] = q->status == STATUS_VALID;
  ret_given[FILTER_EXPIRED] = q->status == STATUS_EXPIRED;
  ret_given[FILTER_GOOD] = q->only_good;
  ret_given[FILTER_ISSUED_AFTER] = q->issued_after_ms != 0;
  ret_given[FILTER_ISSUED_BEFORE] = q->issued_before_ms != 0;
  ret_given[FILTER_EXPIRES_BEFORE] = q->expires_before != 0;
}

static void make_sql(const struct ledger_query *query, const char *columns, struct buf *out)
{
  const struct ledger_select select = {columns, "certificates c", "c.id",
                                       "spans", filters,          FILTER_COUNT};
  bool given[FILTER_COUNT];
  find_given(query, given);
  ledger_select_sql(&select, given, out);
}

void ledger_search_sql(const struct ledger_query *query, struct buf *out)
{
  make_sql(query, "SELECT " ROW_COLUMNS, out);
}

/* --- the answer --- */

/* Names are kept in lower case (san.h). */
static void add_lower(struct buf *out, const char *text)
{
  for (; *text != '\0'; text++)
    buf_add_u8(out, (uint8_t)(*text >= 'A' && *text <= 'Z' ? *text - 'A' + 'a' : *text));
}

/* In the order of enum search_parameter. What the statement does not have is bound to nothing. */
static void bind_query(const struct ledger_query *q, int64_t now, const char *dns,
                       struct ledger_call *call)
{
  ledger_call_number(call, now);
  ledger_call_number(call, q->before_id > 0 ? q->before_id : INT64_MAX);
  ledger_call_number(call, (int64_t)q->limit + 1);
  ledger_call_text(call, q->device_serial);
  ledger_call_text(call, q->station);
  ledger_call_text(call, q->order);
  ledger_call_text(call, q->model);
  ledger_call_text(call, q->profile);
  ledger_call_blob(call, q->ip != NULL ? q->ip->octets : NULL, q->ip != NULL ? q->ip->len : 0);
  ledger_call_text(call, dns);
  ledger_call_text(call, q->uri);
  ledger_call_number(call, q->issued_after_ms);
  ledger_call_number(call, q->issued_before_ms);
  ledger_call_number(call, q->expires_before);
  ledger_call_blob(call, q->serial_numbers.data, q->serial_numbers.len);
}

static bool read_page(struct ledger_call *call, unsigned limit, int64_t now,
                      struct ledger_page *page, struct fault *f)
{
  for (;;) {
    bool row;
    if (!ledger_call_step(call, &row, f))
      return false;
    if (!row)
      return true;
    if (page->n == limit) {
      page->more = true;
      return true;
    }
    if (!ledger_row_read(call, now, &page->rows[page->n], f))
      return false;
    page->n++;
  }
}

static bool search(struct ledger_connection *reader, const struct ledger_query *query, int64_t now,
                   struct ledger_page *page, struct fault *f)
{
  AUTO(buf) sql = {0};
  AUTO(buf) dns = {0};
  ledger_search_sql(query, &sql);
  add_lower(&dns, query->dns != NULL ? query->dns : "");
  page->rows = calloc(query->limit, sizeof page->rows[0]);
  const char *text = buf_text(&sql), *dns_text = buf_text(&dns);
  if (!buf_ok(&sql) || !buf_ok(&dns) || page->rows == NULL)
    return fault_no_memory(f);
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open_text(reader, text, &call, f))
    return false;
  bind_query(query, now, dns_text, &call);
  return read_page(&call, query->limit, now, page, f);
}

bool ledger_search(struct ledger *ledger, const struct ledger_query *query, int64_t now,
                   struct ledger_page *ret_page, struct fault *f)
{
  AUTO(ledger_page) page = {0};
  struct ledger_connection *reader;
  if (query->limit < 1 || query->limit > LIMIT_MAX)
    return fault_set(f, INTERNAL, "a page has 1 to %d rows, not %u", LIMIT_MAX, query->limit);
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = search(reader, query, now, &page, f);
  ledger_give_back(ledger, reader);
  if (!done)
    return false;
  *ret_page = page;
  page = (struct ledger_page){0};
  return true;
}

/* --- how many --- */

static bool count(struct ledger_connection *reader, const struct ledger_query *query, int64_t now,
                  struct ledger_count *ret_count, struct fault *f)
{
  AUTO(buf) sql = {0};
  AUTO(buf) dns = {0};
  AUTO(ledger_call) call = {0};
  make_sql(query, "SELECT count(*), coalesce(max(c.id), 0), coalesce(sum(c.id), 0)", &sql);
  add_lower(&dns, query->dns != NULL ? query->dns : "");
  const char *text = buf_text(&sql), *dns_text = buf_text(&dns);
  if (!buf_ok(&sql) || !buf_ok(&dns))
    return fault_no_memory(f);
  if (!ledger_call_open_text(reader, text, &call, f))
    return false;
  bind_query(query, now, dns_text, &call);
  if (!ledger_call_run(&call, f))
    return false;
  *ret_count = (struct ledger_count){.n = sqlite3_column_int64(call.statement, 0),
                                     .newest_id = sqlite3_column_int64(call.statement, 1),
                                     .ids = sqlite3_column_int64(call.statement, 2)};
  return true;
}

bool ledger_count(struct ledger *ledger, const struct ledger_query *query, int64_t now,
                  struct ledger_count *ret_count, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = count(reader, query, now, ret_count, f);
  ledger_give_back(ledger, reader);
  return done;
}
