/* table.c - tables on the screen; see screen.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/screen.h"
#include "lib/base/text.h"

enum { GAP = 2, COLUMN_LEAST = 6, FRONT_LEAST = 9, COLUMNS_MAX = 16 };

void table_add(struct table *table, const char *text)
{
  if (table->n_cells == table->cap && !table->failed) {
    size_t cap = table->cap == 0 ? 64 : table->cap * 2;
    char **cells = realloc(table->cells, cap * sizeof *cells);
    table->failed = cells == NULL;
    if (cells != NULL) {
      table->cells = cells;
      table->cap = cap;
    }
  }
  char *copy = table->failed ? NULL : strdup(text);
  table->failed = copy == NULL;
  if (copy == NULL)
    return;
  text_make_printable(copy);
  table->cells[table->n_cells++] = copy;
}

static size_t column_width(const struct table *table, size_t column)
{
  size_t title = screen_text_width(table->columns[column].title), width = 0;
  for (size_t i = column; i < table->n_cells; i += table->n_columns) {
    size_t cell = screen_text_width(table->cells[i]);
    width = cell > width ? cell : width;
  }
  return width > 0 && width < title ? title : width;
}

/* The widest column of this kind that is wider than `least`; n_columns when there is none. */
static size_t widest(const struct table *table, const size_t *widths, enum shrink shrink,
                     size_t least)
{
  size_t found = table->n_columns;
  for (size_t i = 0; i < table->n_columns; i++)
    if (table->columns[i].shrink == shrink && widths[i] > least &&
        (found == table->n_columns || widths[i] > widths[found]))
      found = i;
  return found;
}

/* Takes one character at a time until the row fits: first from columns that are known by their
 * ends, then from the others. */
static void fit(const struct table *table, size_t *widths, size_t width)
{
  size_t total = 0;
  for (size_t i = 0; i < table->n_columns; i++)
    total += widths[i] > 0 ? widths[i] + (total > 0 ? GAP : 0) : 0;
  for (; total > width; total--) {
    size_t column = widest(table, widths, SHRINK_FRONT, FRONT_LEAST);
    if (column == table->n_columns)
      column = widest(table, widths, SHRINK_END, COLUMN_LEAST);
    if (column == table->n_columns)
      return;
    widths[column]--;
  }
}

/* The octets of the first `columns` characters. */
static size_t octets_of(const char *text, size_t columns)
{
  size_t at = 0;
  while (text[at] != '\0') {
    if (((unsigned char)text[at] & 0xc0) != 0x80 && columns-- == 0)
      break;
    at++;
  }
  return at;
}

static void print_cell(FILE *to, const char *text, size_t width, enum shrink shrink)
{
  size_t wide = screen_text_width(text);
  if (wide <= width)
    fputs(text, to);
  else if (shrink == SHRINK_FRONT)
    fprintf(to, "…%s", text + octets_of(text, wide - width + 1));
  else
    fprintf(to, "%.*s…", (int)octets_of(text, width - 1), text);
}

/* Cells behind the last one that holds anything get no blanks. */
static void print_row(const struct table *table, char *const *cells, const size_t *widths,
                      bool is_title, FILE *to)
{
  size_t blanks = 0;
  for (size_t i = 0; i < table->n_columns; i++) {
    if (widths[i] == 0)
      continue;
    size_t wide = screen_text_width(cells[i]);
    if (wide > 0) {
      fprintf(to, "%*s", (int)blanks, "");
      print_cell(to, cells[i], widths[i], is_title ? SHRINK_END : table->columns[i].shrink);
      blanks = 0;
    }
    blanks += (wide < widths[i] ? widths[i] - wide : 0) + GAP;
  }
  fputc('\n', to);
}

void table_print(const struct table *table, FILE *to)
{
  size_t widths[COLUMNS_MAX];
  char *titles[COLUMNS_MAX];
  if (table->n_columns == 0 || table->n_columns > COLUMNS_MAX)
    return;
  for (size_t i = 0; i < table->n_columns; i++) {
    widths[i] = column_width(table, i);
    titles[i] = (char *)table->columns[i].title;
  }
  if (isatty(fileno(to)))
    fit(table, widths, screen_width(to));
  print_row(table, titles, widths, true, to);
  for (size_t i = 0; i + table->n_columns <= table->n_cells; i += table->n_columns)
    print_row(table, table->cells + i, widths, false, to);
}

void table_free(struct table *table)
{
  for (size_t i = 0; i < table->n_cells; i++)
    free(table->cells[i]);
  free(table->cells);
  *table = (struct table){0};
}
