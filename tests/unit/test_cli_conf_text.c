/* test_cli_conf_text.c - one value of a configuration read or replaced, the rest left alone. */
#include "tests/unit/unit.h"

#include "cli/conf_text.h"

static void a_value_is_replaced_and_the_rest_stays(void **state)
{
  static const struct {
    const char *before, *after;
  } cases[] = {
      {"a = 1\nkey = \"x\"\nb = 2\n", "a = 1\nkey = NEW\nb = 2\n"},
      {"key=old", "key = NEW"},
      {"s {\n  key = old # why\n}\n", "s {\n  key = NEW\n}\n"},
      {"# key = default\nother = 1\n", "key = NEW\nother = 1\n"},
      {"#key = default\n", "key = NEW\n"},
      {"# key = example\nkey = real\n", "# key = example\nkey = NEW\n"},
      {"keys = 1\nkey = 2\n# the key is\n", "keys = 1\nkey = NEW\n# the key is\n"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) text = {0};
    AUTO(fault) f = {0};
    buf_add_text(&text, cases[i].before);
    assert_true(conf_text_set(&text, "key", "NEW", &f));
    assert_string_equal(buf_text(&text), cases[i].after);
  }
}

static void a_line_that_is_not_there_or_not_alone_is_told(void **state)
{
  static const char *const cases[] = {
      "", "other = 1\n", "key\n", "key = 1\nkey = 2\n", "# key = 1\n# key = 2\n", "keys = 1\n"};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) text = {0};
    AUTO(fault) f = {0};
    buf_add_text(&text, cases[i]);
    assert_false(conf_text_set(&text, "key", "NEW", &f));
    assert_int_equal(f.code, FAULT_BAD_CONFIG);
    assert_non_null(strstr(f.detail, "'key'"));
    assert_string_equal(buf_text(&text), cases[i]);
  }
}

static void a_value_is_read_without_its_quotes(void **state)
{
  static const struct {
    const char *text, *value;
  } cases[] = {
      {"listen = \"127.0.0.1:8443\"\n", "127.0.0.1:8443"},
      {"listen = [::1]:1 # here", "[::1]:1"},
      {"  listen=a\r\n", "a"},
      {"x = 1\nlisten = \"a b\"", "a b"},
      {"# listen = no\nlisten = yes\n", "yes"},
      {"listen = ", ""},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) value = {0};
    assert_true(conf_text_get(bytes_of_text(cases[i].text), "listen", &value));
    assert_string_equal(buf_text(&value), cases[i].value);
  }
  AUTO(buf) none = {0};
  assert_false(conf_text_get(bytes_of_text("# listen = a\nlistening = b\n"), "listen", &none));
}

static void quotes_and_backslashes_are_escaped(void **state)
{
  AUTO(buf) out = {0};
  (void)state;
  conf_text_quote(&out, "a \"b\" \\c");
  assert_string_equal(buf_text(&out), "\"a \\\"b\\\" \\\\c\"");
}

static void a_key_is_set_within_its_section_alone(void **state)
{
  (void)state;
  AUTO(buf) text = {0};
  AUTO(fault) f = {0};
  buf_add_text(&text, "a {\n  key = 1\n}\nb {\n  key = 2\n}\n");
  assert_true(conf_text_set_within(&text, "b {", "key", "3", &f));
  assert_string_equal(buf_text(&text), "a {\n  key = 1\n}\nb {\n  key = 3\n}\n");
  assert_false(conf_text_set_within(&text, "c {", "key", "3", &f));
  assert_int_equal(f.code, FAULT_BAD_CONFIG);
}

static void a_line_is_commented_out_once(void **state)
{
  (void)state;
  AUTO(buf) text = {0};
  AUTO(fault) f = {0};
  buf_add_text(&text, "a {\n  key = 1\n}\n");
  for (int i = 0; i < 2; i++) {
    assert_true(conf_text_comment_out(&text, "key", &f));
    assert_string_equal(buf_text(&text), "a {\n  # key = 1\n}\n");
  }
  assert_false(conf_text_comment_out(&text, "other", &f));
  assert_int_equal(f.code, FAULT_BAD_CONFIG);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_value_is_replaced_and_the_rest_stays),
      cmocka_unit_test(a_line_that_is_not_there_or_not_alone_is_told),
      cmocka_unit_test(a_value_is_read_without_its_quotes),
      cmocka_unit_test(quotes_and_backslashes_are_escaped),
      cmocka_unit_test(a_key_is_set_within_its_section_alone),
      cmocka_unit_test(a_line_is_commented_out_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
