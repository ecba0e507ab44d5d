/* client.c - see client.h. */
#include "cli/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/client_problem.h"
#include "cli/screen.h"
#include "cli/where.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum {
  REPLY_MAX = 16 * 1024 * 1024,
  ONE_TRY_S = 30,
  PATIENCE_MAX_S = 86400,
  BACK_OFF_FIRST_MS = 200,
  BACK_OFF_MAX_MS = 5000,
};

struct client {
  struct where where;
  CURL *curl;
  int64_t patience_ms;
  char error[CURL_ERROR_SIZE];
};

/* One answer. */
struct answer {
  long status;
  int64_t retry_after_ms;
  bool problem; /* application/problem+json */
  bool asked;   /* the request may have reached the daemon */
  struct buf body;
  FILE *to;       /* where a good answer's octets go instead; may be NULL */
  bool passed_on; /* some went there */
  struct arrival *arrival;
  CURL *curl;
};

static bool open_curl(struct client *client, struct fault *f)
{
  static bool started;
  if (!started && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fault_set(f, INTERNAL, "libcurl does not start");
  started = true;
  client->curl = curl_easy_init();
  return client->curl != NULL || fault_no_memory(f);
}

/* cert NULL: who asks is looked for, too. */
static bool open_client(const struct args *args, unsigned patience_s, const char *cert,
                        const char *key, struct client **ret_client, struct fault *f)
{
  AUTO(client) client = calloc(1, sizeof *client);
  unsigned patience;
  if (client == NULL)
    return fault_no_memory(f);
  if (!args_number(args, "timeout", PATIENCE_MAX_S, patience_s, &patience, f) ||
      !(cert != NULL ? where_find_for(args, cert, key, &client->where, f)
                     : where_find(args, &client->where, f)) ||
      !open_curl(client, f))
    return false;
  client->patience_ms = INT64_C(1000) * patience;
  *ret_client = TAKE(client);
  return true;
}

bool client_open(const struct args *args, unsigned patience_s, struct client **ret_client,
                 struct fault *f)
{
  return open_client(args, patience_s, NULL, NULL, ret_client, f);
}

bool client_open_for(const struct args *args, unsigned patience_s, const char *cert,
                     const char *key, struct client **ret_client, struct fault *f)
{
  return open_client(args, patience_s, cert, key, ret_client, f);
}

void client_free(struct client *client)
{
  if (client == NULL)
    return;
  curl_easy_cleanup(client->curl);
  where_free(&client->where);
  free(client);
}

const char *client_url(const struct client *client)
{
  return client->where.url;
}

void query_add(struct buf *query, const char *name, const char *value)
{
  if (value == NULL)
    return;
  char *escaped = curl_easy_escape(NULL, value, 0);
  query->failed |= escaped == NULL;
  buf_addf(query, "%c%s=%s", query->len == 0 ? '?' : '&', name, escaped != NULL ? escaped : "");
  curl_free(escaped);
}

/* The first octets say how many there will be. */
static void see_arrival(const struct answer *answer, size_t n)
{
  struct arrival *arrival = answer->arrival;
  struct curl_header *digest;
  curl_off_t length = 0;
  if (arrival->octets == 0) {
    screen_done();
    curl_easy_getinfo(answer->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    arrival->progress = progress_begin(arrival->what, "KiB", length);
    if (curl_easy_header(answer->curl, "Repr-Digest", 0, CURLH_HEADER, -1, &digest) == CURLHE_OK)
      TEXT_COPY(arrival->repr_digest, bytes_of_text(digest->value));
  }
  arrival->octets += n;
  progress_show(&arrival->progress, (int64_t)arrival->octets, (int64_t)(arrival->octets / 1024));
}

static size_t take_body(char *octets, size_t size, size_t n, void *context)
{
  struct answer *answer = context;
  long status = 0;
  curl_easy_getinfo(answer->curl, CURLINFO_RESPONSE_CODE, &status);
  if (answer->to != NULL && status == 200) {
    answer->passed_on = true;
    if (answer->arrival != NULL)
      see_arrival(answer, size * n);
    return fwrite(octets, size, n, answer->to) * size;
  }
  if (answer->body.len + size * n > REPLY_MAX)
    return 0;
  buf_add(&answer->body, octets, size * n);
  return buf_ok(&answer->body) ? size * n : 0;
}

/* The header lines: the token must not be seen in a list of processes, nor outlive the call. */
static struct curl_slist *make_headers(const struct client *client, const struct call *call)
{
  AUTO(secret_buf) line = {0};
  buf_addf(&line, "Authorization: Bearer %.*s", (int)client->where.token.len,
           (const char *)client->where.token.data);
  bool token = client->where.token.len > 0;
  struct curl_slist *headers = token ? curl_slist_append(NULL, buf_text(&line)) : NULL;
  if (token && headers == NULL)
    return NULL;
  buf_clear(&line);
  buf_addf(&line, "Accept: %s", call->accept != NULL ? call->accept : "application/json");
  struct curl_slist *more = curl_slist_append(headers, buf_text(&line));
  buf_clear(&line);
  buf_addf(&line, "Content-Type: %s", call->body != NULL ? "application/json" : call->octets_type);
  if (more != NULL && (call->body != NULL || call->octets_type != NULL))
    more = curl_slist_append(more, buf_text(&line));
  if (more != NULL && call->upload != NULL) /* it may be refused before it goes out */
    more = curl_slist_append(more, "Expect: 100-continue");
  if (more == NULL) {
    curl_slist_free_all(headers);
    return NULL;
  }
  return more;
}

static void free_headers(struct curl_slist *headers)
{
  if (headers != NULL)
    explicit_bzero(headers->data, strlen(headers->data));
  curl_slist_free_all(headers);
}

static size_t give_body(char *out, size_t size, size_t n, void *context)
{
  struct upload *upload = context;
  size_t len = fread(out, size, n, upload->file) * size;
  upload->sent += (int64_t)len;
  return ferror(upload->file) ? CURL_READFUNC_ABORT : len;
}

static int tick(void *context, curl_off_t to_come, curl_off_t came, curl_off_t to_go,
                curl_off_t gone)
{
  struct upload *upload = context;
  (void)to_come, (void)came, (void)to_go, (void)gone;
  if (upload->tick != NULL)
    upload->tick(upload->context);
  return 0;
}

static void set_upload(CURL *curl, struct upload *upload)
{
  rewind(upload->file);
  upload->sent = 0;
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)upload->octets);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
  curl_easy_setopt(curl, CURLOPT_READDATA, upload);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tick);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, upload);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

static void set_options(struct client *client, const struct call *call, const char *url,
                        struct bytes body, struct curl_slist *headers, struct answer *answer)
{
  CURL *curl = client->curl;
  curl_easy_reset(curl);
  client->error[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_URL, url);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
  /* A long table may take its time, as long as it goes on arriving. */
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                   call->silence_s != 0 ? (long)call->silence_s : (long)ONE_TRY_S);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "mintmark/" PACKAGE_VERSION);
  if (getenv("no_proxy") == NULL && getenv("NO_PROXY") == NULL)
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1");
  if (client->where.cacert != NULL) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, client->where.cacert);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL); /* this root, and no other */
  }
  if (body.data != NULL) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)body.len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data);
  }
  if (call->upload != NULL)
    set_upload(curl, call->upload);
  if (client->where.client_cert != NULL) {
    curl_easy_setopt(curl, CURLOPT_SSLCERT, client->where.client_cert);
    curl_easy_setopt(curl, CURLOPT_SSLKEY, client->where.client_key);
  }
}

static void read_answer(CURL *curl, struct answer *answer)
{
  curl_off_t retry_after = 0;
  char *type = NULL;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
  curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
  answer->retry_after_ms =
      retry_after > PATIENCE_MAX_S ? INT64_C(1000) * PATIENCE_MAX_S : INT64_C(1000) * retry_after;
  answer->problem = type != NULL && strncmp(type, "application/problem+json", 24) == 0;
}

static bool unreachable(const struct client *client, CURLcode code, struct fault *f)
{
  const char *why = client->error[0] != '\0' ? client->error : curl_easy_strerror(code);
  const char *url = client->where.url;
  if (code == CURLE_PEER_FAILED_VERIFICATION)
    return fault_set(f, UNREACHABLE,
                     "%s is not trusted: %s (the root to trust is given by --dir or --cacert)", url,
                     why);
  if (code == CURLE_SSL_CACERT_BADFILE)
    return fault_set(f, BAD_FILE, "%s is no file of certificates in PEM",
                     client->where.cacert != NULL ? client->where.cacert : "the CA file");
  if (code == CURLE_SSL_CERTPROBLEM)
    return fault_set(f, BAD_FILE, "%s and %s are no certificate and its key in PEM: %s",
                     client->where.client_cert, client->where.client_key, why);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return fault_set(f, BAD_USAGE, "'%s' is no URL such as https://127.0.0.1:8443", url);
  if (code == CURLE_COULDNT_CONNECT)
    return fault_set(f, UNREACHABLE, "no daemon answers at %s (%s); is mintmarkd running?", url,
                     why);
  return fault_set(f, UNREACHABLE, "%s does not answer as it should: %s", url, why);
}

/* False: no answer came. */
static bool try_once(struct client *client, const struct call *call, struct bytes body,
                     struct answer *answer, struct fault *f)
{
  AUTO(buf) url = {0};
  buf_addf(&url, "%s%s%s", client->where.url, call->path, call->query != NULL ? call->query : "");
  struct curl_slist *headers = make_headers(client, call);
  if (headers == NULL || !buf_ok(&url)) {
    free_headers(headers);
    return fault_no_memory(f);
  }
  set_options(client, call, buf_text(&url), body, headers, answer);
  CURLcode code = curl_easy_perform(client->curl);
  free_headers(headers);
  answer->asked = code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST &&
                  code != CURLE_PEER_FAILED_VERIFICATION;
  if (code != CURLE_OK)
    return unreachable(client, code, f);
  read_answer(client->curl, answer);
  if (answer->status >= 200 && answer->status < 300)
    return true;
  return problem_read(buf_bytes(&answer->body), answer->problem, answer->status, f);
}

/* Might the same request do better in a while? */
static bool is_worth_it(const struct call *call, const struct answer *answer, const struct fault *f)
{
  if (call->once || (call->upload != NULL && call->upload->sent > 0))
    return false;
  if (answer->passed_on)
    return false; /* a second answer behind half of the first would be none */
  if (answer->status == 429 || answer->status == 503)
    return true;
  return f->code == FAULT_UNREACHABLE && !(call->not_again && answer->asked);
}

/* Waits before the next try; false when patience would end before. */
static bool wait_before_next(const struct answer *answer, int64_t until_ms, int64_t *back_off_ms)
{
  int64_t wait_ms = answer->retry_after_ms > *back_off_ms ? answer->retry_after_ms : *back_off_ms;
  int64_t left_ms = until_ms - when_monotonic_ms();
  if (left_ms <= 0 || answer->retry_after_ms > left_ms)
    return false;
  wait_ms = wait_ms > left_ms ? left_ms : wait_ms;
  *back_off_ms = *back_off_ms * 2 > BACK_OFF_MAX_MS ? BACK_OFF_MAX_MS : *back_off_ms * 2;
  nanosleep(&(struct timespec){wait_ms / 1000, wait_ms % 1000 * 1000000}, NULL);
  return true;
}

static bool ask(struct client *client, const struct call *call, struct bytes body,
                struct answer *answer, struct fault *f)
{
  int64_t until_ms = when_monotonic_ms() + client->patience_ms, back_off_ms = BACK_OFF_FIRST_MS;
  for (bool waiting = false;; waiting = true) {
    buf_clear(&answer->body);
    answer->status = 0;
    answer->retry_after_ms = 0;
    fault_free(f);
    bool good = try_once(client, call, body, answer, f);
    if (good || !is_worth_it(call, answer, f)) {
      if (waiting)
        screen_done();
      return good;
    }
    if (!waiting)
      screen_busy("the daemon is not able now, trying again");
    if (!wait_before_next(answer, until_ms, &back_off_ms)) {
      screen_done();
      return false;
    }
  }
}

bool client_call(struct client *client, const struct call *call, int *ret_status,
                 json_t **ret_reply, struct fault *f)
{
  struct answer answer = {.curl = client->curl, .to = call->to, .arrival = call->arrival};
  char *body = call->body != NULL ? json_dumps(call->body, JSON_COMPACT) : NULL;
  struct bytes octets = body != NULL ? bytes_of_text(body) : call->octets;
  if (octets.data == NULL && call->post && call->upload == NULL)
    octets = bytes_of_text("");
  bool good = call->body == NULL || body != NULL ? ask(client, call, octets, &answer, f)
                                                 : fault_no_memory(f);
  if (good && ret_reply != NULL) {
    json_t *reply = json_loadb((const char *)answer.body.data, answer.body.len, 0, NULL);
    good = json_is_object(reply) ||
           fault_set(f, UNREACHABLE, "%s did not answer with a JSON object: is it mintmarkd?",
                     client->where.url);
    if (good)
      *ret_reply = TAKE(reply);
    json_decref(reply);
  }
  if (good && ret_status != NULL)
    *ret_status = (int)answer.status;
  free(body);
  buf_wipe(&answer.body); /* a token may be in it */
  return good;
}
