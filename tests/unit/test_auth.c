/* test_auth.c - who may pass, row by row. */
#include "tests/unit/unit.h"

#include "daemon/auth.h"

/* A ledger of two: what principal.c would find. */
bool principal_authenticate(struct ledger *ledger, struct bytes token,
                            struct principal *ret_principal, struct fault *f)
{
  (void)ledger;
  if (bytes_equal(token, bytes_of_text("line-1.secret")))
    *ret_principal = (struct principal){.name = "line-1", .role = ROLE_STATION};
  else if (bytes_equal(token, bytes_of_text("root.secret")))
    *ret_principal = (struct principal){.name = "root", .role = ROLE_ADMIN};
  else if (bytes_equal(token, bytes_of_text("odd.secret")))
    *ret_principal = (struct principal){.name = "odd", .role = ROLE_NONE};
  else
    return fault_set(f, UNAUTHENTICATED, "wrong");
  return true;
}

const char *role_name(enum role role)
{
  (void)role;
  return "some";
}

static const struct route for_admin = {.roles = MAY(ADMIN)},
                          for_both = {.roles = MAY(ADMIN) | MAY(STATION)},
                          open_row = {.roles = OPEN_TO_ALL}, closed = {.roles = 0};

static enum fault_code try(const struct route *route, const char *authorization)
{
  AUTO(fault) fault = {0};
  struct principal principal = {0};
  struct bytes value = authorization != NULL ? bytes_of_text(authorization) : (struct bytes){0};
  bool passed = auth_check(route, value, NULL, &principal, &fault);
  assert_int_equal(passed, fault.code == FAULT_NONE);
  return fault.code;
}

static void the_row_says_who_may(void **state)
{
  (void)state;
  assert_int_equal(try(&for_both, "Bearer line-1.secret"), FAULT_NONE);
  assert_int_equal(try(&for_both, "Bearer root.secret"), FAULT_NONE);
  assert_int_equal(try(&for_admin, "bearer  root.secret"), FAULT_NONE);
  assert_int_equal(try(&for_admin, "Bearer line-1.secret"), FAULT_FORBIDDEN);
}

static void a_row_without_roles_is_closed_to_all(void **state)
{
  (void)state;
  assert_int_equal(try(&closed, "Bearer root.secret"), FAULT_FORBIDDEN);
  assert_int_equal(try(&closed, NULL), FAULT_UNAUTHENTICATED);
  assert_int_equal(try(&for_both, "Bearer odd.secret"), FAULT_FORBIDDEN);
}

static void an_open_row_asks_nobody(void **state)
{
  (void)state;
  assert_int_equal(try(&open_row, NULL), FAULT_NONE);
  assert_int_equal(try(&open_row, "Bearer nonsense"), FAULT_NONE);
}

static void only_a_bearer_token_counts(void **state)
{
  (void)state;
  static const char *const values[] = {NULL,
                                       "",
                                       "Bearer",
                                       "Bearer ",
                                       "Bearerroot.secret",
                                       "Basic root.secret",
                                       "root.secret",
                                       "Bearer root.secret extra",
                                       "Bearer root.secret,Bearer root.secret",
                                       "Bearer \"root.secret\"",
                                       "Bearer root.secre"};
  for (size_t i = 0; i < ARRAY_LEN(values); i++)
    assert_int_equal(try(&for_admin, values[i]), FAULT_UNAUTHENTICATED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_row_says_who_may),
      cmocka_unit_test(a_row_without_roles_is_closed_to_all),
      cmocka_unit_test(an_open_row_asks_nobody),
      cmocka_unit_test(only_a_bearer_token_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
