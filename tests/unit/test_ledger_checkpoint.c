/* test_ledger_checkpoint.c - the write-ahead log is brought over beside the commits, and does not
 * grow for ever when there is no moment without one. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>
#include <sys/stat.h>

enum {
  BATCH_ROWS = 64,
  DER_OCTETS = 3000, /* so that each row has a page, and a batch 64 of them or more */
  BATCHES = 700,     /* 45,000 pages, 180 MB of log if it never began anew */
  LOG_OCTETS = 100 << 20
};

static off_t log_size(const struct bench *bench)
{
  char path[300];
  struct stat info;
  snprintf(path, sizeof path, "%s-wal", bench->path);
  assert_int_equal(stat(path, &info), 0);
  return info.st_size;
}

static void add_batch(struct ledger *ledger, unsigned first)
{
  static const uint8_t der[DER_OCTETS] = {0x30};
  const struct sans none = {0};
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  assert_true(ledger_begin(ledger, &batch, &f));
  for (unsigned i = first; i < first + BATCH_ROWS; i++) {
    AUTO(issued) row = row_of(i);
    AUTO(issued) earlier = {0};
    bool replayed;
    buf_add(&row.der, der, sizeof der);
    if (!ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f))
      fail_msg("%s", f.detail);
  }
  assert_true(ledger_commit(batch, &f));
}

/* Returns the largest size that the log had. */
static off_t add_batches(struct bench *bench, unsigned from, unsigned to)
{
  off_t most = 0;
  for (unsigned i = from; i < to; i++) {
    add_batch(bench->ledger, 1 + i * BATCH_ROWS);
    off_t size = log_size(bench);
    most = size > most ? size : most;
  }
  return most;
}

static void assert_whole(const struct bench *bench, int rows)
{
  sqlite3 *db;
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db,
                                      "SELECT count(*), (SELECT integrity_check FROM"
                                      " pragma_integrity_check) FROM certificates",
                                      -1, &statement, NULL),
                   SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  assert_int_equal(sqlite3_column_int(statement, 0), rows);
  assert_string_equal(sqlite3_column_text(statement, 1), "ok");
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

static void the_log_begins_anew_between_commits(void **state)
{
  struct bench *bench = *state;
  assert_in_range(add_batches(bench, 0, BATCHES), 1, LOG_OCTETS);
  assert_whole(bench, BATCHES * BATCH_ROWS);
  bench_close(bench);
  assert_whole(bench, BATCHES * BATCH_ROWS);
}

/* As long as he looks on, the log has to keep what he does not see yet. */
static void a_reader_holds_it_up_and_nobody_else(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) seen = {0};
  AUTO(issued) first = row_of(1);
  const struct bytes serial_number = bytes_of(first.serial_number, sizeof first.serial_number);
  add_batches(bench, 0, 1);
  assert_true(ledger_snapshot_begin(bench->ledger, &f));
  assert_true(ledger_get(bench->ledger, serial_number, NOW, &seen, &f));
  assert_true(add_batches(bench, 1, BATCHES) > LOG_OCTETS);
  ledger_snapshot_end(bench->ledger);
  unsigned i = BATCHES;
  while (log_size(bench) > LOG_OCTETS && i < 4 * BATCHES)
    add_batch(bench->ledger, 1 + i++ * BATCH_ROWS);
  assert_in_range(log_size(bench), 1, LOG_OCTETS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(the_log_begins_anew_between_commits),
      TEST(a_reader_holds_it_up_and_nobody_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
