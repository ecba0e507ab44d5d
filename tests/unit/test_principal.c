/* test_principal.c - a token lets its owner in, and nothing else does. */
#include "tests/unit/ledger_unit.h"

#include <openssl/evp.h>

#include "lib/base/text.h"
#include "lib/ca/principal.h"

static void add(struct ledger *ledger, const char *name, enum role role, struct buf *ret_token)
{
  AUTO(fault) f = {0};
  uint8_t digest[TOKEN_SHA256_LEN];
  struct principal principal = {.role = role, .created_at = NOW};
  assert_true(TEXT_COPY(principal.name, bytes_of_text(name)));
  assert_true(principal_make_token(name, ret_token, digest, &f));
  assert_true(ledger_add_principal(ledger, &principal, digest, NULL, &f));
}

static void a_token_is_a_name_and_a_secret_of_its_own(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  AUTO(secret_buf) first = {0};
  AUTO(secret_buf) second = {0};
  uint8_t digest[TOKEN_SHA256_LEN], other[TOKEN_SHA256_LEN], expected[TOKEN_SHA256_LEN];
  assert_true(principal_make_token("line-3", &first, digest, &f));
  assert_true(principal_make_token("line-3", &second, other, &f));
  assert_memory_equal(first.data, "line-3.", 7);
  assert_int_equal(first.len, 7 + 43);
  assert_false(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
  assert_memory_not_equal(digest, other, sizeof digest);
  assert_int_equal(EVP_Digest(first.data, first.len, expected, NULL, EVP_sha256(), NULL), 1);
  assert_memory_equal(digest, expected, sizeof digest);
}

static void a_name_that_would_confuse_a_token_makes_none(void **state)
{
  (void)state;
  const char *const names[] = {"", "a.b", "a b", "\xc3\xa4",
                               "a0123456789012345678901234567890123456789012345678901234567890123"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(fault) f = {0};
    AUTO(secret_buf) token = {0};
    uint8_t digest[TOKEN_SHA256_LEN];
    assert_false(principal_name_is_valid(bytes_of_text(names[i])));
    assert_false(principal_make_token(names[i], &token, digest, &f));
    assert_int_equal(token.len, 0);
  }
  assert_true(principal_name_is_valid(bytes_of_text("Line_3-b")));
}

static void a_token_tells_who_it_is(void **state)
{
  struct bench *bench = *state;
  AUTO(secret_buf) station = {0};
  AUTO(secret_buf) admin = {0};
  add(bench->ledger, "line-3", ROLE_STATION, &station);
  add(bench->ledger, "boss", ROLE_ADMIN, &admin);
  AUTO(fault) f = {0};
  struct principal principal;
  assert_true(principal_authenticate(bench->ledger, buf_bytes(&station), &principal, &f));
  assert_string_equal(principal.name, "line-3");
  assert_int_equal(principal.role, ROLE_STATION);
  assert_int_equal(principal.created_at, NOW);
  assert_true(principal_authenticate(bench->ledger, buf_bytes(&admin), &principal, &f));
  assert_string_equal(principal.name, "boss");
  assert_int_equal(principal.role, ROLE_ADMIN);
}

static void assert_unknown(struct ledger *ledger, struct bytes token, char detail[400])
{
  AUTO(fault) f = {0};
  struct principal principal = {.role = ROLE_NONE};
  assert_false(principal_authenticate(ledger, token, &principal, &f));
  assert_int_equal(f.code, FAULT_UNAUTHENTICATED);
  assert_int_equal(principal.role, ROLE_NONE);
  memcpy(detail, f.detail, sizeof f.detail);
}

static void a_wrong_secret_and_an_unknown_name_look_the_same(void **state)
{
  struct bench *bench = *state;
  AUTO(secret_buf) token = {0};
  add(bench->ledger, "line-3", ROLE_STATION, &token);
  char wrong_secret[400], unknown_name[400];
  token.data[token.len - 1] ^= 1;
  assert_unknown(bench->ledger, buf_bytes(&token), wrong_secret);
  token.data[token.len - 1] ^= 1;
  token.data[0] = 'L';
  assert_unknown(bench->ledger, buf_bytes(&token), unknown_name);
  assert_string_equal(wrong_secret, unknown_name);
}

static void what_is_no_token_lets_nobody_in(void **state)
{
  struct bench *bench = *state;
  AUTO(secret_buf) token = {0};
  add(bench->ledger, "line-3", ROLE_STATION, &token);
  const struct bytes tokens[] = {
      bytes_of(NULL, 0),
      bytes_of_text("."),
      bytes_of_text("line-3"),
      bytes_of_text("line-3."),
      bytes_of(token.data, token.len - 1),
      bytes_of(token.data + 7, token.len - 7),
      bytes_of("line-3\0.", 8),
  };
  for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
    char detail[400];
    assert_unknown(bench->ledger, tokens[i], detail);
  }
}

static void a_token_of_one_is_not_good_for_another(void **state)
{
  struct bench *bench = *state;
  AUTO(secret_buf) token = {0};
  AUTO(secret_buf) admin = {0};
  AUTO(buf) mixed = {0};
  add(bench->ledger, "line-3", ROLE_STATION, &token);
  add(bench->ledger, "boss", ROLE_ADMIN, &admin);
  buf_add_text(&mixed, "boss.");
  buf_add(&mixed, token.data + 7, token.len - 7);
  char detail[400];
  assert_unknown(bench->ledger, buf_bytes(&mixed), detail);
}

static void a_name_is_given_once(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(secret_buf) token = {0};
  add(bench->ledger, "line-3", ROLE_STATION, &token);
  const struct principal again = {.name = "line-3", .role = ROLE_ADMIN};
  const uint8_t digest[TOKEN_SHA256_LEN] = {1};
  assert_false(ledger_add_principal(bench->ledger, &again, digest, NULL, &f));
  assert_int_equal(f.code, FAULT_PRINCIPAL_EXISTS);
  struct principal principal;
  assert_true(principal_authenticate(bench->ledger, buf_bytes(&token), &principal, &f));
  assert_int_equal(principal.role, ROLE_STATION);
}

static void add_to_list(const struct principal *principal, void *context)
{
  buf_addf(context, "%s %s\n", principal->name, role_name(principal->role));
}

static void principals_are_listed_by_name(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(buf) list = {0};
  AUTO(secret_buf) tokens = {0};
  add(bench->ledger, "line-3", ROLE_STATION, &tokens);
  add(bench->ledger, "boss", ROLE_ADMIN, &tokens);
  add(bench->ledger, "eve", ROLE_AUDITOR, &tokens);
  assert_true(ledger_each_principal(bench->ledger, add_to_list, &list, &f));
  assert_string_equal(buf_text(&list), "boss admin\neve auditor\nline-3 station\n");
}

static void roles_are_read_as_they_are_written(void **state)
{
  (void)state;
  enum role role = ROLE_NONE;
  for (int i = ROLE_STATION; i < ROLE_COUNT; i++) {
    assert_true(role_named(bytes_of_text(role_name((enum role)i)), &role));
    assert_int_equal(role, i);
  }
  assert_false(role_named(bytes_of_text(""), &role));
  assert_false(role_named(bytes_of_text("root"), &role));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_token_is_a_name_and_a_secret_of_its_own),
      cmocka_unit_test(a_name_that_would_confuse_a_token_makes_none),
      cmocka_unit_test(roles_are_read_as_they_are_written),
      TEST(a_token_tells_who_it_is),
      TEST(a_wrong_secret_and_an_unknown_name_look_the_same),
      TEST(what_is_no_token_lets_nobody_in),
      TEST(a_token_of_one_is_not_good_for_another),
      TEST(a_name_is_given_once),
      TEST(principals_are_listed_by_name),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
