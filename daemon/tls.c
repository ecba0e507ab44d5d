/* tls.c - see tls.h. */
#include "daemon/tls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/when.h"

enum { FILE_MAX = 64 * 1024, CERTIFICATES_MAX = 8 };

struct identity {
  gnutls_pcert_st certificates[CERTIFICATES_MAX];
  unsigned n;
  gnutls_privkey_t key;
  int64_t retired_ms; /* when another took its place */
  struct identity *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of those who load */
static _Atomic(struct identity *) current;
static struct identity *retired;
static gnutls_datum_t ticket_key;

static void identity_free(struct identity *identity)
{
  if (identity == NULL)
    return;
  for (unsigned i = 0; i < identity->n; i++)
    gnutls_pcert_deinit(&identity->certificates[i]);
  if (identity->key != NULL)
    gnutls_privkey_deinit(identity->key);
  free(identity);
}

AUTO_POINTER(identity, struct identity, identity_free)

static gnutls_datum_t datum_of(const struct buf *octets)
{
  return (gnutls_datum_t){.data = octets->data, .size = (unsigned)octets->len};
}

static bool read_certificates(struct identity *identity, const char *path, struct fault *f)
{
  AUTO(buf) pem = {0};
  unsigned n = CERTIFICATES_MAX;
  if (!file_read(path, FILE_MAX, &pem, f))
    return false;
  gnutls_datum_t datum = datum_of(&pem);
  int rc =
      gnutls_pcert_list_import_x509_raw(identity->certificates, &n, &datum, GNUTLS_X509_FMT_PEM, 0);
  if (rc < 0)
    return fault_set(f, BAD_FILE, "%s is not a PEM certificate with its chain: %s", path,
                     gnutls_strerror(rc));
  identity->n = n;
  return true;
}

static bool read_key(struct identity *identity, const char *path, struct fault *f)
{
  AUTO(secret_buf) pem = {0};
  if (!file_read(path, FILE_MAX, &pem, f))
    return false;
  gnutls_datum_t datum = datum_of(&pem);
  int rc = gnutls_privkey_init(&identity->key);
  if (rc == 0)
    rc = gnutls_privkey_import_x509_raw(identity->key, &datum, GNUTLS_X509_FMT_PEM, NULL, 0);
  return rc == 0 ||
         fault_set(f, BAD_FILE, "%s is not an unencrypted PEM key: %s", path, gnutls_strerror(rc));
}

/* The key's public half is the certificate's. */
static bool belongs_together(struct identity *identity)
{
  uint8_t of_key[64], of_certificate[64];
  size_t key_len = sizeof of_key, certificate_len = sizeof of_certificate;
  gnutls_pubkey_t public_half;
  if (identity->n == 0 || gnutls_pubkey_init(&public_half) != 0)
    return false;
  bool same =
      gnutls_pubkey_import_privkey(public_half, identity->key, 0, 0) == 0 &&
      gnutls_pubkey_get_key_id(public_half, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) == 0 &&
      gnutls_pubkey_get_key_id(identity->certificates[0].pubkey, GNUTLS_KEYID_USE_SHA256,
                               of_certificate, &certificate_len) == 0 &&
      bytes_equal(bytes_of(of_key, key_len), bytes_of(of_certificate, certificate_len));
  gnutls_pubkey_deinit(public_half);
  return same;
}

static bool identity_read(const char *certificate_path, const char *key_path,
                          struct identity **ret_identity, struct fault *f)
{
  AUTO(identity) identity = calloc(1, sizeof *identity);
  if (identity == NULL)
    return fault_no_memory(f);
  if (!read_certificates(identity, certificate_path, f) || !read_key(identity, key_path, f))
    return false;
  if (!belongs_together(identity))
    return fault_set(f, BAD_FILE, "%s is not the key of the certificate in %s", key_path,
                     certificate_path);
  *ret_identity = TAKE(identity);
  return true;
}

bool tls_check(const char *certificate_path, const char *key_path, struct fault *f)
{
  AUTO(identity) identity = NULL;
  return identity_read(certificate_path, key_path, &identity, f);
}

/* Frees those that were retired before `until_ms`. */
static void free_retired(int64_t until_ms)
{
  struct identity **link = &retired;
  while (*link != NULL) {
    struct identity *identity = *link;
    if (identity->retired_ms < until_ms) {
      *link = identity->next;
      identity_free(identity);
    } else {
      link = &identity->next;
    }
  }
}

/* The lock is held. */
static void take_place(struct identity *identity)
{
  struct identity *before = atomic_exchange(&current, identity);
  int64_t now_ms = when_monotonic_ms();
  free_retired(now_ms - TLS_RETIRE_MS);
  if (before == NULL)
    return;
  before->retired_ms = now_ms;
  before->next = retired;
  retired = before;
}

bool tls_load(const char *certificate_path, const char *key_path, struct fault *f)
{
  struct identity *identity = NULL;
  if (!identity_read(certificate_path, key_path, &identity, f))
    return false;
  pthread_mutex_lock(&lock);
  bool ready = ticket_key.data != NULL || gnutls_session_ticket_key_generate(&ticket_key) == 0;
  if (ready)
    take_place(identity);
  pthread_mutex_unlock(&lock);
  if (ready)
    return true;
  identity_free(identity);
  return fault_set(f, INTERNAL, "no key for session tickets could be made");
}

void tls_unload(void)
{
  identity_free(atomic_exchange(&current, NULL));
  free_retired(INT64_MAX);
  if (ticket_key.data != NULL) {
    gnutls_memset(ticket_key.data, 0, ticket_key.size);
    gnutls_free(ticket_key.data);
  }
  ticket_key = (gnutls_datum_t){0};
}

int tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                 gnutls_pcert_st **ret_certificates, unsigned *ret_n,
                 gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_n_ocsp, gnutls_privkey_t *ret_key,
                 unsigned *ret_flags)
{
  (void)session, (void)info;
  struct identity *identity = atomic_load(&current);
  if (identity == NULL)
    return -1;
  *ret_certificates = identity->certificates;
  *ret_n = identity->n;
  *ret_ocsp = NULL;
  *ret_n_ocsp = 0;
  *ret_key = identity->key;
  *ret_flags = 0; /* they stay ours */
  return 0;
}

void tls_offer_tickets(gnutls_session_t session)
{
  gnutls_session_ticket_enable_server(session, &ticket_key);
}

size_t tls_client_chain(gnutls_session_t session, struct bytes *ret_ders, size_t max)
{
  unsigned n = 0;
  if (gnutls_certificate_type_get2(session, GNUTLS_CTYPE_CLIENT) != GNUTLS_CRT_X509)
    return 0;
  const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &n);
  if (chain == NULL)
    return 0;
  size_t taken = n < max ? n : max;
  for (size_t i = 0; i < taken; i++)
    ret_ders[i] = bytes_of(chain[i].data, chain[i].size);
  return taken;
}
