/* batch_form.h - a batch of requests as JSON, and what became of its lines as NDJSON. Threads: any.
 */
#pragma once
#include "daemon/exchange.h"
#include "daemon/service.h"
#include "lib/ca/batch.h"

/* Appends {"id": ..., "principal": ..., "state": "running", "done" or "cut-off", "lines": ...}. */
void batch_json_add(const struct batch *batch, struct buf *out);

/* Makes the reply a stream: for each line, in their order, {"line": 1, "outcome": "issued", ...}
 * with what POST /v1/certificates would have answered: "issued" for 201, "replayed" for 200,
 * "refused" with a problem's members. Of one that runs: those that are done. */
bool batch_results_start(const struct service *service, int64_t batch, struct reply *reply,
                         struct fault *f);
extern const char batch_results_type[];
