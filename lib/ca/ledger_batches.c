/* ledger_batches.c - batches of requests: begun, counted, ended. See batch.h. */
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/ca/batch.h"
#include "lib/ca/ledger_private.h"

/* --- begin and end: each in a transaction of its own --- */

static bool add(struct ledger *ledger, const uint8_t name[BATCH_NAME_LEN], const char *principal,
                int64_t now, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  int64_t label;
  if (!ledger_label_id(ledger, principal, &label, f) ||
      !ledger_call_open(ledger->writer, SQL_ADD_BATCH, &call, f))
    return false;
  ledger_call_blob(&call, name, BATCH_NAME_LEN);
  ledger_call_number(&call, label);
  ledger_call_number(&call, now);
  if (!ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_last_insert_rowid(ledger->writer->db);
  return sqlite3_changes(ledger->writer->db) == 1 ||
         fault_set(f, BATCH_EXISTS, "a batch is sent again under another id, or without one");
}

bool ledger_begin_batch(struct ledger *ledger, const uint8_t name[BATCH_NAME_LEN],
                        const char *principal, int64_t now, int64_t *ret_id, struct fault *f)
{
  struct ledger_batch *transaction;
  int64_t id;
  if (!ledger_begin(ledger, &transaction, f))
    return false;
  if (!add(ledger, name, principal, now, &id, f)) {
    ledger_roll_back(transaction);
    return false;
  }
  if (!ledger_commit(transaction, f))
    return false;
  *ret_id = id;
  return true;
}

static bool end(struct ledger_connection *writer, int64_t id, bool cut_off, int64_t now,
                struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_END_BATCHES, &call, f))
    return false;
  ledger_call_id(&call, id);
  ledger_call_number(&call, now);
  ledger_call_number(&call, cut_off);
  return ledger_call_run(&call, f);
}

bool ledger_end_batch(struct ledger *ledger, int64_t id, bool cut_off, int64_t now, struct fault *f)
{
  struct ledger_batch *transaction;
  if (!ledger_begin(ledger, &transaction, f))
    return false;
  if (end(ledger->writer, id, cut_off, now, f))
    return ledger_commit(transaction, f);
  ledger_roll_back(transaction);
  return false;
}

bool ledger_cut_off_batches(struct ledger *ledger, int64_t now, struct fault *f)
{
  return ledger_end_batch(ledger, 0, true, now, f);
}

/* --- reading --- */

/* The columns of BATCH_COLUMNS. */
enum {
  COLUMN_ID,
  COLUMN_NAME,
  COLUMN_PRINCIPAL,
  COLUMN_BEGUN_AT,
  COLUMN_ENDED_AT,
  COLUMN_CUT_OFF,
  COLUMN_ISSUED,
  COLUMN_REPLAYED,
  COLUMN_REFUSED
};

static bool read_row(const struct ledger_call *call, struct batch *ret_batch, struct fault *f)
{
  sqlite3_stmt *s = call->statement;
  struct batch batch = {.id = sqlite3_column_int64(s, COLUMN_ID),
                        .begun_at = sqlite3_column_int64(s, COLUMN_BEGUN_AT),
                        .ended_at = sqlite3_column_int64(s, COLUMN_ENDED_AT),
                        .cut_off = sqlite3_column_int(s, COLUMN_CUT_OFF) != 0,
                        .issued = sqlite3_column_int64(s, COLUMN_ISSUED),
                        .replayed = sqlite3_column_int64(s, COLUMN_REPLAYED),
                        .refused = sqlite3_column_int64(s, COLUMN_REFUSED)};
  struct bytes name = ledger_call_column(call, COLUMN_NAME);
  if (name.len != BATCH_NAME_LEN ||
      !TEXT_COPY(batch.principal, ledger_call_column(call, COLUMN_PRINCIPAL)))
    return fault_set(f, LEDGER, "%s: batch %lld is damaged", call->connection->path,
                     (long long)batch.id);
  memcpy(batch.name, name.data, BATCH_NAME_LEN);
  *ret_batch = batch;
  return true;
}

static bool find(struct ledger_connection *reader, const uint8_t name[BATCH_NAME_LEN],
                 struct batch *ret_batch, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(reader, SQL_FIND_BATCH, &call, f))
    return false;
  ledger_call_blob(&call, name, BATCH_NAME_LEN);
  if (!ledger_call_step(&call, &found, f))
    return false;
  return found ? read_row(&call, ret_batch, f)
               : fault_set(f, UNKNOWN_BATCH, "look it up in the list of batches");
}

bool ledger_find_batch(struct ledger *ledger, const uint8_t name[BATCH_NAME_LEN],
                       struct batch *ret_batch, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = find(reader, name, ret_batch, f);
  ledger_give_back(ledger, reader);
  return done;
}

static bool each_row(struct ledger_connection *reader, const char *principal, int64_t before_id,
                     unsigned limit, void (*each)(const struct batch *batch, void *context),
                     void *context, bool *ret_more, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, principal != NULL ? SQL_BATCHES_OF : SQL_BATCHES, &call, f))
    return false;
  ledger_call_number(&call, before_id > 0 ? before_id : INT64_MAX);
  ledger_call_number(&call, (int64_t)limit + 1);
  if (principal != NULL)
    ledger_call_text(&call, principal);
  for (unsigned n = 0;; n++) {
    struct batch batch;
    bool row;
    if (!ledger_call_step(&call, &row, f))
      return false;
    *ret_more = row && n == limit;
    if (!row || n == limit)
      return true;
    if (!read_row(&call, &batch, f))
      return false;
    each(&batch, context);
  }
}

bool ledger_each_batch(struct ledger *ledger, const char *principal, int64_t before_id,
                       unsigned limit, void (*each)(const struct batch *batch, void *context),
                       void *context, bool *ret_more, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = each_row(reader, principal, before_id, limit, each, context, ret_more, f);
  ledger_give_back(ledger, reader);
  return done;
}
