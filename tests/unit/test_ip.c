/* test_ip.c - addresses and ranges. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/ip.h"

static void an_address_is_read_into_its_normal_form(void **state)
{
  static const char *const cases[][2] = {
      {"10.1.1.68", "10.1.1.68"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
      {"2001:db8:0:1:0:0:0:1", "2001:db8:0:1::1"},
      {"::", "::"},
      {"::1", "::1"},
      {"fe80::1", "fe80::1"},
      {"::ffff:10.1.1.68", "::ffff:10.1.1.68"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct ip ip, again;
    char text[IP_TEXT_SIZE];
    assert_true(ip_read(bytes_of_text(cases[i][0]), &ip));
    ip_text(&ip, text);
    assert_string_equal(text, cases[i][1]);
    assert_true(ip_from_octets(bytes_of(ip.octets, ip.len), &again));
    assert_memory_equal(&ip, &again, sizeof ip);
    assert_int_equal(ip_is_v4_mapped(&ip), strncmp(text, "::ffff:", 7) == 0);
  }
}

static void every_octet_has_its_decimal_number(void **state)
{
  (void)state;
  for (unsigned i = 0; i <= UINT8_MAX; i++) {
    struct ip ip = {.octets = {(uint8_t)i, (uint8_t)(255 - i), 0, (uint8_t)i}, .len = 4};
    char text[IP_TEXT_SIZE], right[IP_TEXT_SIZE];
    snprintf(right, sizeof right, "%u.%u.0.%u", i, 255 - i, i);
    ip_text(&ip, text);
    assert_string_equal(text, right);
  }
}

static void what_only_resembles_an_address_is_refused(void **state)
{
  static const char *const bad[] = {
      "",           "10",         "10.1",      "10.1.1",    "10.1.1.1.1",        "10.1.1.256",
      "10.1.1.01",  "0x0a.1.1.1", "10.1.1.1 ", " 10.1.1.1", "10.1.1.-1",         "1::2::3",
      "fe80::1%1",  "[::1]",      ":",         "12345::",   "1:2:3:4:5:6:7:8:9", "::1.2.3",
      "::1.2.3.04", "10.1.1.1/8"};
  struct ip ip = {.len = 9};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    if (ip_read(bytes_of_text(bad[i]), &ip))
      fail_msg("%s", bad[i]);
  assert_false(ip_read(bytes_of("10.1.1.1\0", 9), &ip));
  for (size_t len = 0; len <= 17; len++)
    if (len != 4 && len != 16)
      assert_false(ip_from_octets(bytes_of("0123456789abcdefg", len), &ip));
  assert_int_equal(ip.len, 9);
}

static void a_range_has_its_addresses_and_no_other(void **state)
{
  static const struct {
    const char *range, *address;
    bool has;
  } cases[] = {
      {"10.1.0.0/16", "10.1.0.0", true},
      {"10.1.0.0/16", "10.1.255.255", true},
      {"10.1.0.0/16", "10.2.0.0", false},
      {"10.1.0.0/16", "10.0.255.255", false},
      {"10.1.0.0/16", "::ffff:10.1.0.1", false},
      {"10.1.1.68", "10.1.1.68", true},
      {"10.1.1.68", "10.1.1.69", false},
      {"10.1.1.64/29", "10.1.1.71", true},
      {"10.1.1.64/29", "10.1.1.72", false},
      {"0.0.0.0/0", "255.1.2.3", true},
      {"0.0.0.0/0", "::", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "10.1.1.1", false},
      {"2001:db8::/33", "2001:db8:7fff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"2001:db8::1/128", "2001:db8::1", true},
      {"2001:db8::1/128", "2001:db8::2", false},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct ip_range range;
    struct ip ip;
    assert_true(ip_range_read(bytes_of_text(cases[i].range), &range));
    assert_true(ip_read(bytes_of_text(cases[i].address), &ip));
    if (ip_range_has(&range, &ip) != cases[i].has)
      fail_msg("%s in %s", cases[i].address, cases[i].range);
  }
}

static void a_range_with_bits_behind_its_prefix_is_refused(void **state)
{
  static const char *const bad[] = {
      "",           "/8",          "10.1.1.0/",         "10.1.1.0/33",  "10.1.1.1/24",
      "10.1.0.0/8", "10.0.0.0/08", "10.0.0.0/-1",       "10.0.0.0/8/8", "::1/127",
      "::/129",     "10.0.0.0 /8", "10.0.0.0/255.0.0.0"};
  struct ip_range range;
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    if (ip_range_read(bytes_of_text(bad[i]), &range))
      fail_msg("%s", bad[i]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_address_is_read_into_its_normal_form),
      cmocka_unit_test(every_octet_has_its_decimal_number),
      cmocka_unit_test(what_only_resembles_an_address_is_refused),
      cmocka_unit_test(a_range_has_its_addresses_and_no_other),
      cmocka_unit_test(a_range_with_bits_behind_its_prefix_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
