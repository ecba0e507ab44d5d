/* ledger_import.c - devices come in many requests and count from one moment on; see
 * ledger_device.h. */
#include <stdio.h>

#include "lib/ca/ledger_device.h"
#include "lib/ca/ledger_private.h"

static bool refuse_unknown(int64_t import, struct fault *f)
{
  return fault_set(f, NOT_FOUND,
                   "there is no open import %lld (one that rests for %d minutes is removed)",
                   (long long)import, IMPORT_IDLE_S / 60);
}

/* A statement about one import at one time, in a transaction that somebody else opened. */
static bool run_on(struct ledger_connection *c, enum ledger_sql sql, int64_t import, int64_t number,
                   struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, sql, &call, f))
    return false;
  ledger_call_number(&call, import);
  if (sqlite3_bind_parameter_count(call.statement) > 1)
    ledger_call_number(&call, number);
  return ledger_call_run(&call, f);
}

struct import {
  bool committed;
  int64_t devices, first_device;
};

static bool find_import(struct ledger_connection *c, int64_t id, struct import *ret_import,
                        struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_FIND_IMPORT, &call, f))
    return false;
  ledger_call_number(&call, id);
  if (!ledger_call_step(&call, &found, f))
    return false;
  if (!found)
    return refuse_unknown(id, f);
  *ret_import = (struct import){.committed = sqlite3_column_type(call.statement, 0) != SQLITE_NULL,
                                .devices = sqlite3_column_int64(call.statement, 1),
                                .first_device = sqlite3_column_int64(call.statement, 2)};
  return true;
}

static bool find_open(struct ledger_connection *c, int64_t id, struct import *ret_import,
                      struct fault *f)
{
  struct import import;
  if (!find_import(c, id, &import, f))
    return false;
  if (import.committed)
    return refuse_unknown(id, f);
  *ret_import = import;
  return true;
}

/* --- begin --- */

static bool find_idle(struct ledger_connection *c, int64_t before, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_IDLE_IMPORT, &call, f))
    return false;
  ledger_call_number(&call, before);
  if (!ledger_call_step(&call, &found, f))
    return false;
  *ret_id = found ? sqlite3_column_int64(call.statement, 0) : 0;
  return true;
}

static bool drop_idle(struct ledger *ledger, int64_t now, struct fault *f)
{
  for (;;) {
    struct ledger_connection *reader;
    int64_t id = 0;
    if (!ledger_borrow(ledger, &reader, f))
      return false;
    bool done = find_idle(reader, now - IMPORT_IDLE_S, &id, f);
    ledger_give_back(ledger, reader);
    if (!done || id == 0)
      return done;
    /* Somebody else may have been faster. */
    AUTO(fault) gone = {0};
    if (!ledger_drop_import(ledger, id, &gone) && gone.code != FAULT_NOT_FOUND) {
      fault_move(f, &gone);
      return false;
    }
  }
}

bool ledger_begin_import(struct ledger *ledger, const char *principal, int64_t now, int64_t *ret_id,
                         struct fault *f)
{
  struct ledger_batch *batch;
  AUTO(ledger_call) call = {0};
  if (!drop_idle(ledger, now, f) || !ledger_begin(ledger, &batch, f))
    return false;
  bool done = ledger_call_open(ledger->writer, SQL_BEGIN_IMPORT, &call, f);
  if (done) {
    ledger_call_text(&call, principal);
    ledger_call_number(&call, now);
    done = ledger_call_run(&call, f);
    ledger_call_close(&call);
  }
  int64_t id = sqlite3_last_insert_rowid(ledger->writer->db);
  if (!done) {
    ledger_roll_back(batch);
    return false;
  }
  if (!ledger_commit(batch, f))
    return false;
  *ret_id = id;
  return true;
}

/* --- rows --- */

static void refuse_row(struct device_row *row, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void refuse_row(struct device_row *row, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  vsnprintf(row->why, sizeof row->why, format, args);
  va_end(args);
  row->refused = true;
}

/* Why a device_serial cannot be added. */
static bool explain(struct ledger_connection *c, int64_t import, struct device_row *row,
                    struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_WHOSE_DEVICE, &call, f))
    return false;
  ledger_call_text(&call, row->device_serial);
  if (!ledger_call_step(&call, &found, f))
    return false;
  if (found && sqlite3_column_int64(call.statement, 0) == import)
    refuse_row(row, "line %lld has %s already", (long long)sqlite3_column_int64(call.statement, 1),
               row->device_serial);
  else if (found && sqlite3_column_type(call.statement, 2) == SQLITE_NULL)
    refuse_row(row, "another import, still open, has %s", row->device_serial);
  else
    refuse_row(row, "%s is known already (mintmark device reset makes a new secret)",
               row->device_serial);
  return true;
}

static bool add_row(struct ledger_connection *c, int64_t import, struct device_row *row,
                    struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, SQL_ADD_DEVICE, &call, f))
    return false;
  ledger_call_text(&call, row->device_serial);
  ledger_call_number(&call, import);
  ledger_call_number(&call, row->line);
  ledger_call_text(&call, row->model);
  ledger_call_text(&call, row->order);
  if (row->names.len > 0)
    ledger_call_text_octets(&call, buf_bytes(&row->names));
  else
    ledger_call_null(&call);
  ledger_call_secret(&call, &row->secret);
  if (!ledger_call_run(&call, f))
    return false;
  return sqlite3_changes(c->db) == 1 || explain(c, import, row, f);
}

static bool add_rows(struct ledger_connection *c, int64_t import, struct device_row *rows, size_t n,
                     int64_t now, size_t *ret_added, struct fault *f)
{
  struct import found;
  size_t added = 0;
  if (!find_open(c, import, &found, f) || !run_on(c, SQL_TOUCH_IMPORT, import, now, f))
    return false;
  for (size_t i = 0; i < n; i++) {
    if (rows[i].refused)
      continue;
    if (!add_row(c, import, &rows[i], f))
      return false;
    added += !rows[i].refused;
  }
  *ret_added = added;
  return true;
}

bool ledger_import_rows(struct ledger *ledger, int64_t import, struct device_row *rows, size_t n,
                        bool partial, int64_t now, size_t *ret_added, struct fault *f)
{
  struct ledger_batch *batch;
  size_t added;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (!add_rows(ledger->writer, import, rows, n, now, &added, f)) {
    ledger_roll_back(batch);
    return false;
  }
  if (added < n && !partial) {
    ledger_roll_back(batch);
    *ret_added = 0;
    return true;
  }
  if (!ledger_commit(batch, f))
    return false;
  *ret_added = added;
  return true;
}

/* --- the end --- */

static bool commit(struct ledger_batch *batch, int64_t id, int64_t now, const struct event *who,
                   int64_t *ret_devices, struct fault *f)
{
  struct ledger_connection *c = batch->ledger->writer;
  struct event event = *who;
  struct import import;
  if (!run_on(c, SQL_COMMIT_IMPORT, id, now, f))
    return false;
  bool is_news = sqlite3_changes(c->db) == 1;
  if (!find_import(c, id, &import, f))
    return false;
  event.kind = EVENT_DEVICES_IMPORTED;
  event.count = import.devices;
  *ret_devices = import.devices;
  return !is_news || import.devices == 0 || ledger_add_event(batch, &event, f);
}

bool ledger_commit_import(struct ledger *ledger, int64_t import, int64_t now,
                          const struct event *who, int64_t *ret_devices, struct fault *f)
{
  struct ledger_batch *batch;
  int64_t devices;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (!commit(batch, import, now, who, &devices, f)) {
    ledger_roll_back(batch);
    return false;
  }
  if (!ledger_commit(batch, f))
    return false;
  *ret_devices = devices;
  return true;
}

/* *ret_gone: none of its devices was left, and the import is gone too. */
static bool drop_some(struct ledger_connection *c, int64_t id, bool *ret_gone, struct fault *f)
{
  struct import import;
  if (!find_open(c, id, &import, f) || !run_on(c, SQL_DROP_DEVICES, id, import.first_device, f))
    return false;
  *ret_gone = sqlite3_changes(c->db) == 0;
  return !*ret_gone || run_on(c, SQL_DROP_IMPORT, id, 0, f);
}

bool ledger_drop_import(struct ledger *ledger, int64_t import, struct fault *f)
{
  for (bool gone = false; !gone;) {
    struct ledger_batch *batch;
    if (!ledger_begin(ledger, &batch, f))
      return false;
    if (!drop_some(ledger->writer, import, &gone, f)) {
      ledger_roll_back(batch);
      return false;
    }
    if (!ledger_commit(batch, f))
      return false;
  }
  return true;
}
