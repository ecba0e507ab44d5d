/* ledger_crl.c - one more list of revoked certificates, and those that there were. */
#include "lib/base/text.h"
#include "lib/ca/crl_record.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger_private.h"

/* In the order of SQL_ADD_CRL, which takes the next id by itself. */
static bool insert(struct ledger *ledger, const struct crl_record *record, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  int64_t authority;
  if (!ledger_label_id(ledger, record->authority, &authority, f) ||
      !ledger_call_open(ledger->writer, SQL_ADD_CRL, &call, f))
    return false;
  ledger_call_number(&call, authority);
  ledger_call_number(&call, record->shard);
  ledger_call_number(&call, (int64_t)record->number);
  ledger_call_id(&call, (int64_t)record->base_number);
  ledger_call_number(&call, record->this_update);
  ledger_call_number(&call, record->next_update);
  ledger_call_number(&call, record->revocation_id);
  ledger_call_number(&call, record->entries);
  ledger_call_number(&call, record->octets);
  ledger_call_blob(&call, record->sha256, sizeof record->sha256);
  return ledger_call_run(&call, f);
}

static bool note(struct ledger_batch *batch, const struct crl_record *record, struct fault *f)
{
  struct event event = {.kind = EVENT_CRL_PUBLISHED, .count = record->entries};
  TEXT_COPY(event.about, bytes_of_text(record->authority));
  return ledger_add_event(batch, &event, f);
}

bool ledger_add_crl(struct ledger *ledger, const struct crl_record *record, struct fault *f)
{
  struct ledger_batch *batch;
  if (record->number == 0 || record->number > INT64_MAX || record->base_number >= record->number)
    return fault_set(f, LEDGER, "%s: a list of number %llu cannot be recorded", ledger->path,
                     (unsigned long long)record->number);
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (insert(ledger, record, f) && note(batch, record, f))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

/* --- reading --- */

/* The columns of SQL_FIND_CRL. */
enum {
  COLUMN_SHARD,
  COLUMN_BASE_NUMBER,
  COLUMN_THIS_UPDATE,
  COLUMN_NEXT_UPDATE,
  COLUMN_REVOCATION,
  COLUMN_ENTRIES,
  COLUMN_OCTETS,
  COLUMN_SHA256
};

static int64_t number_of(const struct ledger_call *call, int column)
{
  return sqlite3_column_int64(call->statement, column);
}

static bool read_record(const struct ledger_call *call, const char *authority, uint64_t number,
                        struct crl_record *ret_record, struct fault *f)
{
  struct bytes sha256 = ledger_call_column(call, COLUMN_SHA256);
  /* A base_number of NULL reads as 0. */
  struct crl_record record = {.shard = (unsigned)number_of(call, COLUMN_SHARD),
                              .number = number,
                              .base_number = (uint64_t)number_of(call, COLUMN_BASE_NUMBER),
                              .this_update = number_of(call, COLUMN_THIS_UPDATE),
                              .next_update = number_of(call, COLUMN_NEXT_UPDATE),
                              .revocation_id = number_of(call, COLUMN_REVOCATION),
                              .entries = number_of(call, COLUMN_ENTRIES),
                              .octets = number_of(call, COLUMN_OCTETS)};
  if (sha256.len != sizeof record.sha256 || !TEXT_COPY(record.authority, bytes_of_text(authority)))
    return fault_set(f, LEDGER, "%s: a row of crls is damaged", call->connection->path);
  memcpy(record.sha256, sha256.data, sizeof record.sha256);
  *ret_record = record;
  return true;
}

static bool find(struct ledger_connection *reader, const char *authority, uint64_t number,
                 bool *ret_found, struct crl_record *ret_record, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(reader, SQL_FIND_CRL, &call, f))
    return false;
  ledger_call_text(&call, authority);
  ledger_call_number(&call, (int64_t)number);
  if (!ledger_call_step(&call, &found, f) ||
      (found && !read_record(&call, authority, number, ret_record, f)))
    return false;
  *ret_found = found;
  return true;
}

bool ledger_find_crl(struct ledger *ledger, const char *authority, uint64_t number, bool *ret_found,
                     struct crl_record *ret_record, struct fault *f)
{
  struct ledger_connection *reader;
  if (number > INT64_MAX) {
    *ret_found = false;
    return true;
  }
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = find(reader, authority, number, ret_found, ret_record, f);
  ledger_give_back(ledger, reader);
  return done;
}

static bool read_extent(struct ledger_connection *reader, const char *authority,
                        struct crl_extent *ret_extent, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool row;
  if (!ledger_call_open(reader, SQL_CRL_EXTENT, &call, f))
    return false;
  ledger_call_text(&call, authority);
  if (!ledger_call_step(&call, &row, f))
    return false;
  *ret_extent = (struct crl_extent){.last_number = (uint64_t)number_of(&call, 0),
                                    .last_shard = (unsigned)number_of(&call, 1)};
  return true;
}

bool ledger_crl_extent(struct ledger *ledger, const char *authority, struct crl_extent *ret_extent,
                       struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = read_extent(reader, authority, ret_extent, f);
  ledger_give_back(ledger, reader);
  return done;
}
