/* expiring.h - certificates whose end is near become events, once each.
 *
 * A thread looks for them at the start, every hour, and when the time is configured anew; see
 * lib/ca/expiring.h. It writes in small steps with pauses between them, so that a million of them
 * do not hold up who waits for a certificate. */
#pragma once
#include "lib/base/fault.h"
#include "lib/ca/ledger.h"

struct expiry_watch;

/* Announces what ends within so many seconds; 0: nothing. Borrows the ledger. */
bool expiry_watch_start(struct ledger *ledger, int64_t expiring_s, struct expiry_watch **ret_watch,
                        struct fault *f);
void expiry_watch_reload(struct expiry_watch *watch, int64_t expiring_s);
void expiry_watch_stop(struct expiry_watch *watch); /* accepts NULL */
