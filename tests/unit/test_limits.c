/* test_limits.c - token buckets, at times of our own. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "daemon/limits.h"

static struct limits *limits_of(unsigned number, unsigned seconds)
{
  AUTO(fault) f = {0};
  struct limits *limits;
  struct rate rate = {number, seconds};
  struct conf conf = {.per_principal = rate, .per_address = rate, .failed_per_address = rate};
  assert_true(limits_new(&conf, &limits, &f));
  return limits;
}

/* 0: let in; otherwise for how long to wait. */
static unsigned take(struct limits *limits, enum limit limit, const char *key, int64_t now_ms)
{
  AUTO(fault) f = {0};
  unsigned wait_s = 0;
  if (limits_take(limits, limit, key, now_ms, &wait_s, &f))
    return 0;
  assert_int_equal(f.code, FAULT_TOO_MANY_REQUESTS);
  assert_true(wait_s > 0);
  return wait_s;
}

static void a_bucket_is_full_at_first_and_fills_again(void **state)
{
  (void)state;
  struct limits *limits = limits_of(3, 60);
  for (int i = 0; i < 3; i++)
    assert_int_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 1000), 0);
  assert_int_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 1000), 20);
  assert_int_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 11000), 10);
  assert_int_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 21000), 0);
  assert_int_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 21000), 20);
  /* A long pause fills it, and no more than that. */
  for (int i = 0; i < 3; i++)
    assert_int_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 9000000), 0);
  assert_int_not_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 9000000), 0);
  limits_free(limits);
}

static void who_waits_as_told_is_let_in(void **state)
{
  (void)state;
  struct limits *limits = limits_of(7, 1);
  int64_t now_ms = 5;
  for (int i = 0; i < 7; i++)
    assert_int_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", now_ms), 0);
  unsigned wait_s = take(limits, LIMIT_ADDRESS, "10.0.0.1", now_ms);
  assert_int_equal(wait_s, 1);
  assert_int_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", now_ms + 1000 * wait_s), 0);
  limits_free(limits);
}

static void others_and_other_limits_have_buckets_of_their_own(void **state)
{
  (void)state;
  struct limits *limits = limits_of(1, 3600);
  assert_int_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", 0), 0);
  assert_int_not_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", 0), 0);
  assert_int_equal(take(limits, LIMIT_ADDRESS, "10.0.0.2", 0), 0);
  assert_int_equal(take(limits, LIMIT_FAILED, "10.0.0.1", 0), 0);
  assert_int_equal(take(limits, LIMIT_PRINCIPAL, "10.0.0.1", 0), 0);
  limits_free(limits);
}

static void a_subscribers_64_is_one_address(void **state)
{
  (void)state;
  struct limits *limits = limits_of(1, 3600);
  assert_int_equal(take(limits, LIMIT_ADDRESS, "2001:db8::1", 0), 0);
  assert_int_not_equal(take(limits, LIMIT_ADDRESS, "2001:db8::ffff:1", 0), 0);
  assert_int_equal(take(limits, LIMIT_ADDRESS, "2001:db8:0:1::1", 0), 0);
  limits_free(limits);
}

static void looking_takes_nothing(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  unsigned wait_s = 0;
  struct limits *limits = limits_of(1, 60);
  for (int i = 0; i < 5; i++)
    assert_true(limits_look(limits, LIMIT_FAILED, "10.0.0.1", 0, &wait_s, &f));
  assert_int_equal(take(limits, LIMIT_FAILED, "10.0.0.1", 0), 0);
  assert_false(limits_look(limits, LIMIT_FAILED, "10.0.0.1", 0, &wait_s, &f));
  assert_int_equal(wait_s, 60);
  limits_free(limits);
}

/* A flood of addresses finds room for itself, and the one that asks again and again stays known. */
static void a_flood_of_addresses_frees_nobody(void **state)
{
  (void)state;
  struct limits *limits = limits_of(2, 3600);
  assert_int_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", 0), 0);
  assert_int_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", 0), 0);
  for (unsigned i = 0; i < 100000; i++) {
    char key[32];
    snprintf(key, sizeof key, "172.16.%u.%u:%u", i >> 8 & 255, i & 255, i >> 16);
    assert_int_equal(take(limits, LIMIT_ADDRESS, key, 1), 0);
  }
  assert_int_not_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", 2), 0);
  limits_free(limits);
}

static void a_reload_changes_the_rates_and_none_is_no_limit(void **state)
{
  (void)state;
  struct limits *limits = limits_of(1, 3600);
  assert_int_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", 0), 0);
  assert_int_not_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", 0), 0);
  limits_reload(limits, &(struct conf){.per_principal = {1, 60}});
  for (int i = 0; i < 100; i++)
    assert_int_equal(take(limits, LIMIT_ADDRESS, "10.0.0.1", 0), 0);
  assert_int_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 0), 0);
  assert_int_equal(take(limits, LIMIT_PRINCIPAL, "line-1", 0), 60);
  assert_int_equal(take(NULL, LIMIT_ADDRESS, "10.0.0.1", 0), 0);
  limits_free(limits);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bucket_is_full_at_first_and_fills_again),
      cmocka_unit_test(who_waits_as_told_is_let_in),
      cmocka_unit_test(others_and_other_limits_have_buckets_of_their_own),
      cmocka_unit_test(a_subscribers_64_is_one_address),
      cmocka_unit_test(looking_takes_nothing),
      cmocka_unit_test(a_flood_of_addresses_frees_nobody),
      cmocka_unit_test(a_reload_changes_the_rates_and_none_is_no_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
