/* test_p256.c - ECDSA over P-256 with inverses that are made together: p256.h, and what pubkey.h
 * and csr.h do with it. The judge is OpenSSL's ECDSA_do_verify(); OpenSSL 3.0 calls it
 * deprecated, 1.1.1 did not. */
#define OPENSSL_API_COMPAT 0x10101000L
#include "tests/unit/unit.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <pthread.h>

#include "lib/pki/csr.h"
#include "lib/pki/der.h"
#include "lib/pki/digest.h"
#include "lib/pki/evp.h"
#include "lib/pki/name.h"
#include "lib/pki/p256.h"
#include "lib/pki/point.h"
#include "lib/pki/private_key.h"

enum { TOGETHER = 6, PART = 64, TEXT_LEN = 32, POINT_LEN = 65 };

AUTO_POINTER(EC_KEY, EC_KEY, EC_KEY_free)
AUTO_POINTER(EC_POINT, EC_POINT, EC_POINT_free)

static EC_GROUP *group;
static BIGNUM *order, *prime;
static BN_CTX *scratch;
static struct p256 *p256;

static int start(void **state)
{
  (void)state;
  scratch = BN_CTX_new();
  group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
  order = BN_dup(EC_GROUP_get0_order(group));
  prime = BN_new();
  assert_int_equal(EC_GROUP_get_curve(group, prime, NULL, NULL, scratch), 1);
  p256 = p256_new();
  assert_non_null(p256);
  /* From now on this thread has the object without which no hint is looked at. */
  point_invert_all(NULL, NULL, 0);
  return 0;
}

static int end(void **state)
{
  (void)state;
  p256_free(p256);
  p256_free(NULL);
  BN_free(prime);
  BN_free(order);
  EC_GROUP_free(group);
  BN_CTX_free(scratch);
  return 0;
}

/* --- numbers modulo the order: each of these makes a new one --- */

static BIGNUM *random_number(void)
{
  BIGNUM *n = BN_new();
  do
    assert_int_equal(BN_rand_range(n, order), 1);
  while (BN_is_zero(n));
  return n;
}

static BIGNUM *small_number(void)
{
  BIGNUM *n = BN_new();
  assert_int_equal(BN_rand(n, 96, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY), 1);
  return n;
}

static BIGNUM *times(const BIGNUM *a, const BIGNUM *b)
{
  BIGNUM *n = BN_new();
  assert_int_equal(BN_mod_mul(n, a, b, order, scratch), 1);
  return n;
}

static BIGNUM *over(const BIGNUM *a, const BIGNUM *b)
{
  AUTO(BIGNUM) inverse = BN_mod_inverse(NULL, b, order, scratch);
  assert_non_null(inverse);
  return times(a, inverse);
}

static BIGNUM *negative(const BIGNUM *a)
{
  BIGNUM *n = BN_new();
  assert_int_equal(BN_mod_sub(n, order, a, order, scratch), 1);
  return n;
}

/* --- numbers and digests as octets --- */

struct octets {
  uint8_t data[DIGEST_MAX];
  size_t len;
};

static struct bytes view(const struct octets *o)
{
  return bytes_of(o->data, o->len);
}

static struct octets magnitude(const BIGNUM *n)
{
  struct octets o = {.len = (size_t)BN_num_bytes(n)};
  BN_bn2bin(n, o.data);
  return o;
}

static struct octets padded(const BIGNUM *n, size_t len)
{
  struct octets o = {.len = len};
  assert_int_equal(BN_bn2binpad(n, o.data, (int)len), len);
  return o;
}

static struct octets filled(uint8_t octet, size_t len)
{
  struct octets o = {.len = len};
  memset(o.data, octet, len);
  return o;
}

static struct octets random_octets(size_t len)
{
  struct octets o = {.len = len};
  assert_int_equal(RAND_bytes(o.data, (int)len), 1);
  return o;
}

static BIGNUM *number_in(const struct octets *o)
{
  return BN_bin2bn(o->data, (int)o->len, NULL);
}

/* 1 to the order less one, and without more zeros before it than make it as long as the order. */
static bool is_in_range(const struct octets *o)
{
  AUTO(BIGNUM) n = number_in(o);
  return o->len <= P256_NUMBER_LEN && !BN_is_zero(n) && BN_cmp(n, order) < 0;
}

/* One of the bits of the first `len` octets. */
static void flip(uint8_t *data, size_t len)
{
  uint16_t which;
  assert_int_equal(RAND_bytes((uint8_t *)&which, sizeof which), 1);
  data[which % len] ^= (uint8_t)(1u << (which >> 8) % 8);
}

/* --- points and keys --- */

/* g * G + q * point */
static EC_POINT *sum_of(const BIGNUM *g, const EC_POINT *point, const BIGNUM *q)
{
  EC_POINT *sum = EC_POINT_new(group);
  assert_int_equal(EC_POINT_mul(group, sum, g, point, q, scratch), 1);
  return sum;
}

static EC_POINT *random_point(void)
{
  AUTO(BIGNUM) k = random_number();
  return sum_of(k, NULL, NULL);
}

/* What r is to be when the sum is this point. */
static BIGNUM *r_of(const EC_POINT *point)
{
  BIGNUM *r = BN_new();
  assert_int_equal(EC_POINT_get_affine_coordinates(group, point, r, NULL, scratch), 1);
  assert_int_equal(BN_nnmod(r, r, order, scratch), 1);
  return r;
}

/* The first whose x is not below this one; x becomes its own. */
static EC_POINT *next_point(BIGNUM *x)
{
  EC_POINT *point = EC_POINT_new(group);
  while (EC_POINT_set_compressed_coordinates(group, point, x, BN_is_bit_set(x, 0), scratch) != 1)
    assert_true(BN_add_word(x, 1) == 1 && BN_cmp(x, prime) < 0);
  ERR_clear_error();
  return point;
}

static EC_KEY *new_key(void)
{
  EC_KEY *key = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
  assert_non_null(key);
  return key;
}

static EC_KEY *random_key(void)
{
  EC_KEY *key = new_key();
  assert_int_equal(EC_KEY_generate_key(key), 1);
  return key;
}

static EC_KEY *key_at(const EC_POINT *point)
{
  EC_KEY *key = new_key();
  assert_int_equal(EC_KEY_set_public_key(key, point), 1);
  return key;
}

static EC_KEY *key_of(const BIGNUM *private_number)
{
  AUTO(EC_POINT) point = sum_of(private_number, NULL, NULL);
  return key_at(point);
}

/* --- claims: "(r, s) is this key's signature over the digest" --- */

struct claim {
  EC_KEY *key;
  uint8_t text[TEXT_LEN]; /* whose SHA-256 the digest is, if there is one */
  struct octets digest, r, s;
};

static void claim_free(struct claim *c)
{
  EC_KEY_free(c->key);
}

AUTO_VALUE(claim, struct claim, claim_free)

static void sign(struct claim *c, EC_KEY *key, const struct octets *digest)
{
  ECDSA_SIG *made = ECDSA_do_sign(digest->data, (int)digest->len, key);
  assert_non_null(made);
  c->key = key;
  c->digest = *digest;
  c->r = magnitude(ECDSA_SIG_get0_r(made));
  c->s = magnitude(ECDSA_SIG_get0_s(made));
  ECDSA_SIG_free(made);
}

static void digest_text(struct claim *c)
{
  c->digest.len = PUBKEY_SHA256_LEN;
  digest_sha256(bytes_of(c->text, sizeof c->text), c->digest.data);
}

static void make_right(struct claim *c)
{
  assert_int_equal(RAND_bytes(c->text, sizeof c->text), 1);
  digest_text(c);
  sign(c, random_key(), &c->digest);
}

static void flip_digest(struct claim *c)
{
  flip(c->digest.data, c->digest.len);
}

static void flip_text(struct claim *c)
{
  flip(c->text, sizeof c->text);
  digest_text(c);
}

static void flip_r(struct claim *c)
{
  flip(c->r.data, c->r.len);
}

static void flip_s(struct claim *c)
{
  flip(c->s.data, c->s.len);
}

static void replace_key(struct claim *c)
{
  EC_KEY_free(c->key);
  c->key = random_key();
}

static void make_over(EC_KEY *key, const BIGNUM *z, const BIGNUM *r, const BIGNUM *s,
                      struct claim *c)
{
  c->key = key;
  c->digest = padded(z, P256_NUMBER_LEN);
  c->r = magnitude(r);
  c->s = magnitude(s);
}

/* With a key that is made for it, so that the sum over a random digest is this point:
 * Q = (1 / u2) * (point - u1 * G), which is (s / r) * point - (z / r) * G. */
static void make_meet(const EC_POINT *point, const BIGNUM *r, const BIGNUM *s, struct claim *c)
{
  AUTO(BIGNUM) z = random_number();
  AUTO(BIGNUM) of_generator = over(z, r);
  AUTO(BIGNUM) of_point = over(s, r);
  AUTO(BIGNUM) minus = negative(of_generator);
  AUTO(EC_POINT) key_point = sum_of(minus, point, of_point);
  make_over(key_at(key_point), z, r, s, c);
}

static void make_right_with(const BIGNUM *s, struct claim *c)
{
  AUTO(EC_POINT) point = random_point();
  AUTO(BIGNUM) r = r_of(point);
  make_meet(point, r, s, c);
}

/* --- who says what of a claim --- */

static bool openssl_says(const struct claim *c)
{
  ECDSA_SIG *signature = ECDSA_SIG_new();
  assert_int_equal(ECDSA_SIG_set0(signature, number_in(&c->r), number_in(&c->s)), 1);
  bool right = ECDSA_do_verify(c->digest.data, (int)c->digest.len, signature, c->key) == 1;
  ECDSA_SIG_free(signature);
  ERR_clear_error();
  return right;
}

static enum p256_verdict verdict_of(struct p256 *judge, const struct claim *c,
                                    const struct p256_inverse *inverse)
{
  return p256_verify(judge, EC_KEY_get0_public_key(c->key), view(&c->digest), view(&c->r),
                     view(&c->s), inverse);
}

static enum p256_verdict p256_says(const struct claim *c, const struct p256_inverse *inverse)
{
  return verdict_of(p256, c, inverse);
}

/* A claim as pubkey.h wants it. */
struct shown {
  uint8_t point[POINT_LEN];
  struct pubkey key;
  struct bytes text;
  struct buf signature;
};

static void shown_free(struct shown *shown)
{
  buf_free(&shown->signature);
}

AUTO_VALUE(shown, struct shown, shown_free)

static void show(const struct claim *c, struct shown *ret_shown)
{
  assert_int_equal(EC_POINT_point2oct(group, EC_KEY_get0_public_key(c->key),
                                      POINT_CONVERSION_UNCOMPRESSED, ret_shown->point, POINT_LEN,
                                      scratch),
                   POINT_LEN);
  ret_shown->key = (struct pubkey){
      .type = KEY_EC_P256, .bits = 256, .key = bytes_of(ret_shown->point, POINT_LEN)};
  ret_shown->text = bytes_of(c->text, sizeof c->text);
  size_t sequence = der_begin(&ret_shown->signature, DER_SEQUENCE);
  der_put_unsigned(&ret_shown->signature, view(&c->r));
  der_put_unsigned(&ret_shown->signature, view(&c->s));
  der_end(&ret_shown->signature, sequence);
}

static bool point_says(const struct claim *c, const struct p256_inverse *inverse)
{
  AUTO(shown) shown = {0};
  show(c, &shown);
  return point_verify(&shown.key, view(&c->digest), view(&c->r), view(&c->s), inverse);
}

static bool pubkey_accepts(const struct shown *shown, const struct p256_inverse *hint)
{
  return pubkey_verify_hinted(&shown->key, SIG_ECDSA_SHA256, shown->text,
                              buf_bytes(&shown->signature), hint);
}

static bool pubkey_says(const struct claim *c, const struct p256_inverse *hint)
{
  AUTO(shown) shown = {0};
  show(c, &shown);
  return pubkey_accepts(&shown, hint);
}

/* By OpenSSL, and by all of ours. */
static void assert_judged(bool right, const struct claim *c, const struct p256_inverse *inverse)
{
  bool in_range = is_in_range(&c->r) && is_in_range(&c->s);
  assert_int_equal(openssl_says(c), right);
  assert_int_equal(p256_says(c, inverse), !in_range ? P256_UNDECIDED
                                          : right   ? P256_RIGHT
                                                    : P256_WRONG);
  assert_int_equal(point_says(c, inverse), right);
  assert_int_equal(point_says(c, NULL), right);
}

static struct p256_inverse invert_s(const struct claim *c)
{
  static const uint8_t companions[TOGETHER] = {1, 2, 3, 4, 5, 6};
  struct p256_inverse inverses[TOGETHER + 1], *ret[TOGETHER + 1];
  struct bytes s[TOGETHER + 1] = {view(&c->s)};
  for (size_t i = 0; i <= TOGETHER; i++) {
    ret[i] = &inverses[i];
    if (i > 0)
      s[i] = bytes_of(&companions[i - 1], 1);
  }
  p256_invert_all(p256, s, ret, ARRAY_LEN(s));
  assert_true(inverses[0].known);
  return inverses[0];
}

static void assert_right(const struct claim *c)
{
  struct p256_inverse inverse = invert_s(c);
  assert_judged(true, c, &inverse);
}

static void assert_wrong(const struct claim *c)
{
  struct p256_inverse inverse = invert_s(c);
  assert_judged(false, c, &inverse);
}

/* --- many at once --- */

enum { CLAIMS = 400 };

struct batch {
  struct claim claims[CLAIMS];
  struct shown shown[CLAIMS];
  struct p256_inverse hints[CLAIMS];
};

static void batch_free(struct batch *b)
{
  for (size_t i = 0; i < CLAIMS; i++) {
    claim_free(&b->claims[i]);
    shown_free(&b->shown[i]);
  }
}

AUTO_VALUE(batch, struct batch, batch_free)

/* Every other one is right. */
static bool is_right(size_t i)
{
  return i % 2 == 0;
}

static void make_batch(void (*change_text)(struct claim *), struct batch *b)
{
  void (*const changes[])(struct claim *) = {change_text, flip_r, flip_s, replace_key};
  for (size_t i = 0; i < CLAIMS; i++) {
    make_right(&b->claims[i]);
    if (!is_right(i))
      changes[i / 2 % ARRAY_LEN(changes)](&b->claims[i]);
    show(&b->claims[i], &b->shown[i]);
  }
}

/* The first n. */
static void hint(struct batch *b, size_t n)
{
  struct pubkey_hint hints[CLAIMS];
  for (size_t i = 0; i < n; i++)
    hints[i] = (struct pubkey_hint){&b->shown[i].key, SIG_ECDSA_SHA256,
                                    buf_bytes(&b->shown[i].signature), &b->hints[i]};
  pubkey_hint_all(hints, n);
}

static void assert_hinted(const struct batch *b, size_t n, bool known)
{
  for (size_t i = 0; i < n; i++)
    assert_int_equal(b->hints[i].known, known);
}

static void a_claim_is_right_when_openssl_says_so(void **state)
{
  AUTO(batch) b = {0};
  (void)state;
  make_batch(flip_digest, &b);
  hint(&b, CLAIMS);
  assert_hinted(&b, CLAIMS, true);
  for (size_t i = 0; i < CLAIMS; i++)
    assert_judged(is_right(i), &b.claims[i], &b.hints[i]);
}

/* Without asserting, for other threads. */
static bool all_verify_as_they_should(const struct batch *b, size_t n)
{
  bool good = true;
  for (size_t i = 0; i < n; i++) {
    good &= pubkey_accepts(&b->shown[i], &b->hints[i]) == is_right(i);
    good &= pubkey_accepts(&b->shown[i], NULL) == is_right(i);
  }
  return good;
}

static void a_hinted_signature_is_right_when_openssl_says_so(void **state)
{
  AUTO(batch) b = {0};
  (void)state;
  make_batch(flip_text, &b);
  for (size_t i = 0; i < CLAIMS; i++)
    assert_int_equal(openssl_says(&b.claims[i]), is_right(i));
  hint(&b, CLAIMS);
  assert_hinted(&b, CLAIMS, true);
  assert_true(all_verify_as_they_should(&b, CLAIMS));
  for (size_t n = 0; n < TOGETHER; n++) {
    hint(&b, n);
    assert_hinted(&b, n, false);
    assert_true(all_verify_as_they_should(&b, n));
  }
}

/* --- inverses --- */

enum { NUMBERS = 200, UNTOUCHED = 0xaa };

struct inversion {
  struct octets s[NUMBERS];
  struct p256_inverse inverses[NUMBERS];
};

static void invert_first(struct inversion *v, size_t n)
{
  struct bytes s[NUMBERS];
  struct p256_inverse *ret[NUMBERS];
  for (size_t i = 0; i < NUMBERS; i++) {
    s[i] = view(&v->s[i]);
    ret[i] = &v->inverses[i];
    *ret[i] = (struct p256_inverse){.known = true, .octets = {UNTOUCHED}};
  }
  p256_invert_all(p256, s, ret, n);
}

static void assert_is_inverse(const struct octets *s, const struct p256_inverse *inverse)
{
  AUTO(BIGNUM) number = number_in(s);
  AUTO(BIGNUM) inverted = BN_bin2bn(inverse->octets, P256_NUMBER_LEN, NULL);
  AUTO(BIGNUM) product = times(number, inverted);
  assert_true(inverse->known);
  assert_true(BN_cmp(inverted, order) < 0);
  assert_true(BN_is_one(product));
}

/* Below the order, of every length, with and without zeros before. */
static struct octets some_number(size_t i)
{
  AUTO(BIGNUM) n = random_number();
  assert_int_equal(BN_rshift(n, n, (int)(i % P256_NUMBER_LEN * 8)), 1);
  if (BN_is_zero(n))
    BN_one(n);
  return i % 3 == 0 ? padded(n, P256_NUMBER_LEN) : magnitude(n);
}

static void make_numbers(struct inversion *v)
{
  for (size_t i = 0; i < NUMBERS; i++)
    v->s[i] = some_number(i);
}

static void assert_unknown(const struct inversion *v, size_t n)
{
  for (size_t i = 0; i < n; i++)
    assert_false(v->inverses[i].known);
}

/* Of those that are left over after whole parts there may be too few. */
static bool must_be_known(size_t i, size_t n)
{
  return i < n - n % PART || n % PART >= TOGETHER;
}

static void a_number_times_its_inverse_is_one(void **state)
{
  static const size_t sizes[] = {6, 7, 63, 64, 65, 70, 200};
  struct inversion v;
  (void)state;
  for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
    make_numbers(&v);
    invert_first(&v, sizes[k]);
    for (size_t i = 0; i < sizes[k]; i++)
      if (must_be_known(i, sizes[k]) || v.inverses[i].known)
        assert_is_inverse(&v.s[i], &v.inverses[i]);
    for (size_t i = sizes[k]; i < NUMBERS; i++)
      assert_int_equal(v.inverses[i].octets[0], UNTOUCHED);
  }
}

static void too_few_stay_unknown(void **state)
{
  struct inversion v;
  (void)state;
  make_numbers(&v);
  for (size_t n = 0; n < TOGETHER; n++) {
    invert_first(&v, n);
    assert_unknown(&v, n);
    assert_int_equal(v.inverses[n].octets[0], UNTOUCHED);
  }
}

enum { NO_NUMBERS = 10 };

/* 0, more than the order less one, more than 32 octets. */
static void make_no_numbers(struct octets ret[NO_NUMBERS])
{
  AUTO(BIGNUM) over_order = BN_dup(order);
  assert_int_equal(BN_add_word(over_order, 1), 1);
  ret[0] = filled(0, 0);
  ret[1] = filled(0, 1);
  ret[2] = filled(0, P256_NUMBER_LEN);
  ret[3] = magnitude(order);
  ret[4] = magnitude(over_order);
  ret[5] = filled(0xff, P256_NUMBER_LEN);
  ret[6] = filled(0x01, P256_NUMBER_LEN + 1);
  ret[7] = padded(over_order, P256_NUMBER_LEN + 1);
  ret[8] = padded(BN_value_one(), P256_NUMBER_LEN + 1);
  ret[9] = filled(0xff, DIGEST_MAX);
}

/* Every `step`-th of the first 64 is none. */
static void mix(struct inversion *v, const struct octets none[NO_NUMBERS], size_t step)
{
  make_numbers(v);
  for (size_t i = 0; i < PART; i += step)
    v->s[i] = none[i / step % NO_NUMBERS];
}

static void what_is_no_s_stays_unknown_among_neighbours_that_are_known(void **state)
{
  struct octets none[NO_NUMBERS];
  struct inversion v;
  (void)state;
  make_no_numbers(none);
  for (size_t step = 2; step < 8; step++) {
    mix(&v, none, step);
    invert_first(&v, PART);
    for (size_t i = 0; i < PART; i++)
      if (i % step == 0)
        assert_false(v.inverses[i].known);
      else
        assert_is_inverse(&v.s[i], &v.inverses[i]);
  }
}

static void too_few_among_what_is_no_s_stay_unknown(void **state)
{
  struct octets none[NO_NUMBERS];
  struct inversion v;
  (void)state;
  make_no_numbers(none);
  for (size_t good = 0; good < TOGETHER; good++) {
    mix(&v, none, 1);
    for (size_t i = 0; i < good; i++)
      v.s[9 * i] = some_number(i);
    invert_first(&v, PART);
    assert_unknown(&v, PART);
  }
}

/* --- inverses that are not the one of s --- */

static struct p256_inverse inverse_in(const struct octets *o)
{
  struct p256_inverse inverse = {.known = true};
  assert_int_equal(o->len, P256_NUMBER_LEN);
  memcpy(inverse.octets, o->data, P256_NUMBER_LEN);
  return inverse;
}

static struct p256_inverse inverse_of_another(void)
{
  AUTO(claim) another = {0};
  make_right(&another);
  return invert_s(&another);
}

static struct p256_inverse negative_inverse(const struct p256_inverse *inverse)
{
  AUTO(BIGNUM) n = BN_bin2bn(inverse->octets, P256_NUMBER_LEN, NULL);
  AUTO(BIGNUM) other = negative(n);
  struct octets o = padded(other, P256_NUMBER_LEN);
  return inverse_in(&o);
}

enum { SPOILT = 8 };

static void spoil(const struct p256_inverse *right, struct p256_inverse ret[SPOILT])
{
  const struct octets others[] = {random_octets(P256_NUMBER_LEN), filled(0, P256_NUMBER_LEN),
                                  padded(BN_value_one(), P256_NUMBER_LEN), magnitude(order),
                                  filled(0xff, P256_NUMBER_LEN)};
  for (size_t i = 0; i < ARRAY_LEN(others); i++)
    ret[i] = inverse_in(&others[i]);
  ret[5] = inverse_of_another();
  ret[6] = negative_inverse(right);
  ret[7] = *right;
  flip(ret[7].octets, P256_NUMBER_LEN);
}

static void assert_no_help(bool right, const struct claim *c, const struct p256_inverse *inverse)
{
  assert_int_equal(openssl_says(c), right);
  assert_int_equal(p256_says(c, inverse), P256_UNDECIDED);
  assert_int_equal(point_says(c, inverse), right);
  assert_int_equal(pubkey_says(c, inverse), right);
}

static void an_inverse_that_is_wrong_or_unknown_decides_nothing(void **state)
{
  static void (*const changes[])(struct claim *) = {flip_text, flip_r, flip_s};
  (void)state;
  for (size_t i = 0; i < 40; i++) {
    AUTO(claim) c = {0};
    struct p256_inverse inverses[SPOILT + 1];
    make_right(&c);
    if (!is_right(i))
      changes[i / 2 % ARRAY_LEN(changes)](&c);
    inverses[SPOILT] = invert_s(&c);
    spoil(&inverses[SPOILT], inverses);
    inverses[SPOILT].known = false;
    for (size_t k = 0; k < ARRAY_LEN(inverses); k++)
      assert_no_help(is_right(i), &c, &inverses[k]);
  }
}

/* Whoever divides by what he is given finds the sum that is wanted. */
static void the_inverse_of_the_right_s_does_not_help_a_wrong_one(void **state)
{
  (void)state;
  for (size_t i = 0; i < 20; i++) {
    AUTO(claim) c = {0};
    make_right(&c);
    struct p256_inverse inverse = invert_s(&c);
    flip_s(&c);
    assert_no_help(false, &c, &inverse);
  }
}

/* It is one modulo the order. */
static void an_inverse_that_is_not_below_the_order_decides_nothing(void **state)
{
  AUTO(claim) c = {0};
  AUTO(BIGNUM) w = small_number();
  AUTO(BIGNUM) s = over(BN_value_one(), w);
  (void)state;
  make_right_with(s, &c);
  BN_add(w, w, order);
  struct octets o = magnitude(w);
  struct p256_inverse inverse = inverse_in(&o);
  assert_int_equal(p256_says(&c, &inverse), P256_UNDECIDED);
  assert_true(point_says(&c, &inverse));
  assert_right(&c);
}

/* --- r and s that are out of range --- */

static void a_number_out_of_range_is_not_decided(void **state)
{
  struct octets none[NO_NUMBERS];
  (void)state;
  make_no_numbers(none);
  for (size_t i = 0; i < 2 * NO_NUMBERS; i++) {
    AUTO(claim) c = {0};
    make_right(&c);
    struct p256_inverse inverse = invert_s(&c);
    *(i % 2 == 0 ? &c.r : &c.s) = none[i / 2];
    assert_judged(false, &c, &inverse);
    assert_false(pubkey_says(&c, &inverse));
  }
}

/* Its inverse is that of s. */
static void s_and_the_order_is_not_taken_for_s(void **state)
{
  (void)state;
  for (size_t i = 0; i < 10; i++) {
    AUTO(claim) c = {0};
    AUTO(BIGNUM) s = small_number();
    make_right_with(s, &c);
    struct p256_inverse inverse = invert_s(&c);
    assert_judged(true, &c, &inverse);
    BN_add(s, s, order);
    c.s = magnitude(s);
    assert_judged(false, &c, &inverse);
  }
}

static void zeros_before_a_number_do_not_change_it(void **state)
{
  (void)state;
  for (size_t i = 0; i < 10; i++) {
    AUTO(claim) c = {0};
    AUTO(BIGNUM) s = small_number();
    make_right_with(s, &c);
    assert_right(&c);
    struct p256_inverse inverse = invert_s(&c);
    c.s = padded(s, P256_NUMBER_LEN + 1);
    assert_judged(true, &c, &inverse);
    c.s = padded(s, P256_NUMBER_LEN);
    assert_right(&c);
    flip_digest(&c);
    assert_wrong(&c);
  }
}

/* --- sums that are seldom met --- */

static void a_sum_at_infinity_is_wrong(void **state)
{
  (void)state;
  for (size_t i = 0; i < 20; i++) {
    AUTO(BIGNUM) d = random_number();
    AUTO(BIGNUM) r = random_number();
    AUTO(BIGNUM) s = random_number();
    AUTO(BIGNUM) product = times(r, d);
    AUTO(BIGNUM) z = negative(product);
    AUTO(claim) c = {0};
    make_over(key_of(d), z, r, s, &c);
    assert_wrong(&c);
  }
}

/* u1 * G is u2 * Q: formulas that add points do not double them. */
static void a_sum_of_two_points_that_are_the_same_is_right(void **state)
{
  (void)state;
  for (size_t i = 0; i < 20; i++) {
    AUTO(BIGNUM) d = random_number();
    AUTO(BIGNUM) u1 = random_number();
    AUTO(BIGNUM) twice = BN_new();
    assert_int_equal(BN_mod_add(twice, u1, u1, order, scratch), 1);
    AUTO(EC_POINT) point = sum_of(twice, NULL, NULL);
    AUTO(BIGNUM) r = r_of(point);
    AUTO(BIGNUM) z = times(r, d);
    AUTO(BIGNUM) s = over(z, u1);
    AUTO(claim) c = {0};
    make_over(key_of(d), z, r, s, &c);
    assert_right(&c);
    flip_digest(&c);
    assert_wrong(&c);
  }
}

static void an_x_that_is_not_below_the_order_counts_modulo_the_order(void **state)
{
  AUTO(BIGNUM) x = BN_dup(order);
  (void)state;
  for (size_t i = 0; i < 20; i++) {
    BN_add_word(x, 1);
    AUTO(claim) c = {0};
    AUTO(EC_POINT) point = next_point(x);
    AUTO(BIGNUM) r = r_of(point);
    AUTO(BIGNUM) s = random_number();
    assert_int_equal(BN_cmp(x, order), 1);
    make_meet(point, r, s, &c);
    assert_right(&c);
    c.r = magnitude(x);
    assert_wrong(&c);
    BN_add_word(r, 1);
    c.r = magnitude(r);
    assert_wrong(&c);
  }
}

/* r and the order are more than the prime, and x modulo the prime. */
static void r_and_the_order_do_not_count_modulo_the_prime(void **state)
{
  AUTO(BIGNUM) x = BN_new();
  (void)state;
  for (size_t i = 0; i < 20; i++) {
    AUTO(claim) c = {0};
    AUTO(EC_POINT) point = next_point(x);
    AUTO(BIGNUM) r = BN_dup(x);
    AUTO(BIGNUM) s = random_number();
    BN_add(r, r, prime);
    BN_sub(r, r, order);
    make_meet(point, r, s, &c);
    assert_wrong(&c);
    BN_add_word(x, 1);
  }
}

/* --- digests of other lengths and extremes --- */

static void a_digest_counts_as_by_openssl(void **state)
{
  const struct octets digests[] = {
      filled(0, 32),     filled(0xff, 32),  magnitude(order),  filled(0, 64),
      filled(0xff, 64),  filled(0, 0),      random_octets(1),  random_octets(20),
      random_octets(31), random_octets(33), random_octets(48), random_octets(64),
  };
  (void)state;
  for (size_t i = 0; i < 5 * ARRAY_LEN(digests); i++) {
    const struct octets *digest = &digests[i % ARRAY_LEN(digests)];
    AUTO(claim) c = {0};
    sign(&c, random_key(), digest);
    assert_right(&c);
    if (digest->len > P256_NUMBER_LEN) {
      flip(c.digest.data + P256_NUMBER_LEN, digest->len - P256_NUMBER_LEN);
      assert_right(&c);
    }
    if (digest->len > 0) {
      flip(c.digest.data, digest->len < P256_NUMBER_LEN ? digest->len : P256_NUMBER_LEN);
      assert_wrong(&c);
    }
  }
}

/* --- certification requests --- */

enum { REQUESTS = 160, KINDS = 4 };

struct request {
  struct buf der;
  struct csr csr;
};

struct requests {
  struct request of[REQUESTS];
};

static void requests_free(struct requests *r)
{
  for (size_t i = 0; i < REQUESTS; i++) {
    csr_free(&r->of[i].csr);
    buf_free(&r->of[i].der);
  }
}

AUTO_VALUE(requests, struct requests, requests_free)

static void write_csr(const struct private_key *key, struct buf *out)
{
  AUTO(buf) subject = {0};
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  struct name_part part = {ATTR_COMMON_NAME, bytes_of_text("w-1001")};
  assert_true(name_write(&part, 1, &subject, &f));
  assert_true(private_key_write_csr(key, buf_bytes(&subject), &names, out, &f));
}

/* Of three, in turns: right, another subject, another signature. Each kind of key has each. */
static void tamper(struct buf *der, size_t i)
{
  uint8_t *name = memmem(der->data, der->len, "w-1001", 6);
  assert_non_null(name);
  if (i % 3 == 1)
    name[5] ^= 2;
  if (i % 3 == 2)
    der->data[der->len - 1] ^= 1;
}

static void make_requests(size_t n_kinds, size_t n, struct requests *r)
{
  static const char *const kinds[KINDS] = {"ec-p256", "ec-p384", "rsa-2048", "ed25519"};
  struct private_key *keys[KINDS];
  AUTO(fault) f = {0};
  for (size_t k = 0; k < n_kinds; k++)
    assert_true(private_key_generate(kinds[k], &keys[k], &f));
  for (size_t i = 0; i < n; i++) {
    write_csr(keys[i % n_kinds], &r->of[i].der);
    tamper(&r->of[i].der, i);
    assert_true(csr_read(buf_bytes(&r->of[i].der), &r->of[i].csr, &f));
  }
  for (size_t k = 0; k < n_kinds; k++)
    private_key_free(keys[k]);
}

static void assert_proofs(const struct requests *r, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    AUTO(fault) f = {0};
    assert_int_equal(csr_verify(&r->of[i].csr, &f), i % 3 == 0);
    assert_true(i % 3 == 0 || f.code == FAULT_BAD_PROOF_OF_POSSESSION);
  }
}

static void hint_requests(struct requests *r, size_t n)
{
  struct csr *csrs[REQUESTS];
  for (size_t i = 0; i < n; i++)
    csrs[i] = &r->of[i].csr;
  csr_hint_all(csrs, n);
}

static void assert_hints_do_not_change_proofs(size_t n_kinds, size_t n, bool p256_known)
{
  AUTO(requests) r = {0};
  make_requests(n_kinds, n, &r);
  assert_proofs(&r, n);
  hint_requests(&r, n);
  assert_proofs(&r, n);
  for (size_t i = 0; i < n; i++)
    assert_int_equal(r.of[i].csr.hint.known, p256_known && r.of[i].csr.key.type == KEY_EC_P256);
}

static void hints_do_not_change_what_requests_prove(void **state)
{
  (void)state;
  assert_hints_do_not_change_proofs(KINDS, REQUESTS, true);
  assert_hints_do_not_change_proofs(KINDS, 8 * KINDS, true);
  assert_hints_do_not_change_proofs(1, 8, true);
  assert_hints_do_not_change_proofs(1, TOGETHER - 1, false);
  csr_hint_all(NULL, 0);
}

static void a_signature_that_cannot_be_read_has_no_hint(void **state)
{
  AUTO(requests) r = {0};
  AUTO(fault) f = {0};
  (void)state;
  make_requests(1, 10, &r);
  r.of[6].csr.signature.len--;
  hint_requests(&r, 10);
  for (size_t i = 0; i < 10; i++)
    assert_int_equal(r.of[i].csr.hint.known, i != 6);
  assert_false(csr_verify(&r.of[6].csr, &f));
}

/* --- threads --- */

enum { THREADS = 4 };

static void *hint_in_a_thread(void *object)
{
  hint(object, CLAIMS);
  return object;
}

/* First without an object for hints, and then with one. */
static void *verify_in_a_thread(void *object)
{
  bool good = all_verify_as_they_should(object, CLAIMS);
  point_invert_all(NULL, NULL, 0);
  good &= all_verify_as_they_should(object, CLAIMS);
  return good ? object : NULL;
}

static void *verify_with_an_object_of_its_own(void *object)
{
  const struct batch *b = object;
  struct p256 *own = p256_new();
  bool good = own != NULL;
  for (size_t i = 0; good && i < CLAIMS; i++)
    good = verdict_of(own, &b->claims[i], &b->hints[i]) == (is_right(i) ? P256_RIGHT : P256_WRONG);
  p256_free(own);
  return good ? object : NULL;
}

static void run_in_threads(void *(*work)(void *), size_t n, struct batch *b)
{
  pthread_t threads[THREADS];
  for (size_t i = 0; i < n; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, work, b), 0);
  for (size_t i = 0; i < n; i++) {
    void *good = NULL;
    assert_int_equal(pthread_join(threads[i], &good), 0);
    assert_ptr_equal(good, b);
  }
}

static void a_hint_is_good_in_other_threads(void **state)
{
  AUTO(batch) b = {0};
  (void)state;
  make_batch(flip_text, &b);
  hint(&b, CLAIMS);
  assert_hinted(&b, CLAIMS, true);
  run_in_threads(verify_in_a_thread, THREADS, &b);
  run_in_threads(verify_with_an_object_of_its_own, THREADS, &b);
}

static void a_hint_outlives_its_thread(void **state)
{
  AUTO(batch) b = {0};
  (void)state;
  make_batch(flip_text, &b);
  run_in_threads(hint_in_a_thread, 1, &b);
  assert_hinted(&b, CLAIMS, true);
  assert_true(all_verify_as_they_should(&b, CLAIMS));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_claim_is_right_when_openssl_says_so),
      cmocka_unit_test(a_hinted_signature_is_right_when_openssl_says_so),
      cmocka_unit_test(a_number_times_its_inverse_is_one),
      cmocka_unit_test(too_few_stay_unknown),
      cmocka_unit_test(what_is_no_s_stays_unknown_among_neighbours_that_are_known),
      cmocka_unit_test(too_few_among_what_is_no_s_stay_unknown),
      cmocka_unit_test(an_inverse_that_is_wrong_or_unknown_decides_nothing),
      cmocka_unit_test(the_inverse_of_the_right_s_does_not_help_a_wrong_one),
      cmocka_unit_test(an_inverse_that_is_not_below_the_order_decides_nothing),
      cmocka_unit_test(a_number_out_of_range_is_not_decided),
      cmocka_unit_test(s_and_the_order_is_not_taken_for_s),
      cmocka_unit_test(zeros_before_a_number_do_not_change_it),
      cmocka_unit_test(a_sum_at_infinity_is_wrong),
      cmocka_unit_test(a_sum_of_two_points_that_are_the_same_is_right),
      cmocka_unit_test(an_x_that_is_not_below_the_order_counts_modulo_the_order),
      cmocka_unit_test(r_and_the_order_do_not_count_modulo_the_prime),
      cmocka_unit_test(a_digest_counts_as_by_openssl),
      cmocka_unit_test(hints_do_not_change_what_requests_prove),
      cmocka_unit_test(a_signature_that_cannot_be_read_has_no_hint),
      cmocka_unit_test(a_hint_is_good_in_other_threads),
      cmocka_unit_test(a_hint_outlives_its_thread),
  };
  return cmocka_run_group_tests(tests, start, end);
}
