/* test_base64.c - base64 and base64url, there and back, and nothing in between. */
#include "tests/unit/unit.h"

#include "lib/base/base64.h"

static void the_examples_of_the_standard_hold(void **state)
{
  static const char *const cases[][3] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xff\xfe\xff", "//7/", "__7_"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) standard = {0}, url = {0}, back = {0};
    base64_add(&standard, bytes_of_text(cases[i][0]), 0);
    base64url_add(&url, bytes_of_text(cases[i][0]));
    assert_string_equal(buf_text(&standard), cases[i][1]);
    assert_string_equal(buf_text(&url), cases[i][2]);
    assert_true(base64_decode(&back, buf_bytes(&standard)));
    assert_string_equal(buf_text(&back), cases[i][0]);
    buf_clear(&back);
    assert_true(base64url_decode(&back, buf_bytes(&url)));
    assert_string_equal(buf_text(&back), cases[i][0]);
  }
}

static void lines_are_wrapped_and_read_again(void **state)
{
  (void)state;
  for (size_t len = 0; len < 200; len++) {
    AUTO(buf) octets = {0}, text = {0}, back = {0};
    for (size_t i = 0; i < len; i++)
      buf_add_u8(&octets, (uint8_t)(i * 37));
    base64_add(&text, buf_bytes(&octets), 64);
    size_t column = 0;
    for (size_t i = 0; i < text.len; i++) {
      column = text.data[i] == '\n' ? 0 : column + 1;
      assert_true(column <= 64);
    }
    assert_true(len == 0 || text.data[text.len - 1] == '\n');
    assert_true(base64_decode(&back, buf_bytes(&text)));
    assert_true(bytes_equal(buf_bytes(&back), buf_bytes(&octets)));
  }
}

static void what_is_not_base64_is_refused_and_adds_nothing(void **state)
{
  static const char *const bad[] = {
      "Z",    "Zg",       "Zg=",   "Zg===", "Zh==",  "Zm9=", "Zm8",    "=",
      "====", "Zg==Zg==", "Zg=a=", "Zm9v!", "Zm9v=", "Zm-_", "Zm9v\f", "Zm9v\v"};
  static const char *const bad_url[] = {"Z", "Zg==", "Zm9v\n", "Zh", "Zm9", "Zm/+", " Zm9v"};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    AUTO(buf) out = {0};
    buf_add_text(&out, "x");
    if (base64_decode(&out, bytes_of_text(bad[i])))
      fail_msg("%s", bad[i]);
    assert_string_equal(buf_text(&out), "x");
  }
  for (size_t i = 0; i < ARRAY_LEN(bad_url); i++) {
    AUTO(buf) out = {0};
    if (base64url_decode(&out, bytes_of_text(bad_url[i])))
      fail_msg("%s", bad_url[i]);
  }
}

/* The right text, but for one octet: in a group of its own, in the first and in the last one. */
static void one_octet_outside_the_alphabet_is_enough(void **state)
{
  static const char right[] = "Zm9vYmFyZm9v";
  (void)state;
  for (size_t at = 0; at < sizeof right - 1; at++)
    for (int c = 0; c <= UINT8_MAX; c++) {
      char text[sizeof right];
      AUTO(buf) out = {0};
      memcpy(text, right, sizeof text);
      text[at] = (char)c;
      bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      bool decoded = base64_decode(&out, bytes_of(text, sizeof right - 1));
      assert_int_equal(decoded, letter || c == '+' || c == '/');
      assert_int_equal(out.len, decoded ? 9 : 0);
      buf_clear(&out);
      decoded = base64url_decode(&out, bytes_of(text, sizeof right - 1));
      assert_int_equal(decoded, letter || c == '-' || c == '_');
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_examples_of_the_standard_hold),
      cmocka_unit_test(lines_are_wrapped_and_read_again),
      cmocka_unit_test(what_is_not_base64_is_refused_and_adds_nothing),
      cmocka_unit_test(one_octet_outside_the_alphabet_is_enough),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
