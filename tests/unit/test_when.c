/* test_when.c - instants, durations and the calendar. */
#include "tests/unit/unit.h"

#include <time.h>

#include "lib/base/when.h"

static void the_calendar_is_that_of_the_c_library(void **state)
{
  (void)state;
  for (int64_t t = INT64_C(-62135596800); t <= WHEN_NEVER; t += INT64_C(12345678)) {
    time_t seconds = (time_t)t;
    struct tm tm;
    int64_t back = 0;
    struct when_civil c = when_to_civil(t);
    gmtime_r(&seconds, &tm);
    assert_true(c.year == tm.tm_year + 1900 && c.month == tm.tm_mon + 1 && c.day == tm.tm_mday &&
                c.hour == tm.tm_hour && c.minute == tm.tm_min && c.second == tm.tm_sec);
    assert_true(when_from_civil(&c, &back) && back == t);
  }
}

static void an_instant_is_read_with_its_offset(void **state)
{
  static const char *const cases[][2] = {
      {"2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z"},
      {"2026-11-23t08:00:00z", "2026-11-23T08:00:00Z"},
      {"2026-11-23 08:00:00.999Z", "2026-11-23T08:00:00Z"},
      {"2026-11-23T08:00:00+02:00", "2026-11-23T06:00:00Z"},
      {"2026-12-31T23:30:00-01:30", "2027-01-01T01:00:00Z"},
      {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
      {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
      {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    int64_t instant;
    char text[WHEN_TEXT_SIZE];
    assert_true(when_read(bytes_of_text(cases[i][0]), &instant));
    when_text(text, instant);
    assert_string_equal(text, cases[i][1]);
  }
}

static void a_day_that_does_not_exist_is_refused(void **state)
{
  static const char *const bad[] = {
      "",
      "2026-11-23",
      "2026-11-23T08:00:00",
      "2026-11-23T08:00Z",
      "2026-02-29T00:00:00Z",
      "2100-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-11-23T24:00:00Z",
      "2026-11-23T08:60:00Z",
      "2026-11-23T08:00:60Z",
      "2026-11-23T08:00:00.Z",
      "2026-11-23T08:00:00+24:00",
      "2026-11-23T08:00:00+2:00",
      "2026-11-23T08:00:00Zx",
      "0000-01-01T00:00:00Z",
      "0001-01-01T00:00:00+00:01",
      "9999-12-31T23:59:59-00:01",
      "26-11-23T08:00:00Z",
  };
  int64_t instant = 5;
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    if (when_read(bytes_of_text(bad[i]), &instant))
      fail_msg("%s", bad[i]);
  assert_int_equal(instant, 5);
}

static void a_duration_has_a_number_and_a_unit(void **state)
{
  static const struct {
    const char *text;
    int64_t seconds; /* -1: refused */
  } cases[] = {{"45s", 45},
               {"30m", 1800},
               {"12h", 43200},
               {"825d", 71280000},
               {"2w", 1209600},
               {"0s", 0},
               {"", -1},
               {"d", -1},
               {"1", -1},
               {"1y", -1},
               {"-1d", -1},
               {"1.5d", -1},
               {"01d", -1},
               {"1 d", -1},
               {"1dd", -1},
               {"9999999d", -1},
               {"18446744073709551615w", -1}};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    int64_t seconds = -1;
    bool good = when_read_duration(bytes_of_text(cases[i].text), &seconds);
    if (good != (cases[i].seconds >= 0) || seconds != cases[i].seconds)
      fail_msg("%s", cases[i].text);
  }
}

static void the_clocks_go(void **state)
{
  (void)state;
  int64_t start = when_monotonic_ms(), now = when_now();
  assert_true(when_monotonic_ms() >= start);
  assert_true(now > 1700000000 && when_now_ms() / 1000 >= now);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_calendar_is_that_of_the_c_library),
      cmocka_unit_test(an_instant_is_read_with_its_offset),
      cmocka_unit_test(a_day_that_does_not_exist_is_refused),
      cmocka_unit_test(a_duration_has_a_number_and_a_unit),
      cmocka_unit_test(the_clocks_go),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
