/* ocsp_bench.c - mintmark-ocsp-bench: how many OCSP answers a second a running daemon gives, by
 * plain HTTP or TLS, to requests for one certificate without a nonce, and at what cost of CPU. One
 * thread for each connection, which is kept alive; blocking, one request at a time. */
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/text.h"
#include "lib/ca/pem_file.h"
#include "lib/pki/cert.h"
#include "lib/pki/der.h"
#include "lib/pki/oid.h"
#include "tests/bench/proc.h"
#include "tests/bench/reply.h"

enum { CONNECTIONS_MAX = 1000, CERTIFICATES_MAX = 10000, FILE_OCTETS_MAX = 1 << 20 };

struct bench {
  uint64_t connections, seconds, pid;
  const char *issuer_file, *root_file;
  bool is_tls;
  char host[80], port[8];
  SSL_CTX *tls;
  struct buf *requests; /* whole HTTP requests */
  size_t n_requests;
  atomic_bool stop;
};

struct connection {
  struct bench *bench;
  size_t index;
  pthread_t thread;
  int fd;
  SSL *ssl;
  struct reply reply;
  _Atomic uint64_t answers;
  char failure[64]; /* "": none */
};

/* --- requests --- */

static bool read_cert(const char *file, struct buf *der, struct cert *ret_cert, struct fault *f)
{
  size_t n;
  return pem_file_read(file, "CERTIFICATE", "a certificate", FILE_OCTETS_MAX, der, 1, &n, f) &&
         cert_read(buf_bytes(der), true, ret_cert, f);
}

static void put_hash(struct bytes octets, struct buf *out)
{
  uint8_t digest[SHA_DIGEST_LENGTH];
  SHA1(octets.data, octets.len, digest);
  der_put(out, DER_OCTET_STRING, bytes_of(digest, sizeof digest));
}

/* OCSPRequest with one CertID of SHA-1, as most verifiers send it. */
static void put_ocsp_request(const struct cert *issuer, struct bytes serial_number, struct buf *out)
{
  size_t request = der_begin(out, DER_SEQUENCE), tbs = der_begin(out, DER_SEQUENCE);
  size_t list = der_begin(out, DER_SEQUENCE), single = der_begin(out, DER_SEQUENCE);
  size_t id = der_begin(out, DER_SEQUENCE), algorithm = der_begin(out, DER_SEQUENCE);
  der_put_oid(out, OID_SHA1);
  der_put(out, DER_NULL, (struct bytes){0});
  der_end(out, algorithm);
  put_hash(issuer->subject, out);
  put_hash(issuer->key.key, out);
  der_put_unsigned(out, serial_number);
  der_end(out, id);
  der_end(out, single);
  der_end(out, list);
  der_end(out, tbs);
  der_end(out, request);
}

static bool make_request(const struct bench *bench, const struct cert *issuer, const char *file,
                         struct buf *ret_request, struct fault *f)
{
  AUTO(buf) certificate_der = {0};
  AUTO(buf) body = {0};
  AUTO(cert) certificate = {0};
  if (!read_cert(file, &certificate_der, &certificate, f))
    return false;
  put_ocsp_request(issuer, certificate.serial_number, &body);
  buf_addf(ret_request,
           "POST /ocsp HTTP/1.1\r\nHost: %s:%s\r\nContent-Type: application/ocsp-request\r\n"
           "Content-Length: %zu\r\n\r\n",
           bench->host, bench->port, body.len);
  buf_add_bytes(ret_request, buf_bytes(&body));
  return (buf_ok(&body) && buf_ok(ret_request)) || fault_no_memory(f);
}

static bool make_requests(struct bench *bench, char **files, size_t n, struct fault *f)
{
  AUTO(buf) issuer_der = {0};
  AUTO(cert) issuer = {0};
  if (!read_cert(bench->issuer_file, &issuer_der, &issuer, f))
    return false;
  bench->requests = calloc(n, sizeof *bench->requests);
  if (bench->requests == NULL)
    return fault_no_memory(f);
  for (; bench->n_requests < n; bench->n_requests++)
    if (!make_request(bench, &issuer, files[bench->n_requests], &bench->requests[bench->n_requests],
                      f))
      return false;
  return true;
}

/* --- one connection --- */

static bool fail(struct connection *c, const char *why)
{
  snprintf(c->failure, sizeof c->failure, "%s", why);
  return false;
}

static bool open_it(struct connection *c)
{
  const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                                .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
  const int on = 1;
  struct addrinfo *found;
  if (getaddrinfo(c->bench->host, c->bench->port, &want, &found) != 0)
    return fail(c, "the URL has no ADDRESS:PORT");
  c->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool connected = c->fd >= 0 && connect(c->fd, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (!connected)
    return fail(c, "cannot connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (!c->bench->is_tls)
    return true;
  c->ssl = SSL_new(c->bench->tls);
  return (c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1 && SSL_connect(c->ssl) == 1) ||
         fail(c, "no TLS");
}

static bool send_all(struct connection *c, struct bytes octets)
{
  if (c->ssl != NULL)
    return SSL_write(c->ssl, octets.data, (int)octets.len) == (int)octets.len;
  return write(c->fd, octets.data, octets.len) == (ssize_t)octets.len;
}

static long receive_some(struct connection *c)
{
  struct reply *reply = &c->reply;
  if (c->ssl != NULL)
    return SSL_read(c->ssl, reply->text + reply->len, (int)(REPLY_MAX - reply->len));
  return read(c->fd, reply->text + reply->len, REPLY_MAX - reply->len);
}

/* OCSPResponse, successful: SEQUENCE { ENUMERATED 0, ... } */
static bool is_successful(const struct reply *reply)
{
  const char *body = strstr(reply->text, "\r\n\r\n") + 4;
  struct der all = der_of(bytes_of(body, reply->whole - (size_t)(body - reply->text))), in;
  struct bytes status;
  return reply_status(reply) == 200 && der_enter(&all, DER_SEQUENCE, &in) && der_at_end(&all) &&
         der_take(&in, DER_ENUMERATED, &status) && status.len == 1 && status.data[0] == 0;
}

static bool ask(struct connection *c, struct bytes request)
{
  bool broken = false;
  if (!send_all(c, request))
    return fail(c, "cannot send");
  reply_begin(&c->reply);
  do {
    long n = receive_some(c);
    if (n <= 0)
      return fail(c, "the connection ended");
    c->reply.len += (size_t)n;
  } while (!reply_is_whole(&c->reply, &broken) && !broken);
  return (!broken && is_successful(&c->reply)) || fail(c, "no successful answer");
}

static void *run(void *context)
{
  struct connection *c = context;
  const struct bench *bench = c->bench;
  bool well = open_it(c);
  for (size_t i = c->index; well && !bench->stop; i++) {
    well = ask(c, buf_bytes(&bench->requests[i % bench->n_requests]));
    if (well)
      atomic_fetch_add_explicit(&c->answers, 1, memory_order_relaxed);
  }
  SSL_free(c->ssl);
  if (c->fd >= 0)
    close(c->fd);
  return NULL;
}

/* --- the run --- */

static uint64_t sum(const struct connection *connections, size_t n)
{
  uint64_t answers = 0;
  for (size_t i = 0; i < n; i++)
    answers += connections[i].answers;
  return answers;
}

struct look {
  struct timespec at;
  uint64_t answers;
  struct usage usage;
};

static void take_look(const struct bench *bench, const struct connection *connections,
                      struct look *ret_look)
{
  clock_gettime(CLOCK_MONOTONIC, &ret_look->at);
  ret_look->answers = sum(connections, bench->connections);
  if (bench->pid != 0)
    proc_usage((pid_t)bench->pid, &ret_look->usage);
}

static void report(const struct bench *bench, const struct look *from, const struct look *to)
{
  double seconds =
      (double)(to->at.tv_sec - from->at.tv_sec) + (double)(to->at.tv_nsec - from->at.tv_nsec) / 1e9;
  double answers = (double)(to->answers - from->answers);
  printf("%.0f answers a second, %s, %llu connections, %zu certificates", answers / seconds,
         bench->is_tls ? "TLS" : "plain HTTP", (unsigned long long)bench->connections,
         bench->n_requests);
  if (bench->pid != 0 && answers > 0)
    printf("; %.1f us of the daemon's CPU an answer, %.0f MiB",
           (to->usage.cpu_s - from->usage.cpu_s) * 1e6 / answers,
           (double)to->usage.rss / (1 << 20));
  printf("\n");
}

static bool drive(struct bench *bench, struct fault *f)
{
  struct connection *all = calloc(bench->connections, sizeof *all);
  struct look from = {0}, to = {0};
  size_t n = 0;
  bool well = all != NULL || fault_no_memory(f);
  for (; well && n < bench->connections; n++) {
    all[n].bench = bench, all[n].index = n, all[n].fd = -1;
    well = pthread_create(&all[n].thread, NULL, run, &all[n]) == 0 ||
           fault_set(f, INTERNAL, "cannot start a thread");
    if (!well)
      break;
  }
  if (well) {
    sleep(1); /* everybody is connected, and what was signed once is kept */
    take_look(bench, all, &from);
    sleep((unsigned)bench->seconds);
    take_look(bench, all, &to);
  }
  bench->stop = true;
  for (size_t i = 0; i < n; i++) {
    pthread_join(all[i].thread, NULL);
    if (well && all[i].failure[0] != '\0')
      well = fault_set(f, UNREACHABLE, "%s", all[i].failure);
  }
  if (well)
    report(bench, &from, &to);
  free(all);
  return well;
}

/* --- the command line --- */

static bool read_url(const char *url, struct bench *bench, struct fault *f)
{
  const char *at = url;
  bench->is_tls = strncmp(url, "https://", 8) == 0;
  if (!bench->is_tls && strncmp(url, "http://", 7) != 0)
    return fault_set(f, BAD_USAGE, "a URL is http://ADDRESS:PORT or https://ADDRESS:PORT");
  at += bench->is_tls ? 8 : 7;
  const char *colon = strrchr(at, ':');
  if (colon == NULL || !TEXT_COPY(bench->host, bytes_of(at, (size_t)(colon - at))) ||
      !TEXT_COPY(bench->port, bytes_of_text(colon + 1)))
    return fault_set(f, BAD_USAGE, "the URL has no ADDRESS:PORT");
  return true;
}

static bool set_up_tls(struct bench *bench, struct fault *f)
{
  if (!bench->is_tls)
    return true;
  bench->tls = SSL_CTX_new(TLS_client_method());
  if (bench->tls == NULL || bench->root_file == NULL ||
      SSL_CTX_load_verify_file(bench->tls, bench->root_file) != 1)
    return fault_set(f, BAD_USAGE, "for https --root names the file of the root certificate");
  SSL_CTX_set_verify(bench->tls, SSL_VERIFY_PEER, NULL);
  return true;
}

static bool take_option(struct bench *bench, int option, struct fault *f)
{
  if (option == 'i')
    bench->issuer_file = optarg;
  else if (option == 'r')
    bench->root_file = optarg;
  else if (option == 'c')
    return (text_to_u64(bytes_of_text(optarg), CONNECTIONS_MAX, &bench->connections) &&
            bench->connections > 0) ||
           fault_set(f, BAD_USAGE, "--connections is a number from 1 to %d", CONNECTIONS_MAX);
  else if (option == 'T')
    return (text_to_u64(bytes_of_text(optarg), 3600, &bench->seconds) && bench->seconds > 0) ||
           fault_set(f, BAD_USAGE, "--seconds is a number from 1 to 3600");
  else if (option == 'p')
    return text_to_u64(bytes_of_text(optarg), INT32_MAX, &bench->pid) ||
           fault_set(f, BAD_USAGE, "--pid is the daemon's process");
  else
    return fault_set(f, BAD_USAGE,
                     "usage: mintmark-ocsp-bench --issuer FILE [--root FILE] [--connections C] "
                     "[--seconds T] [--pid PID] URL CERTIFICATE...");
  return true;
}

static bool run_all(struct bench *bench, int argc, char **argv, struct fault *f)
{
  static const struct option options[] = {{"issuer", 1, NULL, 'i'},  {"root", 1, NULL, 'r'},
                                          {"seconds", 1, NULL, 'T'}, {"connections", 1, NULL, 'c'},
                                          {"pid", 1, NULL, 'p'},     {0}};
  for (int option; (option = getopt_long(argc, argv, "i:r:T:c:p:", options, NULL)) != -1;)
    if (!take_option(bench, option, f))
      return false;
  if (bench->issuer_file == NULL || argc - optind < 2 || argc - optind > CERTIFICATES_MAX)
    return take_option(bench, '?', f);
  return read_url(argv[optind], bench, f) &&
         make_requests(bench, argv + optind + 1, (size_t)(argc - optind - 1), f) &&
         set_up_tls(bench, f) && drive(bench, f);
}

int main(int argc, char **argv)
{
  AUTO(fault) f = {0};
  struct bench bench = {.connections = 16, .seconds = 5};
  bool well = run_all(&bench, argc, argv, &f);
  if (!well)
    fprintf(stderr, "mintmark-ocsp-bench: %s\n", f.detail);
  for (size_t i = 0; i < bench.n_requests; i++)
    buf_free(&bench.requests[i]);
  free(bench.requests);
  SSL_CTX_free(bench.tls);
  return well ? 0 : f.code == FAULT_BAD_USAGE ? 2 : 1;
}
