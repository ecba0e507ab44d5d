/* test_rest_principal.c - principals that show a certificate, get a new proof, are disabled. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdio.h>

#include "daemon/rest.h"
#include "lib/base/text.h"
#include "tests/unit/fake_service.h"
#include "tests/unit/sample.h"

static struct exchange x;

/* As the administrator "line-3" (see fake_exchange). */
static void ask(handler *call, const char *name, const char *body)
{
  fake_exchange_end(&x);
  fake_exchange(&x, ROLE_ADMIN, NULL);
  strcpy(x.content_type, "application/json");
  snprintf(x.path_value, sizeof x.path_value, "%s", name);
  buf_add_text(&x.body, body);
  assert_int_equal(call(&x), HANDLED);
}

static void assert_says(const char *word)
{
  if (strstr(buf_text(&x.reply.body), word) == NULL)
    fail_msg("no %s in %s", word, buf_text(&x.reply.body));
}

static void assert_refused(enum fault_code code, const char *word)
{
  assert_int_equal(x.code, code);
  assert_null(strstr(buf_text(&x.reply.body), "SECRET"));
  assert_says(word);
}

/* The ledger has one certificate, under this profile. */
static void put_certificate(const char *profile, const char *device_serial, char ret_hex[33])
{
  fake_add_row(device_serial, "admin", "");
  struct issued *row = &fake.rows[fake.n_rows - 1];
  TEXT_COPY(row->profile, bytes_of_text(profile));
  row->status = STATUS_VALID;
  memset(row->spki_sha256, 9, sizeof row->spki_sha256);
  text_hex(ret_hex, row->serial_number, sizeof row->serial_number);
}

static void ask_with(handler *call, const char *name, const char *format, const char *hex)
{
  AUTO(buf) body = {0};
  buf_addf(&body, "{%s\"certificate\":\"%s\"}", format, hex);
  ask(call, name, buf_text(&body));
}

static void one_can_show_the_certificate_that_was_issued_to_its_name(void **state)
{
  (void)state;
  char hex[33];
  put_certificate("station", "line-4", hex);
  ask_with(rest_add_principal, "", "\"name\":\"line-4\",\"role\":\"operator\",", hex);
  assert_int_equal(x.reply.status, 201);
  assert_int_equal(fake.principals[0].proof, PROOF_CERTIFICATE);
  assert_int_equal(fake.principals[0].role, ROLE_OPERATOR);
  assert_int_equal(fake.proof_octet, 9);
  assert_says("\"proof\":\"certificate\"");
  assert_null(strstr(buf_text(&x.reply.body), "token\":"));
}

static void no_other_certificate_makes_a_principal(void **state)
{
  (void)state;
  static const char line_4[] = "\"name\":\"line-4\",\"role\":\"station\",";
  char of_device[33], of_other[33], old[33];
  put_certificate("device-client", "line-4", of_device);
  put_certificate("station", "line-5", of_other);
  put_certificate("station", "line-4", old);
  fake.rows[fake.n_rows - 1].status = STATUS_SUPERSEDED;
  ask_with(rest_add_principal, "", line_4, of_device);
  assert_refused(FAULT_BAD_FIELD, "profile station");
  ask_with(rest_add_principal, "", line_4, of_other);
  assert_refused(FAULT_BAD_FIELD, "device_serial line-4");
  ask_with(rest_add_principal, "", line_4, old);
  assert_refused(FAULT_BAD_FIELD, "valid one");
  ask_with(rest_add_principal, "", line_4, "00112233445566778899aabbccddeeff");
  assert_refused(FAULT_UNKNOWN_SERIAL_NUMBER, "");
  ask_with(rest_add_principal, "", line_4, "0011");
  assert_refused(FAULT_BAD_FIELD, "serial number");
  assert_int_equal(fake.n_principals, 0);
}

static void a_trust_vouches_for_stations_alone(void **state)
{
  (void)state;
  ask(rest_add_principal, "", "{\"name\":\"line-4\",\"role\":\"admin\",\"trust\":\"acme\"}");
  assert_refused(FAULT_BAD_FIELD, "station alone");
  ask(rest_add_principal, "", "{\"name\":\"line-4\",\"role\":\"station\",\"trust\":\"acme\"}");
  assert_int_equal(x.reply.status, 201);
  assert_int_equal(fake.principals[0].proof, PROOF_TRUST);
  ask(rest_rotate_principal, "line-4", "{}");
  assert_refused(FAULT_BAD_FIELD, "another authority");
}

static void a_new_token_takes_the_place_of_the_old_one(void **state)
{
  (void)state;
  ask(rest_add_principal, "", "{\"name\":\"line-4\",\"role\":\"station\"}");
  ask(rest_rotate_principal, "line-4", "{}");
  assert_int_equal(x.reply.status, 200);
  assert_true(x.reply.secret);
  assert_says("line-4.SECRET");
  ask(rest_rotate_principal, "line-4", "{\"role\":\"admin\"}");
  assert_refused(FAULT_UNKNOWN_FIELD, "role");
  ask(rest_rotate_principal, "line-5", "{}");
  assert_refused(FAULT_UNKNOWN_PRINCIPAL, "line-5");
}

static void a_certificate_can_take_the_place_of_a_token_and_not_the_other_way(void **state)
{
  (void)state;
  char hex[33];
  ask(rest_add_principal, "", "{\"name\":\"line-4\",\"role\":\"station\"}");
  put_certificate("station", "line-4", hex);
  ask_with(rest_rotate_principal, "line-4", "", hex);
  assert_int_equal(x.reply.status, 200);
  assert_int_equal(fake.principals[0].proof, PROOF_CERTIFICATE);
  ask(rest_rotate_principal, "line-4", "{}");
  assert_refused(FAULT_BAD_FIELD, "certificate");
}

static void one_is_disabled_and_enabled_again(void **state)
{
  (void)state;
  ask(rest_add_principal, "", "{\"name\":\"line-4\",\"role\":\"station\"}");
  ask(rest_disable_principal, "line-4", "{}");
  assert_int_equal(x.reply.status, 200);
  assert_true(fake.principals[0].disabled_at > 0);
  assert_null(strstr(buf_text(&x.reply.body), "\"disabled_at\":\"\""));
  ask(rest_enable_principal, "line-4", "{}");
  assert_int_equal(fake.principals[0].disabled_at, 0);
  assert_says("\"disabled_at\":\"\"");
  ask(rest_disable_principal, "nobody", "{}");
  assert_refused(FAULT_UNKNOWN_PRINCIPAL, "nobody");
  ask(rest_disable_principal, "line-4", "{\"for\":1}");
  assert_refused(FAULT_UNKNOWN_FIELD, "for");
}

static void nobody_disables_himself(void **state)
{
  (void)state;
  ask(rest_add_principal, "", "{\"name\":\"line-3\",\"role\":\"admin\"}");
  ask(rest_disable_principal, "line-3", "{}");
  assert_refused(FAULT_FORBIDDEN, "himself");
  assert_int_equal(fake.principals[0].disabled_at, 0);
}

static void a_token_that_was_not_kept_is_not_told(void **state)
{
  (void)state;
  ask(rest_add_principal, "", "{\"name\":\"line-4\",\"role\":\"station\"}");
  fake.fails_with = FAULT_LEDGER;
  ask(rest_rotate_principal, "line-4", "{}");
  assert_refused(FAULT_LEDGER, "");
  ask(rest_disable_principal, "line-4", "{}");
  assert_refused(FAULT_LEDGER, "");
}

static int begin(void **state)
{
  (void)state;
  fake_reset();
  fake_exchange(&x, ROLE_ADMIN, NULL);
  return 0;
}

static int end_one(void **state)
{
  (void)state;
  fake_exchange_end(&x);
  return 0;
}

static int end(void **state)
{
  (void)state;
  fake_reset();
  sample_end();
  return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end_one)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(one_can_show_the_certificate_that_was_issued_to_its_name),
      TEST(no_other_certificate_makes_a_principal),
      TEST(a_trust_vouches_for_stations_alone),
      TEST(a_new_token_takes_the_place_of_the_old_one),
      TEST(a_certificate_can_take_the_place_of_a_token_and_not_the_other_way),
      TEST(one_is_disabled_and_enabled_again),
      TEST(nobody_disables_himself),
      TEST(a_token_that_was_not_kept_is_not_told),
  };
  return cmocka_run_group_tests(tests, NULL, end);
}
