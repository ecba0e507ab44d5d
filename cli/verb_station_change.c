/* verb_station_change.c - mintmark station rotate, disable, enable. */
#include <stdio.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/outputs.h"
#include "cli/station_cert.h"

/* POST /v1/principals/NAME/WHAT; takes the body over. */
static bool change(struct client *client, const char *name, const char *what, json_t *body,
                   json_t **ret_reply, struct fault *f)
{
  AUTO(json) owned = body;
  AUTO(buf) path = {0};
  AUTO(buf) escaped = {0};
  query_add(&escaped, "", name); /* "?=NAME" */
  buf_addf(&path, "/v1/principals/%s/%s", buf_text(&escaped) + 2, what);
  const struct call call = {.path = buf_text(&path), .body = owned, .not_again = true};
  return (owned != NULL && buf_ok(&path) && buf_ok(&escaped))
             ? client_call(client, &call, NULL, ret_reply, f)
             : fault_no_memory(f);
}

/* --- rotate --- */

static bool new_certificate(const struct args *args, struct client *client, const char *name,
                            struct fault *f)
{
  AUTO(station_cert) cert = {0};
  AUTO(json) reply = NULL;
  if (!station_cert_ask(args, client, name, true, &cert, f) ||
      !change(client, name, "rotate", json_pack("{s:s}", "certificate", cert.serial_number), &reply,
              f) ||
      !station_cert_keep(&cert, f))
    return false;
  if (args_has(args, "json"))
    return json_print(json_incref(reply), f);
  printf("%s has a new certificate, %s, and a new key, %s; the old ones are worth nothing now.\n",
         name, cert.cert_path, cert.key_path);
  return true;
}

static bool keep_token(const json_t *reply, struct outputs *file, struct fault *f)
{
  buf_addf(&file->items[0].content, "%s\n", json_text(reply, "token"));
  if (outputs_write(file, false, f))
    return true;
  /* It is known only here: better on the screen than lost. */
  printf("%s\n", json_text(reply, "token"));
  return false;
}

static bool new_token(const struct args *args, struct client *client, const char *name,
                      struct fault *f)
{
  AUTO(outputs) file = {0};
  AUTO(json) reply = NULL;
  const char *path = args_get(args, "save");
  if (path != NULL)
    outputs_add(&file, MODE_SECRET, "", "%s", path);
  if (file.failed)
    return fault_no_memory(f);
  if (!outputs_refuse_existing(&file, "name another file", f) ||
      !change(client, name, "rotate", json_object(), &reply, f))
    return false;
  if (path != NULL)
    return keep_token(reply, &file, f);
  if (args_has(args, "json"))
    return json_print(json_incref(reply), f);
  fprintf(stderr, "The old token of %s is worth nothing now. This is the new one:\n", name);
  printf("%s\n", json_text(reply, "token"));
  return true;
}

static bool run_rotate(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  if (!client_open(args, 0, &client, f))
    return false;
  return args_has(args, "cert") ? new_certificate(args, client, args->operands[0], f)
                                : new_token(args, client, args->operands[0], f);
}

static const struct option rotate_options[] = {
    {"cert", NULL, "a new key and certificate, instead of a new token", 0},
    {"out", "DIR", "folder of NAME.key and NAME.crt, which are replaced [.]", 0},
    {"key-type", "TYPE", "of the new key: ec-p256, ec-p384, rsa-2048, rsa-3072 ... [ec-p256]", 0},
    {"save", "FILE", "write the new token to this new file, mode 0600, instead", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const rotate_examples[] = {
    "A new token for a station whose old one may be known to others",
    "mintmark station rotate line-3 --dir acme",
    "A new certificate before the old one expires",
    "mintmark station rotate line-4 --cert --dir acme --out line-4",
    NULL,
};

const struct verb verb_station_rotate = {
    .name = "station rotate",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "a new token or certificate; the old one is worth nothing from then on",
    .options = rotate_options,
    .asks_daemon = true,
    .examples = rotate_examples,
    .run = run_rotate,
};

/* --- disable, enable --- */

static bool switch_to(const struct args *args, const char *what, const char *said, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) reply = NULL;
  if (!client_open(args, 0, &client, f) ||
      !change(client, args->operands[0], what, json_object(), &reply, f))
    return false;
  if (args_has(args, "json"))
    return json_print(json_incref(reply), f);
  printf("%s %s.\n", args->operands[0], said);
  return true;
}

static bool run_disable(const struct args *args, struct fault *f)
{
  return switch_to(args, "disable", "may not ask any more, from its next request on", f);
}

static bool run_enable(const struct args *args, struct fault *f)
{
  return switch_to(args, "enable", "may ask again", f);
}

static const struct option switch_options[] = {
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const disable_examples[] = {
    "A station that was stolen",
    "mintmark station disable line-3 --dir acme",
    NULL,
};

const struct verb verb_station_disable = {
    .name = "station disable",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "let it ask no more, on open connections too",
    .options = switch_options,
    .asks_daemon = true,
    .examples = disable_examples,
    .run = run_disable,
};

static const char *const enable_examples[] = {
    "It was found again",
    "mintmark station enable line-3 --dir acme",
    NULL,
};

const struct verb verb_station_enable = {
    .name = "station enable",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "let one that was disabled ask again",
    .options = switch_options,
    .asks_daemon = true,
    .examples = enable_examples,
    .run = run_enable,
};
