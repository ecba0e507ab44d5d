/* test_der.c - the DER reader takes each value in its one encoding; the writer makes that one. */
#include "tests/unit/unit.h"

#include <openssl/asn1.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/der.h"

/* Hexadecimal with spaces, into memory of exactly that length, so that a sanitizer sees one octet
 * too many being read. */
static struct bytes unhex(const char *hex, uint8_t **ret_memory)
{
  char digits[1200];
  size_t n = 0, len = 0;
  for (; *hex != '\0'; hex++)
    if (*hex != ' ')
      digits[n++] = *hex;
  uint8_t *memory = malloc(n / 2);
  assert_true(memory != NULL || n == 0);
  assert_true(text_unhex(bytes_of(digits, n), memory, n / 2, &len));
  *ret_memory = memory;
  return bytes_of(memory, len);
}

typedef bool take_fn(struct der *d);

static bool take_next(struct der *d)
{
  struct der_value value;
  return der_next(d, &value);
}

static bool take_bool(struct der *d)
{
  bool value;
  return der_take_bool(d, &value);
}

static bool take_number(struct der *d)
{
  int64_t number;
  return der_take_number(d, &number);
}

static bool take_unsigned(struct der *d)
{
  struct bytes magnitude;
  return der_take_unsigned(d, &magnitude);
}

static bool take_bits(struct der *d)
{
  struct bytes octets;
  uint8_t unused;
  return der_take_bits(d, &octets, &unused);
}

static bool take_bit_octets(struct der *d)
{
  struct bytes octets;
  return der_take_bit_octets(d, &octets);
}

static bool take_named_bits(struct der *d)
{
  uint32_t bits;
  return der_take_named_bits(d, &bits);
}

static bool take_time(struct der *d)
{
  int64_t instant;
  return der_take_time(d, &instant);
}

static bool enter_sequence(struct der *d)
{
  struct der inner;
  return der_enter(d, DER_SEQUENCE, &inner);
}

/* Each is refused, and the reader stays where it was. */
static void what_is_not_der_is_refused_and_not_stepped_over(void **state)
{
  static const struct {
    take_fn *take;
    const char *hex;
  } cases[] = {
      {take_next, ""},
      {take_next, "30"},
      {take_next, "30 80 00 00"},          /* indefinite */
      {take_next, "30 81"},                /* the length is cut off */
      {take_next, "30 81 7f"},             /* longer than it must be */
      {take_next, "30 81 00"},             /* and again */
      {take_next, "30 82 00 80"},          /* a leading zero */
      {take_next, "30 82 01"},             /* cut off */
      {take_next, "30 01"},                /* no content */
      {take_next, "30 81 80 00"},          /* too little content */
      {take_next, "30 84 ff ff ff ff 00"}, /* far too little */
      {take_next, "30 85 01 00 00 00 00 00"},
      {take_next, "30 88 ff ff ff ff ff ff ff ff"},
      {take_next, "30 ff 00"}, /* reserved */
      {take_next, "1f 01 00"}, /* tags of several octets */
      {take_next, "3f 81 01 00"},
      {take_next, "bf 20 00"},
      {take_next, "00 00"}, /* end of contents */
      {enter_sequence, "31 00"},
      {enter_sequence, "10 00"},
      {enter_sequence, "30 02 00"},
      {take_bool, "01 00"},
      {take_bool, "01 01 01"},
      {take_bool, "01 01 fe"},
      {take_bool, "01 02 00 00"},
      {take_bool, "02 01 00"},
      {take_number, "02 00"},
      {take_number, "02 01 80"},    /* negative */
      {take_number, "02 02 00 7f"}, /* a zero too many */
      {take_number, "02 02 00 00"},
      {take_number, "02 09 00 80 00 00 00 00 00 00 00"}, /* 64 bits */
      {take_number, "02 09 01 00 00 00 00 00 00 00 00"},
      {take_number, "0a 01 00"},
      {take_unsigned, "02 00"},
      {take_unsigned, "02 01 ff"},
      {take_unsigned, "02 02 ff 7f"},
      {take_unsigned, "02 03 00 00 80"},
      {take_bits, "03 00"},
      {take_bits, "03 01 01"},    /* unused bits of nothing */
      {take_bits, "03 02 08 00"}, /* more than 7 */
      {take_bits, "03 02 01 01"}, /* an unused bit that is set */
      {take_bits, "03 02 07 40"},
      {take_bits, "23 04 03 02 00 00"}, /* constructed */
      {take_bit_octets, "03 02 01 02"},
      {take_named_bits, "03 02 00 00"}, /* trailing zeros */
      {take_named_bits, "03 02 00 02"},
      {take_named_bits, "03 02 06 80"},
      {take_named_bits, "03 03 07 80 00"},
      {take_named_bits, "03 06 00 80 00 00 00 01"}, /* more than 32 */
      {take_time, ""},
      {take_time, "17 00"},
      {take_time, "17 0b 3236313132333038303030305a"},         /* YYMMDDHHMMZ and a cut */
      {take_time, "17 0d 3236313132333038303030302b"},         /* + for Z */
      {take_time, "17 0d 3236313332333038303030305a"},         /* month 13 */
      {take_time, "17 0d 3236303232393038303030305a"},         /* 29 February 2026 */
      {take_time, "17 0d 3236313132333234303030305a"},         /* 24 o'clock */
      {take_time, "17 0d 3236313132333038303036305a"},         /* second 60 */
      {take_time, "17 0d 3236313132333038303020305a"},         /* a space */
      {take_time, "18 0f 32303236313132333038303030305a"},     /* 2026 is UTCTime's */
      {take_time, "18 0f 32303439313233313233353935395a"},     /* 2049 too */
      {take_time, "18 11 32303530303130313030303030302e305a"}, /* a fraction */
      {take_time, "18 0e 323035303031303130303030303020"},     /* no Z */
      {take_time, "16 0d 3236313132333038303030305a"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    uint8_t *memory;
    struct bytes octets = unhex(cases[i].hex, &memory);
    struct der d = der_of(octets);
    if (cases[i].take(&d))
      fail_msg("case %zu: %s was taken", i, cases[i].hex);
    assert_ptr_equal(d.p, octets.data);
    free(memory);
  }
}

static void what_is_der_is_taken_whole(void **state)
{
  static const struct {
    take_fn *take;
    const char *hex;
  } cases[] = {
      {take_next, "30 00"},
      {take_next, "a0 02 05 00"},
      {enter_sequence, "30 02 05 00"},
      {take_bool, "01 01 00"},
      {take_bool, "01 01 ff"},
      {take_number, "02 01 00"},
      {take_number, "02 08 7f ff ff ff ff ff ff ff"},
      {take_unsigned, "02 01 00"},
      {take_unsigned, "02 02 00 80"},
      {take_bits, "03 01 00"},
      {take_bits, "03 02 07 80"},
      {take_bit_octets, "03 02 00 01"},
      {take_bit_octets, "03 01 00"},
      {take_named_bits, "03 01 00"},
      {take_named_bits, "03 02 07 80"},
      {take_named_bits, "03 05 00 00 00 00 01"},
      {take_time, "17 0d 3439313233313233353935395a"},
      {take_time, "18 0f 39393939313233313233353935395a"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    uint8_t *memory;
    struct bytes octets = unhex(cases[i].hex, &memory);
    struct der d = der_of(octets);
    if (!cases[i].take(&d) || !der_at_end(&d))
      fail_msg("%s was not taken", cases[i].hex);
    for (size_t len = 0; len < octets.len; len++) {
      struct der cut = der_of(bytes_of(octets.data, len));
      assert_false(cases[i].take(&cut));
    }
    free(memory);
  }
}

static void lengths_of_every_size_go_there_and_back(void **state)
{
  static const size_t lengths[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 70000};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
    AUTO(buf) content = {0}, put = {0}, begun = {0};
    struct bytes back;
    for (size_t k = 0; k < lengths[i]; k++)
      buf_add_u8(&content, (uint8_t)k);
    der_put(&put, DER_OCTET_STRING, buf_bytes(&content));
    size_t mark = der_begin(&begun, DER_OCTET_STRING);
    buf_add_bytes(&begun, buf_bytes(&content));
    der_end(&begun, mark);
    assert_true(bytes_equal(buf_bytes(&put), buf_bytes(&begun)));
    struct der d = der_of(buf_bytes(&put));
    assert_true(der_take(&d, DER_OCTET_STRING, &back) && der_at_end(&d));
    assert_true(bytes_equal(back, buf_bytes(&content)));
    d = der_of(buf_bytes(&put));
    assert_true(der_take_whole(&d, DER_OCTET_STRING, &back));
    assert_true(bytes_equal(back, buf_bytes(&put)));
    d = der_of(bytes_of(put.data, put.len - 1));
    assert_false(der_take(&d, DER_OCTET_STRING, &back));
  }
}

static void nested_values_grow_their_lengths(void **state)
{
  AUTO(buf) out = {0};
  size_t marks[8], depth = 0;
  (void)state;
  for (; depth < ARRAY_LEN(marks); depth++) {
    marks[depth] = der_begin(&out, DER_SEQUENCE);
    for (int i = 0; i < 100; i++)
      der_put_number(&out, 1);
  }
  while (depth-- > 0)
    der_end(&out, marks[depth]);
  assert_true(der_is_well_formed(buf_bytes(&out)));
  struct der d = der_of(buf_bytes(&out)), inner;
  while (der_enter(&d, DER_SEQUENCE, &inner)) {
    int64_t number;
    assert_true(der_at_end(&d));
    for (int i = 0; i < 100; i++)
      assert_true(der_take_number(&inner, &number) && number == 1);
    d = inner;
  }
  assert_true(der_at_end(&d));
}

static void numbers_are_written_as_openssl_reads_them(void **state)
{
  static const uint64_t numbers[] = {
      0, 1, 127, 128, 255, 256, 32767, 32768, UINT32_MAX, INT64_MAX, 65537, UINT64_MAX, 1ull << 63};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
    AUTO(buf) out = {0};
    uint64_t theirs = 0;
    int64_t ours;
    der_put_number(&out, numbers[i]);
    const uint8_t *p = out.data;
    ASN1_INTEGER *integer = d2i_ASN1_INTEGER(NULL, &p, (long)out.len);
    assert_non_null(integer);
    assert_int_equal(ASN1_INTEGER_get_uint64(&theirs, integer), 1);
    assert_true(theirs == numbers[i] && p == out.data + out.len);
    uint8_t *again = NULL;
    int len = i2d_ASN1_INTEGER(integer, &again);
    assert_true(bytes_equal(buf_bytes(&out), bytes_of(again, (size_t)len)));
    OPENSSL_free(again);
    ASN1_INTEGER_free(integer);
    struct der d = der_of(buf_bytes(&out));
    assert_int_equal(der_take_number(&d, &ours), numbers[i] <= INT64_MAX);
    if (numbers[i] <= INT64_MAX)
      assert_true((uint64_t)ours == numbers[i]);
  }
}

static void magnitudes_lose_their_leading_zeros(void **state)
{
  static const struct {
    const char *magnitude, *der;
  } cases[] = {{"", "020100"},     {"00", "020100"},       {"0000", "020100"},  {"0001", "020101"},
               {"80", "02020080"}, {"000080", "02020080"}, {"7fff", "02027fff"}};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) out = {0}, hex = {0};
    uint8_t *memory;
    der_put_unsigned(&out, unhex(cases[i].magnitude, &memory));
    text_add_hex(&hex, buf_bytes(&out));
    assert_string_equal(buf_text(&hex), cases[i].der);
    free(memory);
  }
}

static void bits_and_truths_go_there_and_back(void **state)
{
  static const uint32_t sets[] = {0, 1, 2, 5, 0x60, 0x80, 0x100, 0x80000000, UINT32_MAX};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
    AUTO(buf) out = {0};
    uint32_t back = ~sets[i];
    der_put_named_bits(&out, sets[i]);
    struct der d = der_of(buf_bytes(&out));
    assert_true(der_take_named_bits(&d, &back) && back == sets[i]);
  }
  for (int i = 0; i < 2; i++) {
    AUTO(buf) out = {0};
    bool back = i == 0;
    der_put_bool(&out, i == 1);
    struct der d = der_of(buf_bytes(&out));
    assert_true(der_take_bool(&d, &back) && back == (i == 1));
  }
}

static void times_change_their_type_in_2050(void **state)
{
  static const struct {
    const char *text;
    uint8_t tag;
  } times[] = {
      {"1950-01-01T00:00:00Z", DER_UTC_TIME},
      {"1999-12-31T23:59:59Z", DER_UTC_TIME},
      {"2000-02-29T12:00:00Z", DER_UTC_TIME},
      {"2026-11-23T08:00:00Z", DER_UTC_TIME},
      {"2049-12-31T23:59:59Z", DER_UTC_TIME},
      {"2050-01-01T00:00:00Z", DER_GENERALIZED_TIME},
      {"9999-12-31T23:59:59Z", DER_GENERALIZED_TIME},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(times); i++) {
    AUTO(buf) out = {0};
    int64_t instant, back = -1;
    assert_true(when_read(bytes_of_text(times[i].text), &instant));
    der_put_time(&out, instant);
    assert_int_equal(out.data[0], times[i].tag);
    struct der d = der_of(buf_bytes(&out));
    assert_true(der_take_time(&d, &back) && der_at_end(&d) && back == instant);
  }
}

static void object_identifiers_go_there_and_back(void **state)
{
  static const struct {
    const char *text, *hex;
  } good[] = {{"0.0", "00"},
              {"1.39", "4f"},
              {"2.0", "50"},
              {"2.39", "77"},
              {"2.40", "78"},
              {"2.47", "7f"},
              {"2.48", "8100"},
              {"2.999", "8837"},
              {"1.2.840.113549", "2a864886f70d"},
              {"1.2.72057594037927936", "2a818080808080808000"}};
  static const char *const bad[] = {
      "",      "1",    "1.",   ".1",   "1..2", "3.1",    "1.40", "0.40",
      "1.2.x", "1 .2", "01.2", "1.02", "-1.2", "1.2.-3", "1.2 ", "1.2.72057594037927937"};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(good); i++) {
    AUTO(buf) oid = {0}, hex = {0}, text = {0};
    assert_true(der_oid_read(bytes_of_text(good[i].text), &oid));
    assert_true(der_oid_is_valid(buf_bytes(&oid)));
    text_add_hex(&hex, buf_bytes(&oid));
    assert_string_equal(buf_text(&hex), good[i].hex);
    der_oid_text(buf_bytes(&oid), &text);
    assert_string_equal(buf_text(&text), good[i].text);
  }
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    AUTO(buf) oid = {0};
    buf_add_u8(&oid, 7);
    assert_false(der_oid_read(bytes_of_text(bad[i]), &oid));
    assert_int_equal(oid.len, 1);
  }
}

static void a_malformed_object_identifier_is_seen(void **state)
{
  static const struct {
    const char *hex;
    bool valid;
  } cases[] = {{"", false},      {"80", false},     {"8001", false},
               {"2a80", false},  {"2a8001", false}, {"2a8180", false},
               {"2a8100", true}, {"2a", true},      {"2aff7f", true}};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    uint8_t *memory;
    assert_int_equal(der_oid_is_valid(unhex(cases[i].hex, &memory)), cases[i].valid);
    free(memory);
  }
}

static void an_arc_beyond_64_bits_is_not_shown_as_another(void **state)
{
  AUTO(buf) text = {0};
  uint8_t *memory;
  (void)state;
  /* 2.25.(2^70 + 1), which is 2.25.1 modulo 2^64 or 2^70. */
  der_oid_text(unhex("69 81 80 80 80 80 80 80 80 80 80 01", &memory), &text);
  assert_string_equal(buf_text(&text), "2.25.0x0100000000000000000001");
  free(memory);
}

static void what_is_stepped_over_is_der_all_the_way_down(void **state)
{
  static const struct {
    const char *hex;
    bool good;
  } cases[] = {
      {"0500", true},
      {"30 05 02 01 05 05 00", true},
      {"31 04 0c 02 c3 a4", true},
      {"a0 03 01 01 ff", true},
      {"80 02 ff ff", true}, /* who knows what a context tag means */
      {"02 01 ff", true},
      {"02 02 ff 7f", true},
      {"30 80 00 00", false},
      {"30 02 05 00 00", false},
      {"30 02 05 01", false},
      {"30 03 05 01 00", false},
      {"30 01 05", false},
      {"30 03 01 01 01", false},
      {"a0 03 01 01 01", false},
      {"02 00", false},
      {"02 02 00 7f", false},
      {"02 02 ff 80", false},
      {"0c 01 ff", false},
      {"1e 01 61", false},
      {"1c 02 00 61", false},
      {"06 00", false},
      {"03 00", false},
      {"03 02 01 01", false},
      {"24 03 04 01 00", false}, /* constructed strings are BER's */
      {"10 00", false},
      {"11 00", false},
      {"", false},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    uint8_t *memory;
    if (der_is_well_formed(unhex(cases[i].hex, &memory)) != cases[i].good)
      fail_msg("%s", cases[i].hex);
    free(memory);
  }
}

static void nesting_is_bounded(void **state)
{
  (void)state;
  for (size_t depth = 1; depth < 40; depth++) {
    AUTO(buf) out = {0};
    size_t marks[40];
    for (size_t i = 0; i < depth; i++)
      marks[i] = der_begin(&out, DER_SEQUENCE);
    for (size_t i = depth; i-- > 0;)
      der_end(&out, marks[i]);
    assert_int_equal(der_is_well_formed(buf_bytes(&out)), depth < 16);
  }
}

static void a_set_has_one_order(void **state)
{
  static const struct {
    const char *before, *after;
    bool good;
  } cases[] = {{"", "01", true},     {"01", "01", true},    {"01", "02", true},
               {"02", "01", false},  {"0100", "01", false}, {"01", "0100", true},
               {"01ff", "02", true}, {"02", "01ff", false}};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    uint8_t *a, *b;
    struct bytes before = unhex(cases[i].before, &a), after = unhex(cases[i].after, &b);
    assert_int_equal(der_is_ascending(before, after), cases[i].good);
    free(a);
    free(b);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_not_der_is_refused_and_not_stepped_over),
      cmocka_unit_test(what_is_der_is_taken_whole),
      cmocka_unit_test(lengths_of_every_size_go_there_and_back),
      cmocka_unit_test(nested_values_grow_their_lengths),
      cmocka_unit_test(numbers_are_written_as_openssl_reads_them),
      cmocka_unit_test(magnitudes_lose_their_leading_zeros),
      cmocka_unit_test(bits_and_truths_go_there_and_back),
      cmocka_unit_test(times_change_their_type_in_2050),
      cmocka_unit_test(object_identifiers_go_there_and_back),
      cmocka_unit_test(a_malformed_object_identifier_is_seen),
      cmocka_unit_test(an_arc_beyond_64_bits_is_not_shown_as_another),
      cmocka_unit_test(what_is_stepped_over_is_der_all_the_way_down),
      cmocka_unit_test(nesting_is_bounded),
      cmocka_unit_test(a_set_has_one_order),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
