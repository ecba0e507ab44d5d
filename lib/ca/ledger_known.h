/* ledger_known.h - which devices and keys the ledger may have: most of those that ask are new, and
 * are spared the look into it. For ledger*.c alone.
 *
 * It never denies what the ledger has, whoever wrote it: until all rows were read, and after a row
 * that did not come through ledger_append(), it says "may" of all. Three to four octets for a
 * certificate. Threads: questions from any; the rest from the one that holds the writer's lock. */
#pragma once
#include "lib/base/bloom.h"
#include "lib/ca/ledger.h"

struct ledger_connection;
struct ledger_known;

/* Begins to read the ledger, on a thread of its own, by a connection that it then has. `last_id` is
 * the newest row's id. LEDGER, NO_MEMORY. */
bool ledger_known_new(struct ledger_connection *reader, int64_t last_id,
                      struct ledger_known **ret_known, struct fault *f);
void ledger_known_free(struct ledger_known *known); /* accepts NULL */

/* False: it has no certificate of this device (""), or of this public key. */
bool ledger_may_know_device(const struct ledger_known *known, const char *device_serial);
bool ledger_may_know_key(const struct ledger_known *known, const uint8_t spki_sha256[32]);

/* A transaction begins on a ledger whose newest row is this one. */
void ledger_known_begin(struct ledger_known *known, int64_t last_id);
/* A row was added within it. */
void ledger_known_add(struct ledger_known *known, const struct issued *row);
/* It was committed; its newest row is this one. */
void ledger_known_commit(struct ledger_known *known, int64_t last_id);
