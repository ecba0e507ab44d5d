/* ledger_call.c - one run of a statement: bind, step, read, reset. */
#include <limits.h>

#include "lib/ca/ledger_private.h"

static const char *const statement_texts[SQL_COUNT] = {
#define X(name, text) [SQL_##name] = text,
    LEDGER_STATEMENTS(X)
#undef X
};

static bool prepare(struct ledger_connection *c, const char *sql, unsigned flags,
                    sqlite3_stmt **ret_statement, struct fault *f)
{
  return sqlite3_prepare_v3(c->db, sql, -1, flags, ret_statement, NULL) == SQLITE_OK ||
         ledger_sqlite_fault(c, f);
}

bool ledger_call_open(struct ledger_connection *c, enum ledger_sql sql, struct ledger_call *call,
                      struct fault *f)
{
  if (c->statements[sql] == NULL &&
      !prepare(c, statement_texts[sql], SQLITE_PREPARE_PERSISTENT, &c->statements[sql], f))
    return false;
  *call = (struct ledger_call){.connection = c, .statement = c->statements[sql]};
  return true;
}

bool ledger_call_open_text(struct ledger_connection *c, const char *sql, struct ledger_call *call,
                           struct fault *f)
{
  sqlite3_stmt *statement = NULL;
  if (!prepare(c, sql, 0, &statement, f))
    return false;
  *call = (struct ledger_call){.connection = c, .statement = statement, .owned = true};
  return true;
}

static void keep_status(struct ledger_call *call, int status)
{
  bool stepped_over = call->owned && call->bound > sqlite3_bind_parameter_count(call->statement);
  if (status != SQLITE_OK && !stepped_over)
    call->status = status;
}

void ledger_call_text(struct ledger_call *call, const char *text)
{
  if (text == NULL || text[0] == '\0')
    ledger_call_null(call);
  else
    keep_status(call, sqlite3_bind_text(call->statement, ++call->bound, text, -1, SQLITE_STATIC));
}

void ledger_call_text_octets(struct ledger_call *call, struct bytes text)
{
  keep_status(call, sqlite3_bind_text64(call->statement, ++call->bound, (const char *)text.data,
                                        text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void ledger_call_blob(struct ledger_call *call, const void *octets, size_t len)
{
  keep_status(call,
              sqlite3_bind_blob64(call->statement, ++call->bound, octets, len, SQLITE_STATIC));
}

void ledger_call_number(struct ledger_call *call, int64_t number)
{
  keep_status(call, sqlite3_bind_int64(call->statement, ++call->bound, number));
}

void ledger_call_null(struct ledger_call *call)
{
  keep_status(call, sqlite3_bind_null(call->statement, ++call->bound));
}

void ledger_call_id(struct ledger_call *call, int64_t id)
{
  if (id == 0)
    ledger_call_null(call);
  else
    ledger_call_number(call, id);
}

bool ledger_call_step(struct ledger_call *call, bool *ret_row, struct fault *f)
{
  if (call->status != SQLITE_OK)
    return fault_set(f, LEDGER, "%s: a value cannot be bound: %s", call->connection->path,
                     sqlite3_errstr(call->status));
  int status = sqlite3_step(call->statement);
  if (status != SQLITE_ROW && status != SQLITE_DONE)
    return ledger_sqlite_fault(call->connection, f);
  *ret_row = status == SQLITE_ROW;
  return true;
}

bool ledger_call_run(struct ledger_call *call, struct fault *f)
{
  bool row;
  return ledger_call_step(call, &row, f);
}

struct bytes ledger_call_column(const struct ledger_call *call, int column)
{
  /* The order matters: sqlite3_column_bytes() tells the length of what was fetched before. */
  const void *data = sqlite3_column_blob(call->statement, column);
  int len = sqlite3_column_bytes(call->statement, column);
  return bytes_of(data, data == NULL || len < 0 ? 0 : (size_t)len);
}

void ledger_call_close(struct ledger_call *call)
{
  if (call->statement == NULL)
    return;
  if (call->owned) {
    sqlite3_finalize(call->statement);
  } else {
    sqlite3_reset(call->statement);
    sqlite3_clear_bindings(call->statement);
  }
  call->statement = NULL;
}

bool ledger_run(struct ledger_connection *c, enum ledger_sql sql, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  return ledger_call_open(c, sql, &call, f) && ledger_call_run(&call, f);
}
