/* test_lint.c - what was built from a specification passes; whatever differs from it in one point
 * does not, and is named. */
#include "tests/unit/unit.h"

#include "lib/pki/der.h"
#include "lib/pki/lint.h"
#include "tests/unit/cases.h"
#include "tests/unit/cert_case.h"
#include "tests/unit/dertext.h"

static void read_case(const char *name, struct cert_case *c)
{
  AUTO(buf) input = {0};
  case_read("cert/build", name, "input", &input);
  cert_case_read(buf_bytes(&input), c);
}

static void build(const struct cert_spec *spec, struct buf *ret_tbs)
{
  AUTO(fault) f = {0};
  if (!cert_build(spec, ret_tbs, &f))
    fail_msg("%s", f.detail);
}

/* The specification `built` is in the octets, `asked` is what was wanted. */
static void lint_names(const struct cert_spec *built, const struct cert_spec *asked,
                       const char *rule)
{
  AUTO(buf) tbs = {0};
  AUTO(fault) f = {0};
  build(built, &tbs);
  if (lint_leaf(buf_bytes(&tbs), asked, &f))
    fail_msg("a difference that \"%s\" should have found passes", rule);
  assert_int_equal(f.code, FAULT_LINT);
  for (size_t i = 0; i < f.n_items; i++)
    if (strcmp(f.items[i].name, rule) == 0)
      return;
  fail_msg("%s was not named; the first of %zu is %s: %s", rule, f.n_items,
           f.n_items > 0 ? f.items[0].name : "-", f.detail);
}

static bool is_meant_to_fail(const struct cert_spec *spec)
{
  struct bytes n = spec->serial_number;
  bool responds = (spec->ext_key_usage & EKU_OCSP_SIGNING) != 0 && !spec->ocsp_nocheck;
  return spec->is_ca || spec->ext_key_usage == 0 || n.len < 8 || responds;
}

static void run_case(const char *folder, const char *name)
{
  AUTO(cert_case) c = {0};
  AUTO(buf) tbs = {0};
  AUTO(fault) f = {0};
  (void)folder;
  read_case(name, &c);
  build(&c.spec, &tbs);
  bool passes = lint_leaf(buf_bytes(&tbs), &c.spec, &f);
  if (passes == is_meant_to_fail(&c.spec))
    fail_msg("%s: %s", name, passes ? "passes" : f.detail);
}

static void a_leaf_that_says_what_was_asked_passes(void **state)
{
  (void)state;
  cases_each("cert/build", 40, run_case);
}

static void each_difference_is_named(void **state)
{
  (void)state;
  AUTO(cert_case) c = {0};
  AUTO(cert_case) other = {0};
  AUTO(cert_case) p521 = {0};
  read_case("idevid-with-names", &c);
  read_case("client", &other);
  read_case("p521-key", &p521);
  const struct cert_spec good = c.spec;
  struct cert_spec s;
#define DIFFER(rule, change)                                                                       \
  s = good;                                                                                        \
  change;                                                                                          \
  lint_names(&s, &good, rule);                                                                     \
  lint_names(&good, &s, rule)
  DIFFER("serial_number", s.serial_number = bytes_of("0123456789abcdef", 16));
  DIFFER("algorithm", s.alg = SIG_ECDSA_SHA256);
  DIFFER("issuer", s.issuer = other.spec.subject);
  DIFFER("subject", s.subject = other.spec.subject);
  DIFFER("validity", s.not_before += 1);
  DIFFER("validity", s.not_after -= 1);
  DIFFER("public_key", s.spki = p521.spec.spki);
  DIFFER("subject_key_id", s.subject_key_id = bytes_of("01234567890123456789", 20));
  DIFFER("authority_key_id", s.authority_key_id = bytes_of("01234567890123456789", 20));
  DIFFER("key_usage", s.key_usage |= KU_KEY_AGREEMENT);
  DIFFER("ext_key_usage", s.ext_key_usage |= EKU_CLIENT_AUTH);
  DIFFER("names", s.names = NULL);
  DIFFER("hardware_name", s.hardware.serial = bytes_of_text("other"));
  DIFFER("hardware_name", s.hardware = (struct hardware_name){0});
  DIFFER("urls", s.crl_url = "http://ca.example/crl");
  DIFFER("urls", s.ocsp_url = "http://ca.example/");
  DIFFER("urls", s.ca_issuers_url = "http://ca.example/crt");
  DIFFER("ocsp_nocheck", s.ocsp_nocheck = true);
#undef DIFFER
}

/* One name of many, at any place: the first, the last, one in the middle; one more, one less. */
static void each_name_is_looked_at(void **state)
{
  (void)state;
  AUTO(cert_case) c = {0};
  read_case("server-300-names", &c);
  for (size_t left_out = 0; left_out < c.names.n; left_out++) {
    AUTO(sans) fewer = {0};
    AUTO(sans) changed = {0};
    AUTO(fault) f = {0};
    for (size_t i = 0; i < c.names.n; i++) {
      AUTO(buf) text = {0};
      san_text(sans_get(&c.names, i), &text);
      if (i != left_out)
        assert_true(sans_add(&fewer, SAN_IP, buf_bytes(&text), &f));
      struct bytes name = i == left_out ? bytes_of_text("192.0.2.1") : buf_bytes(&text);
      assert_true(sans_add(&changed, SAN_IP, name, &f));
    }
    if (left_out % 50 != 0 && left_out + 1 != c.names.n)
      continue;
    struct cert_spec s = c.spec;
    s.names = &fewer;
    lint_names(&s, &c.spec, "names");
    lint_names(&c.spec, &s, "names");
    s.names = &changed;
    lint_names(&s, &c.spec, "names");
  }
}

static void what_no_leaf_may_have_is_named_even_when_it_was_asked_for(void **state)
{
  (void)state;
  AUTO(cert_case) c = {0};
  read_case("server-ip", &c);
  struct cert_spec s = c.spec;
  s.key_usage |= KU_CRL_SIGN;
  lint_names(&s, &s, "leaf_usage");
  s = c.spec;
  s.key_usage |= KU_KEY_ENCIPHERMENT;
  lint_names(&s, &s, "key_fits_usage");
  s.key_usage = KU_KEY_AGREEMENT;
  lint_names(&s, &s, "key_fits_usage");
  s = c.spec;
  s.ext_key_usage = 0;
  lint_names(&s, &s, "ext_key_usage");
  s = c.spec;
  s.ocsp_nocheck = true;
  lint_names(&s, &s, "ocsp_nocheck");
  s.ext_key_usage |= EKU_OCSP_SIGNING;
  lint_names(&s, &s, "ocsp_nocheck");
  s = c.spec;
  s.ext_key_usage = EKU_OCSP_SIGNING;
  lint_names(&s, &s, "ocsp_nocheck");
  s = c.spec;
  s.serial_number = bytes_of("1234567", 7);
  lint_names(&s, &s, "serial_number");
  AUTO(cert_case) ca = {0};
  read_case("issuing-path-0", &ca);
  lint_names(&ca.spec, &ca.spec, "not_a_ca");
  lint_names(&ca.spec, &ca.spec, "leaf_usage");
}

/* Octets that no cert_build made: put together by hand around the good ones. */
static void lint_of_text(const char *from, const char *to, const char *rule)
{
  AUTO(buf) text = {0};
  AUTO(buf) edited = {0};
  AUTO(buf) der = {0};
  AUTO(cert) good = {0};
  AUTO(fault) f = {0};
  case_read("cert/broken", "good", "input", &text);
  char *at = strstr(buf_text(&text), from);
  assert_non_null(at);
  buf_add(&edited, text.data, (size_t)(at - (char *)text.data));
  buf_add_text(&edited, to);
  buf_add_text(&edited, at + strlen(from));
  assert_true(dertext_read(buf_bytes(&text), &der));
  assert_true(cert_read(buf_bytes(&der), false, &good, &f));
  struct cert_spec spec = {
      .serial_number = good.serial_number,
      .alg = good.alg,
      .issuer = good.issuer,
      .subject = good.subject,
      .not_before = good.not_before,
      .not_after = good.not_after,
      .spki = good.key.spki,
      .subject_key_id = good.subject_key_id,
      .authority_key_id = good.authority_key_id,
      .key_usage = KU_DIGITAL_SIGNATURE,
      .ext_key_usage = EKU_SERVER_AUTH,
      .names = &good.names,
      .path_len = -1,
  };
  if (!lint_leaf(good.tbs, &spec, &f))
    fail_msg("%s", f.detail);
  AUTO(buf) edited_der = {0};
  assert_true(dertext_read(buf_bytes(&edited), &edited_der));
  struct der outer = der_of(buf_bytes(&edited_der)), inner;
  struct bytes tbs;
  assert_true(der_enter(&outer, DER_SEQUENCE, &inner));
  assert_true(der_take_whole(&inner, DER_SEQUENCE, &tbs));
  assert_false(lint_leaf(tbs, &spec, &f));
  assert_int_equal(f.code, FAULT_LINT);
  assert_true(f.n_items >= 1);
  assert_string_equal(f.items[0].name, rule);
}

static void octets_that_say_more_are_refused(void **state)
{
  (void)state;
  static const char first[] = "  30{ 06{ 551d23";
  lint_of_text(first, "30{ 06{ 2a0304 } 04{ 0500 } }\n 30{ 06{ 551d23", "known_extensions");
  lint_of_text(first, "30{ 06{ 2a0304 } 01{ ff } 04{ 0500 } }\n 30{ 06{ 551d23",
               "known_extensions");
  lint_of_text(first, "30{ 06{ 551d13 } 01{ ff } 04{ 30{ } } }\n 30{ 06{ 551d23", "not_a_ca");
  lint_of_text(first, "30{ 06{ 551d13 } 01{ ff } 04{ 30{ 01{ ff } } } }\n 30{ 06{ 551d23",
               "not_a_ca");
  lint_of_text("06{ 2b06010505070301 }", "06{ 2b06010505070301 } 06{ 551d2500 }", "ext_key_usage");
  lint_of_text("06{ 551d11 }", "06{ 551d11 } 01{ ff }", "names_critical");
  lint_of_text("06{ 551d0f } 01{ ff }", "06{ 551d0f }", "form");
  lint_of_text("87{ 0a010144 }", "87{ 0a010144 } 87{ 0a010145 }", "names");
  lint_of_text("87{ 0a010144 }", "87{ 0a010144 } 82{ \"10.1.1.1\" }", "form");
  lint_of_text("a0{ 02{ 02 } }", "", "form");
  lint_of_text("0c{ \"Issuing\" }", "13{ \"Issuing\" }", "issuer");
}

static int free_keys(void **state)
{
  (void)state;
  cert_case_free_keys();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_leaf_that_says_what_was_asked_passes),
      cmocka_unit_test(each_difference_is_named),
      cmocka_unit_test(each_name_is_looked_at),
      cmocka_unit_test(what_no_leaf_may_have_is_named_even_when_it_was_asked_for),
      cmocka_unit_test(octets_that_say_more_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, free_keys);
}
