/* test_ledger_hold.c - what is on record stays on record: neither a crash nor a full disk nor a
 * foreign hand changes that. */
#include "tests/unit/ledger_unit.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/ca/ledger_private.h"

static struct bytes serial_of(const struct issued *row)
{
  return bytes_of(row->serial_number, SERIAL_NUMBER_LEN);
}

static enum certificate_status status_of(struct ledger *ledger, const struct issued *row,
                                         int64_t now)
{
  AUTO(fault) f = {0};
  AUTO(issued) got = {0};
  assert_true(ledger_get(ledger, serial_of(row), now, &got, &f));
  return got.status;
}

static size_t count_rows(struct ledger *ledger)
{
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  const struct ledger_query query = {.limit = 1000};
  assert_true(ledger_search(ledger, &query, NOW, &page, &f));
  return page.n;
}

/* --- only added --- */

static sqlite3 *open_foreign(const struct bench *bench)
{
  sqlite3 *db;
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  return db;
}

static void a_foreign_hand_cannot_change_a_row(void **state)
{
  struct bench *bench = *state;
  static const char *const attempts[] = {
      "UPDATE certificates SET device_serial = 'W-9'",
      "UPDATE OR REPLACE certificates SET id = 2 WHERE id = 1",
      "UPDATE certificates SET der = der",
      "DELETE FROM certificates",
      "DELETE FROM certificates WHERE id = 1",
      "REPLACE INTO certificates SELECT * FROM certificates",
      "INSERT OR REPLACE INTO certificates SELECT id, serial_number, 'W-9', profile, station,"
      " production_order, model, authority, issued_at, not_before, not_after, replaces,"
      " spki_sha256, spki_prefix, request_sha256, der, shard FROM certificates WHERE id = 1",
      "INSERT OR REPLACE INTO certificates SELECT 3, serial_number, 'W-9', profile, station,"
      " production_order, model, authority, issued_at, not_before, not_after, replaces,"
      " spki_sha256, spki_prefix, request_sha256, der, shard FROM certificates WHERE id = 1",
      "INSERT OR IGNORE INTO certificates SELECT * FROM certificates",
      "INSERT INTO certificates SELECT * FROM certificates WHERE true"
      " ON CONFLICT DO UPDATE SET device_serial = 'W-9'",
      "INSERT INTO certificates SELECT 99, x'00112233445566778899aabbccddeeff', 'W-9', profile,"
      " station, production_order, model, authority, issued_at, not_before, not_after, replaces,"
      " spki_sha256, spki_prefix, request_sha256, der, shard FROM certificates WHERE id = 1",
      "UPDATE labels SET text = 'line-9' WHERE text = 'line-1'",
      "DELETE FROM labels",
      "REPLACE INTO labels SELECT id, 'line-9' FROM labels WHERE text = 'line-1'",
      "REPLACE INTO labels SELECT 99, text FROM labels",
      "DELETE FROM spans",
      "DELETE FROM authorities",
      "UPDATE authorities SET issued = issued - 1",
      "UPDATE authorities SET name = 'other'",
      "REPLACE INTO authorities SELECT * FROM authorities",
  };
  AUTO(fault) f = {0};
  AUTO(issued) first = row_of(1);
  AUTO(issued) second = row_of(2);
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &second, false).code, FAULT_NONE);
  sqlite3 *db = open_foreign(bench);
  for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
    int status = sqlite3_exec(db, attempts[i], NULL, NULL, NULL);
    if (status != SQLITE_CONSTRAINT || strstr(sqlite3_errmsg(db), "UNIQUE") != NULL)
      fail_msg("%s: %d %s", attempts[i], status, sqlite3_errmsg(db));
  }
  sqlite3_close(db);
  AUTO(issued) got = {0};
  assert_true(ledger_get(bench->ledger, serial_of(&first), NOW, &got, &f));
  assert_string_equal(got.device_serial, "W-1");
  assert_string_equal(got.station, "line-1");
  assert_int_equal(count_rows(bench->ledger), 2);
}

/* Its own writer goes without those triggers on INSERT that are for others, and no other. */
static void nor_can_its_own_writer(void **state)
{
  struct bench *bench = *state;
  static const char *const attempts[] = {
      "UPDATE certificates SET device_serial = 'W-9'",
      "DELETE FROM certificates",
      "UPDATE labels SET text = 'line-9' WHERE text = 'line-1'",
      "DELETE FROM labels",
      "REPLACE INTO labels SELECT 99, text FROM labels",
      "UPDATE authorities SET issued = issued - 1",
      "DELETE FROM authorities",
      "UPDATE marks SET bits = 0",
      "DELETE FROM marks",
  };
  AUTO(issued) row = row_of(1);
  AUTO(fault) f = {0};
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  assert_true(ledger_execute(bench->ledger->writer, "INSERT INTO marks VALUES (1, 1, 0, 2)", &f));
  for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
    AUTO(fault) refused = {0};
    if (ledger_execute(bench->ledger->writer, attempts[i], &refused) ||
        sqlite3_errcode(bench->ledger->writer->db) != SQLITE_CONSTRAINT_TRIGGER)
      fail_msg("%s: %s", attempts[i], refused.detail);
  }
  assert_int_equal(count_rows(bench->ledger), 1);
}

/* --- crashes and full disks --- */

static void append_forever(const char *path, int report)
{
  struct fault f = {0};
  struct ledger *ledger;
  const struct sans none = {0};
  if (!ledger_open(path, &ledger, &f))
    _exit(2);
  for (unsigned n = 0;; n += 8) {
    struct ledger_batch *batch;
    bool replayed, done = ledger_begin(ledger, &batch, &f);
    for (unsigned i = n; done && i < n + 8; i++) {
      AUTO(issued) row = row_of(i);
      AUTO(issued) earlier = {0};
      done = ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f);
    }
    if (!done || !ledger_commit(batch, &f) || write(report, &n, sizeof n) != sizeof n)
      _exit(3);
  }
}

static void what_was_committed_survives_a_kill(void **state)
{
  struct bench *bench = *state;
  for (unsigned round = 0; round < 3; round++) {
    int report[2];
    assert_int_equal(pipe(report), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
      append_forever(bench->path, report[1]);
    close(report[1]);
    unsigned n = 0, last = 0, batches = 0;
    while (batches < 15 + 7 * round && read(report[0], &n, sizeof n) == sizeof n)
      last = n, batches++;
    kill(child, SIGKILL);
    while (read(report[0], &n, sizeof n) == sizeof n)
      last = n, batches++;
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(batches >= 15);
    close(report[0]);
    bench_open(bench);
    for (unsigned i = 0; i < last + 8; i++) {
      AUTO(issued) row = row_of(i);
      assert_int_equal(status_of(bench->ledger, &row, NOW), STATUS_VALID);
    }
    bench_free(bench);
    bench = *state = bench_new();
  }
}

/* A probe writes less than a row: a few of them may still find room. */
static bool probe_fails(struct ledger *ledger)
{
  struct fault f = {0};
  for (unsigned i = 0; i < 10; i++)
    if (!ledger_probe(ledger, &f))
      return f.code == FAULT_LEDGER;
  return false;
}

/* Appends until no file may grow any more; the exit code tells how it went. */
static int append_until_full(const char *path, int report)
{
  struct fault f = {0};
  struct ledger *ledger;
  const struct rlimit limit = {.rlim_cur = 1024 * 1024, .rlim_max = 1024 * 1024};
  if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
      !ledger_open(path, &ledger, &f))
    return 2;
  const struct sans none = {0};
  for (unsigned n = 0; n < 100000; n++) {
    struct ledger_batch *batch;
    AUTO(issued) row = row_of(n);
    AUTO(issued) earlier = {0};
    bool replayed;
    if (!ledger_begin(ledger, &batch, &f))
      return 3;
    if (!ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f))
      ledger_roll_back(batch);
    else if (ledger_commit(batch, &f) && write(report, &n, sizeof n) == sizeof n)
      continue;
    if (f.code != FAULT_LEDGER || strstr(f.detail, path) == NULL)
      return 4;
    return probe_fails(ledger) ? 0 : 5;
  }
  return 6;
}

static void a_full_disk_is_a_fault_and_loses_nothing(void **state)
{
  struct bench *bench = *state;
  int report[2];
  assert_int_equal(pipe(report), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(append_until_full(bench->path, report[1]));
  close(report[1]);
  unsigned n, count = 0;
  while (read(report[0], &n, sizeof n) == sizeof n)
    count = n + 1;
  close(report[0]);
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_true(count > 10);
  bench_open(bench);
  for (unsigned i = 0; i < count; i++) {
    AUTO(issued) row = row_of(i);
    assert_int_equal(status_of(bench->ledger, &row, NOW), STATUS_VALID);
  }
  AUTO(issued) next = row_of(count);
  AUTO(fault) f = {0};
  assert_false(ledger_get(bench->ledger, serial_of(&next), NOW, &next, &f));
  assert_int_equal(append(bench->ledger, &next, false).id, count + 1);
}

static void the_probe_fails_when_it_cannot_write(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  assert_true(ledger_probe(bench->ledger, &f));
  sqlite3 *db = open_foreign(bench);
  assert_int_equal(sqlite3_exec(db, "DROP TABLE probe", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
  assert_false(ledger_probe(bench->ledger, &f));
  assert_int_equal(f.code, FAULT_LEDGER);
  assert_non_null(strstr(f.detail, "probe"));
  AUTO(issued) row = row_of(1);
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
}

/* --- threads --- */

struct reading {
  struct ledger *ledger;
  _Atomic bool stop;
  _Atomic unsigned failures, reads;
};

static void *read_on(void *context)
{
  struct reading *reading = context;
  while (!reading->stop) {
    struct fault f = {0};
    AUTO(ledger_page) page = {0};
    const struct ledger_query query = {.station = "line-1", .limit = 20};
    if (!ledger_search(reading->ledger, &query, NOW, &page, &f))
      reading->failures++;
    for (size_t i = 1; i < page.n; i++)
      if (page.rows[i].id != page.rows[i - 1].id - 1)
        reading->failures++;
    reading->reads++;
    fault_free(&f);
  }
  return NULL;
}

static void readers_are_not_in_the_writers_way(void **state)
{
  struct bench *bench = *state;
  struct reading reading = {.ledger = bench->ledger};
  pthread_t threads[4];
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reading), 0);
  for (unsigned n = 0; n < 200 || reading.reads < 20; n++) {
    AUTO(issued) row = row_of(n);
    assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  }
  reading.stop = true;
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_join(threads[i], NULL);
  assert_int_equal(reading.failures, 0);
}

int main(void)
{
#define TEST(name)           cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
#define TEST_IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_foreign_hand_cannot_change_a_row),
      TEST(nor_can_its_own_writer),
      TEST_IN_FOLDER(what_was_committed_survives_a_kill),
      TEST_IN_FOLDER(a_full_disk_is_a_fault_and_loses_nothing),
      TEST(the_probe_fails_when_it_cannot_write),
      TEST(readers_are_not_in_the_writers_way),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
