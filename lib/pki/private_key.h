/* private_key.h - private keys: made, read, written, signed with. The memory is OpenSSL's and wiped
 * when freed. Threads: private_key_sign may be called from many threads at once; the rest one
 * thread at a time. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/fault.h"
#include "lib/pki/pubkey.h"

struct private_key;

/* "ec-p256", "ec-p384", "ec-p521", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519"; BAD_USAGE, with
 * the list, for another. */
bool private_key_generate(const char *kind, struct private_key **ret_key, struct fault *f);

/* The kind that makes one like this; of RSA the nearest that is not larger, or else the smallest.
 */
const char *private_key_kind_of(const struct pubkey *key);

/* Reads the one private key of a PEM text (PKCS #8, PKCS #1 or SEC 1), encrypted or not. passphrase
 * may be empty. BAD_PASSPHRASE when it is encrypted and the passphrase does not open it (or is
 * empty); BAD_FILE when it is no key. */
bool private_key_read(struct bytes pem, struct bytes passphrase, struct private_key **ret_key,
                      struct fault *f);
/* Appends PKCS #8 PEM; encrypted (PBES2, AES-256-CBC, PBKDF2 with 600,000 rounds of HMAC-SHA-256)
 * when the passphrase is not empty. */
bool private_key_write(const struct private_key *key, struct bytes passphrase, struct buf *ret_pem,
                       struct fault *f);
/* Appends PKCS #8 DER, or the traditional form (SEC 1, PKCS #1) that small TLS stacks load. */
bool private_key_write_der(const struct private_key *key, bool traditional, struct buf *ret_der,
                           struct fault *f);

/* Appends the SubjectPublicKeyInfo. */
bool private_key_spki(const struct private_key *key, struct buf *ret_spki, struct fault *f);
enum key_type private_key_type(const struct private_key *key);
/* The algorithm this key signs with: P-256 and RSA with SHA-256, P-384 with SHA-384, P-521 with
 * SHA-512, Ed25519. */
enum sig_alg private_key_alg(const struct private_key *key);
/* Appends the signature over `octets`. */
bool private_key_sign(const struct private_key *key, struct bytes octets, struct buf *ret_signature,
                      struct fault *f);
/* True when this key's public half is `spki`. */
bool private_key_fits(const struct private_key *key, struct bytes spki);
void private_key_free(struct private_key *key);

/* Writes a CSR for this key: subject (Name, whole) and, when there are any, names in an
 * extensionRequest. Appends DER. */
struct sans;
bool private_key_write_csr(const struct private_key *key, struct bytes subject,
                           const struct sans *names, struct buf *ret_der, struct fault *f);

/* For PKCS #12 alone. */
typedef struct evp_pkey_st EVP_PKEY;
EVP_PKEY *private_key_evp(const struct private_key *key); /* borrowed */

AUTO_POINTER(private_key, struct private_key, private_key_free)
