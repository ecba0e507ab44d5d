/* test_crl.c - the lists that OpenSSL makes are read as it reads them; broken ones are refused. */
#include "tests/unit/unit.h"

#include <openssl/x509v3.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/pki/crl.h"
#include "tests/unit/cases.h"
#include "tests/unit/dertext.h"

static void run_case(const char *folder, const char *name)
{
  AUTO(buf) input = {0};
  AUTO(buf) der = {0};
  AUTO(buf) text = {0};
  AUTO(fault) f = {0};
  struct crl crl = {0};
  case_read(folder, name, "input", &input);
  if (!dertext_read(buf_bytes(&input), &der))
    fail_msg("%s is not readable", name);
  uint8_t *exact = malloc(der.len > 0 ? der.len : 1);
  if (der.len > 0)
    memcpy(exact, der.data, der.len);
  if (crl_tbs_read(bytes_of(exact, der.len), &crl, &f)) {
    buf_addf(&text, "taken\nrevoked %zu\nnumber ", crl.n_revoked);
    text_add_hex(&text, crl.crl_number);
    buf_addf(&text, "\nlasts %lld s\n", (long long)(crl.next_update - crl.this_update));
  } else {
    assert_int_equal(f.code, FAULT_BAD_FILE);
    assert_null(crl.tbs.data); /* untouched */
    buf_addf(&text, "%s\n", f.detail);
  }
  free(exact);
  case_expect(folder, name, &text);
}

static void each_list_is_taken_or_refused_with_the_reason(void **state)
{
  (void)state;
  cases_each("crl", 60, run_case);
}

/* --- lists that OpenSSL makes --- */

static void add_extension(X509_CRL *list, X509V3_CTX *ctx, int nid, const char *value)
{
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
  assert_non_null(extension);
  assert_int_equal(X509_CRL_add_ext(list, extension, -1), 1);
  X509_EXTENSION_free(extension);
}

static X509 *make_issuer(EVP_PKEY *key)
{
  X509 *issuer = X509_new();
  X509V3_CTX ctx;
  X509_set_version(issuer, 2);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(issuer), "CN", MBSTRING_ASC,
                             (const uint8_t *)"Issuing", -1, -1, 0);
  X509_set_pubkey(issuer, key);
  X509V3_set_ctx(&ctx, issuer, issuer, NULL, NULL, 0);
  X509_EXTENSION *id = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
  X509_add_ext(issuer, id, -1);
  X509_EXTENSION_free(id);
  return issuer;
}

static void revoke(X509_CRL *list, long serial, int reason)
{
  X509_REVOKED *entry = X509_REVOKED_new();
  ASN1_INTEGER *number = ASN1_INTEGER_new();
  ASN1_TIME *when = ASN1_TIME_set(NULL, 1795420800);
  ASN1_INTEGER_set(number, serial);
  X509_REVOKED_set_serialNumber(entry, number);
  X509_REVOKED_set_revocationDate(entry, when);
  if (reason > 0) {
    ASN1_ENUMERATED *code = ASN1_ENUMERATED_new();
    ASN1_ENUMERATED_set(code, reason);
    X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, code, 0, 0);
    ASN1_ENUMERATED_free(code);
  }
  assert_int_equal(X509_CRL_add0_revoked(list, entry), 1);
  ASN1_INTEGER_free(number);
  ASN1_TIME_free(when);
}

/* A list of n entries, signed; its to-be-signed part is what the reader is for. */
static void make_list(EVP_PKEY *key, const EVP_MD *digest, long n, struct buf *ret_tbs)
{
  X509 *issuer = make_issuer(key);
  X509_CRL *list = X509_CRL_new();
  ASN1_TIME *from = ASN1_TIME_set(NULL, 1795420800);
  ASN1_TIME *to = ASN1_TIME_set(NULL, 1795420800 + 7 * 86400);
  X509V3_CTX ctx;
  X509_CRL_set_version(list, 1);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(issuer));
  X509_CRL_set1_lastUpdate(list, from);
  X509_CRL_set1_nextUpdate(list, to);
  for (long i = 1; i <= n; i++)
    revoke(list, i * 1000003, (int)(i % 6));
  X509V3_set_ctx(&ctx, issuer, NULL, NULL, list, 0);
  add_extension(list, &ctx, NID_authority_key_identifier, "keyid:always");
  ASN1_INTEGER *number = ASN1_INTEGER_new();
  ASN1_INTEGER_set(number, 0x1234);
  X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0);
  ASN1_INTEGER_free(number);
  assert_true(X509_CRL_sign(list, key, digest) > 0);
  uint8_t *der = NULL;
  int len = i2d_re_X509_CRL_tbs(list, &der);
  assert_true(len > 0);
  buf_add(ret_tbs, der, (size_t)len);
  OPENSSL_free(der);
  ASN1_TIME_free(from);
  ASN1_TIME_free(to);
  X509_CRL_free(list);
  X509_free(issuer);
}

/* One after the other, as make_list() put them. */
static void assert_entries(const struct crl *crl, long n)
{
  struct bytes rest = crl->entries;
  struct crl_entry entry;
  for (long i = 1; i <= n; i++) {
    long serial = 0;
    assert_true(crl_next_entry(&rest, &entry));
    for (size_t k = 0; k < entry.serial_number.len; k++)
      serial = serial << 8 | entry.serial_number.data[k];
    assert_int_equal(serial, i * 1000003);
    assert_int_equal(entry.at, 1795420800);
    assert_int_equal(entry.reason, i % 6);
  }
  assert_false(crl_next_entry(&rest, &entry));
  assert_int_equal(rest.len, 0);
}

static void lists_of_every_size_that_openssl_makes_are_read(void **state)
{
  (void)state;
  static const long sizes[] = {0, 1, 2, 7, 1000};
  EVP_PKEY *keys[] = {EVP_EC_gen("P-256"), EVP_RSA_gen(2048),
                      EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")};
  static const enum sig_alg algs[] = {SIG_ECDSA_SHA256, SIG_RSA_SHA256, SIG_ED25519};
  for (size_t k = 0; k < ARRAY_LEN(keys); k++)
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
      AUTO(buf) tbs = {0};
      AUTO(fault) f = {0};
      struct crl crl;
      make_list(keys[k], algs[k] == SIG_ED25519 ? NULL : EVP_sha256(), sizes[i], &tbs);
      if (!crl_tbs_read(buf_bytes(&tbs), &crl, &f))
        fail_msg("%ld: %s", sizes[i], f.detail);
      assert_int_equal(crl.alg, algs[k]);
      assert_int_equal(crl.n_revoked, sizes[i]);
      assert_true(crl.this_update == 1795420800 && crl.next_update == 1795420800 + 7 * 86400);
      assert_int_equal(crl.authority_key_id.len, 20);
      assert_true(bytes_equal(crl.crl_number, bytes_of("\x12\x34", 2)));
      assert_entries(&crl, sizes[i]);
    }
  for (size_t k = 0; k < ARRAY_LEN(keys); k++)
    EVP_PKEY_free(keys[k]);
}

static void no_prefix_of_a_list_is_one(void **state)
{
  (void)state;
  AUTO(buf) tbs = {0};
  EVP_PKEY *key = EVP_EC_gen("P-256");
  make_list(key, EVP_sha256(), 3, &tbs);
  for (size_t len = 0; len < tbs.len; len++) {
    AUTO(fault) f = {0};
    struct crl crl;
    uint8_t *exact = malloc(len > 0 ? len : 1);
    memcpy(exact, tbs.data, len);
    assert_false(crl_tbs_read(bytes_of(exact, len), &crl, &f));
    assert_int_equal(f.code, FAULT_BAD_FILE);
    free(exact);
  }
  EVP_PKEY_free(key);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_list_is_taken_or_refused_with_the_reason),
      cmocka_unit_test(lists_of_every_size_that_openssl_makes_are_read),
      cmocka_unit_test(no_prefix_of_a_list_is_one),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
