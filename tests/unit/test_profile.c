/* test_profile.c - what a profile allows, and above all what it does not. A case in
 * tests/cases/profile is a folder: `profile`, the options of a profile; `request`, a field on each
 * line; `expect`, "ok" and what the certificate is to say, or the fault's code and each name that
 * is rejected. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/pki/lint.h"
#include "tests/unit/ca_kit.h"

enum { DAY_S = 24 * 3600 };

static struct kit kit;
static struct authority *authority;
static int64_t now;

static const uint8_t serial_number[SERIAL_NUMBER_LEN] = {1, 2, 3, 4, 5, 6, 7, 8};

/* --- keys, made once --- */

static struct {
  const char *kind;
  struct private_key *key;
} keys[] = {{"ec-p256", NULL}, {"ec-p384", NULL}, {"rsa-2048", NULL}, {"ed25519", NULL}};

static const struct private_key *key_named(const char *kind)
{
  if (strcmp(kind, "issuing") == 0)
    return kit.issuing_key;
  if (strcmp(kind, "root") == 0)
    return kit.root_key;
  for (size_t i = 0; i < ARRAY_LEN(keys); i++)
    if (strcmp(keys[i].kind, kind) == 0) {
      if (keys[i].key == NULL)
        keys[i].key = kit_key(kind);
      return keys[i].key;
    }
  fail_msg("no key %s", kind);
  return NULL;
}

/* --- a request as text --- */

struct asked {
  char device_serial[128], model[65], station[65], order[65], key[16];
  struct sans names, csr_names;
  bool broken_signature;
};

static void put_text(char *to, size_t size, const char *value)
{
  snprintf(to, size, "%s", value);
}

static void read_line(struct asked *asked, char *line)
{
  char *value = strchr(line, ' ');
  if (value != NULL)
    *value++ = '\0';
  if (strcmp(line, "device_serial") == 0)
    put_text(asked->device_serial, sizeof asked->device_serial, value);
  else if (strcmp(line, "model") == 0)
    put_text(asked->model, sizeof asked->model, value);
  else if (strcmp(line, "order") == 0)
    put_text(asked->order, sizeof asked->order, value);
  else if (strcmp(line, "station") == 0)
    put_text(asked->station, sizeof asked->station, value);
  else if (strcmp(line, "key") == 0)
    put_text(asked->key, sizeof asked->key, value);
  else if (strcmp(line, "ip") == 0)
    kit_add_name(&asked->names, SAN_IP, value);
  else if (strcmp(line, "dns") == 0)
    kit_add_name(&asked->names, SAN_DNS, value);
  else if (strcmp(line, "uri") == 0)
    kit_add_name(&asked->names, SAN_URI, value);
  else if (strcmp(line, "csr_ip") == 0)
    kit_add_name(&asked->csr_names, SAN_IP, value);
  else if (strcmp(line, "csr_dns") == 0)
    kit_add_name(&asked->csr_names, SAN_DNS, value);
  else if (strcmp(line, "broken_signature") == 0)
    asked->broken_signature = true;
  else if (line[0] != '\0')
    fail_msg("a request has no field %s", line);
}

static void read_request(char *text, struct asked *ret_asked)
{
  *ret_asked = (struct asked){.key = "ec-p256"};
  for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;)
    read_line(ret_asked, line);
}

static void asked_free(struct asked *asked)
{
  sans_free(&asked->names);
  sans_free(&asked->csr_names);
}

/* --- what comes of it, as text --- */

static void say_names(const struct sans *names, struct buf *out)
{
  for (size_t i = 0; i < names->n; i++) {
    struct san name = sans_get(names, i);
    buf_addf(out, "%s ", san_kind_field(name.kind));
    san_text(name, out);
    buf_add_text(out, "\n");
  }
}

static void say_usage(const struct cert *cert, struct buf *out)
{
  buf_add_text(out, "key_usage");
  for (unsigned bit = 0; key_usage_name(bit) != NULL; bit++)
    if ((cert->key_usage & (1u << bit)) != 0)
      buf_addf(out, " %s", key_usage_name(bit));
  buf_add_text(out, "\n");
}

/* Builds it, as the pipeline does: what counts is what the octets say. */
static void say_certificate(const struct plan *plan, struct buf *out)
{
  AUTO(buf) tbs = {0};
  AUTO(cert) cert = {0};
  AUTO(fault) f = {0};
  char when[WHEN_TEXT_SIZE];
  if (!cert_build(&plan->spec, &tbs, &f) || !lint_leaf(buf_bytes(&tbs), &plan->spec, &f) ||
      !tbs_read(buf_bytes(&tbs), &cert, &f))
    fail_msg("%s", f.detail);
  buf_add_text(out, "ok\nsubject ");
  name_text(cert.subject, out);
  buf_add_text(out, "\n");
  say_names(&cert.names, out);
  say_usage(&cert, out);
  when_text(when, cert.not_after);
  buf_addf(out, "not_after %s\nhardware_serial %.*s\n", when, (int)cert.hardware_serial.len,
           (const char *)cert.hardware_serial.data);
}

static void say_fault(const struct fault *f, struct buf *out)
{
  buf_addf(out, "%s\n", fault_problem_code(f->code));
  for (size_t i = 0; i < f->n_items; i++)
    buf_addf(out, "%s\n", f->items[i].name);
}

static bool check(const struct profile *profile, const struct asked *asked, struct buf *out)
{
  AUTO(buf) der = {0};
  AUTO(csr) csr = {0};
  AUTO(plan) plan = {0};
  AUTO(fault) f = {0};
  kit_csr(key_named(asked->key), &asked->csr_names, &der);
  if (!csr_read(buf_bytes(&der), &csr, &f))
    fail_msg("%s", f.detail);
  AUTO(buf) other = {0};
  if (asked->broken_signature) { /* another request's, well formed */
    AUTO(sans) names = {0};
    kit_add_name(&names, SAN_DNS, "other.example");
    kit_csr(key_named("ec-p256"), &names, &other);
    AUTO(csr) second = {0};
    assert_true(csr_read(buf_bytes(&other), &second, &f));
    csr.signature = second.signature;
  }
  const struct profile_request request = {.csr = &csr,
                                          .device_serial = asked->device_serial,
                                          .model = asked->model,
                                          .order = asked->order,
                                          .station = asked->station,
                                          .names = &asked->names};
  bool good = profile_check(profile, &request, authority, now, serial_number, &plan, &f);
  if (good)
    say_certificate(&plan, out);
  else
    say_fault(&f, out);
  return good;
}

static struct conf *load_profile(const char *options)
{
  AUTO(buf) text = {0};
  buf_addf(&text,
           "tls { certificate = a key = b }\nauthority x { certificate = a chain = b root = c }\n"
           "key_holder { socket = s }\nprofile \"test\" {\n%s\n}\n",
           options);
  kit_write(&kit, "mintmark.conf", buf_text(&text), 0600);
  return kit_load_conf(&kit);
}

/* --- the cases --- */

static char *read_part(const char *name, const char *part, struct buf *text)
{
  char path[512];
  snprintf(path, sizeof path, "tests/cases/profile/%s/%s", name, part);
  kit_source(path, text);
  return (char *)(uintptr_t)buf_text(text);
}

/* A good one must hold each expected line; of a refusal, there must be nothing else. */
static bool is_as_expected(const char *said, char *expected, bool good)
{
  if (!good)
    return strcmp(said, expected) == 0;
  AUTO(buf) all = {0};
  buf_addf(&all, "\n%s", said);
  for (char *rest = expected, *line; (line = strsep(&rest, "\n")) != NULL;) {
    AUTO(buf) whole = {0};
    buf_addf(&whole, "\n%s\n", line);
    if (line[0] != '\0' && strstr(buf_text(&all), buf_text(&whole)) == NULL)
      return false;
  }
  return true;
}

static size_t count(const char *text, const char *part)
{
  size_t n = 0;
  while ((text = strstr(text, part)) != NULL)
    n++, text++;
  return n;
}

static bool check_case(const char *name)
{
  AUTO(buf) options = {0};
  AUTO(buf) request = {0};
  AUTO(buf) expect = {0};
  AUTO(buf) said = {0};
  struct asked asked;
  struct conf *conf = load_profile(read_part(name, "profile", &options));
  read_request(read_part(name, "request", &request), &asked);
  char *expected = read_part(name, "expect", &expect);
  bool good = check(conf_profile(conf, "test"), &asked, &said);
  bool as_many_names = !good || count(buf_text(&said), "_sans ") == count(expected, "_sans ");
  if (good)
    as_many_names = as_many_names && strncmp(expected, "ok\n", 3) == 0;
  AUTO(buf) copy = {0};
  buf_add_text(&copy, expected);
  bool right = as_many_names && is_as_expected(buf_text(&said), expected, good);
  if (!right)
    print_error("%s\n--- want\n%s--- have\n%s", name, buf_text(&copy), buf_text(&said));
  asked_free(&asked);
  conf_release(conf);
  return right;
}

static void every_case_is_judged_as_it_should(void **state)
{
  char path[512];
  struct dirent **entries;
  size_t n_cases = 0, n_wrong = 0;
  (void)state;
  snprintf(path, sizeof path, "%s/tests/cases/profile", getenv("MINTMARK_SRCDIR"));
  int n = scandir(path, &entries, NULL, alphasort);
  assert_true(n > 0);
  for (int i = 0; i < n; i++) {
    if (entries[i]->d_name[0] != '.') {
      n_wrong += !check_case(entries[i]->d_name);
      n_cases++;
    }
    free(entries[i]);
  }
  free(entries);
  assert_int_equal(n_wrong, 0);
  assert_true(n_cases >= 40);
}

/* --- each name, one by one --- */

static uint32_t next_random(void)
{
  static uint32_t random = 20200229;
  random = random * 1664525u + 1013904223u;
  return random >> 8;
}

/* One name of a random kind, distinct by `i`. */
static void add_random_name(struct sans *names, struct sans *not_allowed, unsigned i)
{
  static const struct {
    enum san_kind kind;
    const char *allowed, *forbidden;
  } kinds[] = {{SAN_IP, "10.0.%u.%u", "11.0.%u.%u"},
               {SAN_DNS, "w%u-%u.widgets.example", "w%u-%u.gadgets.example"},
               {SAN_URI, "urn:acme:%u:%u", "urn:acne:%u:%u"}};
  unsigned kind = next_random() % 3;
  bool forbidden = next_random() % 4 == 0;
  char text[64];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(text, sizeof text, forbidden ? kinds[kind].forbidden : kinds[kind].allowed, i / 250,
           i % 250);
#pragma GCC diagnostic pop
  kit_add_name(names, kinds[kind].kind, text);
  if (forbidden)
    kit_add_name(not_allowed, kinds[kind].kind, text);
}

static void exactly_the_names_that_are_not_allowed_are_told(void **state)
{
  (void)state;
  struct conf *conf = load_profile(
      "validity = 1d key_types = { ec-p256 } key_usage = { digitalSignature }\n"
      "ext_key_usage = { serverAuth } names_max = 1000 subject = { \"CN=${device_serial}\" }\n"
      "ip_ranges = { \"10.0.0.0/8\" } dns_patterns = { \"*.widgets.example\" }\n"
      "uri_prefixes = { \"urn:acme:\" }");
  for (int round = 0; round < 100; round++) {
    struct asked asked = {.device_serial = "W-1", .key = "ec-p256"};
    AUTO(sans) not_allowed = {0};
    AUTO(buf) said = {0};
    AUTO(buf) want = {0};
    unsigned n = 1 + next_random() % (round == 0 ? 1000 : 40);
    for (unsigned i = 0; i < n; i++)
      add_random_name(&asked.names, &not_allowed, i);
    bool good = check(conf_profile(conf, "test"), &asked, &said);
    assert_int_equal(good, not_allowed.n == 0);
    buf_add_text(&want, "name-not-allowed\n");
    for (size_t i = 0; i < not_allowed.n; i++) {
      san_text(sans_get(&not_allowed, i), &want);
      buf_add_text(&want, "\n");
    }
    if (!good)
      assert_string_equal(buf_text(&said), buf_text(&want));
    asked_free(&asked);
  }
  conf_release(conf);
}

/* --- the daemon's own profile --- */

static void a_responder_is_short_lived_and_nobody_else_is_one(void **state)
{
  AUTO(buf) der = {0};
  AUTO(buf) tbs = {0};
  AUTO(csr) csr = {0};
  AUTO(plan) plan = {0};
  AUTO(cert) cert = {0};
  AUTO(fault) f = {0};
  AUTO(conf) conf = kit_load_conf(&kit);
  const struct sans none = {0};
  const struct profile *profile = conf_profile(conf, PROFILE_OCSP);
  (void)state;
  for (enum role role = ROLE_NONE; role < ROLE_COUNT; role++)
    assert_int_equal(profile_takes_role(profile, role), role == ROLE_NONE);
  kit_csr(key_named("ec-p256"), NULL, &der);
  assert_true(csr_read(buf_bytes(&der), &csr, &f));
  const struct profile_request request = {.csr = &csr,
                                          .device_serial = "",
                                          .model = "",
                                          .station = "",
                                          .order = "",
                                          .names = &none,
                                          .public_url = "http://ca.example",
                                          .crl_shards = 4};
  int64_t at = authority->certificate.not_after - DAY_S;
  if (!profile_check(profile, &request, authority, at, serial_number, &plan, &f) ||
      !cert_build(&plan.spec, &tbs, &f) || !lint_leaf(buf_bytes(&tbs), &plan.spec, &f) ||
      !tbs_read(buf_bytes(&tbs), &cert, &f))
    fail_msg("%s", f.detail);
  assert_true(cert.ocsp_nocheck && cert.ext_key_usage == EKU_OCSP_SIGNING && !cert.has_unknown_eku);
  assert_true(cert.key_usage == KU_DIGITAL_SIGNATURE && !cert.has_names);
  assert_true(!cert.has_crl_url && cert.ocsp_url.len == 0 && cert.ca_issuers_url.len == 0);
  /* It begins a little earlier, and ends with its issuer rather than not being there. */
  assert_int_equal(cert.not_before, at - 300);
  assert_int_equal(cert.not_after, authority->certificate.not_after);
}

/* --- where verifiers look --- */

/* Builds a certificate, and gives its distribution point; "" when it has none. */
static void make_urls(const char *public_url, unsigned shards, uint8_t last, struct cert *cert,
                      struct buf *tbs, unsigned *ret_shard)
{
  AUTO(buf) der = {0};
  AUTO(csr) csr = {0};
  AUTO(plan) plan = {0};
  AUTO(fault) f = {0};
  const struct sans none = {0};
  uint8_t number[SERIAL_NUMBER_LEN] = {1, [SERIAL_NUMBER_LEN - 1] = last};
  struct conf *conf = load_profile("validity = \"1d\" key_types = { ec-p256 }\n"
                                   "key_usage = { digitalSignature }\n"
                                   "ext_key_usage = { serverAuth }\n"
                                   "subject = { \"CN=${device_serial}\" }\n");
  kit_csr(key_named("ec-p256"), NULL, &der);
  assert_true(csr_read(buf_bytes(&der), &csr, &f));
  const struct profile_request request = {.csr = &csr,
                                          .device_serial = "W-1",
                                          .model = "",
                                          .station = "",
                                          .order = "",
                                          .names = &none,
                                          .public_url = public_url,
                                          .crl_shards = shards};
  if (!profile_check(conf_profile(conf, "test"), &request, authority, now, number, &plan, &f) ||
      !cert_build(&plan.spec, tbs, &f) || !lint_leaf(buf_bytes(tbs), &plan.spec, &f) ||
      !tbs_read(buf_bytes(tbs), cert, &f))
    fail_msg("%s", f.detail);
  *ret_shard = plan.shard;
  conf_release(conf);
}

static void assert_urls(const char *public_url, unsigned shards, uint8_t last, const char *crl,
                        unsigned shard)
{
  AUTO(cert) cert = {0};
  AUTO(buf) tbs = {0};
  unsigned its_shard = 99;
  make_urls(public_url, shards, last, &cert, &tbs, &its_shard);
  assert_true(bytes_equal(cert.crl_url, bytes_of_text(crl)));
  assert_int_equal(its_shard, shard);
  assert_int_equal(cert.ocsp_url.len > 0, public_url != NULL);
  assert_int_equal(cert.ca_issuers_url.len > 0, public_url != NULL);
}

static void a_certificate_says_where_verifiers_look(void **state)
{
  AUTO(cert) cert = {0};
  AUTO(buf) tbs = {0};
  unsigned shard;
  (void)state;
  assert_urls(NULL, 1, 7, "", 0);
  assert_urls("http://ca.example", 1, 7, "http://ca.example/crl/issuing.crl", 0);
  make_urls("http://ca.example:8080/pki", 0, 7, &cert, &tbs, &shard);
  assert_true(bytes_equal(cert.ocsp_url, bytes_of_text("http://ca.example:8080/pki/ocsp")));
  assert_true(
      bytes_equal(cert.ca_issuers_url, bytes_of_text("http://ca.example:8080/pki/ca/issuing.crt")));
}

static void each_shard_has_its_list(void **state)
{
  (void)state;
  assert_urls("http://ca.example", 16, 0, "http://ca.example/crl/issuing/1.crl", 1);
  assert_urls("http://ca.example", 16, 15, "http://ca.example/crl/issuing/16.crl", 16);
  assert_urls("http://ca.example", 16, 16, "http://ca.example/crl/issuing/1.crl", 1);
  assert_urls(NULL, 16, 15, "", 16);
}

/* --- time --- */

/* Checks a request, which may want to end with its issuer, and gives the plan's times. */
static bool plan_times_of(const char *options, bool ends_with_issuer, int64_t when,
                          int64_t *ret_before, int64_t *ret_after)
{
  AUTO(buf) text = {0};
  AUTO(buf) der = {0};
  AUTO(csr) csr = {0};
  AUTO(plan) plan = {0};
  AUTO(fault) f = {0};
  const struct sans none = {0};
  buf_addf(&text,
           "%s\nkey_types = { ec-p256 } key_usage = { digitalSignature }\n"
           "ext_key_usage = { serverAuth } subject = { \"CN=${device_serial}\" }\n",
           options);
  struct conf *conf = load_profile(buf_text(&text));
  kit_csr(key_named("ec-p256"), NULL, &der);
  assert_true(csr_read(buf_bytes(&der), &csr, &f));
  const struct profile_request request = {.csr = &csr,
                                          .device_serial = "W-1",
                                          .model = "",
                                          .station = "",
                                          .order = "",
                                          .names = &none,
                                          .ends_with_issuer = ends_with_issuer};
  bool good = profile_check(conf_profile(conf, "test"), &request, authority, when, serial_number,
                            &plan, &f);
  if (good)
    *ret_before = plan.spec.not_before, *ret_after = plan.spec.not_after;
  else
    assert_int_equal(f.code, FAULT_OUTLIVES_ISSUER);
  conf_release(conf);
  return good;
}

static bool plan_times(const char *options, int64_t when, int64_t *ret_before, int64_t *ret_after)
{
  return plan_times_of(options, false, when, ret_before, ret_after);
}

static void the_validity_counts_both_ends_and_holds_the_backdate(void **state)
{
  int64_t before, after;
  (void)state;
  assert_true(plan_times("validity = 825d backdate = 1h", now, &before, &after));
  assert_int_equal(before, now - 3600);
  assert_int_equal(after - before + 1, 825 * DAY_S);
}

static void a_leaf_is_not_older_than_its_issuer(void **state)
{
  int64_t before, after, begin = authority->certificate.not_before;
  (void)state;
  assert_true(plan_times("validity = 30d backdate = 2d", begin + DAY_S, &before, &after));
  assert_int_equal(before, begin);
}

static void a_leaf_may_end_with_its_issuer_and_not_a_second_later(void **state)
{
  int64_t before, after, end = authority->certificate.not_after;
  (void)state;
  assert_true(plan_times("validity = 1d", end - DAY_S + 1, &before, &after));
  assert_int_equal(after, end);
  assert_false(plan_times("validity = 1d", end - DAY_S + 2, &before, &after));
  assert_true(
      plan_times("validity = 1d may_outlive_issuer = yes", end - DAY_S + 2, &before, &after));
  assert_false(plan_times("validity = 1d may_outlive_issuer = yes", end + 1, &before, &after));
}

static void a_request_may_be_for_a_shorter_one(void **state)
{
  int64_t before, after, end = authority->certificate.not_after;
  (void)state;
  assert_true(plan_times_of("validity = 30d", true, end - DAY_S, &before, &after));
  assert_int_equal(before, end - DAY_S);
  assert_int_equal(after, end);
  assert_true(plan_times_of("validity = 1d", true, end - 2 * DAY_S, &before, &after));
  assert_int_equal(after, end - DAY_S - 1);
  assert_false(plan_times_of("validity = 30d", true, end + 1, &before, &after));
}

static void a_serial_number_says_who_when_and_something_random(void **state)
{
  static const uint8_t random[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  uint8_t number[SERIAL_NUMBER_LEN];
  const uint8_t want[] = {0x7f, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  (void)state;
  serial_number_make(0x7f, 0x0123456789ab, random, number);
  assert_memory_equal(number, want, sizeof want);
}

static int set_up(void **state)
{
  AUTO(fault) f = {0};
  (void)state;
  kit_new(&kit);
  now = when_now();
  return kit_load_authority(&kit, now, &authority, &f) ? 0 : -1;
}

static int tear_down(void **state)
{
  (void)state;
  authority_free(authority);
  kit_free(&kit);
  for (size_t i = 0; i < ARRAY_LEN(keys); i++)
    private_key_free(keys[i].key);
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_case_is_judged_as_it_should),
      cmocka_unit_test(exactly_the_names_that_are_not_allowed_are_told),
      cmocka_unit_test(a_responder_is_short_lived_and_nobody_else_is_one),
      cmocka_unit_test(a_certificate_says_where_verifiers_look),
      cmocka_unit_test(each_shard_has_its_list),
      cmocka_unit_test(the_validity_counts_both_ends_and_holds_the_backdate),
      cmocka_unit_test(a_leaf_is_not_older_than_its_issuer),
      cmocka_unit_test(a_leaf_may_end_with_its_issuer_and_not_a_second_later),
      cmocka_unit_test(a_request_may_be_for_a_shorter_one),
      cmocka_unit_test(a_serial_number_says_who_when_and_something_random),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
