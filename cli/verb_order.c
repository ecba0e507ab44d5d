/* verb_order.c - mintmark order create, show, extend, close: what is to be issued, and how much. */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/order_view.h"
#include "lib/base/when.h"

enum { QUANTITY_MAX = 1000000000 };

/* --- what is asked for --- */

static void set(json_t *body, const char *name, const char *text)
{
  if (text != NULL && text[0] != '\0')
    json_object_set_new(body, name, json_string(text));
}

static void set_list(json_t *body, const char *name, const struct args *args, const char *option)
{
  json_t *list = json_array();
  const char *value;
  for (size_t i = 0; (value = args_nth(args, option, i)) != NULL; i++)
    json_array_append_new(list, json_string(value));
  json_object_set_new(body, name, list);
}

static bool set_number(json_t *body, const char *name, const struct args *args, struct fault *f)
{
  unsigned number;
  if (!args_number(args, name, QUANTITY_MAX, 0, &number, f))
    return false;
  if (number > 0)
    json_object_set_new(body, name, json_integer(number));
  return true;
}

static bool set_time(json_t *body, const char *name, const struct args *args, struct fault *f)
{
  char when[WHEN_TEXT_SIZE];
  if (!args_time(args, name, when, f))
    return false;
  set(body, name, when);
  return true;
}

/* --- asking --- */

static bool ask(const struct args *args, const struct call *call, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) order = NULL;
  return client_open(args, 0, &client, f) && client_call(client, call, NULL, &order, f) &&
         order_print(args, order, f);
}

static bool run_create(const struct args *args, struct fault *f)
{
  AUTO(json) body = json_object();
  set(body, "name", args->operands[0]);
  set(body, "profile", args_get(args, "profile"));
  set(body, "model", args_get(args, "model"));
  set_list(body, "stations", args, "station");
  set_list(body, "ip_ranges", args, "ip");
  if (!set_number(body, "quantity", args, f) || !set_number(body, "replacements", args, f) ||
      !set_time(body, "from", args, f) || !set_time(body, "until", args, f))
    return false;
  return ask(args, &(struct call){.path = "/v1/orders", .body = body, .not_again = true}, f);
}

static bool run_show(const struct args *args, struct fault *f)
{
  AUTO(buf) path = {0};
  return order_path(args, "", &path, f) && ask(args, &(struct call){.path = buf_text(&path)}, f);
}

static bool run_extend(const struct args *args, struct fault *f)
{
  AUTO(buf) path = {0};
  AUTO(json) body = json_object();
  if (!order_path(args, "/extend", &path, f) || !set_number(body, "quantity", args, f) ||
      !set_number(body, "by", args, f) || !set_number(body, "replacements", args, f) ||
      !set_time(body, "until", args, f))
    return false;
  if (json_object_size(body) == 0)
    return fault_set(f, BAD_USAGE,
                     "say what is to grow: --quantity, --by, --replacements or --until");
  return ask(args, &(struct call){.path = buf_text(&path), .body = body, .not_again = true}, f);
}

static bool run_close(const struct args *args, struct fault *f)
{
  AUTO(buf) path = {0};
  return order_path(args, "/close", &path, f) &&
         ask(args, &(struct call){.path = buf_text(&path), .post = true}, f);
}

/* --- the verbs --- */

static const struct option create_options[] = {
    {"profile", "PROFILE", "what may be issued under it", OPTION_REQUIRED},
    {"quantity", "N", "how many", OPTION_REQUIRED},
    {"model", "MODEL", "only this model; a request that names none gets it", 0},
    {"station", "NAME", "only this station; may be repeated", OPTION_REPEATS},
    {"ip", "RANGE", "only addresses of this range, as in 10.1.0.0/16; may be repeated",
     OPTION_REPEATS},
    {"from", "TIME", "not before this day or instant", 0},
    {"until", "TIME", "before this day or instant", 0},
    {"replacements", "N", "how many may be replaced for rework, besides the quantity [0]", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const create_examples[] = {
    "Five hundred widgets, and ten of them may be reworked",
    "mintmark order create PO-7781 --dir acme --profile device-server --quantity 500 "
    "--replacements 10",
    NULL,
};

const struct verb verb_order_create = {
    .name = "order create",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "make a production order: a profile and a quantity",
    .about = "No more than the quantity is ever issued under it. For operators and administrators.",
    .options = create_options,
    .asks_daemon = true,
    .examples = create_examples,
    .run = run_create,
};

static const struct option show_options[] = {
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const show_examples[] = {
    "How far it is",
    "mintmark order show PO-7781 --dir acme",
    NULL,
};

const struct verb verb_order_show = {
    .name = "order show",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "how far a production order is, and what it allows",
    .options = show_options,
    .asks_daemon = true,
    .examples = show_examples,
    .run = run_show,
};

static const struct option extend_options[] = {
    {"by", "N", "so many more", 0},
    {"quantity", "N", "so many in all", 0},
    {"replacements", "N", "so many replacements in all", 0},
    {"until", "TIME", "before this day or instant, later than now stands there", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const extend_examples[] = {
    "Twenty more",
    "mintmark order extend PO-7781 --dir acme --by 20",
    NULL,
};

const struct verb verb_order_extend = {
    .name = "order extend",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "let a production order grow",
    .about = "An order only grows; one that was closed stays closed.",
    .options = extend_options,
    .asks_daemon = true,
    .examples = extend_examples,
    .run = run_extend,
};

static const char *const close_examples[] = {
    "Nothing more is issued under it",
    "mintmark order close PO-7781 --dir acme",
    NULL,
};

const struct verb verb_order_close = {
    .name = "order close",
    .operands = "NAME",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "end a production order, for good",
    .about = "A request that was answered before still gets its certificate again.",
    .options = show_options,
    .asks_daemon = true,
    .examples = close_examples,
    .run = run_close,
};
