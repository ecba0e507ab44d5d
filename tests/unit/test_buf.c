/* test_buf.c - buffers that grow. */
#include "tests/unit/unit.h"

#include "lib/base/buf.h"

static void what_is_added_is_there_in_order(void **state)
{
  AUTO(buf) b = {0};
  (void)state;
  assert_string_equal(buf_text(&b), "");
  buf_add_text(&b, "one ");
  buf_addf(&b, "%d %s ", 2, "three");
  buf_add_u8(&b, '4');
  buf_add_bytes(&b, bytes_of(NULL, 0));
  buf_add(&b, " five!", 5);
  assert_string_equal(buf_text(&b), "one 2 three 4 five");
  assert_int_equal(b.len, 18);
  buf_clear(&b);
  assert_int_equal(b.len, 0);
}

static void it_grows_as_far_as_needed(void **state)
{
  AUTO(buf) b = {0};
  (void)state;
  for (int i = 0; i < 100000; i++)
    buf_add_u8(&b, (uint8_t)(i * 7));
  assert_true(buf_ok(&b) && b.len == 100000);
  for (int i = 0; i < 100000; i++)
    assert_int_equal(b.data[i], (uint8_t)(i * 7));
}

static void a_gap_moves_what_is_behind_it(void **state)
{
  AUTO(buf) b = {0};
  (void)state;
  buf_add_text(&b, "abcdef");
  assert_true(buf_insert_gap(&b, 2, 3));
  memcpy(b.data + 2, "123", 3);
  assert_true(buf_insert_gap(&b, b.len, 1));
  b.data[9] = '!';
  assert_string_equal(buf_text(&b), "ab123cdef!");
}

static void after_a_failure_nothing_more_is_added(void **state)
{
  AUTO(buf) b = {0};
  (void)state;
  buf_add_text(&b, "kept");
  assert_false(buf_reserve(&b, SIZE_MAX / 2));
  assert_false(buf_ok(&b));
  buf_add_text(&b, "lost");
  assert_int_equal(b.len, 4);
  assert_string_equal(buf_text(&b), "");
  buf_clear(&b);
  buf_add_text(&b, "again");
  assert_true(buf_ok(&b));
  assert_string_equal(buf_text(&b), "again");
}

static void bytes_are_equal_by_length_and_content(void **state)
{
  (void)state;
  assert_true(bytes_equal(bytes_of(NULL, 0), bytes_of("", 0)));
  assert_true(bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0b", 3)));
  assert_false(bytes_equal(bytes_of("a\0b", 3), bytes_of("a\0c", 3)));
  assert_false(bytes_equal(bytes_of_text("ab"), bytes_of_text("abc")));
}

static void a_secret_is_gone_after_wiping(void **state)
{
  struct buf b = {0};
  (void)state;
  buf_add_text(&b, "secret");
  buf_wipe(&b);
  assert_true(b.data == NULL && b.len == 0 && b.cap == 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_added_is_there_in_order),
      cmocka_unit_test(it_grows_as_far_as_needed),
      cmocka_unit_test(a_gap_moves_what_is_behind_it),
      cmocka_unit_test(after_a_failure_nothing_more_is_added),
      cmocka_unit_test(bytes_are_equal_by_length_and_content),
      cmocka_unit_test(a_secret_is_gone_after_wiping),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
