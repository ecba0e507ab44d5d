/* test_fault.c - what went wrong, for programs and for people. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/fault.h"

static void every_fault_has_a_status_a_title_and_a_code_of_its_own(void **state)
{
  (void)state;
  for (int i = FAULT_NONE + 1; i < FAULT_COUNT; i++) {
    enum fault_code code = (enum fault_code)i;
    const char *problem = fault_problem_code(code);
    assert_in_range(fault_status(code), 400, 599);
    assert_true(strlen(fault_title(code)) > 0 && strlen(problem) > 0);
    assert_int_equal(strspn(problem, "abcdefghijklmnopqrstuvwxyz-"), strlen(problem));
    assert_int_equal(fault_whose(code) == FAULT_PEER, fault_status(code) < 500);
    for (int k = FAULT_NONE + 1; k < i; k++)
      assert_string_not_equal(problem, fault_problem_code((enum fault_code)k));
  }
  assert_string_equal(fault_problem_code(FAULT_KEY_ALREADY_USED), "key-already-used");
  assert_int_equal(fault_status(FAULT_KEY_ALREADY_USED), 409);
}

static void a_detail_cannot_forge_a_line(void **state)
{
  AUTO(fault) f = {0};
  (void)state;
  assert_false(fault_set(&f, BAD_CSR, "%s", "a\nb\xff"));
  assert_int_equal(f.code, FAULT_BAD_CSR);
  assert_string_equal(f.detail, "a?b?");
  assert_false(fault_prefix(&f, "%s:%d", "file\n", 12));
  assert_string_equal(f.detail, "file?:12: a?b?");
  assert_int_equal(f.code, FAULT_BAD_CSR);
}

static void a_long_detail_is_cut_between_characters(void **state)
{
  AUTO(fault) f = {0};
  char text[1001];
  (void)state;
  for (size_t i = 0; i < 1000; i += 2)
    memcpy(text + i, "\xc3\xa4", 2);
  text[1000] = '\0';
  fault_set(&f, BAD_CSR, "x%s", text);
  assert_int_equal(strlen(f.detail), sizeof f.detail - 1);
  fault_prefix(&f, "%s", text);
  assert_true(strlen(f.detail) < sizeof f.detail);
}

static void items_are_kept_up_to_a_bound_and_move_along(void **state)
{
  AUTO(fault) f = {0}, to = {0};
  (void)state;
  for (int i = 0; i < 1100; i++) {
    char name[20];
    snprintf(name, sizeof name, "name-%d", i);
    assert_false(fault_add_item(&f, name, "number %d", i));
  }
  assert_int_equal(f.n_items, 1000);
  assert_int_equal(f.code, FAULT_NONE);
  assert_string_equal(f.items[999].name, "name-999");
  assert_string_equal(f.items[999].why, "number 999");
  fault_add_item(&to, "old", "gone");
  fault_move(&to, &f);
  assert_int_equal(to.n_items, 1000);
  assert_true(f.items == NULL && f.n_items == 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_fault_has_a_status_a_title_and_a_code_of_its_own),
      cmocka_unit_test(a_detail_cannot_forge_a_line),
      cmocka_unit_test(a_long_detail_is_cut_between_characters),
      cmocka_unit_test(items_are_kept_up_to_a_bound_and_move_along),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
