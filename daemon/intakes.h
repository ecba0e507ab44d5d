/* intakes.h - batches while they come in: POST /v1/batches.
 *
 * Each line is a request for a certificate, and goes to the pipeline as it arrives. A few hundred
 * of a batch are there at a time; then its socket is not read until some are done, so that neither
 * the batch nor its results are ever in memory. What becomes of each line is in the ledger with
 * its certificate (batch.h), and the reply, which follows the last line, is read from there.
 *
 * What is not possible now (503: the key holder is away, the disk is full) is no line's outcome:
 * the batch waits for it, and is given up after a minute. A batch that did not come to its end is
 * "cut off"; whoever sends it again has those certificates that were issued.
 *
 * One thread tries again what was not possible, ends what has come to its end, and writes that
 * down.
 */
#pragma once
#include "daemon/exchange.h"
#include "daemon/service.h"

enum { INTAKES_MAX = 32, BATCH_LINES_MAX = 1000000, BATCH_LINE_MAX = 32 * 1024 };

struct intakes;

/* Batches that an earlier daemon left open are cut off. Borrows ledger and issuer. LEDGER. */
bool intakes_new(struct ledger *ledger, struct issuer *issuer, struct intakes **ret_intakes,
                 struct fault *f);
/* No more begin, and those whose lines still come in are cut off. Does not wait. Accepts NULL. */
void intakes_quit(struct intakes *intakes);
/* When no exchange of theirs is left, and no job. Ends the thread. Accepts NULL. */
void intakes_free(struct intakes *intakes);

/* Begins a batch: makes x->sink. BATCH_EXISTS, BUSY (INTAKES_MAX are at work), STOPPING, LEDGER. */
bool intake_open(struct exchange *x, const uint8_t name[16], struct fault *f);
