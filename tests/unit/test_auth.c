/* test_auth.c - who may pass, row by row. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "daemon/auth.h"
#include "lib/ca/device.h"

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

/* What device.c would find. */
bool device_authenticate(struct ledger *ledger, struct bytes credentials,
                         struct principal *ret_principal, struct fault *f)
{
  (void)ledger;
  if (!bytes_equal(credentials, bytes_of_text("W:1:secret")))
    return fault_set(f, UNAUTHENTICATED, "wrong");
  *ret_principal = (struct principal){.name = "W:1", .role = ROLE_DEVICE, .secret_no = 1};
  return true;
}

/* Of client certificates. */
static struct peer line_2, odd_one;

bool peer_authenticate(struct peer *peer, const struct trust *trust, struct ledger *ledger,
                       int64_t now, struct principal *ret_principal, struct fault *f)
{
  (void)trust, (void)ledger;
  assert_true(now > 0);
  if (peer != &line_2)
    return fault_set(f, UNAUTHENTICATED, "revoked");
  *ret_principal = (struct principal){.name = "line-2", .role = ROLE_STATION};
  return true;
}

/* One row, as it is now. */
static struct principal row;
static uint8_t row_octet;

bool ledger_find_principal(struct ledger *ledger, const char *name, bool *ret_found,
                           struct principal *ret_principal,
                           uint8_t ret_proof_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  (void)ledger, (void)f;
  *ret_found = strcmp(name, row.name) == 0;
  *ret_principal = row;
  memset(ret_proof_sha256, row_octet, TOKEN_SHA256_LEN);
  return true;
}

/* Of what may be renewed. */
static struct peer web_page;

bool peer_renews(struct peer *peer, const struct trust *trust, struct ledger *ledger, int64_t now,
                 struct principal *ret_principal, struct fault *f)
{
  (void)trust, (void)ledger;
  assert_true(now > 0);
  if (peer != &web_page && peer != &line_2)
    return fault_set(f, UNAUTHENTICATED, "not ours");
  *ret_principal = (struct principal){.name = "W-1", .role = ROLE_DEVICE, .renews = 7};
  return true;
}

struct trust *trust_box_get(struct trust_box *box)
{
  (void)box;
  return NULL;
}

void trust_release(struct trust *trust)
{
  assert_null(trust);
}

const char *role_name(enum role role)
{
  (void)role;
  return "some";
}

static const struct route for_admin = {.roles = MAY(ADMIN)},
                          for_both = {.roles = MAY(ADMIN) | MAY(STATION)},
                          for_devices = {.roles = MAY(DEVICE)}, open_row = {.roles = OPEN_TO_ALL},
                          closed = {.roles = 0}, for_holders = {.roles = AS_HOLDER | MAY(DEVICE)},
                          for_nobody = {.roles = AS_HOLDER};

static struct principal who; /* the last that tried */

static enum fault_code try_with(const struct route *route, const char *authorization,
                                struct peer *peer)
{
  AUTO(fault) fault = {0};
  const struct service service = {0};
  struct shown shown = {.peer = peer};
  if (authorization != NULL)
    shown.authorization = bytes_of_text(authorization);
  who = (struct principal){0};
  bool passed = auth_check(route, &shown, &service, &who, &fault);
  assert_int_equal(passed, fault.code == FAULT_NONE);
  return fault.code;
}

static enum fault_code try(const struct route *route, const char *authorization)
{
  return try_with(route, authorization, NULL);
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

static void a_device_comes_by_basic_or_by_bearer(void **state)
{
  (void)state;
  /* printf W:1:secret | base64 */
  assert_int_equal(try(&for_devices, "Basic VzoxOnNlY3JldA=="), FAULT_NONE);
  assert_int_equal(try(&for_devices, "basic  VzoxOnNlY3JldA=="), FAULT_NONE);
  assert_int_equal(try(&for_devices, "Bearer VzoxOnNlY3JldA"), FAULT_NONE);
  assert_int_equal(try(&for_admin, "Basic VzoxOnNlY3JldA=="), FAULT_FORBIDDEN);
  assert_int_equal(try(&for_devices, "Bearer VzoxOnNlY3JldA=="), FAULT_UNAUTHENTICATED);
  assert_int_equal(try(&for_devices, "Basic VzoxOnNlY3JlZA=="), FAULT_UNAUTHENTICATED);
  assert_int_equal(try(&for_devices, "Basic W:1:secret"), FAULT_UNAUTHENTICATED);
  assert_int_equal(try(&for_devices, "Bearer root.secret"), FAULT_FORBIDDEN);
}

static void only_a_secret_that_somebody_thought_of_can_be_guessed(void **state)
{
  (void)state;
  assert_true(auth_is_guessable(bytes_of_text("Basic VzoxOnNlY3JldA==")));
  assert_true(auth_is_guessable(bytes_of_text("Bearer VzoxOnNlY3JldA")));
  assert_false(auth_is_guessable(bytes_of_text("Bearer root.secret")));
  assert_false(auth_is_guessable(bytes_of_text("Basic ")));
  assert_false(auth_is_guessable(bytes_of(NULL, 0)));
}

static void a_certificate_counts_where_there_is_no_token(void **state)
{
  (void)state;
  assert_int_equal(try_with(&for_both, NULL, &line_2), FAULT_NONE);
  assert_string_equal(who.name, "line-2");
  assert_int_equal(try_with(&for_admin, NULL, &line_2), FAULT_FORBIDDEN);
  assert_int_equal(try_with(&for_both, NULL, &odd_one), FAULT_UNAUTHENTICATED);
  assert_int_equal(try_with(&open_row, NULL, &odd_one), FAULT_NONE);
}

static void a_token_counts_alone(void **state)
{
  (void)state;
  assert_int_equal(try_with(&for_both, "Bearer root.secret", &line_2), FAULT_NONE);
  assert_string_equal(who.name, "root");
  assert_int_equal(try_with(&for_both, "Bearer root.secret", &odd_one), FAULT_NONE);
  assert_int_equal(try_with(&for_both, "Bearer wrong.secret", &line_2), FAULT_UNAUTHENTICATED);
  assert_int_equal(try_with(&for_both, "", &line_2), FAULT_UNAUTHENTICATED);
}

static void a_holder_shows_what_is_to_be_renewed_and_nothing_else(void **state)
{
  (void)state;
  assert_int_equal(try_with(&for_holders, NULL, &web_page), FAULT_NONE);
  assert_string_equal(who.name, "W-1");
  assert_int_equal(who.renews, 7);
  assert_int_equal(try_with(&for_holders, NULL, &odd_one), FAULT_UNAUTHENTICATED);
  assert_int_equal(try_with(&for_holders, "Bearer root.secret", &web_page), FAULT_UNAUTHENTICATED);
  assert_int_equal(try_with(&for_holders, "", &web_page), FAULT_UNAUTHENTICATED);
  assert_int_equal(try(&for_holders, "Bearer root.secret"), FAULT_UNAUTHENTICATED);
  assert_int_equal(try(&for_holders, "Basic VzoxOnNlY3JldA=="), FAULT_UNAUTHENTICATED);
  assert_int_equal(try(&for_holders, NULL), FAULT_UNAUTHENTICATED);
  assert_int_equal(try_with(&for_nobody, NULL, &web_page), FAULT_FORBIDDEN);
  /* and it counts on no other row */
  assert_int_equal(try_with(&for_devices, NULL, &web_page), FAULT_UNAUTHENTICATED);
  assert_int_equal(try_with(&for_both, NULL, &line_2), FAULT_NONE);
  assert_int_equal(who.renews, 0);
}

static enum fault_code look_again(const char *name, enum role role, struct peer *shown)
{
  AUTO(fault) fault = {0};
  const struct service service = {0};
  struct exchange x = {.service = &service, .principal = {.role = role}, .shown = shown};
  uint8_t proof_sha256[TOKEN_SHA256_LEN];
  memset(proof_sha256, 7, sizeof proof_sha256);
  snprintf(x.principal.name, sizeof x.principal.name, "%s", name);
  bool passed = auth_check_again(&x, proof_sha256, &fault);
  assert_int_equal(passed, fault.code == FAULT_NONE);
  return fault.code;
}

static void who_was_let_in_is_looked_at_again(void **state)
{
  (void)state;
  const struct principal line_1 = {.name = "line-1", .role = ROLE_STATION};
  row = line_1;
  row_octet = 7;
  assert_int_equal(look_again("line-1", ROLE_STATION, NULL), FAULT_NONE);
  assert_int_equal(look_again("line-2", ROLE_STATION, NULL), FAULT_UNAUTHENTICATED);
  row.disabled_at = 1;
  assert_int_equal(look_again("line-1", ROLE_STATION, NULL), FAULT_UNAUTHENTICATED);
  row = line_1;
  row.role = ROLE_ADMIN;
  assert_int_equal(look_again("line-1", ROLE_STATION, NULL), FAULT_UNAUTHENTICATED);
  row = line_1;
  row_octet = 8; /* another token */
  assert_int_equal(look_again("line-1", ROLE_STATION, NULL), FAULT_UNAUTHENTICATED);
  assert_int_equal(look_again("line-2", ROLE_STATION, &line_2), FAULT_NONE);
  assert_int_equal(look_again("line-1", ROLE_STATION, &line_2), FAULT_UNAUTHENTICATED);
  assert_int_equal(look_again("line-2", ROLE_STATION, &odd_one), FAULT_UNAUTHENTICATED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_row_says_who_may),
      cmocka_unit_test(a_row_without_roles_is_closed_to_all),
      cmocka_unit_test(an_open_row_asks_nobody),
      cmocka_unit_test(only_a_bearer_token_counts),
      cmocka_unit_test(a_device_comes_by_basic_or_by_bearer),
      cmocka_unit_test(only_a_secret_that_somebody_thought_of_can_be_guessed),
      cmocka_unit_test(a_certificate_counts_where_there_is_no_token),
      cmocka_unit_test(a_token_counts_alone),
      cmocka_unit_test(who_was_let_in_is_looked_at_again),
      cmocka_unit_test(a_holder_shows_what_is_to_be_renewed_and_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
