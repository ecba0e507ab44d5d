/* ledger_marked.c - candidates by their marks: the newest rows, which no mark tells of yet, are a
 * block, and so are the rows of each mark. See ledger_candidates.h. */
#include "lib/ca/ledger_candidates.h"

static bool add_row(struct candidates *c, int64_t row)
{
  uint16_t low = (uint16_t)row;
  buf_add(&c->rows, &low, sizeof low);
  return buf_ok(&c->rows);
}

static bool find_newest(struct candidates *c, enum ledger_log log, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c->connection, log == LOG_EVENTS ? SQL_LAST_EVENT : SQL_LAST_ID, &call,
                        f) ||
      !ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_column_int64(call.statement, 0);
  return true;
}

static bool open_marks(struct candidates *c, int64_t kind, int64_t label, struct fault *f)
{
  int64_t below = c->first < c->below ? c->first : c->below;
  if (!ledger_call_open(c->connection, SQL_MARKS, &c->call, f))
    return false;
  ledger_call_number(&c->call, kind);
  ledger_call_number(&c->call, label);
  ledger_call_number(&c->call, (below - 1) / MARK_ROWS);
  return true;
}

static bool begin(struct candidates *c, int64_t kind, sqlite3_value *label, struct fault *f)
{
  int64_t newest;
  if (!find_newest(c, mark_log_of((enum mark_kind)kind), &newest, f))
    return false;
  c->first = ledger_marked_rows(newest);
  for (int64_t id = c->first; id <= newest && id < c->below; id++)
    if (!add_row(c, id - c->first))
      return fault_no_memory(f);
  c->ended = c->first == 0;
  return c->ended || open_marks(c, kind, sqlite3_value_int64(label), f);
}

static bool more(struct candidates *c, struct fault *f)
{
  bool row;
  if (!ledger_call_step(&c->call, &row, f))
    return false;
  c->ended = !row;
  if (c->ended)
    return true;
  c->first = sqlite3_column_int64(c->call.statement, 0) * MARK_ROWS;
  uint64_t bits = (uint64_t)sqlite3_column_int64(c->call.statement, 1);
  for (int i = 0; i < MARK_ROWS; i++)
    if ((bits >> i & 1) != 0 && !add_row(c, i))
      return fault_no_memory(f);
  return true;
}

const struct candidate_source ledger_marked = {"marked", begin, more};
