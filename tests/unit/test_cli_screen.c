/* test_cli_screen.c - columns, wrapping, times for a person. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/screen.h"
#include "lib/base/when.h"

enum { PATIENCE_MS = 20000 };

struct page {
  char *text;
  size_t len;
  FILE *file;
};

static void page_open(struct page *page)
{
  page->file = open_memstream(&page->text, &page->len);
  assert_non_null(page->file);
}

static void page_is(struct page *page, const char *expected)
{
  fclose(page->file);
  assert_string_equal(page->text, expected);
  free(page->text);
}

static void text_is_wrapped_beside_its_label(void **state)
{
  struct page page;
  (void)state;
  page_open(&page);
  screen_wrap(page.file, "one two three four", 0, 2, 10);
  page_is(&page, "one two\n  three\n  four\n");
  page_open(&page);
  screen_wrap(page.file, "averylongwordthatfitsnowhere b", 4, 4, 10);
  page_is(&page, "averylongwordthatfitsnowhere\n    b\n");
  page_open(&page);
  screen_row(page.file, "Größe", 6, "1");
  page_is(&page, "  Größe  1\n");
}

static void a_table_is_aligned_by_characters(void **state)
{
  static const struct column columns[] = {{.title = "A"}, {.title = "EMPTY"}, {.title = "B"}};
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  (void)state;
  static const char *const cells[] = {"ä", "", "x", "long", "", "y\n", "z", "", ""};
  for (size_t i = 0; i < ARRAY_LEN(cells); i++)
    table_add(&table, cells[i]);
  char path[] = "/tmp/mintmark-table-XXXXXX";
  int fd = mkstemp(path); /* a table asks its stream for a terminal: it must have a descriptor */
  assert_true(fd >= 0);
  FILE *file = fdopen(fd, "w+");
  table_print(&table, file);
  rewind(file);
  char text[256];
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  remove(path);
  assert_string_equal(text, "A     B\n"
                            "ä     x\n"
                            "long  y?\n"
                            "z\n");
}

/* A terminal of so many columns; *ret_reader reads what is printed. */
static FILE *open_terminal(unsigned short columns, int *ret_reader)
{
  int fd = posix_openpt(O_RDWR | O_NOCTTY);
  assert_true(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
  FILE *terminal = fopen(ptsname(fd), "w");
  assert_non_null(terminal);
  assert_int_equal(ioctl(fd, TIOCSWINSZ, &(struct winsize){.ws_col = columns, .ws_row = 24}), 0);
  *ret_reader = fd;
  return terminal;
}

/* What was printed, in as many pieces as the kernel hands it over; up to `lines` line ends. */
static void read_lines(int reader, unsigned lines, char *ret_text, size_t size)
{
  struct pollfd wanted = {.fd = reader, .events = POLLIN};
  size_t len = 0;
  while (lines > 0) {
    assert_int_equal(poll(&wanted, 1, PATIENCE_MS), 1);
    ssize_t n = read(reader, ret_text + len, size - 1 - len);
    assert_true(n > 0);
    for (ssize_t i = 0; i < n; i++)
      lines -= ret_text[len++] == '\n';
  }
  ret_text[len] = '\0';
}

static void on_a_terminal_a_table_fits_the_width(void **state)
{
  static const struct column columns[] = {
      {"WHEN", SHRINK_NEVER}, {"NAMES", SHRINK_END}, {"SERIAL NUMBER", SHRINK_FRONT}};
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  int reader;
  char text[512];
  (void)state;
  table_add(&table, "2026-11-23");
  table_add(&table, "ä.widgets.example b.widgets.example");
  table_add(&table, "0123456789abcdef");
  FILE *terminal = open_terminal(40, &reader);
  table_print(&table, terminal);
  fflush(terminal);
  read_lines(reader, 2, text, sizeof text);
  fclose(terminal);
  close(reader);
  assert_string_equal(text, "WHEN        NAMES              SERIAL N…\r\n"
                            "2026-11-23  ä.widgets.exampl…  …89abcdef\r\n");
}

static void a_bar_is_full_only_when_all_is_done(void **state)
{
  static const struct {
    int64_t done, of;
    const char *bar;
  } cases[] = {
      {0, 500, "░░░░░░░░░░"},   {1, 500, "█░░░░░░░░░"},
      {250, 500, "█████░░░░░"}, {499, 500, "█████████░"},
      {500, 500, "██████████"}, {INT64_C(999999999), INT64_C(1000000000), "█████████░"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) bar = {0};
    screen_bar(&bar, cases[i].done, cases[i].of, 10);
    assert_string_equal(buf_text(&bar), cases[i].bar);
  }
}

static void times_are_told_with_their_distance(void **state)
{
  static const struct {
    int64_t distance;
    const char *says;
  } cases[] = {
      {0, "(just now)"},
      {90, "(in 90 seconds)"},
      {3600, "(in 60 minutes)"},
      {-86400, "(24 hours ago)"},
      {825 * 86400 - 1, "(in 825 days)"},
      {-400 * 86400, "(400 days ago)"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) text = {0};
    screen_when(&text, 1795420800 + cases[i].distance, 1795420800);
    if (strstr(buf_text(&text), cases[i].says) == NULL)
      fail_msg("%s instead of %s", buf_text(&text), cases[i].says);
  }
  AUTO(buf) never = {0};
  screen_when(&never, WHEN_NEVER, 0);
  assert_string_equal(buf_text(&never), "no end (9999-12-31 23:59:59 UTC)");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_is_wrapped_beside_its_label),
      cmocka_unit_test(a_table_is_aligned_by_characters),
      cmocka_unit_test(on_a_terminal_a_table_fits_the_width),
      cmocka_unit_test(a_bar_is_full_only_when_all_is_done),
      cmocka_unit_test(times_are_told_with_their_distance),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
