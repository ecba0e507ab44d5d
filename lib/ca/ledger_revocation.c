/* ledger_revocation.c - reading revocations: of one certificate, and all that belong on a list. */
#include "lib/ca/ledger_private.h"

int64_t ledger_last_revocation(const struct ledger *ledger)
{
  return atomic_load(&ledger->last_revocation);
}

/* --- one certificate --- */

static bool open_one(struct ledger_connection *reader, enum ledger_sql sql, const char *authority,
                     struct bytes serial_number, struct ledger_call *call, bool *ret_found,
                     struct fault *f)
{
  if (!ledger_call_open(reader, sql, call, f))
    return false;
  ledger_call_blob(call, serial_number.data, serial_number.len);
  ledger_call_text(call, authority);
  return ledger_call_step(call, ret_found, f);
}

static bool find_revocation(struct ledger_connection *reader, const char *authority,
                            struct bytes serial_number, struct revocation_status *status,
                            struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!open_one(reader, SQL_NEWEST_REVOCATION, authority, serial_number, &call, &found, f))
    return false;
  if (found && sqlite3_column_int(call.statement, 2) != REASON_REMOVE_FROM_CRL)
    *status = (struct revocation_status){
        .state = REVOCATION_REVOKED,
        .at = sqlite3_column_int64(call.statement, 1),
        .reason = (enum revocation_reason)sqlite3_column_int(call.statement, 2)};
  return true;
}

/* Two looks are not one state, but what is revoked between them was good when the question came. */
static bool find_status(struct ledger_connection *reader, const char *authority,
                        struct bytes serial_number, struct revocation_status *status,
                        struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!find_revocation(reader, authority, serial_number, status, f))
    return false;
  if (status->state == REVOCATION_REVOKED)
    return true;
  if (!open_one(reader, SQL_CERTIFICATE_OF, authority, serial_number, &call, &found, f))
    return false;
  if (found)
    status->state = REVOCATION_GOOD;
  return true;
}

bool ledger_revocation_of(struct ledger *ledger, const char *authority, struct bytes serial_number,
                          struct revocation_status *ret_status, struct fault *f)
{
  struct ledger_connection *reader;
  struct revocation_status status = {0};
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = find_status(reader, authority, serial_number, &status, f);
  ledger_give_back(ledger, reader);
  if (done)
    *ret_status = status;
  return done;
}

/* --- a list --- */

typedef bool each_revocation(const struct revocation *revocation, void *context, struct fault *f);

static bool read_all(struct ledger_call *call, each_revocation *each, void *context,
                     struct fault *f)
{
  for (;;) {
    bool row;
    if (!ledger_call_step(call, &row, f))
      return false;
    if (!row)
      return true;
    const struct revocation revocation = {
        .id = sqlite3_column_int64(call->statement, 0),
        .serial_number = ledger_call_column(call, 1),
        .at = sqlite3_column_int64(call->statement, 2),
        .reason = (enum revocation_reason)sqlite3_column_int(call->statement, 3)};
    if (!each(&revocation, context, f))
      return false;
  }
}

static enum ledger_sql sql_of(const struct revocation_query *query)
{
  if (query->is_delta)
    return SQL_REVOCATIONS_SINCE;
  return query->shard > 0 ? SQL_REVOCATIONS_OF_SHARD : SQL_REVOCATIONS;
}

static bool list(struct ledger_connection *reader, const struct revocation_query *query,
                 each_revocation *each, void *context, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, sql_of(query), &call, f))
    return false;
  ledger_call_text(&call, query->authority);
  ledger_call_number(&call, query->shard);
  ledger_call_number(&call, query->is_delta ? query->since_id : query->expired_before);
  return read_all(&call, each, context, f);
}

static bool last_id(struct ledger_connection *reader, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, SQL_LAST_REVOCATION, &call, f) || !ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_column_int64(call.statement, 0);
  return true;
}

/* One transaction is one state of the database (WAL). */
static bool list_at_once(struct ledger_connection *reader, const struct revocation_query *query,
                         each_revocation *each, void *context, int64_t *ret_last_id,
                         struct fault *f)
{
  AUTO(fault) ignored = {0};
  if (!ledger_run(reader, SQL_BEGIN_READ, f))
    return false;
  bool done = last_id(reader, ret_last_id, f) && list(reader, query, each, context, f);
  /* There is nothing to be kept; after some errors SQLite has ended it by itself. */
  if (!sqlite3_get_autocommit(reader->db))
    ledger_run(reader, SQL_ROLLBACK, &ignored);
  return done;
}

bool ledger_each_revocation(struct ledger *ledger, const struct revocation_query *query,
                            each_revocation *each, void *context, int64_t *ret_last_id,
                            struct fault *f)
{
  struct ledger_connection *reader;
  int64_t id;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = list_at_once(reader, query, each, context, &id, f);
  ledger_give_back(ledger, reader);
  if (done)
    *ret_last_id = id;
  return done;
}
