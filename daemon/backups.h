/* backups.h - copies of the ledger for whoever asks over HTTP: made on a thread of their own, one
 * at a time, while everything else goes on. */
#pragma once
#include "daemon/exchange.h"
#include "lib/ca/ledger.h"
#include "lib/ca/recorder.h"

struct backups;

/* Borrows the ledger and the recorder. */
bool backups_new(struct ledger *ledger, struct recorder *recorder, struct backups **ret_backups,
                 struct fault *f);
/* Gives up what is under way (its exchange is finished with STOPPING) and begins no more. May be
 * called again. Accepts NULL. */
void backups_stop(struct backups *backups);
void backups_free(struct backups *backups); /* likewise */

/* POST /v1/backups: the ledger as a file, application/vnd.sqlite3, with its SHA-256 in Repr-Digest
 * (RFC 9530). DEFERRED, unless another copy is being made: BUSY. */
handler backups_make;
