/* verb_device.c - mintmark device list, show, reset. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/outputs.h"
#include "cli/screen.h"

/* "10.1.1.68, w-1.example" */
static void add_names(const json_t *device, struct buf *out)
{
  static const char *const kinds[] = {"ip_sans", "dns_sans", "uri_sans"};
  for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(device, kinds[k]), i, name)
    {
      buf_addf(out, "%s%s", out->len > 0 ? ", " : "", json_string_value(name));
    }
  }
}

/* --- list --- */

static bool print_table(const json_t *devices, struct fault *f)
{
  static const struct column columns[] = {
      {.title = "DEVICE", .shrink = SHRINK_END}, {.title = "STATE"},
      {.title = "MODEL", .shrink = SHRINK_END},  {.title = "ORDER", .shrink = SHRINK_END},
      {.title = "NAMES", .shrink = SHRINK_END},
  };
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  size_t i;
  json_t *device;
  json_array_foreach(devices, i, device)
  {
    AUTO(buf) names = {0};
    add_names(device, &names);
    table_add(&table, json_text(device, "device_serial"));
    table_add(&table, json_text(device, "state"));
    table_add(&table, json_text(device, "model"));
    table_add(&table, json_text(device, "order"));
    table_add(&table, buf_text(&names));
  }
  if (table.failed)
    return fault_no_memory(f);
  table_print(&table, stdout);
  return true;
}

static bool ask_list(const struct args *args, json_t **ret_reply, struct fault *f)
{
  static const char *const filters[] = {"order", "model", "state", "limit"};
  AUTO(client) client = NULL;
  AUTO(buf) query = {0};
  for (size_t i = 0; i < ARRAY_LEN(filters); i++)
    query_add(&query, filters[i], args_get(args, filters[i]));
  const struct call call = {.path = "/v1/devices", .query = buf_text(&query)};
  return client_open(args, 0, &client, f) && client_call(client, &call, NULL, ret_reply, f);
}

static bool run_list(const struct args *args, struct fault *f)
{
  AUTO(json) reply = NULL;
  if (!ask_list(args, &reply, f))
    return false;
  if (args_has(args, "json"))
    return json_print(TAKE(reply), f);
  if (!print_table(json_object_get(reply, "devices"), f))
    return false;
  if (json_is_string(json_object_get(reply, "next_cursor")))
    fprintf(stderr, "There are more: see --limit.\n");
  return true;
}

/* --- show --- */

static void print_row(const char *label, const char *text)
{
  if (text[0] != '\0')
    screen_row(stdout, label, 12, text);
}

static void print_device(const json_t *device)
{
  AUTO(buf) names = {0};
  char tries[64];
  add_names(device, &names);
  snprintf(tries, sizeof tries, "%lld",
           (long long)json_integer_value(json_object_get(device, "wrong_tries")));
  printf("%s\n", json_text(device, "device_serial"));
  print_row("state", json_text(device, "state"));
  print_row("model", json_text(device, "model"));
  print_row("order", json_text(device, "order"));
  print_row("names", names.len > 0 ? buf_text(&names) : "as the profile allows");
  print_row("wrong tries", tries);
  print_row("imported", json_text(device, "imported_at"));
  print_row("enrolled", json_text(device, "enrolled_at"));
}

static bool run_show(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) reply = NULL;
  AUTO(buf) query = {0};
  query_add(&query, "device_serial", args->operands[0]);
  const struct call call = {.path = "/v1/devices", .query = buf_text(&query)};
  if (!client_open(args, 0, &client, f) || !client_call(client, &call, NULL, &reply, f))
    return false;
  json_t *device = json_array_get(json_object_get(reply, "devices"), 0);
  if (device == NULL)
    return fault_set(f, UNKNOWN_DEVICE, "%s was not imported", args->operands[0]);
  if (args_has(args, "json"))
    return json_print(json_incref(device), f);
  print_device(device);
  return true;
}

/* --- reset --- */

static bool ask_reset(const struct args *args, json_t **ret_reply, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(json) body = json_pack("{s:s}", "device_serial", args->operands[0]);
  if (body == NULL)
    return fault_set(f, BAD_USAGE, "the device's serial is not UTF-8");
  const struct call call = {.path = "/v1/device-resets", .body = body};
  return client_open(args, 0, &client, f) && client_call(client, &call, NULL, ret_reply, f);
}

static bool run_reset(const struct args *args, struct fault *f)
{
  AUTO(outputs) file = {0};
  AUTO(json) reply = NULL;
  const char *path = args_get(args, "save");
  struct buf *content = path != NULL ? outputs_add(&file, MODE_SECRET, "", "%s", path) : NULL;
  if (path != NULL && !outputs_refuse_existing(&file, "name another file", f))
    return false;
  if (!ask_reset(args, &reply, f))
    return false;
  const char *secret = json_text(reply, "secret");
  if (content != NULL) {
    buf_addf(content, "%s\n", secret);
    if (outputs_write(&file, false, f))
      return true;
    printf("%s\n", secret); /* better on the screen than lost */
    return false;
  }
  if (args_has(args, "json"))
    return json_print(TAKE(reply), f);
  fprintf(stderr, "%s may enrol once more. This is its secret; it is kept nowhere else:\n",
          args->operands[0]);
  printf("%s\n", secret);
  return true;
}

/* --- the rows --- */

static const struct option list_options[] = {
    {"order", "ORDER", "only those of this order", 0},
    {"model", "MODEL", "only those of this model", 0},
    {"state", "STATE", "only those that are waiting, enrolled or locked", 0},
    {"limit", "N", "at most so many, up to 1000 [100]", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const list_examples[] = {
    "Devices that somebody tries secrets on",
    "mintmark device list --state locked --dir acme",
    NULL,
};

const struct verb verb_device_list = {
    .name = "device list",
    .summary = "devices that were imported",
    .about =
        "A device is waiting until it used its secret, then enrolled; 10 wrong secrets lock it.",
    .options = list_options,
    .asks_daemon = true,
    .examples = list_examples,
    .run = run_list,
};

static const struct option show_options[] = {
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const show_examples[] = {
    "One device",
    "mintmark device show W-1001 --dir acme",
    NULL,
};

const struct verb verb_device_show = {
    .name = "device show",
    .operands = "SERIAL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "what is known of one device",
    .options = show_options,
    .asks_daemon = true,
    .examples = show_examples,
    .run = run_show,
};

static const struct option reset_options[] = {
    {"save", "FILE", "write the new secret to this new file, mode 0600, instead", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const reset_examples[] = {
    "A device whose key was lost in repair",
    "mintmark device reset W-1001 --dir acme",
    NULL,
};

const struct verb verb_device_reset = {
    .name = "device reset",
    .operands = "SERIAL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "unlock a device and make a new secret for it",
    .about = "What it has stays valid. To get a certificate for another key in the place of one "
             "that is valid, the device asks with \"replace\": true.",
    .options = reset_options,
    .asks_daemon = true,
    .examples = reset_examples,
    .run = run_reset,
};
