/* test_pubkey.c - public keys: read, judged, verified with; the peer is OpenSSL's own key maker. */
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/der.h"
#include "lib/pki/evp.h"
#include "lib/pki/oid.h"

struct sample {
  enum key_type type;
  EVP_PKEY *key;
  struct buf spki;
};

static struct sample samples[KEY_TYPE_COUNT];

static EVP_PKEY *generate(enum key_type type)
{
  switch (type) {
  case KEY_EC_P256:
    return EVP_EC_gen("P-256");
  case KEY_EC_P384:
    return EVP_EC_gen("P-384");
  case KEY_EC_P521:
    return EVP_EC_gen("P-521");
  case KEY_RSA:
    return EVP_RSA_gen(2048);
  default:
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  }
}

static void spki_of(EVP_PKEY *key, struct buf *out)
{
  uint8_t *der = NULL;
  int len = i2d_PUBKEY(key, &der);
  assert_true(len > 0);
  buf_add(out, der, (size_t)len);
  OPENSSL_free(der);
}

static int make_samples(void **state)
{
  (void)state;
  for (int i = 0; i < KEY_TYPE_COUNT; i++) {
    samples[i].type = (enum key_type)i;
    samples[i].key = generate((enum key_type)i);
    assert_non_null(samples[i].key);
    spki_of(samples[i].key, &samples[i].spki);
  }
  return 0;
}

static int free_samples(void **state)
{
  (void)state;
  for (int i = 0; i < KEY_TYPE_COUNT; i++) {
    EVP_PKEY_free(samples[i].key);
    buf_free(&samples[i].spki);
  }
  return 0;
}

static void sign(EVP_PKEY *key, const char *digest, struct bytes octets, struct buf *out)
{
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  uint8_t signature[1024];
  size_t len = sizeof signature;
  assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL), 1);
  assert_int_equal(EVP_DigestSign(ctx, signature, &len, octets.data, octets.len), 1);
  buf_add(out, signature, len);
  EVP_MD_CTX_free(ctx);
}

static const struct {
  enum sig_alg alg;
  const char *digest, *name;
} algs[] = {
    {SIG_ECDSA_SHA256, "SHA256", "ecdsa-with-SHA256"},
    {SIG_ECDSA_SHA384, "SHA384", "ecdsa-with-SHA384"},
    {SIG_ECDSA_SHA512, "SHA512", "ecdsa-with-SHA512"},
    {SIG_RSA_SHA256, "SHA256", "sha256WithRSAEncryption"},
    {SIG_RSA_SHA384, "SHA384", "sha384WithRSAEncryption"},
    {SIG_RSA_SHA512, "SHA512", "sha512WithRSAEncryption"},
    {SIG_ED25519, NULL, "Ed25519"},
};

static bool fits(enum sig_alg alg, enum key_type type)
{
  if (alg == SIG_ED25519)
    return type == KEY_ED25519;
  return alg >= SIG_RSA_SHA256 ? type == KEY_RSA : type <= KEY_EC_P521;
}

static struct pubkey read_sample(const struct sample *s)
{
  AUTO(fault) f = {0};
  struct pubkey key = {0};
  if (!pubkey_read(buf_bytes(&s->spki), &key, &f))
    fail_msg("%s", f.detail);
  return key;
}

static void every_type_of_key_is_read_and_strong(void **state)
{
  static const struct {
    const char *name;
    unsigned bits;
  } expected[] = {
      {"ec-p256", 256}, {"ec-p384", 384}, {"ec-p521", 521}, {"rsa", 2048}, {"ed25519", 255}};
  (void)state;
  for (int i = 0; i < KEY_TYPE_COUNT; i++) {
    AUTO(fault) f = {0};
    struct pubkey key = read_sample(&samples[i]);
    enum key_type named = KEY_TYPE_COUNT;
    assert_int_equal(key.type, i);
    assert_int_equal(key.bits, expected[i].bits);
    assert_string_equal(key_type_name(key.type), expected[i].name);
    assert_true(key_type_named(bytes_of_text(expected[i].name), &named));
    assert_int_equal(named, i);
    assert_true(bytes_equal(key.spki, buf_bytes(&samples[i].spki)));
    assert_true(pubkey_check_strength(&key, &f));
  }
  enum key_type none;
  assert_false(key_type_named(bytes_of_text("dsa"), &none));
}

static void a_signature_verifies_with_its_own_key_algorithm_and_text_only(void **state)
{
  struct bytes text = bytes_of_text("to be signed"), other = bytes_of_text("to be signeD");
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(algs); i++)
    for (int t = 0; t < KEY_TYPE_COUNT; t++) {
      if (!fits(algs[i].alg, (enum key_type)t))
        continue;
      AUTO(buf) signature = {0};
      sign(samples[t].key, algs[i].digest, text, &signature);
      for (int k = 0; k < KEY_TYPE_COUNT; k++)
        for (size_t a = 0; a < ARRAY_LEN(algs); a++) {
          struct pubkey key = read_sample(&samples[k]);
          assert_int_equal(pubkey_verify(&key, algs[a].alg, text, buf_bytes(&signature)),
                           k == t && a == i);
          assert_false(pubkey_verify(&key, algs[a].alg, other, buf_bytes(&signature)));
        }
    }
}

static void a_changed_signature_never_verifies(void **state)
{
  struct bytes text = bytes_of_text("to be signed");
  (void)state;
  for (int t = 0; t < KEY_TYPE_COUNT; t++) {
    AUTO(buf) signature = {0};
    struct pubkey key = read_sample(&samples[t]);
    size_t a = t == KEY_RSA ? SIG_RSA_SHA256 : t == KEY_ED25519 ? SIG_ED25519 : SIG_ECDSA_SHA256;
    sign(samples[t].key, algs[a].digest, text, &signature);
    for (size_t i = 0; i < signature.len; i++) {
      signature.data[i] ^= 1;
      assert_false(pubkey_verify(&key, algs[a].alg, text, buf_bytes(&signature)));
      signature.data[i] ^= 1;
      assert_false(pubkey_verify(&key, algs[a].alg, text, bytes_of(signature.data, i)));
    }
    assert_true(pubkey_verify(&key, algs[a].alg, text, buf_bytes(&signature)));
    buf_add_u8(&signature, 0);
    assert_false(pubkey_verify(&key, algs[a].alg, text, buf_bytes(&signature)));
  }
}

static void *verify_in_a_thread(void *object)
{
  struct bytes signature = buf_bytes(object), text = bytes_of_text("to be signed");
  intptr_t good = 1;
  for (int i = 0; i < 200; i++) {
    /* Two keys of one curve take turns in the thread's one key object. */
    struct pubkey key = read_sample(&samples[KEY_EC_P256]), wrong = key;
    uint8_t generator[65];
    size_t len;
    assert_true(text_unhex(bytes_of_text("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a1394"
                                         "5d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ece"
                                         "cbb6406837bf51f5"),
                           generator, sizeof generator, &len));
    wrong.key = bytes_of(generator, len);
    good &= pubkey_verify(&key, SIG_ECDSA_SHA256, text, signature);
    good &= !pubkey_verify(&wrong, SIG_ECDSA_SHA256, text, signature);
  }
  return (void *)good;
}

static void threads_verify_side_by_side(void **state)
{
  AUTO(buf) signature = {0};
  pthread_t threads[4];
  (void)state;
  sign(samples[KEY_EC_P256].key, "SHA256", bytes_of_text("to be signed"), &signature);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, verify_in_a_thread, &signature), 0);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
    void *good = NULL;
    assert_int_equal(pthread_join(threads[i], &good), 0);
    assert_ptr_equal(good, (void *)1);
  }
}

/* SEQUENCE { r, s } with the given contents, verified by a P-256 key. */
static bool takes_ecdsa(const char *hex)
{
  struct pubkey key = read_sample(&samples[KEY_EC_P256]);
  uint8_t octets[200];
  size_t len;
  assert_true(text_unhex(bytes_of_text(hex), octets, sizeof octets, &len));
  return pubkey_verify(&key, SIG_ECDSA_SHA256, bytes_of_text("x"), bytes_of(octets, len));
}

/* SEQUENCE { r, s }, the first with octets before it. */
static void write_ecdsa(struct bytes before, struct bytes r, struct bytes s, struct buf *out)
{
  AUTO(buf) longer = {0};
  buf_clear(out);
  buf_add_bytes(&longer, before);
  buf_add_bytes(&longer, r);
  size_t sequence = der_begin(out, DER_SEQUENCE);
  der_put(out, DER_INTEGER, buf_bytes(&longer));
  der_put_unsigned(out, s);
  der_end(out, sequence);
}

/* r as it is, r with octets before it that make another number of it, or none that DER has: the
 * first alone verifies. OpenSSL's own verifier says the same of each. */
static void a_number_in_another_form_is_refused(void **state)
{
  static const struct {
    const char *before;
    size_t len;
  } cases[] = {
      {"", 0},
      {"\0\0", 2},
      {"\1", 1},
      {"\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 40},
      {"\xff", 1},
  };
  struct bytes text = bytes_of_text("to be signed");
  (void)state;
  for (int t = KEY_EC_P256; t <= KEY_EC_P521; t++)
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
      AUTO(buf) made = {0}, signature = {0};
      struct pubkey key = read_sample(&samples[t]);
      struct bytes r, s;
      sign(samples[t].key, "SHA256", text, &made);
      struct der all = der_of(buf_bytes(&made)), body;
      assert_true(der_enter(&all, DER_SEQUENCE, &body) && der_take_unsigned(&body, &r) &&
                  der_take_unsigned(&body, &s));
      bool pads = (r.data[0] & 0x80) != 0;
      write_ecdsa(i == 0 && pads ? bytes_of("", 1) : bytes_of(cases[i].before, cases[i].len), r, s,
                  &signature);
      assert_int_equal(pubkey_verify(&key, SIG_ECDSA_SHA256, text, buf_bytes(&signature)), i == 0);
      EVP_MD_CTX *ctx = EVP_MD_CTX_new();
      assert_int_equal(
          EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, samples[t].key, NULL), 1);
      assert_int_equal(
          EVP_DigestVerify(ctx, signature.data, signature.len, text.data, text.len) == 1, i == 0);
      EVP_MD_CTX_free(ctx);
    }
}

static void an_ecdsa_signature_of_odd_form_is_refused(void **state)
{
  static const char *const forms[] = {"",
                                      "30",
                                      "3000",
                                      "3006020100020100",
                                      "3006020101020100",
                                      "3006020181020101",
                                      "300702020001020101",
                                      "30060201010201",
                                      "30800201010201010000",
                                      "300602010102010100",
                                      "3009020101020101020101"};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(forms); i++)
    assert_false(takes_ecdsa(forms[i]));
}

static void algorithm_identifiers_have_one_form_each(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
    AUTO(buf) der = {0};
    enum sig_alg read = SIG_ALG_COUNT;
    sig_alg_write(algs[i].alg, &der);
    assert_true(sig_alg_read(buf_bytes(&der), &read));
    assert_int_equal(read, algs[i].alg);
    assert_string_equal(sig_alg_name(read), algs[i].name);
    buf_add_u8(&der, 0);
    assert_false(sig_alg_read(buf_bytes(&der), &read));
    /* ECDSA with NULL, RSA without. */
    AUTO(buf) wrong = {0};
    bool rsa = algs[i].alg >= SIG_RSA_SHA256 && algs[i].alg <= SIG_RSA_SHA512;
    buf_add(&wrong, der.data, der.len - 1 - (rsa ? 2 : 0));
    if (!rsa)
      buf_add(&wrong, (const uint8_t[]){5, 0}, 2);
    wrong.data[1] = (uint8_t)(wrong.len - 2);
    assert_false(sig_alg_read(buf_bytes(&wrong), &read));
  }
}

/* --- keys made to measure --- */

static void make_rsa(const char *modulus_hex, uint64_t exponent, struct buf *out)
{
  uint8_t modulus[1024];
  size_t len;
  AUTO(buf) key = {0};
  assert_true(text_unhex(bytes_of_text(modulus_hex), modulus, sizeof modulus, &len));
  size_t body = der_begin(&key, DER_SEQUENCE);
  der_put_unsigned(&key, bytes_of(modulus, len));
  der_put_number(&key, exponent);
  der_end(&key, body);
  size_t spki = der_begin(out, DER_SEQUENCE);
  size_t alg = der_begin(out, DER_SEQUENCE);
  der_put_oid(out, OID_RSA);
  der_put(out, DER_NULL, bytes_of(NULL, 0));
  der_end(out, alg);
  der_put_bit_octets(out, buf_bytes(&key));
  der_end(out, spki);
}

static void assert_weak(const struct buf *spki, const char *because)
{
  AUTO(fault) f = {0};
  struct pubkey key;
  assert_true(pubkey_read(buf_bytes(spki), &key, &f));
  assert_false(pubkey_check_strength(&key, &f));
  assert_int_equal(f.code, FAULT_WEAK_KEY);
  if (strstr(f.detail, because) == NULL)
    fail_msg("\"%s\" does not say \"%s\"", f.detail, because);
}

static char *product(const BIGNUM *p, const BIGNUM *q)
{
  AUTO(BN_CTX) ctx = BN_CTX_new();
  AUTO(BIGNUM) n = BN_new();
  assert_int_equal(BN_mul(n, p, q, ctx), 1);
  return BN_bn2hex(n);
}

static void assert_weak_modulus(const BIGNUM *p, const BIGNUM *q, const char *because)
{
  AUTO(buf) spki = {0};
  char *hex = product(p, q);
  make_rsa(hex, 65537, &spki);
  OPENSSL_free(hex);
  assert_weak(&spki, because);
}

static void primes_that_are_close_are_found(void **state)
{
  AUTO(BIGNUM) p = BN_new();
  AUTO(BIGNUM) q = BN_new();
  AUTO(BN_CTX) ctx = BN_CTX_new();
  (void)state;
  assert_int_equal(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL), 1);
  BN_copy(q, p);
  assert_weak_modulus(p, q, "close");
  do
    BN_add_word(q, 2);
  while (BN_check_prime(q, ctx, NULL) != 1);
  assert_weak_modulus(p, q, "close");
  /* Apart by 2^515: not the first round finds them. */
  BN_one(q);
  BN_lshift(q, q, 515);
  BN_add(q, q, p);
  while (BN_check_prime(q, ctx, NULL) != 1)
    BN_add_word(q, 2);
  assert_weak_modulus(p, q, "close");
}

static void a_small_factor_is_found(void **state)
{
  AUTO(BIGNUM) p = BN_new();
  AUTO(BIGNUM) q = BN_new();
  static const BN_ULONG factors[] = {3, 5, 251, 4999, 9973};
  (void)state;
  assert_int_equal(BN_generate_prime_ex(p, 2050, 0, NULL, NULL, NULL), 1);
  for (size_t i = 0; i < ARRAY_LEN(factors); i++) {
    char because[40];
    BN_set_word(q, factors[i]);
    snprintf(because, sizeof because, "the factor %lu", (unsigned long)factors[i]);
    assert_weak_modulus(p, q, because);
  }
}

/* A prime of the shape k * M + (65537^a mod M), as the broken library made them. */
static void roca_prime(BIGNUM *prime, BN_CTX *ctx)
{
  AUTO(BIGNUM) m = BN_new();
  AUTO(BIGNUM) k = BN_new();
  AUTO(BIGNUM) f4 = BN_new();
  BN_one(m);
  for (BN_ULONG p = 2, n = 0; n < 126; p++) {
    bool is_prime = true;
    for (BN_ULONG d = 2; d * d <= p; d++)
      is_prime &= p % d != 0;
    if (is_prime) {
      BN_mul_word(m, p);
      n++;
    }
  }
  BN_set_word(f4, 65537);
  do {
    assert_int_equal(BN_rand(k, 16, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY), 1);
    assert_int_equal(BN_mod_exp(prime, f4, k, m, ctx), 1);
    assert_int_equal(BN_rand(k, 1024 - BN_num_bits(m) + 1, BN_RAND_TOP_TWO, BN_RAND_BOTTOM_ANY), 1);
    BN_mul(k, k, m, ctx);
    BN_add(prime, prime, k);
  } while (BN_check_prime(prime, ctx, NULL) != 1);
}

static void the_roca_fingerprint_is_found(void **state)
{
  AUTO(BIGNUM) p = BN_new();
  AUTO(BIGNUM) q = BN_new();
  AUTO(BN_CTX) ctx = BN_CTX_new();
  (void)state;
  roca_prime(p, ctx);
  roca_prime(q, ctx);
  assert_weak_modulus(p, q, "ROCA");
}

static void size_parity_and_exponent_are_bounded(void **state)
{
  static const struct {
    size_t hex_digits;
    char last;
    uint64_t exponent;
    const char *because;
  } keys[] = {
      {256, 'f', 65537, "1024 bits"}, {510, 'f', 65537, "2040 bits"}, {1026, 'f', 65537, "4104"},
      {512, 'e', 65537, "even"},      {512, 'f', 1, "exponent"},      {512, 'f', 3, "exponent"},
      {512, 'f', 65536, "exponent"},  {512, 'f', 65538, "exponent"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
    AUTO(buf) spki = {0};
    char hex[1100];
    memset(hex, 'a', keys[i].hex_digits);
    hex[keys[i].hex_digits - 1] = keys[i].last;
    hex[keys[i].hex_digits] = '\0';
    make_rsa(hex, keys[i].exponent, &spki);
    assert_weak(&spki, keys[i].because);
  }
}

static void an_rsa_key_of_4096_bits_is_judged_within_5_ms(void **state)
{
  AUTO(EVP_PKEY) rsa = EVP_RSA_gen(4096);
  AUTO(buf) spki = {0};
  AUTO(fault) f = {0};
  struct pubkey key;
  (void)state;
  spki_of(rsa, &spki);
  assert_true(pubkey_read(buf_bytes(&spki), &key, &f));
  int64_t best = INT64_MAX;
  for (int i = 0; i < 5; i++) {
    int64_t start = when_monotonic_ms();
    for (int k = 0; k < 4; k++)
      assert_true(pubkey_check_strength(&key, &f));
    int64_t took = when_monotonic_ms() - start;
    best = took < best ? took : best;
  }
#ifndef WITH_SANITIZERS
  assert_true(best < 20);
#endif
  print_message("4 keys of 4096 bits: %lld ms\n", (long long)best);
}

static void a_point_off_the_curve_is_weak_and_verifies_nothing(void **state)
{
  (void)state;
  for (int t = KEY_EC_P256; t <= KEY_EC_P521; t++) {
    AUTO(buf) spki = {0}, signature = {0};
    AUTO(fault) f = {0};
    struct pubkey key;
    sign(samples[t].key, "SHA256", bytes_of_text("x"), &signature);
    buf_add_bytes(&spki, buf_bytes(&samples[t].spki));
    spki.data[spki.len - 1] ^= 1;
    assert_weak(&spki, "not on the curve");
    assert_true(pubkey_read(buf_bytes(&spki), &key, &f));
    assert_false(pubkey_verify(&key, SIG_ECDSA_SHA256, bytes_of_text("x"), buf_bytes(&signature)));
    /* The thread's key object is good for the next key. */
    key = read_sample(&samples[t]);
    assert_true(pubkey_verify(&key, SIG_ECDSA_SHA256, bytes_of_text("x"), buf_bytes(&signature)));
  }
}

static void ed25519_points_of_small_order_are_weak(void **state)
{
  (void)state;
  for (int i = 0; i < 5; i++) {
    AUTO(buf) spki = {0};
    buf_add_bytes(&spki, buf_bytes(&samples[KEY_ED25519].spki));
    uint8_t *y = spki.data + spki.len - 32;
    memset(y, i < 2 ? 0 : 0xff, 32);
    y[0] = (uint8_t[]){0, 1, 0xec, 0xed, 0xff}[i];
    y[31] = i % 2 == 0 ? y[31] & 0x7f : y[31] | 0x80;
    assert_weak(&spki, "Ed25519");
  }
}

static void an_ed25519_key_with_a_large_y_is_strong(void **state)
{
  AUTO(buf) spki = {0};
  AUTO(fault) f = {0};
  struct pubkey key;
  (void)state;
  buf_add_bytes(&spki, buf_bytes(&samples[KEY_ED25519].spki));
  memset(spki.data + spki.len - 32, 0xff, 32);
  spki.data[spki.len - 2] = 0xfe; /* just below 2^255 - 19 */
  assert_true(pubkey_read(buf_bytes(&spki), &key, &f));
  assert_true(pubkey_check_strength(&key, &f));
}

static void the_key_identifier_is_of_the_key_and_the_digest_of_the_whole(void **state)
{
  (void)state;
  for (int i = 0; i < KEY_TYPE_COUNT; i++) {
    struct pubkey key = read_sample(&samples[i]);
    uint8_t id[PUBKEY_ID_LEN], digest[PUBKEY_SHA256_LEN], expected[EVP_MAX_MD_SIZE];
    pubkey_id(&key, id);
    assert_int_equal(EVP_Digest(key.key.data, key.key.len, expected, NULL, EVP_sha256(), NULL), 1);
    assert_memory_equal(id, expected, sizeof id);
    pubkey_sha256(key.spki, digest);
    assert_int_equal(EVP_Digest(key.spki.data, key.spki.len, expected, NULL, EVP_sha256(), NULL),
                     1);
    assert_memory_equal(digest, expected, sizeof digest);
  }
}

static void a_key_that_is_cut_or_longer_is_refused(void **state)
{
  (void)state;
  for (int t = 0; t < KEY_TYPE_COUNT; t++) {
    AUTO(buf) spki = {0};
    AUTO(fault) f = {0};
    struct pubkey key;
    buf_add_bytes(&spki, buf_bytes(&samples[t].spki));
    for (size_t len = 0; len < spki.len; len++) {
      assert_false(pubkey_read(bytes_of(spki.data, len), &key, &f));
      assert_int_equal(f.code, FAULT_BAD_CSR);
    }
    buf_add_u8(&spki, 0);
    assert_false(pubkey_read(buf_bytes(&spki), &key, &f));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type_of_key_is_read_and_strong),
      cmocka_unit_test(a_signature_verifies_with_its_own_key_algorithm_and_text_only),
      cmocka_unit_test(a_changed_signature_never_verifies),
      cmocka_unit_test(threads_verify_side_by_side),
      cmocka_unit_test(a_number_in_another_form_is_refused),
      cmocka_unit_test(an_ecdsa_signature_of_odd_form_is_refused),
      cmocka_unit_test(algorithm_identifiers_have_one_form_each),
      cmocka_unit_test(primes_that_are_close_are_found),
      cmocka_unit_test(a_small_factor_is_found),
      cmocka_unit_test(the_roca_fingerprint_is_found),
      cmocka_unit_test(size_parity_and_exponent_are_bounded),
      cmocka_unit_test(an_rsa_key_of_4096_bits_is_judged_within_5_ms),
      cmocka_unit_test(a_point_off_the_curve_is_weak_and_verifies_nothing),
      cmocka_unit_test(ed25519_points_of_small_order_are_weak),
      cmocka_unit_test(an_ed25519_key_with_a_large_y_is_strong),
      cmocka_unit_test(the_key_identifier_is_of_the_key_and_the_digest_of_the_whole),
      cmocka_unit_test(a_key_that_is_cut_or_longer_is_refused),
  };
  return cmocka_run_group_tests(tests, make_samples, free_samples);
}
