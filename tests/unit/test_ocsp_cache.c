/* test_ocsp_cache.c - what was put in comes out as it was, what was asked for last stays longest,
 * and there is never more of it than was said. */
#include "tests/unit/unit.h"

#include <pthread.h>

#include "daemon/ocsp_cache.h"

/* Each number has a key of its own; those of the same set differ behind the first octets. */
static void key_of(uint64_t set, unsigned number, uint8_t ret_key[OCSP_CACHE_KEY_LEN])
{
  memset(ret_key, 0, OCSP_CACHE_KEY_LEN);
  memcpy(ret_key, &set, sizeof set);
  memcpy(ret_key + 16, &number, sizeof number);
}

static struct ocsp_cached answer_of(unsigned number)
{
  struct ocsp_cached cached = {.this_update = number,
                               .next_update = number + 10,
                               .checked_id = -5,
                               .credential = 7,
                               .is = {.status = OCSP_REVOKED, .revoked_at = number, .reason = 4},
                               .data_len = (uint16_t)(100 + number % 150),
                               .signature_len = 70};
  memset(cached.octets, (int)(number % 251), cached.data_len + 70u);
  return cached;
}

static void put(struct ocsp_cache *cache, uint64_t set, unsigned number)
{
  uint8_t key[OCSP_CACHE_KEY_LEN];
  const struct ocsp_cached cached = answer_of(number);
  key_of(set, number, key);
  ocsp_cache_put(cache, key, &cached);
}

/* Is it there? Then it is what was put in. */
static bool has(struct ocsp_cache *cache, uint64_t set, unsigned number)
{
  uint8_t key[OCSP_CACHE_KEY_LEN];
  const struct ocsp_cached wanted = answer_of(number);
  struct ocsp_cached found;
  key_of(set, number, key);
  if (!ocsp_cache_get(cache, key, &found))
    return false;
  assert_int_equal(found.this_update, wanted.this_update);
  assert_int_equal(found.next_update, wanted.next_update);
  assert_int_equal(found.checked_id, wanted.checked_id);
  assert_int_equal(found.credential, wanted.credential);
  assert_int_equal(found.is.status, wanted.is.status);
  assert_int_equal(found.is.revoked_at, wanted.is.revoked_at);
  assert_int_equal(found.is.reason, wanted.is.reason);
  assert_int_equal(found.data_len, wanted.data_len);
  assert_int_equal(found.signature_len, wanted.signature_len);
  assert_memory_equal(found.octets, wanted.octets, found.data_len + found.signature_len);
  return true;
}

static void what_was_put_in_comes_out(void **state)
{
  AUTO(fault) f = {0};
  struct ocsp_cache *cache;
  (void)state;
  assert_true(ocsp_cache_new(10000, &cache, &f));
  assert_false(has(cache, 0, 1));
  for (unsigned i = 0; i < 1000; i++)
    put(cache, i * UINT64_C(0x9e3779b97f4a7c15), i);
  for (unsigned i = 0; i < 1000; i++)
    assert_true(has(cache, i * UINT64_C(0x9e3779b97f4a7c15), i));
  ocsp_cache_free(cache);
}

static void a_later_answer_takes_the_place_of_an_earlier_one(void **state)
{
  AUTO(fault) f = {0};
  struct ocsp_cache *cache;
  uint8_t key[OCSP_CACHE_KEY_LEN];
  struct ocsp_cached found;
  (void)state;
  assert_true(ocsp_cache_new(8, &cache, &f));
  key_of(0, 1, key);
  for (unsigned i = 1; i < 100; i++) {
    const struct ocsp_cached cached = answer_of(i);
    ocsp_cache_put(cache, key, &cached);
  }
  assert_true(ocsp_cache_get(cache, key, &found));
  assert_int_equal(found.this_update, 99);
  ocsp_cache_free(cache);
}

static void what_was_not_asked_for_the_longest_makes_room(void **state)
{
  AUTO(fault) f = {0};
  struct ocsp_cache *cache;
  (void)state;
  assert_true(ocsp_cache_new(64, &cache, &f)); /* 8 sets of 8 */
  for (unsigned i = 0; i < 8; i++)
    put(cache, 3, i);
  assert_true(has(cache, 3, 0)); /* which is then the last one that was asked for */
  put(cache, 3, 100);
  assert_true(has(cache, 3, 0) && has(cache, 3, 100));
  assert_false(has(cache, 3, 1));
  for (unsigned i = 2; i < 8; i++)
    assert_true(has(cache, 3, i));
  ocsp_cache_free(cache);
}

static void there_are_never_more_than_was_said(void **state)
{
  static const unsigned sizes[] = {0, 1, 3, 8, 9, 100};
  (void)state;
  for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
    AUTO(fault) f = {0};
    struct ocsp_cache *cache;
    unsigned n = 0;
    assert_true(ocsp_cache_new(sizes[s], &cache, &f));
    for (unsigned i = 0; i < 1000; i++)
      put(cache, i, i);
    for (unsigned i = 0; i < 1000; i++)
      n += has(cache, i, i);
    assert_true(n <= sizes[s]);
    assert_true(n > sizes[s] / 2 || n == sizes[s]);
    ocsp_cache_free(cache);
  }
}

static void *hammer(void *cache)
{
  for (unsigned round = 0; round < 200; round++)
    for (unsigned i = 0; i < 100; i++) {
      put(cache, i % 7, i);
      has(cache, (i + round) % 7, i);
    }
  return NULL;
}

static void threads_do_not_get_into_each_others_way(void **state)
{
  AUTO(fault) f = {0};
  struct ocsp_cache *cache;
  pthread_t threads[4];
  (void)state;
  assert_true(ocsp_cache_new(40, &cache, &f));
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, hammer, cache), 0);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_join(threads[i], NULL);
  ocsp_cache_free(cache);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_put_in_comes_out),
      cmocka_unit_test(a_later_answer_takes_the_place_of_an_earlier_one),
      cmocka_unit_test(what_was_not_asked_for_the_longest_makes_room),
      cmocka_unit_test(there_are_never_more_than_was_said),
      cmocka_unit_test(threads_do_not_get_into_each_others_way),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
