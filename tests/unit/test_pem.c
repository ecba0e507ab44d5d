/* test_pem.c - PEM: what is written reads back, and nothing half right is taken. */
#include "tests/unit/unit.h"

#include "lib/pki/pem.h"

static void objects_are_read_one_after_the_other(void **state)
{
  AUTO(buf) text = {0};
  struct bytes first = bytes_of("\1\2\3", 3), label;
  uint8_t second[200];
  bool broken = true;
  (void)state;
  memset(second, 0x5a, sizeof second);
  buf_add_text(&text, "some words\nabout -----BEGIN X----- it\n");
  pem_add(&text, "CERTIFICATE", first);
  buf_add_text(&text, "and then\n");
  pem_add(&text, "X509 CRL", bytes_of(second, sizeof second));
  struct bytes rest = buf_bytes(&text);
  AUTO(buf) der = {0};
  assert_true(pem_next(&rest, &label, &der, &broken));
  assert_true(bytes_equal(label, bytes_of_text("CERTIFICATE")));
  assert_true(bytes_equal(buf_bytes(&der), first));
  buf_clear(&der);
  assert_true(pem_next(&rest, &label, &der, &broken));
  assert_true(bytes_equal(label, bytes_of_text("X509 CRL")));
  assert_true(bytes_equal(buf_bytes(&der), bytes_of(second, sizeof second)));
  assert_false(pem_next(&rest, &label, &der, &broken));
  assert_false(broken);
}

static void lines_have_64_characters(void **state)
{
  AUTO(buf) text = {0};
  uint8_t der[49] = {0};
  (void)state;
  pem_add(&text, "X", bytes_of(der, sizeof der));
  assert_string_equal(buf_text(&text),
                      "-----BEGIN X-----\n"
                      "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
                      "AA==\n"
                      "-----END X-----\n");
}

static void forms_that_others_write_are_taken(void **state)
{
  static const char *const texts[] = {
      "-----BEGIN X-----\nAQID\n-----END X-----",
      "-----BEGIN X-----\r\nAQID\r\n-----END X-----\r\n",
      "-----BEGIN X----- \t\nAQ\n ID\n\n-----END X-----  \n",
      "\n\n-----BEGIN X-----\nAQID\n-----END X-----\n",
      "words\r-----BEGIN X-----\rAQID\r-----END X-----\r",
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    AUTO(buf) der = {0};
    struct bytes rest = bytes_of_text(texts[i]), label;
    bool broken;
    assert_true(pem_next(&rest, &label, &der, &broken));
    assert_true(bytes_equal(buf_bytes(&der), bytes_of("\1\2\3", 3)));
  }
}

static void what_is_broken_is_told_from_what_is_none(void **state)
{
  static const struct {
    const char *text;
    bool broken;
  } cases[] = {
      {"", false},
      {"words", false},
      {"x-----BEGIN X-----\nAQID\n-----END X-----\n", false},
      {"-----BEGIN", false},
      {"-----BEGIN ", true},
      {"-----BEGIN X-----", true},
      {"-----BEGIN X-----\n", true},
      {"-----BEGIN X-----\nAQID\n", true},
      {"-----BEGIN X-----\nAQID\n-----END", true},
      {"-----BEGIN X-----\nAQID\n-----END X", true},
      {"-----BEGIN X-----\nAQID\n-----END Y-----\n", true},
      {"-----BEGIN X-----\nAQID\n-----END XX-----\n", true},
      {"-----BEGIN X-----\nAQID-----END X-----\n", true},
      {"-----BEGIN X-----AQID\n-----END X-----\n", true},
      {"-----BEGIN X-----\nAQID\n-----END X-----AQ\n", true},
      {"-----BEGIN -----\nAQID\n-----END -----\n", true},
      {"-----BEGIN X\n-----\nAQID\n-----END X\n-----\n", true},
      {"-----BEGIN X-----\n-----END X-----\n", true},
      {"-----BEGIN X-----\nAQI\n-----END X-----\n", true},
      {"-----BEGIN X-----\nAQ*D\n-----END X-----\n", true},
      {"-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAQID\n-----END X-----\n", true},
      {"-----BEGIN X-----\n-----BEGIN X-----\nAQID\n-----END X-----\n", true},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) der = {0};
    struct bytes text = bytes_of_text(cases[i].text), rest = text, label = {0};
    bool broken = !cases[i].broken;
    buf_add_text(&der, "before");
    if (pem_next(&rest, &label, &der, &broken) || broken != cases[i].broken)
      fail_msg("%s", cases[i].text);
    assert_true(bytes_equal(rest, text) && label.data == NULL);
    assert_string_equal(buf_text(&der), "before");
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(objects_are_read_one_after_the_other),
      cmocka_unit_test(lines_have_64_characters),
      cmocka_unit_test(forms_that_others_write_are_taken),
      cmocka_unit_test(what_is_broken_is_told_from_what_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
