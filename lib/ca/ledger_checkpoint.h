/* ledger_checkpoint.h - brings the write-ahead log over into the database, on a thread of its own:
 * the writer would stand still for as long as the disk takes. For ledger*.c alone.
 *
 * What is durable does not depend on it: a commit is, once the log is on the disk. */
#pragma once
#include <pthread.h>

#include "lib/base/fault.h"

struct ledger_checkpoint;
struct ledger_connection;

/* Watches the writer's commits, which happen under `writer_mutex`. LEDGER, NO_MEMORY. */
bool ledger_checkpoint_new(struct ledger_connection *writer, pthread_mutex_t *writer_mutex,
                           struct ledger_checkpoint **ret_checkpoint, struct fault *f);
/* Waits until it has come to its end; the writer is still open. Accepts NULL. */
void ledger_checkpoint_free(struct ledger_checkpoint *checkpoint);
