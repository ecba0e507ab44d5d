/* ledger_webhook.c - how far webhooks were told, and what is behind it. */
#include <stdlib.h>

#include "lib/ca/ledger_private.h"
#include "lib/ca/webhook.h"

/* So many events are looked at in one go, whether they match or not: a reader that stays long keeps
 * SQLite from writing its log back. */
enum { LOOK_MAX = 4096 };

/* --- positions --- */

static bool find(struct ledger_connection *c, const char *name, bool *ret_found,
                 int64_t *ret_last_event, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, SQL_FIND_WEBHOOK, &call, f))
    return false;
  ledger_call_text(&call, name);
  if (!ledger_call_step(&call, ret_found, f))
    return false;
  if (*ret_found)
    *ret_last_event = sqlite3_column_int64(call.statement, 0);
  return true;
}

static bool add(struct ledger_connection *writer, const char *name, int64_t now, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_ADD_WEBHOOK, &call, f))
    return false;
  ledger_call_text(&call, name);
  ledger_call_number(&call, now);
  return ledger_call_run(&call, f);
}

bool ledger_find_webhook(struct ledger *ledger, const char *name, int64_t now,
                         int64_t *ret_last_event, struct fault *f)
{
  struct ledger_batch *batch;
  int64_t last_event = 0;
  bool found = false;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  batch->failed =
      !add(ledger->writer, name, now, f) || !find(ledger->writer, name, &found, &last_event, f);
  if (batch->failed) {
    ledger_roll_back(batch);
    return false;
  }
  if (!ledger_commit(batch, f))
    return false;
  *ret_last_event = last_event;
  return true;
}

static bool move(struct ledger_connection *writer, const char *name, int64_t last_event,
                 int64_t now, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_MOVE_WEBHOOK, &call, f))
    return false;
  ledger_call_text(&call, name);
  ledger_call_number(&call, last_event);
  ledger_call_number(&call, now);
  return ledger_call_run(&call, f);
}

bool ledger_move_webhook(struct ledger *ledger, const char *name, int64_t last_event, int64_t now,
                         struct fault *f)
{
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  batch->failed = !move(ledger->writer, name, last_event, now, f);
  if (!batch->failed)
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

/* --- what is behind --- */

/* " issued revoked " */
static void add_names(uint64_t kinds, struct buf *out)
{
  buf_add_u8(out, ' ');
  for (enum event_kind kind = EVENT_NONE + 1; kind < EVENT_KIND_COUNT; kind++)
    if ((kinds & event_bit(kind)) != 0)
      buf_addf(out, "%s ", event_kind_name(kind));
}

static bool read_rows(struct ledger_call *call, struct event_page *page, struct fault *f)
{
  for (;;) {
    bool row;
    if (!ledger_call_step(call, &row, f))
      return false;
    if (!row)
      return true;
    if (!ledger_event_read(call, &page->rows[page->n], f))
      return false;
    page->n++;
  }
}

static bool read_page(struct ledger_connection *reader, int64_t after_id, int64_t up_to,
                      uint64_t kinds, unsigned limit, struct event_page *page, struct fault *f)
{
  AUTO(buf) names = {0};
  AUTO(ledger_call) call = {0};
  add_names(kinds, &names);
  const char *text = buf_text(&names);
  page->rows = calloc(limit, sizeof page->rows[0]);
  if (!buf_ok(&names) || page->rows == NULL)
    return fault_no_memory(f);
  if (!ledger_call_open(reader, SQL_EVENTS_BEHIND, &call, f))
    return false;
  ledger_call_number(&call, after_id);
  ledger_call_number(&call, up_to);
  ledger_call_text(&call, text);
  ledger_call_number(&call, limit);
  return read_rows(&call, page, f);
}

/* What is up to the newest event on disk is there for every reader that begins now. */
bool ledger_events_behind(struct ledger *ledger, int64_t after_id, uint64_t kinds, unsigned limit,
                          struct event_page *ret_page, int64_t *ret_seen, struct fault *f)
{
  AUTO(event_page) page = {0};
  struct ledger_connection *reader;
  int64_t newest = ledger_last_event(ledger);
  int64_t up_to = newest - after_id > LOOK_MAX ? after_id + LOOK_MAX : newest;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = read_page(reader, after_id, up_to, kinds, limit, &page, f);
  ledger_give_back(ledger, reader);
  if (!done)
    return false;
  if (page.n == limit)
    up_to = page.rows[page.n - 1].id;
  page.more = up_to < newest;
  *ret_seen = up_to > after_id ? up_to : after_id;
  *ret_page = page;
  page = (struct event_page){0};
  return true;
}
