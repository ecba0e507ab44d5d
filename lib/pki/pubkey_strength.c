/* pubkey_strength.c - see pubkey.h: is this key fit to be certified? The cheap questions come
 * first; an RSA key of 4096 bits takes about a millisecond. */
#include <pthread.h>

#include "lib/pki/evp.h"
#include "lib/pki/point.h"

enum {
  RSA_BITS_MIN = 2048,
  RSA_BITS_MAX = 4096,
  EXPONENT_MIN = 65537,
  SIEVE_MAX = 10000,
  PRIMES_MAX = 1229,    /* below SIEVE_MAX */
  ROCA_PRIME_MAX = 701, /* the 126th */
  FERMAT_ROUNDS = 100,
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static uint16_t primes[PRIMES_MAX]; /* without 2 */
static size_t n_primes;

static void find_primes(void)
{
  static bool composite[SIEVE_MAX];
  for (uint32_t i = 3; i < SIEVE_MAX; i += 2) {
    if (composite[i])
      continue;
    primes[n_primes++] = (uint16_t)i;
    for (uint32_t k = i * i; k < SIEVE_MAX; k += 2 * i)
      composite[k] = true;
  }
}

static uint32_t remainder_of(struct bytes magnitude, uint32_t divisor)
{
  uint64_t rest = 0;
  size_t i = 0;
  for (; i < magnitude.len % 4; i++)
    rest = (rest << 8 | magnitude.data[i]) % divisor;
  for (const uint8_t *p = magnitude.data + i; i < magnitude.len; i += 4, p += 4) {
    uint32_t word = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    rest = (rest << 32 | word) % divisor;
  }
  return (uint32_t)rest;
}

/* One long division for as many primes as fit into 32 bits together. Returns 0 for none. */
static uint32_t small_factor(struct bytes modulus)
{
  size_t from = 0;
  while (from < n_primes) {
    uint32_t product = 1;
    size_t to = from;
    while (to < n_primes && product <= UINT32_MAX / primes[to])
      product *= primes[to++];
    uint32_t rest = remainder_of(modulus, product);
    for (; from < to; from++)
      if (rest % primes[from] == 0)
        return primes[from];
  }
  return 0;
}

/* Is `rest` a power of 65537 modulo this prime? */
static bool is_power_of_f4(uint32_t rest, uint32_t prime)
{
  uint32_t power = 1;
  do {
    if (power == rest)
      return true;
    power = power * (EXPONENT_MIN % prime) % prime;
  } while (power != 1);
  return false;
}

/* ROCA (CVE-2017-15361): the primes that certain smart cards made are powers of 65537 modulo the
 * product of the first primes (126 of them, or more, from 1984 bits on), and so is the modulus. Of
 * the moduli made well, one in 2^167 passes for such a power. */
static bool has_roca_fingerprint(struct bytes modulus)
{
  for (size_t i = 0; i < n_primes && primes[i] <= ROCA_PRIME_MAX; i++)
    if (!is_power_of_f4(remainder_of(modulus, primes[i]), primes[i]))
      return false;
  return true;
}

/* --- Fermat: a modulus whose primes are close is a difference of two squares that are soon found
 * (CVE-2022-26320) --- */

/* The integer square root, by Newton from above. */
static bool square_root(BIGNUM *root, const BIGNUM *n, BN_CTX *ctx)
{
  AUTO(BIGNUM) next = BN_new();
  BN_zero(root);
  if (next == NULL || BN_set_bit(root, (BN_num_bits(n) + 1) / 2) != 1)
    return false;
  for (;;) {
    if (BN_div(next, NULL, n, root, ctx) != 1 || BN_add(next, next, root) != 1 ||
        BN_rshift1(next, next) != 1)
      return false;
    if (BN_cmp(next, root) >= 0)
      return true;
    if (BN_copy(root, next) == NULL)
      return false;
  }
}

/* Most numbers that are no squares are none modulo one of these either. */
static bool may_be_square(const BIGNUM *n)
{
  static const uint32_t moduli[] = {64, 63, 65, 11};
  for (size_t i = 0; i < ARRAY_LEN(moduli); i++) {
    uint32_t rest = (uint32_t)BN_mod_word(n, moduli[i]), x = 0;
    while (x < moduli[i] && x * x % moduli[i] != rest)
      x++;
    if (x == moduli[i])
      return false;
  }
  return true;
}

static bool is_square(const BIGNUM *n, BN_CTX *ctx, bool *ret_is)
{
  AUTO(BIGNUM) root = BN_new();
  *ret_is = false;
  if (BN_is_zero(n) || !may_be_square(n)) {
    *ret_is = BN_is_zero(n);
    return true;
  }
  if (root == NULL || !square_root(root, n, ctx) || BN_sqr(root, root, ctx) != 1)
    return false;
  *ret_is = BN_cmp(root, n) == 0;
  return true;
}

/* Looks for a with a^2 - n = b^2, from the root of n upwards. False when memory is short. */
static bool fermat(const BIGNUM *n, BN_CTX *ctx, bool *ret_close)
{
  AUTO(BIGNUM) a = BN_new();
  AUTO(BIGNUM) rest = BN_new();
  AUTO(BIGNUM) step = BN_new();
  if (a == NULL || rest == NULL || step == NULL || !square_root(a, n, ctx) ||
      BN_add_word(a, 1) != 1 || BN_sqr(rest, a, ctx) != 1 || BN_sub(rest, rest, n) != 1 ||
      BN_lshift1(step, a) != 1 || BN_add_word(step, 1) != 1)
    return false;
  *ret_close = false;
  for (int i = 0; i < FERMAT_ROUNDS && !*ret_close; i++)
    if (!is_square(rest, ctx, ret_close) || BN_add(rest, rest, step) != 1 ||
        BN_add_word(step, 2) != 1)
      return false;
  return true;
}

static bool check_primes_are_apart(struct bytes modulus, struct fault *f)
{
  AUTO(BN_CTX) ctx = BN_CTX_new();
  AUTO(BIGNUM) n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
  bool close, square;
  if (ctx == NULL || n == NULL || !is_square(n, ctx, &square) || !fermat(n, ctx, &close))
    return fault_no_memory(f);
  if (square || close)
    return fault_set(f, WEAK_KEY, "the RSA key's primes are too close to each other");
  return true;
}

static bool check_exponent(struct bytes exponent, struct fault *f)
{
  uint64_t number = 0;
  if (exponent.len > sizeof number)
    return fault_set(f, WEAK_KEY, "the RSA exponent has more than 64 bits");
  for (size_t i = 0; i < exponent.len; i++)
    number = number << 8 | exponent.data[i];
  if (number < EXPONENT_MIN || number % 2 == 0)
    return fault_set(f, WEAK_KEY, "the RSA exponent is %llu; it must be odd and at least %d",
                     (unsigned long long)number, EXPONENT_MIN);
  return true;
}

static bool check_rsa(const struct pubkey *key, struct fault *f)
{
  struct bytes n = key->modulus;
  if (key->bits < RSA_BITS_MIN || key->bits > RSA_BITS_MAX)
    return fault_set(f, WEAK_KEY, "the RSA key has %u bits; it must have %d to %d", key->bits,
                     RSA_BITS_MIN, RSA_BITS_MAX);
  if (n.data[n.len - 1] % 2 == 0)
    return fault_set(f, WEAK_KEY, "the RSA modulus is even");
  if (!check_exponent(key->exponent, f))
    return false;
  if (pthread_once(&once, find_primes) != 0)
    return fault_no_memory(f);
  uint32_t factor = small_factor(n);
  if (factor != 0)
    return fault_set(f, WEAK_KEY, "the RSA modulus has the factor %u", factor);
  if (has_roca_fingerprint(n))
    return fault_set(f, WEAK_KEY, "the RSA key has the ROCA fingerprint (CVE-2017-15361)");
  return check_primes_are_apart(n, f);
}

static bool check_point(const struct pubkey *key, struct fault *f)
{
  return point_is_on_curve(key) || fault_set(f, WEAK_KEY, "the EC point is not on the curve");
}

/* The y coordinates (little-endian) of the points whose order is at most 8: anybody can make a
 * signature for these keys. */
static const uint8_t small_orders[][32] = {
    {0},
    {1},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

/* RFC 8032, 5.1.3: y is less than 2^255 - 19. */
static bool is_reduced(const uint8_t y[32])
{
  if (y[31] != 0x7f || y[0] < 0xed)
    return true;
  for (size_t i = 1; i < 31; i++)
    if (y[i] != 0xff)
      return true;
  return false;
}

static bool check_ed25519(const struct pubkey *key, struct fault *f)
{
  uint8_t y[32];
  memcpy(y, key->key.data, sizeof y);
  y[31] &= 0x7f; /* the top bit is the sign of x */
  if (!is_reduced(y))
    return fault_set(f, WEAK_KEY, "the Ed25519 key is not a point in its one encoding");
  for (size_t i = 0; i < ARRAY_LEN(small_orders); i++)
    if (memcmp(y, small_orders[i], sizeof y) == 0)
      return fault_set(f, WEAK_KEY, "the Ed25519 key is a point of small order");
  return true;
}

bool pubkey_check_strength(const struct pubkey *key, struct fault *f)
{
  static bool (*const checks[KEY_TYPE_COUNT])(const struct pubkey *, struct fault *) = {
      [KEY_EC_P256] = check_point, [KEY_EC_P384] = check_point,   [KEY_EC_P521] = check_point,
      [KEY_RSA] = check_rsa,       [KEY_ED25519] = check_ed25519,
  };
  return checks[key->type](key, f);
}
