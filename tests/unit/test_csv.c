/* test_csv.c - a spreadsheet reads back what was written, and runs none of it. */
#include "tests/unit/unit.h"

#include "daemon/csv.h"

static void assert_cell(const char *text, const char *written)
{
  AUTO(buf) out = {0};
  csv_add_cell(&out, bytes_of_text("x"));
  csv_add_cell(&out, bytes_of_text(text));
  csv_end_line(&out);
  AUTO(buf) right = {0};
  buf_addf(&right, "x,%s\r\n", written);
  assert_string_equal(buf_text(&out), buf_text(&right));
}

static void cells_are_quoted_where_they_must_be(void **state)
{
  (void)state;
  assert_cell("W-1001", "W-1001");
  assert_cell("", "");
  assert_cell("a b", "a b");
  assert_cell("a,b", "\"a,b\"");
  assert_cell("say \"hi\"", "\"say \"\"hi\"\"\"");
  assert_cell("two\r\nlines", "\"two\r\nlines\"");
  assert_cell("two\nlines", "\"two\nlines\"");
  assert_cell("Größe", "Größe");
  assert_cell("*.widgets.example", "*.widgets.example");
}

static void formulas_become_text(void **state)
{
  (void)state;
  assert_cell("=1+1", "'=1+1");
  assert_cell("+49 30", "'+49 30");
  assert_cell("-1", "'-1");
  assert_cell("@SUM(A1)", "'@SUM(A1)");
  assert_cell("\t=1", "'\t=1");
  assert_cell("\r=1", "\"'\r=1\"");
  assert_cell("=HYPERLINK(\"http://x\",\"y\")", "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"");
  assert_cell("1=1", "1=1");
}

static void empty_cells_keep_their_columns(void **state)
{
  (void)state;
  AUTO(buf) out = {0};
  for (int line = 0; line < 2; line++) {
    for (int cell = 0; cell < 3; cell++)
      csv_add_cell(&out, bytes_of_text(""));
    csv_end_line(&out);
  }
  assert_string_equal(buf_text(&out), "\"\",,\r\n\"\",,\r\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cells_are_quoted_where_they_must_be),
      cmocka_unit_test(formulas_become_text),
      cmocka_unit_test(empty_cells_keep_their_columns),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
