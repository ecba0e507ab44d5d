/* test_log.c - one line for each thing that happened. */
#include "tests/unit/unit.h"

#include <poll.h>
#include <pthread.h>
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

/* Gathers into a pipe. */
static void begin_to_gather(int ends[2])
{
  AUTO(fault) f = {0};
  assert_int_equal(pipe(ends), 0);
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO, ends[1]);
  assert_true(log_gather(&f));
}

static void end_pipe(const int ends[2])
{
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO, STDERR_FILENO);
  close(ends[0]);
  close(ends[1]);
}

static void a_line_that_was_gathered_comes_by_itself(void **state)
{
  int ends[2];
  char text[1024];
  (void)state;
  begin_to_gather(ends);
  for (int i = 0; i < 3; i++) {
    log_say(LOG_LEVEL_INFO, "alone", LOG_NUMBER("n", i));
    assert_int_equal(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 20000), 1);
    assert_non_null(strstr(written(ends[0], text), " info alone n="));
  }
  log_gather_end();
  end_pipe(ends);
}

static void a_warning_brings_what_waits_before_it(void **state)
{
  int ends[2];
  char text[1024];
  (void)state;
  begin_to_gather(ends);
  log_say(LOG_LEVEL_INFO, "first", LOG_NUMBER("n", 1));
  log_say(LOG_LEVEL_WARNING, "second", LOG_NUMBER("n", 2));
  close(ends[1]); /* nothing more can come */
  written(ends[0], text);
  const char *first = strstr(text, " info first n=1\n"), *second = strstr(text, " second n=2\n");
  assert_true(first != NULL && second != NULL && first < second);
  log_gather_end();
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO, STDERR_FILENO);
  close(ends[0]);
}

static void what_waits_can_be_saved(void **state)
{
  int ends[2];
  char text[1024];
  (void)state;
  begin_to_gather(ends);
  log_say(LOG_LEVEL_INFO, "last words", LOG_NUMBER("n", 1));
  log_save();
  assert_non_null(strstr(written(ends[0], text), " last words n=1\n"));
  log_gather_end();
  end_pipe(ends);
}

enum { THREADS = 4, LINES = 200 };

static void *say_many(void *context)
{
  for (int i = 0; i < LINES; i++)
    log_say(LOG_LEVEL_INFO, "many", LOG_NUMBER("n", i), LOG_TEXT("end", context));
  return NULL;
}

/* How many lines there are; each must be whole. */
static int count_lines(const char *text)
{
  int n = 0;
  for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1, n++) {
    const char *number = strstr(text, "Z info many n=");
    assert_true(number == text + strlen("2026-11-23T08:00:00.000"));
    assert_memory_equal(end - 5, "end=e", 5);
  }
  assert_int_equal(*text, '\0');
  return n;
}

static void no_line_is_lost_or_broken(void **state)
{
  int ends[2];
  pthread_t threads[THREADS];
  static char text[THREADS * LINES * 64];
  size_t len = 0;
  (void)state;
  begin_to_gather(ends);
  for (int i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, say_many, (void *)(uintptr_t) "e"), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  log_gather_end();
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_INFO, STDERR_FILENO);
  close(ends[1]);
  for (ssize_t n; (n = read(ends[0], text + len, sizeof text - 1 - len)) > 0;)
    len += (size_t)n;
  text[len] = '\0';
  assert_int_equal(count_lines(text), THREADS * LINES);
  close(ends[0]);
}

/* More than is ever gathered goes by itself, behind what waits. */
static void a_long_line_keeps_its_place(void **state)
{
  int ends[2];
  static char text[16 * 1024], detail[8 * 1024];
  (void)state;
  begin_to_gather(ends);
  memset(detail, 'x', sizeof detail - 1);
  log_say(LOG_LEVEL_INFO, "before", LOG_NUMBER("n", 1));
  log_say(LOG_LEVEL_INFO, "long", LOG_TEXT("detail", detail));
  log_say(LOG_LEVEL_INFO, "behind", LOG_NUMBER("n", 2));
  log_gather_end();
  ssize_t n = read(ends[0], text, sizeof text - 1);
  assert_true(n > 0);
  const char *before = strstr(text, " before n=1\n"), *whole = strstr(text, detail);
  const char *behind = strstr(text, " behind n=2\n");
  assert_true(before != NULL && before < whole && whole < behind);
  end_pipe(ends);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_plain_line_has_time_level_message_and_fields),
      cmocka_unit_test(a_json_line_is_json_whatever_the_peer_sent),
      cmocka_unit_test(what_is_below_the_level_is_not_written),
      cmocka_unit_test(a_line_that_was_gathered_comes_by_itself),
      cmocka_unit_test(a_warning_brings_what_waits_before_it),
      cmocka_unit_test(what_waits_can_be_saved),
      cmocka_unit_test(no_line_is_lost_or_broken),
      cmocka_unit_test(a_long_line_keeps_its_place),
      cmocka_unit_test(levels_and_formats_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
