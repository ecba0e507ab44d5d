/* test_issue_queue.c - jobs are taken in their order, one by one when there are few, in batches
 * when there are many, and nobody waits for others for long. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/when.h"
#include "lib/ca/issue_private.h"

enum { JOBS = 64, LONG_US = 900000, PATIENCE_MS = 20000 };

static struct issue_job jobs[JOBS];

static int set_up(void **state)
{
  static struct job_queue queue;
  *state = job_queue_init(&queue) ? &queue : NULL;
  return *state == NULL;
}

static int tear_down(void **state)
{
  job_queue_free(*state);
  return 0;
}

static void put(struct job_queue *queue, unsigned from, unsigned n)
{
  struct job_list list = {0};
  for (unsigned i = from; i < from + n; i++)
    job_list_add(&list, &jobs[i]);
  assert_true(job_queue_put(queue, &list));
  assert_int_equal(list.n, 0);
}

/* Takes once, and asserts that it was jobs `from` to `from + n - 1`. */
static void assert_taken(struct job_queue *queue, const struct job_taker *taker, unsigned under_way,
                         unsigned from, unsigned n)
{
  struct job_list list;
  const atomic_uint n_jobs = under_way;
  assert_true(job_queue_take(queue, taker, &n_jobs, &list));
  assert_int_equal(list.n, n);
  for (unsigned i = from; i < from + n; i++)
    assert_ptr_equal(job_list_take(&list), &jobs[i]);
}

static void few_are_shared_by_all_who_take(void **state)
{
  static const struct job_taker taker = {.takers = 2, .share = 4, .gather_us = LONG_US, .most = 64};
  int64_t begun = when_monotonic_ms();
  put(*state, 0, 3);
  assert_taken(*state, &taker, 3, 0, 2);
  assert_taken(*state, &taker, 3, 2, 1);
  assert_true(when_monotonic_ms() - begun < LONG_US / 1000);
}

static void many_are_taken_in_batches(void **state)
{
  static const struct job_taker taker = {.takers = 2, .share = 4, .gather_us = LONG_US, .most = 24};
  put(*state, 0, 20);
  assert_taken(*state, &taker, 64, 0, 16); /* a quarter of 64, not half of 20 */
  put(*state, 20, 44);
  assert_taken(*state, &taker, 64, 16, 24); /* half of 48 */
  assert_taken(*state, &taker, 0, 40, 12);  /* nobody else is under way: half of what waits */
}

/* Beyond the few it is the share that counts. */
static void up_to_a_few_all_are_waited_for(void **state)
{
  static const struct job_taker patient = {
      .takers = 1, .share = 2, .few = 8, .gather_us = 20000, .most = 64};
  static const struct job_taker one_of_two = {
      .takers = 2, .share = 4, .few = 8, .gather_us = LONG_US, .most = 64};
  int64_t begun = when_monotonic_ms();
  put(*state, 0, 3);
  assert_taken(*state, &patient, 4, 0, 3); /* the fourth does not come */
  assert_in_range(when_monotonic_ms() - begun, 19, PATIENCE_MS);
  begun = when_monotonic_ms();
  put(*state, 3, 4);
  assert_taken(*state, &patient, 4, 3, 4);
  put(*state, 7, 8);
  assert_taken(*state, &patient, 12, 7, 8);
  put(*state, 15, 4);
  assert_taken(*state, &one_of_two, 8, 15, 4); /* its part of eight */
  put(*state, 19, 1);
  assert_taken(*state, &one_of_two, 1, 19, 1); /* one alone waits for nobody */
  assert_true(when_monotonic_ms() - begun < LONG_US / 1000);
}

static void a_batch_that_does_not_come_is_not_waited_for_long(void **state)
{
  static const struct job_taker taker = {.takers = 1, .share = 2, .gather_us = 20000, .most = 64};
  int64_t begun = when_monotonic_ms();
  put(*state, 0, 5);
  assert_taken(*state, &taker, 64, 0, 5);
  assert_in_range(when_monotonic_ms() - begun, 19, PATIENCE_MS);
}

struct later {
  struct job_queue *queue;
  atomic_bool taken;
};

static void *take_a_batch(void *context)
{
  static const struct job_taker taker = {.takers = 1, .share = 2, .gather_us = LONG_US, .most = 64};
  struct later *later = context;
  assert_taken(later->queue, &taker, 64, 0, 32);
  later->taken = true;
  return NULL;
}

/* The one that completes it wakes who waits. */
static void whoever_waits_for_a_batch_has_it_when_it_is_there(void **state)
{
  struct later later = {.queue = *state};
  pthread_t thread;
  int64_t begun = when_monotonic_ms();
  put(*state, 0, 1);
  assert_int_equal(pthread_create(&thread, NULL, take_a_batch, &later), 0);
  for (unsigned i = 1; i < 32; i++)
    put(*state, i, 1);
  pthread_join(thread, NULL);
  assert_true(later.taken);
  assert_true(when_monotonic_ms() - begun < LONG_US / 1000);
}

static void what_is_in_comes_out_of_a_closed_one(void **state)
{
  static const struct job_taker taker = {.takers = 1, .share = 2, .gather_us = LONG_US, .most = 64};
  struct job_list list = {0};
  const atomic_uint none = 0;
  put(*state, 0, 1);
  job_queue_close(*state);
  job_list_add(&list, &jobs[1]);
  assert_false(job_queue_put(*state, &list));
  assert_int_equal(list.n, 1);
  assert_taken(*state, &taker, 64, 0, 1);
  assert_false(job_queue_take(*state, &taker, &none, &list));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(few_are_shared_by_all_who_take),
      TEST(many_are_taken_in_batches),
      TEST(up_to_a_few_all_are_waited_for),
      TEST(a_batch_that_does_not_come_is_not_waited_for_long),
      TEST(whoever_waits_for_a_batch_has_it_when_it_is_there),
      TEST(what_is_in_comes_out_of_a_closed_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
