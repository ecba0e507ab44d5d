/* test_text.c - UTF-8, hexadecimal, numbers and bounded copies. */
#include "tests/unit/unit.h"

#include "lib/base/text.h"

static void utf8_is_told_from_what_is_not(void **state)
{
  static const struct {
    const char *text;
    bool good;
  } cases[] = {
      {"", true},
      {"abc", true},
      {"\xc3\xa4", true},
      {"\xe2\x82\xac", true},
      {"\xed\x9f\xbf", true},
      {"\xf0\x9f\x98\x80", true},
      {"\xf4\x8f\xbf\xbf", true},
      {"\x80", false},
      {"\xc0\x80", false},         /* overlong */
      {"\xc1\xbf", false},         /* overlong */
      {"\xe0\x80\x80", false},     /* overlong */
      {"\xf0\x80\x80\x80", false}, /* overlong */
      {"\xed\xa0\x80", false},     /* a surrogate */
      {"\xf4\x90\x80\x80", false}, /* beyond U+10FFFF */
      {"\xf5\x80\x80\x80", false},
      {"\xff", false},
      {"\xc3", false}, /* cut */
      {"\xe2\x82", false},
      {"\xf0\x9f\x98", false},
      {"\xc3(", false},
      {"\xe2\x82(", false},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    if (text_is_utf8(bytes_of_text(cases[i].text)) != cases[i].good)
      fail_msg("case %zu", i);
}

static void what_a_terminal_would_obey_becomes_a_question_mark(void **state)
{
  static const char *const cases[][2] = {
      {"plain", "plain"},
      {"a\nb\x1b[2Jc", "a?b?[2Jc"},
      {"\x7f", "?"},
      {"\xc2\x9b", "??"},
      {"\xc2\xa0", "\xc2\xa0"},
      {"\xff\xc3", "??"},
      {"\xe2\x82\xac", "\xe2\x82\xac"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    char text[32];
    strcpy(text, cases[i][0]);
    text_make_printable(text);
    assert_string_equal(text, cases[i][1]);
  }
}

static void a_token_has_its_characters_only(void **state)
{
  (void)state;
  assert_true(text_is_token(bytes_of_text("W-1001"), 6, "-"));
  assert_false(text_is_token(bytes_of_text("W-1001"), 5, "-"));
  assert_false(text_is_token(bytes_of_text("W-1001"), 6, "_"));
  assert_false(text_is_token(bytes_of_text(""), 6, "-"));
  assert_false(text_is_token(bytes_of("a\0b", 3), 6, "-"));
}

static void a_copy_fits_or_is_not_made(void **state)
{
  char to[4] = "xyz";
  (void)state;
  assert_false(TEXT_COPY(to, bytes_of_text("abcd")));
  assert_false(TEXT_COPY(to, bytes_of("a\0", 2)));
  assert_string_equal(to, "xyz");
  assert_true(TEXT_COPY(to, bytes_of_text("abc")));
  assert_string_equal(to, "abc");
  assert_true(TEXT_COPY(to, bytes_of(NULL, 0)));
  assert_string_equal(to, "");
}

static void hexadecimal_goes_there_and_back(void **state)
{
  AUTO(buf) hex = {0};
  uint8_t octets[4];
  size_t len = 9;
  (void)state;
  text_add_hex(&hex, bytes_of("\x00\xaf\x10\xff", 4));
  assert_string_equal(buf_text(&hex), "00af10ff");
  assert_true(text_unhex(bytes_of_text("00Af10fF"), octets, sizeof octets, &len));
  assert_int_equal(len, 4);
  assert_memory_equal(octets, "\x00\xaf\x10\xff", 4);
  assert_false(text_unhex(bytes_of_text("0"), octets, sizeof octets, &len));
  assert_false(text_unhex(bytes_of_text("0g"), octets, sizeof octets, &len));
  assert_false(text_unhex(bytes_of_text("0011223344"), octets, sizeof octets, &len));
}

static void numbers_have_one_form(void **state)
{
  static const char *const bad[] = {"",
                                    "00",
                                    "01",
                                    "-1",
                                    "+1",
                                    " 1",
                                    "1 ",
                                    "0x1",
                                    "1e3",
                                    "101",
                                    "18446744073709551616",
                                    "99999999999999999999"};
  uint64_t number = 7;
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    assert_false(text_to_u64(bytes_of_text(bad[i]), 100, &number));
  assert_false(text_to_u64(bytes_of_text("18446744073709551616"), UINT64_MAX, &number));
  assert_int_equal(number, 7);
  assert_true(text_to_u64(bytes_of_text("0"), 100, &number) && number == 0);
  assert_true(text_to_u64(bytes_of_text("100"), 100, &number) && number == 100);
  assert_true(text_to_u64(bytes_of_text("18446744073709551615"), UINT64_MAX, &number) &&
              number == UINT64_MAX);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(utf8_is_told_from_what_is_not),
      cmocka_unit_test(what_a_terminal_would_obey_becomes_a_question_mark),
      cmocka_unit_test(a_token_has_its_characters_only),
      cmocka_unit_test(a_copy_fits_or_is_not_made),
      cmocka_unit_test(hexadecimal_goes_there_and_back),
      cmocka_unit_test(numbers_have_one_form),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
