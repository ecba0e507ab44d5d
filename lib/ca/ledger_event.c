/* ledger_event.c - one more event, and what is counted with it. */
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger_private.h"

/* --- spans: as in ledger_span.c, for events --- */

bool ledger_event_span_flush(struct ledger_batch *batch, struct fault *f)
{
  const struct ledger_event_span *span = &batch->event_span;
  AUTO(ledger_call) call = {0};
  if (!span->pending)
    return true;
  if (!ledger_call_open(batch->ledger->writer, SQL_ADD_EVENT_SPAN, &call, f))
    return false;
  ledger_call_number(&call, span->id);
  ledger_call_number(&call, span->at_min);
  ledger_call_number(&call, span->at_max);
  if (!ledger_call_run(&call, f))
    return false;
  batch->event_span.pending = false;
  return true;
}

static bool widen_span(struct ledger_batch *batch, int64_t event, int64_t at_ms, struct fault *f)
{
  struct ledger_event_span *span = &batch->event_span;
  int64_t id = event / SPAN_ROWS;
  if (span->pending && span->id != id && !ledger_event_span_flush(batch, f))
    return false;
  if (!span->pending)
    *span = (struct ledger_event_span){id, at_ms, at_ms, true};
  if (at_ms < span->at_min)
    span->at_min = at_ms;
  if (at_ms > span->at_max)
    span->at_max = at_ms;
  return true;
}

/* --- the row --- */

bool ledger_event_last_id(struct ledger_connection *c, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, SQL_LAST_EVENT, &call, f) || !ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_column_int64(call.statement, 0);
  return true;
}

int64_t ledger_last_event(const struct ledger *ledger)
{
  return ledger->last_event;
}

/* Before the first one of a batch. */
static bool find_last_id(struct ledger_batch *batch, struct fault *f)
{
  struct ledger *ledger = batch->ledger;
  if (batch->has_last_event)
    return true;
  if (!ledger_event_last_id(ledger->writer, &batch->last_event, f) ||
      !ledger_tags_begin(ledger->tags.of[LOG_EVENTS], ledger->writer, batch->last_event, f))
    return false;
  ledger_marks_begin(batch, LOG_EVENTS, batch->last_event);
  batch->has_last_event = true;
  return true;
}

/* In the order of enum label_column. */
enum label_column {
  LABEL_KIND,
  LABEL_CODE,
  LABEL_PRINCIPAL,
  LABEL_PROFILE,
  LABEL_ORDER,
  LABEL_ABOUT,
  LABEL_COLUMNS
};

static bool find_labels(struct ledger *ledger, const struct event *event,
                        int64_t ret_ids[LABEL_COLUMNS], struct fault *f)
{
  const char *const texts[LABEL_COLUMNS] = {
      [LABEL_KIND] = event_kind_name(event->kind),
      [LABEL_CODE] = event->code != FAULT_NONE ? fault_problem_code(event->code) : "",
      [LABEL_PRINCIPAL] = event->principal,
      [LABEL_PROFILE] = event->certificate == 0 ? event->profile : "",
      [LABEL_ORDER] = event->order,
      [LABEL_ABOUT] = event->about,
  };
  for (size_t i = 0; i < LABEL_COLUMNS; i++)
    if (!ledger_label_id(ledger, texts[i], &ret_ids[i], f))
      return false;
  return true;
}

size_t ledger_request_id_octets(const char *request_id, uint8_t ret_octets[REQUEST_ID_SIZE / 2])
{
  size_t len = 0;
  if (strpbrk(request_id, "ABCDEF") != NULL ||
      !text_unhex(bytes_of_text(request_id), ret_octets, REQUEST_ID_SIZE / 2, &len))
    return 0;
  return len;
}

/* Of no length: from within. */
static struct ip source_of(const struct event *event)
{
  struct ip source = {0};
  if (event->source[0] == '\0' || !ip_read(bytes_of_text(event->source), &source))
    source.len = 0;
  return source;
}

static bool insert(struct ledger_batch *batch, const struct event *event, int64_t at_ms,
                   const struct ip *source, const int64_t labels[LABEL_COLUMNS], struct fault *f)
{
  uint8_t request_id[REQUEST_ID_SIZE / 2];
  size_t request_id_len = ledger_request_id_octets(event->request_id, request_id);
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(batch->ledger->writer, SQL_ADD_EVENT, &call, f))
    return false;
  ledger_call_number(&call, batch->last_event + 1);
  ledger_call_number(&call, at_ms);
  ledger_call_id(&call, event->kind != EVENT_ISSUED ? labels[LABEL_KIND] : 0);
  ledger_call_id(&call, labels[LABEL_CODE]);
  ledger_call_id(&call, labels[LABEL_PRINCIPAL]);
  if (source->len > 0)
    ledger_call_blob(&call, source->octets, source->len);
  else
    ledger_call_null(&call);
  if (request_id_len > 0)
    ledger_call_blob(&call, request_id, request_id_len);
  else
    ledger_call_text(&call, event->request_id);
  ledger_call_text(&call, event->device_serial);
  ledger_call_id(&call, labels[LABEL_PROFILE]);
  ledger_call_id(&call, labels[LABEL_ORDER]);
  ledger_call_id(&call, labels[LABEL_ABOUT]);
  ledger_call_id(&call, event->certificate);
  ledger_call_id(&call, event->count > 1 ? event->count : 0);
  return ledger_call_run(&call, f);
}

static bool add_tags(struct ledger_batch *batch, const struct event *event, const struct ip *source,
                     struct fault *f)
{
  struct ledger *ledger = batch->ledger;
  struct ledger_tags *tags = ledger->tags.of[LOG_EVENTS];
  return ledger_tags_put_event(tags, batch->last_event, bytes_of_text(event->device_serial),
                               bytes_of(source->octets, source->len), f) &&
         ledger_tags_end_row(tags, ledger->writer, batch->last_event, f);
}

/* Issued ones have no kind in their row. */
static bool mark(struct ledger_batch *batch, const struct event *event,
                 const int64_t labels[LABEL_COLUMNS], struct fault *f)
{
  const int64_t of_row[MARK_LABELS] = {event->kind != EVENT_ISSUED ? labels[LABEL_KIND] : 0,
                                       labels[LABEL_CODE], labels[LABEL_PRINCIPAL],
                                       labels[LABEL_ORDER]};
  return ledger_mark_row(batch, LOG_EVENTS, batch->last_event, of_row, f);
}

static bool is_end_of_request(enum event_kind kind)
{
  return kind == EVENT_ISSUED || kind == EVENT_REPLAYED || kind == EVENT_REPLACED ||
         kind == EVENT_RENEWED || kind == EVENT_REFUSED;
}

static bool count(struct ledger_batch *batch, int64_t at_ms, const int64_t labels[LABEL_COLUMNS],
                  struct fault *f)
{
  int64_t outcome = labels[LABEL_CODE] != 0 ? labels[LABEL_CODE] : labels[LABEL_KIND];
  return ledger_add_tally(batch,
                          &(struct ledger_tally){labels[LABEL_ORDER], labels[LABEL_PRINCIPAL],
                                                 at_ms / 3600000, outcome, 1},
                          f);
}

static bool add(struct ledger_batch *batch, const struct event *event, struct fault *f)
{
  int64_t labels[LABEL_COLUMNS], at_ms = event->at_ms != 0 ? event->at_ms : when_now_ms();
  const struct ip source = source_of(event);
  if (!find_last_id(batch, f) || !find_labels(batch->ledger, event, labels, f) ||
      !insert(batch, event, at_ms, &source, labels, f))
    return false;
  batch->last_event++;
  ledger_meter_event(batch, event);
  return add_tags(batch, event, &source, f) && mark(batch, event, labels, f) &&
         widen_span(batch, batch->last_event, at_ms, f) &&
         (!is_end_of_request(event->kind) || count(batch, at_ms, labels, f));
}

bool ledger_add_event(struct ledger_batch *batch, const struct event *event, struct fault *f)
{
  if (batch->failed)
    return fault_set(f, LEDGER, "%s: the batch has failed already", batch->ledger->path);
  batch->failed = !add(batch, event, f);
  return !batch->failed;
}
