/* fields_plain.h - the plain JSON that programs send, read without a tree: one object, strings of
 * printable ASCII, no numbers, no field that the table does not have, none twice, each of its type.
 *
 * It never refuses: whatever is not plain is for the full reader to judge. What it does take means
 * the same there. Threads: any. */
#pragma once
#include "daemon/fields.h"

enum { PLAIN_FIELDS_MAX = 16, PLAIN_ITEMS_MAX = 64 };

struct plain_value {
  bool given;
  struct bytes text;          /* a string; "true" or "false" */
  size_t first_item, n_items; /* a list's */
};

/* Views into the body and into the scratch buffer. */
struct plain {
  struct plain_value values[PLAIN_FIELDS_MAX]; /* in the order of the table */
  struct bytes items[PLAIN_ITEMS_MAX];
  size_t n_items;
};

/* False when the body is not plain. */
bool fields_plain_read(const struct field_table *table, struct bytes body, struct buf *scratch,
                       struct plain *ret_plain);
