/* ledger_span.c - what 128 neighbouring certificates span in time. Kept by the writer, once for
 * each batch and span: a trigger would cost a sixth of the time that a row takes. */
#include "lib/ca/ledger_private.h"

static int64_t least(int64_t a, int64_t b)
{
  return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
  return a > b ? a : b;
}

bool ledger_span_flush(struct ledger_batch *batch, struct fault *f)
{
  const struct ledger_span *span = &batch->span;
  AUTO(ledger_call) call = {0};
  if (!span->pending)
    return true;
  if (!ledger_call_open(batch->ledger->writer, SQL_ADD_SPAN, &call, f))
    return false;
  ledger_call_number(&call, span->id);
  ledger_call_number(&call, span->issued_min);
  ledger_call_number(&call, span->issued_max);
  ledger_call_number(&call, span->not_after_min);
  ledger_call_number(&call, span->not_after_max);
  if (!ledger_call_run(&call, f))
    return false;
  batch->span.pending = false;
  return true;
}

bool ledger_span_widen(struct ledger_batch *batch, const struct issued *row, struct fault *f)
{
  struct ledger_span *span = &batch->span;
  int64_t id = row->id / SPAN_ROWS;
  if (span->pending && span->id != id && !ledger_span_flush(batch, f))
    return false;
  if (!span->pending)
    *span = (struct ledger_span){
        id, row->issued_at_ms, row->issued_at_ms, row->not_after, row->not_after, true};
  span->issued_min = least(span->issued_min, row->issued_at_ms);
  span->issued_max = most(span->issued_max, row->issued_at_ms);
  span->not_after_min = least(span->not_after_min, row->not_after);
  span->not_after_max = most(span->not_after_max, row->not_after);
  return true;
}
