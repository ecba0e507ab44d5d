/* lists_at_hand.c - see lists_at_hand.h. */
#include "lib/ca/lists_at_hand.h"

static int64_t higher(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

void lists_at_hand_add(struct lists_at_hand *lists, const struct lists_at_hand *more)
{
  lists->all = higher(lists->all, more->all);
  lists->part = higher(lists->part, more->part);
  if (more->delta > lists->delta) {
    lists->delta = more->delta;
    lists->delta_base = more->delta_base;
  }
}

int64_t lists_at_hand_reach(const struct lists_at_hand *lists, int64_t known)
{
  int64_t reach = lists->all;
  if (lists->delta_base <= higher(lists->all, known))
    reach = higher(reach, lists->delta);
  return reach > known ? higher(reach, lists->part) : reach;
}
