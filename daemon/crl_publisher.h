/* crl_publisher.h - keeps the lists of revoked certificates of all authorities up to date: a thread
 * that looks at the ledger a few times a second, and at the clock.
 *
 * Each authority whose certificate has not expired has a list of all that it issued; whether it
 * issues now does not matter. With shards, each of those has a list, too: of every shard that there
 * ever was, because certificates go on naming it. */
#pragma once
#include <stdbool.h>

#include "daemon/crl_store.h"
#include "lib/base/fault.h"
#include "lib/ca/authorities.h"
#include "lib/ca/conf.h"
#include "lib/ca/key_holder.h"
#include "lib/ca/ledger.h"
#include "lib/ca/standing.h"

struct crl_publisher;

/* Takes up what is on the disk before it returns, so that this is served at once. Borrows all but
 * conf, which it holds. slot: of the key holder. */
bool crl_publisher_start(struct conf *conf, const struct authorities *authorities,
                         struct ledger *ledger, struct key_holder *holder, unsigned slot,
                         struct crl_store *store, struct standing *standing,
                         struct crl_publisher **ret_publisher, struct fault *f);
/* From now on by this configuration (but for the folder), and of the authorities that there are
 * now; every list is made anew. Any thread. */
void crl_publisher_reload(struct crl_publisher *publisher, struct conf *conf);
/* Ends when the list that is being made is done. Accepts NULL. */
void crl_publisher_stop(struct crl_publisher *publisher);
