/* test_cursor.c - a cursor leads on in its own listing, and an altered one nowhere. */
#include "tests/unit/unit.h"

#include "daemon/cursor.h"

static const int64_t ids[] = {1, 2, 255, 256, 1000000, INT64_C(1) << 32, INT64_MAX};
static const char *const filters[] = {"", "station=line-3", "station=line-4",
                                      "a long one, to go over a block of the digest: "
                                      "0123456789012345678901234567890123456789"};

static void write_cursor(int64_t id, const char *filter, char ret_text[CURSOR_TEXT_SIZE])
{
  AUTO(fault) f = {0};
  assert_true(cursor_write(id, bytes_of_text(filter), ret_text, &f));
}

static bool is_refused(const char *text, const char *filter)
{
  AUTO(fault) f = {0};
  int64_t id = -7;
  if (cursor_read(text, bytes_of_text(filter), &id, &f))
    return false;
  assert_int_equal(f.code, FAULT_BAD_CURSOR);
  assert_int_equal(id, -7);
  return true;
}

static void a_cursor_gives_its_id_back(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  char text[CURSOR_TEXT_SIZE];
  int64_t id;
  for (size_t i = 0; i < ARRAY_LEN(ids); i++)
    for (size_t k = 0; k < ARRAY_LEN(filters); k++) {
      write_cursor(ids[i], filters[k], text);
      assert_true(cursor_read(text, bytes_of_text(filters[k]), &id, &f));
      assert_true(id == ids[i]);
    }
}

static void a_cursor_goes_with_its_filters_only(void **state)
{
  (void)state;
  char text[CURSOR_TEXT_SIZE];
  for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
    write_cursor(42, filters[i], text);
    for (size_t k = 0; k < ARRAY_LEN(filters); k++)
      assert_true(is_refused(text, filters[k]) == (i != k));
  }
}

static void every_flipped_bit_is_noticed(void **state)
{
  (void)state;
  char text[CURSOR_TEXT_SIZE];
  for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
    write_cursor(ids[i], "order=PO-7781", text);
    size_t len = strlen(text);
    for (size_t bit = 0; bit < len * 8; bit++) {
      text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
      assert_true(is_refused(text, "order=PO-7781"));
      text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    assert_false(is_refused(text, "order=PO-7781"));
  }
}

static void what_is_cut_or_longer_is_refused(void **state)
{
  (void)state;
  char text[CURSOR_TEXT_SIZE], other[CURSOR_TEXT_SIZE + 8];
  write_cursor(42, "", text);
  for (size_t len = 0; len < strlen(text); len++) {
    memcpy(other, text, len);
    other[len] = '\0';
    assert_true(is_refused(other, ""));
  }
  static const char *const tails[] = {"A", "AA", "AAAA", "=", "\n", " "};
  for (size_t i = 0; i < ARRAY_LEN(tails); i++) {
    strcpy(other, text);
    strcat(other, tails[i]);
    assert_true(is_refused(other, ""));
  }
}

static void no_row_has_the_number_zero_or_less(void **state)
{
  (void)state;
  char text[CURSOR_TEXT_SIZE];
  write_cursor(0, "", text);
  assert_true(is_refused(text, ""));
  write_cursor(-1, "", text);
  assert_true(is_refused(text, ""));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_cursor_gives_its_id_back),
      cmocka_unit_test(a_cursor_goes_with_its_filters_only),
      cmocka_unit_test(every_flipped_bit_is_noticed),
      cmocka_unit_test(what_is_cut_or_longer_is_refused),
      cmocka_unit_test(no_row_has_the_number_zero_or_less),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
