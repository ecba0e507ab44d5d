/* test_front.c - the front over real sockets and TLS, with routes of its own. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "daemon/front.h"
#include "daemon/listen.h"
#include "daemon/route.h"
#include "daemon/tls.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/ca/device.h"
#include "lib/ca/peer.h"
#include "lib/ca/recorder.h"

/* --- routes --- */

static atomic_int n_waiting; /* exchanges whose reply is still to come */
static atomic_bool let_go;

static enum handled answer(struct exchange *x, const char *text)
{
  buf_add_text(&x->reply.body, text);
  x->reply.status = 200;
  x->reply.content_type = "text/plain";
  return HANDLED;
}

static enum handled now(struct exchange *x)
{
  return answer(x, "now");
}

static enum handled show_rest(struct exchange *x)
{
  return answer(x, x->path_rest);
}

static enum handled echo(struct exchange *x)
{
  buf_add_bytes(&x->reply.body, buf_bytes(&x->body));
  return answer(x, "!");
}

/* Finished before the front can suspend the connection. */
static enum handled soon(struct exchange *x)
{
  answer(x, "soon");
  exchange_finish(x);
  return DEFERRED;
}

static void wait_until_let_go(void)
{
  while (!let_go)
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static enum handled leave_to(void *(*run)(void *context), struct exchange *x)
{
  pthread_t thread;
  n_waiting++;
  assert_int_equal(pthread_create(&thread, NULL, run, x), 0);
  pthread_detach(thread);
  return DEFERRED;
}

static void *finish_later(void *context)
{
  struct exchange *x = context;
  wait_until_let_go();
  answer(x, "later");
  exchange_finish(x);
  n_waiting--;
  return NULL;
}

static enum handled later(struct exchange *x)
{
  return leave_to(finish_later, x);
}

/* Replies that the front's own thread makes: finished before, or by another thread. */
static atomic_int n_completed;
static pthread_t completed_by;

static void complete(struct exchange *x)
{
  answer(x, x->completes);
  completed_by = pthread_self();
  n_completed++;
}

static enum handled completed_soon(struct exchange *x)
{
  static char text[] = "completed soon";
  x->complete = complete;
  x->completes = text;
  exchange_finish(x);
  return DEFERRED;
}

static void *leave_the_rest(void *context)
{
  static char text[] = "completed later";
  struct exchange *x = context;
  wait_until_let_go();
  x->complete = complete;
  x->completes = text;
  exchange_finish(x);
  n_waiting--;
  return NULL;
}

static enum handled completed_later(struct exchange *x)
{
  return leave_to(leave_the_rest, x);
}

static bool count_down(void *state, struct buf *out, bool *ret_end)
{
  int *left = state;
  buf_addf(out, "%d,", *left);
  *ret_end = --*left == 0;
  return true;
}

static enum handled stream(struct exchange *x)
{
  int *left = malloc(sizeof *left);
  assert_non_null(left);
  *left = 5000;
  x->reply.status = 200;
  x->reply.content_type = "text/csv";
  x->reply.stream = (struct reply_stream){.next = count_down, .free = free, .state = left};
  return HANDLED;
}

static int given_fd; /* of the file that was given last */

static enum handled file(struct exchange *x)
{
  FILE *made = tmpfile();
  assert_non_null(made);
  for (int i = 0; i < 30000; i++)
    fprintf(made, "%d,", i);
  fflush(made);
  given_fd = dup(fileno(made));
  x->reply.file = (struct reply_file){.given = true, .fd = given_fd, .size = (uint64_t)ftell(made)};
  fclose(made);
  x->reply.status = 200;
  x->reply.content_type = "text/plain";
  x->reply.max_age_s = 60;
  snprintf(x->reply.etag, sizeof x->reply.etag, "\"%.20s\"", x->if_none_match);
  x->reply.modified_at = 784111777;
  return HANDLED;
}

/* The file is of no use when the handler fails after all. */
static enum handled failed_file(struct exchange *x)
{
  AUTO(fault) f = {0};
  file(x);
  fault_set(&f, NOT_FOUND, "gone");
  return exchange_fail(x, &f);
}

static enum handled unchanged(struct exchange *x)
{
  assert_string_equal(x->if_modified_since, "Sun, 06 Nov 1994 08:49:37 GMT");
  file(x);
  x->reply.status = 304;
  snprintf(x->reply.etag, sizeof x->reply.etag, "\"a\"");
  return HANDLED;
}

/* A body that is taken ten octets at a time, with a pause behind each ten. */
struct slow_sink {
  struct exchange *x;
  size_t taken;
  bool rested;
};
static atomic_int n_sinks;

static void *wake_up(void *context)
{
  exchange_go_on(context);
  return NULL;
}

/* At once, or by another thread, which is perhaps before the connection is suspended. */
static void wake(const struct slow_sink *sink)
{
  pthread_t thread;
  if (sink->taken % 20 == 0) {
    exchange_go_on(sink->x);
    return;
  }
  assert_int_equal(pthread_create(&thread, NULL, wake_up, sink->x), 0);
  pthread_detach(thread);
}

static enum sink_state take_ten(void *state, struct bytes *octets, bool *ret_progress)
{
  struct slow_sink *sink = state;
  if (memchr(octets->data, '!', octets->len) != NULL)
    return SINK_BREAKS_OFF;
  if (!sink->rested) {
    sink->rested = true;
    wake(sink);
    return SINK_WAITS;
  }
  size_t n = octets->len < 10 ? octets->len : 10;
  *octets = bytes_of(octets->data + n, octets->len - n);
  sink->taken += n;
  sink->rested = octets->len == 0;
  *ret_progress = true;
  if (octets->len > 0)
    return take_ten(state, octets, ret_progress);
  return SINK_GOES_ON;
}

static enum handled tell_taken(void *state)
{
  const struct slow_sink *sink = state;
  char number[32];
  snprintf(number, sizeof number, "%zu taken", sink->taken);
  return answer(sink->x, number);
}

static void free_sink(void *state)
{
  free(state);
  n_sinks--;
}

static enum handled open_sink(struct exchange *x)
{
  AUTO(fault) f = {0};
  struct slow_sink *sink = calloc(1, sizeof *sink);
  assert_non_null(sink);
  if (x->n_query > 0) {
    free(sink);
    fault_set(&f, NOT_FOUND, "not taken");
    return exchange_fail(x, &f);
  }
  sink->x = x;
  n_sinks++;
  x->sink = (struct sink){take_ten, tell_taken, free_sink, sink};
  return HANDLED;
}

static struct exchange *cut_off;

static void *cut_it(void *context)
{
  (void)context;
  exchange_cut(cut_off);
  return NULL;
}

/* Nothing more comes, and yet it ends. */
static enum sink_state take_and_cut(void *state, struct bytes *octets, bool *ret_progress)
{
  struct slow_sink *sink = state;
  pthread_t thread;
  (void)ret_progress;
  *octets = bytes_of(NULL, 0);
  cut_off = sink->x;
  assert_int_equal(pthread_create(&thread, NULL, cut_it, NULL), 0);
  pthread_detach(thread);
  return SINK_GOES_ON;
}

static enum handled open_cut(struct exchange *x)
{
  enum handled handled = open_sink(x);
  x->sink.take = take_and_cut;
  return handled;
}

static const char *const text[] = {"text/plain", NULL};
static const struct route rows[] = {
    {METHOD_GET, "/now", OPEN_TO_ALL, 0, NULL, now},
    {METHOD_GET, "/soon", OPEN_TO_ALL, 0, NULL, soon},
    {METHOD_GET, "/later", OPEN_TO_ALL, 0, NULL, later},
    {METHOD_GET, "/completed-soon", OPEN_TO_ALL, 0, NULL, completed_soon},
    {METHOD_GET, "/completed-later", OPEN_TO_ALL, 0, NULL, completed_later},
    {METHOD_GET, "/stream", OPEN_TO_ALL, 0, NULL, stream},
    {METHOD_GET, "/file", OPEN_TO_ALL, 0, NULL, file},
    {METHOD_GET, "/failed-file", OPEN_TO_ALL, 0, NULL, failed_file},
    {METHOD_GET, "/unchanged", OPEN_TO_ALL, 0, NULL, unchanged},
    {METHOD_POST, "/echo", OPEN_TO_ALL, 100, text, echo},
    {METHOD_POST, "/closed", MAY(ADMIN), 100, text, echo},
    {METHOD_POST, "/sink", OPEN_TO_ALL | AS_IT_COMES, SIZE_MAX, text, open_sink},
    {METHOD_POST, "/cut", OPEN_TO_ALL | AS_IT_COMES, SIZE_MAX, text, open_cut},
    {METHOD_GET, "/public", PUBLIC, 0, NULL, now},
    {METHOD_POST, "/public/echo", PUBLIC, 100, text, echo},
    {METHOD_GET, "/public/rest/*rest", PUBLIC, 0, NULL, show_rest},
};

bool principal_authenticate(struct ledger *ledger, struct bytes token,
                            struct principal *ret_principal, struct fault *f)
{
  (void)ledger, (void)token, (void)ret_principal;
  return fault_set(f, UNAUTHENTICATED, "nobody is known here");
}

bool ledger_find_principal(struct ledger *ledger, const char *name, bool *ret_found,
                           struct principal *ret_principal,
                           uint8_t ret_proof_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  (void)ledger, (void)name, (void)ret_found, (void)ret_principal, (void)ret_proof_sha256;
  return fault_set(f, INTERNAL, "not to be called");
}

bool device_authenticate(struct ledger *ledger, struct bytes credentials,
                         struct principal *ret_principal, struct fault *f)
{
  (void)ledger, (void)credentials, (void)ret_principal;
  return fault_set(f, UNAUTHENTICATED, "nobody is known here");
}

/* No client of this test shows a certificate. */
bool peer_read(const struct bytes *ders, size_t n, struct peer **ret_peer, struct fault *f)
{
  (void)ders, (void)n, (void)ret_peer;
  return fault_set(f, INTERNAL, "not to be called");
}

void peer_free(struct peer *peer)
{
  assert_null(peer);
}

bool peer_authenticate(struct peer *peer, const struct trust *trust, struct ledger *ledger,
                       int64_t now, struct principal *ret_principal, struct fault *f)
{
  (void)peer, (void)trust, (void)ledger, (void)now, (void)ret_principal;
  return fault_set(f, INTERNAL, "not to be called");
}

bool peer_renews(struct peer *peer, const struct trust *trust, struct ledger *ledger, int64_t now,
                 struct principal *ret_principal, struct fault *f)
{
  return peer_authenticate(peer, trust, ledger, now, ret_principal, f);
}

struct trust *trust_box_get(struct trust_box *box)
{
  (void)box;
  return NULL;
}

void trust_release(struct trust *trust)
{
  assert_null(trust);
}

void recorder_note(struct recorder *recorder, const struct event *event)
{
  (void)recorder, (void)event;
}

const char *role_name(enum role role)
{
  (void)role;
  return "some";
}

/* --- the server --- */

static struct listeners listeners;
static struct listener listener; /* the one that is in use */
static struct front *front;
static const struct service service;

static void make_identity(const char *certificate_path, const char *key_path)
{
  AUTO(fault) fault = {0};
  gnutls_x509_privkey_t key;
  gnutls_x509_crt_t certificate;
  gnutls_datum_t pem;
  assert_int_equal(gnutls_x509_privkey_init(&key), 0);
  assert_int_equal(gnutls_x509_privkey_generate(
                       key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                   0);
  assert_int_equal(gnutls_x509_crt_init(&certificate), 0);
  gnutls_x509_crt_set_version(certificate, 3);
  gnutls_x509_crt_set_serial(certificate, "\1", 1);
  gnutls_x509_crt_set_activation_time(certificate, time(NULL) - 60);
  gnutls_x509_crt_set_expiration_time(certificate, time(NULL) + 3600);
  gnutls_x509_crt_set_dn(certificate, "CN=test", NULL);
  gnutls_x509_crt_set_key(certificate, key);
  assert_int_equal(gnutls_x509_crt_sign2(certificate, certificate, key, GNUTLS_DIG_SHA256, 0), 0);
  assert_int_equal(gnutls_x509_crt_export2(certificate, GNUTLS_X509_FMT_PEM, &pem), 0);
  assert_true(file_write(certificate_path, bytes_of(pem.data, pem.size), 0600, true, &fault));
  gnutls_free(pem.data);
  assert_int_equal(
      gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &pem),
      0);
  assert_true(file_write(key_path, bytes_of(pem.data, pem.size), 0600, true, &fault));
  gnutls_free(pem.data);
  gnutls_x509_crt_deinit(certificate);
  gnutls_x509_privkey_deinit(key);
}

static void load_identity(void)
{
  AUTO(fault) fault = {0};
  char folder[] = "/tmp/mintmark-front-XXXXXX", certificate[64], key[64];
  assert_non_null(mkdtemp(folder));
  snprintf(certificate, sizeof certificate, "%s/c", folder);
  snprintf(key, sizeof key, "%s/k", folder);
  make_identity(certificate, key);
  assert_true(tls_load(certificate, key, &fault));
  unlink(certificate);
  unlink(key);
  rmdir(folder);
}

static int start_listening(bool plain)
{
  AUTO(fault) fault = {0};
  log_setup(LOG_FORMAT_PLAIN, LOG_LEVEL_ERROR, STDERR_FILENO);
  load_identity();
  assert_true(listen_open("127.0.0.1:0", "127.0.0.1:0", &listeners, &fault));
  listener = plain ? listeners.plain : listeners.tls;
  assert_true(listen_begin(&listener, &fault));
  struct front_options options = {.listen_fd = listener.fd,
                                  .service = &service,
                                  .routes = rows,
                                  .n_routes = ARRAY_LEN(rows),
                                  .plain = plain,
                                  .threads = 2,
                                  .connections = 100,
                                  .connections_per_address = 100,
                                  .request_seconds = 1,
                                  .idle_seconds = 10};
  assert_true(front_start(&options, &front, &fault));
  let_go = false;
  return 0;
}

static int start(void **state)
{
  (void)state;
  return start_listening(false);
}

static int start_plain(void **state)
{
  (void)state;
  return start_listening(true);
}

static int stop(void **state)
{
  (void)state;
  let_go = true;
  front_quiesce(front);
  assert_true(front_wait(front, 10000));
  front_close_doors(front);
  front_stop(front);
  listen_close(&listeners);
  tls_unload();
  return 0;
}

/* --- a client --- */

struct client {
  int fd;
  gnutls_session_t session; /* NULL: plain */
  gnutls_certificate_credentials_t credentials;
  char got[262144];
  size_t len;
};

static void client_open(struct client *c)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)listener.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval patience = {.tv_sec = 10};
  *c = (struct client){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  assert_int_equal(connect(c->fd, (struct sockaddr *)&address, sizeof address), 0);
  setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (listener.fd == listeners.plain.fd)
    return;
  gnutls_certificate_allocate_credentials(&c->credentials);
  gnutls_init(&c->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
  gnutls_set_default_priority(c->session);
  gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, c->credentials);
  gnutls_transport_set_int(c->session, c->fd);
  int rc;
  while ((rc = gnutls_handshake(c->session)) < 0)
    assert_false(gnutls_error_is_fatal(rc));
}

static ssize_t send_some(struct client *c, const char *octets, size_t len)
{
  return c->session != NULL ? gnutls_record_send(c->session, octets, len)
                            : send(c->fd, octets, len, MSG_NOSIGNAL);
}

static void client_send(struct client *c, const char *octets, size_t len)
{
  assert_int_equal(send_some(c, octets, len), len);
}

/* 0 at the end, however it came. */
static size_t read_some(struct client *c, char *out, size_t max)
{
  ssize_t n;
  do
    n = c->session != NULL ? gnutls_record_recv(c->session, out, max) : recv(c->fd, out, max, 0);
  while (n < 0 && c->session != NULL && !gnutls_error_is_fatal((int)n));
  return n > 0 ? (size_t)n : 0;
}

/* Reads what comes until the peer closes. */
static void client_read_all(struct client *c)
{
  c->len = 0;
  for (size_t n; (n = read_some(c, c->got + c->len, sizeof c->got - 1 - c->len)) > 0;)
    c->len += n;
  c->got[c->len] = '\0';
}

static void client_close(struct client *c)
{
  if (c->session != NULL) {
    gnutls_deinit(c->session);
    gnutls_certificate_free_credentials(c->credentials);
  }
  close(c->fd);
}

static int status_of(const struct client *c)
{
  int status = 0;
  return sscanf(c->got, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* Sends the octets and reads until the peer closes. */
static int ask_octets(struct client *c, const char *octets, size_t len)
{
  client_open(c);
  client_send(c, octets, len);
  client_read_all(c);
  client_close(c);
  return status_of(c);
}

#define ASK(client, text) ask_octets((client), text, sizeof(text) - 1)
#define CLOSE             "Connection: close\r\n"

/* --- tests --- */

static void a_request_is_answered(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "GET /now HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-7\r\n" CLOSE "\r\n"),
                   200);
  assert_non_null(strstr(c.got, "\r\n\r\nnow"));
  assert_non_null(strstr(c.got, "X-Request-Id: r-7\r\n"));
  assert_non_null(strstr(c.got, "X-Content-Type-Options: nosniff\r\n"));
  assert_non_null(strstr(c.got, "Cache-Control: no-store\r\n"));
}

static void head_has_no_body(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "HEAD /now HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 200);
  assert_non_null(strstr(c.got, "Content-Length: 3\r\n"));
  assert_null(strstr(c.got, "\r\n\r\nnow"));
}

static void an_exchange_may_be_finished_before_it_is_suspended(void **state)
{
  (void)state;
  struct client c;
  for (int i = 0; i < 20; i++) {
    assert_int_equal(ASK(&c, "GET /soon HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 200);
    assert_non_null(strstr(c.got, "\r\n\r\nsoon"));
  }
}

static void an_exchange_may_be_finished_by_another_thread(void **state)
{
  (void)state;
  struct client c;
  let_go = true;
  for (int i = 0; i < 20; i++) {
    assert_int_equal(ASK(&c, "GET /later HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 200);
    assert_non_null(strstr(c.got, "\r\n\r\nlater"));
  }
}

static void assert_completed(const char *path, const char *reply, int before)
{
  struct client c;
  char request[80];
  snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n", path);
  client_open(&c);
  client_send(&c, request, strlen(request));
  client_read_all(&c);
  client_close(&c);
  assert_int_equal(status_of(&c), 200);
  assert_non_null(strstr(c.got, reply));
  assert_int_equal(n_completed, before + 1);
  assert_false(pthread_equal(completed_by, pthread_self()));
}

static void the_front_completes_what_is_finished(void **state)
{
  (void)state;
  let_go = true;
  for (int i = 0; i < 20; i++) {
    assert_completed("/completed-soon", "\r\n\r\ncompleted soon", n_completed);
    assert_completed("/completed-later", "\r\n\r\ncompleted later", n_completed);
  }
}

/* What the reply is made of has to be freed. */
static void it_does_so_when_nobody_waits_any_more(void **state)
{
  (void)state;
  static const char request[] = "GET /completed-later HTTP/1.1\r\nHost: a\r\n\r\n";
  struct client c;
  int before = n_completed;
  client_open(&c);
  client_send(&c, request, sizeof request - 1);
  int64_t until_ms = when_monotonic_ms() + 5000;
  while (n_waiting == 0 && when_monotonic_ms() < until_ms)
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  client_close(&c);
  let_go = true;
  while (n_completed == before && when_monotonic_ms() < until_ms)
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  assert_int_equal(n_completed, before + 1);
}

static void a_stream_arrives_whole(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "GET /stream HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 200);
  assert_non_null(strstr(c.got, "5000,"));
  assert_non_null(strstr(c.got, ",2,1,\r\n0\r\n\r\n"));
}

#define SINK_HEAD "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n" CLOSE

static void a_body_may_be_taken_as_it_comes(void **state)
{
  (void)state;
  struct client c;
  char body[5000], head[256];
  memset(body, 'x', sizeof body);
  assert_int_equal(ASK(&c, SINK_HEAD "Content-Length: 0\r\n\r\n"), 200);
  assert_non_null(strstr(c.got, "\r\n\r\n0 taken"));
  assert_int_equal(ASK(&c, SINK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                                     "5\r\nabcde\r\n10\r\nabcdefghijklmnop\r\n0\r\n\r\n"),
                   200);
  assert_non_null(strstr(c.got, "\r\n\r\n21 taken"));
  client_open(&c);
  snprintf(head, sizeof head, "%sContent-Length: %zu\r\n\r\n", SINK_HEAD, 10 * sizeof body);
  client_send(&c, head, strlen(head));
  for (size_t i = 0; i < 10; i++)
    client_send(&c, body, sizeof body);
  client_read_all(&c);
  client_close(&c);
  assert_int_equal(status_of(&c), 200);
  assert_non_null(strstr(c.got, "\r\n\r\n50000 taken"));
  assert_int_equal(n_sinks, 0);
}

static void a_sink_that_is_refused_answers_at_once(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "POST /sink?no=1 HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 1000\r\n\r\nabc"),
                   404);
  assert_int_equal(ASK(&c, "POST /sink HTTP/1.1\r\nHost: a\r\nContent-Type: text/html\r\n"
                           "Content-Length: 1000\r\n\r\nabc"),
                   415);
  assert_int_equal(n_sinks, 0);
}

static void wait_for_no_sink(void)
{
  int64_t until_ms = when_monotonic_ms() + 5000;
  while (n_sinks > 0) {
    assert_true(when_monotonic_ms() < until_ms);
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
}

static void a_sink_may_break_off_and_be_cut(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, SINK_HEAD "Content-Length: 1000\r\n\r\nabc!"), 0);
  wait_for_no_sink();
  assert_int_equal(ASK(&c, "POST /cut HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 1000\r\n\r\nabc"),
                   0);
  wait_for_no_sink();
}

/* Closed behind the reply's last octet, so perhaps a moment later. */
static void wait_until_closed(int fd)
{
  int64_t until_ms = when_monotonic_ms() + 5000;
  while (fcntl(fd, F_GETFD) != -1) {
    assert_true(when_monotonic_ms() < until_ms);
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  }
}

static void a_file_arrives_whole_and_is_closed(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "GET /file HTTP/1.1\r\nHost: a\r\nIf-None-Match: x\r\n" CLOSE "\r\n"),
                   200);
  assert_non_null(strstr(c.got, "\r\n\r\n0,1,2,"));
  assert_string_equal(c.got + c.len - 6, "29999,");
  assert_non_null(strstr(c.got, "Content-Length: 168890\r\n"));
  assert_non_null(strstr(c.got, "Cache-Control: public, max-age=60\r\n"));
  assert_non_null(strstr(c.got, "ETag: \"x\"\r\n"));
  assert_non_null(strstr(c.got, "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  wait_until_closed(given_fd);
}

static void a_file_that_is_not_sent_is_closed_too(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "HEAD /file HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 200);
  assert_non_null(strstr(c.got, "Content-Length: 168890\r\n"));
  assert_string_equal(c.got + c.len - 4, "\r\n\r\n");
  wait_until_closed(given_fd);
  assert_int_equal(ASK(&c, "GET /failed-file HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 404);
  wait_until_closed(given_fd);
}

/* RFC 9110, 8.6: its length is that of the whole reply. */
static void what_is_unchanged_has_no_body(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "GET /unchanged HTTP/1.1\r\nHost: a\r\n"
                           "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n" CLOSE "\r\n"),
                   304);
  assert_non_null(strstr(c.got, "Content-Length: 168890\r\n"));
  assert_non_null(strstr(c.got, "ETag: \"a\"\r\n"));
  assert_string_equal(c.got + c.len - 4, "\r\n\r\n");
  wait_until_closed(given_fd);
}

static void bodies_come_with_a_length_or_in_chunks(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n" CLOSE
                           "Content-Length: 3\r\n\r\nabc"),
                   200);
  assert_non_null(strstr(c.got, "\r\n\r\nabc!"));
  assert_int_equal(ASK(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n" CLOSE
                           "Transfer-Encoding: chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"),
                   200);
  assert_non_null(strstr(c.got, "\r\n\r\ndef!"));
}

/* The answer comes although the body never does. */
static void what_will_be_refused_is_refused_before_its_body(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 101\r\n\r\n"),
                   413);
  assert_int_equal(ASK(&c, "POST /closed HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n"
                           "Content-Length: 10\r\n\r\n"),
                   401);
  assert_int_equal(ASK(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\n"
                           "Transfer-Encoding: chunked\r\n\r\n"),
                   415);
  assert_int_equal(ASK(&c, "GET /now HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"), 413);
}

/* What request_check.c wants to see must be what libmicrohttpd shows. */
static void a_head_that_two_could_read_differently_ends_the_connection(void **state)
{
  (void)state;
  static const struct {
    const char *octets;
    size_t len;
  } heads[] = {
#define HEAD(text) {text, sizeof(text) - 1}
      HEAD("GET /now HTTP/1.1\nHost: a\n\n"),
      HEAD("GET /now HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
      HEAD("GET /now HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n"),
      HEAD("GET /now HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"),
      HEAD("GET /now HTTP/1.1\r\nHost : a\r\n\r\n"),
      HEAD("GET  /now HTTP/1.1\r\nHost: a\r\n\r\n"),
      HEAD("GET\0X /now HTTP/1.1\r\nHost: a\r\n\r\n"),
      HEAD("GET /now\0x HTTP/1.1\r\nHost: a\r\n\r\n"),
      HEAD("GET /now x HTTP/1.1\r\nHost: a\r\n\r\n"),
      HEAD("GET /now HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
      HEAD("GET /now HTTP/1.1\r\n\r\n"),
#undef HEAD
  };
  static const char behind[] = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
    struct client c;
    char octets[256];
    memcpy(octets, heads[i].octets, heads[i].len);
    memcpy(octets + heads[i].len, behind, sizeof behind - 1);
    assert_int_equal(ask_octets(&c, octets, heads[i].len + sizeof behind - 1), 400);
    assert_non_null(strstr(c.got, "\"code\":\"bad-request\""));
    assert_null(strstr(c.got, "200 OK"));
  }
}

static void a_head_in_many_pieces_is_still_well_formed(void **state)
{
  (void)state;
  struct client c;
  AUTO(buf) head = {0};
  buf_add_text(&head, "GET /now HTTP/1.1\r\nHost: a\r\n" CLOSE);
  for (int i = 0; i < 24; i++)
    buf_addf(&head, "X-%d:%*s%0200d\r\n", i, i % 3, "", i);
  buf_add_text(&head, "\r\n");
  client_open(&c);
  for (size_t at = 0; at < head.len; at += 331)
    client_send(&c, (const char *)head.data + at, head.len - at < 331 ? head.len - at : 331);
  client_read_all(&c);
  client_close(&c);
  assert_int_equal(status_of(&c), 200);
}

/* libmicrohttpd's own memory for a connection would not do for these. */
static void a_query_of_many_parameters_is_answered(void **state)
{
  (void)state;
  struct client c;
  AUTO(buf) head = {0};
  buf_add_text(&head, "GET /now?");
  for (int i = 0; i < 3000; i++)
    buf_add_text(&head, "a&");
  buf_add_text(&head, " HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n");
  assert_int_equal(ask_octets(&c, (const char *)head.data, head.len), 400);
  assert_non_null(strstr(c.got, "\"code\":\"bad-request\""));
}

/* Each octet comes in good time, and yet the request never ends. */
static void one_octet_after_the_other_is_cut_off(void **state)
{
  (void)state;
  struct client c;
  int64_t began_ms = when_monotonic_ms();
  client_open(&c);
  client_send(&c, "GET /now HTTP/1.1\r\nX: ", 22);
  while (send_some(&c, "x", 1) == 1 && when_monotonic_ms() - began_ms < 8000)
    nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000}, NULL);
  client_close(&c);
  assert_true(when_monotonic_ms() - began_ms < 6000);
}

static void what_is_under_way_is_answered_before_the_end(void **state)
{
  (void)state;
  struct client c;
  client_open(&c);
  static const char request[] = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
  client_send(&c, request, sizeof request - 1);
  int64_t until_ms = when_monotonic_ms() + 5000;
  while (n_waiting == 0 && when_monotonic_ms() < until_ms)
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
  front_quiesce(front);
  assert_false(front_wait(front, 50));
  let_go = true;
  assert_true(front_wait(front, 5000));
  client_read_all(&c); /* the connection ends with it */
  client_close(&c);
  assert_int_equal(status_of(&c), 200);
  assert_non_null(strstr(c.got, "Connection: close\r\n"));
}

static void behind_closed_doors_no_handler_runs(void **state)
{
  (void)state;
  struct client c;
  front_close_doors(front);
  assert_int_equal(ASK(&c, "GET /now HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 503);
  assert_non_null(strstr(c.got, "\"code\":\"stopping\""));
  assert_non_null(strstr(c.got, "Retry-After: "));
}

/* --- plain HTTP --- */

static void what_is_public_is_answered(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "GET /public HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 200);
  assert_non_null(strstr(c.got, "\r\n\r\nnow"));
  assert_int_equal(ASK(&c, "HEAD /public HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 200);
  assert_int_equal(ASK(&c,
                       "POST /public/echo HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n" CLOSE
                       "Content-Length: 3\r\n\r\nabc"),
                   200);
  assert_non_null(strstr(c.got, "\r\n\r\nabc!"));
}

static void the_rest_of_a_path_arrives_as_it_was_sent(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(
      ASK(&c, "GET /public/rest/MEk%2FwR/+a%3D%3d=?x HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 200);
  assert_non_null(strstr(c.got, "\r\n\r\nMEk%2FwR/+a%3D%3d="));
}

static void nothing_else_is_there(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(ASK(&c, "GET /now HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 404);
  assert_int_equal(ASK(&c, "POST /closed HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 404);
  assert_int_equal(ASK(&c, "POST /public HTTP/1.1\r\nHost: a\r\n" CLOSE "\r\n"), 405);
  assert_non_null(strstr(c.got, "Allow: GET, HEAD\r\n"));
}

static void a_secret_that_comes_in_the_clear_is_refused(void **state)
{
  (void)state;
  struct client c;
  assert_int_equal(
      ASK(&c, "GET /public HTTP/1.1\r\nHost: a\r\n" CLOSE "Authorization: Bearer a.b\r\n\r\n"),
      400);
  assert_non_null(strstr(c.got, "plain HTTP"));
  assert_null(strstr(c.got, "a.b"));
  /* Whatever it is for. */
  assert_int_equal(ASK(&c, "GET /now HTTP/1.1\r\nHost: a\r\n" CLOSE "Authorization:\r\n\r\n"), 400);
}

int main(void)
{
#define TEST(name)  cmocka_unit_test_setup_teardown(name, start, stop)
#define PLAIN(name) cmocka_unit_test_setup_teardown(name, start_plain, stop)
  const struct CMUnitTest tests[] = {
      TEST(a_request_is_answered),
      TEST(head_has_no_body),
      TEST(an_exchange_may_be_finished_before_it_is_suspended),
      TEST(an_exchange_may_be_finished_by_another_thread),
      TEST(the_front_completes_what_is_finished),
      TEST(it_does_so_when_nobody_waits_any_more),
      TEST(a_stream_arrives_whole),
      TEST(a_body_may_be_taken_as_it_comes),
      TEST(a_sink_that_is_refused_answers_at_once),
      TEST(a_sink_may_break_off_and_be_cut),
      TEST(a_file_arrives_whole_and_is_closed),
      TEST(a_file_that_is_not_sent_is_closed_too),
      TEST(what_is_unchanged_has_no_body),
      TEST(bodies_come_with_a_length_or_in_chunks),
      TEST(what_will_be_refused_is_refused_before_its_body),
      TEST(a_head_that_two_could_read_differently_ends_the_connection),
      TEST(a_head_in_many_pieces_is_still_well_formed),
      TEST(a_query_of_many_parameters_is_answered),
      TEST(one_octet_after_the_other_is_cut_off),
      TEST(what_is_under_way_is_answered_before_the_end),
      TEST(behind_closed_doors_no_handler_runs),
      PLAIN(what_is_public_is_answered),
      PLAIN(the_rest_of_a_path_arrives_as_it_was_sent),
      PLAIN(nothing_else_is_there),
      PLAIN(a_secret_that_comes_in_the_clear_is_refused),
      PLAIN(a_head_that_two_could_read_differently_ends_the_connection),
      PLAIN(one_octet_after_the_other_is_cut_off),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
