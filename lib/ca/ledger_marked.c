/* ledger_marked.c - candidates by their marks: of the newest rows, which no mark tells of yet, each
 * 1,024 are a block; then the rows of each mark. See ledger_candidates.h. */
#include "lib/ca/ledger_candidates.h"

static enum ledger_log log_of(int64_t kind)
{
  return kind < MARK_EVENT_KIND ? LOG_CERTIFICATES : LOG_EVENTS;
}

static bool begin(struct candidates *c, int64_t kind, sqlite3_value *label, struct fault *f)
{
  int64_t last = c->newest < c->below ? c->newest : c->below - 1;
  c->kind = kind;
  c->label = sqlite3_value_int64(label);
  c->first = (last / MARK_RUN_ROWS + 1) * MARK_RUN_ROWS;
  return ledger_marked_rows(c->connection, log_of(kind), &c->known, f);
}

/* Two readings cannot share the statement. */
static bool open_marks(struct candidates *c, struct fault *f)
{
  if (!ledger_call_open(c->connection, SQL_MARKS, &c->call, f))
    return false;
  if (sqlite3_stmt_busy(c->call.statement)) {
    c->call.statement = NULL;
    return fault_set(f, INTERNAL, "marked() twice in one statement");
  }
  ledger_call_number(&c->call, c->kind);
  ledger_call_number(&c->call, c->label);
  ledger_call_number(&c->call, (c->first - 1) / MARK_ROWS);
  return true;
}

static bool read_mark(struct candidates *c, struct fault *f)
{
  bool row;
  if ((c->call.statement == NULL && !open_marks(c, f)) || !ledger_call_step(&c->call, &row, f))
    return false;
  c->ended = !row;
  if (c->ended)
    return true;
  c->first = sqlite3_column_int64(c->call.statement, 0) * MARK_ROWS;
  uint64_t bits = (uint64_t)sqlite3_column_int64(c->call.statement, 1);
  for (int i = 0; i < MARK_ROWS; i++)
    if ((bits >> i & 1) != 0 && !ledger_candidates_add_rows(c, c->first + i, c->first + i, f))
      return false;
  return true;
}

static bool more(struct candidates *c, struct fault *f)
{
  if (c->first <= c->known)
    return read_mark(c, f);
  c->first -= MARK_RUN_ROWS;
  return ledger_candidates_add_rows(c, c->first, c->first + MARK_RUN_ROWS - 1, f);
}

const struct candidate_source ledger_marked = {"marked", log_of, begin, more};
