/* verb_station.c - mintmark station add, station list: who may ask. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/outputs.h"
#include "cli/screen.h"
#include "cli/station_cert.h"

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

static bool add_with_token(const struct args *args, struct fault *f)
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

/* The certificate first: it counts only once the principal is bound to it. */
static bool add_with_certificate(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(station_cert) cert = {0};
  AUTO(json) reply = NULL;
  const char *name = args->operands[0];
  if (!client_open(args, 0, &client, f) || !station_cert_ask(args, client, name, false, &cert, f))
    return false;
  AUTO(json)
  body = json_pack("{s:s, s:s, s:s}", "name", name, "role", args_get_or(args, "role", "station"),
                   "certificate", cert.serial_number);
  const struct call call = {.path = "/v1/principals", .body = body, .not_again = true};
  if (body == NULL)
    return fault_no_memory(f);
  if (!client_call(client, &call, NULL, &reply, f) || !station_cert_keep(&cert, f))
    return false;
  if (args_has(args, "json"))
    return json_print(json_incref(reply), f);
  printf("%s may now ask, as %s, with the certificate %s and its key %s.\n", name,
         json_text(reply, "role"), cert.cert_path, cert.key_path);
  return true;
}

static bool add_with_trust(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) reply = NULL;
  AUTO(json)
  body = json_pack("{s:s, s:s, s:s}", "name", args->operands[0], "role",
                   args_get_or(args, "role", "station"), "trust", args_get(args, "trust"));
  const struct call call = {.path = "/v1/principals", .body = body, .not_again = true};
  if (body == NULL)
    return fault_set(f, BAD_USAGE, "the name is not UTF-8");
  if (!client_open(args, 0, &client, f) || !client_call(client, &call, NULL, &reply, f))
    return false;
  if (args_has(args, "json"))
    return json_print(json_incref(reply), f);
  printf("%s may now ask, as %s, with a certificate that %s vouches for.\n", args->operands[0],
         json_text(reply, "role"), args_get(args, "trust"));
  return true;
}

static bool run_add(const struct args *args, struct fault *f)
{
  bool cert = args_has(args, "cert"), trust = args_has(args, "trust");
  if (cert + trust + args_has(args, "save") > 1)
    return fault_set(f, BAD_USAGE, "--cert, --trust and --save exclude each other");
  if (cert || trust)
    return cert ? add_with_certificate(args, f) : add_with_trust(args, f);
  return add_with_token(args, f);
}

/* To the minute. */
static void add_time(struct table *table, const char *time)
{
  char text[17];
  snprintf(text, sizeof text, "%s", time);
  if (strlen(text) > 10)
    text[10] = ' ';
  table_add(table, text);
}

static bool print_list(const json_t *principals, struct fault *f)
{
  static const struct column columns[] = {{.title = "NAME"},
                                          {.title = "ROLE"},
                                          {.title = "SHOWS"},
                                          {.title = "SINCE (UTC)"},
                                          {.title = "DISABLED (UTC)"}};
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  size_t i;
  json_t *principal;
  json_array_foreach(principals, i, principal)
  {
    table_add(&table, json_text(principal, "name"));
    table_add(&table, json_text(principal, "role"));
    table_add(&table, json_text(principal, "proof"));
    add_time(&table, json_text(principal, "created_at"));
    add_time(&table, json_text(principal, "disabled_at"));
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
    {"cert", NULL, "make a key and a certificate for it, instead of a token", 0},
    {"out", "DIR", "folder for NAME.key and NAME.crt of --cert [.]", 0},
    {"key-type", "TYPE", "of that key: ec-p256, ec-p384, rsa-2048, rsa-3072 ... [ec-p256]", 0},
    {"trust", "NAME", "it has a certificate of this trust of the configuration", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const add_examples[] = {
    "A station of the line",
    "mintmark station add line-3 --dir acme --save line-3.token",
    "One that shows a certificate",
    "mintmark station add line-4 --cert --dir acme --out line-4",
    "Somebody who may read the log",
    "mintmark station add quality --dir acme --role auditor",
    NULL,
};

const struct verb verb_station_add = {
    .name = "station add",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "let a station or a person ask, and make the token or certificate for it",
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
    "Everybody who may ask, and what he shows",
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
