/* ledger_candidates.c - see ledger_candidates.h. */
#include "lib/ca/ledger_candidates.h"

enum column { COLUMN_ID, COLUMN_KIND, COLUMN_VALUE };
static const char declaration[] = "CREATE TABLE x (id INTEGER, kind HIDDEN, value HIDDEN)";

struct table {
  sqlite3_vtab base;
  const struct candidate_source *source;
  struct ledger_connection *connection;
};

static int connect(sqlite3 *db, void *context, int n_arguments, const char *const *arguments,
                   sqlite3_vtab **ret_table, char **ret_message)
{
  (void)n_arguments, (void)arguments, (void)ret_message;
  int status = sqlite3_declare_vtab(db, declaration);
  if (status != SQLITE_OK)
    return status;
  struct table *table = sqlite3_malloc(sizeof *table);
  if (table == NULL)
    return SQLITE_NOMEM;
  *table = *(const struct table *)context;
  *ret_table = &table->base;
  return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
}

static int disconnect(sqlite3_vtab *table)
{
  sqlite3_free(table);
  return SQLITE_OK;
}

/* --- how it is asked --- */

/* The number of best_index() for filter(): 1 when there is a lower bound, and twice the number of
 * upper ones. They are handed over in this order, behind kind and value. */
enum { HAS_FROM = 1, A_BELOW = 2 };

static bool is_of(const struct sqlite3_index_constraint *constraint, int column, unsigned char op)
{
  return constraint->usable && constraint->iColumn == column && constraint->op == op;
}

/* How many of this form were taken. SQLite looks at each row again when it is not exact. */
static int take(sqlite3_index_info *info, int column, unsigned char op, int most, int *places)
{
  bool is_exact = op == SQLITE_INDEX_CONSTRAINT_EQ;
  int n = 0;
  for (int i = 0; i < info->nConstraint && n < most; i++)
    if (is_of(&info->aConstraint[i], column, op)) {
      info->aConstraintUsage[i].argvIndex = ++*places;
      info->aConstraintUsage[i].omit = is_exact;
      n++;
    }
  return n;
}

/* Kind and value must be given. Bounds of the ids spare what lies beyond them. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
  (void)table;
  int places = 0;
  if (take(info, COLUMN_KIND, SQLITE_INDEX_CONSTRAINT_EQ, 1, &places) != 1 ||
      take(info, COLUMN_VALUE, SQLITE_INDEX_CONSTRAINT_EQ, 1, &places) != 1)
    return SQLITE_CONSTRAINT;
  info->idxNum = HAS_FROM * take(info, COLUMN_ID, SQLITE_INDEX_CONSTRAINT_GE, 1, &places);
  info->idxNum += A_BELOW * take(info, COLUMN_ID, SQLITE_INDEX_CONSTRAINT_LT, 8, &places);
  info->orderByConsumed =
      info->nOrderBy == 1 && info->aOrderBy[0].iColumn == COLUMN_ID && info->aOrderBy[0].desc;
  info->estimatedRows = 16;
  info->estimatedCost = 100;
  return SQLITE_OK;
}

/* --- reading --- */

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **ret_cursor)
{
  const struct table *table = (const struct table *)base;
  struct candidates *c = sqlite3_malloc(sizeof *c);
  if (c == NULL)
    return SQLITE_NOMEM;
  *c = (struct candidates){.source = table->source, .connection = table->connection};
  *ret_cursor = &c->base;
  return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
  struct candidates *c = (struct candidates *)base;
  ledger_call_close(&c->call);
  buf_free(&c->rows);
  sqlite3_free(c);
  return SQLITE_OK;
}

static int fail(struct candidates *c, const struct fault *f)
{
  sqlite3_free(c->base.pVtab->zErrMsg);
  c->base.pVtab->zErrMsg = sqlite3_mprintf("%s", f->detail);
  return f->code == FAULT_NO_MEMORY ? SQLITE_NOMEM : SQLITE_ERROR;
}

/* The newest is the last one. */
static uint16_t low(const struct candidates *c)
{
  uint16_t row;
  memcpy(&row, c->rows.data + c->rows.len - sizeof row, sizeof row);
  return row;
}

void ledger_candidates_drop_rows(struct candidates *c, int64_t from)
{
  while (c->rows.len > 0 && c->first + low(c) >= from)
    c->rows.len -= sizeof(uint16_t);
}

/* Goes on to the next older block that has any. */
static int read_blocks(struct candidates *c)
{
  AUTO(fault) f = {0};
  while (c->rows.len == 0 && !c->ended) {
    c->ended = c->first <= c->from;
    if (c->ended)
      break;
    if (!c->source->more(c, &f))
      return fail(c, &f);
    ledger_candidates_drop_rows(c, c->end);
  }
  return SQLITE_OK;
}

/* A row that may have the value for two reasons is there once. */
static int next(sqlite3_vtab_cursor *base)
{
  struct candidates *c = (struct candidates *)base;
  c->end = c->first + low(c);
  ledger_candidates_drop_rows(c, c->end);
  return read_blocks(c);
}

/* Of what is no number SQLite knows what to make; nothing is less than NULL. */
static int64_t bound_of(sqlite3_value *value, int64_t otherwise)
{
  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    return sqlite3_value_int64(value);
  case SQLITE_NULL:
    return 0;
  default:
    return otherwise;
  }
}

static void take_bounds(struct candidates *c, int number, sqlite3_value **values)
{
  c->from = 0;
  c->below = INT64_MAX;
  if ((number & HAS_FROM) != 0) {
    int64_t from = bound_of(*values++, 0);
    c->from = from > 0 ? from : 0;
  }
  for (int i = 0; i < number / A_BELOW; i++) {
    int64_t below = bound_of(values[i], INT64_MAX);
    c->below = below < c->below ? below : c->below;
  }
}

static bool find_newest(struct candidates *c, enum ledger_log log, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c->connection, log == LOG_EVENTS ? SQL_LAST_EVENT : SQL_LAST_ID, &call,
                        f) ||
      !ledger_call_run(&call, f))
    return false;
  c->newest = sqlite3_column_int64(call.statement, 0);
  return true;
}

bool ledger_candidates_add_rows(struct candidates *c, int64_t from, int64_t last, struct fault *f)
{
  for (int64_t id = from; id <= last && id <= c->newest; id++) {
    uint16_t row = (uint16_t)(id - c->first);
    buf_add(&c->rows, &row, sizeof row);
  }
  return buf_ok(&c->rows) || fault_no_memory(f);
}

/* Nothing is equal to NULL. */
static int filter(sqlite3_vtab_cursor *base, int number, const char *text, int n_values,
                  sqlite3_value **values)
{
  (void)text, (void)n_values;
  AUTO(fault) f = {0};
  struct candidates *c = (struct candidates *)base;
  int64_t kind = sqlite3_value_int64(values[0]);
  ledger_call_close(&c->call);
  buf_clear(&c->rows);
  take_bounds(c, number, values + 2);
  c->end = c->below;
  c->ended = sqlite3_value_type(values[1]) == SQLITE_NULL || c->below <= 0;
  if (!c->ended &&
      (!find_newest(c, c->source->log(kind), &f) || !c->source->begin(c, kind, values[1], &f)))
    return fail(c, &f);
  return read_blocks(c);
}

static int at_end(sqlite3_vtab_cursor *base)
{
  return ((struct candidates *)base)->rows.len == 0;
}

static int read_id(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_id)
{
  const struct candidates *c = (const struct candidates *)base;
  *ret_id = c->first + low(c);
  return SQLITE_OK;
}

/* The others are what was asked for. */
static int read_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
  sqlite3_int64 id;
  read_id(base, &id);
  if (column == COLUMN_ID)
    sqlite3_result_int64(context, id);
  return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = connect,
    .xDisconnect = disconnect,
    .xBestIndex = best_index,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = read_column,
    .xRowid = read_id,
};

static bool add(struct ledger_connection *c, const struct candidate_source *source, struct fault *f)
{
  struct table *table = sqlite3_malloc(sizeof *table);
  if (table == NULL)
    return fault_no_memory(f);
  *table = (struct table){.source = source, .connection = c};
  return sqlite3_create_module_v2(c->db, source->name, &module, table, sqlite3_free) == SQLITE_OK ||
         ledger_sqlite_fault(c, f);
}

bool ledger_candidates_add(struct ledger_connection *c, struct fault *f)
{
  return add(c, &ledger_tagged, f) && add(c, &ledger_marked, f);
}
