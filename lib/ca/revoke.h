/* revoke.h - revoking certificates: one, or all that a filter finds, in transactions of bounded
 * size so that issuing goes on meanwhile. Threads: any. */
#pragma once
#include <stdatomic.h>

#include "lib/ca/event.h"
#include "lib/ca/ledger.h"

/* What is to become of them; `who` asks for it. */
struct revoke_order {
  enum revocation_reason reason;
  int64_t now; /* seconds: they are revoked since then */
  struct event who;
};

/* Revokes one, durably, or lifts its hold. True as well when it is so already: see ledger_revoke().
 * *ret_row is how it stands now, and owned. UNKNOWN_SERIAL_NUMBER, CERTIFICATE_STATE, LEDGER. */
bool revoke_one(struct ledger *ledger, struct bytes serial_number, const struct revoke_order *order,
                struct issued *ret_row, struct fault *f);

/* Which certificates a filter finds for that: those that are neither expired nor revoked, or those
 * on hold when they are to be lifted. Fills in query->only_good or only_on_hold. */
void revoke_select(struct ledger_query *query, enum revocation_reason reason);

/* Revokes those that the query finds, newest first, up to the one with the id newest_id: what was
 * issued since they were counted has a larger one, and is left alone. What somebody else has
 * revoked since is not counted in *ret_n. `stop` may be set by another thread: STOPPING. After a
 * fault the detail says how many were revoked; to ask again is to go on with the rest. The query's
 * limit and before_id are not looked at. */
bool revoke_many(struct ledger *ledger, const struct ledger_query *query, int64_t newest_id,
                 const struct revoke_order *order, const atomic_bool *stop, int64_t *ret_n,
                 struct fault *f);
