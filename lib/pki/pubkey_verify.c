/* pubkey_verify.c - see pubkey.h: is this signature the key's own?
 *
 * EC keys are point.c's matter. For the others each thread keeps contexts, which are freed when it
 * ends. */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/pki/der.h"
#include "lib/pki/digest.h"
#include "lib/pki/evp.h"
#include "lib/pki/point.h"

enum { RSA_OCTETS_MAX = 512, EXPONENT_OCTETS_MAX = 8, HINTS_MAX = 64 };

struct contexts {
  EVP_PKEY_CTX *rsa_maker;
  EVP_MD_CTX *digest;
};

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

static EVP_PKEY *load(struct contexts *c, const struct pubkey *key)
{
  return key->type == KEY_RSA
             ? load_rsa(c, key)
             : EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, key->key.data, key->key.len);
}

/* RFC 3279, 2.2.3: SEQUENCE { r, s }, and no octet that DER does not want. */
static bool read_ecdsa(struct bytes signature, struct bytes *ret_r, struct bytes *ret_s)
{
  struct der all = der_of(signature), body;
  return der_enter(&all, DER_SEQUENCE, &body) && der_at_end(&all) &&
         der_take_unsigned(&body, ret_r) && der_take_unsigned(&body, ret_s) && der_at_end(&body) &&
         ret_r->data[0] != 0 && ret_s->data[0] != 0;
}

static bool verify_ecdsa(const struct pubkey *key, enum sig_alg alg, struct bytes octets,
                         struct bytes signature, const struct p256_inverse *hint)
{
  struct digest digest;
  struct bytes r, s;
  if (!read_ecdsa(signature, &r, &s))
    return false;
  digest_make(alg, octets, &digest);
  return point_verify(key, bytes_of(digest.octets, digest.len), r, s, hint);
}

static bool verify_other(const struct pubkey *key, enum sig_alg alg, struct bytes octets,
                         struct bytes signature)
{
  struct contexts *c = contexts_of_thread();
  if (c == NULL)
    return false;
  AUTO(EVP_PKEY) loaded = load(c, key);
  bool verified =
      loaded != NULL && EVP_DigestVerifyInit(c->digest, NULL, digests[alg], NULL, loaded) == 1 &&
      EVP_DigestVerify(c->digest, signature.data, signature.len, octets.data, octets.len) == 1;
  EVP_MD_CTX_reset(c->digest);
  if (!verified)
    ERR_clear_error();
  return verified;
}

bool pubkey_verify_hinted(const struct pubkey *key, enum sig_alg alg, struct bytes octets,
                          struct bytes signature, const struct p256_inverse *hint)
{
  if (!fits[alg][key->type])
    return false;
  return key->type <= KEY_EC_P521 ? verify_ecdsa(key, alg, octets, signature, hint)
                                  : verify_other(key, alg, octets, signature);
}

bool pubkey_verify(const struct pubkey *key, enum sig_alg alg, struct bytes octets,
                   struct bytes signature)
{
  return pubkey_verify_hinted(key, alg, octets, signature, NULL);
}

/* --- for many at once --- */

static void hint_part(const struct pubkey_hint hints[], size_t n)
{
  struct p256_inverse *inverses[HINTS_MAX];
  struct bytes s[HINTS_MAX], r;
  size_t found = 0;
  for (size_t i = 0; i < n; i++) {
    *hints[i].ret = (struct p256_inverse){0};
    if (hints[i].key->type == KEY_EC_P256 && fits[hints[i].alg][KEY_EC_P256] &&
        read_ecdsa(hints[i].signature, &r, &s[found]))
      inverses[found++] = hints[i].ret;
  }
  point_invert_all(s, inverses, found);
}

void pubkey_hint_all(const struct pubkey_hint hints[], size_t n)
{
  for (size_t from = 0; from < n; from += HINTS_MAX)
    hint_part(hints + from, n - from < HINTS_MAX ? n - from : HINTS_MAX);
}
