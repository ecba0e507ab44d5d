/* ask.c - the HTTP side of flow.h: libcurl for what is HTTP, GnuTLS for what is not. */
#include "tests/flow/flow.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/when.h"

void answer_free(struct answer *answer)
{
  buf_free(&answer->body);
  *answer = (struct answer){0};
}

/* --- one libcurl handle for each thread, so that connections are kept alive --- */

static pthread_key_t handles;
static pthread_once_t handles_once = PTHREAD_ONCE_INIT;

static void free_handle(void *handle)
{
  curl_easy_cleanup(handle);
}

static void make_handles(void)
{
  pthread_key_create(&handles, free_handle);
}

static CURL *handle_of_thread(void)
{
  pthread_once(&handles_once, make_handles);
  CURL *handle = pthread_getspecific(handles);
  if (handle == NULL) {
    handle = curl_easy_init();
    assert_non_null(handle);
    pthread_setspecific(handles, handle);
  }
  curl_easy_reset(handle);
  return handle;
}

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
  struct answer *answer = context;
  buf_add(&answer->body, data, size * n);
  return size * n;
}

static void take_value(const char *line, size_t len, const char *name, char *out, size_t size)
{
  size_t name_len = strlen(name);
  if (len <= name_len || strncasecmp(line, name, name_len) != 0)
    return;
  snprintf(out, size, "%.*s", (int)(len - name_len), line + name_len);
  out[strcspn(out, "\r\n")] = '\0';
}

static size_t take_header(char *line, size_t size, size_t n, void *context)
{
  struct answer *answer = context;
  char retry_after[16] = "";
  size_t len = size * n;
  take_value(line, len, "Content-Type: ", answer->content_type, sizeof answer->content_type);
  take_value(line, len, "Location: ", answer->location, sizeof answer->location);
  take_value(line, len, "X-Request-Id: ", answer->request_id, sizeof answer->request_id);
  take_value(line, len, "Allow: ", answer->allow, sizeof answer->allow);
  take_value(line, len, "WWW-Authenticate: ", answer->authenticate, sizeof answer->authenticate);
  take_value(line, len, "Retry-After: ", retry_after, sizeof retry_after);
  if (retry_after[0] != '\0')
    answer->retry_after = atol(retry_after);
  return len;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *name, const char *value)
{
  AUTO(buf) line = {0};
  if (value == NULL)
    return list;
  buf_addf(&line, "%s%s", name, value);
  return curl_slist_append(list, buf_text(&line));
}

static void set_body(CURL *curl, const struct ask *ask)
{
  bool head = ask->method != NULL && strcmp(ask->method, "HEAD") == 0;
  bool post = ask->method != NULL ? strcmp(ask->method, "POST") == 0 : ask->body.data != NULL;
  if (post || ask->body.data != NULL) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.len);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                     ask->body.data != NULL ? (const char *)ask->body.data : "");
  }
  if (head)
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  else if (ask->method != NULL)
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
}

void flow_ask(const struct flow *flow, const struct ask *ask, struct answer *answer)
{
  CURL *curl = handle_of_thread();
  char root[128];
  AUTO(buf) url = {0}, authorization = {0};
  struct curl_slist *headers = NULL;
  answer_free(answer);
  answer->retry_after = -1;
  buf_addf(&url, "%s%s", ask->plain ? flow->public_url : flow->url, ask->path);
  curl_easy_setopt(curl, CURLOPT_URL, buf_text(&url));
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(curl, CURLOPT_CAINFO, flow_path(flow, "ca/root.crt", root));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer);
  if (ask->token != NULL)
    buf_addf(&authorization, "Bearer %s", ask->token);
  headers =
      add_header(headers, "Authorization: ", ask->token != NULL ? buf_text(&authorization) : NULL);
  headers = add_header(headers, "Content-Type: ", ask->content_type);
  headers = add_header(headers, "Accept: ", ask->accept);
  headers = add_header(headers, "", ask->header);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  set_body(curl, ask);
  if (curl_easy_perform(curl) == CURLE_OK)
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
  curl_slist_free_all(headers);
}

json_t *answer_json(struct answer *answer)
{
  json_error_t error;
  json_t *json = json_loadb((const char *)answer->body.data, answer->body.len, 0, &error);
  if (!json_is_object(json))
    fail_msg("status %ld, not a JSON object: %s", answer->status, buf_text(&answer->body));
  return json;
}

const char *json_text(const json_t *object, const char *key)
{
  const char *text = json_string_value(json_object_get(object, key));
  if (text == NULL)
    fail_msg("no string \"%s\"", key);
  return text;
}

void assert_problem(struct answer *answer, long status, const char *code)
{
  if (answer->status != status)
    fail_msg("status %ld instead of %ld (%s): %s", answer->status, status, code,
             buf_text(&answer->body));
  assert_string_equal(answer->content_type, "application/problem+json");
  json_t *problem = answer_json(answer);
  assert_string_equal(json_text(problem, "code"), code);
  assert_int_equal(json_integer_value(json_object_get(problem, "status")), status);
  assert_true(strlen(json_text(problem, "title")) > 0);
  assert_true(strlen(json_text(problem, "detail")) > 0);
  json_decref(problem);
}

/* --- raw octets over TLS --- */

static int connect_to(int port)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

/* One end of a connection. */
struct talker {
  int fd;
  gnutls_session_t session; /* NULL: plain */
};

/* As many as went out: 0 when GnuTLS wants to be asked again. */
static ssize_t send_some(struct talker *talker, struct bytes octets)
{
  if (talker->session == NULL)
    return send(talker->fd, octets.data, octets.len, MSG_NOSIGNAL);
  ssize_t n = gnutls_record_send(talker->session, octets.data, octets.len);
  return n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ? 0 : n;
}

static bool can_read(const struct talker *talker, int64_t deadline)
{
  if (talker->session != NULL && gnutls_record_check_pending(talker->session) > 0)
    return true;
  int64_t left = deadline - when_monotonic_ms();
  struct pollfd p = {.fd = talker->fd, .events = POLLIN};
  return left > 0 && poll(&p, 1, (int)left) == 1;
}

/* Reads what there is until `deadline`; true when the peer closed. */
static bool read_until(struct talker *talker, int64_t deadline, struct buf *out)
{
  uint8_t octets[4096];
  while (can_read(talker, deadline)) {
    ssize_t n = talker->session != NULL ? gnutls_record_recv(talker->session, octets, sizeof octets)
                                        : recv(talker->fd, octets, sizeof octets, 0);
    if (talker->session != NULL && (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED))
      continue;
    if (n <= 0)
      return true;
    buf_add(out, octets, (size_t)n);
  }
  return false;
}

bool flow_handshake(const struct flow *flow, const char *priorities)
{
  gnutls_session_t session;
  gnutls_certificate_credentials_t credentials;
  int fd = connect_to(flow->port), result;
  gnutls_certificate_allocate_credentials(&credentials);
  gnutls_init(&session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
  assert_int_equal(gnutls_priority_set_direct(session, priorities, NULL), 0);
  gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_transport_set_int(session, fd);
  gnutls_handshake_set_timeout(session, 10000);
  do
    result = gnutls_handshake(session);
  while (result < 0 && gnutls_error_is_fatal(result) == 0);
  gnutls_deinit(session);
  gnutls_certificate_free_credentials(credentials);
  close(fd);
  return result == 0;
}

static int status_in(struct buf *answer)
{
  int status = 0;
  sscanf(buf_text(answer), "HTTP/1.%*1d %3d", &status);
  return status;
}

/* Sends and reads until the peer closes or the deadline comes; true when the peer closed. */
static bool talk(struct talker *talker, struct bytes octets, int64_t deadline, bool dribble,
                 struct buf *out)
{
  bool closed = false;
  while (octets.len > 0 && !closed && when_monotonic_ms() < deadline) {
    ssize_t n = send_some(talker, bytes_of(octets.data, dribble ? 1 : octets.len));
    if (n < 0)
      break;
    octets = bytes_of(octets.data + n, octets.len - (size_t)n);
    if (dribble)
      closed = read_until(talker, when_monotonic_ms() + 1000, out);
  }
  return closed || read_until(talker, deadline, out);
}

long flow_raw_plain(const struct flow *flow, struct bytes octets, double seconds, bool dribble,
                    bool *ret_closed)
{
  AUTO(buf) answer = {0};
  struct talker talker = {.fd = connect_to(flow->public_port)};
  *ret_closed =
      talk(&talker, octets, when_monotonic_ms() + (int64_t)(seconds * 1000), dribble, &answer);
  close(talker.fd);
  return status_in(&answer);
}

long flow_raw(const struct flow *flow, struct bytes octets, double seconds, bool dribble,
              bool *ret_closed)
{
  gnutls_certificate_credentials_t credentials;
  AUTO(buf) answer = {0};
  char root[128];
  struct talker talker = {.fd = connect_to(flow->port)};
  int64_t deadline = when_monotonic_ms() + (int64_t)(seconds * 1000);
  gnutls_certificate_allocate_credentials(&credentials);
  gnutls_certificate_set_x509_trust_file(credentials, flow_path(flow, "ca/root.crt", root),
                                         GNUTLS_X509_FMT_PEM);
  gnutls_init(&talker.session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
  gnutls_set_default_priority(talker.session);
  gnutls_credentials_set(talker.session, GNUTLS_CRD_CERTIFICATE, credentials);
  gnutls_session_set_verify_cert(talker.session, "127.0.0.1", 0);
  gnutls_transport_set_int(talker.session, talker.fd);
  assert_int_equal(gnutls_handshake(talker.session), 0);
  *ret_closed = talk(&talker, octets, deadline, dribble, &answer);
  gnutls_deinit(talker.session);
  gnutls_certificate_free_credentials(credentials);
  close(talker.fd);
  return status_in(&answer);
}
