/* test_cli_address.c - where the daemon listens, and the names it is reached by. */
#include "tests/unit/unit.h"

#include "cli/address.h"

static void an_address_gives_the_url_that_reaches_it(void **state)
{
  static const struct {
    const char *text, *url;
  } cases[] = {
      {"127.0.0.1:8443", "https://127.0.0.1:8443"}, {"[::1]:1", "https://[::1]:1"},
      {"0.0.0.0:8443", "https://127.0.0.1:8443"},   {"[::]:8443", "https://[::1]:8443"},
      {"ca.example:443", "https://ca.example:443"}, {"127.0.0.1:0", "https://127.0.0.1:0"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct address address;
    AUTO(fault) f = {0};
    AUTO(buf) url = {0};
    assert_true(address_read(cases[i].text, &address, &f));
    address_url(&address, &url);
    assert_string_equal(buf_text(&url), cases[i].url);
  }
}

static void what_is_no_address_is_wrong_usage(void **state)
{
  static const char *const cases[] = {
      "",        "127.0.0.1",     ":8443", "127.0.0.1:", "a:65536",  "::1:8443",
      "[a.b]:1", "[127.0.0.1]:1", "[::1]", "a:-1",       "a:b:8443", "[]:1"};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct address address;
    AUTO(fault) f = {0};
    if (address_read(cases[i], &address, &f))
      fail_msg("'%s' was taken", cases[i]);
    assert_int_equal(f.code, FAULT_BAD_USAGE);
  }
}

static bool has(const struct sans *names, enum san_kind kind, const char *text)
{
  for (size_t i = 0; i < names->n; i++) {
    struct san name = sans_get(names, i);
    AUTO(buf) found = {0};
    san_text(name, &found);
    if (name.kind == kind && strcmp(buf_text(&found), text) == 0)
      return true;
  }
  return false;
}

static void the_certificate_is_for_loopback_and_the_address(void **state)
{
  struct address address;
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  char cn[65];
  (void)state;
  assert_true(address_read("10.1.0.2:8443", &address, &f));
  assert_true(address_names(&address, &names, cn, &f));
  assert_true(has(&names, SAN_IP, "127.0.0.1"));
  assert_true(has(&names, SAN_IP, "::1"));
  assert_true(has(&names, SAN_IP, "10.1.0.2"));
  assert_true(has(&names, SAN_DNS, "localhost"));
  assert_true(strlen(cn) > 0);
}

static void a_wildcard_is_no_name(void **state)
{
  struct address address;
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  char cn[65];
  (void)state;
  assert_true(address_read("0.0.0.0:8443", &address, &f));
  assert_true(address_names(&address, &names, cn, &f));
  assert_false(has(&names, SAN_IP, "0.0.0.0"));
}

static void a_host_name_that_is_not_well_formed_is_refused(void **state)
{
  struct address address;
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  char cn[65];
  (void)state;
  assert_true(address_read("under_score.example:8443", &address, &f));
  assert_false(address_names(&address, &names, cn, &f));
  assert_int_equal(f.code, FAULT_BAD_NAME);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_address_gives_the_url_that_reaches_it),
      cmocka_unit_test(what_is_no_address_is_wrong_usage),
      cmocka_unit_test(the_certificate_is_for_loopback_and_the_address),
      cmocka_unit_test(a_wildcard_is_no_name),
      cmocka_unit_test(a_host_name_that_is_not_well_formed_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
