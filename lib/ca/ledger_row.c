/* ledger_row.c - a row of certificates as the rest of the program sees it. */
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/ca/ledger_private.h"

static const char *const status_names[] = {
    [STATUS_ANY] = "any",         [STATUS_VALID] = "valid",
    [STATUS_EXPIRED] = "expired", [STATUS_SUPERSEDED] = "superseded",
    [STATUS_REVOKED] = "revoked",
};

const char *certificate_status_name(enum certificate_status status)
{
  return status_names[status];
}

bool certificate_status_named(struct bytes name, enum certificate_status *ret_status)
{
  for (size_t i = STATUS_VALID; i < ARRAY_LEN(status_names); i++)
    if (bytes_equal(name, bytes_of_text(status_names[i]))) {
      *ret_status = (enum certificate_status)i;
      return true;
    }
  return false;
}

/* The columns of ROW_COLUMNS. */
enum {
  COLUMN_ID,
  COLUMN_SERIAL_NUMBER,
  COLUMN_DEVICE_SERIAL,
  COLUMN_PROFILE,
  COLUMN_STATION,
  COLUMN_ORDER,
  COLUMN_MODEL,
  COLUMN_AUTHORITY,
  COLUMN_ISSUED_AT,
  COLUMN_NOT_BEFORE,
  COLUMN_NOT_AFTER,
  COLUMN_IS_REPLACED,
  COLUMN_REVOCATION,
  COLUMN_SPKI_SHA256,
  COLUMN_REQUEST_SHA256,
  COLUMN_DER,
  COLUMN_SHARD
};

static bool read_octets(const struct ledger_call *call, int column, uint8_t *to, size_t len)
{
  struct bytes value = ledger_call_column(call, column);
  if (value.len != len)
    return false;
  memcpy(to, value.data, len);
  return true;
}

static bool read_labels(const struct ledger_call *call, struct issued *row)
{
  return TEXT_COPY(row->device_serial, ledger_call_column(call, COLUMN_DEVICE_SERIAL)) &&
         TEXT_COPY(row->profile, ledger_call_column(call, COLUMN_PROFILE)) &&
         TEXT_COPY(row->station, ledger_call_column(call, COLUMN_STATION)) &&
         TEXT_COPY(row->order, ledger_call_column(call, COLUMN_ORDER)) &&
         TEXT_COPY(row->model, ledger_call_column(call, COLUMN_MODEL)) &&
         TEXT_COPY(row->authority, ledger_call_column(call, COLUMN_AUTHORITY));
}

/* REVOCATION_OF: a hold that was lifted is no revocation. */
static void read_revocation(const struct ledger_call *call, struct issued *row)
{
  int64_t revocation = sqlite3_column_int64(call->statement, COLUMN_REVOCATION);
  bool is_null = sqlite3_column_type(call->statement, COLUMN_REVOCATION) == SQLITE_NULL;
  if (is_null || revocation % 16 == REASON_REMOVE_FROM_CRL)
    return;
  row->status = STATUS_REVOKED;
  row->revoked_at = revocation / 16;
  row->revocation_reason = (enum revocation_reason)(revocation % 16);
}

static void read_status(const struct ledger_call *call, int64_t now, struct issued *row)
{
  bool is_replaced = sqlite3_column_int(call->statement, COLUMN_IS_REPLACED) != 0;
  if (row->not_after < now)
    row->status = STATUS_EXPIRED;
  else
    row->status = is_replaced ? STATUS_SUPERSEDED : STATUS_VALID;
  read_revocation(call, row);
}

bool ledger_row_read(const struct ledger_call *call, int64_t now, struct issued *ret_row,
                     struct fault *f)
{
  sqlite3_stmt *s = call->statement;
  AUTO(issued)
  row = {.id = sqlite3_column_int64(s, COLUMN_ID),
         .issued_at_ms = sqlite3_column_int64(s, COLUMN_ISSUED_AT),
         .not_before = sqlite3_column_int64(s, COLUMN_NOT_BEFORE),
         .not_after = sqlite3_column_int64(s, COLUMN_NOT_AFTER),
         .shard = (unsigned)sqlite3_column_int(s, COLUMN_SHARD)};
  read_status(call, now, &row);
  if (!read_octets(call, COLUMN_SERIAL_NUMBER, row.serial_number, sizeof row.serial_number) ||
      !read_octets(call, COLUMN_SPKI_SHA256, row.spki_sha256, sizeof row.spki_sha256) ||
      !read_octets(call, COLUMN_REQUEST_SHA256, row.request_sha256, sizeof row.request_sha256) ||
      !read_labels(call, &row))
    return fault_set(f, LEDGER, "%s: row %lld is damaged", call->connection->path,
                     (long long)row.id);
  buf_add_bytes(&row.der, ledger_call_column(call, COLUMN_DER));
  if (!buf_ok(&row.der))
    return fault_no_memory(f);
  *ret_row = row;
  row.der = (struct buf){0};
  return true;
}

void issued_free(struct issued *row)
{
  buf_free(&row->der);
}

void ledger_page_free(struct ledger_page *page)
{
  for (size_t i = 0; i < page->n; i++)
    issued_free(&page->rows[i]);
  free(page->rows);
  *page = (struct ledger_page){0};
}
