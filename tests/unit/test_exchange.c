/* test_exchange.c - problem documents (RFC 9457), as a client reads them. */
#include "tests/unit/unit.h"

#include <jansson.h>

#include "daemon/exchange.h"

static json_t *fail_with(struct exchange *x, const struct fault *fault)
{
  assert_int_equal(exchange_fail(x, fault), HANDLED);
  assert_string_equal(x->reply.content_type, "application/problem+json");
  json_t *problem = json_loadb((const char *)x->reply.body.data, x->reply.body.len, 0, NULL);
  assert_true(json_is_object(problem));
  return problem;
}

static const char *text_of(const json_t *object, const char *key)
{
  const char *text = json_string_value(json_object_get(object, key));
  assert_non_null(text);
  return text;
}

static void a_problem_says_what_and_why(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  struct exchange x = {.request_id = "abc-1"};
  fault_set(&fault, KEY_ALREADY_USED, "device \"W-1\" has it");
  json_t *problem = fail_with(&x, &fault);
  assert_int_equal(x.reply.status, 409);
  assert_int_equal(x.code, FAULT_KEY_ALREADY_USED);
  assert_string_equal(text_of(problem, "type"), "urn:mintmark:problem:key-already-used");
  assert_string_equal(text_of(problem, "title"), "another device has this key");
  assert_string_equal(text_of(problem, "detail"), "device \"W-1\" has it");
  assert_string_equal(text_of(problem, "code"), "key-already-used");
  assert_string_equal(text_of(problem, "request_id"), "abc-1");
  assert_int_equal(json_integer_value(json_object_get(problem, "status")), 409);
  assert_null(json_object_get(problem, "errors"));
  assert_int_equal(x.reply.retry_after_s, 0);
  json_decref(problem);
  exchange_clear(&x);
}

static void each_rejected_name_is_an_error_of_its_own(void **state)
{
  (void)state;
  AUTO(fault) fault = {0};
  struct exchange x = {0};
  fault_set(&fault, NAME_NOT_ALLOWED, "2 names");
  fault_add_item(&fault, "8.8.8.8", "not in 10.0.0.0/8");
  fault_add_item(&fault, "\xff.example", "no");
  json_t *problem = fail_with(&x, &fault);
  json_t *errors = json_object_get(problem, "errors");
  assert_int_equal(json_array_size(errors), 2);
  assert_string_equal(text_of(json_array_get(errors, 0), "name"), "8.8.8.8");
  assert_string_equal(text_of(json_array_get(errors, 0), "why"), "not in 10.0.0.0/8");
  assert_string_equal(text_of(json_array_get(errors, 1), "name"), "?.example");
  json_decref(problem);
  exchange_clear(&x);
}

static void a_client_learns_when_to_come_again(void **state)
{
  (void)state;
  static const enum fault_code codes[] = {FAULT_BUSY, FAULT_SIGNER_DOWN, FAULT_LEDGER,
                                          FAULT_STOPPING, FAULT_TOO_MANY_REQUESTS};
  for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
    struct fault fault = {.code = codes[i]};
    struct exchange x = {0};
    json_decref(fail_with(&x, &fault));
    assert_true(x.reply.retry_after_s > 0);
    exchange_clear(&x);
  }
}

static void who_is_not_known_learns_how_to_show_a_token(void **state)
{
  (void)state;
  struct fault fault = {.code = FAULT_UNAUTHENTICATED};
  struct exchange x = {0};
  json_decref(fail_with(&x, &fault));
  assert_string_equal(x.reply.www_authenticate, "Bearer realm=\"mintmark\"");
  exchange_clear(&x);
}

static void a_failure_takes_the_place_of_a_half_made_reply(void **state)
{
  (void)state;
  struct fault fault = {.code = FAULT_INTERNAL};
  struct exchange x = {.reply = {.status = 200, .location = "/there", .secret = true}};
  buf_add_text(&x.reply.body, "half");
  json_decref(fail_with(&x, &fault));
  assert_int_equal(x.reply.status, 500);
  assert_string_equal(x.reply.location, "");
  exchange_clear(&x);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_problem_says_what_and_why),
      cmocka_unit_test(each_rejected_name_is_an_error_of_its_own),
      cmocka_unit_test(a_client_learns_when_to_come_again),
      cmocka_unit_test(who_is_not_known_learns_how_to_show_a_token),
      cmocka_unit_test(a_failure_takes_the_place_of_a_half_made_reply),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
