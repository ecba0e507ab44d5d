/* test_event.c - what happened is kept, counted and never changed. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>

#include "lib/ca/event.h"
#include "lib/ca/ledger_meter.h"

static struct event event_of(unsigned n)
{
  struct event event = {.kind = EVENT_REFUSED,
                        .code = FAULT_KEY_ALREADY_USED,
                        .at_ms = INT64_C(1000) * NOW + n,
                        .principal = "line-1",
                        .source = "10.1.1.7",
                        .order = "PO-1",
                        .profile = "device-server"};
  snprintf(event.device_serial, sizeof event.device_serial, "W-%u", n);
  snprintf(event.request_id, sizeof event.request_id, "%016x", n);
  return event;
}

static void record(struct ledger *ledger, const struct event *event)
{
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, &f) || !ledger_add_event(batch, event, &f) ||
      !ledger_commit(batch, &f))
    fail_msg("%s", f.detail);
}

/* --- only added --- */

static int64_t ask(const struct bench *bench, const char *sql)
{
  sqlite3 *db;
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  int64_t number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return number;
}

static void a_foreign_hand_cannot_change_an_event_or_a_tally(void **state)
{
  struct bench *bench = *state;
  static const char *const attempts[] = {
      "UPDATE events SET device_serial = 'W-9'",
      "UPDATE events SET at = at",
      "UPDATE OR REPLACE events SET id = 2 WHERE id = 1",
      "DELETE FROM events",
      "DELETE FROM events WHERE id = 1",
      "REPLACE INTO events SELECT * FROM events",
      "REPLACE INTO events (id, at, kind) VALUES (1, 1, 1)",
      "INSERT INTO events (id, at, kind) VALUES (9, 1, 1)",
      "INSERT OR IGNORE INTO events SELECT * FROM events",
      "INSERT INTO events SELECT * FROM events WHERE true ON CONFLICT DO UPDATE SET at = 1",
      "DELETE FROM event_spans",
      "UPDATE tallies SET n = n - 1",
      "UPDATE tallies SET n = n + 1, station = 999",
      "UPDATE OR REPLACE tallies SET station = 999",
      "DELETE FROM tallies",
      "REPLACE INTO tallies SELECT production_order, station, hour, outcome, 0 FROM tallies",
      "INSERT INTO tallies SELECT * FROM tallies WHERE true ON CONFLICT DO UPDATE SET n = 0",
  };
  struct event first = event_of(1), second = event_of(2);
  record(bench->ledger, &first);
  record(bench->ledger, &second);
  for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, attempts[i], NULL, NULL, NULL) == SQLITE_OK)
      fail_msg("not refused: %s", attempts[i]);
    sqlite3_close(db);
  }
  assert_int_equal(ask(bench, "SELECT count(*) FROM events"), 2);
  assert_int_equal(ask(bench, "SELECT sum(n) FROM tallies"), 2);
}

/* --- tallies --- */

struct tallies {
  struct tally rows[20];
  size_t n;
};

static void keep_tally(const struct tally *tally, void *context)
{
  struct tallies *tallies = context;
  assert_true(tallies->n < ARRAY_LEN(tallies->rows));
  tallies->rows[tallies->n++] = *tally;
}

static struct tallies tallies_of(struct ledger *ledger, const char *order)
{
  AUTO(fault) f = {0};
  struct tallies tallies = {0};
  assert_true(ledger_each_tally(ledger, order, keep_tally, &tallies, &f));
  return tallies;
}

static void every_end_of_a_request_is_counted_by_station_and_hour(void **state)
{
  struct bench *bench = *state;
  struct event event = event_of(1);
  record(bench->ledger, &event);
  record(bench->ledger, &event);
  event.at_ms += INT64_C(3600) * 1000;
  record(bench->ledger, &event);
  event.kind = EVENT_ISSUED;
  event.code = FAULT_NONE;
  record(bench->ledger, &event);
  snprintf(event.principal, sizeof event.principal, "line-0");
  record(bench->ledger, &event);
  struct tallies tallies = tallies_of(bench->ledger, "PO-1");
  static const struct {
    const char *station, *outcome;
    int64_t hour, n;
  } expected[] = {{"line-0", "issued", NOW / 3600 + 1, 1},
                  {"line-1", "key-already-used", NOW / 3600, 2},
                  {"line-1", "issued", NOW / 3600 + 1, 1},
                  {"line-1", "key-already-used", NOW / 3600 + 1, 1}};
  assert_int_equal(tallies.n, ARRAY_LEN(expected));
  for (size_t i = 0; i < tallies.n; i++) {
    assert_string_equal(tallies.rows[i].station, expected[i].station);
    assert_string_equal(tallies.rows[i].outcome, expected[i].outcome);
    assert_int_equal(tallies.rows[i].hour, expected[i].hour * 3600);
    assert_int_equal(tallies.rows[i].n, expected[i].n);
  }
}

static void tallies_of_one_order_are_not_those_of_another_or_of_none(void **state)
{
  struct bench *bench = *state;
  struct event event = event_of(1);
  record(bench->ledger, &event);
  event.order[0] = '\0';
  record(bench->ledger, &event);
  record(bench->ledger, &event);
  assert_int_equal(tallies_of(bench->ledger, "PO-1").rows[0].n, 1);
  assert_int_equal(tallies_of(bench->ledger, "").rows[0].n, 2);
  assert_int_equal(tallies_of(bench->ledger, "PO-2").n, 0);
}

static void what_is_no_end_of_a_request_is_not_counted(void **state)
{
  struct bench *bench = *state;
  struct event event = event_of(1);
  event.kind = EVENT_DENIED;
  record(bench->ledger, &event);
  assert_int_equal(tallies_of(bench->ledger, "PO-1").n, 0);
}

static void a_batch_counts_more_ways_to_end_than_it_gathers(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  for (unsigned i = 0; i < 1000; i++) {
    struct event event = event_of(i);
    snprintf(event.principal, sizeof event.principal, "line-%u", i % 100);
    assert_true(ledger_add_event(batch, &event, &f));
  }
  assert_true(ledger_commit(batch, &f));
  assert_int_equal(ask(bench, "SELECT count(*) FROM tallies"), 100);
  assert_int_equal(ask(bench, "SELECT min(n) + max(n) FROM tallies"), 20);
}

static void a_batch_that_is_rolled_back_leaves_neither_event_nor_tally(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  struct event event = event_of(1);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_add_event(batch, &event, &f));
  ledger_roll_back(batch);
  assert_int_equal(ask(bench, "SELECT count(*) FROM events"), 0);
  record(bench->ledger, &event);
  assert_int_equal(ask(bench, "SELECT max(id) FROM events"), 1);
  assert_int_equal(ask(bench, "SELECT sum(n) FROM tallies"), 1);
}

static void what_was_committed_is_counted_by_kind(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  struct ledger_meter before, after;
  struct event event = event_of(1), denials = {.kind = EVENT_DENIED, .count = 40};
  ledger_meter_read(bench->ledger, &before);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_add_event(batch, &event, &f));
  ledger_roll_back(batch);
  record(bench->ledger, &event);
  record(bench->ledger, &event);
  record(bench->ledger, &denials);
  ledger_meter_read(bench->ledger, &after);
  assert_int_equal(after.events[EVENT_REFUSED] - before.events[EVENT_REFUSED], 2);
  assert_int_equal(after.events[EVENT_DENIED] - before.events[EVENT_DENIED], 40);
  assert_int_equal(after.events[EVENT_ISSUED], 0);
  assert_int_equal(after.commits - before.commits, 3);
  assert_int_equal(after.certificates, 0);
}

int main(void)
{
#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      WITH_LEDGER(a_foreign_hand_cannot_change_an_event_or_a_tally),
      WITH_LEDGER(every_end_of_a_request_is_counted_by_station_and_hour),
      WITH_LEDGER(tallies_of_one_order_are_not_those_of_another_or_of_none),
      WITH_LEDGER(what_is_no_end_of_a_request_is_not_counted),
      WITH_LEDGER(a_batch_counts_more_ways_to_end_than_it_gathers),
      WITH_LEDGER(a_batch_that_is_rolled_back_leaves_neither_event_nor_tally),
      WITH_LEDGER(what_was_committed_is_counted_by_kind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
