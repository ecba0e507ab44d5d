/* health.h - is the process there, and could it issue right now? Nothing is answered by heart: a
 * thread writes to the ledger and has the key holder try its key, and keeps what it found. Asking
 * often does not make it work more. The same thread announces authorities that expire: see
 * authority_watch.h. */
#pragma once
#include "daemon/exchange.h"
#include "lib/ca/authorities.h"
#include "lib/ca/key_holder.h"
#include "lib/ca/ledger.h"
#include "lib/ca/recorder.h"
#include "lib/ca/standing.h"

struct prober;

/* Probes once, then starts the thread: every second while somebody asks, otherwise every five.
 * Borrows the ledger, the recorder (for events of the key holder), the authorities (it is the key
 * of the one that issues), the standing and the key holder (this slot of it). Whenever the
 * key holder answers, the ledger is held against what it remembers. */
bool prober_start(struct ledger *ledger, struct recorder *recorder,
                  const struct authorities *authorities, struct standing *standing,
                  struct key_holder *holder, unsigned slot, struct prober **ret_prober,
                  struct fault *f);
/* What the last probe found: false with LEDGER, SIGNER_DOWN or LEDGER_BEHIND, each part an item;
 * also when the last one is so old that the next must hang. Any thread. */
bool prober_is_ready(struct prober *prober, struct fault *f);
/* What the last probe found of each, when it is not that old. Any thread. */
void prober_findings(struct prober *prober, bool *ret_ledger, bool *ret_key_holder);
/* The last probe came to an end, whatever it found, lately: the ledger's way is not stuck. */
bool prober_is_alive(struct prober *prober);
void prober_stop(struct prober *prober); /* accepts NULL */

/* GET /healthz: the process answers. GET /readyz: 200, with what will want a hand as "warnings", or
 * 503 as long as it could not issue. */
handler health_live;
handler health_ready;
