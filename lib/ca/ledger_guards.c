/* ledger_guards.c - which triggers hold for the ledger's own writer.
 *
 * Those on INSERT of certificates, names and events see to it that nobody slips rows in between, or
 * lets REPLACE take some away. The writer's statements do neither: it numbers rows behind the last
 * one, which it has read in the same transaction, and never replaces. For it these triggers were a
 * quarter of the time that SQLite takes. All others hold for it too, and every other connection has
 * all of them. */
#include "lib/ca/ledger_private.h"

static bool add_guard(const struct ledger_call *call, struct buf *out)
{
  static const char begin[] = "CREATE TRIGGER ";
  struct bytes sql = ledger_call_column(call, 0);
  size_t len = strlen(begin);
  if (sql.len <= len || memcmp(sql.data, begin, len) != 0)
    return false;
  buf_add_text(out, "CREATE TEMP TRIGGER ");
  buf_add_bytes(out, bytes_of(sql.data + len, sql.len - len));
  buf_add_text(out, ";\n");
  return true;
}

static bool read_guards(struct ledger_connection *writer, struct buf *out, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_GUARDS, &call, f))
    return false;
  for (bool row = true; row;) {
    if (!ledger_call_step(&call, &row, f))
      return false;
    if (row && !add_guard(&call, out))
      return fault_set(f, LEDGER, "%s: a trigger is not one of ours: %.*s", writer->path, 80,
                       (const char *)sqlite3_column_text(call.statement, 0));
  }
  return true;
}

/* Since SQLite 3.35 a connection without triggers still has the temporary ones. */
bool ledger_guards_set(struct ledger_connection *writer, struct fault *f)
{
  AUTO(buf) guards = {0};
  int enabled;
  if (!read_guards(writer, &guards, f))
    return false;
  const char *sql = buf_text(&guards);
  if (!buf_ok(&guards))
    return fault_no_memory(f);
  if (!ledger_execute(writer, sql, f))
    return false;
  if (sqlite3_db_config(writer->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, &enabled) != SQLITE_OK)
    return ledger_sqlite_fault(writer, f);
  return true;
}
