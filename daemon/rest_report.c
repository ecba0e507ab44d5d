/* rest_report.c - GET /v1/orders/:name/report: the yield of a line, by station and hour. */
#include <string.h>

#include "daemon/json_text.h"
#include "daemon/order_json.h"
#include "daemon/rest.h"
#include "daemon/service.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/event.h"

/* Outcomes that are no refusal. */
static const char *const good_outcomes[] = {"issued", "replayed", "replaced", "renewed"};

enum { GOOD_OUTCOMES = ARRAY_LEN(good_outcomes) };

/* How often one reason led to a refusal. */
struct refusals {
  char code[EVENT_NAME_SIZE];
  int64_t n;
};

/* One sum: of a station in an hour, or of the order. There are no more reasons than faults. */
struct sum {
  int64_t good[GOOD_OUTCOMES];
  struct refusals refused[FAULT_COUNT];
  size_t n_refused;
};

struct report {
  struct sum all, row;
  char station[LABEL_SIZE]; /* of the row that is open; "": none is */
  int64_t hour;
  struct buf *out;
};

static void add_refusal(struct sum *sum, const char *code, int64_t n)
{
  size_t i = 0;
  while (i < sum->n_refused && strcmp(sum->refused[i].code, code) != 0)
    i++;
  if (i == FAULT_COUNT)
    return;
  if (i == sum->n_refused) {
    TEXT_COPY(sum->refused[i].code, bytes_of_text(code));
    sum->n_refused++;
  }
  sum->refused[i].n += n;
}

static void add_outcome(struct sum *sum, const struct tally *tally)
{
  for (size_t i = 0; i < GOOD_OUTCOMES; i++)
    if (strcmp(tally->outcome, good_outcomes[i]) == 0) {
      sum->good[i] += tally->n;
      return;
    }
  add_refusal(sum, tally->outcome, tally->n);
}

static void write_sum(const struct sum *sum, struct buf *out)
{
  int64_t refused = 0;
  for (size_t i = 0; i < GOOD_OUTCOMES; i++)
    json_add_number(out, good_outcomes[i], sum->good[i]);
  for (size_t i = 0; i < sum->n_refused; i++)
    refused += sum->refused[i].n;
  json_add_number(out, "refused", refused);
  json_add_name(out, "refused_by_code");
  buf_add_u8(out, '{');
  for (size_t i = 0; i < sum->n_refused; i++)
    json_add_number(out, sum->refused[i].code, sum->refused[i].n);
  buf_add_u8(out, '}');
}

static void end_row(struct report *report)
{
  char hour[WHEN_TEXT_SIZE];
  if (report->station[0] == '\0')
    return;
  when_text(hour, report->hour);
  json_add_comma(report->out);
  buf_add_u8(report->out, '{');
  json_add_member(report->out, "station", bytes_of_text(report->station));
  json_add_member(report->out, "hour", bytes_of_text(hour));
  write_sum(&report->row, report->out);
  buf_add_u8(report->out, '}');
}

/* Tallies come in the order of stations and hours: a new one of either ends the row. */
static void add_tally(const struct tally *tally, void *context)
{
  struct report *report = context;
  if (strcmp(report->station, tally->station) != 0 || report->hour != tally->hour) {
    end_row(report);
    memset(&report->row, 0, sizeof report->row);
    TEXT_COPY(report->station, bytes_of_text(tally->station));
    report->hour = tally->hour;
  }
  add_outcome(&report->row, tally);
  add_outcome(&report->all, tally);
}

static bool write_report(struct exchange *x, struct fault *f)
{
  struct buf *out = &x->reply.body;
  struct report report = {.out = out};
  struct order order;
  if (!ledger_get_order(x->service->ledger, x->path_value, &order, f))
    return false;
  buf_add_text(out, "{\"order\":{");
  order_json_add(&order, out);
  buf_add_text(out, "},\"hours\":[");
  if (!ledger_each_tally(x->service->ledger, order.name, add_tally, &report, f))
    return false;
  end_row(&report);
  buf_add_text(out, "],\"total\":{");
  write_sum(&report.all, out);
  buf_add_text(out, "}}");
  return buf_ok(out) || fault_no_memory(f);
}

enum handled rest_report_order(struct exchange *x)
{
  AUTO(fault) f = {0};
  if (!write_report(x, &f)) {
    buf_free(&x->reply.body);
    return exchange_fail(x, &f);
  }
  x->reply.status = 200;
  x->reply.content_type = "application/json";
  return HANDLED;
}
