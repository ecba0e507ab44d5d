/* test_log.c - one line for each thing that happened. */
#include "tests/unit/unit.h"

#include <unistd.h>

#include "lib/base/log.h"

/* What the last call wrote. */
static const char *written(int fd, char out[1024])
{
  ssize_t n = read(fd, out, 1023);
  out[n > 0 ? n : 0] = '\0';
  return out;
}

static void a_plain_line_has_time_level_message_and_fields(void **state)
{
  int ends[2];
  char line[1024];
  (void)state;
  assert_int_equal(pipe(ends), 0);
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO, ends[1]);
  log_say(LOG_LEVEL_INFO, "listening", LOG_TEXT("address", "::1"), LOG_NUMBER("port", -5),
          LOG_TEXT("none", NULL), LOG_TEXT("path", "a b"), LOG_TEXT("empty", ""));
  written(ends[0], line);
  assert_string_equal(line + strlen("2026-11-23T08:00:00.000Z"),
                      " info listening address=::1 port=-5 path=\"a b\" empty=\"\"\n");
  close(ends[0]);
  close(ends[1]);
}

static void a_json_line_is_json_whatever_the_peer_sent(void **state)
{
  int ends[2];
  char line[1024];
  (void)state;
  assert_int_equal(pipe(ends), 0);
  log_setup(LOG_FORMAT_JSON, LOG_LEVEL_INFO, ends[1]);
  log_say(LOG_LEVEL_ERROR, "say \"it\"", LOG_TEXT("a", "x\ny\\\xff"), LOG_NUMBER("n", 7));
  written(ends[0], line);
  assert_memory_equal(line, "{\"time\":\"", 9);
  assert_string_equal(
      strstr(line, "\",\"level\""),
      "\",\"level\":\"error\",\"message\":\"say \\\"it\\\"\",\"a\":\"x?y\\\\?\",\"n\":7}\n");
  close(ends[0]);
  close(ends[1]);
}

static void what_is_below_the_level_is_not_written(void **state)
{
  int ends[2];
  char line[1024];
  (void)state;
  assert_int_equal(pipe(ends), 0);
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_WARNING, ends[1]);
  log_say(LOG_LEVEL_INFO, "quiet", LOG_NUMBER("n", 1));
  log_say(LOG_LEVEL_WARNING, "loud", LOG_NUMBER("n", 1));
  close(ends[1]);
  assert_non_null(strstr(written(ends[0], line), " warning loud n=1\n"));
  assert_null(strstr(line, "quiet"));
  close(ends[0]);
}

static void levels_and_formats_have_names(void **state)
{
  enum log_level level;
  enum log_format format;
  (void)state;
  assert_true(log_level_named("debug", &level) && level == LOG_LEVEL_DEBUG);
  assert_true(log_level_named("error", &level) && level == LOG_LEVEL_ERROR);
  assert_false(log_level_named("loud", &level));
  assert_true(log_format_named("json", &format) && format == LOG_FORMAT_JSON);
  assert_false(log_format_named("xml", &format));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plain_line_has_time_level_message_and_fields),
      cmocka_unit_test(a_json_line_is_json_whatever_the_peer_sent),
      cmocka_unit_test(what_is_below_the_level_is_not_written),
      cmocka_unit_test(levels_and_formats_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
