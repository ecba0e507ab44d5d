/* authority_watch.h - an authority whose end is near is announced, long before and every day, until
 * another takes its place. Threads: any. */
#pragma once
#include "lib/ca/authorities.h"

/* 90 days: the keys of a new one may have to be fetched from a safe, and clients to learn of it. */
#define AUTHORITY_EXPIRING_S (INT64_C(90) * 86400)

/* Is its end near, or past? Never of a retired one: nobody has to do anything about that. Pure. */
bool authority_is_expiring(enum authority_state state, int64_t not_after, int64_t now);

/* Records an event for each of them that had none within the last day, and logs a warning with it.
 * LEDGER: then it is tried again by the next call. One thread at a time. */
bool authority_watch_look(const struct authorities *authorities, struct ledger *ledger, int64_t now,
                          struct fault *f);
/* Appends a JSON array of {"name", "why"}, one for each of them. */
void authority_watch_add_warnings(const struct authorities *authorities, int64_t now,
                                  struct buf *out);
