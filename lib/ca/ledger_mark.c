/* ledger_mark.c - which rows have a label (sql/0012-marks.sql): written of 1,024 rows at once, with
 * the last of them. Of those that came since, every search takes a look (ledger_marked.c). The
 * labels of rows that this process has added are remembered; those of others are read again. */
#include "lib/ca/ledger_private.h"

/* The labels of rows, behind their id, are marked with the kinds from `first` on. */
static const struct {
  enum ledger_sql rows;
  enum mark_kind first;
} logs[LOG_COUNT] = {
    [LOG_CERTIFICATES] = {SQL_LABELS_OF_CERTIFICATES, MARK_PROFILE},
    [LOG_EVENTS] = {SQL_LABELS_OF_EVENTS, MARK_EVENT_KIND},
};

/* Of rows that have a label. */
struct mark {
  enum mark_kind kind;
  int64_t label, span;
  uint64_t bits; /* not written yet */
};

/* Each has one place where it may be, so that it is found without a search. */
enum { PLACES = 256 };
struct marks {
  struct ledger_connection *writer;
  struct mark at[PLACES];
};

static bool write_mark(struct marks *marks, struct mark *mark, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (mark->bits == 0)
    return true;
  if (!ledger_call_open(marks->writer, SQL_ADD_MARK, &call, f))
    return false;
  ledger_call_number(&call, mark->kind);
  ledger_call_number(&call, mark->label);
  ledger_call_number(&call, mark->span);
  ledger_call_number(&call, (int64_t)mark->bits);
  mark->bits = 0;
  return ledger_call_run(&call, f);
}

static struct mark *place_of(struct marks *marks, enum mark_kind kind, int64_t label, int64_t span)
{
  uint64_t hash = (uint64_t)label << 28 ^ (uint64_t)span << 4 ^ (uint64_t)kind;
  return &marks->at[(hash * 0x9e3779b97f4a7c15u >> 32) % PLACES];
}

/* What is there of another one is written first. */
static bool add(struct marks *marks, enum mark_kind kind, int64_t label, int64_t row,
                struct fault *f)
{
  int64_t span = row / MARK_ROWS;
  struct mark *mark = place_of(marks, kind, label, span);
  if (mark->kind != kind || mark->label != label || mark->span != span) {
    if (!write_mark(marks, mark, f))
      return false;
    *mark = (struct mark){.kind = kind, .label = label, .span = span};
  }
  mark->bits |= (uint64_t)1 << row % MARK_ROWS;
  return true;
}

static bool add_labels(struct marks *marks, enum mark_kind first, int64_t id,
                       const int64_t labels[MARK_LABELS], struct fault *f)
{
  for (int i = 0; i < MARK_LABELS; i++)
    if (labels[i] != 0 && !add(marks, first + (enum mark_kind)i, labels[i], id, f))
      return false;
  return true;
}

static bool add_row(struct marks *marks, enum mark_kind first, const struct ledger_call *row,
                    struct fault *f)
{
  int64_t labels[MARK_LABELS];
  for (int i = 0; i < MARK_LABELS; i++)
    labels[i] = sqlite3_column_int64(row->statement, i + 1);
  return add_labels(marks, first, sqlite3_column_int64(row->statement, 0), labels, f);
}

static bool read_labels(struct marks *marks, enum ledger_log log, int64_t first_row,
                        struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(marks->writer, logs[log].rows, &call, f))
    return false;
  ledger_call_number(&call, first_row);
  ledger_call_number(&call, first_row + MARK_RUN_ROWS - 1);
  for (bool row = true; row;)
    if (!ledger_call_step(&call, &row, f) || (row && !add_row(marks, logs[log].first, &call, f)))
      return false;
  return true;
}

static bool remember_labels(struct marks *marks, enum ledger_log log, int64_t first_row,
                            const struct ledger_labels *labels, struct fault *f)
{
  for (int64_t id = first_row; id < first_row + MARK_RUN_ROWS; id++)
    if (!add_labels(marks, logs[log].first, id, labels->of[id % MARK_RUN_ROWS], f))
      return false;
  return true;
}

/* Readers look through all rows behind these. */
static bool write_marked_rows(struct ledger_connection *writer, enum ledger_log log, int64_t rows,
                              struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_SET_MARKED_ROWS, &call, f))
    return false;
  ledger_call_number(&call, log);
  ledger_call_number(&call, rows);
  return ledger_call_run(&call, f);
}

static bool mark_run(struct ledger *ledger, enum ledger_log log, int64_t first_row, struct fault *f)
{
  const struct ledger_labels *labels = &ledger->labels_of[log];
  struct marks marks = {.writer = ledger->writer};
  bool has_all = labels->from <= first_row && labels->behind == first_row + MARK_RUN_ROWS;
  if (has_all ? !remember_labels(&marks, log, first_row, labels, f)
              : !read_labels(&marks, log, first_row, f))
    return false;
  for (size_t i = 0; i < PLACES; i++)
    if (!write_mark(&marks, &marks.at[i], f))
      return false;
  return write_marked_rows(ledger->writer, log, first_row + MARK_RUN_ROWS, f);
}

bool ledger_mark_row(struct ledger_batch *batch, enum ledger_log log, int64_t id,
                     const int64_t of_row[MARK_LABELS], struct fault *f)
{
  struct ledger_labels *labels = &batch->ledger->labels_of[log];
  memcpy(labels->of[id % MARK_RUN_ROWS], of_row, sizeof labels->of[0]);
  labels->behind = id + 1;
  for (; batch->marked[log] + MARK_RUN_ROWS <= id + 1; batch->marked[log] += MARK_RUN_ROWS)
    if (!mark_run(batch->ledger, log, batch->marked[log], f))
      return false;
  return true;
}

/* --- transactions --- */

/* What was rolled back is gone, and so are rows in whose places it stood, a run before it; and all
 * that stands in front of rows of others. */
void ledger_marks_begin(struct ledger_batch *batch, enum ledger_log log, int64_t last_id)
{
  struct ledger_labels *labels = &batch->ledger->labels_of[log];
  if (labels->from < labels->behind - MARK_RUN_ROWS)
    labels->from = labels->behind - MARK_RUN_ROWS;
  if (labels->committed != last_id + 1 || labels->from > last_id + 1)
    labels->from = last_id + 1;
  labels->behind = last_id + 1;
  batch->marked[log] = batch->ledger->marked[log];
}

void ledger_marks_commit(struct ledger_batch *batch, enum ledger_log log)
{
  struct ledger_labels *labels = &batch->ledger->labels_of[log];
  labels->committed = labels->behind;
  batch->ledger->marked[log] = batch->marked[log];
}

bool ledger_marked_rows(struct ledger_connection *c, enum ledger_log log, int64_t *ret_rows,
                        struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, SQL_MARKED_ROWS, &call, f))
    return false;
  ledger_call_number(&call, log);
  if (!ledger_call_run(&call, f))
    return false;
  *ret_rows = sqlite3_column_int64(call.statement, 0);
  return true;
}
