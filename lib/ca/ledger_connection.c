/* ledger_connection.c - a connection to SQLite, set up the way the ledger needs it. */
#include <stdlib.h>

#include "lib/ca/ledger_private.h"

/* A foreign reader or checkpoint may hold the file for a moment. */
enum { BUSY_TIMEOUT_MS = 5000 };

/* An untrusted file's schema gets no say beyond what the ledger itself needs. */
static const char connection_setup[] = "PRAGMA foreign_keys = ON;"
                                       "PRAGMA recursive_triggers = ON;"
                                       "PRAGMA trusted_schema = OFF;"
                                       "PRAGMA temp_store = MEMORY;";

/* Names and devices may come in any order: a cache keeps the upper levels of their indexes and hot
 * pages, and checkpoints that are further apart write each page fewer times; the writer's own are
 * those of when nobody else makes them. Nothing is ever deleted, so that there is nothing to
 * overwrite with zeros. */
static const char *const setups[LEDGER_ACCESS_COUNT] = {
    [LEDGER_WRITES] = "PRAGMA synchronous = FULL;"
                      "PRAGMA secure_delete = OFF;"
                      "PRAGMA cache_size = -12288;"
                      "PRAGMA wal_autocheckpoint = 4000;"
                      "PRAGMA journal_size_limit = 67108864;",
    [LEDGER_READS] = "PRAGMA query_only = ON;"
                     "PRAGMA cache_size = -8192;",
    [LEDGER_CHECKPOINTS] = "PRAGMA synchronous = FULL;"
                           "PRAGMA cache_size = 16;",
};

bool ledger_sqlite_fault(const struct ledger_connection *c, struct fault *f)
{
  if (sqlite3_errcode(c->db) == SQLITE_NOMEM)
    return fault_no_memory(f);
  if (sqlite3_errcode(c->db) == SQLITE_NOTADB)
    return fault_set(f, LEDGER, "%s is not a ledger (not even an SQLite file): name another file",
                     c->path);
  return fault_set(f, LEDGER, "%s: %s (SQLite %d)", c->path, sqlite3_errmsg(c->db),
                   sqlite3_extended_errcode(c->db));
}

bool ledger_execute(struct ledger_connection *c, const char *sql, struct fault *f)
{
  return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK || ledger_sqlite_fault(c, f);
}

bool ledger_ask(struct ledger_connection *c, const char *sql, int64_t *ret_number, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool row;
  if (!ledger_call_open_text(c, sql, &call, f) || !ledger_call_step(&call, &row, f))
    return false;
  if (!row)
    return fault_set(f, LEDGER, "%s: no answer to \"%s\"", c->path, sql);
  *ret_number = sqlite3_column_int64(call.statement, 0);
  return true;
}

static bool set_up(struct ledger_connection *c, enum ledger_access access, struct fault *f)
{
  sqlite3_extended_result_codes(c->db, 1);
  sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
  sqlite3_db_config(c->db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
  return ledger_candidates_add(c, f) && ledger_has_name_add(c, f) &&
         ledger_execute(c, connection_setup, f) && ledger_execute(c, setups[access], f);
}

bool ledger_connection_open(const char *path, enum ledger_access access,
                            struct ledger_connection **ret_connection, struct fault *f)
{
  AUTO(ledger_connection) c = calloc(1, sizeof *c);
  if (c == NULL)
    return fault_no_memory(f);
  c->path = path;
  int status = sqlite3_open_v2(path, &c->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (c->db == NULL)
    return fault_no_memory(f);
  if (status != SQLITE_OK)
    return ledger_sqlite_fault(c, f);
  if (!set_up(c, access, f))
    return false;
  *ret_connection = TAKE(c);
  return true;
}

bool ledger_connection_set_up_writer(struct ledger_connection *c, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool row;
  if (!ledger_call_open_text(c, "PRAGMA journal_mode = WAL", &call, f) ||
      !ledger_call_step(&call, &row, f))
    return false;
  if (!row || !bytes_equal(ledger_call_column(&call, 0), bytes_of_text("wal")))
    return fault_set(f, LEDGER,
                     "%s: this file system cannot keep a write-ahead log; put the ledger on a "
                     "local disk",
                     c->path);
  return true;
}

void ledger_connection_close(struct ledger_connection *c)
{
  if (c == NULL)
    return;
  for (size_t i = 0; i < SQL_COUNT; i++)
    sqlite3_finalize(c->statements[i]);
  sqlite3_close(c->db);
  free(c);
}
