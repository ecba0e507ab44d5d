/* ledger_mark.c - which rows have a label (sql/0012-marks.sql): gathered within a transaction, so
 * that neighbours are written at once. */
#include "lib/ca/ledger_private.h"

static bool write_mark(struct ledger_batch *batch, struct ledger_mark *mark, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (mark->bits == 0)
    return true;
  if (!ledger_call_open(batch->ledger->writer, SQL_ADD_MARK, &call, f))
    return false;
  ledger_call_number(&call, mark->kind);
  ledger_call_number(&call, mark->label);
  ledger_call_number(&call, mark->span);
  ledger_call_number(&call, (int64_t)mark->bits);
  if (!ledger_call_run(&call, f))
    return false;
  mark->bits = 0;
  return true;
}

bool ledger_marks_flush(struct ledger_batch *batch, struct fault *f)
{
  for (size_t i = 0; i < ARRAY_LEN(batch->marks); i++)
    if (!write_mark(batch, &batch->marks[i], f))
      return false;
  return true;
}

/* Each has one place where it may be, so that it is found without a search; what is there of
 * another one is written first. */
static struct ledger_mark *place_of(struct ledger_batch *batch, enum mark_kind kind, int64_t label,
                                    int64_t span)
{
  uint64_t hash = (uint64_t)label << 28 ^ (uint64_t)span << 4 ^ (uint64_t)kind;
  return &batch->marks[(hash * 0x9e3779b97f4a7c15u >> 32) % ARRAY_LEN(batch->marks)];
}

bool ledger_mark_add(struct ledger_batch *batch, enum mark_kind kind, int64_t label, int64_t row,
                     struct fault *f)
{
  int64_t span = row / MARK_ROWS;
  if (label == 0)
    return true;
  struct ledger_mark *mark = place_of(batch, kind, label, span);
  if (mark->kind != kind || mark->label != label || mark->span != span) {
    if (!write_mark(batch, mark, f))
      return false;
    *mark = (struct ledger_mark){.kind = kind, .label = label, .span = span};
  }
  mark->bits |= (uint64_t)1 << row % MARK_ROWS;
  return true;
}
