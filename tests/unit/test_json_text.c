/* test_json_text.c - what we write as JSON, a parser reads back. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "daemon/json_text.h"

static json_t *parse(struct buf *out)
{
  json_error_t error;
  json_t *value = json_loadb((const char *)out->data, out->len,
                             JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
  if (value == NULL)
    fail_msg("%s: %s", buf_text(out), error.text);
  return value;
}

static void assert_reads_back(struct bytes text)
{
  AUTO(buf) out = {0};
  json_add_string(&out, text);
  json_t *value = parse(&out);
  assert_true(bytes_equal(text, bytes_of(json_string_value(value), json_string_length(value))));
  json_decref(value);
}

static void every_ascii_character_reads_back(void **state)
{
  (void)state;
  char text[4] = "axb";
  for (int c = 0; c < 0x80; c++) {
    text[1] = (char)c;
    assert_reads_back(bytes_of(text, 3));
    assert_reads_back(bytes_of(text + 1, 1));
  }
}

static void text_of_any_language_reads_back(void **state)
{
  (void)state;
  static const char *const texts[] = {"",     "W-1001",           "Größe",
                                      "日本", "\xf0\x9f\x94\x91", "\"",
                                      "\\\\", "\\u0000",          "CN=w\\, 1,O=\"Acme\"\n",
                                      "\x7f", "</script>"};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    assert_reads_back(bytes_of_text(texts[i]));
}

static void octets_that_are_not_utf8_do_not_break_the_document(void **state)
{
  (void)state;
  AUTO(buf) out = {0};
  json_add_string(&out, bytes_of_text("a\xff\"\xc0\xaf\n"));
  assert_string_equal(buf_text(&out), "\"a?\\\"??\\n\"");
}

static void members_and_items_are_divided_by_commas(void **state)
{
  (void)state;
  AUTO(buf) out = {0};
  buf_add_u8(&out, '{');
  json_add_member(&out, "a", bytes_of_text("[")); /* a text that ends like an open array */
  json_add_member(&out, "b", bytes_of_text("{"));
  json_add_name(&out, "c");
  buf_add_u8(&out, '[');
  for (int i = 0; i < 3; i++) {
    json_add_comma(&out);
    json_add_string(&out, bytes_of_text("x"));
  }
  buf_add_u8(&out, ']');
  json_add_number(&out, "d", INT64_MIN);
  json_add_number(&out, "e", 7);
  buf_add_u8(&out, '}');
  assert_string_equal(buf_text(&out), "{\"a\":\"[\",\"b\":\"{\",\"c\":[\"x\",\"x\",\"x\"],"
                                      "\"d\":-9223372036854775808,\"e\":7}");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_ascii_character_reads_back),
      cmocka_unit_test(text_of_any_language_reads_back),
      cmocka_unit_test(octets_that_are_not_utf8_do_not_break_the_document),
      cmocka_unit_test(members_and_items_are_divided_by_commas),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
