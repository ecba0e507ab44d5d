/* ledger_batch_lines.c - what became of each line of a batch. See batch.h. */
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/ca/batch.h"
#include "lib/ca/ledger_private.h"

enum { NAMES_MAX = 8 * 1024 };

/* --- writing --- */

/* Names and reasons are printable: neither has a TAB or LF inside. */
static void add_items(const struct fault *fault, struct buf *out)
{
  for (size_t i = 0; i < fault->n_items; i++) {
    const struct fault_item *item = &fault->items[i];
    if (out->len + strlen(item->name) + strlen(item->why) + 2 > NAMES_MAX)
      return;
    buf_addf(out, "%s\t%s\n", item->name, item->why);
  }
}

static bool insert(struct ledger *ledger, const struct batch_outcome *outcome, struct fault *f)
{
  AUTO(buf) names = {0};
  AUTO(ledger_call) call = {0};
  const struct fault *fault = outcome->certificate == 0 ? outcome->fault : NULL;
  int64_t code = 0;
  if (fault != NULL && !ledger_label_id(ledger, fault_problem_code(fault->code), &code, f))
    return false;
  if (fault != NULL)
    add_items(fault, &names);
  const char *names_text = buf_text(&names);
  if (!buf_ok(&names))
    return fault_no_memory(f);
  if (!ledger_call_open(ledger->writer, SQL_ADD_BATCH_LINE, &call, f))
    return false;
  ledger_call_number(&call, outcome->batch);
  ledger_call_number(&call, outcome->line);
  ledger_call_id(&call, outcome->certificate);
  ledger_call_id(&call, outcome->replayed);
  ledger_call_id(&call, code);
  ledger_call_text(&call, fault != NULL ? fault->detail : NULL);
  ledger_call_text(&call, names_text);
  return ledger_call_run(&call, f);
}

bool ledger_batch_flush(struct ledger_batch *transaction, struct fault *f)
{
  const struct ledger_batch_counts *counts = &transaction->counts;
  AUTO(ledger_call) call = {0};
  if (counts->batch == 0)
    return true;
  if (!ledger_call_open(transaction->ledger->writer, SQL_COUNT_BATCH, &call, f))
    return false;
  ledger_call_number(&call, counts->batch);
  ledger_call_number(&call, counts->issued);
  ledger_call_number(&call, counts->replayed);
  ledger_call_number(&call, counts->refused);
  if (!ledger_call_run(&call, f))
    return false;
  transaction->counts = (struct ledger_batch_counts){0};
  return true;
}

static bool count(struct ledger_batch *transaction, const struct batch_outcome *outcome,
                  struct fault *f)
{
  struct ledger_batch_counts *counts = &transaction->counts;
  if (counts->batch != outcome->batch && !ledger_batch_flush(transaction, f))
    return false;
  counts->batch = outcome->batch;
  if (outcome->certificate == 0)
    counts->refused++;
  else if (outcome->replayed)
    counts->replayed++;
  else
    counts->issued++;
  return true;
}

bool ledger_add_batch_line(struct ledger_batch *transaction, const struct batch_outcome *outcome,
                           struct fault *f)
{
  struct ledger *ledger = transaction->ledger;
  if (transaction->failed)
    return fault_set(f, LEDGER, "%s: the batch has failed already", ledger->path);
  int before = sqlite3_total_changes(ledger->writer->db);
  transaction->failed = !insert(ledger, outcome, f);
  bool is_new = sqlite3_total_changes(ledger->writer->db) != before;
  if (!transaction->failed && is_new)
    transaction->failed = !count(transaction, outcome, f);
  return !transaction->failed;
}

/* --- reading --- */

/* The columns of SQL_BATCH_LINES: those of ROW_COLUMNS, and then these. */
enum {
  COLUMN_CERTIFICATE = 0,
  COLUMN_LINE = 17,
  COLUMN_REPLAYED,
  COLUMN_CODE,
  COLUMN_DETAIL,
  COLUMN_NAMES
};

/* That of a newer program, whose codes are not all known here, is an error of ours to tell. */
static enum fault_code code_named(struct bytes name)
{
  for (int code = FAULT_NONE + 1; code < FAULT_COUNT; code++)
    if (bytes_equal(name, bytes_of_text(fault_problem_code((enum fault_code)code))))
      return (enum fault_code)code;
  return FAULT_INTERNAL;
}

/* Takes what stands before `end`, and `end`; false when it is not there. */
static bool take_until(struct bytes *text, uint8_t end, struct bytes *ret_part)
{
  const uint8_t *at = text->len > 0 ? memchr(text->data, end, text->len) : NULL;
  if (at == NULL)
    return false;
  size_t len = (size_t)(at - text->data);
  *ret_part = bytes_of(text->data, len);
  *text = bytes_of(at + 1, text->len - len - 1);
  return true;
}

static void read_items(struct bytes text, struct fault *fault)
{
  struct bytes name, why;
  char name_text[sizeof fault->items->name];
  while (take_until(&text, '\t', &name) && take_until(&text, '\n', &why))
    if (TEXT_COPY(name_text, name))
      fault_add_item(fault, name_text, "%.*s", (int)why.len, (const char *)why.data);
}

static void read_refusal(const struct ledger_call *call, struct fault *fault)
{
  struct bytes detail = ledger_call_column(call, COLUMN_DETAIL);
  fault_set_code(fault, code_named(ledger_call_column(call, COLUMN_CODE)), "%.*s", (int)detail.len,
                 (const char *)detail.data);
  read_items(ledger_call_column(call, COLUMN_NAMES), fault);
}

static bool read_line(const struct ledger_call *call, int64_t now, struct batch_line *line,
                      struct fault *f)
{
  sqlite3_stmt *s = call->statement;
  line->line = sqlite3_column_int64(s, COLUMN_LINE);
  line->replayed = sqlite3_column_int(s, COLUMN_REPLAYED) != 0;
  if (sqlite3_column_type(s, COLUMN_CERTIFICATE) != SQLITE_NULL)
    return ledger_row_read(call, now, &line->row, f);
  read_refusal(call, &line->fault);
  return true;
}

static bool read_lines(struct ledger_connection *reader, int64_t batch, int64_t after,
                       unsigned limit, int64_t now, struct batch_lines *lines, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  lines->rows = calloc(limit, sizeof *lines->rows);
  if (lines->rows == NULL)
    return fault_no_memory(f);
  if (!ledger_call_open(reader, SQL_BATCH_LINES, &call, f))
    return false;
  ledger_call_number(&call, batch);
  ledger_call_number(&call, after);
  ledger_call_number(&call, (int64_t)limit + 1);
  for (;;) {
    bool row;
    if (!ledger_call_step(&call, &row, f))
      return false;
    lines->more = row && lines->n == limit;
    if (!row || lines->more)
      return true;
    if (!read_line(&call, now, &lines->rows[lines->n++], f))
      return false;
  }
}

bool ledger_get_batch_lines(struct ledger *ledger, int64_t batch, int64_t after, unsigned limit,
                            int64_t now, struct batch_lines *ret_lines, struct fault *f)
{
  AUTO(batch_lines) lines = {0};
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = read_lines(reader, batch, after, limit, now, &lines, f);
  ledger_give_back(ledger, reader);
  if (!done)
    return false;
  *ret_lines = lines;
  lines = (struct batch_lines){0};
  return true;
}

void batch_lines_free(struct batch_lines *lines)
{
  for (size_t i = 0; i < lines->n; i++) {
    fault_free(&lines->rows[i].fault);
    issued_free(&lines->rows[i].row);
  }
  free(lines->rows);
  *lines = (struct batch_lines){0};
}
