/* verb_device_import.c - mintmark device import: many devices, all of them or none. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/client.h"
#include "cli/device_file.h"
#include "cli/json_out.h"
#include "cli/progress.h"
#include "cli/screen.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

/* What the daemon takes at a time is 5000 rows and 1 MiB. */
enum { ROWS_AT_A_TIME = 4000, OCTETS_AT_A_TIME = 800 * 1024, ERRORS_SHOWN = 20, PATIENCE_S = 30 };

struct import {
  const char *path, *secrets_path;
  bool partial;
  struct device_file *file;
  struct client *client;
  char id[32];
  FILE *secrets; /* NULL: every row brings its own */
  int64_t rows, bad, imported;
  bool needs_secrets; /* a row brings none */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
  (void)number;
  interrupted = 1;
}

static void watch_signals(void)
{
  const struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGHUP, &action, NULL);
}

static bool go_on(struct fault *f)
{
  return interrupted == 0 || fault_set(f, STOPPING, "stopped; nothing was imported");
}

/* The first ones are shown, the others counted. */
static void say_bad(struct import *import, const char *where, const char *why)
{
  if (import->bad++ < ERRORS_SHOWN)
    fprintf(stderr, "%s:%s: %s\n", import->path, where, why);
}

/* --- look at every row before anything is sent --- */

static bool check_rows(struct import *import, struct progress *progress, struct fault *f)
{
  AUTO(device_line) line = {0};
  bool end;
  for (;;) {
    if (!go_on(f) || !device_file_next(import->file, &line, &end, f))
      return false;
    if (end)
      return true;
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)line.number);
    if (line.why[0] != '\0')
      say_bad(import, number, line.why);
    import->rows += line.json.len > 0;
    import->needs_secrets |= line.json.len > 0 && !line.has_secret;
    progress_show(progress, line.octets, import->rows);
  }
}

static bool check_file(struct import *import, struct fault *f)
{
  struct progress progress = progress_begin("checking", "rows", device_file_octets(import->file));
  bool done = check_rows(import, &progress, f);
  progress_end(&progress);
  if (!done)
    return false;
  if (import->bad > ERRORS_SHOWN)
    fprintf(stderr, "%s: and %lld more\n", import->path, (long long)import->bad - ERRORS_SHOWN);
  if (import->bad > 0 && !import->partial)
    return fault_set(
        f, BAD_FILE,
        "%lld of %lld rows cannot be imported; nothing was (--partial leaves them out)",
        (long long)import->bad, (long long)(import->rows + import->bad));
  if (import->needs_secrets && import->secrets_path == NULL)
    return fault_set(f, BAD_USAGE,
                     "rows without a secret get one that is told once: say where to with --secrets "
                     "FILE");
  return true;
}

/* --- secrets --- */

static bool open_secrets(struct import *import, struct fault *f)
{
  if (!import->needs_secrets)
    return true;
  int fd = open(import->secrets_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fault_set(f, FILE_ERROR, "%s: %s%s", import->secrets_path, strerror(errno),
                     errno == EEXIST ? "; name another file" : "");
  import->secrets = fdopen(fd, "w");
  if (import->secrets == NULL) {
    close(fd);
    return fault_no_memory(f);
  }
  fputs("device_serial,secret\n", import->secrets);
  return true;
}

/* RFC 4180: quotes are doubled. */
static void write_cell(const char *text, FILE *to)
{
  if (strpbrk(text, ",\"") == NULL) {
    fputs(text, to);
    return;
  }
  fputc('"', to);
  for (; *text != '\0'; text++)
    fputs((char[]){*text, *text == '"' ? '"' : '\0', '\0'}, to);
  fputc('"', to);
}

static void write_secrets(struct import *import, const json_t *secrets)
{
  size_t i;
  json_t *secret;
  json_array_foreach(secrets, i, secret)
  {
    write_cell(json_text(secret, "device_serial"), import->secrets);
    fprintf(import->secrets, ",%s\n", json_text(secret, "secret"));
  }
}

/* On disk before the devices count: a secret that is lost cannot be told again. */
static bool keep_secrets(struct import *import, struct fault *f)
{
  if (import->secrets == NULL)
    return true;
  bool kept = fflush(import->secrets) == 0 && ferror(import->secrets) == 0 &&
              fsync(fileno(import->secrets)) == 0;
  return kept || fault_set(f, FILE_ERROR, "%s: %m", import->secrets_path);
}

static void close_secrets(struct import *import, bool keep)
{
  if (import->secrets == NULL)
    return;
  fclose(import->secrets);
  if (!keep)
    unlink(import->secrets_path);
}

/* --- send --- */

static bool post(struct import *import, const char *what, const char *query, struct bytes octets,
                 json_t **ret_reply, struct fault *f)
{
  char path[96];
  snprintf(path, sizeof path, "/v1/device-imports%s%s%s", import->id[0] != '\0' ? "/" : "",
           import->id, what);
  const struct call call = {.path = path,
                            .query = query,
                            .post = true,
                            .octets = octets,
                            .octets_type = octets.len > 0 ? "application/x-ndjson" : NULL};
  return client_call(import->client, &call, NULL, ret_reply, f);
}

static bool begin(struct import *import, struct fault *f)
{
  AUTO(json) reply = NULL;
  if (!post(import, "", "", (struct bytes){0}, &reply, f))
    return false;
  return TEXT_COPY(import->id, bytes_of_text(json_text(reply, "id"))) ||
         fault_set(f, UNREACHABLE, "the daemon's answer names no import");
}

static void say_refused(struct import *import, const json_t *errors)
{
  size_t i;
  json_t *error;
  json_array_foreach(errors, i, error)
  {
    char number[24];
    snprintf(number, sizeof number, "%lld",
             (long long)json_integer_value(json_object_get(error, "line")));
    say_bad(import, number, json_text(error, "why"));
  }
}

static bool send_rows(struct import *import, int64_t first_line, const struct buf *rows,
                      struct fault *f)
{
  char query[64];
  AUTO(json) reply = NULL;
  if (rows->len == 0)
    return true;
  snprintf(query, sizeof query, "?line=%lld%s", (long long)first_line,
           import->partial ? "&partial=true" : "");
  if (!post(import, "/rows", query, buf_bytes(rows), &reply, f))
    return false;
  if (import->secrets != NULL)
    write_secrets(import, json_object_get(reply, "secrets"));
  say_refused(import, json_object_get(reply, "errors"));
  import->imported += json_integer_value(json_object_get(reply, "devices"));
  return true;
}

/* Gathers lines up to what the daemon takes at a time; an empty line stands for one without a row,
 * so that the daemon counts as the file does. */
static bool send_file(struct import *import, struct progress *progress, struct fault *f)
{
  AUTO(device_line) line = {0};
  AUTO(secret_buf) rows = {0};
  int64_t first_line = 0, n = 0;
  bool end = false;
  if (!buf_reserve(&rows, OCTETS_AT_A_TIME + 128 * 1024))
    return fault_no_memory(f);
  while (!end) {
    if (!go_on(f) || !device_file_next(import->file, &line, &end, f))
      return false;
    if (end || n == ROWS_AT_A_TIME || rows.len > OCTETS_AT_A_TIME) {
      if (!send_rows(import, first_line, &rows, f))
        return false;
      progress_show(progress, line.octets, import->imported);
      buf_clear(&rows);
      n = 0;
    }
    if (n++ == 0)
      first_line = line.number;
    buf_add_bytes(&rows, buf_bytes(&line.json));
    buf_add_u8(&rows, '\n');
    if (!buf_ok(&rows))
      return fault_no_memory(f);
  }
  return true;
}

static bool send_all(struct import *import, struct fault *f)
{
  struct progress progress =
      progress_begin("importing", "devices", device_file_octets(import->file));
  bool done = device_file_rewind(import->file, f) && send_file(import, &progress, f);
  progress_end(&progress);
  return done && keep_secrets(import, f) && go_on(f);
}

/* Lines that the daemon has named are said as those that were found here. */
static void take_items(struct import *import, struct fault *f)
{
  for (size_t i = 0; i < f->n_items; i++) {
    const char *name = f->items[i].name;
    say_bad(import, strncmp(name, "line ", 5) == 0 ? name + 5 : name, f->items[i].why);
  }
  free(f->items);
  f->items = NULL;
  f->n_items = 0;
}

/* *ret_keep: the secrets may be those of devices that count now. */
static bool import_all(struct import *import, bool *ret_keep, struct fault *f)
{
  AUTO(json) reply = NULL;
  if (!begin(import, f))
    return false;
  if (!send_all(import, f)) {
    AUTO(fault) ignored = {0};
    post(import, "/abort", "", (struct bytes){0}, NULL, &ignored);
    take_items(import, f);
    return false;
  }
  if (!post(import, "/commit", "", (struct bytes){0}, &reply, f)) {
    *ret_keep = f->code == FAULT_UNREACHABLE;
    return *ret_keep
               ? fault_prefix(f, "it is not known whether the devices were imported (mintmark "
                                 "device show tells), so their secrets were kept")
               : false;
  }
  import->imported = json_integer_value(json_object_get(reply, "devices"));
  *ret_keep = true;
  return true;
}

static bool tell(const struct import *import, bool json, int64_t taken_ms, struct fault *f)
{
  const char *secrets = import->secrets != NULL ? import->secrets_path : NULL;
  if (json)
    return json_print(json_pack("{s:I, s:I, s:s?}", "devices", (json_int_t)import->imported,
                                "left_out", (json_int_t)import->bad, "secrets_file", secrets),
                      f);
  printf("%lld devices were imported in %.1f s", (long long)import->imported,
         (double)taken_ms / 1000);
  if (import->bad > 0)
    printf("; %lld rows were left out", (long long)import->bad);
  printf(".\n");
  if (secrets != NULL)
    printf("Their secrets are in %s. They are kept nowhere else.\n", secrets);
  return true;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(device_file) file = NULL;
  AUTO(client) client = NULL;
  int64_t begun_ms = when_monotonic_ms();
  struct import import = {.path = args->operands[0],
                          .secrets_path = args_get(args, "secrets"),
                          .partial = args_has(args, "partial")};
  bool keep = false;
  if (!device_file_open(import.path, &file, f))
    return false;
  import.file = file;
  watch_signals();
  if (!check_file(&import, f) || !client_open(args, PATIENCE_S, &client, f) ||
      !open_secrets(&import, f))
    return false;
  import.client = client;
  bool done = import_all(&import, &keep, f);
  close_secrets(&import, keep);
  return done && tell(&import, args_has(args, "json"), when_monotonic_ms() - begun_ms, f);
}

static const struct option options[] = {
    {"secrets", "FILE", "write the secrets that were made to this new file (CSV, mode 0600)", 0},
    {"partial", NULL, "leave out rows that cannot be imported, instead of importing none", 0},
    {"json", NULL, "print the result as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "Tomorrow's devices, and the secrets for their flash",
    "mintmark device import widgets.csv --secrets secrets.csv --dir acme",
    NULL,
};

const struct verb verb_device_import = {
    .name = "device import",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "make devices known that will enrol themselves",
    .about = "FILE is CSV (.csv, with the columns' names in the first line) or NDJSON (.ndjson, "
             ".jsonl). The columns or members are device_serial and, as far as they are wanted, "
             "model, order, ip_sans, dns_sans, uri_sans and secret. A device may have the names "
             "that stand here and no others; where there are none, the profile decides. Each "
             "device gets a secret by which it enrols itself once, unless its row brings one.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
