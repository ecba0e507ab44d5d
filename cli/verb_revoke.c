/* verb_revoke.c - mintmark revoke: single certificates, or all that a filter finds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { SERIAL_NUMBERS_MAX = 1000, COUNT_MAX = 1000000000, PATIENCE_S = 3600 };

static const struct {
  const char *option, *name;
  bool is_time;
} filters[] = {
    {"device-serial", "device_serial", false},
    {"station", "station", false},
    {"order", "order", false},
    {"model", "model", false},
    {"profile", "profile", false},
    {"issued-after", "issued_after", true},
    {"issued-before", "issued_before", true},
};

static const char *reason_of(const struct args *args)
{
  return args_has(args, "lift") ? "removeFromCRL" : args_get_or(args, "reason", "unspecified");
}

/* "revoked", or "lifted": what is done to them. */
static const char *done_to(const struct args *args)
{
  return args_has(args, "lift") ? "off hold" : "revoked";
}

/* --- single certificates --- */

static void say_one(const json_t *certificate)
{
  char when[20];
  const char *device_serial = json_text(certificate, "device_serial");
  bool revoked = strcmp(json_text(certificate, "status"), "revoked") == 0;
  snprintf(when, sizeof when, "%.19s", json_text(certificate, "revoked_at"));
  if (strlen(when) > 10)
    when[10] = ' ';
  printf("%s%s%s is %s", json_text(certificate, "serial_number"),
         device_serial[0] != '\0' ? " of " : "", device_serial, json_text(certificate, "status"));
  if (revoked)
    printf(" since %s UTC: %s", when, json_text(certificate, "revocation_reason"));
  puts(".");
}

static bool revoke_one(struct client *client, const struct args *args, const char *serial_number,
                       json_t **ret_certificate, struct fault *f)
{
  AUTO(buf) path = {0};
  AUTO(json) body = json_pack("{s:s}", "reason", reason_of(args));
  buf_addf(&path, "/v1/certificates/%s/revoke", serial_number);
  const char *text = buf_text(&path);
  if (body == NULL || !buf_ok(&path))
    return fault_no_memory(f);
  return client_call(client, &(struct call){.path = text, .body = body}, NULL, ret_certificate, f);
}

static bool check_serial_numbers(const struct args *args, struct fault *f)
{
  for (size_t i = 0; i < args->n_operands; i++) {
    uint8_t octets[20];
    size_t len;
    if (!text_unhex(bytes_of_text(args->operands[i]), octets, sizeof octets, &len) || len == 0)
      return fault_set(f, BAD_USAGE, "'%s' is no serial number in hexadecimal", args->operands[i]);
  }
  return true;
}

/* Those that came before one that is refused stay revoked, and are told; to ask again does no harm.
 */
static bool revoke_each(struct client *client, const struct args *args, struct fault *f)
{
  AUTO(json) certificates = json_array();
  bool json = args_has(args, "json"), done = true;
  for (size_t i = 0; i < args->n_operands && done; i++) {
    AUTO(json) certificate = NULL;
    done = revoke_one(client, args, args->operands[i], &certificate, f);
    if (done && json)
      json_array_append(certificates, certificate);
    else if (done)
      say_one(certificate);
  }
  AUTO(fault) of_print = {0};
  if (json && !json_print(json_pack("{s:O}", "certificates", certificates), &of_print) && done) {
    fault_move(f, &of_print);
    return false;
  }
  return done;
}

/* --- all that a filter finds --- */

static bool has_filter(const struct args *args)
{
  for (size_t i = 0; i < ARRAY_LEN(filters); i++)
    if (args_has(args, filters[i].option))
      return true;
  return false;
}

static bool make_body(const struct args *args, json_t *body, struct fault *f)
{
  json_object_set_new(body, "reason", json_string(reason_of(args)));
  for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
    char when[WHEN_TEXT_SIZE];
    const char *text = args_get(args, filters[i].option);
    if (text == NULL)
      continue;
    if (filters[i].is_time && !args_time(args, filters[i].option, when, f))
      return false;
    json_object_set_new(body, filters[i].name, json_string(filters[i].is_time ? when : text));
  }
  return json_object_size(body) > 1 || fault_no_memory(f);
}

/* A million certificates take a while, and nothing comes until they are done. */
static bool ask(struct client *client, const json_t *body, json_t **ret_reply, struct fault *f)
{
  const struct call call = {
      .path = "/v1/revocations", .body = body, .not_again = true, .silence_s = PATIENCE_S};
  return client_call(client, &call, NULL, ret_reply, f);
}

static bool ask_dry(struct client *client, json_t *body, json_t **ret_reply, struct fault *f)
{
  json_object_set_new(body, "dry_run", json_true());
  screen_busy("looking for them");
  bool done = ask(client, body, ret_reply, f);
  screen_done();
  json_object_del(body, "dry_run");
  return done;
}

static int64_t count_in(const json_t *reply, const char *name)
{
  return (int64_t)json_integer_value(json_object_get(reply, name));
}

/* On standard error when the answer goes to standard output. */
static bool show(const json_t *reply, FILE *to, struct fault *f)
{
  static const struct column columns[] = {{"ISSUED (UTC)", SHRINK_NEVER},
                                          {"DEVICE", SHRINK_END},
                                          {"STATION", SHRINK_END},
                                          {"ORDER", SHRINK_END},
                                          {"SERIAL NUMBER", SHRINK_FRONT}};
  AUTO(table) table = {.columns = columns, .n_columns = ARRAY_LEN(columns)};
  const json_t *rows = json_object_get(reply, "certificates"), *row;
  int64_t count = count_in(reply, "count");
  for (size_t i = 0; (row = json_array_get(rows, i)) != NULL; i++) {
    char when[17];
    snprintf(when, sizeof when, "%.16s", json_text(row, "issued_at"));
    if (strlen(when) > 10)
      when[10] = ' ';
    table_add(&table, when);
    table_add(&table, json_text(row, "device_serial"));
    table_add(&table, json_text(row, "station"));
    table_add(&table, json_text(row, "order"));
    table_add(&table, json_text(row, "serial_number"));
  }
  if (table.failed)
    return fault_no_memory(f);
  if (count > 0)
    table_print(&table, to);
  if (count > (int64_t)json_array_size(rows))
    fprintf(to, "and %" PRId64 " older ones\n", count - (int64_t)json_array_size(rows));
  return true;
}

/* Who types the number has read it. */
static bool confirm(const struct args *args, int64_t count, struct fault *f)
{
  char line[32];
  uint64_t typed;
  if (!isatty(STDIN_FILENO))
    return fault_set(f, BAD_USAGE,
                     "nobody is there to ask: give --dry-run first, then --yes with the count that "
                     "it tells");
  fprintf(stderr, "%" PRId64 " certificate%s will be %s. To go on, type that number: ", count,
          count == 1 ? "" : "s", done_to(args));
  bool read = fgets(line, sizeof line, stdin) != NULL;
  line[read ? strcspn(line, "\n") : 0] = '\0';
  return (text_to_u64(bytes_of_text(line), COUNT_MAX, &typed) && (int64_t)typed == count) ||
         fault_set(f, SELECTION_CHANGED, "this is not %" PRId64 ": nothing was changed", count);
}

static bool change(struct client *client, const struct args *args, json_t *body, struct fault *f)
{
  AUTO(json) reply = NULL;
  screen_busy(args_has(args, "lift") ? "lifting" : "revoking");
  bool done = ask(client, body, &reply, f);
  screen_done();
  if (!done)
    return false;
  if (args_has(args, "json"))
    return json_print(json_incref(reply), f);
  int64_t n = count_in(reply, "revoked");
  printf("%" PRId64 " certificate%s %s.\n", n, n == 1 ? " is" : "s are", done_to(args));
  return true;
}

static bool say_none(void)
{
  puts("There are none.");
  return true;
}

static bool say_dry(const struct args *args, const json_t *reply, struct fault *f)
{
  int64_t count = count_in(reply, "count");
  if (args_has(args, "json"))
    return json_print(json_incref((json_t *)(uintptr_t)reply), f);
  if (count == 0)
    return say_none();
  if (!show(reply, stdout, f))
    return false;
  printf("%" PRId64 " certificate%s would be %s. With --yes %" PRId64 " %s.\n", count,
         count == 1 ? "" : "s", done_to(args), count, count == 1 ? "it is" : "they are");
  return true;
}

static bool revoke_filtered(struct client *client, const struct args *args, struct fault *f)
{
  AUTO(json) body = json_object();
  AUTO(json) reply = NULL;
  unsigned yes;
  if (!make_body(args, body, f) || !args_number(args, "yes", COUNT_MAX, 0, &yes, f))
    return false;
  if (yes > 0) {
    json_object_set_new(body, "count", json_integer(yes));
    return change(client, args, body, f);
  }
  if (!ask_dry(client, body, &reply, f))
    return false;
  if (args_has(args, "dry-run"))
    return say_dry(args, reply, f);
  if (count_in(reply, "count") == 0)
    return args_has(args, "json") ? json_print(json_pack("{s:i}", "revoked", 0), f) : say_none();
  if (!show(reply, stderr, f) || !confirm(args, count_in(reply, "count"), f))
    return false;
  json_object_set_new(body, "count", json_integer(count_in(reply, "count")));
  json_object_set_new(body, "selection", json_string(json_text(reply, "selection")));
  return change(client, args, body, f);
}

/* --- the verb --- */

static bool check_usage(const struct args *args, struct fault *f)
{
  bool filtered = has_filter(args);
  if (args_has(args, "lift") && args_has(args, "reason"))
    return fault_set(f, BAD_USAGE, "give --reason or --lift, not both");
  if (args_has(args, "dry-run") && args_has(args, "yes"))
    return fault_set(f, BAD_USAGE, "give --dry-run or --yes, not both");
  if (args->n_operands > 0 && filtered)
    return fault_set(f, BAD_USAGE, "give serial numbers or a filter such as --order, not both");
  if (args->n_operands == 0 && !filtered)
    return fault_set(f, BAD_USAGE,
                     "say which certificates: serial numbers, or a filter such as --order");
  if (args->n_operands > 0 && (args_has(args, "dry-run") || args_has(args, "yes")))
    return fault_set(f, BAD_USAGE, "--dry-run and --yes go with a filter such as --order");
  return check_serial_numbers(args, f);
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  return check_usage(args, f) && client_open(args, 0, &client, f) &&
         (args->n_operands > 0 ? revoke_each(client, args, f) : revoke_filtered(client, args, f));
}

static const struct option options[] = {
    {"reason", "REASON",
     "keyCompromise, affiliationChanged, superseded, cessationOfOperation, "
     "certificateHold, privilegeWithdrawn [unspecified]",
     0},
    {"lift", NULL, "lift a hold instead", 0},
    {"device-serial", "SERIAL", "all of this device", 0},
    {"station", "NAME", "issued to this station", 0},
    {"order", "ORDER", "for this production order", 0},
    {"model", "MODEL", "for this model", 0},
    {"profile", "NAME", "of this profile", 0},
    {"issued-after", "TIME", "a day such as 2026-11-23, or 2026-11-23T08:00:00Z", 0},
    {"issued-before", "TIME", "likewise", 0},
    {"dry-run", NULL, "only tell how many and which", 0},
    {"yes", "N", "do not ask: there are so many, or nothing is done", 0},
    {"json", NULL, "print the answer as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "A device was stolen",
    "mintmark revoke --dir acme --device-serial W-1001 --reason keyCompromise",
    "What a station issued in one night",
    "mintmark revoke --dir acme --station line-3 --issued-after 2026-11-23T22:00:00Z "
    "--issued-before 2026-11-24T06:00:00Z --dry-run",
    "Off hold again",
    "mintmark revoke --dir acme 0192d3a4b5c6d7e8f901a2b3c4d5e6f7 --lift",
    NULL,
};

const struct verb verb_revoke = {
    .name = "revoke",
    .operands = "[SERIAL_NUMBER...]",
    .max_operands = SERIAL_NUMBERS_MAX,
    .summary = "make certificates worthless before they expire",
    .about = "By serial number, or by a filter: then it tells how many there are and asks. What "
             "is revoked or has expired already is not counted. A revocation is for good; a hold "
             "can be lifted. A key that was revoked for keyCompromise gets no certificate any "
             "more. For operators and administrators.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
