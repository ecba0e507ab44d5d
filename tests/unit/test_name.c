/* test_name.c - distinguished names: what is written, what is refused, what a person sees. */
#include "tests/unit/unit.h"

#include "lib/base/text.h"
#include "lib/pki/name.h"

static bool write_one(enum attribute attribute, struct bytes value, struct buf *out,
                      struct fault *f)
{
  return name_write(&(struct name_part){attribute, value}, 1, out, f);
}

static void a_name_is_written_in_order_and_read_in_reverse(void **state)
{
  AUTO(buf) der = {0}, text = {0};
  AUTO(fault) f = {0};
  struct name_part parts[] = {
      {ATTR_COUNTRY, bytes_of_text("DE")},
      {ATTR_STATE, bytes_of_text("Bayern")},
      {ATTR_LOCALITY, bytes_of_text("M\xc3\xbcnchen")},
      {ATTR_ORGANIZATION, bytes_of_text("Acme, Widgets")},
      {ATTR_ORGANIZATION_UNIT, bytes_of_text("#3 ")},
      {ATTR_SERIAL_NUMBER, bytes_of_text("W-1001")},
      {ATTR_COMMON_NAME, bytes_of_text("w-1001")},
  };
  (void)state;
  assert_true(name_write(parts, ARRAY_LEN(parts), &der, &f));
  assert_true(name_is_valid(buf_bytes(&der)));
  assert_false(name_is_empty(buf_bytes(&der)));
  name_text(buf_bytes(&der), &text);
  assert_string_equal(buf_text(&text), "CN=w-1001,serialNumber=W-1001,OU=\\#3\\ ,O=Acme\\, "
                                       "Widgets,L=M\xc3\xbcnchen,ST=Bayern,C=DE");
}

static void string_types_are_as_the_standard_asks(void **state)
{
  AUTO(buf) cn = {0}, serial = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_true(write_one(ATTR_COMMON_NAME, bytes_of_text("a"), &cn, &f));
  assert_true(write_one(ATTR_SERIAL_NUMBER, bytes_of_text("a"), &serial, &f));
  static const uint8_t expected_cn[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06,
                                        0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'a'};
  static const uint8_t expected_serial[] = {0x30, 0x0c, 0x31, 0x0a, 0x30, 0x08, 0x06,
                                            0x03, 0x55, 0x04, 0x05, 0x13, 0x01, 'a'};
  assert_true(bytes_equal(buf_bytes(&cn), bytes_of(expected_cn, sizeof expected_cn)));
  assert_true(bytes_equal(buf_bytes(&serial), bytes_of(expected_serial, sizeof expected_serial)));
}

static void a_value_that_breaks_a_bound_is_refused_and_nothing_is_written(void **state)
{
  char a64[64], a65[65], umlauts[128], a129[129];
  struct {
    enum attribute attribute;
    struct bytes value;
    bool good;
  } cases[] = {
      {ATTR_COMMON_NAME, bytes_of(a64, sizeof a64), true},
      {ATTR_COMMON_NAME, bytes_of(a65, sizeof a65), false},
      {ATTR_COMMON_NAME, bytes_of(umlauts, sizeof umlauts), true},
      {ATTR_COMMON_NAME, bytes_of("", 0), false},
      {ATTR_COMMON_NAME, bytes_of("a\0b", 3), false},
      {ATTR_COMMON_NAME, bytes_of("a\nb", 3), false},
      {ATTR_COMMON_NAME, bytes_of("a\xff", 2), false},
      {ATTR_SERIAL_NUMBER, bytes_of(a64, sizeof a64), true},
      {ATTR_SERIAL_NUMBER, bytes_of(a65, sizeof a65), false},
      {ATTR_SERIAL_NUMBER, bytes_of_text("W_1"), false},
      {ATTR_SERIAL_NUMBER, bytes_of_text("\xc3\xa4"), false},
      {ATTR_SERIAL_NUMBER, bytes_of_text("W-1 (a)'+,./:=?"), true},
      {ATTR_COUNTRY, bytes_of_text("D"), false},
      {ATTR_COUNTRY, bytes_of_text("DEU"), false},
      {ATTR_COUNTRY, bytes_of_text("de"), false},
      {ATTR_LOCALITY, bytes_of(umlauts, sizeof umlauts), true},
      {ATTR_STATE, bytes_of(a129, sizeof a129), false},
      {ATTR_ORGANIZATION, bytes_of(a65, sizeof a65), false},
  };
  (void)state;
  memset(a64, 'a', sizeof a64);
  memset(a65, 'a', sizeof a65);
  memset(a129, 'a', sizeof a129);
  for (size_t i = 0; i < sizeof umlauts; i += 2)
    memcpy(umlauts + i, "\xc3\xa4", 2);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) der = {0};
    AUTO(fault) f = {0};
    buf_add_text(&der, "x");
    bool good = write_one(cases[i].attribute, cases[i].value, &der, &f);
    if (good != cases[i].good)
      fail_msg("case %zu: %s", i, f.detail);
    assert_int_equal(f.code, good ? FAULT_NONE : FAULT_BAD_SUBJECT);
    if (good)
      assert_true(name_is_valid(bytes_of(der.data + 1, der.len - 1)));
    else
      assert_int_equal(der.len, 1);
  }
}

static bool valid(const char *hex)
{
  uint8_t der[300];
  size_t len;
  assert_true(text_unhex(bytes_of_text(hex), der, sizeof der, &len));
  return name_is_valid(bytes_of(der, len));
}

static void a_foreign_name_is_read_strictly(void **state)
{
  (void)state;
  assert_true(valid("3000"));
  assert_true(valid("300c310a300806035504030c0161"));
  assert_true(valid("300c310a30080603550403130161"));
  assert_true(valid("300d310b300906035504031e020061")); /* BMPString */
  assert_false(valid(""));
  assert_false(valid("300000"));
  assert_false(valid("3100"));
  assert_false(valid("30023100"));                       /* an empty RDN */
  assert_false(valid("300431023000"));                   /* an empty pair */
  assert_false(valid("300c310a300806035504030c02"));     /* cut */
  assert_false(valid("300b3109300706035504030c00"));     /* an empty value */
  assert_false(valid("300c310a300806035504030c01ff"));   /* not UTF-8 */
  assert_false(valid("300c310a3008060355040313015f"));   /* not of a PrintableString */
  assert_false(valid("300c310a300806035504031601e4"));   /* not ASCII */
  assert_false(valid("300d310b300906035504031e02d800")); /* a surrogate */
  assert_false(valid("300c310a300806035504031e0161"));   /* half a character */
  assert_false(valid("300c310a30080603550403020161"));   /* an INTEGER */
  assert_false(valid("300c310a300806035580030c0161"));   /* an OID that is none */
}

static void a_set_of_pairs_is_sorted(void **state)
{
  (void)state;
  assert_true(valid("30163114300806035504030c0161300806035504050c0162"));
  assert_false(valid("30163114300806035504050c0162300806035504030c0161"));
}

static void text_for_a_person_cannot_be_forged(void **state)
{
  static const struct {
    const char *hex, *text;
  } cases[] = {
      {"3000", ""},
      {"300f310d300b06035504030c04612c0a3d", "CN=a\\,\\0A="},
      {"300e310c300a06042a0304050c020022", "1.2.3.4.5=\\00\\\""},
      {"300d310b300906035504031e020061", "CN=#1e020061"},
      {"30163114300806035504030c0161300806035504050c0162", "CN=a+serialNumber=b"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) text = {0};
    uint8_t der[100];
    size_t len;
    assert_true(text_unhex(bytes_of_text(cases[i].hex), der, sizeof der, &len));
    name_text(bytes_of(der, len), &text);
    assert_string_equal(buf_text(&text), cases[i].text);
  }
}

static void attributes_have_one_name_each(void **state)
{
  (void)state;
  for (int i = 0; i < ATTRIBUTE_COUNT; i++) {
    enum attribute found = ATTRIBUTE_COUNT;
    assert_true(attribute_named(bytes_of_text(attribute_name((enum attribute)i)), &found));
    assert_int_equal(found, i);
  }
  enum attribute none;
  assert_false(attribute_named(bytes_of_text("cn"), &none));
  assert_false(attribute_named(bytes_of_text(""), &none));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_is_written_in_order_and_read_in_reverse),
      cmocka_unit_test(string_types_are_as_the_standard_asks),
      cmocka_unit_test(a_value_that_breaks_a_bound_is_refused_and_nothing_is_written),
      cmocka_unit_test(a_foreign_name_is_read_strictly),
      cmocka_unit_test(a_set_of_pairs_is_sorted),
      cmocka_unit_test(text_for_a_person_cannot_be_forged),
      cmocka_unit_test(attributes_have_one_name_each),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
