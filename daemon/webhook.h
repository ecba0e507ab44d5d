/* webhook.h - one receiver of events, and the thread that tells it.
 *
 * Every event of a kind that it wants is POSTed, in the order of their ids and one after the other,
 * until it answers 2xx: at least once. The ledger keeps the last one that was told; it is written
 * after so many, or so long after the first of them, and at the end, so that a busy line does not
 * pay a transaction for each. After a crash the receiver gets again what was told since: at most 64
 * events, or those of the last second. Repeats have the same id.
 *
 * Any other answer, or none in time, is tried again after a pause of one second that doubles up to
 * five minutes, for ever: a receiver that is set up wrongly must not lose events. What is behind
 * waits in the ledger, and nobody waits for it. The log says when that begins and when it is over.
 */
#pragma once
#include "daemon/webhook_setup.h"
#include "lib/ca/ledger.h"

struct webhook;

/* Starts the thread. Borrows setup and ledger. */
bool webhook_start(const struct webhook_setup *setup, struct ledger *ledger,
                   struct webhook **ret_webhook, struct fault *f);
/* It is to end: what is under way is given up, and told again the next time. Does not wait. */
void webhook_quit(struct webhook *webhook);
/* Waits for the end, which comes at once after webhook_quit(). Accepts NULL. */
void webhook_free(struct webhook *webhook);

/* How long to wait after so many failures in a row (from 1), in milliseconds; `random` makes the
 * difference that keeps many senders from coming at once: up to a quarter less. Pure. */
int64_t webhook_pause_ms(unsigned n_failures, uint32_t random);
