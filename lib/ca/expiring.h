/* expiring.h - certificates whose end is near are announced: an EVENT_EXPIRING each, once. Threads:
 * as ledger.h says; writes in transactions of its own. */
#pragma once
#include "lib/ca/event.h"

/* One step of a walk over all certificates, which begins with *after_id of 0. Announces some of
 * those that end within [now, until], have no successor, and were not announced before; *ret_n is
 * how many. Each step looks at a bounded part of the ledger and writes a bounded number of events,
 * so that issuing goes on in between; *after_id is where the next one begins, and *ret_more tells
 * whether there is one. An announcement and the note that it was made are one transaction. One
 * thread at a time. */
bool ledger_announce_expiring(struct ledger *ledger, int64_t now, int64_t until, int64_t *after_id,
                              size_t *ret_n, bool *ret_more, struct fault *f);
