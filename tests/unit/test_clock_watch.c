/* test_clock_watch.c - a clock that is set is told from one that goes on. */
#include "tests/unit/unit.h"

#include "daemon/clock_watch.h"

static const int64_t T = 1800000000000, DAY_MS = 86400000;

static void a_clock_that_goes_on_is_no_news(void **state)
{
  (void)state;
  struct clock_watch watch;
  int64_t by_s = 7;
  clock_watch_start(&watch, T, 5000);
  for (int64_t ms = 0; ms < DAY_MS; ms += 1000)
    assert_false(clock_watch_look(&watch, T + ms, 5000 + ms, &by_s));
  assert_int_equal(by_s, 7);
}

/* 500 parts in a million are the most by which a kernel slews a clock: 43 s in a day. */
static void drift_is_none_however_long_it_lasts(void **state)
{
  (void)state;
  struct clock_watch watch;
  int64_t by_s;
  clock_watch_start(&watch, T, 0);
  for (int64_t ms = 0; ms < DAY_MS; ms += 1000)
    assert_false(clock_watch_look(&watch, T + ms - ms / 2000, ms, &by_s));
}

static void what_is_set_is_told_once(void **state)
{
  (void)state;
  struct clock_watch watch;
  int64_t by_s;
  clock_watch_start(&watch, T, 0);
  assert_true(clock_watch_look(&watch, T + 400 * DAY_MS + 1000, 1000, &by_s));
  assert_int_equal(by_s, 400 * 86400);
  assert_false(clock_watch_look(&watch, T + 400 * DAY_MS + 2000, 2000, &by_s));
  assert_true(clock_watch_look(&watch, T + 3000, 3000, &by_s));
  assert_int_equal(by_s, -400 * 86400);
  assert_false(clock_watch_look(&watch, T + 4000, 4000, &by_s));
}

static void ten_seconds_are_enough(void **state)
{
  (void)state;
  struct clock_watch watch;
  int64_t by_s;
  clock_watch_start(&watch, T, 0);
  assert_false(clock_watch_look(&watch, T + 9999, 0, &by_s));
  assert_true(clock_watch_look(&watch, T - 1, 0, &by_s));
  assert_int_equal(by_s, -10);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_clock_that_goes_on_is_no_news),
      cmocka_unit_test(drift_is_none_however_long_it_lasts),
      cmocka_unit_test(what_is_set_is_told_once),
      cmocka_unit_test(ten_seconds_are_enough),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
