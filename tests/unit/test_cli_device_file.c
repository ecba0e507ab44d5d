/* test_cli_device_file.c - files of devices, line by line. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <unistd.h>

#include "cli/device_file.h"
#include "lib/base/file.h"

static char path[64];

static struct device_file *open_file(const char *end, const char *text)
{
  AUTO(fault) f = {0};
  struct device_file *file = NULL;
  snprintf(path, sizeof path, "/tmp/mintmark-devices-%d%s", (int)getpid(), end);
  assert_true(file_write(path, bytes_of_text(text), 0600, true, &f));
  device_file_open(path, &file, &f);
  unlink(path);
  return file;
}

/* One line of what is expected: "JSON", or "! what is wrong", or "" for a line without a row. */
static void assert_lines(struct device_file *file, const char *const *expected, size_t n)
{
  AUTO(fault) f = {0};
  AUTO(device_line) line = {0};
  bool end = false;
  assert_non_null(file);
  for (size_t i = 0; i < n; i++) {
    assert_true(device_file_next(file, &line, &end, &f));
    assert_false(end);
    if (expected[i][0] == '!') {
      assert_string_equal(line.why, expected[i] + 2);
      assert_int_equal(line.json.len, 0);
    } else {
      assert_string_equal(line.why, "");
      assert_string_equal(buf_text(&line.json), expected[i]);
    }
  }
  assert_true(device_file_next(file, &line, &end, &f));
  assert_true(end);
}
#define ASSERT_LINES(file, ...)                                                                    \
  assert_lines(file, (const char *const[]){__VA_ARGS__},                                           \
               ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static void csv_becomes_json(void **state)
{
  (void)state;
  AUTO(device_file)
  file = open_file(".csv", "\xef\xbb\xbfip_sans,device_serial,model,dns_sans,secret\r\n"
                           "10.0.0.1 2001:db8::1,W-1,\"WX, \"\"4\"\"\",,\r\n"
                           "\r\n"
                           ",W-2,,a.example,hunter2hunter2\n"
                           ",W\xc3\xa9,,,");
  ASSERT_LINES(file,
               "{\"ip_sans\":[\"10.0.0.1\",\"2001:db8::1\"],\"device_serial\":\"W-1\","
               "\"model\":\"WX, \\\"4\\\"\"}",
               "",
               "{\"device_serial\":\"W-2\",\"dns_sans\":[\"a.example\"],"
               "\"secret\":\"hunter2hunter2\"}",
               "{\"device_serial\":\"W\xc3\xa9\"}");
}

static void semicolons_divide_where_there_is_no_comma(void **state)
{
  (void)state;
  AUTO(device_file) file = open_file(".CSV", "device_serial;model\nW-1;WX,4\n");
  ASSERT_LINES(file, "{\"device_serial\":\"W-1\",\"model\":\"WX,4\"}");
}

static void a_bad_line_says_what_is_wrong(void **state)
{
  (void)state;
  AUTO(device_file)
  file = open_file(".csv", "device_serial,ip_sans,secret\n"
                           ",,\n"
                           "W-1,10.0.0.256,\n"
                           "W-1,,short\n"
                           "W-1,,with:a:colon\n"
                           "W-1,\n"
                           "W-1,,,\n"
                           "\"W-1,,\n"
                           "\"W\"-1,,\n"
                           "W\xff,,\n"
                           "W\x01,,\n"
                           "0123456789012345678901234567890123456789012345678901234567890123x,,\n");
  AUTO(device_line) line = {0};
  AUTO(fault) f = {0};
  bool end = false;
  unsigned n = 0;
  assert_non_null(file);
  while (device_file_next(file, &line, &end, &f) && !end) {
    assert_int_equal(line.number, ++n + 1);
    assert_string_not_equal(line.why, "");
    assert_int_equal(line.json.len, 0);
  }
  assert_int_equal(n, 11);
}

static void a_first_line_must_name_the_columns(void **state)
{
  (void)state;
  assert_null(open_file(".csv", ""));
  assert_null(open_file(".csv", "W-1,WX-4\n"));
  assert_null(open_file(".csv", "model\nWX-4\n"));
  assert_null(open_file(".csv", "device_serial,model,device_serial\n"));
  assert_null(open_file(".txt", "device_serial\nW-1\n"));
}

static void ndjson_is_taken_as_it_is(void **state)
{
  (void)state;
  AUTO(device_file)
  file = open_file(".ndjson", "{\"device_serial\": \"W-1\", \"ip_sans\": [\"10.0.0.1\"]}\n"
                              "\n"
                              "{\"device_serial\":\"W-2\",\"colour\":\"red\"}\n"
                              "{\"model\":\"WX-4\"}\n"
                              "{\"device_serial\":\"W-2\",\"ip_sans\":\"10.0.0.1\"}\n"
                              "{\"device_serial\":\"W-2\",\"ip_sans\":[1]}\n"
                              "{\"device_serial\":2}\n"
                              "[]\n");
  ASSERT_LINES(file, "{\"device_serial\": \"W-1\", \"ip_sans\": [\"10.0.0.1\"]}", "",
               "! colour is not known here", "! device_serial is missing", "! ip_sans is no array",
               "! ip_sans has an item that is no string", "! device_serial is no string",
               "! no JSON object: another kind of value");
}

static void it_can_be_read_again(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  AUTO(device_file) file = open_file(".csv", "device_serial\nW-1\n");
  ASSERT_LINES(file, "{\"device_serial\":\"W-1\"}");
  assert_true(device_file_rewind(file, &f));
  ASSERT_LINES(file, "{\"device_serial\":\"W-1\"}");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(csv_becomes_json),
      cmocka_unit_test(semicolons_divide_where_there_is_no_comma),
      cmocka_unit_test(a_bad_line_says_what_is_wrong),
      cmocka_unit_test(a_first_line_must_name_the_columns),
      cmocka_unit_test(ndjson_is_taken_as_it_is),
      cmocka_unit_test(it_can_be_read_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
