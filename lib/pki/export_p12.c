/* export_p12.c - PKCS #12 (RFC 7292) with PBES2, AES-256 and a SHA-256 MAC. See export.h. */
#include <limits.h>
#include <openssl/pkcs12.h>

#include "lib/pki/export.h"
#include "lib/pki/ossl.h"

/* As many rounds as for a private key's own file. An empty passphrase gains nothing by them. */
enum { ROUNDS = 600000, ROUNDS_WITHOUT_PASSPHRASE = 2048 };

static void free_certs(STACK_OF(X509) * certs)
{
  sk_X509_pop_free(certs, X509_free);
}

AUTO_POINTER(certs, STACK_OF(X509), free_certs)

static X509 *read_cert(struct bytes der)
{
  const uint8_t *p = der.data;
  return der.len > LONG_MAX ? NULL : d2i_X509(NULL, &p, (long)der.len);
}

static bool read_issuers(const struct export_input *in, STACK_OF(X509) * issuers)
{
  for (size_t i = 1; i < in->n_chain; i++) {
    X509 *cert = read_cert(in->chain[i]);
    if (cert == NULL || sk_X509_push(issuers, cert) <= 0) {
      X509_free(cert);
      return false;
    }
  }
  return true;
}

bool export_p12(const struct export_input *in, struct bytes passphrase, const char *friendly_name,
                struct buf *ret_p12, struct fault *f)
{
  AUTO(secret_buf) phrase = {0};
  if (in->n_chain == 0)
    return fault_set(f, BAD_USAGE, "there is no certificate to export");
  if (passphrase.len > 0 && memchr(passphrase.data, '\0', passphrase.len) != NULL)
    return fault_set(f, BAD_USAGE, "the passphrase must not have a NUL octet in it");
  buf_add_bytes(&phrase, passphrase);
  buf_add_u8(&phrase, '\0');
  if (!buf_ok(&phrase))
    return fault_no_memory(f);
  AUTO(X509) cert = read_cert(in->chain[0]);
  AUTO(certs) issuers = sk_X509_new_null();
  if (cert == NULL || issuers == NULL || !read_issuers(in, issuers))
    return ossl_fault(f, "a certificate of the chain cannot be read");
  int rounds = passphrase.len > 0 ? ROUNDS : ROUNDS_WITHOUT_PASSPHRASE;
  AUTO(PKCS12)
  p12 = PKCS12_create_ex((const char *)phrase.data, friendly_name,
                         in->key != NULL ? private_key_evp(in->key) : NULL, cert, issuers,
                         NID_aes_256_cbc, NID_aes_256_cbc, rounds, rounds, 0, NULL, NULL);
  if (p12 == NULL)
    return ossl_fault(f, "cannot make the PKCS #12 file");
  uint8_t *der = NULL;
  int len = i2d_PKCS12(p12, &der);
  return ossl_take_der(der, len, ret_p12, f);
}
