/* test_ledger_marks.c - rows are found by their labels before they are marked, when they are, and
 * on both sides of where marks end. */
#include "tests/unit/ledger_unit.h"

#include "lib/ca/ledger_private.h"

enum { RUN = MARK_RUN_ROWS };

/* Every third is of line-1, the others of line-2. */
static const char *station_of(unsigned n)
{
  return n % 3 == 0 ? "line-1" : "line-2";
}

static void append_row(struct ledger_batch *batch, unsigned n)
{
  AUTO(fault) f = {0};
  AUTO(issued) row = row_of(n);
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  bool replayed;
  snprintf(row.station, sizeof row.station, "%s", station_of(n));
  if (!ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f))
    fail_msg("row %u: %s", n, f.detail);
  assert_int_equal(row.id, n);
}

static void append_event(struct ledger_batch *batch, unsigned n)
{
  AUTO(fault) f = {0};
  struct event event = {.kind = EVENT_REFUSED, .code = FAULT_WEAK_KEY};
  snprintf(event.principal, sizeof event.principal, "%s", station_of(n));
  if (!ledger_add_event(batch, &event, &f))
    fail_msg("event %u: %s", n, f.detail);
}

static struct ledger_batch *begin_with(struct ledger *ledger, unsigned first, unsigned last)
{
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  assert_true(ledger_begin(ledger, &batch, &f));
  for (unsigned n = first; n <= last; n++) {
    append_row(batch, n);
    append_event(batch, n);
  }
  return batch;
}

static void add(struct ledger *ledger, unsigned first, unsigned last)
{
  AUTO(fault) f = {0};
  assert_true(ledger_commit(begin_with(ledger, first, last), &f));
}

static void reopen(struct bench *bench)
{
  bench_close(bench);
  bench_open(bench);
}

/* --- what is found --- */

/* The newest of the station, from `last` down. */
static unsigned newest_of(const char *station, unsigned last)
{
  while (last > 0 && strcmp(station_of(last), station) != 0)
    last--;
  return last;
}

static void assert_certificates(struct ledger *ledger, const char *station, unsigned last)
{
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  const struct ledger_query query = {.station = station, .limit = 1000};
  unsigned next = newest_of(station, last);
  if (!ledger_search(ledger, &query, NOW, &page, &f))
    fail_msg("%s", f.detail);
  for (size_t i = 0; i < page.n; i++, next = newest_of(station, next - 1))
    assert_int_equal(page.rows[i].id, next);
  assert_true(next == 0 || page.more);
}

static void assert_events(struct ledger *ledger, const char *station, unsigned last)
{
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  const struct event_query query = {.principal = station, .limit = 1000};
  unsigned next = newest_of(station, last);
  if (!ledger_search_events(ledger, &query, &page, &f))
    fail_msg("%s", f.detail);
  for (size_t i = 0; i < page.n; i++, next = newest_of(station, next - 1))
    assert_int_equal(page.rows[i].id, next);
  assert_true(next == 0 || page.more);
}

static void assert_all_found(struct ledger *ledger, unsigned last)
{
  assert_certificates(ledger, "line-1", last);
  assert_certificates(ledger, "line-2", last);
  assert_events(ledger, "line-1", last);
  assert_events(ledger, "line-2", last);
}

static void assert_marked(struct bench *bench, const char *kinds, int64_t rows)
{
  AUTO(fault) f = {0};
  char sql[100];
  int64_t spans = 0;
  snprintf(sql, sizeof sql, "SELECT count(DISTINCT span) FROM marks WHERE kind IN (%s)", kinds);
  assert_true(ledger_ask(bench->ledger->writer, sql, &spans, &f));
  assert_int_equal(spans * MARK_ROWS, rows);
}

static void assert_all_marked(struct bench *bench, int64_t rows)
{
  assert_marked(bench, "1", rows); /* profile, station, ... */
  assert_marked(bench, "2", rows);
  assert_marked(bench, "5", rows); /* kind, code, principal of events */
  assert_marked(bench, "6", rows);
  assert_marked(bench, "7", rows);
  assert_marked(bench, "3, 4, 8", 0); /* no order, no model */
}

/* --- tests --- */

static void rows_are_marked_when_their_run_is_whole(void **state)
{
  struct bench *bench = *state;
  add(bench->ledger, 1, RUN - 2);
  assert_all_marked(bench, 0);
  assert_all_found(bench->ledger, RUN - 2);
  add(bench->ledger, RUN - 1, RUN - 1);
  assert_all_marked(bench, RUN);
  assert_all_found(bench->ledger, RUN - 1);
  add(bench->ledger, RUN, RUN);
  assert_all_found(bench->ledger, RUN);
  add(bench->ledger, RUN + 1, 3 * RUN + 5);
  assert_all_marked(bench, 3 * RUN);
  assert_all_found(bench->ledger, 3 * RUN + 5);
}

static void a_mark_tells_which_of_its_rows_have_the_label(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  int64_t bits = 0, of_threes = 0;
  for (int i = 0; i < MARK_ROWS; i++)
    if ((MARK_ROWS + i) % 3 == 0)
      of_threes |= INT64_C(1) << i;
  add(bench->ledger, 1, RUN);
  assert_true(ledger_ask(bench->ledger->writer,
                         "SELECT bits FROM marks WHERE kind = 2 AND span = 1"
                         " AND label = (SELECT id FROM labels WHERE text = 'line-1')",
                         &bits, &f));
  assert_int_equal(bits, of_threes);
}

static void what_was_rolled_back_is_not_marked(void **state)
{
  struct bench *bench = *state;
  add(bench->ledger, 1, RUN - 5);
  ledger_roll_back(begin_with(bench->ledger, RUN - 4, RUN + 5));
  assert_all_marked(bench, 0);
  assert_all_found(bench->ledger, RUN - 5);
  add(bench->ledger, RUN - 4, RUN + 5);
  assert_all_marked(bench, RUN);
  assert_all_found(bench->ledger, RUN + 5);
}

static void a_run_goes_on_after_a_new_start(void **state)
{
  struct bench *bench = *state;
  add(bench->ledger, 1, RUN / 2);
  reopen(bench);
  add(bench->ledger, RUN / 2 + 1, RUN + RUN / 2);
  assert_all_marked(bench, RUN);
  reopen(bench);
  assert_all_found(bench->ledger, RUN + RUN / 2);
  add(bench->ledger, RUN + RUN / 2 + 1, 2 * RUN + 1);
  assert_all_marked(bench, 2 * RUN);
  assert_all_found(bench->ledger, 2 * RUN + 1);
}

/* A foreign hand marks nothing. Who comes next does, for the runs that it ended. */
static void add_behind_its_back(struct bench *bench, unsigned last)
{
  sqlite3 *db;
  char sql[900];
  snprintf(sql, sizeof sql,
           "INSERT INTO certificates (id, serial_number, profile, station, authority, issued_at,"
           " not_before, not_after, spki_sha256, spki_prefix, request_sha256, der)"
           " WITH RECURSIVE n (id) AS (SELECT max(id) + 1 FROM certificates"
           " UNION ALL SELECT id + 1 FROM n WHERE id < %u)"
           " SELECT n.id, CAST(printf('%%016d', n.id) AS BLOB), c.profile,"
           " (SELECT id FROM labels WHERE text = iif(n.id %% 3 = 0, 'line-1', 'line-2')),"
           " c.authority, c.issued_at, c.not_before, c.not_after, randomblob(32), 0,"
           " randomblob(32), c.der FROM n CROSS JOIN certificates c ON c.id = 1",
           last);
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
    fail_msg("%s", sqlite3_errmsg(db));
  sqlite3_close(db);
}

static void runs_that_a_foreign_hand_ended_are_marked_with_the_next_row(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  add(bench->ledger, 1, 5);
  add_behind_its_back(bench, 2 * RUN + 2);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  append_row(batch, 2 * RUN + 3);
  assert_true(ledger_commit(batch, &f));
  assert_marked(bench, "2", 2 * RUN);
  assert_certificates(bench->ledger, "line-1", 2 * RUN + 3);
  assert_certificates(bench->ledger, "line-2", 2 * RUN + 3);
}

static void a_run_that_a_foreign_hand_ended_before_the_start_is_marked(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  add(bench->ledger, 1, RUN - 5);
  bench_close(bench);
  add_behind_its_back(bench, RUN + 2);
  bench_open(bench);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  append_row(batch, RUN + 3);
  assert_true(ledger_commit(batch, &f));
  assert_marked(bench, "2", RUN);
  assert_certificates(bench->ledger, "line-1", RUN + 3);
}

/* Of the rows that were rolled back nothing is remembered where others stand now. */
static void rows_in_the_place_of_those_rolled_back_have_labels_of_their_own(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  const struct ledger_query query = {.station = "line-9", .limit = 10};
  const struct sans none = {0};
  struct ledger_batch *batch;
  add(bench->ledger, 1, 5);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  for (unsigned n = 6; n <= 8; n++) {
    AUTO(issued) row = row_of(n);
    AUTO(issued) earlier = {0};
    bool replayed;
    strcpy(row.station, "line-9");
    assert_true(ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f));
  }
  ledger_roll_back(batch);
  add_behind_its_back(bench, 8);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  for (unsigned n = 9; n <= RUN + 1; n++)
    append_row(batch, n);
  assert_true(ledger_commit(batch, &f));
  assert_marked(bench, "2", RUN);
  assert_certificates(bench->ledger, "line-1", RUN + 1);
  assert_certificates(bench->ledger, "line-2", RUN + 1);
  assert_true(ledger_search(bench->ledger, &query, NOW, &page, &f));
  assert_int_equal(page.n, 0);
}

/* The places of rows that were rolled back are those of rows a run before them. */
static void what_is_rolled_back_over_the_end_of_a_run_forgets_nothing(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  int64_t wrong;
  add(bench->ledger, 1, 2000);
  ledger_roll_back(begin_with(bench->ledger, 2001, 2500));
  add(bench->ledger, 2001, 2 * RUN);
  assert_all_found(bench->ledger, 2 * RUN);
  assert_true(ledger_ask(bench->ledger->writer,
                         "SELECT count(*) FROM certificates c, marks m WHERE c.id < 2048"
                         " AND m.kind = 2 AND m.span = c.id / 64"
                         " AND (m.label = c.station) <> (m.bits >> (c.id % 64) & 1)",
                         &wrong, &f));
  assert_int_equal(wrong, 0);
}

/* --- a foreign hand adds rows, and marks nothing --- */

static int64_t count_found(struct ledger *ledger, const char *station)
{
  AUTO(fault) f = {0};
  struct ledger_count count;
  const struct ledger_query query = {.station = station};
  if (!ledger_count(ledger, &query, NOW, &count, &f))
    fail_msg("%s", f.detail);
  return count.n;
}

static void assert_all_counted(struct bench *bench, const char *station)
{
  AUTO(fault) f = {0};
  int64_t there;
  char sql[160];
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM certificates"
           " WHERE station = (SELECT id FROM labels WHERE text = '%s')",
           station);
  assert_true(ledger_ask(bench->ledger->writer, sql, &there, &f));
  assert_int_equal(count_found(bench->ledger, station), there);
}

static void rows_are_found_when_a_foreign_hand_has_ended_their_run(void **state)
{
  struct bench *bench = *state;
  add(bench->ledger, 1, RUN - 5);
  add_behind_its_back(bench, RUN + 2);
  assert_all_counted(bench, "line-2");
  reopen(bench);
  assert_all_counted(bench, "line-2");
}

static void rows_are_found_when_a_foreign_hand_has_ended_two_runs(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  add(bench->ledger, 1, RUN - 5);
  bench_close(bench);
  add_behind_its_back(bench, 2 * RUN + 2);
  bench_open(bench);
  assert_all_counted(bench, "line-2");
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  append_row(batch, 2 * RUN + 3);
  assert_true(ledger_commit(batch, &f));
  assert_marked(bench, "2", 2 * RUN);
  reopen(bench);
  assert_all_counted(bench, "line-2");
}

static void two_readings_of_marks_in_one_statement_are_a_fault_and_no_wrong_answer(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  int64_t n;
  add(bench->ledger, 1, RUN);
  assert_false(ledger_ask(bench->ledger->writer,
                          "SELECT count(*) FROM marked(2, 2) a CROSS JOIN marked(1, 1) b"
                          " ON b.id = a.id",
                          &n, &f));
  assert_non_null(strstr(f.detail, "marked() twice"));
}

static void a_mark_of_rows_that_there_cannot_be_tells_nothing(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  int64_t n = -1;
  add(bench->ledger, 1, RUN);
  assert_true(ledger_execute(bench->ledger->writer,
                             "INSERT INTO marks VALUES (2, 777, -9223372036854775808, 1)", &f));
  assert_true(ledger_ask(bench->ledger->writer,
                         "SELECT count(*) FROM marked(2, 777) WHERE id < 1000", &n, &f));
  assert_int_equal(n, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(rows_are_marked_when_their_run_is_whole),
      TEST(a_mark_tells_which_of_its_rows_have_the_label),
      TEST(what_was_rolled_back_is_not_marked),
      TEST(a_run_goes_on_after_a_new_start),
      TEST(runs_that_a_foreign_hand_ended_are_marked_with_the_next_row),
      TEST(a_run_that_a_foreign_hand_ended_before_the_start_is_marked),
      TEST(what_is_rolled_back_over_the_end_of_a_run_forgets_nothing),
      TEST(rows_are_found_when_a_foreign_hand_has_ended_their_run),
      TEST(rows_are_found_when_a_foreign_hand_has_ended_two_runs),
      TEST(two_readings_of_marks_in_one_statement_are_a_fault_and_no_wrong_answer),
      TEST(a_mark_of_rows_that_there_cannot_be_tells_nothing),
      TEST(rows_in_the_place_of_those_rolled_back_have_labels_of_their_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
