/* verb_log.c - mintmark log: who got what, when, from which station. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include "lib/base/when.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 1000 };

/* Options that are parameters of the query under another spelling. */
struct filter {
  const char *option, *parameter;
  bool is_time;
};

/* What the ledger can be asked for. */
struct listing {
  const char *path, *member; /* of the request, of the reply */
  const char *thing;         /* "certificate" */
  const struct filter *filters;
  size_t n_filters;
  const struct column *columns;
  size_t n_columns;
  void (*add_row)(struct table *table, const json_t *row);
};

static bool has_filter(const struct listing *listing, const char *option)
{
  for (size_t i = 0; i < listing->n_filters; i++)
    if (strcmp(listing->filters[i].option, option) == 0)
      return true;
  return false;
}

static bool make_query(const struct listing *listing, const struct args *args,
                       struct buf *ret_query, struct fault *f)
{
  for (size_t i = 0; i < listing->n_filters; i++) {
    const struct filter *filter = &listing->filters[i];
    char when[WHEN_TEXT_SIZE];
    const char *value = args_get(args, filter->option);
    if (value != NULL && filter->is_time) {
      if (!args_time(args, filter->option, when, f))
        return false;
      value = when;
    }
    query_add(ret_query, filter->parameter, value);
  }
  return buf_ok(ret_query) || fault_no_memory(f);
}

/* The daemon streams these forms itself, all rows unless there is a limit. */
static bool print_stream(const struct listing *listing, struct client *client, struct buf *query,
                         const struct args *args, const char *type, struct fault *f)
{
  query_add(query, "limit", args_get(args, "limit"));
  const struct call call = {
      .path = listing->path, .query = buf_text(query), .accept = type, .to = stdout};
  return client_call(client, &call, NULL, NULL, f);
}

/* --- a table, page by page --- */

/* Adds one page; *ret_cursor is the next one's, or "". */
static bool add_page(const struct listing *listing, struct client *client, const struct buf *query,
                     const char *cursor, unsigned limit, struct table *table,
                     struct buf *ret_cursor, struct fault *f)
{
  AUTO(buf) page_query = {0};
  AUTO(json) reply = NULL;
  char number[16];
  snprintf(number, sizeof number, "%u", limit);
  buf_add_bytes(&page_query, buf_bytes(query));
  query_add(&page_query, "limit", number);
  query_add(&page_query, "cursor", cursor);
  if (!buf_ok(&page_query))
    return fault_no_memory(f);
  const struct call call = {.path = listing->path, .query = buf_text(&page_query)};
  if (!client_call(client, &call, NULL, &reply, f))
    return false;
  size_t i;
  json_t *row;
  json_array_foreach(json_object_get(reply, listing->member), i, row) listing->add_row(table, row);
  buf_clear(ret_cursor);
  buf_add_text(ret_cursor, json_text(reply, "next_cursor"));
  return (buf_ok(ret_cursor) && !table->failed) || fault_no_memory(f);
}

static void say_how_many(const struct listing *listing, size_t n, bool more)
{
  if (n == 0)
    printf("No %s is like this.\n", listing->thing);
  else if (more)
    printf("\nThe newest %zu; there are older ones, which --all shows.\n", n);
  else
    printf("\n%zu %s%s.\n", n, listing->thing, n == 1 ? "" : "s");
}

static bool print_table(const struct listing *listing, struct client *client,
                        const struct buf *query, const struct args *args, struct fault *f)
{
  AUTO(table) table = {.columns = listing->columns, .n_columns = listing->n_columns};
  AUTO(buf) cursor = {0};
  bool all = args_has(args, "all");
  unsigned limit;
  if (!args_number(args, "limit", LIMIT_MAX, all ? LIMIT_MAX : LIMIT_DEFAULT, &limit, f))
    return false;
  do {
    AUTO(buf) at = {0};
    buf_add_bytes(&at, buf_bytes(&cursor));
    if (!add_page(listing, client, query, at.len > 0 ? buf_text(&at) : NULL, limit, &table, &cursor,
                  f))
      return false;
  } while (all && cursor.len > 0);
  size_t n = table.n_cells / table.n_columns;
  if (n > 0)
    table_print(&table, stdout);
  say_how_many(listing, n, cursor.len > 0);
  return true;
}

/* "2026-11-23T08:00:00Z" -> "2026-11-23 08:00:00", or less of it */
static void add_when(struct table *table, const char *when, size_t len)
{
  char text[20];
  snprintf(text, sizeof text, "%.*s", (int)len, when);
  if (strlen(text) > 10)
    text[10] = ' ';
  table_add(table, text);
}

/* --- certificates --- */

static void add_names(struct buf *out, const json_t *names)
{
  size_t i;
  json_t *name;
  json_array_foreach(names, i, name)
      buf_addf(out, "%s%s", out->len > 0 ? " " : "", json_string_value(name));
}

static void add_certificate(struct table *table, const json_t *row)
{
  AUTO(buf) names = {0};
  add_names(&names, json_object_get(row, "ip_sans"));
  add_names(&names, json_object_get(row, "dns_sans"));
  add_names(&names, json_object_get(row, "uri_sans"));
  add_when(table, json_text(row, "issued_at"), 16);
  table_add(table, json_text(row, "device_serial"));
  table_add(table, buf_text(&names));
  table_add(table, json_text(row, "station"));
  table_add(table, json_text(row, "order"));
  table_add(table, json_text(row, "status"));
  table_add(table, json_text(row, "serial_number"));
}

static const struct filter certificate_filters[] = {
    {"device-serial", "device_serial", false},
    {"ip", "ip", false},
    {"dns", "dns", false},
    {"uri", "uri", false},
    {"station", "station", false},
    {"order", "order", false},
    {"model", "model", false},
    {"profile", "profile", false},
    {"status", "status", false},
    {"issued-after", "issued_after", true},
    {"issued-before", "issued_before", true},
    {"expires-before", "expires_before", true},
};
static const struct column certificate_columns[] = {
    {"ISSUED (UTC)", SHRINK_NEVER},  {"DEVICE", SHRINK_END}, {"NAMES", SHRINK_END},
    {"STATION", SHRINK_END},         {"ORDER", SHRINK_END},  {"STATUS", SHRINK_NEVER},
    {"SERIAL NUMBER", SHRINK_FRONT},
};
static const struct listing certificates = {
    "/v1/certificates",
    "certificates",
    "certificate",
    certificate_filters,
    ARRAY_LEN(certificate_filters),
    certificate_columns,
    ARRAY_LEN(certificate_columns),
    add_certificate,
};

/* --- events --- */

static void add_event(struct table *table, const json_t *row)
{
  static const char *const texts[] = {"kind",   "code",  "device_serial", "principal",
                                      "source", "order", "about"};
  json_int_t count = json_integer_value(json_object_get(row, "count"));
  char times[24] = "";
  if (count > 1)
    snprintf(times, sizeof times, "%lld", (long long)count);
  add_when(table, json_text(row, "at"), 19);
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    table_add(table, json_text(row, texts[i]));
  table_add(table, times);
  table_add(table, json_text(row, "serial_number"));
}

static const struct filter event_filters[] = {
    {"device-serial", "device_serial", false},
    {"order", "order", false},
    {"principal", "principal", false},
    {"source", "source", false},
    {"kind", "kind", false},
    {"code", "code", false},
    {"serial-number", "serial_number", false},
    {"request-id", "request_id", false},
    {"after", "after", true},
    {"before", "before", true},
};
static const struct column event_columns[] = {
    {"TIME (UTC)", SHRINK_NEVER},    {"EVENT", SHRINK_NEVER}, {"CODE", SHRINK_END},
    {"DEVICE", SHRINK_END},          {"WHO", SHRINK_END},     {"FROM", SHRINK_END},
    {"ORDER", SHRINK_END},           {"ABOUT", SHRINK_END},   {"TIMES", SHRINK_NEVER},
    {"SERIAL NUMBER", SHRINK_FRONT},
};
static const struct listing events = {
    "/v1/events",
    "events",
    "event",
    event_filters,
    ARRAY_LEN(event_filters),
    event_columns,
    ARRAY_LEN(event_columns),
    add_event,
};

/* --- the verb --- */

/* A filter that is not looked at would give a wrong answer. */
static bool check_filters(const struct listing *asked, const struct listing *other,
                          const struct args *args, struct fault *f)
{
  for (size_t i = 0; i < other->n_filters; i++) {
    const char *option = other->filters[i].option;
    if (args_has(args, option) && !has_filter(asked, option))
      return fault_set(f, BAD_USAGE, "--%s is a filter of %ss, not of %ss", option, other->thing,
                       asked->thing);
  }
  return true;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(buf) query = {0};
  unsigned limit;
  bool json = args_has(args, "json"), csv = args_has(args, "csv");
  bool of_events = args_has(args, "events");
  const struct listing *asked = of_events ? &events : &certificates;
  if (json && csv)
    return fault_set(f, BAD_USAGE, "give --json or --csv, not both");
  if (args_has(args, "limit") && args_has(args, "all"))
    return fault_set(f, BAD_USAGE, "give --limit or --all, not both");
  if (!args_number(args, "limit", LIMIT_MAX, 1, &limit, f) ||
      !check_filters(asked, of_events ? &certificates : &events, args, f) ||
      !make_query(asked, args, &query, f) || !client_open(args, 0, &client, f))
    return false;
  if (json || csv)
    return print_stream(asked, client, &query, args, json ? "application/x-ndjson" : "text/csv", f);
  return print_table(asked, client, &query, args, f);
}

static const struct option options[] = {
    {"device-serial", "SERIAL", "of this device", 0},
    {"ip", "ADDRESS", "with this IP address", 0},
    {"dns", "NAME", "with this DNS name", 0},
    {"uri", "URI", "with this URI", 0},
    {"station", "NAME", "issued to this station", 0},
    {"order", "ORDER", "for this production order", 0},
    {"model", "MODEL", "for this model", 0},
    {"profile", "NAME", "of this profile", 0},
    {"status", "STATUS", "valid, expired, superseded or revoked", 0},
    {"issued-after", "TIME", "a day such as 2026-11-23, or 2026-11-23T08:00:00Z", 0},
    {"issued-before", "TIME", "likewise", 0},
    {"expires-before", "TIME", "likewise", 0},
    {"events", NULL, "what happened, refusals too, instead of what was issued", 0},
    {"principal", "NAME", "events that this principal caused", 0},
    {"source", "ADDRESS", "events from this address", 0},
    {"kind", "KIND", "events such as issued, replaced, renewed, refused, denied", 0},
    {"code", "CODE", "events refused or denied for this reason, as key-already-used", 0},
    {"serial-number", "NUMBER", "events of this certificate", 0},
    {"request-id", "ID", "the event behind this problem", 0},
    {"after", "TIME", "events after a day or a time", 0},
    {"before", "TIME", "likewise", 0},
    {"limit", "N", "at most so many, the newest [100 in a table]; up to 1000", 0},
    {"all", NULL, "all of them, however many", 0},
    {"json", NULL, "print each as JSON on a line of its own; all, unless --limit says less", 0},
    {"csv", NULL, "print them as CSV; likewise", 0},
    {0},
};

static const char *const examples[] = {
    "Who has this address?",
    "mintmark log --dir acme --ip 10.1.1.68",
    "A day of one station, for the spreadsheet",
    "mintmark log --dir acme --station line-3 --issued-after 2026-11-23 --csv > line-3.csv",
    "What was refused today, and why",
    "mintmark log --dir acme --events --kind refused --after 2026-11-23",
    "What has to be renewed in this quarter",
    "mintmark log --dir acme --status valid --expires-before 2027-01-01 --all",
    NULL,
};

const struct verb verb_log = {
    .name = "log",
    .summary = "what was issued: to whom, when, by which station; or what happened",
    .about = "Asks the ledger for certificates or, with --events, for events; the newest come "
             "first. Times are in UTC. A station sees its own; operators, auditors and "
             "administrators see all.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
