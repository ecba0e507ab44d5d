/* test_private_key.c - keys are made, kept, read back and signed with, and never asked for at a
 * terminal. Held against OpenSSL's own reader and verifier. */
#include "tests/unit/unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>

#include "lib/pki/name.h"
#include "lib/pki/private_key.h"
#include "lib/pki/san.h"

static const char *const kinds[] = {"ec-p256", "ec-p384", "ec-p521", "rsa-2048", "ed25519"};

static struct private_key *make(const char *kind)
{
  struct private_key *key = NULL;
  AUTO(fault) f = {0};
  if (!private_key_generate(kind, &key, &f))
    fail_msg("%s: %s", kind, f.detail);
  return key;
}

static enum fault_code read_fails(struct bytes pem, const char *passphrase)
{
  struct private_key *key = NULL;
  AUTO(fault) f = {0};
  assert_false(private_key_read(pem, bytes_of_text(passphrase), &key, &f));
  assert_null(key);
  return f.code;
}

static void a_signature_is_what_openssl_verifies(void **state)
{
  (void)state;
  struct bytes text = bytes_of_text("to be signed");
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    AUTO(private_key) key = make(kinds[i]);
    AUTO(buf) spki = {0};
    AUTO(buf) signature = {0};
    AUTO(fault) f = {0};
    struct pubkey pub;
    assert_true(private_key_spki(key, &spki, &f));
    buf_add_u8(&signature, 7); /* appended, not put in place of what is there */
    for (int again = 0; again < 3; again++) {
      signature.len = 1;
      assert_true(private_key_sign(key, text, &signature, &f));
      assert_int_equal(signature.data[0], 7);
      struct bytes made = bytes_of(signature.data + 1, signature.len - 1);
      assert_true(pubkey_read(buf_bytes(&spki), &pub, &f));
      assert_true(pubkey_verify(&pub, private_key_alg(key), text, made));
      const char *digest = private_key_type(key) == KEY_ED25519   ? NULL
                           : private_key_type(key) == KEY_EC_P384 ? "SHA384"
                           : private_key_type(key) == KEY_EC_P521 ? "SHA512"
                                                                  : "SHA256";
      EVP_MD_CTX *ctx = EVP_MD_CTX_new();
      assert_int_equal(
          EVP_DigestVerifyInit_ex(ctx, NULL, digest, NULL, NULL, private_key_evp(key), NULL), 1);
      assert_int_equal(EVP_DigestVerify(ctx, made.data, made.len, text.data, text.len), 1);
      EVP_MD_CTX_free(ctx);
    }
  }
}

static void an_unknown_kind_is_refused_with_the_list(void **state)
{
  (void)state;
  struct private_key *key = NULL;
  AUTO(fault) f = {0};
  assert_false(private_key_generate("rsa-1024", &key, &f));
  assert_int_equal(f.code, FAULT_BAD_USAGE);
  assert_non_null(strstr(f.detail, "rsa-3072"));
}

static void a_key_that_was_written_reads_back(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    AUTO(private_key) key = make(kinds[i]);
    AUTO(private_key) again = NULL;
    AUTO(secret_buf) pem = {0};
    AUTO(buf) spki = {0};
    AUTO(fault) f = {0};
    assert_true(private_key_write(key, (struct bytes){0}, &pem, &f));
    assert_memory_equal(pem.data, "-----BEGIN PRIVATE KEY-----\n", 28);
    assert_true(private_key_read(buf_bytes(&pem), (struct bytes){0}, &again, &f));
    assert_int_equal(private_key_type(again), private_key_type(key));
    assert_true(private_key_spki(again, &spki, &f));
    assert_true(private_key_fits(key, buf_bytes(&spki)));
    spki.data[spki.len - 1] ^= 1;
    assert_false(private_key_fits(key, buf_bytes(&spki)));
  }
}

static void an_encrypted_key_wants_its_passphrase(void **state)
{
  (void)state;
  AUTO(private_key) key = make("ec-p256");
  AUTO(private_key) again = NULL;
  AUTO(secret_buf) pem = {0};
  AUTO(fault) f = {0};
  assert_true(private_key_write(key, bytes_of_text("open sesame"), &pem, &f));
  assert_memory_equal(pem.data, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n", 38);
  assert_true(private_key_read(buf_bytes(&pem), bytes_of_text("open sesame"), &again, &f));
  assert_int_equal(read_fails(buf_bytes(&pem), ""), FAULT_BAD_PASSPHRASE);
  assert_int_equal(read_fails(buf_bytes(&pem), "open says me"), FAULT_BAD_PASSPHRASE);
  /* 600,000 rounds and HMAC-SHA-256, as promised: INTEGER 0x0927c0 and its OID in the DER. */
  BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
  char *name, *header;
  uint8_t *der;
  long len;
  assert_int_equal(PEM_read_bio(bio, &name, &header, &der, &len), 1);
  assert_non_null(memmem(der, (size_t)len, "\x02\x03\x09\x27\xc0", 5));
  assert_non_null(memmem(der, (size_t)len, "\x2a\x86\x48\x86\xf7\x0d\x02\x09", 8));
  OPENSSL_free(name), OPENSSL_free(header), OPENSSL_free(der);
  BIO_free(bio);
}

static void the_older_forms_are_read_too(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    for (int encrypt = 0; encrypt < 2; encrypt++) {
      AUTO(private_key) key = make(kinds[i]);
      AUTO(private_key) again = NULL;
      AUTO(fault) f = {0};
      char *text;
      unsigned char secret[] = "secret";
      if (private_key_type(key) == KEY_ED25519)
        continue;
      BIO *bio = BIO_new(BIO_s_mem());
      BIO_puts(bio, "a note before\n-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n"
                    "-----END EC PARAMETERS-----\n");
      assert_int_equal(PEM_write_bio_PrivateKey_traditional(
                           bio, private_key_evp(key), encrypt ? EVP_aes_128_cbc() : NULL,
                           encrypt ? secret : NULL, encrypt ? 6 : 0, NULL, NULL),
                       1);
      struct bytes pem = bytes_of(NULL, (size_t)BIO_get_mem_data(bio, &text));
      pem.data = (const uint8_t *)text;
      if (encrypt) {
        assert_int_equal(read_fails(pem, ""), FAULT_BAD_PASSPHRASE);
        assert_int_equal(read_fails(pem, "wrong"), FAULT_BAD_PASSPHRASE);
      }
      if (!private_key_read(pem, bytes_of_text("secret"), &again, &f))
        fail_msg("%s: %s", kinds[i], f.detail);
      BIO_free(bio);
    }
}

static void what_is_no_key_is_refused(void **state)
{
  (void)state;
  static const char *const texts[] = {
      "",
      "hello",
      "-----BEGIN PRIVATE KEY-----",
      "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
      "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PRIVATE KEY-----\n",
      "-----BEGIN CERTIFICATE-----\nMIGHAgEAMBMGByqGSM49\n-----END CERTIFICATE-----\n",
      "-----BEGIN PUBLIC KEY-----\nMIGHAgEAMBMGByqGSM49\n-----END PUBLIC KEY-----\n",
  };
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    assert_int_equal(read_fails(bytes_of_text(texts[i]), "x"), FAULT_BAD_FILE);
}

static void two_keys_in_one_file_are_refused(void **state)
{
  (void)state;
  AUTO(private_key) key = make("ec-p256");
  AUTO(secret_buf) pem = {0};
  AUTO(fault) f = {0};
  assert_true(private_key_write(key, (struct bytes){0}, &pem, &f));
  assert_true(private_key_write(key, (struct bytes){0}, &pem, &f));
  assert_int_equal(read_fails(buf_bytes(&pem), ""), FAULT_BAD_FILE);
}

/* SEC 1 carries a public key beside the private one; a file can be put together wrongly. */
static void halves_of_different_keys_are_refused(void **state)
{
  (void)state;
  AUTO(private_key) one = make("ec-p256");
  AUTO(private_key) other = make("ec-p256");
  AUTO(secret_buf) der = {0};
  AUTO(secret_buf) der_other = {0};
  AUTO(fault) f = {0};
  assert_true(private_key_write_der(one, true, &der, &f));
  assert_true(private_key_write_der(other, true, &der_other, &f));
  assert_int_equal(der.len, der_other.len);
  memcpy(der.data + der.len - 64, der_other.data + der.len - 64, 64);
  BIO *bio = BIO_new(BIO_s_mem());
  char *text;
  assert_true(PEM_write_bio(bio, "EC PRIVATE KEY", "", der.data, (long)der.len) > 0);
  long len = BIO_get_mem_data(bio, &text);
  assert_int_equal(read_fails(bytes_of(text, (size_t)len), ""), FAULT_BAD_FILE);
  BIO_free(bio);
}

static void a_type_that_we_do_not_take_is_refused(void **state)
{
  (void)state;
  EVP_PKEY *keys[] = {EVP_EC_gen("secp256k1"), EVP_PKEY_Q_keygen(NULL, NULL, "X25519")};
  for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, keys[i], NULL, NULL, 0, NULL, NULL), 1);
    long len = BIO_get_mem_data(bio, &text);
    assert_int_equal(read_fails(bytes_of(text, (size_t)len), ""), FAULT_BAD_FILE);
    BIO_free(bio);
    EVP_PKEY_free(keys[i]);
  }
}

static void der_is_what_small_stacks_load(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    for (int traditional = 0; traditional < 2; traditional++) {
      AUTO(private_key) key = make(kinds[i]);
      AUTO(secret_buf) der = {0};
      AUTO(fault) f = {0};
      assert_true(private_key_write_der(key, traditional != 0, &der, &f));
      const uint8_t *p = der.data;
      EVP_PKEY *pkey = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
      assert_non_null(pkey);
      assert_ptr_equal(p, der.data + der.len);
      assert_int_equal(EVP_PKEY_eq(pkey, private_key_evp(key)), 1);
      EVP_PKEY_free(pkey);
      /* SEC 1 begins with INTEGER 1, PKCS #1 and PKCS #8 with INTEGER 0. */
      bool sec1 = memmem(der.data, 8, "\x02\x01\x01", 3) != NULL;
      assert_int_equal(sec1, traditional && kinds[i][0] == 'e' && kinds[i][1] == 'c');
    }
}

static void a_request_is_what_openssl_reads_and_verifies(void **state)
{
  (void)state;
  for (size_t i = 0; i < 2 * ARRAY_LEN(kinds); i++) {
    AUTO(private_key) key = make(kinds[i / 2]);
    AUTO(buf) subject = {0};
    AUTO(buf) der = {0};
    AUTO(sans) names = {0};
    AUTO(fault) f = {0};
    struct name_part part = {ATTR_COMMON_NAME, bytes_of_text("w-1001")};
    bool anonymous = i % 2 == 1;
    assert_true(name_write(&part, anonymous ? 0 : 1, &subject, &f));
    if (anonymous) {
      assert_true(sans_add(&names, SAN_IP, bytes_of_text("10.1.1.68"), &f));
      assert_true(sans_add(&names, SAN_DNS, bytes_of_text("w-1001.widgets.example"), &f));
    }
    assert_true(private_key_write_csr(key, buf_bytes(&subject), &names, &der, &f));
    const uint8_t *p = der.data;
    X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)der.len);
    assert_non_null(req);
    assert_ptr_equal(p, der.data + der.len);
    assert_int_equal(X509_REQ_verify(req, private_key_evp(key)), 1);
    assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(req), private_key_evp(key)), 1);
    assert_int_equal(X509_REQ_get_version(req), 0);
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(req);
    assert_int_equal(extensions != NULL ? sk_X509_EXTENSION_num(extensions) : 0, anonymous);
    if (anonymous)
      assert_int_equal(X509_EXTENSION_get_critical(sk_X509_EXTENSION_value(extensions, 0)), 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    X509_REQ_free(req);
  }
}

static void *sign_many(void *arg)
{
  const struct private_key *key = arg;
  AUTO(buf) spki = {0};
  AUTO(fault) f = {0};
  struct pubkey pub;
  bool good = private_key_spki(key, &spki, &f) && pubkey_read(buf_bytes(&spki), &pub, &f);
  for (uint32_t i = 0; i < 50 && good; i++) {
    AUTO(buf) signature = {0};
    struct bytes text = bytes_of(&i, sizeof i);
    good = private_key_sign(key, text, &signature, &f) &&
           pubkey_verify(&pub, private_key_alg(key), text, buf_bytes(&signature));
  }
  return good ? arg : NULL;
}

static void many_threads_sign_with_one_key(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    AUTO(private_key) key = make(kinds[i]);
    pthread_t threads[8];
    for (size_t t = 0; t < ARRAY_LEN(threads); t++)
      assert_int_equal(pthread_create(&threads[t], NULL, sign_many, key), 0);
    for (size_t t = 0; t < ARRAY_LEN(threads); t++) {
      void *result;
      assert_int_equal(pthread_join(threads[t], &result), 0);
      assert_ptr_equal(result, key);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_signature_is_what_openssl_verifies),
      cmocka_unit_test(an_unknown_kind_is_refused_with_the_list),
      cmocka_unit_test(a_key_that_was_written_reads_back),
      cmocka_unit_test(an_encrypted_key_wants_its_passphrase),
      cmocka_unit_test(the_older_forms_are_read_too),
      cmocka_unit_test(what_is_no_key_is_refused),
      cmocka_unit_test(two_keys_in_one_file_are_refused),
      cmocka_unit_test(halves_of_different_keys_are_refused),
      cmocka_unit_test(a_type_that_we_do_not_take_is_refused),
      cmocka_unit_test(der_is_what_small_stacks_load),
      cmocka_unit_test(a_request_is_what_openssl_reads_and_verifies),
      cmocka_unit_test(many_threads_sign_with_one_key),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
