/* conf_line.h - a line of keyd.conf, taken apart from its beginning on. Threads: any. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum { LINE_ITEMS_MAX = 16, LINE_ITEM_SIZE = 1024 };

/* What stands behind the '=': one item, or several divided by commas, in braces or not. */
struct line_value {
  char items[LINE_ITEMS_MAX][LINE_ITEM_SIZE];
  size_t n;
};

/* Each takes what it finds off the line's beginning, spaces before it included.
 * A character; false, and only the spaces taken, when another one is there. */
bool line_take_char(struct bytes *line, char c);
/* Letters, digits and '_'; empty when there are none. */
struct bytes line_take_name(struct bytes *line);
/* All values, to the line's end. BAD_CONFIG. */
bool line_take_value(struct bytes *line, struct line_value *ret_value, struct fault *f);
/* Is nothing left but a comment? */
bool line_at_end(struct bytes *line);
