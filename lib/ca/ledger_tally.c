/* ledger_tally.c - how often requests ended in which way, by order, station and hour. Gathered
 * within a batch and written once at its end: all of it is a handful of rows. */
#include "lib/base/text.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger_private.h"

static bool is_same(const struct ledger_tally *a, const struct ledger_tally *b)
{
  return a->order == b->order && a->station == b->station && a->hour == b->hour &&
         a->outcome == b->outcome;
}

static bool run(struct ledger_connection *writer, enum ledger_sql sql,
                const struct ledger_tally *tally, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, sql, &call, f))
    return false;
  ledger_call_number(&call, tally->order);
  ledger_call_number(&call, tally->station);
  ledger_call_number(&call, tally->hour);
  ledger_call_number(&call, tally->outcome);
  ledger_call_number(&call, tally->n);
  return ledger_call_run(&call, f);
}

/* No upsert: the trigger that refuses a REPLACE would refuse it too. */
static bool write_one(struct ledger_connection *writer, const struct ledger_tally *tally,
                      struct fault *f)
{
  return run(writer, SQL_COUNT_TALLY, tally, f) &&
         (sqlite3_changes(writer->db) > 0 || run(writer, SQL_ADD_TALLY, tally, f));
}

bool ledger_tallies_flush(struct ledger_batch *batch, struct fault *f)
{
  for (size_t i = 0; i < batch->n_tallies; i++)
    if (!write_one(batch->ledger->writer, &batch->tallies[i], f))
      return false;
  batch->n_tallies = 0;
  return true;
}

bool ledger_add_tally(struct ledger_batch *batch, const struct ledger_tally *tally, struct fault *f)
{
  for (size_t i = 0; i < batch->n_tallies; i++)
    if (is_same(&batch->tallies[i], tally)) {
      batch->tallies[i].n += tally->n;
      return true;
    }
  if (batch->n_tallies == ARRAY_LEN(batch->tallies) && !ledger_tallies_flush(batch, f))
    return false;
  batch->tallies[batch->n_tallies++] = *tally;
  return true;
}

/* The columns of SQL_TALLIES_OF_ORDER. */
enum { COLUMN_STATION, COLUMN_HOUR, COLUMN_OUTCOME, COLUMN_N };

static bool read_tally(const struct ledger_call *call, struct tally *ret_tally, struct fault *f)
{
  struct tally tally = {.hour = sqlite3_column_int64(call->statement, COLUMN_HOUR) * 3600,
                        .n = sqlite3_column_int64(call->statement, COLUMN_N)};
  if (!TEXT_COPY(tally.station, ledger_call_column(call, COLUMN_STATION)) ||
      !TEXT_COPY(tally.outcome, ledger_call_column(call, COLUMN_OUTCOME)))
    return fault_set(f, LEDGER, "%s: a row of tallies is damaged", call->connection->path);
  *ret_tally = tally;
  return true;
}

static bool each_row(struct ledger_connection *reader, const char *order,
                     void (*each)(const struct tally *tally, void *context), void *context,
                     struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, SQL_TALLIES_OF_ORDER, &call, f))
    return false;
  ledger_call_text(&call, order);
  for (;;) {
    struct tally tally;
    bool row;
    if (!ledger_call_step(&call, &row, f))
      return false;
    if (!row)
      return true;
    if (!read_tally(&call, &tally, f))
      return false;
    each(&tally, context);
  }
}

bool ledger_each_tally(struct ledger *ledger, const char *order,
                       void (*each)(const struct tally *tally, void *context), void *context,
                       struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = each_row(reader, order, each, context, f);
  ledger_give_back(ledger, reader);
  return done;
}
