/* batch_form.c - see batch_form.h. */
#include "daemon/batch_form.h"

#include <stdlib.h>

#include "daemon/cert_json.h"
#include "daemon/json_text.h"
#include "daemon/paged.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

/* A line's answer has some 3 KiB, and a page of them is in memory at a time. */
enum { PAGE_LINES = 64 };

const char batch_results_type[] = "application/x-ndjson";

/* --- how far it is --- */

static void add_time(struct buf *out, const char *name, int64_t instant)
{
  char text[WHEN_TEXT_SIZE] = "";
  if (instant != 0)
    when_text(text, instant);
  json_add_member(out, name, bytes_of_text(text));
}

static const char *state_of(const struct batch *batch)
{
  if (batch->ended_at == 0)
    return "running";
  return batch->cut_off ? "cut-off" : "done";
}

void batch_json_add(const struct batch *batch, struct buf *out)
{
  char id[2 * BATCH_NAME_LEN + 1];
  text_hex(id, batch->name, BATCH_NAME_LEN);
  buf_add_u8(out, '{');
  json_add_member(out, "id", bytes_of_text(id));
  json_add_member(out, "principal", bytes_of_text(batch->principal));
  json_add_member(out, "state", bytes_of_text(state_of(batch)));
  json_add_number(out, "lines", batch->issued + batch->replayed + batch->refused);
  json_add_number(out, "issued", batch->issued);
  json_add_number(out, "replayed", batch->replayed);
  json_add_number(out, "refused", batch->refused);
  add_time(out, "begun_at", batch->begun_at);
  add_time(out, "ended_at", batch->ended_at);
  buf_add_u8(out, '}');
}

/* --- what became of its lines --- */

struct results {
  const struct service *service;
  int64_t batch, last_line, now;
  struct batch_lines page;
};

static void results_free(void *state)
{
  struct results *results = state;
  batch_lines_free(&results->page);
  free(results);
}

static bool fetch(void *state, unsigned limit, size_t *ret_n, bool *ret_more, struct fault *f)
{
  struct results *results = state;
  batch_lines_free(&results->page);
  if (!ledger_get_batch_lines(results->service->ledger, results->batch, results->last_line,
                              limit < PAGE_LINES ? limit : PAGE_LINES, results->now, &results->page,
                              f))
    return false;
  *ret_n = results->page.n;
  *ret_more = results->page.more;
  if (results->page.n > 0)
    results->last_line = results->page.rows[results->page.n - 1].line;
  return true;
}

static void add_errors(const struct fault *fault, struct buf *out)
{
  json_add_name(out, "errors");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < fault->n_items; i++) {
    json_add_comma(out);
    buf_add_u8(out, '{');
    json_add_member(out, "name", bytes_of_text(fault->items[i].name));
    json_add_member(out, "why", bytes_of_text(fault->items[i].why));
    buf_add_u8(out, '}');
  }
  buf_add_u8(out, ']');
}

static void add_problem(const struct fault *fault, struct buf *out)
{
  json_add_number(out, "status", fault_status(fault->code));
  json_add_member(out, "code", bytes_of_text(fault_problem_code(fault->code)));
  json_add_member(out, "title", bytes_of_text(fault_title(fault->code)));
  json_add_member(out, "detail", bytes_of_text(fault->detail));
  if (fault->n_items > 0)
    add_errors(fault, out);
}

static bool add_line(const struct results *results, const struct batch_line *line, struct buf *out,
                     struct fault *f)
{
  bool refused = line->fault.code != FAULT_NONE;
  const char *outcome = line->replayed ? "replayed" : "issued";
  buf_add_u8(out, '{');
  json_add_number(out, "line", line->line);
  json_add_member(out, "outcome", bytes_of_text(refused ? "refused" : outcome));
  if (refused)
    add_problem(&line->fault, out);
  else if (!cert_json_add_members(
               &line->row, authorities_named(results->service->authorities, line->row.authority),
               out, f))
    return false;
  buf_add_text(out, "}\n");
  return buf_ok(out) || fault_no_memory(f);
}

static bool add_page(void *state, struct buf *out, struct fault *f)
{
  const struct results *results = state;
  for (size_t i = 0; i < results->page.n; i++)
    if (!add_line(results, &results->page.rows[i], out, f))
      return false;
  return true;
}

bool batch_results_start(const struct service *service, int64_t batch, struct reply *reply,
                         struct fault *f)
{
  static const struct paged_rows rows = {.fetch = fetch, .add = add_page, .free = results_free};
  struct results *results = calloc(1, sizeof *results);
  if (results == NULL)
    return fault_no_memory(f);
  *results = (struct results){.service = service, .batch = batch, .now = when_now()};
  return paged_start(&rows, results, batch_results_type, 0, reply, f);
}
