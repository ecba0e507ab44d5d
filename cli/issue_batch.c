/* issue_batch.c - see issue_batch.h. */
#include "cli/issue_batch.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/batch_watch.h"
#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/new_file.h"
#include "lib/base/text.h"

enum {
  PATIENCE_S = 30,
  SILENCE_S = 180, /* the daemon itself waits a minute for what is not possible now */
  LINES_MAX = 1000000,
  REFUSALS_SHOWN = 20,
};

struct batch {
  const struct args *args;
  const char *path;
  struct upload upload;
  int64_t lines; /* requests in the file */
  char id[33];
  struct new_file out;
  struct arrival arrival;
  struct progress progress;
  struct batch_watch *watch;
  int64_t begun_ms, issued, replayed, refused;
};

static void batch_free(struct batch *batch)
{
  if (batch->upload.file != NULL)
    fclose(batch->upload.file);
  new_file_free(&batch->out);
}
AUTO_VALUE(batch, struct batch, batch_free)

/* --- the requests --- */

static bool check_usage(const struct args *args, struct fault *f)
{
  static const char *const alone[] = {
      "serial",  "ip",       "dns", "uri", "profile", "order",           "model",
      "replace", "key-type", "key", "csr", "format",  "passphrase-file", "resume"};
  for (size_t i = 0; i < ARRAY_LEN(alone); i++)
    if (args_has(args, alone[i]))
      return fault_set(f, BAD_USAGE, "--batch sends requests as they stand in the file: no --%s",
                       alone[i]);
  return args_has(args, "out") ||
         fault_set(f, BAD_USAGE, "--batch wants --out FILE, for the answers");
}

static bool is_empty(const char *line)
{
  while (isspace((unsigned char)*line))
    line++;
  return *line == '\0';
}

/* Once through the file, so that it is known how much there is to be done. */
static bool count_lines(struct batch *batch, struct fault *f)
{
  char *line = NULL;
  size_t size = 0;
  int64_t all = 0;
  for (; getline(&line, &size, batch->upload.file) >= 0; all++)
    batch->lines += !is_empty(line);
  free(line);
  if (ferror(batch->upload.file))
    return fault_set(f, FILE_ERROR, "cannot read %s: %m", batch->path);
  if (batch->lines == 0)
    return fault_set(f, BAD_FILE, "%s has no requests", batch->path);
  return all <= LINES_MAX || fault_set(f, BAD_FILE, "%s has %lld lines; a batch has at most %d",
                                       batch->path, (long long)all, LINES_MAX);
}

static bool open_requests(struct batch *batch, struct fault *f)
{
  struct stat st;
  batch->upload.file = fopen(batch->path, "re");
  if (batch->upload.file == NULL || fstat(fileno(batch->upload.file), &st) != 0)
    return fault_set(f, FILE_ERROR, "cannot read %s: %m", batch->path);
  if (!S_ISREG(st.st_mode))
    return fault_set(f, BAD_FILE, "%s is no file that can be sent again", batch->path);
  batch->upload.octets = st.st_size;
  return count_lines(batch, f);
}

/* --- sending --- */

static bool make_id(struct batch *batch, struct fault *f)
{
  uint8_t random[16];
  if (RAND_bytes(random, sizeof random) != 1)
    return fault_set(f, INTERNAL, "no random octets");
  text_hex(batch->id, random, sizeof random);
  return true;
}

static void show_progress(void *context)
{
  struct batch *batch = context;
  int64_t lines = batch_watch_lines(batch->watch);
  if (batch->arrival.octets == 0)
    progress_show(&batch->progress, lines, lines);
}

/* What the daemon has of it is not lost. */
static bool say_how_to_go_on(const struct batch *batch, struct fault *f)
{
  char detail[sizeof f->detail];
  if (batch->upload.sent == 0)
    return false;
  memcpy(detail, f->detail, sizeof detail);
  return fault_set_code(f, f->code,
                        "%.200s. Run the same command again: what was issued is not issued twice",
                        detail);
}

static bool send_requests(struct batch *batch, struct client *client, struct fault *f)
{
  char query[48];
  snprintf(query, sizeof query, "?id=%s", batch->id);
  batch->upload.tick = show_progress;
  batch->upload.context = batch;
  const struct call call = {.path = "/v1/batches",
                            .query = query,
                            .post = true,
                            .upload = &batch->upload,
                            .octets_type = "application/x-ndjson",
                            .accept = "application/x-ndjson, application/problem+json",
                            .to = batch->out.file,
                            .arrival = &batch->arrival,
                            .silence_s = SILENCE_S};
  batch->progress = progress_begin("issuing", "certificates", batch->lines);
  bool sent = client_call(client, &call, NULL, NULL, f);
  progress_end(&batch->progress);
  progress_end(&batch->arrival.progress);
  return sent || say_how_to_go_on(batch, f);
}

static bool run_batch(struct batch *batch, struct fault *f)
{
  AUTO(client) client = NULL;
  AUTO(client) watching = NULL;
  if (!client_open(batch->args, PATIENCE_S, &client, f) ||
      !client_open(batch->args, PATIENCE_S, &watching, f) || !make_id(batch, f))
    return false;
  batch->watch = batch_watch_start(watching, batch->id);
  bool sent = send_requests(batch, client, f);
  batch_watch_stop(batch->watch);
  batch->watch = NULL;
  return sent;
}

/* --- the answers --- */

/* The first ones are shown, the others counted. */
static void say_refused(struct batch *batch, const char *line)
{
  AUTO(json) answer = json_loads(line, 0, NULL);
  if (batch->refused > REFUSALS_SHOWN || args_has(batch->args, "json"))
    return;
  fprintf(stderr, "%s:%lld: %s", batch->path,
          (long long)json_integer_value(json_object_get(answer, "line")),
          json_text(answer, "detail"));
  const json_t *first = json_array_get(json_object_get(answer, "errors"), 0);
  if (first != NULL)
    fprintf(stderr, " (%s: %s)", json_text(first, "name"), json_text(first, "why"));
  fputc('\n', stderr);
}

/* {"line":7,"outcome":"issued",...: what comes behind need not be read, and is long. */
static bool take_answer(struct batch *batch, const char *line)
{
  const struct {
    const char *outcome;
    int64_t *n;
  } outcomes[] = {
      {"issued", &batch->issued}, {"replayed", &batch->replayed}, {"refused", &batch->refused}};
  const char *outcome = strstr(line, "\"outcome\":\"");
  for (size_t i = 0; outcome != NULL && i < ARRAY_LEN(outcomes); i++) {
    size_t len = strlen(outcomes[i].outcome);
    if (strncmp(outcome + 11, outcomes[i].outcome, len) != 0)
      continue;
    (*outcomes[i].n)++;
    if (outcomes[i].n == &batch->refused)
      say_refused(batch, line);
    return true;
  }
  return false;
}

static bool read_answers(struct batch *batch, struct fault *f)
{
  char *line = NULL;
  size_t size = 0;
  bool understood = true;
  rewind(batch->out.file);
  while (understood && getline(&line, &size, batch->out.file) >= 0)
    understood = take_answer(batch, line);
  free(line);
  if (ferror(batch->out.file))
    return fault_set(f, FILE_ERROR, "cannot read %s: %m", buf_text(&batch->out.new_path));
  if (understood && batch->issued + batch->replayed + batch->refused == batch->lines)
    return true;
  return fault_set(f, UNREACHABLE, "the daemon did not answer %lld lines with as many",
                   (long long)batch->lines) ||
         say_how_to_go_on(batch, f);
}

static bool tell(const struct batch *batch, struct fault *f)
{
  int64_t taken_ms = when_monotonic_ms() - batch->begun_ms;
  if (args_has(batch->args, "json"))
    return json_print(json_pack("{s:s, s:s, s:I, s:I, s:I}", "batch", batch->id, "file",
                                batch->out.path, "issued", (json_int_t)batch->issued, "replayed",
                                (json_int_t)batch->replayed, "refused", (json_int_t)batch->refused),
                      f);
  printf("%lld certificates were issued in %.1f s", (long long)batch->issued,
         (double)taken_ms / 1000);
  if (batch->replayed > 0)
    printf(", %lld had been before", (long long)batch->replayed);
  printf("; %lld requests were refused.\n%s has an answer for each line.\n",
         (long long)batch->refused, batch->out.path);
  return true;
}

bool issue_batch(const struct args *args, struct fault *f)
{
  AUTO(batch)
  batch = {.args = args,
           .path = args_get(args, "batch"),
           .arrival.what = "receiving",
           .begun_ms = when_monotonic_ms()};
  if (!check_usage(args, f) || !open_requests(&batch, f) ||
      !new_file_open(args_get(args, "out"), MODE_PUBLIC, args_has(args, "force"), &batch.out, f) ||
      !run_batch(&batch, f) || !new_file_sync(&batch.out, f) || !read_answers(&batch, f) ||
      !new_file_keep(&batch.out, f) || !tell(&batch, f))
    return false;
  return batch.refused == 0 ||
         fault_set(f, BAD_FILE, "%lld of %lld requests were refused: %s says why",
                   (long long)batch.refused, (long long)batch.lines, batch.out.path);
}
