/* verb_authority.c - mintmark authority list, activate, retire: which of the issuing CAs issues. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/screen.h"

static const struct option options[] = {
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

/* --- list --- */

static void add_row(const json_t *row, struct table *table)
{
  char issued[24];
  snprintf(issued, sizeof issued, "%lld",
           (long long)json_integer_value(json_object_get(row, "issued")));
  const char *changed_at = json_text(row, "changed_at"), *not_after = json_text(row, "not_after");
  char days[2][16];
  snprintf(days[0], sizeof days[0], "%.10s", changed_at);
  snprintf(days[1], sizeof days[1], "%.10s", not_after);
  table_add(table, json_text(row, "name"));
  table_add(table, json_text(row, "state"));
  table_add(table, days[0]);
  table_add(table, days[1]);
  table_add(table, issued);
}

static bool print_list(const json_t *reply, struct fault *f)
{
  static const struct column columns[] = {
      {"AUTHORITY", SHRINK_NEVER}, {"STATE", SHRINK_NEVER},  {"SINCE", SHRINK_NEVER},
      {"EXPIRES", SHRINK_NEVER},   {"ISSUED", SHRINK_NEVER},
  };
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  size_t i;
  json_t *row;
  json_array_foreach(json_object_get(reply, "authorities"), i, row)
  {
    add_row(row, &table);
  }
  if (table.failed)
    return fault_no_memory(f);
  table_print(&table, stdout);
  return true;
}

static bool run_list(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) reply = NULL;
  const struct call call = {.path = "/v1/authorities"};
  if (!client_open(args, 0, &client, f) || !client_call(client, &call, NULL, &reply, f))
    return false;
  return args_has(args, "json") ? json_print(json_incref(reply), f) : print_list(reply, f);
}

static const char *const list_examples[] = {
    "Which one issues, and until when",
    "mintmark authority list --dir acme",
    NULL,
};

const struct verb verb_authority_list = {
    .name = "authority list",
    .summary = "the issuing CAs, and which of them issues",
    .options = options,
    .asks_daemon = true,
    .examples = list_examples,
    .run = run_list,
};

/* --- activate, retire --- */

static bool change(const struct args *args, const char *what, const char *said, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) reply = NULL;
  AUTO(buf) path = {0};
  AUTO(buf) escaped = {0};
  query_add(&escaped, "", args->operands[0]); /* "?=NAME" */
  buf_addf(&path, "/v1/authorities/%s/%s", buf_text(&escaped) + 2, what);
  const struct call call = {.path = buf_text(&path), .post = true};
  if (!buf_ok(&path) || !buf_ok(&escaped))
    return fault_no_memory(f);
  if (!client_open(args, 0, &client, f) || !client_call(client, &call, NULL, &reply, f))
    return false;
  if (args_has(args, "json"))
    return json_print(json_incref(reply), f);
  printf("%s %s.\n", args->operands[0], said);
  return true;
}

static bool run_activate(const struct args *args, struct fault *f)
{
  return change(args, "activate", "issues from now on", f);
}

static bool run_retire(const struct args *args, struct fault *f)
{
  return change(args, "retire", "never issues again; it still signs revocation lists and OCSP", f);
}

static const char *const activate_examples[] = {
    "The new one takes over, without a restart",
    "mintmark authority activate issuing-2 --dir acme",
    NULL,
};

const struct verb verb_authority_activate = {
    .name = "authority activate",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "let it issue from now on, in the place of the one that does",
    .options = options,
    .asks_daemon = true,
    .examples = activate_examples,
    .run = run_activate,
};

static const char *const retire_examples[] = {
    "The old one is not to come back",
    "mintmark authority retire issuing --dir acme",
    NULL,
};

const struct verb verb_authority_retire = {
    .name = "authority retire",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "never let it issue again; what it issued stays valid",
    .options = options,
    .asks_daemon = true,
    .examples = retire_examples,
    .run = run_retire,
};
