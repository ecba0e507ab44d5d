/* screen.h - what a person sees: aligned columns, wrapped paragraphs, a sign of life while work
 * takes long. Widths are counted in characters of UTF-8. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/buf.h"

/* Columns of the terminal behind `to`; 80 when it is none, never under 40. */
size_t screen_width(FILE *to);
/* How many columns a UTF-8 text takes (each character counts one). */
size_t screen_text_width(const char *text);

/* Prints text, wrapped at white space to `width`; the first line starts at the column where the
 * cursor stands (`at`), the further ones at `indent`. Ends with a new line. */
void screen_wrap(FILE *to, const char *text, size_t at, size_t indent, size_t width);

/* "  label         text": a label in a column of its own, the text wrapped beside it. */
void screen_row(FILE *to, const char *label, size_t label_width, const char *text);

/* "2029-02-25 08:00:00 UTC (in 825 days)". */
void screen_when(struct buf *out, int64_t instant, int64_t now);

/* "██████░░░░": how much of it is done, `width` characters. Full only when all is, empty only when
 * nothing is. */
void screen_bar(struct buf *out, int64_t done, int64_t of, size_t width);

/* A table whose columns are as wide as their widest cell; a column without any text is left out.
 * Where a row is wider than the screen, the widest columns that may shrink give way, their cells
 * cut with "…". */
enum shrink { SHRINK_NEVER, SHRINK_END, SHRINK_FRONT };
struct column {
  const char *title;
  enum shrink shrink; /* which part of a cell may be cut away */
};
struct table {
  const struct column *columns;
  size_t n_columns;
  char **cells; /* owned, row by row */
  size_t n_cells, cap;
  bool failed;
};
/* Adds the next cell; control characters are replaced. */
void table_add(struct table *table, const char *text);
/* On a terminal it fits the width; elsewhere nothing is cut. */
void table_print(const struct table *table, FILE *to);
void table_free(struct table *table);
AUTO_VALUE(table, struct table, table_free)

/* Says on standard error what takes so long, with dots that go on; only when that is a terminal,
 * and only when it is not done in a moment. `what` is borrowed until screen_done(). One at a time:
 * the next takes the place of the one before.
 */
void screen_busy(const char *what);
void screen_done(void);
