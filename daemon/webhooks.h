/* webhooks.h - all webhooks of the daemon. Threads: the main thread alone. */
#pragma once
#include "daemon/webhook_setup.h"
#include "lib/ca/ledger.h"

struct webhooks;

/* Starts one thread for each. Takes the setups over in any case; borrows the ledger. */
bool webhooks_start(struct webhook_setups *setups, struct ledger *ledger,
                    struct webhooks **ret_webhooks, struct fault *f);
/* From now on these. Each goes on where the ledger says that it is, under its name; one that fails
 * is tried again at once. What cannot be started is logged. Takes the setups over. */
void webhooks_reload(struct webhooks *webhooks, struct webhook_setups *setups);
/* Ends at once: what is under way is given up, and told again the next time. Accepts NULL. */
void webhooks_stop(struct webhooks *webhooks);
