/* webhook_post.c - see webhook_post.h. */
#include "daemon/webhook_post.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the answer's body nothing is kept; one that does not end is not waited for. */
enum { BODY_MAX = 64 * 1024, POLL_MS = 1000 };

struct webhook_poster {
  const struct webhook_setup *setup;
  CURLM *multi;
  CURL *easy;
  atomic_bool aborted;
  size_t body_len; /* of the answer, so far */
  char error[CURL_ERROR_SIZE];
};

bool webhook_post_init(struct fault *f)
{
  return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ||
         fault_set(f, INTERNAL, "libcurl does not start");
}

/* --- what is the same for every event --- */

static size_t drop_body(char *data, size_t size, size_t n, void *context)
{
  struct webhook_poster *poster = context;
  (void)data;
  poster->body_len += size * n;
  return poster->body_len <= BODY_MAX ? size * n : 0;
}

static bool set_up(struct webhook_poster *poster)
{
  const struct webhook_setup *setup = poster->setup;
  CURL *easy = poster->easy;
  bool tls = strncmp(setup->url, "https:", 6) == 0;
  long timeout_ms = (long)setup->timeout_ms;
  bool done =
      curl_easy_setopt(easy, CURLOPT_URL, setup->url) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, tls ? "https" : "http") == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms) == CURLE_OK &&
      /* A name that is being looked up when we give up does not hold us. */
      curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, poster->error) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_USERAGENT, "Mintmark/" PACKAGE_VERSION) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_WRITEDATA, poster) == CURLE_OK;
  if (setup->cacert != NULL)
    done = done && curl_easy_setopt(easy, CURLOPT_CAINFO, setup->cacert) == CURLE_OK &&
           curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK; /* these, and no others */
  return done;
}

bool webhook_poster_new(const struct webhook_setup *setup, struct webhook_poster **ret_poster,
                        struct fault *f)
{
  AUTO(webhook_poster) poster = calloc(1, sizeof *poster);
  if (poster == NULL)
    return fault_no_memory(f);
  poster->setup = setup;
  poster->multi = curl_multi_init();
  poster->easy = curl_easy_init();
  if (poster->multi == NULL || poster->easy == NULL || !set_up(poster))
    return fault_no_memory(f);
  *ret_poster = TAKE(poster);
  return true;
}

void webhook_poster_free(struct webhook_poster *poster)
{
  if (poster == NULL)
    return;
  curl_easy_cleanup(poster->easy);
  curl_multi_cleanup(poster->multi);
  free(poster);
}

/* --- one event --- */

/* NULL when memory is short. */
static struct curl_slist *make_headers(const struct webhook_post *post)
{
  char lines[4][160] = {"Content-Type: application/json", "Expect:"};
  struct curl_slist *headers = NULL;
  snprintf(lines[2], sizeof lines[2], "Mintmark-Event-Id: %lld", (long long)post->event_id);
  snprintf(lines[3], sizeof lines[3], "Mintmark-Signature: %s", post->signature);
  for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
    struct curl_slist *more = curl_slist_append(headers, lines[i]);
    if (more == NULL) {
      curl_slist_free_all(headers);
      return NULL;
    }
    headers = more;
  }
  return headers;
}

/* The transfer's end, if it has come. */
static bool has_ended(struct webhook_poster *poster, CURLcode *ret_code)
{
  int left;
  const CURLMsg *message = curl_multi_info_read(poster->multi, &left);
  if (message == NULL || message->msg != CURLMSG_DONE)
    return false;
  *ret_code = message->data.result;
  return true;
}

/* The wait ends when there is something to do, a time is over, or somebody aborts. */
static CURLcode drive(struct webhook_poster *poster)
{
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  int running;
  while (!poster->aborted) {
    if (curl_multi_perform(poster->multi, &running) != CURLM_OK)
      return CURLE_OUT_OF_MEMORY;
    if (has_ended(poster, &code))
      return code;
    if (curl_multi_poll(poster->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
      return CURLE_OUT_OF_MEMORY;
  }
  return code;
}

/* A status counts with the whole answer, or with more of it than anybody waits for. */
static void judge(const struct webhook_poster *poster, CURLcode code,
                  struct webhook_answer *ret_answer)
{
  long status = 0;
  *ret_answer = (struct webhook_answer){0};
  curl_easy_getinfo(poster->easy, CURLINFO_RESPONSE_CODE, &status);
  if (code == CURLE_OK || poster->body_len > BODY_MAX)
    ret_answer->status = (unsigned)status;
  else
    snprintf(ret_answer->why, sizeof ret_answer->why, "%s",
             poster->error[0] != '\0' ? poster->error : curl_easy_strerror(code));
}

void webhook_poster_send(struct webhook_poster *poster, const struct webhook_post *post,
                         struct webhook_answer *ret_answer)
{
  CURL *easy = poster->easy;
  CURLcode code = CURLE_OUT_OF_MEMORY;
  struct curl_slist *headers = make_headers(post);
  poster->body_len = 0;
  poster->error[0] = '\0';
  if (headers != NULL && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)post->body.len) == CURLE_OK &&
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body.data) == CURLE_OK &&
      curl_multi_add_handle(poster->multi, easy) == CURLM_OK) {
    code = drive(poster);
    judge(poster, code, ret_answer);
    curl_multi_remove_handle(poster->multi, easy);
  } else {
    judge(poster, code, ret_answer);
  }
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
  curl_slist_free_all(headers);
}

void webhook_poster_abort(struct webhook_poster *poster)
{
  poster->aborted = true;
  curl_multi_wakeup(poster->multi);
}
