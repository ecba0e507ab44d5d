/* test_migrate.c - a ledger is made, re-opened and brought up to date; anything else is left
 * alone. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "lib/ca/ledger_private.h"

static void run_sql(const char *path, const char *sql)
{
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

static int64_t ask_sql(const char *path, const char *sql)
{
  sqlite3 *db;
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  int64_t number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return number;
}

static void assert_refused(const struct bench *bench, enum fault_code code, const char *word)
{
  AUTO(fault) f = {0};
  struct ledger *ledger = NULL;
  assert_false(ledger_open(bench->path, &ledger, &f));
  assert_null(ledger);
  assert_int_equal(f.code, code);
  if (strstr(f.detail, word) == NULL)
    fail_msg("\"%s\" does not say \"%s\"", f.detail, word);
}

static void a_new_ledger_is_for_its_owner_only(void **state)
{
  struct bench *bench = *state;
  mode_t mask = umask(0);
  bench_open(bench);
  AUTO(fault) f = {0};
  assert_true(ledger_probe(bench->ledger, &f));
  umask(mask);
  const char *const suffixes[] = {"", "-wal", "-shm", "-lock"};
  for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
    char path[300];
    struct stat info;
    snprintf(path, sizeof path, "%s%s", bench->path, suffixes[i]);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
  }
}

static void what_was_written_is_there_after_opening_again(void **state)
{
  struct bench *bench = *state;
  bench_open(bench);
  AUTO(issued) row = row_of(7);
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  bench_close(bench);
  bench_open(bench);
  AUTO(fault) f = {0};
  AUTO(issued) got = {0};
  assert_true(
      ledger_get(bench->ledger, bytes_of(row.serial_number, SERIAL_NUMBER_LEN), NOW, &got, &f));
  assert_true(bytes_equal(buf_bytes(&got.der), buf_bytes(&row.der)));
  size_t n = 0;
  while (ledger_migrations[n].name != NULL)
    n++;
  assert_int_equal(ask_sql(bench->path, "PRAGMA user_version"), n);
}

static void an_empty_file_becomes_a_ledger(void **state)
{
  struct bench *bench = *state;
  FILE *file = fopen(bench->path, "w");
  assert_non_null(file);
  fclose(file);
  bench_open(bench);
}

static void a_newer_ledger_is_refused_and_left_alone(void **state)
{
  struct bench *bench = *state;
  bench_open(bench);
  bench_close(bench);
  run_sql(bench->path, "PRAGMA user_version = 1000");
  assert_refused(bench, FAULT_LEDGER_IS_NEWER, "1000");
  assert_int_equal(ask_sql(bench->path, "PRAGMA user_version"), 1000);
}

static void a_file_of_another_kind_is_refused_and_left_alone(void **state)
{
  struct bench *bench = *state;
  const char text[] = "This is a letter and no database. It is long enough to have a header, and "
                      "a little more than that, to be sure of it.";
  FILE *file = fopen(bench->path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, sizeof text, file), sizeof text);
  fclose(file);
  assert_refused(bench, FAULT_LEDGER, "not a ledger");
  char now[sizeof text] = "";
  file = fopen(bench->path, "r");
  assert_non_null(file);
  assert_int_equal(fread(now, 1, sizeof now, file), sizeof text);
  fclose(file);
  assert_memory_equal(now, text, sizeof text);
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
  struct bench *bench = *state;
  run_sql(bench->path, "CREATE TABLE letters (id INTEGER)");
  assert_refused(bench, FAULT_LEDGER, "not a ledger");
  run_sql(bench->path, "DROP TABLE letters; PRAGMA application_id = 1234");
  assert_refused(bench, FAULT_LEDGER, "not a ledger");
  assert_int_equal(ask_sql(bench->path, "SELECT count(*) FROM sqlite_schema"), 0);
}

static void a_second_daemon_is_refused_until_the_first_has_closed(void **state)
{
  struct bench *bench = *state;
  bench_open(bench);
  assert_refused(bench, FAULT_LEDGER, "in use");
  bench_close(bench);
  bench_open(bench);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
  struct bench *bench = *state;
  snprintf(bench->path, sizeof bench->path, "%s/nowhere/ledger.db", bench->folder);
  assert_refused(bench, FAULT_LEDGER, "nowhere/ledger.db");
}

static void migrate(const struct bench *bench, const struct embedded *list, enum fault_code code)
{
  AUTO(fault) f = {0};
  AUTO(ledger_connection) c = NULL;
  assert_true(ledger_connection_open(bench->path, LEDGER_WRITES, &c, &f));
  assert_int_equal(ledger_migrate(c, list, &f), code == FAULT_NONE);
  assert_int_equal(f.code, code);
  if (code == FAULT_LEDGER)
    assert_non_null(strstr(f.detail, "0002"));
}

/* The second one fails at its end: nothing of it may stay, and the first stays. */
static void a_migration_happens_whole_or_not_at_all(void **state)
{
  struct bench *bench = *state;
  static const struct embedded broken[] = {
      {"0001-a.sql", "CREATE TABLE a (x INTEGER);", 0},
      {"0002-b.sql", "CREATE TABLE b (x INTEGER); INSERT INTO nowhere VALUES (1);", 0},
      {NULL, NULL, 0}};
  static const struct embedded mended[] = {
      {"0001-a.sql", "CREATE TABLE a (x INTEGER);", 0},
      {"0002-b.sql", "CREATE TABLE b (x INTEGER); INSERT INTO b VALUES (1);", 0},
      {NULL, NULL, 0}};
  const char tables[] = "SELECT count(*) FROM sqlite_schema";
  run_sql(bench->path, "PRAGMA user_version = 0");
  migrate(bench, broken, FAULT_LEDGER);
  assert_int_equal(ask_sql(bench->path, "PRAGMA user_version"), 1);
  assert_int_equal(ask_sql(bench->path, tables), 1);
  migrate(bench, mended, FAULT_NONE);
  assert_int_equal(ask_sql(bench->path, "PRAGMA user_version"), 2);
  assert_int_equal(ask_sql(bench->path, tables), 2);
  migrate(bench, mended, FAULT_NONE);
  assert_int_equal(ask_sql(bench->path, "SELECT count(*) FROM b"), 1);
}

/* Those before 0012-marks.sql. */
static void make_old_ledger(const struct bench *bench)
{
  enum { BEFORE = 11 };
  struct embedded old[BEFORE + 1] = {0};
  memcpy(old, ledger_migrations, BEFORE * sizeof old[0]);
  run_sql(bench->path, "PRAGMA user_version = 0");
  migrate(bench, old, FAULT_NONE);
  run_sql(
      bench->path,
      "INSERT INTO labels VALUES (1, 'device-server'), (2, 'issuing'), (3, 'line-1'),"
      " (4, 'line-2'), (5, 'PO-1'), (6, 'WX-1'), (7, 'refused'), (8, 'weak-key');"
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
      " INSERT INTO certificates SELECT i, CAST(printf('%016d', i) AS BLOB), 'W-' || i, 1,"
      " 3 + (i % 3 = 0), iif(i > 200, 5, NULL), iif(i % 64 = 63, 6, NULL), 2, 1000 * i, 0,"
      " 4000000000, NULL, CAST(printf('%032d', i) AS BLOB), i, zeroblob(32), x'30', NULL FROM n;"
      "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
      " INSERT INTO events (id, at, kind, code, principal, production_order, certificate)"
      " SELECT i, 1000 * i, iif(i % 5 = 0, 7, NULL), iif(i % 5 = 0, 8, NULL), 3 + (i % 3 = 0),"
      " iif(i > 200, 5, NULL), iif(i % 5 = 0, NULL, i) FROM n;");
}

static size_t count_certificates(struct ledger *ledger, struct ledger_query query)
{
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  query.limit = 1000;
  assert_true(ledger_search(ledger, &query, NOW, &page, &f));
  for (size_t i = 1; i < page.n; i++)
    assert_true(page.rows[i].id < page.rows[i - 1].id);
  return page.n;
}

static size_t count_events(struct ledger *ledger, struct event_query query)
{
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  query.limit = 1000;
  assert_true(ledger_search_events(ledger, &query, &page, &f));
  return page.n;
}

static void rows_from_before_there_were_marks_are_found_by_their_labels(void **state)
{
  struct bench *bench = *state;
  make_old_ledger(bench);
  bench_open(bench);
  struct ledger *ledger = bench->ledger;
  assert_int_equal(count_certificates(ledger, (struct ledger_query){.station = "line-1"}), 200);
  assert_int_equal(count_certificates(ledger, (struct ledger_query){.station = "line-2"}), 100);
  assert_int_equal(count_certificates(ledger, (struct ledger_query){.order = "PO-1"}), 100);
  assert_int_equal(count_certificates(ledger, (struct ledger_query){.model = "WX-1"}), 4);
  assert_int_equal(count_certificates(ledger, (struct ledger_query){.profile = "device-server"}),
                   300);
  assert_int_equal(count_events(ledger, (struct event_query){.kind = EVENT_REFUSED}), 60);
  assert_int_equal(count_events(ledger, (struct event_query){.code = FAULT_WEAK_KEY}), 60);
  assert_int_equal(count_events(ledger, (struct event_query){.principal = "line-2"}), 100);
  assert_int_equal(count_events(ledger, (struct event_query){.order = "PO-1"}), 100);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_folder, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_new_ledger_is_for_its_owner_only),
      TEST(what_was_written_is_there_after_opening_again),
      TEST(an_empty_file_becomes_a_ledger),
      TEST(a_newer_ledger_is_refused_and_left_alone),
      TEST(a_file_of_another_kind_is_refused_and_left_alone),
      TEST(another_programs_database_is_refused_and_left_alone),
      TEST(a_second_daemon_is_refused_until_the_first_has_closed),
      TEST(a_folder_that_is_not_there_is_named),
      TEST(a_migration_happens_whole_or_not_at_all),
      TEST(rows_from_before_there_were_marks_are_found_by_their_labels),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
