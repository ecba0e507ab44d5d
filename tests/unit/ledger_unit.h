/* ledger_unit.h - a ledger in a folder of its own, and rows to put into it. */
#pragma once
#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/ca/event.h"
#include "lib/ca/ledger.h"
#include "lib/ca/order.h"
#include "lib/pki/ext.h"
#include "lib/pki/oid.h"

enum { NOW = 1800000000, YEAR_S = 365 * 86400 };

/* In a query's plan: rows that may have what is looked for, newest first. */
#define CANDIDATES "SCAN t VIRTUAL TABLE INDEX "

struct bench {
  char folder[200], path[256];
  struct ledger *ledger;
};

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
  (void)info, (void)type, (void)walk;
  return remove(path);
}

static inline struct bench *bench_new(void)
{
  struct bench *bench = calloc(1, sizeof *bench);
  assert_non_null(bench);
  const char *temporary = getenv("TMPDIR");
  snprintf(bench->folder, sizeof bench->folder, "%s/mintmark-ledger-XXXXXX",
           temporary != NULL ? temporary : "/tmp");
  assert_non_null(mkdtemp(bench->folder));
  snprintf(bench->path, sizeof bench->path, "%s/ledger.db", bench->folder);
  return bench;
}

static inline void bench_free(struct bench *bench)
{
  ledger_close(bench->ledger);
  nftw(bench->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  free(bench);
}

static inline void bench_open(struct bench *bench)
{
  AUTO(fault) f = {0};
  if (!ledger_open(bench->path, &bench->ledger, &f))
    fail_msg("%s", f.detail);
}

static inline void bench_close(struct bench *bench)
{
  ledger_close(bench->ledger);
  bench->ledger = NULL;
}

static inline int set_up_folder(void **state)
{
  *state = bench_new();
  return 0;
}

static inline int set_up_ledger(void **state)
{
  struct bench *bench = bench_new();
  bench_open(bench);
  *state = bench;
  return 0;
}

static inline int tear_down(void **state)
{
  bench_free(*state);
  return 0;
}

/* A certificate of its own for every number: device W-N with key N. */
static inline struct issued row_of(unsigned n)
{
  struct issued row = {.issued_at_ms = INT64_C(1000) * NOW + n,
                       .not_before = NOW,
                       .not_after = NOW + YEAR_S,
                       .profile = "device-server",
                       .station = "line-1",
                       .authority = "issuing"};
  snprintf(row.device_serial, sizeof row.device_serial, "W-%u", n);
  row.serial_number[0] = 1;
  memcpy(row.serial_number + 1, &n, sizeof n);
  memset(row.spki_sha256, 0x20, sizeof row.spki_sha256);
  memcpy(row.spki_sha256, &n, sizeof n);
  memset(row.request_sha256, 0x30, sizeof row.request_sha256);
  memcpy(row.request_sha256, &n, sizeof n);
  buf_addf(&row.der, "certificate %u", n);
  return row;
}

/* So much of a certificate that it has the names. */
static inline void make_der(struct issued *row, const struct sans *names)
{
  buf_clear(&row->der);
  size_t certificate = der_begin(&row->der, DER_SEQUENCE), tbs = der_begin(&row->der, DER_SEQUENCE);
  size_t tagged = der_begin(&row->der, DER_CONTEXT_CONSTRUCTED(3));
  size_t extensions = der_begin(&row->der, DER_SEQUENCE);
  struct extension_mark mark = extension_begin(&row->der, OID_SUBJECT_ALT_NAME, false);
  sans_write(names, NULL, &row->der);
  extension_end(&row->der, mark);
  der_end(&row->der, extensions);
  der_end(&row->der, tagged);
  der_end(&row->der, tbs);
  der_end(&row->der, certificate);
}

/* An order of the profile that row_of() has. */
static inline struct order order_of(const char *name, int64_t quantity)
{
  struct order order = {.profile = "device-server", .quantity = quantity, .created_at = NOW};
  snprintf(order.name, sizeof order.name, "%s", name);
  return order;
}

static const struct event somebody = {.principal = "shift-lead", .source = "10.9.0.1"};

static inline void add_order(struct ledger *ledger, const struct order *order)
{
  AUTO(fault) f = {0};
  if (!ledger_add_order(ledger, order, &somebody, &f))
    fail_msg("%s: %s", order->name, f.detail);
}

/* What became of one row in a batch of its own. */
struct outcome {
  enum fault_code code;
  bool replayed;
  int64_t id, earlier_id;
  char detail[400];
};

static inline struct outcome append_named(struct ledger *ledger, struct issued *row,
                                          const struct sans *names, bool replace, int64_t now)
{
  AUTO(fault) f = {0};
  AUTO(issued) earlier = {0};
  struct ledger_batch *batch;
  struct outcome outcome = {0};
  assert_true(ledger_begin(ledger, &batch, &f));
  if (ledger_append(batch, row, names, replace, now, &outcome.replayed, &earlier, &f)) {
    assert_true(ledger_commit(batch, &f));
    outcome.id = row->id;
    outcome.earlier_id = earlier.id;
  } else {
    ledger_roll_back(batch);
  }
  outcome.code = f.code;
  snprintf(outcome.detail, sizeof outcome.detail, "%s", f.detail);
  return outcome;
}

static inline struct outcome append(struct ledger *ledger, struct issued *row, bool replace)
{
  const struct sans none = {0};
  return append_named(ledger, row, &none, replace, NOW);
}
