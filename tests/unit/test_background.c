/* test_background.c - a few pieces of work at a time; told to end, and waited for. */
#include "tests/unit/unit.h"

#include <sched.h>

#include "daemon/background.h"

struct piece {
  atomic_bool begun, ended, go_on;
};

static void work(void *context, const atomic_bool *stop)
{
  struct piece *piece = context;
  atomic_store(&piece->begun, true);
  while (!atomic_load(stop) && !atomic_load(&piece->go_on))
    sched_yield();
  atomic_store(&piece->ended, true);
}

static void start(struct background *background, struct piece *piece)
{
  AUTO(fault) f = {0};
  assert_true(background_run(background, work, piece, &f));
  while (!atomic_load(&piece->begun))
    sched_yield();
}

static void each_piece_has_a_thread_and_there_are_few(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  struct background *background;
  struct piece pieces[BACKGROUND_MAX + 1] = {0};
  assert_true(background_new(&background, &f));
  for (size_t i = 0; i < BACKGROUND_MAX; i++)
    start(background, &pieces[i]);
  struct piece *last = &pieces[BACKGROUND_MAX];
  assert_false(background_run(background, work, last, &f));
  assert_int_equal(f.code, FAULT_BUSY);
  atomic_store(&pieces[0].go_on, true);
  while (!background_run(background, work, last, &f))
    sched_yield();
  background_free(background);
  for (size_t i = 0; i <= BACKGROUND_MAX; i++)
    assert_true(pieces[i].ended);
}

static void nothing_begins_once_it_is_to_end(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  struct background *background;
  struct piece first = {0}, second = {0};
  assert_true(background_new(&background, &f));
  start(background, &first);
  background_quit(background);
  assert_false(background_run(background, work, &second, &f));
  assert_int_equal(f.code, FAULT_STOPPING);
  background_free(background);
  assert_true(first.ended);
  assert_false(second.begun);
  background_free(NULL);
  background_quit(NULL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_piece_has_a_thread_and_there_are_few),
      cmocka_unit_test(nothing_begins_once_it_is_to_end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
