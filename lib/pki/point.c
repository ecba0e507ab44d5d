/* point.c - see point.h.
 *
 * A key object of OpenSSL's costs 30 us to make and 2 us to fill again, so each thread keeps one
 * for each curve, filled with the point that it had last: a key is judged, and then verified with.
 *
 * These are the functions that EVP ends up with. OpenSSL 3.0 calls them deprecated, 1.1.1 did not;
 * through EVP the verifier is looked up by its name, and a context made, for each new point. */
#define OPENSSL_API_COMPAT 0x10101000L
#include "lib/pki/point.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <pthread.h>
#include <stdlib.h>

enum {
  CURVES = 3,
  NUMBER_OCTETS_MAX = 66, /* of P-521 */
  POINT_OCTETS_MAX = 1 + 2 * NUMBER_OCTETS_MAX
};

struct curve_key {
  EC_KEY *key;
  uint8_t point[POINT_OCTETS_MAX];
  size_t point_len; /* 0: `key` has no point that is on the curve */
};

struct points {
  struct curve_key curves[CURVES]; /* by enum key_type */
  BN_CTX *scratch;
  ECDSA_SIG *signature; /* takes the next one that is looked at */
  BIGNUM *r, *s;        /* within it */
  struct p256 *p256;    /* NULL: not wanted yet */
};

static const int curve_numbers[CURVES] = {[KEY_EC_P256] = NID_X9_62_prime256v1,
                                          [KEY_EC_P384] = NID_secp384r1,
                                          [KEY_EC_P521] = NID_secp521r1};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t at_thread_end;
static bool ready;
static _Thread_local struct points *mine;

static void free_points(void *object)
{
  struct points *points = object;
  mine = NULL;
  for (size_t i = 0; i < CURVES; i++)
    EC_KEY_free(points->curves[i].key);
  BN_CTX_free(points->scratch);
  ECDSA_SIG_free(points->signature);
  p256_free(points->p256);
  free(points);
}

static void start(void)
{
  /* OpenSSL 3.0 goes on without its default context when memory was too short to make it. */
  ready = OSSL_LIB_CTX_get0_global_default() != NULL &&
          pthread_key_create(&at_thread_end, free_points) == 0;
}

/* The signature owns both numbers from the moment on when it has them. */
static bool make_signature(struct points *points)
{
  BIGNUM *r = BN_new(), *s = BN_new();
  points->signature = ECDSA_SIG_new();
  if (points->signature != NULL && ECDSA_SIG_set0(points->signature, r, s) == 1) {
    points->r = r;
    points->s = s;
    return true;
  }
  BN_free(r);
  BN_free(s);
  return false;
}

static struct points *points_of_thread(void)
{
  if (mine != NULL)
    return mine;
  if (pthread_once(&once, start) != 0 || !ready)
    return NULL;
  struct points *points = calloc(1, sizeof *points);
  if (points == NULL)
    return NULL;
  points->scratch = BN_CTX_new();
  if (points->scratch == NULL || !make_signature(points) ||
      pthread_setspecific(at_thread_end, points) != 0) {
    free_points(points);
    return NULL;
  }
  mine = points;
  return mine;
}

/* EC_KEY_oct2key refuses a point that is not on the curve, and what the key has after that is not
 * known. */
static bool fill(struct curve_key *curve, struct bytes point, BN_CTX *scratch)
{
  if (curve->point_len > 0 && bytes_equal(point, bytes_of(curve->point, curve->point_len)))
    return true;
  curve->point_len = 0;
  if (point.len > sizeof curve->point ||
      EC_KEY_oct2key(curve->key, point.data, point.len, scratch) != 1)
    return false;
  memcpy(curve->point, point.data, point.len);
  curve->point_len = point.len;
  return true;
}

/* The thread's key object, with this key's point; NULL when that is not on the curve. */
static EC_KEY *load(const struct pubkey *key)
{
  struct points *points = points_of_thread();
  if (points == NULL)
    return NULL;
  struct curve_key *curve = &points->curves[key->type];
  if (curve->key == NULL)
    curve->key = EC_KEY_new_by_curve_name(curve_numbers[key->type]);
  if (curve->key != NULL && fill(curve, key->key, points->scratch))
    return curve->key;
  ERR_clear_error();
  return NULL;
}

bool point_is_on_curve(const struct pubkey *key)
{
  return load(key) != NULL;
}

/* The order of each curve is as long as its coordinates. */
static bool take_number(struct bytes magnitude, BIGNUM *number)
{
  return magnitude.len <= NUMBER_OCTETS_MAX &&
         BN_bin2bn(magnitude.data, (int)magnitude.len, number) != NULL;
}

void point_invert_all(const struct bytes s[], struct p256_inverse *const ret[], size_t n)
{
  struct points *points = points_of_thread();
  if (points != NULL && points->p256 == NULL)
    points->p256 = p256_new();
  if (points != NULL && points->p256 != NULL)
    p256_invert_all(points->p256, s, ret, n);
}

/* P256_UNDECIDED without a way that is shorter than OpenSSL's own. */
static enum p256_verdict verify_shortly(const EC_KEY *loaded, const struct pubkey *key,
                                        struct bytes digest, struct bytes r, struct bytes s,
                                        const struct p256_inverse *inverse)
{
  if (key->type != KEY_EC_P256 || inverse == NULL || !inverse->known || mine->p256 == NULL)
    return P256_UNDECIDED;
  return p256_verify(mine->p256, EC_KEY_get0_public_key(loaded), digest, r, s, inverse);
}

bool point_verify(const struct pubkey *key, struct bytes digest, struct bytes r, struct bytes s,
                  const struct p256_inverse *inverse)
{
  EC_KEY *loaded = load(key);
  if (loaded == NULL)
    return false;
  enum p256_verdict verdict = verify_shortly(loaded, key, digest, r, s, inverse);
  if (verdict != P256_UNDECIDED)
    return verdict == P256_RIGHT;
  /* Of a digest that is longer than the curve's order, the left end counts (FIPS 186-5, 6.4). */
  bool verified = take_number(r, mine->r) && take_number(s, mine->s) &&
                  ECDSA_do_verify(digest.data, (int)digest.len, mine->signature, loaded) == 1;
  if (!verified)
    ERR_clear_error();
  return verified;
}
