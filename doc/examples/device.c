/* device.c - a device enrols itself at first boot, with OpenSSL and nothing else.
 *
 *   device HOST PORT ROOT.CRT SERIAL SECRET-FILE KEY.PEM CHAIN.PEM [IP]
 *
 * Run it at every boot: when CHAIN.PEM is there it does nothing. The key is made once and kept
 * before anybody is asked, so that after a lost answer or a power cut the very same request is sent
 * again, and gets the certificate that was issued for it. Build:
 *
 *   cc -o device device.c -lssl -lcrypto
 *
 * Exit code 0: there is a certificate. 1: refused, and asking again will not help. 3: not now. */
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { DONE = 0, REFUSED = 1, NOT_NOW = 3 };
enum { ANSWER_MAX = 8 * 1024, TRIES = 8 };

struct device {
  const char *host, *port, *root, *serial, *ip;
  char secret[160];
  EVP_PKEY *key;
};

static void fail(const char *what)
{
  fprintf(stderr, "device: %s\n", what);
  ERR_print_errors_fp(stderr);
  exit(NOT_NOW);
}

/* --- files: a whole one or none --- */

static void write_whole(const char *path, mode_t mode, const char *octets, size_t len)
{
  char new_path[512];
  snprintf(new_path, sizeof new_path, "%s.new", path);
  int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0 || write(fd, octets, len) != (ssize_t)len || fsync(fd) != 0 || close(fd) != 0 ||
      rename(new_path, path) != 0)
    fail("cannot write");
}

static void read_secret(const char *path, char *secret, size_t size)
{
  FILE *file = fopen(path, "r");
  if (file == NULL || fgets(secret, (int)size, file) == NULL)
    fail("cannot read the secret");
  fclose(file);
  secret[strcspn(secret, "\r\n")] = '\0';
}

/* --- key and request --- */

static void keep_key(const char *path, EVP_PKEY *key)
{
  char *octets;
  BIO *memory = BIO_new(BIO_s_mem());
  if (memory == NULL || PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) != 1)
    fail("cannot write the key");
  long len = BIO_get_mem_data(memory, &octets);
  write_whole(path, 0600, octets, (size_t)len);
  OPENSSL_cleanse(octets, (size_t)len);
  BIO_free(memory);
}

/* The one from before, or a new one, which is kept before it is used. */
static EVP_PKEY *load_key(const char *path)
{
  FILE *file = fopen(path, "r");
  EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
  if (file != NULL)
    fclose(file);
  if (key == NULL) {
    key = EVP_EC_gen("P-256");
    if (key == NULL)
      fail("cannot make a key");
    keep_key(path, key);
  }
  return key;
}

/* The request proves that we have the key. What it is for is said beside it. */
static int make_csr(EVP_PKEY *key, unsigned char **ret_der)
{
  X509_REQ *request = X509_REQ_new();
  *ret_der = NULL;
  if (request == NULL || X509_REQ_set_pubkey(request, key) != 1 ||
      X509_REQ_sign(request, key, EVP_sha256()) <= 0)
    fail("cannot make the request");
  int len = i2d_X509_REQ(request, ret_der);
  X509_REQ_free(request);
  if (len <= 0)
    fail("cannot make the request");
  return len;
}

/* --- one exchange --- */

static SSL *connect_to(const struct device *device, SSL_CTX *context)
{
  char address[300];
  SSL *tls = NULL;
  snprintf(address, sizeof address, "%s:%s", device->host, device->port);
  BIO *connection = BIO_new_ssl_connect(context);
  if (connection == NULL)
    return NULL;
  BIO_set_conn_hostname(connection, address);
  BIO_get_ssl(connection, &tls);
  X509_VERIFY_PARAM *verify = SSL_get0_param(tls);
  /* A device at first boot has no clock. The root in its flash decides, and the name. */
  X509_VERIFY_PARAM_set_flags(verify, X509_V_FLAG_NO_CHECK_TIME);
  if (X509_VERIFY_PARAM_set1_ip_asc(verify, device->host) != 1) {
    X509_VERIFY_PARAM_set1_host(verify, device->host, 0);
    SSL_set_tlsext_host_name(tls, device->host);
  }
  SSL_set_app_data(tls, connection);
  if (BIO_do_connect(connection) == 1 && BIO_do_handshake(connection) == 1)
    return tls;
  BIO_free_all(connection);
  return NULL;
}

static int make_head(const struct device *device, int csr_len, char *out, size_t size)
{
  char credentials[256];
  unsigned char base64[352];
  int len = snprintf(credentials, sizeof credentials, "%s:%s", device->serial, device->secret);
  if (len < 0 || (size_t)len >= sizeof credentials)
    fail("serial or secret is too long");
  EVP_EncodeBlock(base64, (const unsigned char *)credentials, len);
  OPENSSL_cleanse(credentials, sizeof credentials);
  return snprintf(out, size,
                  "POST /v1/certificates?profile=device-server%s%s HTTP/1.1\r\n"
                  "Host: %s:%s\r\n"
                  "Authorization: Basic %s\r\n"
                  "Content-Type: application/pkcs10\r\n"
                  "Accept: application/pem-certificate-chain\r\n"
                  "Content-Length: %d\r\n"
                  "Connection: close\r\n\r\n",
                  device->ip != NULL ? "&ip_sans=" : "", device->ip != NULL ? device->ip : "",
                  device->host, device->port, (const char *)base64, csr_len);
}

/* The whole answer, up to the end of the connection, as a string; its length, or 0. */
static size_t exchange(const struct device *device, SSL_CTX *context, const unsigned char *csr,
                       int csr_len, char answer[ANSWER_MAX + 1])
{
  char head[1024];
  size_t len = 0;
  int n = make_head(device, csr_len, head, sizeof head);
  SSL *tls = connect_to(device, context);
  if (tls == NULL)
    return 0;
  if (SSL_write(tls, head, n) == n && SSL_write(tls, csr, csr_len) == csr_len)
    while (len < ANSWER_MAX && (n = SSL_read(tls, answer + len, (int)(ANSWER_MAX - len))) > 0)
      len += (size_t)n;
  OPENSSL_cleanse(head, sizeof head);
  BIO_free_all(SSL_get_app_data(tls));
  answer[len] = '\0';
  return len;
}

/* --- the answer --- */

/* The value of a header as a number; -1: it is not there. */
static long header_number(const char *answer, const char *name)
{
  size_t len = strlen(name);
  for (const char *line = strstr(answer, "\r\n"); line != NULL && line[2] != '\r';
       line = strstr(line + 2, "\r\n"))
    if (strncasecmp(line + 2, name, len) == 0 && line[2 + len] == ':')
      return strtol(line + 3 + len, NULL, 10);
  return -1;
}

/* The body when all of it is there, or NULL: half a chain must not be kept. */
static const char *whole_body(const char *answer, size_t len)
{
  const char *body = strstr(answer, "\r\n\r\n");
  long wanted = header_number(answer, "Content-Length");
  if (body == NULL || wanted < 0)
    return NULL;
  body += 4;
  return answer + len - body == wanted ? body : NULL;
}

/* DONE, REFUSED, or NOT_NOW with how long to wait. */
static int judge(const char *answer, size_t len, const char *chain_path, long *ret_wait_s)
{
  int status = strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
  const char *body = whole_body(answer, len);
  if (body == NULL || status == 0)
    return NOT_NOW;
  if (status == 200 || status == 201) {
    write_whole(chain_path, 0644, body, strlen(body));
    return DONE;
  }
  if (status != 429 && status < 500) {
    fprintf(stderr, "device: refused: %s", body);
    return REFUSED;
  }
  long retry_after = header_number(answer, "Retry-After");
  if (retry_after > *ret_wait_s)
    *ret_wait_s = retry_after;
  return NOT_NOW;
}

static int enrol(const struct device *device, SSL_CTX *context, const char *chain_path)
{
  static char answer[ANSWER_MAX + 1];
  unsigned char *csr;
  int csr_len = make_csr(device->key, &csr), outcome = NOT_NOW;
  long wait_s = 1;
  for (int i = 0; i < TRIES && outcome == NOT_NOW; i++, wait_s *= 2) {
    if (i > 0)
      sleep((unsigned)wait_s);
    size_t len = exchange(device, context, csr, csr_len, answer);
    outcome = judge(answer, len, chain_path, &wait_s);
    answer[0] = '\0';
  }
  OPENSSL_free(csr);
  return outcome;
}

int main(int argc, char **argv)
{
  if (argc < 8 || argc > 9) {
    fputs("usage: device HOST PORT ROOT.CRT SERIAL SECRET-FILE KEY.PEM CHAIN.PEM [IP]\n", stderr);
    return 2;
  }
  if (access(argv[7], F_OK) == 0)
    return DONE; /* enrolled at an earlier boot */
  struct device device = {.host = argv[1],
                          .port = argv[2],
                          .root = argv[3],
                          .serial = argv[4],
                          .ip = argc > 8 ? argv[8] : NULL};
  read_secret(argv[5], device.secret, sizeof device.secret);
  device.key = load_key(argv[6]);
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (context == NULL || SSL_CTX_load_verify_locations(context, device.root, NULL) != 1)
    fail("cannot load the root");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  int outcome = enrol(&device, context, argv[7]);
  if (outcome == NOT_NOW)
    ERR_print_errors_fp(stderr);
  OPENSSL_cleanse(device.secret, sizeof device.secret);
  EVP_PKEY_free(device.key);
  SSL_CTX_free(context);
  return outcome;
}
