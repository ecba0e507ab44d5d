/* ledger_device.c - devices as rows; see ledger_device.h. */
#include "lib/ca/ledger_device.h"

#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/ca/ledger_private.h"

/* DEVICE_COLUMNS. */
enum {
  COLUMN_ID,
  COLUMN_DEVICE_SERIAL,
  COLUMN_MODEL,
  COLUMN_ORDER,
  COLUMN_NAMES,
  COLUMN_SECRET_NO,
  COLUMN_SECRET_SALT,
  COLUMN_SECRET_HASH,
  COLUMN_WRONG_TRIES,
  COLUMN_USED_SPKI,
  COLUMN_USED_AT,
  COLUMN_IMPORTED_AT
};

static bool read_secret(const struct ledger_call *call, struct device_secret *ret_secret)
{
  struct bytes salt = ledger_call_column(call, COLUMN_SECRET_SALT);
  struct bytes hash = ledger_call_column(call, COLUMN_SECRET_HASH);
  if (hash.len != DEVICE_HASH_LEN || (salt.len != 0 && salt.len != DEVICE_SALT_LEN))
    return false;
  ret_secret->salted = salt.len > 0;
  memcpy(ret_secret->hash, hash.data, hash.len);
  if (salt.len > 0)
    memcpy(ret_secret->salt, salt.data, salt.len);
  return true;
}

static bool read_use(const struct ledger_call *call, struct device *device)
{
  struct bytes spki = ledger_call_column(call, COLUMN_USED_SPKI);
  device->used_at = sqlite3_column_int64(call->statement, COLUMN_USED_AT);
  if (spki.len != (device->used_at != 0 ? sizeof device->used_spki_sha256 : 0))
    return false;
  if (spki.len > 0)
    memcpy(device->used_spki_sha256, spki.data, spki.len);
  return true;
}

static bool read_device(const struct ledger_call *call, struct device *ret_device, struct fault *f)
{
  sqlite3_stmt *s = call->statement;
  AUTO(device)
  device = {.id = sqlite3_column_int64(s, COLUMN_ID),
            .secret_no = sqlite3_column_int64(s, COLUMN_SECRET_NO),
            .wrong_tries = sqlite3_column_int64(s, COLUMN_WRONG_TRIES),
            .imported_at = sqlite3_column_int64(s, COLUMN_IMPORTED_AT)};
  if (!TEXT_COPY(device.device_serial, ledger_call_column(call, COLUMN_DEVICE_SERIAL)) ||
      !TEXT_COPY(device.model, ledger_call_column(call, COLUMN_MODEL)) ||
      !TEXT_COPY(device.order, ledger_call_column(call, COLUMN_ORDER)) ||
      !read_secret(call, &device.secret) || !read_use(call, &device))
    return fault_set(f, LEDGER, "%s: row %lld of devices is damaged", call->connection->path,
                     (long long)device.id);
  buf_add_bytes(&device.names, ledger_call_column(call, COLUMN_NAMES));
  if (!buf_ok(&device.names))
    return fault_no_memory(f);
  *ret_device = device;
  device.names = (struct buf){0};
  return true;
}

static bool find(struct ledger_connection *reader, const char *device_serial, bool *ret_found,
                 struct device *ret_device, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(reader, SQL_FIND_DEVICE, &call, f))
    return false;
  ledger_call_text(&call, device_serial);
  if (!ledger_call_step(&call, &found, f) || (found && !read_device(&call, ret_device, f)))
    return false;
  *ret_found = found;
  return true;
}

bool ledger_find_device(struct ledger *ledger, const char *device_serial, bool *ret_found,
                        struct device *ret_device, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = find(reader, device_serial, ret_found, ret_device, f);
  ledger_give_back(ledger, reader);
  return done;
}

/* --- secrets --- */

/* *ret_locks: it was the one too many. */
static bool count_wrong_try(struct ledger_connection *writer, const char *device_serial,
                            bool *ret_locks, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool known;
  if (!ledger_run(writer, SQL_COUNT_WRONG_TRY, f) ||
      !ledger_call_open(writer, SQL_WRONG_TRY, &call, f))
    return false;
  ledger_call_text(&call, device_serial);
  if (!ledger_call_step(&call, &known, f))
    return false;
  *ret_locks = known && sqlite3_column_int64(call.statement, 0) == DEVICE_TRIES_MAX;
  return true;
}

static bool record(struct ledger_batch *batch, enum event_kind kind, const char *device_serial,
                   const struct event *who, struct fault *f)
{
  struct event event = who != NULL ? *who : (struct event){0};
  event.kind = kind;
  TEXT_COPY(event.device_serial, bytes_of_text(device_serial));
  return ledger_add_event(batch, &event, f);
}

bool ledger_count_wrong_try(struct ledger *ledger, const char *device_serial, struct fault *f)
{
  struct ledger_batch *batch;
  bool locks = false;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (count_wrong_try(ledger->writer, device_serial, &locks, f) &&
      (!locks || record(batch, EVENT_DEVICE_LOCKED, device_serial, NULL, f)))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

void ledger_call_secret(struct ledger_call *call, const struct device_secret *secret)
{
  if (secret->salted)
    ledger_call_blob(call, secret->salt, sizeof secret->salt);
  else
    ledger_call_null(call);
  ledger_call_blob(call, secret->hash, sizeof secret->hash);
}

static bool reset(struct ledger_connection *writer, const char *device_serial,
                  const struct device_secret *secret, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_RESET_DEVICE, &call, f))
    return false;
  ledger_call_text(&call, device_serial);
  ledger_call_secret(&call, secret);
  if (!ledger_call_run(&call, f))
    return false;
  return sqlite3_changes(writer->db) == 1 ||
         fault_set(f, UNKNOWN_DEVICE, "%s was not imported", device_serial);
}

bool ledger_reset_device(struct ledger *ledger, const char *device_serial,
                         const struct device_secret *secret, const struct event *who,
                         struct fault *f)
{
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (reset(ledger->writer, device_serial, secret, f) &&
      record(batch, EVENT_DEVICE_RESET, device_serial, who, f))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

bool ledger_check_secret(struct ledger_connection *c, const struct issued *row, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (row->secret_no == 0)
    return true;
  if (!ledger_call_open(c, SQL_SECRET, &call, f))
    return false;
  ledger_call_text(&call, row->device_serial);
  if (!ledger_call_step(&call, &found, f))
    return false;
  if (!found || sqlite3_column_int64(call.statement, 0) != row->secret_no)
    return fault_set(f, FORBIDDEN, "the enrolment secret of %s was replaced by another",
                     row->device_serial);
  struct bytes used_spki = ledger_call_column(&call, 1);
  if (used_spki.len == 0)
    return true;
  bool same = bytes_equal(used_spki, bytes_of(row->spki_sha256, sizeof row->spki_sha256));
  return fault_set(f, FORBIDDEN,
                   "the enrolment secret of %s was used up for %s: send that very request again, "
                   "or ask an operator for a new secret (mintmark device reset)",
                   row->device_serial, same ? "another request" : "another key");
}

bool ledger_use_secret(struct ledger_batch *batch, const struct issued *row, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  struct ledger_connection *writer = batch->ledger->writer;
  if (row->secret_no == 0)
    return true;
  if (!ledger_call_open(writer, SQL_USE_SECRET, &call, f))
    return false;
  ledger_call_text(&call, row->device_serial);
  ledger_call_blob(&call, row->spki_sha256, sizeof row->spki_sha256);
  ledger_call_number(&call, row->issued_at_ms / 1000);
  ledger_call_number(&call, row->secret_no);
  if (!ledger_call_run(&call, f))
    return false;
  return sqlite3_changes(writer->db) == 1 ||
         fault_set(f, LEDGER, "%s: the secret of device %s cannot be used up", batch->ledger->path,
                   row->device_serial);
}

/* --- listing --- */

static bool open_search(struct ledger_connection *reader, const struct device_query *query,
                        struct ledger_call *call, struct fault *f)
{
  if (!ledger_call_open(reader, SQL_SEARCH_DEVICES, call, f))
    return false;
  ledger_call_number(call, query->after_id);
  ledger_call_text(call, query->order);
  ledger_call_text(call, query->model);
  ledger_call_number(call, query->state);
  ledger_call_text(call, query->device_serial);
  ledger_call_number(call, (int64_t)query->limit + 1);
  return true;
}

static bool search(struct ledger_connection *reader, const struct device_query *query,
                   struct device_page *page, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!open_search(reader, query, &call, f))
    return false;
  for (;;) {
    bool row;
    if (!ledger_call_step(&call, &row, f))
      return false;
    page->more = row && page->n == query->limit;
    if (!row || page->more)
      return true;
    if (!read_device(&call, &page->devices[page->n], f))
      return false;
    page->n++;
  }
}

bool ledger_search_devices(struct ledger *ledger, const struct device_query *query,
                           struct device_page *ret_page, struct fault *f)
{
  struct ledger_connection *reader;
  AUTO(device_page) page = {.devices = calloc(query->limit, sizeof *page.devices)};
  if (page.devices == NULL)
    return fault_no_memory(f);
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = search(reader, query, &page, f);
  ledger_give_back(ledger, reader);
  if (done) {
    *ret_page = page;
    page = (struct device_page){0};
  }
  return done;
}

void device_page_free(struct device_page *page)
{
  for (size_t i = 0; i < page->n; i++)
    device_free(&page->devices[i]);
  free(page->devices);
  *page = (struct device_page){0};
}
