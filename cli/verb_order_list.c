/* verb_order_list.c - mintmark order list: all production orders, newest first. */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/order_view.h"
#include "cli/screen.h"

enum { BAR_WIDTH = 10 };

/* "2026-11-23T08:00:00Z" -> "2026-11-23 08:00" */
static void add_when(struct table *table, const char *when)
{
  char text[17];
  snprintf(text, sizeof text, "%s", when);
  if (strlen(text) > 10)
    text[10] = ' ';
  table_add(table, text);
}

static void add_row(struct table *table, const json_t *order)
{
  AUTO(buf) text = {0};
  int64_t replacements = order_number(order, "replacements");
  table_add(table, json_text(order, "name"));
  order_progress(order, BAR_WIDTH, &text);
  table_add(table, buf_text(&text));
  buf_clear(&text);
  if (replacements > 0)
    buf_addf(&text, "%lld of %lld", (long long)order_number(order, "replaced"),
             (long long)replacements);
  table_add(table, buf_text(&text));
  table_add(table, json_text(order, "state"));
  table_add(table, json_text(order, "profile"));
  table_add(table, json_text(order, "model"));
  add_when(table, json_text(order, "until"));
}

/* Moves one page's orders; *ret_cursor is the next page's, or "". */
static bool add_page(struct client *client, const char *state, json_t *orders, struct buf *cursor,
                     struct fault *f)
{
  AUTO(buf) query = {0};
  AUTO(json) reply = NULL;
  query_add(&query, "state", state);
  query_add(&query, "cursor", cursor->len > 0 ? buf_text(cursor) : NULL);
  if (!buf_ok(&query))
    return fault_no_memory(f);
  const struct call call = {.path = "/v1/orders", .query = buf_text(&query)};
  if (!client_call(client, &call, NULL, &reply, f))
    return false;
  buf_clear(cursor);
  buf_add_text(cursor, json_text(reply, "next_cursor"));
  if (json_array_extend(orders, json_object_get(reply, "orders")) != 0)
    return fault_set(f, UNREACHABLE, "%s did not answer with orders", client_url(client));
  return buf_ok(cursor) || fault_no_memory(f);
}

static bool print_table(const json_t *orders, struct fault *f)
{
  static const struct column columns[] = {{.title = "ORDER"},
                                          {.title = "ISSUED"},
                                          {.title = "REPLACED"},
                                          {.title = "STATE"},
                                          {.title = "PROFILE", .shrink = SHRINK_END},
                                          {.title = "MODEL", .shrink = SHRINK_END},
                                          {.title = "UNTIL (UTC)"}};
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  size_t i;
  json_t *order;
  json_array_foreach(orders, i, order) add_row(&table, order);
  if (table.failed)
    return fault_no_memory(f);
  if (json_array_size(orders) == 0)
    puts("There is no such order.");
  else
    table_print(&table, stdout);
  return true;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) orders = json_array();
  AUTO(buf) cursor = {0};
  if (!client_open(args, 0, &client, f))
    return false;
  do {
    if (!add_page(client, args_get(args, "state"), orders, &cursor, f))
      return false;
  } while (cursor.len > 0);
  if (args_has(args, "json"))
    return json_print(json_pack("{s:O}", "orders", orders), f);
  return print_table(orders, f);
}

static const struct option options[] = {
    {"state", "STATE", "open or closed", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "What is being made",
    "mintmark order list --dir acme --state open",
    NULL,
};

const struct verb verb_order_list = {
    .name = "order list",
    .summary = "the production orders, and how far they are",
    .about = "A station sees those that are open for it.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
