/* lists_at_hand.h - which published lists of revoked certificates somebody has, and what nobody can
 * have missed who has them. Threads: any. Pure. */
#pragma once
#include <stdint.h>

/* The highest numbers of one key's lists, by what the lists tell of; 0: there is none. */
struct lists_at_hand {
  int64_t all;               /* of all certificates, complete */
  int64_t delta, delta_base; /* of all, what has changed since that number */
  int64_t part;              /* of some of them: a shard's, complete or not */
};

/* Takes the higher ones of `more`. */
void lists_at_hand_add(struct lists_at_hand *lists, const struct lists_at_hand *more);
/* Up to this number they tell what lists revoked that this ledger does not know of, which are those
 * above `known`. A delta does so together with the list that it goes on from, or what is known. A
 * shard's list does so next to one of all that is not known: that comes first whenever something is
 * revoked (see crl_publisher.h). 0: nothing is at hand. */
int64_t lists_at_hand_reach(const struct lists_at_hand *lists, int64_t known);
