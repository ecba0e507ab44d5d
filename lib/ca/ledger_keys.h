/* ledger_keys.h - which certificates have a public key: whole runs of certificates from the table
 * of keys (sql/0014-key_runs.sql), the newest rows from memory (up to a megabyte and a half). For
 * ledger*.c alone.
 *
 * Threads: ledger_keys_find() from any; the rest from the one that holds the writer's lock. */
#pragma once
#include "lib/base/buf.h"
#include "lib/base/fault.h"

struct ledger_connection;
struct ledger_keys;

enum { KEY_RUN_ROWS = 65536, KEY_BUCKETS = 128, KEY_ENTRY_LEN = 6 };

/* What is kept of a key's SHA-256: its bucket, and four octets that tell it from nearly all others
 * there. */
struct key_tag {
  uint8_t bucket, octets[4];
};
struct key_tag key_tag_of(const uint8_t spki_sha256[32]);

/* Reads the newest rows, and writes the runs that are whole and not in the table yet, each in a
 * transaction of its own. LEDGER, NO_MEMORY. */
bool ledger_keys_new(struct ledger_connection *writer, int64_t last_id,
                     struct ledger_keys **ret_keys, struct fault *f);
void ledger_keys_free(struct ledger_keys *keys); /* accepts NULL */

/* A transaction has begun on a ledger whose newest row is this one: forgets rows that were rolled
 * back, reads those that came from elsewhere. */
bool ledger_keys_begin(struct ledger_keys *keys, struct ledger_connection *writer, int64_t last_id,
                       struct fault *f);
/* What it has added stays. */
void ledger_keys_commit(struct ledger_keys *keys);
/* A row was added within it, behind the last one. The last one of a run writes the run. */
bool ledger_keys_add(struct ledger_keys *keys, struct ledger_connection *writer, int64_t id,
                     const uint8_t spki_sha256[32], struct fault *f);

/* The ids of all certificates that may have the key, as a JSON array for SQL; whether they do, and
 * whether c's transaction sees them, the rows tell. *ret_any: there is one. A transaction that has
 * read since before two runs were written misses keys of the first: the writer never does. */
bool ledger_keys_find(struct ledger_keys *keys, struct ledger_connection *c,
                      const uint8_t spki_sha256[32], struct buf *out, bool *ret_any,
                      struct fault *f);
