/* fault.c - see fault.h. */
#include "lib/base/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

enum { ITEMS_MAX = 1000 };

struct row {
  const char *name;
  int status;
  enum fault_whose whose;
  const char *title;
};

static const struct row rows[FAULT_COUNT] = {[FAULT_NONE] = {"NONE", 200, FAULT_PEER, "no fault"},
#define X(code, status, whose, title) [FAULT_##code] = {#code, status, FAULT_##whose, title},
                                             FAULTS(X)
#undef X
};

/* "KEY_ALREADY_USED" -> "key-already-used", once, before main runs. */
static char problem_codes[FAULT_COUNT][40];

__attribute__((constructor)) static void make_problem_codes(void)
{
  for (size_t i = 0; i < FAULT_COUNT; i++)
    for (size_t k = 0; rows[i].name[k] != '\0' && k + 1 < sizeof problem_codes[i]; k++) {
      char c = rows[i].name[k];
      problem_codes[i][k] = c == '_' ? '-' : (char)(c + ('a' - 'A'));
    }
}

static void set_text(char *out, size_t size, const char *format, va_list args)
{
  vsnprintf(out, size, format, args);
  text_make_printable(out);
}

bool fault_set_code(struct fault *f, enum fault_code code, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  set_text(f->detail, sizeof f->detail, format, args);
  va_end(args);
  f->code = code;
  return false;
}

bool fault_no_memory(struct fault *f)
{
  return fault_set(f, NO_MEMORY, "out of memory");
}

bool fault_prefix(struct fault *f, const char *format, ...)
{
  char both[2 * sizeof f->detail];
  va_list args;
  va_start(args, format);
  set_text(both, sizeof f->detail, format, args);
  va_end(args);
  size_t len = strlen(both);
  snprintf(both + len, sizeof both - len, ": %s", f->detail);
  both[sizeof f->detail - 1] = '\0';
  memcpy(f->detail, both, sizeof f->detail);
  text_make_printable(f->detail); /* the cut may have gone through a character */
  return false;
}

bool fault_add_item(struct fault *f, const char *name, const char *why_format, ...)
{
  if (f->n_items >= ITEMS_MAX)
    return false;
  /* Grows at each power of two. */
  if ((f->n_items & (f->n_items - 1)) == 0) {
    size_t cap = f->n_items == 0 ? 1 : f->n_items * 2;
    struct fault_item *items = realloc(f->items, cap * sizeof *items);
    if (items == NULL)
      return false;
    f->items = items;
  }
  struct fault_item *item = &f->items[f->n_items++];
  snprintf(item->name, sizeof item->name, "%s", name);
  text_make_printable(item->name);
  va_list args;
  va_start(args, why_format);
  set_text(item->why, sizeof item->why, why_format, args);
  va_end(args);
  return false;
}

void fault_move(struct fault *to, struct fault *from)
{
  fault_free(to);
  *to = *from;
  *from = (struct fault){0};
}

void fault_free(struct fault *f)
{
  free(f->items);
  *f = (struct fault){0};
}

static const struct row *row_of(enum fault_code code)
{
  return &rows[code < FAULT_COUNT ? code : FAULT_INTERNAL];
}

int fault_status(enum fault_code code)
{
  return row_of(code)->status;
}

const char *fault_title(enum fault_code code)
{
  return row_of(code)->title;
}

const char *fault_problem_code(enum fault_code code)
{
  return problem_codes[code < FAULT_COUNT ? code : FAULT_INTERNAL];
}

enum fault_whose fault_whose(enum fault_code code)
{
  return row_of(code)->whose;
}
