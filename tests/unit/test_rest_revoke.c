/* test_rest_revoke.c - what is asked to be revoked, how it is answered, and what is not taken. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/rest.h"
#include "daemon/search_decode.h"
#include "tests/unit/fake_service.h"
#include "tests/unit/sample.h"

static struct exchange x;

static void clear(void)
{
  buf_free(&x.reply.body);
  x.reply = (struct reply){0};
  x.code = FAULT_NONE;
  x.path_value[0] = '\0';
}

static void ask(handler *call, const char *body, enum handled expected)
{
  AUTO(buf) text = {0};
  char path_value[129];
  memcpy(path_value, x.path_value, sizeof path_value);
  clear();
  memcpy(x.path_value, path_value, sizeof path_value);
  buf_free(&x.body);
  buf_add_text(&x.body, body);
  assert_int_equal(call(&x), expected);
}

static void assert_says(const char *part)
{
  if (strstr(buf_text(&x.reply.body), part) == NULL)
    fail_msg("%s is not in %s", part, buf_text(&x.reply.body));
}

static void assert_refused(enum fault_code code, const char *part)
{
  if (x.code != code)
    fail_msg("%s: %s", fault_problem_code(x.code), buf_text(&x.reply.body));
  assert_int_equal(x.reply.status, fault_status(code));
  assert_says(part);
}

/* --- one --- */

static void one_is_revoked_for_a_reason(void **state)
{
  (void)state;
  strcpy(x.path_value, "01000000000000000000000000000002");
  ask(rest_revoke, "{\"reason\":\"keyCompromise\"}", HANDLED);
  assert_int_equal(x.reply.status, 200);
  assert_says("\"status\":\"?\"");
  assert_says("\"revocation_reason\":\"keyCompromise\"");
  assert_int_equal(fake.revoked.reason, REASON_KEY_COMPROMISE);
  assert_string_equal(fake.revoked.who.principal, "line-3");
  assert_string_equal(x.serial_number, "01000000000000000000000000000002");
  assert_string_equal(x.device_serial, "W-2");
  ask(rest_revoke, "{}", HANDLED);
  assert_says("\"revocation_reason\":\"unspecified\"");
}

static void what_is_no_reason_or_no_certificate_is_refused(void **state)
{
  (void)state;
  strcpy(x.path_value, "01000000000000000000000000000002");
  ask(rest_revoke, "{\"reason\":\"cACompromise\"}", HANDLED);
  assert_refused(FAULT_BAD_FIELD, "keyCompromise");
  ask(rest_revoke, "{\"reason\":1}", HANDLED);
  assert_refused(FAULT_BAD_FIELD, "string");
  ask(rest_revoke, "{\"why\":\"superseded\"}", HANDLED);
  assert_refused(FAULT_UNKNOWN_FIELD, "why");
  ask(rest_revoke, "", HANDLED);
  assert_refused(FAULT_BAD_JSON, "empty");
  strcpy(x.path_value, "01000000000000000000000000000099");
  ask(rest_revoke, "{}", HANDLED);
  assert_refused(FAULT_UNKNOWN_SERIAL_NUMBER, "");
  strcpy(x.path_value, "0100");
  ask(rest_revoke, "{}", HANDLED);
  assert_refused(FAULT_UNKNOWN_SERIAL_NUMBER, "");
  assert_int_equal(fake.n_revoked, 0);
}

/* --- many --- */

static void a_dry_run_counts_and_lists(void **state)
{
  (void)state;
  ask(rest_revocations,
      "{\"order\":\"PO-1\",\"station\":\"line-3\",\"model\":\"WX-4\",\"profile\":\"idevid\","
      "\"device_serial\":\"W-1\",\"issued_after\":\"2026-11-23T00:00:00Z\",\"dry_run\":true}",
      DEFERRED);
  assert_int_equal(fake.n_finished, 1);
  assert_int_equal(x.reply.status, 200);
  assert_string_equal(buf_text(&fake.searched),
                      "device_serial=W-1\nstation=line-3\norder=PO-1\nmodel=WX-4\nprofile=idevid\n"
                      "issued_after_ms=1795392000000\nonly_good=1\nlimit=100\n");
  assert_says("\"count\":3");
  assert_says("\"selection\":\"3-3-99\"");
  assert_says("\"certificates\":[{\"serial_number\"");
  assert_int_equal(fake.n_revoked, 0);
}

static void the_count_confirms(void **state)
{
  (void)state;
  ask(rest_revocations, "{\"order\":\"PO-1\",\"count\":3,\"reason\":\"superseded\"}", DEFERRED);
  assert_string_equal(buf_text(&x.reply.body), "{\"revoked\":3}");
  assert_int_equal(fake.revoked.reason, REASON_SUPERSEDED);
  assert_string_equal(fake.revoked.who.principal, "line-3");
  ask(rest_revocations, "{\"order\":\"PO-1\",\"count\":3,\"selection\":\"3-3-99\"}", DEFERRED);
  assert_string_equal(buf_text(&x.reply.body), "{\"revoked\":3}");
  assert_int_equal(fake.n_revoked, 2);
}

static void a_selection_that_has_changed_is_left_alone(void **state)
{
  (void)state;
  ask(rest_revocations, "{\"order\":\"PO-1\",\"count\":2}", DEFERRED);
  assert_refused(FAULT_SELECTION_CHANGED, "3 now, not 2");
  ask(rest_revocations, "{\"order\":\"PO-1\",\"count\":0}", DEFERRED);
  assert_refused(FAULT_SELECTION_CHANGED, "3 now, not 0");
  ask(rest_revocations, "{\"order\":\"PO-1\",\"count\":3,\"selection\":\"3-3-98\"}", DEFERRED);
  assert_refused(FAULT_SELECTION_CHANGED, "not the same");
  assert_int_equal(fake.n_revoked, 0);
}

static void without_a_dry_run_or_a_filter_nothing_is_done(void **state)
{
  (void)state;
  static const struct {
    const char *body;
    enum fault_code code;
    const char *says;
  } cases[] = {
      {"{\"order\":\"PO-1\"}", FAULT_BAD_FIELD, "dry run first"},
      {"{\"order\":\"PO-1\",\"dry_run\":false}", FAULT_BAD_FIELD, "dry run first"},
      {"{\"dry_run\":true}", FAULT_BAD_FIELD, "which certificates"},
      {"{\"count\":3,\"reason\":\"superseded\"}", FAULT_BAD_FIELD, "which certificates"},
      {"{\"order\":\"\",\"dry_run\":true}", FAULT_BAD_FIELD, "empty"},
      {"{\"serial_numbers\":[],\"dry_run\":true}", FAULT_BAD_FIELD, "which certificates"},
      {"{\"serial_numbers\":[\"01\"],\"dry_run\":true}", FAULT_BAD_FIELD, "32 hexadecimal"},
      {"{\"order\":\"PO-1\",\"dry_run\":true,\"count\":3}", FAULT_BAD_FIELD, "dry run gives"},
      {"{\"order\":\"PO-1\",\"count\":-1}", FAULT_BAD_FIELD, "count"},
      {"{\"order\":\"PO-1\",\"count\":\"3\"}", FAULT_BAD_FIELD, "whole number"},
      {"{\"status\":\"valid\",\"count\":3}", FAULT_UNKNOWN_FIELD, "status"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    ask(rest_revocations, cases[i].body, HANDLED);
    assert_refused(cases[i].code, cases[i].says);
  }
  assert_int_equal(fake.n_revoked + fake.n_searches, 0);
}

static void serial_numbers_that_are_named_must_be_there(void **state)
{
  (void)state;
  ask(rest_revocations,
      "{\"serial_numbers\":[\"01000000000000000000000000000001\","
      "\"01000000000000000000000000000099\"],\"dry_run\":true}",
      DEFERRED);
  assert_refused(FAULT_UNKNOWN_SERIAL_NUMBER, "1 of these");
  ask(rest_revocations,
      "{\"serial_numbers\":[\"01000000000000000000000000000001\","
      "\"01000000000000000000000000000002\"],\"dry_run\":true}",
      DEFERRED);
  assert_non_null(strstr(buf_text(&fake.searched), "serial_numbers=2"));
  assert_says("\"count\":3");
}

static void holds_are_lifted_where_there_are_some(void **state)
{
  (void)state;
  ask(rest_revocations, "{\"order\":\"PO-1\",\"reason\":\"removeFromCRL\",\"dry_run\":true}",
      DEFERRED);
  assert_non_null(strstr(buf_text(&fake.searched), "only_on_hold=1"));
  assert_null(strstr(buf_text(&fake.searched), "only_good"));
}

static void what_cannot_be_done_is_said(void **state)
{
  (void)state;
  fake.is_busy = true;
  ask(rest_revocations, "{\"order\":\"PO-1\",\"dry_run\":true}", HANDLED);
  assert_refused(FAULT_BUSY, "");
  fake.is_busy = false;
  fake.fails_with = FAULT_LEDGER;
  ask(rest_revocations, "{\"order\":\"PO-1\",\"dry_run\":true}", DEFERRED);
  assert_refused(FAULT_LEDGER, "");
}

static int begin(void **state)
{
  (void)state;
  fake_reset();
  fake_add_row("W-1", "line-3", "");
  fake_add_row("W-2", "line-4", "");
  fake_add_row("W-3", "line-3", "");
  fake_exchange(&x, ROLE_OPERATOR, NULL);
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
      TEST(one_is_revoked_for_a_reason),
      TEST(what_is_no_reason_or_no_certificate_is_refused),
      TEST(a_dry_run_counts_and_lists),
      TEST(the_count_confirms),
      TEST(a_selection_that_has_changed_is_left_alone),
      TEST(without_a_dry_run_or_a_filter_nothing_is_done),
      TEST(serial_numbers_that_are_named_must_be_there),
      TEST(holds_are_lifted_where_there_are_some),
      TEST(what_cannot_be_done_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, end);
}
