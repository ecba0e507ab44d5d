/* ledger_expiring.c - certificates whose end is near, announced once each.
 *
 * The table of spans steps over what ends at another time; what was announced before stands in a
 * table of its own, and is stepped over by its key. All of that is read beside the writer, who is
 * held for the new announcements alone. The daemon's OCSP responders (PROFILE_OCSP) are left out:
 * they end soon from their first day on, and others take their place by themselves. */
#include "lib/base/text.h"
#include "lib/ca/expiring.h"
#include "lib/ca/ledger_private.h"

/* Certificates that a step looks at, and the most that it announces: a transaction of some
 * milliseconds. */
enum { LOOK_MAX = 512 * SPAN_ROWS, ANNOUNCED_MAX = 256 };

struct announcement {
  int64_t certificate;
  char device_serial[LABEL_SIZE], order[LABEL_SIZE];
};

struct announcements {
  struct announcement rows[ANNOUNCED_MAX];
  size_t n;
};

/* --- finding them --- */

static bool find_newest(struct ledger_connection *reader, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, SQL_LAST_ID, &call, f) || !ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_column_int64(call.statement, 0);
  return true;
}

static bool read_rows(struct ledger_call *call, struct announcements *found, struct fault *f)
{
  for (;;) {
    bool row;
    if (!ledger_call_step(call, &row, f))
      return false;
    if (!row)
      return true;
    struct announcement *one = &found->rows[found->n];
    one->certificate = sqlite3_column_int64(call->statement, 0);
    if (!TEXT_COPY(one->device_serial, ledger_call_column(call, 1)) ||
        !TEXT_COPY(one->order, ledger_call_column(call, 2)))
      return fault_set(f, LEDGER, "%s: row %lld is damaged", call->connection->path,
                       (long long)one->certificate);
    found->n++;
  }
}

static bool find(struct ledger_connection *reader, int64_t now, int64_t until, int64_t after_id,
                 int64_t up_to, struct announcements *found, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, SQL_EXPIRING, &call, f))
    return false;
  ledger_call_number(&call, after_id);
  ledger_call_number(&call, up_to);
  ledger_call_number(&call, now);
  ledger_call_number(&call, until);
  ledger_call_number(&call, ANNOUNCED_MAX);
  return read_rows(&call, found, f);
}

/* --- announcing them --- */

static bool note(struct ledger_connection *writer, int64_t certificate, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_ADD_EXPIRING, &call, f))
    return false;
  ledger_call_number(&call, certificate);
  return ledger_call_run(&call, f);
}

static bool announce_one(struct ledger_batch *batch, const struct announcement *one,
                         struct fault *f)
{
  struct event event = {.kind = EVENT_EXPIRING, .certificate = one->certificate};
  TEXT_COPY(event.device_serial, bytes_of_text(one->device_serial));
  TEXT_COPY(event.order, bytes_of_text(one->order));
  batch->failed = !note(batch->ledger->writer, one->certificate, f);
  return !batch->failed && ledger_add_event(batch, &event, f);
}

static bool announce(struct ledger *ledger, const struct announcements *found, struct fault *f)
{
  struct ledger_batch *batch;
  if (found->n == 0)
    return true;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  for (size_t i = 0; i < found->n; i++)
    if (!announce_one(batch, &found->rows[i], f)) {
      ledger_roll_back(batch);
      return false;
    }
  return ledger_commit(batch, f);
}

bool ledger_announce_expiring(struct ledger *ledger, int64_t now, int64_t until, int64_t *after_id,
                              size_t *ret_n, bool *ret_more, struct fault *f)
{
  struct announcements found = {.n = 0};
  struct ledger_connection *reader;
  int64_t newest = 0, up_to = *after_id + LOOK_MAX;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done =
      find_newest(reader, &newest, f) && find(reader, now, until, *after_id, up_to, &found, f);
  ledger_give_back(ledger, reader);
  if (!done || !announce(ledger, &found, f))
    return false;
  *after_id = found.n == ANNOUNCED_MAX ? found.rows[found.n - 1].certificate : up_to;
  *ret_more = *after_id < newest;
  *ret_n = found.n;
  return true;
}
