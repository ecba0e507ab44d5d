/* test_bloom.c - a set that never denies a member, and seldom takes another for one. */
#include "tests/unit/unit.h"

#include "lib/base/bloom.h"

enum { MEMBERS = 20000, STRANGERS = 100000 };

/* As good as random (SplitMix64). */
static uint64_t hash_of(uint64_t n)
{
  n *= 0x9e3779b97f4a7c15u;
  n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9u;
  n = (n ^ n >> 27) * 0x94d049bb133111ebu;
  return n ^ n >> 31;
}

static void an_empty_one_has_nobody(void **state)
{
  AUTO(fault) f = {0};
  AUTO(bloom) bloom = NULL;
  (void)state;
  assert_true(bloom_new(0, &bloom, &f));
  for (uint64_t i = 0; i < STRANGERS; i++)
    assert_false(bloom_may_have(bloom, hash_of(i)));
}

static void no_member_is_denied_and_few_strangers_are_taken_for_one(void **state)
{
  AUTO(fault) f = {0};
  AUTO(bloom) bloom = NULL;
  unsigned taken = 0;
  (void)state;
  assert_true(bloom_new(MEMBERS, &bloom, &f));
  for (uint64_t i = 0; i < MEMBERS; i++)
    bloom_add(bloom, hash_of(i));
  for (uint64_t i = 0; i < MEMBERS; i++)
    assert_true(bloom_may_have(bloom, hash_of(i)));
  for (uint64_t i = MEMBERS; i < MEMBERS + STRANGERS; i++)
    taken += bloom_may_have(bloom, hash_of(i));
  /* Six of twelve bits: 0.34% in theory, more since blocks fill unevenly. */
  assert_in_range(taken, 0, STRANGERS * 10 / 1000);
}

static void the_ends_of_the_range_have_their_place(void **state)
{
  AUTO(fault) f = {0};
  AUTO(bloom) bloom = NULL;
  (void)state;
  assert_true(bloom_new(1000, &bloom, &f));
  bloom_add(bloom, 0);
  bloom_add(bloom, UINT64_MAX);
  assert_true(bloom_may_have(bloom, 0));
  assert_true(bloom_may_have(bloom, UINT64_MAX));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_one_has_nobody),
      cmocka_unit_test(no_member_is_denied_and_few_strangers_are_taken_for_one),
      cmocka_unit_test(the_ends_of_the_range_have_their_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
