/* p256.c - see p256.h. The functions on points are those behind EVP; OpenSSL 3.0 calls the way to
 * their Jacobian coordinates deprecated, 1.1.1 did not. */
#define OPENSSL_API_COMPAT 0x10101000L
#include "lib/pki/p256.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <stdlib.h>

/* A single inversion is as dear as five of those that ECDSA_do_verify() does. */
enum { TOGETHER_MIN = 6, TOGETHER_MAX = 64 };

enum number { N_R, N_S, N_Z, N_U1, N_U2, N_W, N_X, N_ZZ, N_T, N_COUNT };

struct p256 {
  EC_GROUP *group;
  const BIGNUM *order; /* of the group */
  BIGNUM *prime;
  BN_MONT_CTX *by_order, *by_prime;
  BN_CTX *scratch;
  EC_POINT *sum;
  BIGNUM *n[N_COUNT];
  BIGNUM *factors[TOGETHER_MAX], *products[TOGETHER_MAX];
};

static bool make_numbers(BIGNUM **numbers, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if ((numbers[i] = BN_new()) == NULL)
      return false;
  return true;
}

static void free_numbers(BIGNUM **numbers, size_t n)
{
  for (size_t i = 0; i < n; i++)
    BN_free(numbers[i]);
}

static bool make_curve(struct p256 *p)
{
  p->scratch = BN_CTX_new();
  p->group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  p->prime = BN_new();
  p->by_order = BN_MONT_CTX_new();
  p->by_prime = BN_MONT_CTX_new();
  if (p->scratch == NULL || p->group == NULL || p->prime == NULL || p->by_order == NULL ||
      p->by_prime == NULL)
    return false;
  p->order = EC_GROUP_get0_order(p->group);
  p->sum = EC_POINT_new(p->group);
  return p->sum != NULL && EC_GROUP_get_curve(p->group, p->prime, NULL, NULL, p->scratch) == 1 &&
         BN_MONT_CTX_set(p->by_order, p->order, p->scratch) == 1 &&
         BN_MONT_CTX_set(p->by_prime, p->prime, p->scratch) == 1;
}

struct p256 *p256_new(void)
{
  struct p256 *p = calloc(1, sizeof *p);
  if (p == NULL)
    return NULL;
  if (make_curve(p) && make_numbers(p->n, N_COUNT) && make_numbers(p->factors, TOGETHER_MAX) &&
      make_numbers(p->products, TOGETHER_MAX))
    return p;
  p256_free(p);
  return NULL;
}

void p256_free(struct p256 *p)
{
  if (p == NULL)
    return;
  free_numbers(p->n, N_COUNT);
  free_numbers(p->factors, TOGETHER_MAX);
  free_numbers(p->products, TOGETHER_MAX);
  EC_POINT_free(p->sum);
  BN_MONT_CTX_free(p->by_order);
  BN_MONT_CTX_free(p->by_prime);
  BN_free(p->prime);
  EC_GROUP_free(p->group);
  BN_CTX_free(p->scratch);
  free(p);
}

/* --- numbers modulo the order or the prime; "in form" is Montgomery's: times 2^256 --- */

static bool take(struct bytes magnitude, BIGNUM *number)
{
  return magnitude.len <= P256_NUMBER_LEN &&
         BN_bin2bn(magnitude.data, (int)magnitude.len, number) != NULL;
}

/* 1 to the order less one. */
static bool is_in_range(const struct p256 *p, const BIGNUM *number)
{
  return !BN_is_zero(number) && BN_ucmp(number, p->order) < 0;
}

static bool into_form(struct p256 *p, BN_MONT_CTX *by, const BIGNUM *number, BIGNUM *ret)
{
  return BN_to_montgomery(ret, number, by, p->scratch) == 1;
}

/* With both in form so is the result; with one of them it is not. */
static bool multiply(struct p256 *p, BN_MONT_CTX *by, const BIGNUM *a, const BIGNUM *b, BIGNUM *ret)
{
  return BN_mod_mul_montgomery(ret, a, b, by, p->scratch) == 1;
}

/* --- inverses --- */

/* products[i] is that of the factors up to i, all in form. */
static bool multiply_up(struct p256 *p, size_t n)
{
  if (BN_copy(p->products[0], p->factors[0]) == NULL)
    return false;
  for (size_t i = 1; i < n; i++)
    if (!multiply(p, p->by_order, p->products[i - 1], p->factors[i], p->products[i]))
      return false;
  return true;
}

/* Of a number in form; in form itself. */
static bool invert(struct p256 *p, const BIGNUM *number, BIGNUM *ret)
{
  return BN_from_montgomery(p->n[N_T], number, p->by_order, p->scratch) == 1 &&
         BN_mod_inverse(p->n[N_T], p->n[N_T], p->order, p->scratch) != NULL &&
         into_form(p, p->by_order, p->n[N_T], ret);
}

/* Montgomery's trick: one inversion for all, and three multiplications for each. The inverse of
 * factors[i] is that of products[i] times products[i - 1]. */
static bool invert_factors(struct p256 *p, struct p256_inverse *const ret[], size_t n)
{
  BIGNUM *rest = p->n[N_W], *inverse = p->n[N_X];
  if (!multiply_up(p, n) || !invert(p, p->products[n - 1], rest))
    return false;
  for (size_t i = n; i-- > 0;) {
    if (i > 0 ? !multiply(p, p->by_order, rest, p->products[i - 1], inverse) ||
                    !multiply(p, p->by_order, rest, p->factors[i], rest)
              : BN_copy(inverse, rest) == NULL)
      return false;
    if (BN_from_montgomery(inverse, inverse, p->by_order, p->scratch) != 1)
      return false;
    ret[i]->known = BN_bn2binpad(inverse, ret[i]->octets, P256_NUMBER_LEN) == P256_NUMBER_LEN;
  }
  return true;
}

static void invert_part(struct p256 *p, const struct bytes s[], struct p256_inverse *const ret[],
                        size_t n)
{
  struct p256_inverse *wanted[TOGETHER_MAX];
  size_t found = 0;
  for (size_t i = 0; i < n; i++)
    if (take(s[i], p->n[N_S]) && is_in_range(p, p->n[N_S]) &&
        into_form(p, p->by_order, p->n[N_S], p->factors[found]))
      wanted[found++] = ret[i];
  if (found < TOGETHER_MIN || !invert_factors(p, wanted, found))
    ERR_clear_error();
}

void p256_invert_all(struct p256 *p, const struct bytes s[], struct p256_inverse *const ret[],
                     size_t n)
{
  for (size_t i = 0; i < n; i++)
    *ret[i] = (struct p256_inverse){0};
  for (size_t from = 0; from < n; from += TOGETHER_MAX)
    invert_part(p, s + from, ret + from, n - from < TOGETHER_MAX ? n - from : TOGETHER_MAX);
}

/* --- verification --- */

/* s^-1, in form, when that is what was given. */
static bool take_inverse(struct p256 *p, const struct p256_inverse *inverse)
{
  return inverse->known && take(bytes_of(inverse->octets, P256_NUMBER_LEN), p->n[N_T]) &&
         is_in_range(p, p->n[N_T]) && into_form(p, p->by_order, p->n[N_T], p->n[N_W]) &&
         multiply(p, p->by_order, p->n[N_S], p->n[N_W], p->n[N_T]) && BN_is_one(p->n[N_T]);
}

/* The leftmost 256 bits of the digest, as a number below the order. */
static bool take_digest(struct p256 *p, struct bytes digest)
{
  BIGNUM *z = p->n[N_Z];
  if (digest.len > P256_NUMBER_LEN)
    digest.len = P256_NUMBER_LEN;
  return take(digest, z) && (BN_ucmp(z, p->order) < 0 || BN_usub(z, z, p->order) == 1);
}

/* u1 * G + u2 * key, with u1 = z / s and u2 = r / s. */
static bool add_up(struct p256 *p, const EC_POINT *key)
{
  return multiply(p, p->by_order, p->n[N_Z], p->n[N_W], p->n[N_U1]) &&
         multiply(p, p->by_order, p->n[N_R], p->n[N_W], p->n[N_U2]) &&
         EC_POINT_mul(p->group, p->sum, p->n[N_U1], key, p->n[N_U2], p->scratch) == 1;
}

/* Is this number the sum's x? That is X / Z^2: multiplying is cheaper than dividing. */
static bool is_x(struct p256 *p, const BIGNUM *number, bool *ret_same)
{
  if (!multiply(p, p->by_prime, number, p->n[N_ZZ], p->n[N_T]))
    return false;
  *ret_same = BN_ucmp(p->n[N_T], p->n[N_X]) == 0;
  return true;
}

/* r is x modulo the order, which is less than the prime: x is r, or r and the order. */
static bool compare(struct p256 *p, bool *ret_same)
{
  BIGNUM *other = p->n[N_U1];
  if (EC_POINT_get_Jprojective_coordinates_GFp(p->group, p->sum, p->n[N_X], NULL, p->n[N_T],
                                               p->scratch) != 1 ||
      !into_form(p, p->by_prime, p->n[N_T], p->n[N_ZZ]) ||
      !multiply(p, p->by_prime, p->n[N_ZZ], p->n[N_ZZ], p->n[N_ZZ]) ||
      !is_x(p, p->n[N_R], ret_same))
    return false;
  if (*ret_same)
    return true;
  return BN_uadd(other, p->n[N_R], p->order) == 1 &&
         (BN_ucmp(other, p->prime) >= 0 || is_x(p, other, ret_same));
}

static enum p256_verdict undecided(void)
{
  ERR_clear_error();
  return P256_UNDECIDED;
}

enum p256_verdict p256_verify(struct p256 *p, const EC_POINT *key, struct bytes digest,
                              struct bytes r, struct bytes s, const struct p256_inverse *inverse)
{
  bool same;
  if (!take(r, p->n[N_R]) || !take(s, p->n[N_S]) || !is_in_range(p, p->n[N_R]) ||
      !is_in_range(p, p->n[N_S]) || !take_inverse(p, inverse) || !take_digest(p, digest) ||
      !add_up(p, key))
    return undecided();
  if (EC_POINT_is_at_infinity(p->group, p->sum) == 1)
    return P256_WRONG;
  if (!compare(p, &same))
    return undecided();
  return same ? P256_RIGHT : P256_WRONG;
}
