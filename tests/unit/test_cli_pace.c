/* test_cli_pace.c - when the next certificate is asked for. */
#include "tests/unit/unit.h"

#include "cli/pace.h"
#include "lib/base/cleanup.h"

enum { DAY = 86400, ALL = 0xffffffff };

static void two_thirds_of_the_lifetime_and_a_little_more(void **state)
{
  (void)state;
  assert_int_equal(pace_due_at(0, 90, 0), 60);
  assert_int_equal(pace_due_at(1000, 1000 + 90 * DAY, 0), 1000 + 60 * DAY);
  assert_int_equal(pace_due_at(0, 60, ALL), 42);
  assert_int_equal(pace_due_at(0, 60, ALL / 2 + 1), 41);
  /* a day at the most */
  assert_in_range(pace_due_at(0, 825 * DAY, ALL), 551 * DAY - 2, 551 * DAY);
  assert_int_equal(pace_due_at(0, 825 * DAY, 0), 550 * DAY);
}

static void failures_are_waited_for_longer_each_time(void **state)
{
  static const int64_t wanted[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};
  (void)state;
  for (unsigned i = 0; i < ARRAY_LEN(wanted); i++) {
    assert_int_equal(pace_back_off(i + 1, 0), wanted[i]);
    assert_in_range(pace_back_off(i + 1, ALL), wanted[i] * 3 / 4, wanted[i] * 3 / 4 + 1);
  }
  assert_int_equal(pace_back_off(1000000, 0), 3600);
}

static void too_early_is_asked_again_within_what_is_left(void **state)
{
  (void)state;
  assert_int_equal(pace_too_early(300 * (int64_t)DAY, 0), DAY / 2);
  assert_int_equal(pace_too_early(8 * 3600, 0), 3600);
  assert_int_equal(pace_too_early(8 * 3600, ALL), 2701);
  assert_int_equal(pace_too_early(10, 0), 60);
  assert_int_equal(pace_too_early(-10, 0), 60);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_thirds_of_the_lifetime_and_a_little_more),
      cmocka_unit_test(failures_are_waited_for_longer_each_time),
      cmocka_unit_test(too_early_is_asked_again_within_what_is_left),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
