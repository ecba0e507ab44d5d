/* private_key.c - see private_key.h. */
#include "lib/pki/private_key.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/pki/digest.h"
#include "lib/pki/evp.h"
#include "lib/pki/ossl.h"
#include "lib/pki/private_key_file.h"

enum { IDLE_MAX = 8 };

/* Everything but the signatures is made once, so that each signature costs little more than the
 * bare arithmetic. `signer` and `octet_signer` are contexts that are ready to sign; nobody signs
 * with them, each call signs with a copy, and copying only reads them: that is what makes
 * private_key_sign() safe from many threads. A copy that has signed a digest can do so again, and
 * waits among the idle ones for the next call, of whichever thread. */
struct private_key {
  EVP_PKEY *pkey;
  EVP_PKEY_CTX *signer;          /* of digests; NULL for Ed25519 */
  EVP_MD_CTX *octet_signer;      /* for Ed25519, which takes the octets */
  _Atomic(EVP_PKEY_CTX *) *idle; /* IDLE_MAX of them */
  enum key_type type;
  enum sig_alg alg;
  size_t signature_max;
  struct buf spki;
};

static const enum sig_alg algs[KEY_TYPE_COUNT] = {
    [KEY_EC_P256] = SIG_ECDSA_SHA256, [KEY_EC_P384] = SIG_ECDSA_SHA384,
    [KEY_EC_P521] = SIG_ECDSA_SHA512, [KEY_RSA] = SIG_RSA_SHA256,
    [KEY_ED25519] = SIG_ED25519,
};

void private_key_free(struct private_key *key)
{
  if (key == NULL)
    return;
  for (size_t i = 0; key->idle != NULL && i < IDLE_MAX; i++)
    EVP_PKEY_CTX_free(key->idle[i]);
  free(key->idle);
  EVP_PKEY_CTX_free(key->signer);
  EVP_MD_CTX_free(key->octet_signer);
  EVP_PKEY_free(key->pkey);
  buf_free(&key->spki);
  free(key);
}

static bool store_spki(struct private_key *key, struct fault *f)
{
  uint8_t *der = NULL;
  struct pubkey public_half;
  int len = i2d_PUBKEY(key->pkey, &der);
  if (len > 0)
    buf_add(&key->spki, der, (size_t)len);
  OPENSSL_free(der);
  if (len <= 0 || !buf_ok(&key->spki))
    return fault_no_memory(f);
  if (!pubkey_read(buf_bytes(&key->spki), &public_half, f))
    return fault_set(f, BAD_FILE,
                     "the key is of a type that is not taken: use EC P-256, P-384 or P-521 with a "
                     "named curve, RSA, or Ed25519");
  key->type = public_half.type;
  key->alg = algs[key->type];
  return true;
}

static bool prepare_octet_signer(struct private_key *key)
{
  key->octet_signer = EVP_MD_CTX_new();
  return key->octet_signer != NULL &&
         EVP_DigestSignInit_ex(key->octet_signer, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1;
}

/* The digest's name goes into an RSA signature (RFC 8017, 9.2); its padding is PKCS #1's by
 * default. */
static bool prepare_signer(struct private_key *key)
{
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST,
                                       (char *)(uintptr_t)digest_name(key->alg), 0),
      OSSL_PARAM_construct_end(),
  };
  key->idle = calloc(IDLE_MAX, sizeof *key->idle);
  key->signer = EVP_PKEY_CTX_new(key->pkey, NULL);
  return key->idle != NULL && key->signer != NULL &&
         EVP_PKEY_sign_init_ex(key->signer, params) == 1;
}

static bool prepare(struct private_key *key, struct fault *f)
{
  int size = EVP_PKEY_get_size(key->pkey);
  bool ready =
      size > 0 && (digest_name(key->alg) != NULL ? prepare_signer(key) : prepare_octet_signer(key));
  key->signature_max = ready ? (size_t)size : 0;
  return ready || ossl_fault(f, "the key cannot be used for signing");
}

bool private_key_adopt(EVP_PKEY *pkey, struct private_key **ret_key, struct fault *f)
{
  AUTO(private_key) key = calloc(1, sizeof *key);
  if (key == NULL) {
    EVP_PKEY_free(pkey);
    return fault_no_memory(f);
  }
  key->pkey = pkey;
  if (!store_spki(key, f) || !prepare(key, f))
    return false;
  *ret_key = TAKE(key);
  return true;
}

static EVP_PKEY *generate_ec(const char *curve)
{
  return EVP_EC_gen(curve);
}

static EVP_PKEY *generate_rsa(const char *bits)
{
  return EVP_RSA_gen(strtoul(bits, NULL, 10));
}

static EVP_PKEY *generate_named(const char *algorithm)
{
  return EVP_PKEY_Q_keygen(NULL, NULL, algorithm);
}

const char *private_key_kind_of(const struct pubkey *key)
{
  if (key->type != KEY_RSA)
    return key_type_name(key->type);
  return key->bits >= 4096 ? "rsa-4096" : key->bits >= 3072 ? "rsa-3072" : "rsa-2048";
}

bool private_key_generate(const char *kind, struct private_key **ret_key, struct fault *f)
{
  static const struct {
    const char *kind;
    EVP_PKEY *(*generate)(const char *which);
    const char *which;
  } kinds[] = {
      {"ec-p256", generate_ec, "P-256"},      {"ec-p384", generate_ec, "P-384"},
      {"ec-p521", generate_ec, "P-521"},      {"rsa-2048", generate_rsa, "2048"},
      {"rsa-3072", generate_rsa, "3072"},     {"rsa-4096", generate_rsa, "4096"},
      {"ed25519", generate_named, "ED25519"},
  };
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    if (strcmp(kinds[i].kind, kind) != 0)
      continue;
    EVP_PKEY *pkey = kinds[i].generate(kinds[i].which);
    if (pkey == NULL)
      return ossl_fault(f, "cannot make a key");
    return private_key_adopt(pkey, ret_key, f);
  }
  return fault_set(f, BAD_USAGE,
                   "%s is not a kind of key: use ec-p256, ec-p384, ec-p521, rsa-2048, rsa-3072, "
                   "rsa-4096 or ed25519",
                   kind);
}

bool private_key_spki(const struct private_key *key, struct buf *ret_spki, struct fault *f)
{
  buf_add_bytes(ret_spki, buf_bytes(&key->spki));
  return buf_ok(ret_spki) || fault_no_memory(f);
}

enum key_type private_key_type(const struct private_key *key)
{
  return key->type;
}

enum sig_alg private_key_alg(const struct private_key *key)
{
  return key->alg;
}

bool private_key_fits(const struct private_key *key, struct bytes spki)
{
  return bytes_equal(buf_bytes(&key->spki), spki);
}

EVP_PKEY *private_key_evp(const struct private_key *key)
{
  return key->pkey;
}

static EVP_PKEY_CTX *take_signer(const struct private_key *key)
{
  EVP_PKEY_CTX *ctx = NULL;
  for (size_t i = 0; i < IDLE_MAX && ctx == NULL; i++)
    if (atomic_load_explicit(&key->idle[i], memory_order_relaxed) != NULL)
      ctx = atomic_exchange(&key->idle[i], NULL);
  return ctx != NULL ? ctx : EVP_PKEY_CTX_dup(key->signer);
}

static void give_back(const struct private_key *key, EVP_PKEY_CTX *ctx)
{
  for (size_t i = 0; i < IDLE_MAX; i++) {
    EVP_PKEY_CTX *none = NULL;
    if (atomic_compare_exchange_strong(&key->idle[i], &none, ctx))
      return;
  }
  EVP_PKEY_CTX_free(ctx);
}

/* One that has failed is not used again. */
static bool sign_digest(const struct private_key *key, struct bytes octets, uint8_t *out,
                        size_t *len)
{
  AUTO(EVP_PKEY_CTX) ctx = take_signer(key);
  struct digest digest;
  digest_make(key->alg, octets, &digest);
  if (ctx == NULL || EVP_PKEY_sign(ctx, out, len, digest.octets, digest.len) != 1)
    return false;
  give_back(key, TAKE(ctx));
  return true;
}

static bool sign_octets(const struct private_key *key, struct bytes octets, uint8_t *out,
                        size_t *len)
{
  AUTO(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
  return ctx != NULL && EVP_MD_CTX_copy_ex(ctx, key->octet_signer) == 1 &&
         EVP_DigestSign(ctx, out, len, octets.data, octets.len) == 1;
}

bool private_key_sign(const struct private_key *key, struct bytes octets, struct buf *ret_signature,
                      struct fault *f)
{
  size_t len = key->signature_max;
  if (!buf_reserve(ret_signature, len))
    return fault_no_memory(f);
  uint8_t *out = ret_signature->data + ret_signature->len;
  bool done = key->signer != NULL ? sign_digest(key, octets, out, &len)
                                  : sign_octets(key, octets, out, &len);
  if (!done)
    return ossl_fault(f, "cannot sign");
  ret_signature->len += len;
  return true;
}
