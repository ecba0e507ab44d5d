/* webhook.h - how far each webhook was told what happened. The events are the queue themselves; of
 * a webhook, the ledger keeps the last event that needs no telling any more. Threads: as ledger.h
 * says; these write in a transaction of their own. */
#pragma once
#include "lib/ca/event.h"

/* Where the webhook of this name is. One that was never seen begins behind the newest event: what
 * happened before it is not told. */
bool ledger_find_webhook(struct ledger *ledger, const char *name, int64_t now,
                         int64_t *ret_last_event, struct fault *f);
/* It was told up to and with this event. */
bool ledger_move_webhook(struct ledger *ledger, const char *name, int64_t last_event, int64_t now,
                         struct fault *f);

/* The events behind `after_id` of these kinds (event_bit), the oldest first, at most `limit`. Looks
 * at a bounded number of them: *ret_seen is the id up to which there is no other, and `after_id` of
 * the next call; ret_page->more: there is something behind it. */
bool ledger_events_behind(struct ledger *ledger, int64_t after_id, uint64_t kinds, unsigned limit,
                          struct event_page *ret_page, int64_t *ret_seen, struct fault *f);
