/* test_authority_watch.c - an authority whose end is near is told of, once a day. */
#include "tests/unit/ledger_unit.h"

#include "daemon/authority_watch.h"
#include "lib/base/log.h"

enum { DAY_S = 86400 };
#define NOT_AFTER (INT64_C(1) * NOW + 1000 * DAY_S)

static void ninety_days_are_near(void **state)
{
  (void)state;
  int64_t near = NOT_AFTER - AUTHORITY_EXPIRING_S;
  assert_false(authority_is_expiring(AUTHORITY_ACTIVE, NOT_AFTER, near - 1));
  assert_true(authority_is_expiring(AUTHORITY_ACTIVE, NOT_AFTER, near));
  assert_true(authority_is_expiring(AUTHORITY_STANDBY, NOT_AFTER, near));
  assert_true(authority_is_expiring(AUTHORITY_ACTIVE, NOT_AFTER, NOT_AFTER + DAY_S));
  assert_false(authority_is_expiring(AUTHORITY_RETIRED, NOT_AFTER, NOT_AFTER));
}

static struct authorities *one(void)
{
  struct authority *authority = calloc(1, sizeof *authority);
  assert_non_null(authority);
  strcpy(authority->name, "issuing");
  authority->certificate.not_after = NOT_AFTER;
  struct authorities *authorities = authorities_of_one(authority);
  assert_non_null(authorities);
  return authorities;
}

static size_t events(struct ledger *ledger)
{
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  const struct event_query query = {.kind = EVENT_AUTHORITY_EXPIRING, .limit = 1000};
  assert_true(ledger_search_events(ledger, &query, &page, &f));
  for (size_t i = 0; i < page.n; i++)
    assert_string_equal(page.rows[i].about, "issuing");
  return page.n;
}

static void an_event_is_recorded_once_a_day(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct authorities *authorities = one();
  /* How many there are when it was looked at then. */
  static const struct {
    int64_t before_s; /* its end */
    size_t events;
  } looks[] = {
      {INT64_C(1) * 91 * DAY_S, 0},
      {INT64_C(1) * 90 * DAY_S, 1},
      {90 * DAY_S - 5, 1},
      {INT64_C(1) * 89 * DAY_S + 1, 1},
      {INT64_C(1) * 89 * DAY_S, 2},
      {60, 3},
      {0, 3},
      {-DAY_S, 4},
  };
  for (size_t i = 0; i < ARRAY_LEN(looks); i++) {
    assert_true(
        authority_watch_look(authorities, bench->ledger, NOT_AFTER - looks[i].before_s, &f));
    assert_int_equal(events(bench->ledger), looks[i].events);
  }
  /* A restart makes none anew. */
  bench_close(bench);
  bench_open(bench);
  assert_true(authority_watch_look(authorities, bench->ledger, NOT_AFTER + DAY_S + 60, &f));
  assert_int_equal(events(bench->ledger), 4);
  authorities_free(authorities);
}

static void what_a_wrong_clock_announced_keeps_nothing_from_it(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct authorities *authorities = one();
  int64_t near = NOT_AFTER - AUTHORITY_EXPIRING_S;
  size_t before = events(bench->ledger);
  assert_true(authority_watch_look(authorities, bench->ledger, NOT_AFTER + 9000 * DAY_S, &f));
  assert_int_equal(events(bench->ledger), before + 1);
  assert_true(authority_watch_look(authorities, bench->ledger, near + 40 * DAY_S, &f));
  assert_int_equal(events(bench->ledger), before + 2);
  assert_true(authority_watch_look(authorities, bench->ledger, near + 40 * DAY_S - 60, &f));
  assert_int_equal(events(bench->ledger), before + 2);
  authorities_free(authorities);
}

static void warnings_name_it_and_its_end(void **state)
{
  (void)state;
  AUTO(buf) early = {0}, late = {0};
  struct authorities *authorities = one();
  authority_watch_add_warnings(authorities, NOT_AFTER - INT64_C(91) * DAY_S, &early);
  assert_string_equal(buf_text(&early), "[]");
  authority_watch_add_warnings(authorities, NOT_AFTER - INT64_C(1) * DAY_S, &late);
  assert_string_equal(
      buf_text(&late),
      "[{\"name\":\"issuing\",\"why\":\"this authority expires at 2029-10-11T08:00:00Z\"}]");
  authorities_free(authorities);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ninety_days_are_near),
      cmocka_unit_test_setup_teardown(an_event_is_recorded_once_a_day, set_up_ledger, tear_down),
      cmocka_unit_test_setup_teardown(what_a_wrong_clock_announced_keeps_nothing_from_it,
                                      set_up_ledger, tear_down),
      cmocka_unit_test(warnings_name_it_and_its_end),
  };
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_ERROR, STDERR_FILENO);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
