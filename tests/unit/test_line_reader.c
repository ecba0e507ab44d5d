/* test_line_reader.c - whatever the pieces, the lines are the same. */
#include "tests/unit/unit.h"

#include "daemon/line_reader.h"

static void note(struct buf *out, const struct line *line)
{
  buf_addf(out, "%d:%.*s%s|", (int)line->number, (int)line->text.len, (const char *)line->text.data,
           line->too_long ? "TOO LONG" : "");
}

/* What comes of `text` in pieces of `size` octets. */
static void read_in_pieces(const char *text, size_t size, struct buf *out)
{
  struct line_reader reader = {.limit_octets = 8};
  struct bytes left = bytes_of_text(text);
  struct line line;
  while (left.len > 0) {
    struct bytes piece = bytes_of(left.data, left.len < size ? left.len : size);
    bool whole;
    size_t n = line_reader_take(&reader, piece, &whole, &line);
    assert_true(n > 0 && n <= piece.len);
    assert_true(whole || n == piece.len);
    if (whole)
      note(out, &line);
    assert_true(reader.kept.len <= reader.limit_octets);
    left = bytes_of(left.data + n, left.len - n);
  }
  line_reader_end(&reader, &line);
  if (line.text.len > 0 || line.too_long)
    note(out, &line);
  line_reader_free(&reader);
}

static void assert_lines(const char *text, const char *lines)
{
  for (size_t size = 1; size <= strlen(text) + 1; size++) {
    AUTO(buf) out = {0};
    read_in_pieces(text, size, &out);
    assert_string_equal(buf_text(&out), lines);
  }
}

static void lines_do_not_depend_on_the_pieces(void **state)
{
  (void)state;
  assert_lines("", "");
  assert_lines("a", "1:a|");
  assert_lines("a\n", "1:a|");
  assert_lines("a\nbc\nd", "1:a|2:bc|3:d|");
  assert_lines("\n\na\n\n", "1:|2:|3:a|4:|");
  assert_lines("  a b \r\n\tc\r\n", "1:a b|2:c|");
}

static void a_line_that_is_too_long_is_stepped_over(void **state)
{
  (void)state;
  assert_lines("12345678\n9\n", "1:12345678|2:9|");
  assert_lines("123456789\na\n", "1:TOO LONG|2:a|");
  assert_lines("a\n123456789012345678901234567890\nb", "1:a|2:TOO LONG|3:b|");
  assert_lines("123456789012345678", "1:TOO LONG|");
  assert_lines("1234567890\n1234567890\nc\n", "1:TOO LONG|2:TOO LONG|3:c|");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_do_not_depend_on_the_pieces),
      cmocka_unit_test(a_line_that_is_too_long_is_stepped_over),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
