/* facts.h - what an item says, as a list of facts: printed for a person or as JSON from the same
 * list. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cli/item.h"
#include "lib/base/buf.h"

enum { FACTS_MAX = 24 };

struct fact {
  const char *label; /* for a person */
  const char *name;  /* in JSON */
  struct buf text;   /* for a person; a new line between the entries of a list */
  struct buf value;  /* in JSON, where it differs; empty: the same as text */
  bool is_list;
};

struct facts {
  struct fact rows[FACTS_MAX];
  size_t n;
};

void facts_of(const struct item *item, int64_t now, struct facts *ret_facts);
void facts_free(struct facts *facts);
AUTO_VALUE(facts, struct facts, facts_free)
