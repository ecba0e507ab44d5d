/* test_ledger_webhook.c - of the events behind a webhook's position none is left out, and a
 * certificate that is about to expire is announced once. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>

#include "lib/ca/expiring.h"
#include "lib/ca/ledger_private.h"
#include "lib/ca/webhook.h"

enum { DAY_S = 86400 };

static void record(struct ledger *ledger, enum event_kind kind, unsigned times)
{
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  assert_true(ledger_begin(ledger, &batch, &f));
  for (unsigned i = 0; i < times; i++) {
    struct event event = {.kind = kind, .principal = "line-1"};
    assert_true(ledger_add_event(batch, &event, &f));
  }
  assert_true(ledger_commit(batch, &f));
}

static int64_t find(struct ledger *ledger, const char *name)
{
  AUTO(fault) f = {0};
  int64_t last_event = -1;
  if (!ledger_find_webhook(ledger, name, NOW, &last_event, &f))
    fail_msg("%s", f.detail);
  return last_event;
}

/* --- positions --- */

static void a_new_webhook_begins_behind_the_newest_event_and_stays_where_it_was(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  assert_int_equal(find(bench->ledger, "early"), 0);
  record(bench->ledger, EVENT_ISSUED, 3);
  assert_int_equal(find(bench->ledger, "mes"), 3);
  record(bench->ledger, EVENT_ISSUED, 4);
  assert_int_equal(find(bench->ledger, "mes"), 3);
  assert_true(ledger_move_webhook(bench->ledger, "mes", 5, NOW, &f));
  bench_close(bench);
  bench_open(bench);
  assert_int_equal(find(bench->ledger, "mes"), 5);
  assert_int_equal(find(bench->ledger, "early"), 0);
}

static void a_webhook_never_goes_back(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  record(bench->ledger, EVENT_ISSUED, 3);
  assert_int_equal(find(bench->ledger, "mes"), 3);
  assert_false(ledger_move_webhook(bench->ledger, "mes", 2, NOW, &f));
  assert_int_equal(f.code, FAULT_LEDGER);
  assert_int_equal(find(bench->ledger, "mes"), 3);
}

/* --- what is behind --- */

static int64_t look(struct ledger *ledger, int64_t after_id, uint64_t kinds, unsigned limit,
                    struct event_page *ret_page)
{
  AUTO(fault) f = {0};
  int64_t seen;
  event_page_free(ret_page);
  if (!ledger_events_behind(ledger, after_id, kinds, limit, ret_page, &seen, &f))
    fail_msg("%s", f.detail);
  return seen;
}

static void events_come_in_their_order_and_of_the_kinds_that_are_wanted(void **state)
{
  struct bench *bench = *state;
  const uint64_t kinds = event_bit(EVENT_ISSUED) | event_bit(EVENT_REVOKED);
  AUTO(event_page) page = {0};
  record(bench->ledger, EVENT_ISSUED, 2);
  record(bench->ledger, EVENT_REFUSED, 3);
  record(bench->ledger, EVENT_REVOKED, 1);
  record(bench->ledger, EVENT_DENIED, 1);
  assert_int_equal(look(bench->ledger, 0, kinds, 10, &page), 7);
  assert_int_equal(page.n, 3);
  assert_false(page.more);
  static const int64_t ids[] = {1, 2, 6};
  for (size_t i = 0; i < ARRAY_LEN(ids); i++)
    assert_int_equal(page.rows[i].id, ids[i]);
  assert_string_equal(page.rows[0].kind_name, "issued");
  assert_string_equal(page.rows[2].kind_name, "revoked");
  assert_int_equal(look(bench->ledger, 7, kinds, 10, &page), 7);
  assert_int_equal(page.n, 0);
}

static void a_full_page_ends_at_its_last_event(void **state)
{
  struct bench *bench = *state;
  AUTO(event_page) page = {0};
  record(bench->ledger, EVENT_ISSUED, 5);
  assert_int_equal(look(bench->ledger, 0, event_bit(EVENT_ISSUED), 2, &page), 2);
  assert_true(page.more);
  assert_int_equal(look(bench->ledger, 2, event_bit(EVENT_ISSUED), 3, &page), 5);
  assert_int_equal(page.n, 3);
  assert_false(page.more);
}

static void what_does_not_match_is_stepped_over_in_parts(void **state)
{
  struct bench *bench = *state;
  AUTO(event_page) page = {0};
  int64_t at = 0;
  unsigned steps = 0;
  record(bench->ledger, EVENT_ISSUED, 10000);
  record(bench->ledger, EVENT_REVOKED, 1);
  do {
    int64_t seen = look(bench->ledger, at, event_bit(EVENT_REVOKED), 100, &page);
    assert_true(seen > at);
    at = seen;
    steps++;
  } while (page.more);
  assert_int_equal(at, 10001);
  assert_int_equal(page.n, 1);
  assert_in_range(steps, 2, 4);
}

static void the_newest_event_is_known_once_it_is_on_disk(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  const struct event event = {.kind = EVENT_ISSUED};
  assert_int_equal(ledger_last_event(bench->ledger), 0);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_add_event(batch, &event, &f));
  assert_int_equal(ledger_last_event(bench->ledger), 0);
  ledger_roll_back(batch);
  assert_int_equal(ledger_last_event(bench->ledger), 0);
  record(bench->ledger, EVENT_ISSUED, 2);
  assert_int_equal(ledger_last_event(bench->ledger), 2);
  bench_close(bench);
  bench_open(bench);
  assert_int_equal(ledger_last_event(bench->ledger), 2);
}

/* --- what is about to expire --- */

/* Devices W-FIRST and on, as many, that end so many days from NOW. */
static void issue(struct ledger *ledger, unsigned first, unsigned n, int64_t days)
{
  AUTO(fault) f = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  assert_true(ledger_begin(ledger, &batch, &f));
  for (unsigned i = first; i < first + n; i++) {
    AUTO(issued) row = row_of(i);
    AUTO(issued) earlier = {0};
    bool replayed;
    row.not_after = NOW + days * DAY_S;
    if (!ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f))
      fail_msg("%s", f.detail);
  }
  assert_true(ledger_commit(batch, &f));
}

/* All steps of a walk; how many were announced. */
static size_t announce(struct ledger *ledger, int64_t now, int64_t days)
{
  AUTO(fault) f = {0};
  int64_t after_id = 0;
  size_t n_all = 0, n = 0;
  bool more = true;
  while (more) {
    if (!ledger_announce_expiring(ledger, now, now + days * DAY_S, &after_id, &n, &more, &f))
      fail_msg("%s", f.detail);
    assert_true(n <= 256);
    n_all += n;
  }
  return n_all;
}

static void what_ends_within_the_time_is_announced_once(void **state)
{
  struct bench *bench = *state;
  AUTO(event_page) page = {0};
  assert_int_equal(announce(bench->ledger, NOW, 30), 0);
  issue(bench->ledger, 1, 3, 10);
  issue(bench->ledger, 4, 2, 40);
  assert_int_equal(announce(bench->ledger, NOW, 30), 3);
  assert_int_equal(announce(bench->ledger, NOW, 30), 0);
  look(bench->ledger, 0, event_bit(EVENT_EXPIRING), 100, &page);
  assert_int_equal(page.n, 3);
  assert_string_equal(page.rows[0].device_serial, "W-1");
  assert_string_equal(page.rows[0].profile, "device-server");
  assert_true(page.rows[0].has_serial_number);
  assert_int_equal(page.rows[0].not_after, NOW + 10 * DAY_S);
  /* Its time comes. */
  assert_int_equal(announce(bench->ledger, NOW + 15 * DAY_S, 30), 2);
  assert_int_equal(announce(bench->ledger, NOW + 15 * DAY_S, 30), 0);
}

static void another_time_and_another_clock_announce_nothing_twice_and_forget_nothing(void **state)
{
  struct bench *bench = *state;
  issue(bench->ledger, 1, 1, 10);
  issue(bench->ledger, 2, 1, 100);
  assert_int_equal(announce(bench->ledger, NOW, 365), 2);
  /* A shorter time; one that was issued meanwhile waits for its day. */
  issue(bench->ledger, 3, 1, 100);
  assert_int_equal(announce(bench->ledger, NOW, 30), 0);
  assert_int_equal(announce(bench->ledger, NOW + 80 * DAY_S, 30), 1);
  /* The clock was ahead; what has a short life is announced with the next look. */
  issue(bench->ledger, 4, 1, 1);
  assert_int_equal(announce(bench->ledger, NOW, 30), 1);
  assert_int_equal(announce(bench->ledger, NOW, 365), 0);
}

static void what_has_a_successor_or_is_over_is_not_announced(void **state)
{
  struct bench *bench = *state;
  issue(bench->ledger, 1, 2, 10);
  AUTO(issued) row = row_of(1);
  row.serial_number[15] = 9;
  row.spki_sha256[31] = 9;
  row.request_sha256[31] = 9;
  assert_int_equal(append(bench->ledger, &row, true).code, FAULT_NONE);
  assert_int_equal(announce(bench->ledger, NOW, 30), 1);
  issue(bench->ledger, 7, 1, 5);
  assert_int_equal(announce(bench->ledger, NOW + 6 * DAY_S, 30), 0);
}

static void many_are_announced_in_steps(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  int64_t after_id = 0;
  size_t n;
  bool more;
  issue(bench->ledger, 1, 1000, 400);
  issue(bench->ledger, 1001, 600, 20);
  assert_true(
      ledger_announce_expiring(bench->ledger, NOW, NOW + 30 * DAY_S, &after_id, &n, &more, &f));
  assert_int_equal(n, 256);
  assert_true(more);
  /* A daemon that was ended here goes on, and begins at the begin. */
  assert_int_equal(announce(bench->ledger, NOW, 30), 600 - 256);
  assert_int_equal(announce(bench->ledger, NOW, 30), 0);
}

int main(void)
{
#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      WITH_LEDGER(a_new_webhook_begins_behind_the_newest_event_and_stays_where_it_was),
      WITH_LEDGER(a_webhook_never_goes_back),
      WITH_LEDGER(events_come_in_their_order_and_of_the_kinds_that_are_wanted),
      WITH_LEDGER(a_full_page_ends_at_its_last_event),
      WITH_LEDGER(what_does_not_match_is_stepped_over_in_parts),
      WITH_LEDGER(the_newest_event_is_known_once_it_is_on_disk),
      WITH_LEDGER(what_ends_within_the_time_is_announced_once),
      WITH_LEDGER(another_time_and_another_clock_announce_nothing_twice_and_forget_nothing),
      WITH_LEDGER(what_has_a_successor_or_is_over_is_not_announced),
      WITH_LEDGER(many_are_announced_in_steps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
