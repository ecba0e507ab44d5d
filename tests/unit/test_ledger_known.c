/* test_ledger_known.c - what the ledger has is never denied, however it came there. */
#include "tests/unit/ledger_unit.h"

#include <time.h>

#include "lib/base/when.h"
#include "lib/ca/ledger_private.h"

enum { ROWS = 300, STRANGERS = 3000, PATIENCE_MS = 20000, MANY = 100000 };

/* Until it has read all rows it denies nobody. */
static void wait_until_read(const struct ledger *ledger)
{
  int64_t deadline = when_monotonic_ms() + PATIENCE_MS;
  for (unsigned i = 0; ledger_may_know_device(ledger->known, i % 2 == 0 ? "nobody" : "nobody 2");
       i++) {
    assert_true(when_monotonic_ms() < deadline);
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
}

static void add_rows(struct ledger *ledger, unsigned n)
{
  for (unsigned i = 1; i <= n; i++) {
    AUTO(issued) row = row_of(i);
    assert_int_equal(append(ledger, &row, false).code, FAULT_NONE);
  }
}

static void assert_known(const struct ledger *ledger, unsigned n)
{
  for (unsigned i = 1; i <= n; i++) {
    AUTO(issued) row = row_of(i);
    assert_true(ledger_may_know_device(ledger->known, row.device_serial));
    assert_true(ledger_may_know_key(ledger->known, row.spki_sha256));
  }
}

static void what_it_has_is_never_denied(void **state)
{
  struct bench *bench = *state;
  wait_until_read(bench->ledger);
  add_rows(bench->ledger, ROWS);
  assert_known(bench->ledger, ROWS);
  bench_close(bench);
  bench_open(bench);
  assert_known(bench->ledger, ROWS);
  wait_until_read(bench->ledger);
  assert_known(bench->ledger, ROWS);
}

static void most_strangers_are_denied(void **state)
{
  struct bench *bench = *state;
  unsigned denied = 0;
  add_rows(bench->ledger, ROWS);
  wait_until_read(bench->ledger);
  for (unsigned i = ROWS + 1; i <= ROWS + STRANGERS; i++) {
    AUTO(issued) row = row_of(i);
    denied += !ledger_may_know_device(bench->ledger->known, row.device_serial);
    denied += !ledger_may_know_key(bench->ledger->known, row.spki_sha256);
  }
  assert_in_range(denied, 2 * STRANGERS * 97 / 100, 2 * STRANGERS);
}

static void it_grows_and_forgets_nobody(void **state)
{
  struct bench *bench = *state;
  struct issued row = {0};
  wait_until_read(bench->ledger);
  for (unsigned i = 0; i < MANY; i++) {
    snprintf(row.device_serial, sizeof row.device_serial, "G-%u", i);
    memcpy(row.spki_sha256, &i, sizeof i);
    ledger_known_add(bench->ledger->known, &row);
  }
  for (unsigned i = 0; i < MANY; i++) {
    snprintf(row.device_serial, sizeof row.device_serial, "G-%u", i);
    assert_true(ledger_may_know_device(bench->ledger->known, row.device_serial));
  }
  wait_until_read(bench->ledger); /* and still denies a stranger */
}

/* A copy of row 1 as row 2, of another device and key. */
static void add_behind_its_back(const char *path)
{
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  if (sqlite3_exec(db,
                   "INSERT INTO certificates SELECT 2, x'01fffffffffffffffffffffffffffffe', 'W-2', "
                   "profile, station,"
                   " production_order, model, authority, issued_at, not_before, not_after, NULL,"
                   " CAST(x'02000000' || substr(spki_sha256, 5) AS BLOB), 144115188614832160, "
                   "request_sha256,"
                   " der, shard FROM certificates WHERE id = 1",
                   NULL, NULL, NULL) != SQLITE_OK)
    fail_msg("%s", sqlite3_errmsg(db));
  sqlite3_close(db);
}

static void a_row_from_a_foreign_hand_counts_too(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1);
  AUTO(issued) same_device = row_of(3);
  AUTO(issued) same_key = row_of(2);
  wait_until_read(bench->ledger);
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  add_behind_its_back(bench->path);
  strcpy(same_device.device_serial, "W-2");
  strcpy(same_key.device_serial, "W-3");
  same_key.serial_number[15] = 7;
  assert_int_equal(append(bench->ledger, &same_device, false).code, FAULT_DEVICE_HAS_CERTIFICATE);
  assert_int_equal(append(bench->ledger, &same_key, false).code, FAULT_KEY_ALREADY_USED);
}

static void what_was_rolled_back_may_come_again(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) row = row_of(1);
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  bool replayed;
  wait_until_read(bench->ledger);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f));
  ledger_roll_back(batch);
  wait_until_read(bench->ledger); /* it is not taken for a foreign row */
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  wait_until_read(bench->ledger);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(what_it_has_is_never_denied),         TEST(most_strangers_are_denied),
      TEST(it_grows_and_forgets_nobody),         TEST(a_row_from_a_foreign_hand_counts_too),
      TEST(what_was_rolled_back_may_come_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
