/* uploader.c - see uploader.h. */
#include "tests/flow/uploader.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/when.h"

/* --- lines --- */

void upload_add_widgets(struct upload *upload, const char *prefix, unsigned n, size_t width)
{
  for (unsigned i = 1; i <= n; i++) {
    AUTO(buf) csr = {0}, line = {0};
    char serial[64], ip[32];
    make_csr(&csr);
    snprintf(serial, sizeof serial, "%s-%u", prefix, i);
    snprintf(ip, sizeof ip, "10.3.%u.%u", i / 256, i % 256);
    issue_body(buf_text(&csr), serial, ip, NULL, &line);
    while (line.len < width)
      buf_add_u8(&line, ' ');
    buf_add_u8(&line, '\n');
    buf_add_bytes(&upload->lines, buf_bytes(&line));
  }
}

void upload_free(struct upload *upload)
{
  buf_free(&upload->lines);
  answer_free(&upload->answer);
}

/* --- sending --- */

static size_t until_line_end(const struct buf *lines, size_t at)
{
  const uint8_t *end = memchr(lines->data + at, '\n', lines->len - at);
  return end != NULL ? (size_t)(end - lines->data) - at + 1 : lines->len - at;
}

static size_t give(char *out, size_t size, size_t n, void *context)
{
  struct upload *upload = context;
  size_t at = upload->sent, most = size * n, len = upload->lines.len - at;
  if (upload->then != NULL && at >= upload->stop_at) {
    void (*then)(struct upload *) = upload->then;
    upload->then = NULL;
    then(upload);
  }
  if (upload->abort)
    return CURL_READFUNC_ABORT;
  if (upload->pause_ms > 0 && len > 0) {
    usleep(upload->pause_ms * 1000);
    len = upload->piece == 0 ? until_line_end(&upload->lines, at) : upload->piece;
  }
  if (upload->then != NULL && len > upload->stop_at - at)
    len = upload->stop_at - at;
  len = len < most ? len : most;
  memcpy(out, upload->lines.data + at, len);
  upload->sent = at + len;
  return len;
}

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
  struct upload *upload = context;
  buf_add(&upload->answer.body, data, size * n);
  return size * n;
}

static void take_results(CURL *curl, struct answer *answer)
{
  struct curl_header *location;
  const char *type = NULL;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
  snprintf(answer->content_type, sizeof answer->content_type, "%s", type != NULL ? type : "");
  if (curl_easy_header(curl, "Location", 0, CURLH_HEADER, -1, &location) == CURLHE_OK)
    snprintf(answer->location, sizeof answer->location, "%s", location->value);
}

static void set_options(CURL *curl, struct upload *upload, const char *url,
                        struct curl_slist *headers)
{
  char root[128];
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_CAINFO, flow_path(upload->flow, "ca/root.crt", root));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 120L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)upload->lines.len);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
  curl_easy_setopt(curl, CURLOPT_READDATA, upload);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, upload);
}

void upload_run(struct upload *upload)
{
  AUTO(buf) url = {0}, authorization = {0};
  CURL *curl = curl_easy_init();
  assert_non_null(curl);
  answer_free(&upload->answer);
  upload->sent = 0;
  buf_addf(&url, "%s/v1/batches%s", upload->flow->url, upload->query != NULL ? upload->query : "");
  buf_addf(&authorization, "Authorization: Bearer %s",
           upload->token != NULL ? upload->token : upload->flow->station);
  struct curl_slist *headers = curl_slist_append(NULL, buf_text(&authorization));
  headers = curl_slist_append(headers, "Content-Type: application/x-ndjson");
  set_options(curl, upload, buf_text(&url), headers);
  if (curl_easy_perform(curl) == CURLE_OK)
    take_results(curl, &upload->answer);
  curl_slist_free_all(headers);
  curl_easy_cleanup(curl);
}

/* --- what came --- */

json_t *answer_lines(struct answer *answer)
{
  json_t *lines = json_array();
  char *at = (char *)(uintptr_t)buf_text(&answer->body);
  for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1) {
    json_t *line = json_loadb(at, (size_t)(end - at), 0, NULL);
    if (!json_is_object(line))
      fail_msg("not a JSON object: %.*s", (int)(end - at), at);
    json_array_append_new(lines, line);
  }
  if (*at != '\0')
    fail_msg("a line without its end: %s", at);
  return lines;
}

static long number(const json_t *object, const char *name)
{
  return (long)json_integer_value(json_object_get(object, name));
}

static long status_of(const json_t *line)
{
  const char *outcome = json_text(line, "outcome");
  if (strcmp(outcome, "issued") == 0)
    return 201;
  if (strcmp(outcome, "replayed") == 0)
    return 200;
  assert_string_equal(outcome, "refused");
  return number(line, "status");
}

long line_status(const json_t *lines, long line)
{
  for (size_t i = 0; i < json_array_size(lines); i++)
    if (number(json_array_get(lines, i), "line") == line)
      return status_of(json_array_get(lines, i));
  return 0;
}

size_t lines_with_status(const json_t *lines, long status)
{
  size_t n = 0;
  for (size_t i = 0; i < json_array_size(lines); i++)
    n += status_of(json_array_get(lines, i)) == status;
  return n;
}

void wait_for_rows(const struct flow *flow, long n)
{
  int64_t deadline = when_monotonic_ms() + 60000;
  while (flow_rows(flow) < n) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(5000);
  }
}
