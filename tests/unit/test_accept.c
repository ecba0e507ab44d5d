/* test_accept.c - the client gets the type it asked for, or hears what it can have. */
#include "tests/unit/unit.h"

#include "daemon/accept.h"

#define JSON "application/json"
#define PEM  "application/pem-certificate-chain"
#define DER  "application/pkix-cert"
#define CMS  "application/pkcs7-mime; smime-type=certs-only"

static const char *const offers[] = {JSON, PEM, DER, CMS};

/* What is chosen, or NULL. */
static const char *choose(const char *accept)
{
  AUTO(fault) f = {0};
  size_t index = 99;
  if (accept_choose(accept, offers, ARRAY_LEN(offers), &index, &f))
    return offers[index];
  assert_int_equal(f.code, FAULT_NOT_ACCEPTABLE);
  assert_non_null(strstr(f.detail, DER));
  assert_int_equal(index, 99);
  return NULL;
}

struct row {
  const char *accept, *chosen;
};

static void check(const struct row *rows, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    const char *chosen = choose(rows[i].accept);
    if (chosen == NULL || rows[i].chosen == NULL ? chosen != rows[i].chosen
                                                 : strcmp(chosen, rows[i].chosen) != 0)
      fail_msg("Accept: %s: %s instead of %s", rows[i].accept, chosen != NULL ? chosen : "406",
               rows[i].chosen != NULL ? rows[i].chosen : "406");
  }
}

static void json_is_the_default(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {"", JSON},
      {" ", JSON},
      {",", JSON},
      {" , ,", JSON},
      {"*/*", JSON},
      {"application/*", JSON},
      {"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", JSON},
  };
  check(rows, ARRAY_LEN(rows));
}

static void a_type_is_had_by_its_name(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {JSON, JSON},
      {PEM, PEM},
      {DER, DER},
      {CMS, CMS},
      {"application/pkcs7-mime", CMS},
      {"Application/PKIX-Cert", DER},
      {"application/pkcs7-mime;SMIME-TYPE=\"certs-only\"", CMS},
      {"application/json;charset=utf-8", JSON},
      {"application/json ; charset=\"UTF-8\"", JSON},
      {"text/html, application/pkix-cert", DER},
      {"text/html,application/pkix-cert ,", DER},
      {"application/json;;", JSON},
  };
  check(rows, ARRAY_LEN(rows));
}

static void weights_decide(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {"application/json;q=0.5, application/pkix-cert;q=0.9", DER},
      {"application/json;q=0.5, application/pkix-cert;q=0.499", JSON},
      {"application/json;q=0.5, */*", PEM},
      {"application/json;Q=0.001, application/pkix-cert;q=0.002", DER},
      {"application/pkix-cert;q=1.000, application/json;q=0.999", DER},
      {"application/json;q=0, */*", PEM},
      {"application/json;q=0, application/pem-certificate-chain;q=0.0, */*;q=0.1", DER},
      {"application/pkix-cert; q=0.4, application/*; q=0.2, */*;q=0.1", DER},
      /* Between equals: the one that was named, then our order. */
      {"application/pkix-cert, */*", DER},
      {"*/*, application/pkix-cert", DER},
      {"application/pkix-cert, application/json", JSON},
      {"application/json;q=1., application/pkix-cert;q=1.0", JSON},
  };
  check(rows, ARRAY_LEN(rows));
}

static void what_was_not_asked_for_is_refused(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {"text/html", NULL},
      {"text/*", NULL},
      {"*/*;q=0", NULL},
      {"application/json;q=0", NULL},
      {"application/json;q=0.000", NULL},
      {"application/*;q=0, text/html", NULL},
      {"application/json;version=2", NULL},
      {"application/pkcs7-mime;smime-type=enveloped-data", NULL},
      {"application/jsonp", NULL},
      {"application/jso", NULL},
  };
  check(rows, ARRAY_LEN(rows));
}

static void an_element_that_is_not_well_formed_matches_nothing(void **state)
{
  (void)state;
  static const struct row rows[] = {
      {"json", NULL},
      {"application", NULL},
      {"application/", NULL},
      {"/json", NULL},
      {"*/json", NULL},
      {"application/json;q", NULL},
      {"application/json;q=", NULL},
      {"application/json;q=1.1", NULL},
      {"application/json;q=2", NULL},
      {"application/json;q=-1", NULL},
      {"application/json;q=0.1234", NULL},
      {"application/json;q=.5", NULL},
      {"application/json;q=1e0", NULL},
      {"application/json;q=0,5", NULL},
      {"application/json;charset=\"utf-8", NULL},
      {"application/json;charset=\"utf-8\\", NULL},
      {"application/json charset=utf-8", NULL},
      {"application/json;q=x, application/pkix-cert;q=0.1", DER},
      {"\"a,application/json\", application/pkix-cert", DER},
      {"application/json;x=\"a\\\",\", application/pkix-cert", DER},
  };
  check(rows, ARRAY_LEN(rows));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_is_the_default),
      cmocka_unit_test(a_type_is_had_by_its_name),
      cmocka_unit_test(weights_decide),
      cmocka_unit_test(what_was_not_asked_for_is_refused),
      cmocka_unit_test(an_element_that_is_not_well_formed_matches_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
