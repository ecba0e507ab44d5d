/* verb_station.c - mintmark station add, station list: who may ask. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/outputs.h"
#include "cli/screen.h"

static bool ask_for_token(const struct args *args, json_t **ret_reply, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json)
  body = json_pack("{s:s, s:s}", "name", args->operands[0], "role",
                   args_get_or(args, "role", "station"));
  if (body == NULL)
    return fault_set(f, BAD_USAGE, "the name is not UTF-8");
  const struct call call = {.path = "/v1/principals", .body = body, .not_again = true};
  return client_open(args, 0, &client, f) && client_call(client, &call, NULL, ret_reply, f);
}

static bool print_token(json_t *reply, bool json, struct fault *f)
{
  if (json)
    return json_print(json_incref(reply), f);
  fprintf(stderr,
          "%s may now ask, as %s. This is the token; it is shown once and kept nowhere else:\n",
          json_text(reply, "name"), json_text(reply, "role"));
  printf("%s\n", json_text(reply, "token"));
  return true;
}

static bool write_token(const json_t *reply, struct outputs *file, bool json, struct fault *f)
{
  struct buf *content = &file->items[0].content;
  buf_addf(content, "%s\n", json_text(reply, "token"));
  if (!outputs_write(file, false, f)) {
    /* The principal is made and its token known only here: better on the screen than lost. */
    printf("%s\n", json_text(reply, "token"));
    return false;
  }
  if (json)
    return json_print(json_pack("{s:s, s:s, s:s}", "name", json_text(reply, "name"), "role",
                                json_text(reply, "role"), "token_file", file->items[0].path),
                      f);
  printf("%s may now ask, as %s. Its token is in %s.\n", json_text(reply, "name"),
         json_text(reply, "role"), file->items[0].path);
  return true;
}

static bool run_add(const struct args *args, struct fault *f)
{
  AUTO(outputs) file = {0};
  AUTO(json) reply = NULL;
  const char *path = args_get(args, "save");
  bool json = args_has(args, "json");
  if (path != NULL) {
    outputs_add(&file, MODE_SECRET, "", "%s", path);
    if (file.failed)
      return fault_no_memory(f);
    /* Before the token is made: it is told once. */
    if (!outputs_refuse_existing(&file, "name another file", f))
      return false;
  }
  if (!ask_for_token(args, &reply, f))
    return false;
  return path != NULL ? write_token(reply, &file, json, f) : print_token(reply, json, f);
}

static bool print_list(const json_t *principals, struct fault *f)
{
  static const struct column columns[] = {
      {.title = "NAME"}, {.title = "ROLE"}, {.title = "SINCE (UTC)"}};
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  size_t i;
  json_t *principal;
  json_array_foreach(principals, i, principal)
  {
    char since[17];
    snprintf(since, sizeof since, "%s", json_text(principal, "created_at"));
    if (strlen(since) > 10)
      since[10] = ' ';
    table_add(&table, json_text(principal, "name"));
    table_add(&table, json_text(principal, "role"));
    table_add(&table, since);
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
  const struct call call = {.path = "/v1/principals"};
  if (!client_open(args, 0, &client, f) || !client_call(client, &call, NULL, &reply, f))
    return false;
  if (args_has(args, "json"))
    return json_print(TAKE(reply), f);
  return print_list(json_object_get(reply, "principals"), f);
}

static const struct option add_options[] = {
    {"role", "ROLE", "station, operator, auditor or admin [station]", 0},
    {"save", "FILE", "write the new token to this new file, mode 0600, instead", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const add_examples[] = {
    "A station of the line",
    "mintmark station add line-3 --dir acme --save line-3.token",
    "Somebody who may read the log",
    "mintmark station add quality --dir acme --role auditor",
    NULL,
};

const struct verb verb_station_add = {
    .name = "station add",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "let a station or a person ask, and make the token for it",
    .about = "Only an administrator may. The daemon keeps a hash of the token, so it can be shown "
             "this once and never again.",
    .options = add_options,
    .asks_daemon = true,
    .examples = add_examples,
    .run = run_add,
};

static const struct option list_options[] = {
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const list_examples[] = {
    "Everybody who has a token",
    "mintmark station list --dir acme",
    NULL,
};

const struct verb verb_station_list = {
    .name = "station list",
    .summary = "who may ask",
    .options = list_options,
    .asks_daemon = true,
    .examples = list_examples,
    .run = run_list,
};
