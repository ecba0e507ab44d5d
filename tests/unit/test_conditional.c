/* test_conditional.c - conditional requests, and the dates of HTTP. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "daemon/conditional.h"
#include "lib/base/http_date.h"
#include "lib/base/when.h"

enum { CHANGED_AT = 784111777 }; /* 1994-11-06T08:49:37Z, the example of RFC 9110 */

static bool is_current(const char *none_match, const char *since)
{
  struct exchange x = {0};
  snprintf(x.if_none_match, sizeof x.if_none_match, "%s", none_match);
  snprintf(x.if_modified_since, sizeof x.if_modified_since, "%s", since);
  bool current = conditional_is_current(&x, "\"abc\"", CHANGED_AT);
  assert_int_equal(x.reply.status, current ? 304 : 0);
  assert_string_equal(x.reply.etag, "\"abc\"");
  assert_int_equal(x.reply.modified_at, CHANGED_AT);
  return current;
}

static void without_a_condition_it_is_sent(void **state)
{
  (void)state;
  assert_false(is_current("", ""));
}

static void one_of_the_tags_is_enough(void **state)
{
  (void)state;
  static const char *const hits[] = {"\"abc\"",           "W/\"abc\"",       "*",
                                     "\"x\", \"abc\"",    "\"x,y\",\"abc\"", " ,, \"abc\"",
                                     "W/\"\", W/\"abc\"", "\"abc\", rubbish"};
  static const char *const misses[] = {
      "\"abcd\"",         "\"ab\"",   "abc",  "\"ABC\"", "\"abc",    "**",
      "rubbish, \"abc\"", "W\"abc\"", "\"\"", ",",       "w/\"abc\""};
  for (size_t i = 0; i < ARRAY_LEN(hits); i++)
    if (!is_current(hits[i], ""))
      fail_msg("not seen: %s", hits[i]);
  for (size_t i = 0; i < ARRAY_LEN(misses); i++)
    if (is_current(misses[i], ""))
      fail_msg("taken for it: %s", misses[i]);
}

static void the_date_counts_when_there_is_no_tag(void **state)
{
  (void)state;
  assert_true(is_current("", "Sun, 06 Nov 1994 08:49:37 GMT"));
  assert_true(is_current("", "Sun, 06 Nov 1994 08:49:38 GMT"));
  assert_false(is_current("", "Sun, 06 Nov 1994 08:49:36 GMT"));
  assert_false(is_current("\"x\"", "Sun, 06 Nov 1994 08:49:38 GMT"));
  assert_true(is_current("\"abc\"", "Sun, 06 Nov 1994 08:49:36 GMT"));
}

static void dates_are_written_as_http_wants_them(void **state)
{
  (void)state;
  static const struct {
    int64_t instant;
    const char *text;
  } rows[] = {{CHANGED_AT, "Sun, 06 Nov 1994 08:49:37 GMT"},
              {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
              {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
              {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
              {WHEN_NEVER, "Fri, 31 Dec 9999 23:59:59 GMT"}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    char text[HTTP_DATE_SIZE];
    int64_t instant = 1;
    http_date_text(text, rows[i].instant);
    assert_string_equal(text, rows[i].text);
    assert_true(http_date_read(text, &instant));
    assert_int_equal(instant, rows[i].instant);
  }
}

static void what_is_no_such_date_is_not_read(void **state)
{
  (void)state;
  static const char *const texts[] = {"",
                                      "Mon, 06 Nov 1994 08:49:37 GMT",
                                      "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 1994",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 6 Nov 1994 08:49:37 GMT ",
                                      "Sun,  6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 31 Feb 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 25:49:37 GMT",
                                      "Sun, -6 Nov 1994 08:49:37 GMT"};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    int64_t instant;
    if (http_date_read(texts[i], &instant))
      fail_msg("read: %s", texts[i]);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_condition_it_is_sent),
      cmocka_unit_test(one_of_the_tags_is_enough),
      cmocka_unit_test(the_date_counts_when_there_is_no_tag),
      cmocka_unit_test(dates_are_written_as_http_wants_them),
      cmocka_unit_test(what_is_no_such_date_is_not_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
