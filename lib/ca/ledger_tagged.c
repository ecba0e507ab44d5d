/* ledger_tagged.c - the table `tagged`, which SQL reads like any other: tagged(KIND, VALUE) has the
 * ids of those rows that may have the value (enum tag_kind), newest first. It is made as it is
 * read, run by run, so that a page of a listing costs what it shows. (SQLite: eponymous virtual
 * table.) */
#include <stdlib.h>

#include "lib/ca/ledger_private.h"

enum column { COLUMN_ID, COLUMN_KIND, COLUMN_VALUE };
static const char declaration[] = "CREATE TABLE x (id INTEGER, kind HIDDEN, value HIDDEN)";

/* How it is asked, as SQLite hands it from best_index() to filter(). */
enum { WITH_BOUND = 1 };

struct table {
  sqlite3_vtab base;
  struct ledger_connection *connection;
};

struct cursor {
  sqlite3_vtab_cursor base;
  struct tag tag;
  int64_t run, written; /* that is read; so many are in the table */
  struct buf rows;      /* of it, what is left to read: see ledger_tags_read() */
};

static int connect(sqlite3 *db, void *connection, int n_arguments, const char *const *arguments,
                   sqlite3_vtab **ret_table, char **ret_message)
{
  (void)n_arguments, (void)arguments, (void)ret_message;
  int status = sqlite3_declare_vtab(db, declaration);
  if (status != SQLITE_OK)
    return status;
  struct table *table = sqlite3_malloc(sizeof *table);
  if (table == NULL)
    return SQLITE_NOMEM;
  *table = (struct table){.connection = connection};
  *ret_table = &table->base;
  return sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
}

static int disconnect(sqlite3_vtab *table)
{
  sqlite3_free(table);
  return SQLITE_OK;
}

/* --- how it is asked --- */

static int find_constraint(const sqlite3_index_info *info, int column, unsigned char op)
{
  for (int i = 0; i < info->nConstraint; i++)
    if (info->aConstraint[i].usable && info->aConstraint[i].iColumn == column &&
        info->aConstraint[i].op == op)
      return i;
  return -1;
}

static void take_argument(sqlite3_index_info *info, int constraint, int place, bool is_exact)
{
  info->aConstraintUsage[constraint].argvIndex = place;
  info->aConstraintUsage[constraint].omit = is_exact;
}

/* Kind and value must be given. An upper bound of the ids spares the runs behind it. */
static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
  (void)table;
  int kind = find_constraint(info, COLUMN_KIND, SQLITE_INDEX_CONSTRAINT_EQ);
  int value = find_constraint(info, COLUMN_VALUE, SQLITE_INDEX_CONSTRAINT_EQ);
  int bound = find_constraint(info, COLUMN_ID, SQLITE_INDEX_CONSTRAINT_LT);
  if (kind < 0 || value < 0)
    return SQLITE_CONSTRAINT;
  take_argument(info, kind, 1, true);
  take_argument(info, value, 2, true);
  if (bound >= 0)
    take_argument(info, bound, 3, false);
  info->idxNum = bound >= 0 ? WITH_BOUND : 0;
  info->orderByConsumed =
      info->nOrderBy == 1 && info->aOrderBy[0].iColumn == COLUMN_ID && info->aOrderBy[0].desc;
  info->estimatedRows = 16;
  info->estimatedCost = 100;
  return SQLITE_OK;
}

/* --- reading --- */

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
  (void)table;
  struct cursor *cursor = sqlite3_malloc(sizeof *cursor);
  if (cursor == NULL)
    return SQLITE_NOMEM;
  *cursor = (struct cursor){.run = -1};
  *ret_cursor = &cursor->base;
  return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
  struct cursor *cursor = (struct cursor *)base;
  buf_free(&cursor->rows);
  sqlite3_free(cursor);
  return SQLITE_OK;
}

static struct ledger_connection *connection_of(const struct cursor *cursor)
{
  return ((struct table *)cursor->base.pVtab)->connection;
}

static struct ledger_tags *tags_of(const struct cursor *cursor)
{
  return connection_of(cursor)->tags->of[tag_log_of(cursor->tag.kind)];
}

static int fail(struct cursor *cursor, struct fault *f)
{
  sqlite3_free(cursor->base.pVtab->zErrMsg);
  cursor->base.pVtab->zErrMsg = sqlite3_mprintf("%s", f->detail);
  return f->code == FAULT_NO_MEMORY ? SQLITE_NOMEM : SQLITE_CORRUPT_VTAB;
}

/* Goes on to the next older run that has any; to the end when there is none. */
static int read_runs(struct cursor *cursor)
{
  AUTO(fault) f = {0};
  while (cursor->rows.len == 0 && cursor->run > 0) {
    cursor->run--;
    if (!ledger_tags_read(tags_of(cursor), connection_of(cursor), cursor->run, cursor->written,
                          &cursor->tag, &cursor->rows, &f))
      return fail(cursor, &f);
  }
  return SQLITE_OK;
}

/* The newest is the last one. */
static uint16_t low(const struct cursor *cursor)
{
  uint16_t row;
  memcpy(&row, cursor->rows.data + cursor->rows.len - sizeof row, sizeof row);
  return row;
}

/* A row that has the tag twice is there once. */
static int next(sqlite3_vtab_cursor *base)
{
  struct cursor *cursor = (struct cursor *)base;
  uint16_t last = low(cursor);
  while (cursor->rows.len > 0 && low(cursor) == last)
    cursor->rows.len -= sizeof last;
  return read_runs(cursor);
}

/* Begins behind the newest run that may have rows below the bound. */
static void begin_behind(struct cursor *cursor, int64_t newest, int64_t bound)
{
  int64_t of_bound = bound > 0 ? bound / TAG_RUN_ROWS : 0;
  cursor->run = (newest < of_bound ? newest : of_bound) + 1;
}

static int filter(sqlite3_vtab_cursor *base, int with, const char *text, int n_values,
                  sqlite3_value **values)
{
  (void)text, (void)n_values;
  AUTO(fault) f = {0};
  struct cursor *cursor = (struct cursor *)base;
  int64_t kind = sqlite3_value_int64(values[0]);
  const void *value = sqlite3_value_blob(values[1]);
  int len = sqlite3_value_bytes(values[1]);
  buf_clear(&cursor->rows);
  cursor->run = 0;
  if (kind < 0 || kind >= TAG_KIND_END || value == NULL)
    return SQLITE_OK;
  cursor->tag = tag_of((enum tag_kind)kind, bytes_of(value, (size_t)len));
  if (!ledger_tags_written(tags_of(cursor), connection_of(cursor), &cursor->written, &f))
    return fail(cursor, &f);
  int64_t newest = ledger_tags_newest_run(tags_of(cursor));
  begin_behind(cursor, newest >= cursor->written ? newest : cursor->written - 1,
               with == WITH_BOUND ? sqlite3_value_int64(values[2]) : INT64_MAX);
  return read_runs(cursor);
}

static int at_end(sqlite3_vtab_cursor *base)
{
  return ((struct cursor *)base)->rows.len == 0;
}

static int read_id(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_id)
{
  const struct cursor *cursor = (struct cursor *)base;
  *ret_id = cursor->run * TAG_RUN_ROWS + low(cursor);
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

bool ledger_tagged_add(struct ledger_connection *c, struct fault *f)
{
  return sqlite3_create_module(c->db, "tagged", &module, c) == SQLITE_OK ||
         ledger_sqlite_fault(c, f);
}
