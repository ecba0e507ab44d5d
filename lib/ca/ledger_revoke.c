/* ledger_revoke.c - one more revocation: what was there before decides whether it may be. */
#include "lib/base/text.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger_private.h"

/* One row to be added. */
struct entry {
  int64_t certificate; /* 0: this ledger does not have it */
  struct bytes serial_number;
  const char *authority;
  unsigned shard;
  int64_t not_after, at;
  enum revocation_reason reason;
};

/* The newest row of a certificate. One that was never revoked is as one whose hold was lifted. */
struct newest {
  int64_t id; /* 0: there is none */
  int64_t at;
  enum revocation_reason reason;
};

static bool is_good(const struct newest *newest)
{
  return newest->reason == REASON_REMOVE_FROM_CRL;
}

static bool is_on_hold(const struct newest *newest)
{
  return newest->reason == REASON_CERTIFICATE_HOLD;
}

/* Does the reason say more than the final one, or the hold, that is there? The trigger of
 * 0007-revocations.sql holds the same rule. */
static bool says_more(const struct newest *newest, enum revocation_reason reason)
{
  if (newest->reason == reason)
    return false;
  return is_good(newest) || is_on_hold(newest) || reason == REASON_KEY_COMPROMISE;
}

static bool find_newest(struct ledger_connection *c, struct bytes serial_number,
                        const char *authority, struct newest *ret_newest, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_NEWEST_REVOCATION, &call, f))
    return false;
  ledger_call_blob(&call, serial_number.data, serial_number.len);
  ledger_call_text(&call, authority);
  if (!ledger_call_step(&call, &found, f))
    return false;
  *ret_newest = (struct newest){.reason = REASON_REMOVE_FROM_CRL};
  if (found)
    *ret_newest =
        (struct newest){.id = sqlite3_column_int64(call.statement, 0),
                        .at = sqlite3_column_int64(call.statement, 1),
                        .reason = (enum revocation_reason)sqlite3_column_int(call.statement, 2)};
  return true;
}

/* --- how many of a span are revoked --- */

/* The span's own row must be there before it is counted in. */
bool ledger_revoked_flush(struct ledger_batch *batch, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (batch->revoked.n == 0)
    return true;
  if (!ledger_span_flush(batch, f) ||
      !ledger_call_open(batch->ledger->writer, SQL_COUNT_REVOKED, &call, f))
    return false;
  ledger_call_number(&call, batch->revoked.span);
  ledger_call_number(&call, batch->revoked.n);
  if (!ledger_call_run(&call, f))
    return false;
  batch->revoked.n = 0;
  return true;
}

static bool count(struct ledger_batch *batch, int64_t certificate, int64_t n, struct fault *f)
{
  int64_t span = certificate / SPAN_ROWS;
  if (span != batch->revoked.span && !ledger_revoked_flush(batch, f))
    return false;
  batch->revoked.span = span;
  batch->revoked.n += n;
  return true;
}

/* --- the row --- */

static bool last_id(struct ledger_connection *writer, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_LAST_REVOCATION, &call, f) || !ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_column_int64(call.statement, 0);
  return true;
}

bool ledger_find_last_revocation(struct ledger *ledger, struct fault *f)
{
  int64_t id;
  if (!last_id(ledger->writer, &id, f))
    return false;
  atomic_store(&ledger->last_revocation, id);
  return true;
}

/* Before the first one of a batch. */
static bool find_last_id(struct ledger_batch *batch, struct fault *f)
{
  if (!batch->has_last_revocation && !last_id(batch->ledger->writer, &batch->last_revocation, f))
    return false;
  batch->has_last_revocation = true;
  return true;
}

static bool insert(struct ledger_batch *batch, const struct entry *entry,
                   const struct newest *newest, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  int64_t authority;
  if (!find_last_id(batch, f) || !ledger_label_id(batch->ledger, entry->authority, &authority, f) ||
      !ledger_call_open(batch->ledger->writer, SQL_ADD_REVOCATION, &call, f))
    return false;
  ledger_call_number(&call, batch->last_revocation + 1);
  ledger_call_id(&call, entry->certificate);
  ledger_call_blob(&call, entry->serial_number.data, entry->serial_number.len);
  ledger_call_id(&call, authority);
  ledger_call_number(&call, entry->shard);
  ledger_call_number(&call, entry->not_after);
  ledger_call_number(&call, entry->at);
  ledger_call_number(&call, entry->reason);
  ledger_call_id(&call, newest->id);
  return ledger_call_run(&call, f);
}

static bool add(struct ledger_batch *batch, const struct entry *entry, const struct newest *newest,
                struct fault *f)
{
  if (!insert(batch, entry, newest, f))
    return false;
  batch->last_revocation++;
  int64_t n = (int64_t)is_good(newest) - (entry->reason == REASON_REMOVE_FROM_CRL);
  return entry->certificate == 0 || n == 0 || count(batch, entry->certificate, n, f);
}

/* --- a certificate of this ledger --- */

static bool refuse(const struct issued *row, const char *why, struct fault *f)
{
  char hex[2 * SERIAL_NUMBER_LEN + 1];
  text_hex(hex, row->serial_number, sizeof row->serial_number);
  return fault_set(f, CERTIFICATE_STATE, "certificate %s %s", hex, why);
}

/* False with *ret_adds left alone: it may not be. */
static bool judge(const struct issued *row, const struct newest *newest,
                  enum revocation_reason reason, int64_t at, bool *ret_adds, struct fault *f)
{
  bool is_final = !is_good(newest) && !is_on_hold(newest);
  if (reason == REASON_REMOVE_FROM_CRL && !is_on_hold(newest))
    return refuse(row,
                  is_final ? "is revoked for good: only a hold can be lifted"
                           : "is not on hold: there is nothing to lift",
                  f);
  if (!is_final && row->not_after < at)
    return refuse(row, "has expired", f);
  *ret_adds = says_more(newest, reason);
  return true;
}

static bool record(struct ledger_batch *batch, const struct issued *row,
                   enum revocation_reason reason, const struct event *who, struct fault *f)
{
  struct event event = {0};
  bool lifts = reason == REASON_REMOVE_FROM_CRL;
  if (who != NULL)
    event = *who;
  event.kind = lifts ? EVENT_HOLD_LIFTED : EVENT_REVOKED;
  event.code = FAULT_NONE;
  event.count = 0;
  event.certificate = row->id;
  TEXT_COPY(event.device_serial, bytes_of_text(row->device_serial));
  TEXT_COPY(event.order, bytes_of_text(row->order));
  TEXT_COPY(event.about, bytes_of_text(lifts ? "" : revocation_reason_name(reason)));
  return ledger_add_event(batch, &event, f);
}

static bool revoke(struct ledger_batch *batch, const struct issued *row,
                   enum revocation_reason reason, int64_t at, const struct event *who,
                   bool *ret_changed, struct fault *f)
{
  struct newest newest;
  bool adds = false;
  struct entry entry = {.certificate = row->id,
                        .serial_number = bytes_of(row->serial_number, sizeof row->serial_number),
                        .authority = row->authority,
                        .shard = row->shard,
                        .not_after = row->not_after,
                        .at = at,
                        .reason = reason};
  if (!find_newest(batch->ledger->writer, entry.serial_number, entry.authority, &newest, f) ||
      !judge(row, &newest, reason, at, &adds, f))
    return false;
  if (!is_good(&newest) && reason != REASON_REMOVE_FROM_CRL)
    entry.at = newest.at;
  if (adds && (!add(batch, &entry, &newest, f) || !record(batch, row, reason, who, f)))
    return false;
  *ret_changed = adds;
  return true;
}

static bool is_usable(const struct ledger_batch *batch, struct fault *f)
{
  return !batch->failed ||
         fault_set(f, LEDGER, "%s: the batch has failed already", batch->ledger->path);
}

bool ledger_revoke(struct ledger_batch *batch, const struct issued *row,
                   enum revocation_reason reason, int64_t at, const struct event *who,
                   bool *ret_changed, struct fault *f)
{
  if (!is_usable(batch, f))
    return false;
  if (revoke(batch, row, reason, at, who, ret_changed, f))
    return true;
  batch->failed = fault_whose(f->code) == FAULT_OURS;
  return false;
}

/* --- one that somebody else knows of --- */

static bool find_certificate(struct ledger_connection *c, struct entry *entry, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_CERTIFICATE_OF, &call, f))
    return false;
  ledger_call_blob(&call, entry->serial_number.data, entry->serial_number.len);
  ledger_call_text(&call, entry->authority);
  if (!ledger_call_step(&call, &found, f))
    return false;
  if (found) {
    entry->certificate = sqlite3_column_int64(call.statement, 0);
    entry->not_after = sqlite3_column_int64(call.statement, 1);
    entry->shard = (unsigned)sqlite3_column_int(call.statement, 2);
  }
  return true;
}

static bool adopt(struct ledger_batch *batch, struct entry *entry, bool *ret_changed,
                  struct fault *f)
{
  struct ledger_connection *writer = batch->ledger->writer;
  struct newest newest;
  if (!find_newest(writer, entry->serial_number, entry->authority, &newest, f) ||
      !find_certificate(writer, entry, f))
    return false;
  bool adds = entry->reason != REASON_REMOVE_FROM_CRL && says_more(&newest, entry->reason);
  if (!is_good(&newest))
    entry->at = newest.at;
  if (adds && !add(batch, entry, &newest, f))
    return false;
  *ret_changed = adds;
  return true;
}

bool ledger_adopt_revocation(struct ledger_batch *batch, const char *authority, unsigned shard,
                             struct bytes serial_number, int64_t at, enum revocation_reason reason,
                             bool *ret_changed, struct fault *f)
{
  struct entry entry = {.serial_number = serial_number,
                        .authority = authority,
                        .shard = shard,
                        .at = at,
                        .reason = reason};
  if (!is_usable(batch, f))
    return false;
  if (serial_number.len < 1 || serial_number.len > SERIAL_NUMBER_MAX ||
      !revocation_reason_is_known(reason))
    return fault_set(f, BAD_FIELD,
                     "a revocation has a serial number of 1 to %d octets and a known "
                     "reason",
                     SERIAL_NUMBER_MAX);
  batch->failed = !adopt(batch, &entry, ret_changed, f);
  return !batch->failed;
}
