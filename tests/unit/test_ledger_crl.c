/* test_ledger_crl.c - the lists that were published: numbers only go up, rows are only added. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>

#include "lib/ca/crl_record.h"

static struct crl_record record_of(const char *authority, uint64_t number)
{
  struct crl_record record = {.shard = (unsigned)(number % 5),
                              .number = number,
                              .base_number = number % 3 == 0 ? number - 1 : 0,
                              .this_update = NOW + (int64_t)number,
                              .next_update = NOW + 86400,
                              .revocation_id = 70,
                              .entries = 60,
                              .octets = 5000};
  snprintf(record.authority, sizeof record.authority, "%s", authority);
  memset(record.sha256, (int)number, sizeof record.sha256);
  return record;
}

static enum fault_code add(struct ledger *ledger, const char *authority, uint64_t number)
{
  AUTO(fault) f = {0};
  struct crl_record record = record_of(authority, number);
  ledger_add_crl(ledger, &record, &f);
  return f.code;
}

static struct crl_extent extent_of(struct ledger *ledger, const char *authority)
{
  AUTO(fault) f = {0};
  struct crl_extent extent = {7, 7};
  assert_true(ledger_crl_extent(ledger, authority, &extent, &f));
  return extent;
}

static bool is_found(struct ledger *ledger, const char *authority, uint64_t number)
{
  AUTO(fault) f = {0};
  struct crl_record record, wanted = record_of(authority, number);
  bool found;
  assert_true(ledger_find_crl(ledger, authority, number, &found, &record, &f));
  if (!found)
    return false;
  assert_string_equal(record.authority, wanted.authority);
  assert_true(
      record.shard == wanted.shard && record.number == wanted.number &&
      record.base_number == wanted.base_number && record.this_update == wanted.this_update &&
      record.next_update == wanted.next_update && record.revocation_id == wanted.revocation_id &&
      record.entries == wanted.entries && record.octets == wanted.octets);
  assert_memory_equal(record.sha256, wanted.sha256, sizeof record.sha256);
  return true;
}

static void what_was_published_is_known_afterwards(void **state)
{
  struct bench *bench = *state;
  assert_int_equal(extent_of(bench->ledger, "issuing").last_number, 0);
  for (uint64_t number = 1; number <= 9; number++)
    assert_int_equal(add(bench->ledger, "issuing", number), FAULT_NONE);
  bench_close(bench);
  bench_open(bench);
  for (uint64_t number = 1; number <= 9; number++)
    assert_true(is_found(bench->ledger, "issuing", number));
  assert_false(is_found(bench->ledger, "issuing", 10));
  assert_false(is_found(bench->ledger, "issuing", UINT64_MAX));
  assert_false(is_found(bench->ledger, "other", 1));
  assert_int_equal(extent_of(bench->ledger, "issuing").last_number, 9);
  assert_int_equal(extent_of(bench->ledger, "issuing").last_shard, 4);
  assert_int_equal(extent_of(bench->ledger, "other").last_shard, 0);
}

/* One sequence for each authority, over lists of every kind. */
static void numbers_only_go_up(void **state)
{
  struct bench *bench = *state;
  assert_int_equal(add(bench->ledger, "issuing", 0), FAULT_LEDGER);
  assert_int_equal(add(bench->ledger, "issuing", UINT64_C(1) << 63), FAULT_LEDGER);
  assert_int_equal(add(bench->ledger, "issuing", 10), FAULT_NONE);
  assert_int_equal(add(bench->ledger, "issuing", 10), FAULT_LEDGER);
  assert_int_equal(add(bench->ledger, "issuing", 9), FAULT_LEDGER);
  assert_int_equal(add(bench->ledger, "other", 9), FAULT_NONE);
  assert_int_equal(add(bench->ledger, "issuing", 4000), FAULT_NONE);
  assert_int_equal(extent_of(bench->ledger, "issuing").last_number, 4000);
}

static void each_list_is_an_event(void **state)
{
  struct bench *bench = *state;
  AUTO(event_page) page = {0};
  AUTO(fault) f = {0};
  const struct event_query query = {.kind = EVENT_CRL_PUBLISHED, .limit = 10};
  assert_int_equal(add(bench->ledger, "issuing", 1), FAULT_NONE);
  assert_int_equal(add(bench->ledger, "issuing", 1), FAULT_LEDGER);
  assert_true(ledger_search_events(bench->ledger, &query, &page, &f));
  assert_int_equal(page.n, 1);
  assert_string_equal(page.rows[0].about, "issuing");
  assert_int_equal(page.rows[0].count, 60);
}

static void rows_are_neither_changed_nor_removed(void **state)
{
  struct bench *bench = *state;
  static const char *const statements[] = {
      "UPDATE crls SET number = 7", "UPDATE crls SET sha256 = x'00'", "DELETE FROM crls",
      "REPLACE INTO crls SELECT id, authority, shard, number, base_number, this_update,"
      " next_update, 0, entries, octets, sha256 FROM crls",
      "INSERT INTO crls SELECT id + 2, authority, shard, number + 1, base_number, this_update,"
      " next_update, revocation, entries, octets, sha256 FROM crls"};
  sqlite3 *db = NULL;
  assert_int_equal(add(bench->ledger, "issuing", 1), FAULT_NONE);
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  for (size_t i = 0; i < ARRAY_LEN(statements); i++)
    if (sqlite3_exec(db, statements[i], NULL, NULL, NULL) != SQLITE_CONSTRAINT)
      fail_msg("done: %s", statements[i]);
  sqlite3_close(db);
  assert_true(is_found(bench->ledger, "issuing", 1));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(what_was_published_is_known_afterwards),
      TEST(numbers_only_go_up),
      TEST(each_list_is_an_event),
      TEST(rows_are_neither_changed_nor_removed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
