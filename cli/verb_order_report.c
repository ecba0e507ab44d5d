/* verb_order_report.c - mintmark order report: the yield of a line, by station and hour. */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/order_view.h"
#include "cli/screen.h"

static void add_count(struct table *table, const json_t *sum, const char *name)
{
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)order_number(sum, name));
  table_add(table, text);
}

static void add_reasons(struct table *table, json_t *refused)
{
  AUTO(buf) text = {0};
  const char *code;
  json_t *n;
  json_object_foreach(refused, code, n) buf_addf(&text, "%s%s %lld", text.len > 0 ? ", " : "", code,
                                                 (long long)json_integer_value(n));
  table_add(table, buf_text(&text));
}

/* "2026-11-23T08:00:00Z" -> "2026-11-23 08:00"; or another text as it is. */
static void add_row(struct table *table, const char *station, const char *hour, const json_t *sum)
{
  char when[17];
  snprintf(when, sizeof when, "%s", hour);
  if (strlen(when) > 10)
    when[10] = ' ';
  table_add(table, station);
  table_add(table, when);
  add_count(table, sum, "issued");
  add_count(table, sum, "replayed");
  add_count(table, sum, "replaced");
  add_count(table, sum, "renewed");
  add_count(table, sum, "refused");
  add_reasons(table, json_object_get(sum, "refused_by_code"));
}

static bool print_table(const json_t *report, struct fault *f)
{
  static const struct column columns[] = {{.title = "STATION", .shrink = SHRINK_END},
                                          {.title = "HOUR (UTC)"},
                                          {.title = "ISSUED"},
                                          {.title = "REPLAYED"},
                                          {.title = "REPLACED"},
                                          {.title = "RENEWED"},
                                          {.title = "REFUSED"},
                                          {.title = "WHY", .shrink = SHRINK_END}};
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  size_t i;
  json_t *hour;
  json_array_foreach(json_object_get(report, "hours"), i, hour)
      add_row(&table, json_text(hour, "station"), json_text(hour, "hour"), hour);
  add_row(&table, "all", "", json_object_get(report, "total"));
  if (table.failed)
    return fault_no_memory(f);
  table_print(&table, stdout);
  return true;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) reply = NULL;
  AUTO(buf) path = {0};
  if (!order_path(args, "/report", &path, f))
    return false;
  const struct call call = {.path = buf_text(&path)};
  if (!client_open(args, 0, &client, f) || !client_call(client, &call, NULL, &reply, f))
    return false;
  if (args_has(args, "json"))
    return json_print(TAKE(reply), f);
  return print_table(reply, f);
}

static const struct option options[] = {
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "The yield of every station, hour by hour",
    "mintmark order report PO-7781 --dir acme",
    NULL,
};

const struct verb verb_order_report = {
    .name = "order report",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "what was issued and refused under it, by station and hour",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
