/* test_query.c - a query means one thing, or is refused. */
#include "tests/unit/unit.h"

#include "daemon/query.h"

static void names_and_values_are_decoded(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  struct parameter *parameters;
  size_t n;
  assert_true(query_read(bytes_of_text("a=1&dns=w%2D1.example&x=a+b&empty=&bare&e=%C3%A9"),
                         &parameters, &n, &fault));
  static const char *const expected[][2] = {{"a", "1"},   {"dns", "w-1.example"},
                                            {"x", "a b"}, {"empty", ""},
                                            {"bare", ""}, {"e", "\xc3\xa9"}};
  assert_int_equal(n, ARRAY_LEN(expected));
  for (size_t i = 0; i < n; i++) {
    assert_string_equal(parameters[i].name, expected[i][0]);
    assert_string_equal(parameters[i].value, expected[i][1]);
  }
  query_free(parameters, n);
}

static void no_query_is_no_parameter(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  struct parameter *parameters;
  size_t n = 7;
  assert_true(query_read(bytes_of_text(""), &parameters, &n, &fault));
  assert_int_equal(n, 0);
  query_free(parameters, n);
}

static void what_is_ambiguous_is_refused(void **state)
{
  (void)state;
  static const char *const queries[] = {"a=%",   "a=%4",  "a=%zz",    "a=%00",    "%00=1",
                                        "a=%0a", "a=%7f", "a=%ff",    "a=%c0%af", "a=%ed%a0%80",
                                        "=1",    "&a=1",  "a=1&&b=2", "a=1&a=1",  "a=1&%61=2"};
  for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
    AUTO(fault) fault = {0};
    struct parameter *parameters = NULL;
    size_t n = 0;
    bool read = query_read(bytes_of_text(queries[i]), &parameters, &n, &fault);
    if (read)
      fail_msg("taken: %s", queries[i]);
    assert_int_equal(fault.code, FAULT_BAD_REQUEST);
    assert_null(parameters);
  }
}

static void too_many_parameters_are_refused(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  AUTO(buf) text = {0};
  struct parameter *parameters;
  size_t n;
  for (int i = 0; i <= QUERY_PARAMETERS_MAX; i++)
    buf_addf(&text, "%sp%d=1", i > 0 ? "&" : "", i);
  assert_false(query_read(buf_bytes(&text), &parameters, &n, &fault));
  assert_int_equal(fault.code, FAULT_BAD_REQUEST);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_and_values_are_decoded),
      cmocka_unit_test(no_query_is_no_parameter),
      cmocka_unit_test(what_is_ambiguous_is_refused),
      cmocka_unit_test(too_many_parameters_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
