/* test_san.c - every name is checked, whichever way it enters. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/text.h"
#include "lib/pki/der.h"
#include "lib/pki/oid.h"
#include "lib/pki/san.h"

static bool add(struct sans *s, enum san_kind kind, const char *text, struct fault *f)
{
  return sans_add(s, kind, bytes_of_text(text), f);
}

static void names_in_good_form_are_taken_in_normal_form(void **state)
{
  static const struct {
    enum san_kind kind;
    const char *text, *normal;
  } names[] = {
      {SAN_IP, "10.1.1.68", "10.1.1.68"},
      {SAN_IP, "2001:DB8:0:0::1", "2001:db8::1"},
      {SAN_IP, "::1", "::1"},
      {SAN_DNS, "W-1001.Widgets.Example", "w-1001.widgets.example"},
      {SAN_DNS, "localhost", "localhost"},
      {SAN_DNS, "*.widgets.example", "*.widgets.example"},
      {SAN_DNS, "xn--bcher-kva.example", "xn--bcher-kva.example"},
      {SAN_DNS, "1.2.3.4a", "1.2.3.4a"},
      {SAN_DNS, "0xyz", "0xyz"},
      {SAN_URI, "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
       "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},
      {SAN_URI, "https://W.example/a?b#c", "https://W.example/a?b#c"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(sans) s = {0};
    AUTO(fault) f = {0};
    AUTO(buf) text = {0};
    if (!add(&s, names[i].kind, names[i].text, &f))
      fail_msg("%s", f.detail);
    san_text(sans_get(&s, 0), &text);
    assert_string_equal(buf_text(&text), names[i].normal);
    assert_int_equal(sans_get(&s, 0).kind, names[i].kind);
  }
}

static void names_in_bad_form_are_named_and_refused(void **state)
{
  static const struct {
    enum san_kind kind;
    const char *text, *why;
  } names[] = {
      {SAN_IP, "", "not an IP"},
      {SAN_IP, "10.1.1", "not an IP"},
      {SAN_IP, "10.1.1.068", "not an IP"},
      {SAN_IP, "10.1.1.256", "not an IP"},
      {SAN_IP, "fe80::1%eth0", "not an IP"},
      {SAN_IP, "10.1.1.0/24", "not an IP"},
      {SAN_IP, "widget", "not an IP"},
      {SAN_IP, "::ffff:10.1.1.68", "IPv6 coat"},
      {SAN_DNS, "", "empty"},
      {SAN_DNS, "10.1.1.68", "ip_sans"},
      {SAN_DNS, "2001:db8::1", "ip_sans"},
      {SAN_DNS, "10.1.1.268", "ip_sans"},
      {SAN_DNS, "1234", "ip_sans"},
      {SAN_DNS, "0x7f.1", "ip_sans"},
      {SAN_DNS, "127.0x1", "ip_sans"},
      {SAN_DNS, "widget.0x", "ip_sans"},
      {SAN_DNS, "my_widget.example", "underscore"},
      {SAN_DNS, "widget.example.", "dot"},
      {SAN_DNS, ".widget", "empty label"},
      {SAN_DNS, "a..b", "empty label"},
      {SAN_DNS, "-a.example", "hyphen"},
      {SAN_DNS, "a-.example", "hyphen"},
      {SAN_DNS, "*", "wildcard"},
      {SAN_DNS, "*.example", "wildcard"},
      {SAN_DNS, "w*.widgets.example", "letters"},
      {SAN_DNS, "*w.widgets.example", "letters"},
      {SAN_DNS, "a.*.example", "letters"},
      {SAN_DNS, "*.*.widgets.example", "letters"},
      {SAN_DNS, "w dget", "letters"},
      {SAN_DNS, "w\xc3\xa4t", "letters"},
      {SAN_DNS, "https://widget", "letters"},
      {SAN_URI, "", "not a URI"},
      {SAN_URI, "urn:", "not a URI"},
      {SAN_URI, ":x", "scheme"},
      {SAN_URI, "1a:x", "scheme"},
      {SAN_URI, "a b:x", "printable"},
      {SAN_URI, "urn:a\tb", "printable"},
      {SAN_URI, "urn:\xc3\xa4", "printable"},
      {SAN_URI, "widget", "not a URI"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(sans) s = {0};
    AUTO(fault) f = {0};
    if (add(&s, names[i].kind, names[i].text, &f))
      fail_msg("\"%s\" was taken", names[i].text);
    assert_int_equal(f.code, FAULT_BAD_NAME);
    assert_int_equal(f.n_items, 1);
    if (strstr(f.items[0].why, names[i].why) == NULL)
      fail_msg("\"%s\": \"%s\" does not say \"%s\"", names[i].text, f.items[0].why, names[i].why);
    assert_non_null(strstr(f.items[0].why, san_kind_field(names[i].kind)));
    assert_int_equal(s.n, 0);
  }
}

static void lengths_are_exact(void **state)
{
  AUTO(sans) s = {0};
  AUTO(fault) f = {0};
  char label[64 + 1], name[256 + 1], uri[SAN_URI_MAX + 2];
  (void)state;
  memset(label, 'a', sizeof label);
  assert_true(sans_add(&s, SAN_DNS, bytes_of(label, 63), &f));
  assert_false(sans_add(&s, SAN_DNS, bytes_of(label, 64), &f));
  for (size_t i = 0; i < sizeof name; i++)
    name[i] = i % 50 == 49 ? '.' : 'a';
  assert_true(sans_add(&s, SAN_DNS, bytes_of(name, 253), &f));
  assert_false(sans_add(&s, SAN_DNS, bytes_of(name, 254), &f));
  memset(uri, 'a', sizeof uri);
  uri[3] = ':';
  assert_true(sans_add(&s, SAN_URI, bytes_of(uri, SAN_URI_MAX), &f));
  assert_false(sans_add(&s, SAN_URI, bytes_of(uri, SAN_URI_MAX + 1), &f));
  assert_int_equal(s.n, 3);
  assert_int_equal(f.n_items, 3);
}

static void a_nul_ends_no_name(void **state)
{
  AUTO(sans) s = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_false(sans_add(&s, SAN_DNS, bytes_of("good.example\0.evil.example", 26), &f));
  assert_string_equal(f.items[0].name, "good.example?.evil.example");
  assert_false(sans_add(&s, SAN_URI, bytes_of("urn:a\0b", 7), &f));
  assert_false(sans_add(&s, SAN_IP, bytes_of("10.1.1.68\0", 10), &f));
}

static void names_are_sorted_by_kind_and_kept_once(void **state)
{
  static const char *const order[] = {"10.1.1.9", "10.1.1.8", "b.example", "a.example", "urn:x"};
  AUTO(sans) s = {0}, copy = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_true(add(&s, SAN_URI, "urn:x", &f) && add(&s, SAN_DNS, "b.example", &f) &&
              add(&s, SAN_IP, "10.1.1.9", &f) && add(&s, SAN_DNS, "A.example", &f) &&
              add(&s, SAN_IP, "10.1.1.8", &f) && add(&s, SAN_DNS, "a.EXAMPLE", &f) &&
              add(&s, SAN_IP, "10.1.1.8", &f));
  assert_int_equal(s.n, ARRAY_LEN(order));
  for (size_t i = 0; i < s.n; i++) {
    AUTO(buf) text = {0};
    san_text(sans_get(&s, i), &text);
    assert_string_equal(buf_text(&text), order[i]);
  }
  assert_true(sans_copy(&copy, &s, &f) && sans_equal(&copy, &s));
  assert_true(add(&copy, SAN_DNS, "c.example", &f));
  assert_false(sans_equal(&copy, &s) || sans_equal(&s, &copy));
  assert_true(sans_copy(&copy, &s, &f) && sans_equal(&copy, &s));
}

static void the_same_octets_in_two_kinds_are_two_names(void **state)
{
  AUTO(sans) a = {0}, b = {0};
  AUTO(fault) f = {0};
  (void)state;
  /* 97.46.98.99 is "a.bc". */
  assert_true(add(&a, SAN_IP, "97.46.98.99", &f) && add(&b, SAN_DNS, "a.bc", &f));
  assert_true(bytes_equal(sans_get(&a, 0).value, sans_get(&b, 0).value));
  assert_false(sans_equal(&a, &b));
  assert_false(sans_has(&a, sans_get(&b, 0)));
}

static void a_set_is_bounded(void **state)
{
  AUTO(sans) s = {0};
  AUTO(fault) f = {0};
  char name[20];
  (void)state;
  for (int i = 0; i < SANS_MAX; i++) {
    snprintf(name, sizeof name, "w%d", i);
    assert_true(add(&s, SAN_DNS, name, &f));
  }
  assert_true(add(&s, SAN_DNS, "w7", &f));
  assert_false(add(&s, SAN_DNS, "one-more", &f));
  assert_int_equal(f.code, FAULT_TOO_MANY_NAMES);
}

static void what_is_written_reads_back(void **state)
{
  AUTO(sans) s = {0}, again = {0};
  AUTO(fault) f = {0};
  AUTO(buf) der = {0};
  struct hardware_name hw = {OID_P256, bytes_of_text("W-1001")};
  (void)state;
  assert_true(add(&s, SAN_URI, "urn:x", &f) && add(&s, SAN_DNS, "b.example", &f) &&
              add(&s, SAN_IP, "10.1.1.68", &f) && add(&s, SAN_IP, "2001:db8::1", &f));
  sans_write(&s, NULL, &der);
  assert_true(sans_read(&again, buf_bytes(&der), false, &f));
  assert_true(sans_equal(&s, &again));
  buf_clear(&der);
  sans_free(&again);
  sans_write(&s, &hw, &der);
  assert_true(sans_read(&again, buf_bytes(&der), true, &f));
  assert_true(sans_equal(&s, &again));
  assert_false(sans_read(&again, buf_bytes(&der), false, &f));
  assert_int_equal(f.code, FAULT_NAME_NOT_ALLOWED);
  assert_string_equal(f.items[0].why, "otherName: names of this kind are not taken");
}

static enum fault_code code_of(const char *hex, size_t *ret_items)
{
  AUTO(sans) s = {0};
  AUTO(fault) f = {0};
  uint8_t der[300];
  size_t len;
  assert_true(text_unhex(bytes_of_text(hex), der, sizeof der, &len));
  bool good = sans_read(&s, bytes_of(der, len), true, &f);
  assert_int_equal(good, f.code == FAULT_NONE);
  *ret_items = f.n_items;
  return f.code;
}

static void general_names_are_read_strictly(void **state)
{
  static const struct {
    const char *hex;
    enum fault_code code;
    size_t items;
  } cases[] = {
      {"300687040a010144", FAULT_NONE, 0},
      {"3000", FAULT_BAD_CSR, 0},
      {"", FAULT_BAD_CSR, 0},
      {"310687040a010144", FAULT_BAD_CSR, 0},
      {"300687040a01014400", FAULT_BAD_CSR, 0},
      {"300687050a010144", FAULT_BAD_CSR, 0},
      {"30068904 0a010144", FAULT_BAD_CSR, 0},
      {"3006a7040a010144", FAULT_BAD_CSR, 0},
      {"300616040a010144", FAULT_BAD_CSR, 0},
      {"300787050a01014400", FAULT_BAD_NAME, 1},
      {"30028700", FAULT_BAD_NAME, 1},
      {"30028200", FAULT_BAD_NAME, 1},
      {"3005820361ff62", FAULT_BAD_NAME, 1},
      {"30058103614062", FAULT_NAME_NOT_ALLOWED, 1},
      {"3004a4023000", FAULT_NAME_NOT_ALLOWED, 1},
      {"300588032a0304", FAULT_NAME_NOT_ALLOWED, 1},
      /* Both wrong names are said; the first gives the code. */
      {"3007810361406282 00", FAULT_NAME_NOT_ALLOWED, 2},
      {"3007820081036140 62", FAULT_BAD_NAME, 2},
      /* hardwareModuleName with something behind it. */
      {"301aa01806082b06010505070804a00c300a06032a0304040101 0500", FAULT_NAME_NOT_ALLOWED, 1},
      {"3018a01606082b06010505070804a00a300806032a0304040101", FAULT_NONE, 0},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    char hex[200];
    size_t n = 0, items;
    for (const char *p = cases[i].hex; *p != '\0'; p++)
      if (*p != ' ')
        hex[n++] = *p;
    hex[n] = '\0';
    enum fault_code code = code_of(hex, &items);
    if (code != cases[i].code || items != cases[i].items)
      fail_msg("%s: %s, %zu items", cases[i].hex, fault_problem_code(code), items);
  }
}

/* --- visited one by one --- */

struct visit {
  struct sans seen;
  size_t most; /* false behind so many */
};

static bool take_name(struct san name, void *context)
{
  AUTO(fault) f = {0};
  AUTO(buf) text = {0};
  struct visit *visit = context;
  san_text(name, &text);
  assert_true(sans_add(&visit->seen, name.kind, buf_bytes(&text), &f));
  return visit->seen.n < visit->most;
}

/* Those that sans_read() takes; an e-mail address and a name with an underscore are none. */
static void each_name_that_is_taken_is_visited(void **state)
{
  (void)state;
  static const uint8_t der[] = "\x30\x2c"
                               "\x81\x05"
                               "a@b.c"
                               "\x82\x0b"
                               "W-1.example"
                               "\x82\x06"
                               "_x.y.z"
                               "\x87\x04"
                               "\x0a\x01\x01\x44"
                               "\x86\x08"
                               "urn:a:bc";
  AUTO(fault) f = {0};
  struct visit all = {.most = 10}, one = {.most = 1};
  assert_true(sans_each(bytes_of(der, sizeof der - 1), take_name, &all, &f));
  assert_int_equal(all.seen.n, 3);
  assert_true(sans_has(&all.seen, (struct san){SAN_DNS, bytes_of_text("w-1.example")}));
  assert_true(sans_has(&all.seen, (struct san){SAN_IP, bytes_of("\x0a\x01\x01\x44", 4)}));
  assert_true(sans_has(&all.seen, (struct san){SAN_URI, bytes_of_text("urn:a:bc")}));
  assert_false(sans_each(bytes_of(der, sizeof der - 1), take_name, &one, &f));
  assert_int_equal(one.seen.n, 1);
  assert_int_equal(f.code, FAULT_NONE);
  assert_false(sans_each(bytes_of(der, sizeof der - 2), take_name, &all, &f));
  assert_int_equal(f.code, FAULT_BAD_CSR);
  sans_free(&all.seen);
  sans_free(&one.seen);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_in_good_form_are_taken_in_normal_form),
      cmocka_unit_test(names_in_bad_form_are_named_and_refused),
      cmocka_unit_test(lengths_are_exact),
      cmocka_unit_test(a_nul_ends_no_name),
      cmocka_unit_test(names_are_sorted_by_kind_and_kept_once),
      cmocka_unit_test(the_same_octets_in_two_kinds_are_two_names),
      cmocka_unit_test(a_set_is_bounded),
      cmocka_unit_test(what_is_written_reads_back),
      cmocka_unit_test(general_names_are_read_strictly),
      cmocka_unit_test(each_name_that_is_taken_is_visited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
