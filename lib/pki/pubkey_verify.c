/* pubkey_verify.c - see pubkey.h: is this signature the key's own?
 *
 * A key object of OpenSSL's costs 30 us to make and 2 us to fill again, so each thread keeps one
 * for each curve, filled with the point that it had last: a key is judged, and then verified with.
 * They are freed when the thread ends, with a context for the signatures of other keys. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/pki/der.h"
#include "lib/pki/digest.h"
#include "lib/pki/evp.h"

enum {
  CURVES = 3,
  POINT_OCTETS_MAX = 1 + 2 * 66, /* of P-521, uncompressed */
  RSA_OCTETS_MAX = 512,
  EXPONENT_OCTETS_MAX = 8
};

struct curve_key {
  EVP_PKEY *key;
  EVP_PKEY_CTX *verifier; /* for `key` */
  uint8_t point[POINT_OCTETS_MAX];
  size_t point_len; /* 0: `key` has no point that is on the curve */
};

struct contexts {
  struct curve_key curves[CURVES]; /* by enum key_type */
  EVP_PKEY_CTX *rsa_maker;
  EVP_MD_CTX *digest;
};

static const char *const curve_names[CURVES] = {
    [KEY_EC_P256] = "P-256", [KEY_EC_P384] = "P-384", [KEY_EC_P521] = "P-521"};

/* Which keys make signatures of an algorithm. */
static const bool fits[SIG_ALG_COUNT][KEY_TYPE_COUNT] = {
#define ECDSA_KEYS                                                                                 \
  {                                                                                                \
    [KEY_EC_P256] = true, [KEY_EC_P384] = true, [KEY_EC_P521] = true                               \
  }
    [SIG_ECDSA_SHA256] = ECDSA_KEYS,        [SIG_ECDSA_SHA384] = ECDSA_KEYS,
    [SIG_ECDSA_SHA512] = ECDSA_KEYS,        [SIG_RSA_SHA256] = {[KEY_RSA] = true},
    [SIG_RSA_SHA384] = {[KEY_RSA] = true},  [SIG_RSA_SHA512] = {[KEY_RSA] = true},
    [SIG_ED25519] = {[KEY_ED25519] = true},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static bool ready;
static EVP_MD *digests[SIG_ALG_COUNT]; /* of RSA's */
static _Thread_local struct contexts *mine;

static void free_contexts(void *object)
{
  struct contexts *c = object;
  mine = NULL;
  for (size_t i = 0; i < CURVES; i++) {
    EVP_PKEY_CTX_free(c->curves[i].verifier);
    EVP_PKEY_free(c->curves[i].key);
  }
  EVP_PKEY_CTX_free(c->rsa_maker);
  EVP_MD_CTX_free(c->digest);
  free(c);
}

static void start(void)
{
  /* OpenSSL 3.0 goes on without its default context when memory was too short to make it. */
  if (OSSL_LIB_CTX_get0_global_default() == NULL)
    return;
  for (enum sig_alg alg = 0; alg < SIG_ALG_COUNT; alg++) {
    if (!fits[alg][KEY_RSA])
      continue;
    digests[alg] = EVP_MD_fetch(NULL, digest_name(alg), NULL);
    if (digests[alg] == NULL)
      return;
  }
  ready = pthread_key_create(&at_thread_end, free_contexts) == 0;
}

static struct contexts *contexts_of_thread(void)
{
  if (mine != NULL)
    return mine;
  if (pthread_once(&once, start) != 0 || !ready)
    return NULL;
  struct contexts *c = calloc(1, sizeof *c);
  if (c == NULL)
    return NULL;
  c->digest = EVP_MD_CTX_new();
  if (c->digest == NULL || pthread_setspecific(at_thread_end, c) != 0) {
    free_contexts(c);
    return NULL;
  }
  mine = c;
  return mine;
}

/* A key with a curve and no point yet. */
static EVP_PKEY *new_curve_key(const char *curve)
{
  AUTO(EVP_PKEY_CTX) maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
  EVP_PKEY *key = NULL;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)curve, 0),
      OSSL_PARAM_construct_end(),
  };
  if (maker == NULL || EVP_PKEY_fromdata_init(maker) != 1 ||
      EVP_PKEY_fromdata(maker, &key, EVP_PKEY_KEY_PARAMETERS, params) != 1)
    return NULL;
  return key;
}

/* EVP_PKEY_set1_encoded_public_key refuses a point that is not on the curve, and what the key has
 * after that is not known. The cofactor of the three curves is 1, so a point on the curve that is
 * not at infinity has the right order. */
static bool fill(struct curve_key *curve, struct bytes point)
{
  if (bytes_equal(point, bytes_of(curve->point, curve->point_len)))
    return true;
  curve->point_len = 0;
  if (point.len > sizeof curve->point ||
      EVP_PKEY_set1_encoded_public_key(curve->key, point.data, point.len) != 1)
    return false;
  memcpy(curve->point, point.data, point.len);
  curve->point_len = point.len;
  return true;
}

static EVP_PKEY *load_point(struct contexts *c, const struct pubkey *key)
{
  struct curve_key *curve = &c->curves[key->type];
  if (curve->key == NULL)
    curve->key = new_curve_key(curve_names[key->type]);
  if (curve->key == NULL || key->key.len == 0 || !fill(curve, key->key) ||
      EVP_PKEY_up_ref(curve->key) != 1)
    return NULL;
  return curve->key;
}

/* OSSL_PARAM wants the machine's order of octets. */
static OSSL_PARAM param_of(const char *name, struct bytes magnitude, uint8_t *space)
{
  for (size_t i = 0; i < magnitude.len; i++)
    space[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? magnitude.len - 1 - i : i] =
        magnitude.data[i];
  return OSSL_PARAM_construct_BN(name, space, magnitude.len);
}

/* The time of a verification grows with the length of both numbers, and a peer chooses them. */
static EVP_PKEY *load_rsa(struct contexts *c, const struct pubkey *key)
{
  uint8_t n[RSA_OCTETS_MAX], e[EXPONENT_OCTETS_MAX];
  EVP_PKEY *made = NULL;
  if (key->modulus.len > sizeof n || key->exponent.len > sizeof e)
    return NULL;
  if (c->rsa_maker == NULL)
    c->rsa_maker = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
  OSSL_PARAM params[] = {
      param_of(OSSL_PKEY_PARAM_RSA_N, key->modulus, n),
      param_of(OSSL_PKEY_PARAM_RSA_E, key->exponent, e),
      OSSL_PARAM_construct_end(),
  };
  if (c->rsa_maker == NULL || EVP_PKEY_fromdata_init(c->rsa_maker) != 1 ||
      EVP_PKEY_fromdata(c->rsa_maker, &made, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return NULL;
  return made;
}

EVP_PKEY *evp_public_key(const struct pubkey *key)
{
  struct contexts *c = contexts_of_thread();
  EVP_PKEY *loaded = NULL;
  if (c == NULL)
    return NULL;
  if (key->type == KEY_RSA)
    loaded = load_rsa(c, key);
  else if (key->type == KEY_ED25519)
    loaded = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, key->key.data, key->key.len);
  else
    loaded = load_point(c, key);
  if (loaded == NULL)
    ERR_clear_error();
  return loaded;
}

/* RFC 3279, 2.2.3: SEQUENCE { r, s }. OpenSSL is strict here too; this does not rest on it. */
static bool is_strict_ecdsa(struct bytes signature)
{
  struct der all = der_of(signature), body;
  struct bytes r, s;
  return der_enter(&all, DER_SEQUENCE, &body) && der_at_end(&all) && der_take_unsigned(&body, &r) &&
         der_take_unsigned(&body, &s) && der_at_end(&body) && r.data[0] != 0 && s.data[0] != 0;
}

/* EVP_DigestVerifyInit() fetches the digest by its name once more each time, and makes a context.
 * The one that is kept takes its key anew with each EVP_PKEY_verify_init(). */
static bool verify_ecdsa(struct curve_key *curve, enum sig_alg alg, struct bytes octets,
                         struct bytes signature)
{
  struct digest digest;
  if (curve->verifier == NULL)
    curve->verifier = EVP_PKEY_CTX_new(curve->key, NULL);
  if (curve->verifier == NULL || EVP_PKEY_verify_init(curve->verifier) != 1)
    return false;
  digest_make(alg, octets, &digest);
  return EVP_PKEY_verify(curve->verifier, signature.data, signature.len, digest.octets,
                         digest.len) == 1;
}

static bool verify_other(struct contexts *c, EVP_PKEY *key, const EVP_MD *md, struct bytes octets,
                         struct bytes signature)
{
  bool verified =
      EVP_DigestVerifyInit(c->digest, NULL, md, NULL, key) == 1 &&
      EVP_DigestVerify(c->digest, signature.data, signature.len, octets.data, octets.len) == 1;
  EVP_MD_CTX_reset(c->digest);
  return verified;
}

bool pubkey_verify(const struct pubkey *key, enum sig_alg alg, struct bytes octets,
                   struct bytes signature)
{
  bool is_ec = key->type <= KEY_EC_P521;
  if (!fits[alg][key->type] || (is_ec && !is_strict_ecdsa(signature)))
    return false;
  AUTO(EVP_PKEY) loaded = evp_public_key(key);
  if (loaded == NULL)
    return false;
  bool verified = is_ec ? verify_ecdsa(&mine->curves[key->type], alg, octets, signature)
                        : verify_other(mine, loaded, digests[alg], octets, signature);
  if (!verified)
    ERR_clear_error();
  return verified;
}
