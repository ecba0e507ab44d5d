/* private_key_file.c - private keys as files: PEM and DER, encrypted or not (RFC 5958, RFC 8018),
 * and the request that a key makes for itself (RFC 2986). See private_key.h. */
#include "lib/pki/private_key_file.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include "lib/pki/cert.h"
#include "lib/pki/ext.h"
#include "lib/pki/name.h"
#include "lib/pki/oid.h"
#include "lib/pki/ossl.h"
#include "lib/pki/pem.h"

/* --- reading --- */

/* Without a callback OpenSSL would ask at the terminal. */
static int give_passphrase(char *out, int size, int writing, void *arg)
{
  const struct bytes *passphrase = arg;
  (void)writing;
  if (passphrase->len > (size_t)size)
    return -1;
  if (passphrase->len > 0)
    memcpy(out, passphrase->data, passphrase->len);
  return (int)passphrase->len;
}

static const uint8_t *find(struct bytes in, const char *what)
{
  return in.len == 0 ? NULL : memmem(in.data, in.len, what, strlen(what));
}

/* The one object whose label ends in "PRIVATE KEY"; others (EC PARAMETERS, CERTIFICATE) may stand
 * around it. */
static bool find_key(struct bytes pem, struct bytes *ret_object, struct fault *f)
{
  static const char end_of_label[] = "PRIVATE KEY-----";
  const uint8_t *begin, *end = pem.len > 0 ? pem.data + pem.len : pem.data;
  struct bytes object = {0};
  size_t n_labels = 0;
  struct bytes rest = pem;
  while ((begin = find(rest, "-----BEGIN ")) != NULL) {
    const uint8_t *line_end = memchr(begin, '\n', (size_t)(end - begin));
    if (line_end == NULL)
      line_end = end;
    if (find(bytes_of(begin, (size_t)(line_end - begin)), end_of_label) != NULL) {
      object = bytes_of(begin, (size_t)(end - begin));
      n_labels++;
    }
    rest = bytes_of(line_end, (size_t)(end - line_end));
  }
  if (n_labels == 0)
    return fault_set(f, BAD_FILE,
                     "no private key: a PEM text with \"-----BEGIN PRIVATE KEY-----\" "
                     "is expected");
  if (n_labels > 1)
    return fault_set(f, BAD_FILE, "more than one private key: exactly one is expected");
  *ret_object = object;
  return true;
}

/* PKCS #8 says it in the label, the older forms in a header line (RFC 1421, 4.6.1.1). */
static bool is_encrypted(struct bytes object)
{
  return find(object, "-----BEGIN ENCRYPTED PRIVATE KEY-----") != NULL ||
         find(object, "Proc-Type: 4,ENCRYPTED") != NULL;
}

/* A file whose two halves do not belong together would sign what nobody can verify. */
static bool check_halves(const struct private_key *key, struct fault *f)
{
  AUTO(buf) spki = {0};
  AUTO(buf) signature = {0};
  struct pubkey public_half;
  struct bytes probe = bytes_of_text("the halves of this key belong together");
  if (!private_key_spki(key, &spki, f) || !pubkey_read(buf_bytes(&spki), &public_half, f) ||
      !private_key_sign(key, probe, &signature, f))
    return false;
  if (!pubkey_verify(&public_half, private_key_alg(key), probe, buf_bytes(&signature)))
    return fault_set(f, BAD_FILE, "the private key's public half belongs to another key");
  return true;
}

static bool parse_key(struct bytes object, struct bytes passphrase, EVP_PKEY **ret_pkey,
                      struct fault *f)
{
  bool encrypted = is_encrypted(object);
  if (encrypted && passphrase.len == 0)
    return fault_set(f, BAD_PASSPHRASE, "the key is encrypted: a passphrase is needed");
  AUTO(BIO) bio = BIO_new_mem_buf(object.data, (int)object.len);
  if (bio == NULL)
    return fault_no_memory(f);
  *ret_pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &passphrase);
  ERR_clear_error();
  if (*ret_pkey != NULL)
    return true;
  return encrypted ? fault_set(f, BAD_PASSPHRASE, "the passphrase does not open the key")
                   : fault_set(f, BAD_FILE,
                               "the private key cannot be read: it is damaged, or of "
                               "a type that is not known");
}

bool private_key_read(struct bytes pem, struct bytes passphrase, struct private_key **ret_key,
                      struct fault *f)
{
  struct bytes object = {0};
  EVP_PKEY *pkey;
  AUTO(private_key) key = NULL;
  if (pem.len > INT_MAX)
    return fault_set(f, BAD_FILE, "too large for a private key");
  if (!find_key(pem, &object, f) || !parse_key(object, passphrase, &pkey, f) ||
      !private_key_adopt(pkey, &key, f) || !check_halves(key, f))
    return false;
  *ret_key = TAKE(key);
  return true;
}

/* --- writing --- */

enum { PBKDF2_ROUNDS = 600000, SALT_LEN = 16 };

static bool put_pkcs8(const struct private_key *key, struct buf *out, struct fault *f)
{
  AUTO(PKCS8_PRIV_KEY_INFO) info = EVP_PKEY2PKCS8(private_key_evp(key));
  uint8_t *der = NULL;
  if (info == NULL)
    return ossl_fault(f, "cannot encode the private key");
  int len = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
  return ossl_take_der(der, len, out, f);
}

/* PBES2 with PBKDF2, HMAC-SHA-256 and AES-256-CBC (RFC 8018, 6.2). */
static bool put_encrypted(const struct private_key *key, struct bytes passphrase, struct buf *out,
                          struct fault *f)
{
  uint8_t salt[SALT_LEN], *der = NULL;
  AUTO(PKCS8_PRIV_KEY_INFO) info = EVP_PKEY2PKCS8(private_key_evp(key));
  if (info == NULL || passphrase.len > INT_MAX || RAND_bytes(salt, sizeof salt) != 1)
    return ossl_fault(f, "cannot encode the private key");
  X509_ALGOR *pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PBKDF2_ROUNDS, salt, sizeof salt, NULL,
                                      NID_hmacWithSHA256);
  if (pbe == NULL)
    return ossl_fault(f, "cannot encrypt the private key");
  AUTO(X509_SIG)
  encrypted = PKCS8_set0_pbe((const char *)passphrase.data, (int)passphrase.len, info, pbe);
  if (encrypted == NULL) {
    X509_ALGOR_free(pbe);
    return ossl_fault(f, "cannot encrypt the private key");
  }
  int len = i2d_X509_SIG(encrypted, &der);
  return ossl_take_der(der, len, out, f);
}

bool private_key_write(const struct private_key *key, struct bytes passphrase, struct buf *ret_pem,
                       struct fault *f)
{
  AUTO(secret_buf) der = {0};
  bool encrypt = passphrase.len > 0;
  if (!(encrypt ? put_encrypted(key, passphrase, &der, f) : put_pkcs8(key, &der, f)))
    return false;
  pem_add(ret_pem, encrypt ? "ENCRYPTED PRIVATE KEY" : "PRIVATE KEY", buf_bytes(&der));
  return buf_ok(ret_pem) || fault_no_memory(f);
}

bool private_key_write_der(const struct private_key *key, bool traditional, struct buf *ret_der,
                           struct fault *f)
{
  uint8_t *der = NULL;
  /* Ed25519 has PKCS #8 alone (RFC 8410, section 7). */
  if (!traditional || private_key_type(key) == KEY_ED25519)
    return put_pkcs8(key, ret_der, f);
  int len = i2d_PrivateKey(private_key_evp(key), &der);
  return ossl_take_der(der, len, ret_der, f);
}

/* --- the request --- */

/* attributes [0] (RFC 2986, 4.1): there even when empty. */
static void put_attributes(const struct sans *names, bool critical, struct buf *out)
{
  size_t attributes = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  if (names != NULL && names->n > 0) {
    size_t attribute = der_begin(out, DER_SEQUENCE);
    der_put_oid(out, OID_EXTENSION_REQUEST);
    size_t values = der_begin(out, DER_SET);
    size_t extensions = der_begin(out, DER_SEQUENCE);
    struct extension_mark san = extension_begin(out, OID_SUBJECT_ALT_NAME, critical);
    sans_write(names, NULL, out);
    extension_end(out, san);
    der_end(out, extensions);
    der_end(out, values);
    der_end(out, attribute);
  }
  der_end(out, attributes);
}

bool private_key_write_csr(const struct private_key *key, struct bytes subject,
                           const struct sans *names, struct buf *ret_der, struct fault *f)
{
  AUTO(buf) info = {0};
  AUTO(buf) signature = {0};
  size_t request = der_begin(&info, DER_SEQUENCE);
  der_put_number(&info, 0);
  buf_add_bytes(&info, subject);
  if (!private_key_spki(key, &info, f))
    return false;
  put_attributes(names, name_is_empty(subject), &info);
  der_end(&info, request);
  if (!buf_ok(&info))
    return fault_no_memory(f);
  /* A request and a certificate have the same coat (RFC 2986, 4.2). */
  return private_key_sign(key, buf_bytes(&info), &signature, f) &&
         cert_assemble(buf_bytes(&info), private_key_alg(key), buf_bytes(&signature), ret_der, f);
}
