/* test_ocsp_request.c - what verifiers ask is read as OpenSSL reads it; what is broken is refused,
 * and nothing is taken that OpenSSL would read in another way. */
#include "tests/unit/unit.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/pki/ocsp_request.h"
#include "tests/unit/cases.h"
#include "tests/unit/dertext.h"

static void add_request(const struct ocsp_request *request, struct buf *text)
{
  static const char *const hashes[] = {"sha1", "sha256", "another hash"};
  buf_addf(text, "asked %zu\n", request->n_asked);
  for (size_t i = 0; i < request->n_asked; i++) {
    buf_addf(text, "%s ", hashes[request->asked[i].hash]);
    text_add_hex(text, request->asked[i].serial_number);
    buf_add_text(text, "\n");
  }
  buf_addf(text, "nonce %zu\n", request->nonce.len);
}

static void run_case(const char *folder, const char *name)
{
  AUTO(buf) input = {0};
  AUTO(buf) der = {0};
  AUTO(buf) text = {0};
  AUTO(fault) f = {0};
  struct ocsp_request request = {0};
  case_read(folder, name, "input", &input);
  if (!dertext_read(buf_bytes(&input), &der))
    fail_msg("%s is not readable", name);
  uint8_t *exact = malloc(der.len > 0 ? der.len : 1);
  if (der.len > 0)
    memcpy(exact, der.data, der.len);
  if (ocsp_request_read(bytes_of(exact, der.len), &request, &f)) {
    add_request(&request, &text);
  } else {
    assert_int_equal(f.code, FAULT_BAD_REQUEST);
    assert_int_equal(request.n_asked, 0); /* untouched */
    buf_addf(&text, "%s\n", f.detail);
  }
  free(exact);
  case_expect(folder, name, &text);
}

static void each_request_is_taken_or_refused_with_the_reason(void **state)
{
  (void)state;
  cases_each("ocsp", 60, run_case);
}

/* --- against OpenSSL --- */

struct wish {
  const EVP_MD *digest;
  int n, nonce_len; /* 0: none */
  bool signed_by_its_maker;
};

static X509_NAME *make_name(void)
{
  X509_NAME *name = X509_NAME_new();
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"Issuing", -1, -1, 0);
  return name;
}

static void sign_request(OCSP_REQUEST *request)
{
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *signer = X509_new();
  X509_NAME *name = make_name();
  X509_set_subject_name(signer, name);
  X509_set_issuer_name(signer, name);
  ASN1_INTEGER_set(X509_get_serialNumber(signer), 1);
  X509_gmtime_adj(X509_getm_notBefore(signer), 0);
  X509_gmtime_adj(X509_getm_notAfter(signer), 60);
  X509_set_pubkey(signer, key);
  assert_true(X509_sign(signer, key, EVP_sha256()) > 0);
  assert_int_equal(OCSP_request_sign(request, signer, key, EVP_sha256(), NULL, 0), 1);
  X509_NAME_free(name);
  X509_free(signer);
  EVP_PKEY_free(key);
}

static void make_request(const struct wish *wish, struct buf *ret_der)
{
  OCSP_REQUEST *request = OCSP_REQUEST_new();
  X509_NAME *name = make_name();
  ASN1_BIT_STRING *key = ASN1_BIT_STRING_new();
  ASN1_INTEGER *serial = ASN1_INTEGER_new();
  ASN1_BIT_STRING_set(key, (uint8_t *)(uintptr_t) "a key", 5);
  for (int i = 0; i < wish->n; i++) {
    ASN1_INTEGER_set(serial, 1000003L * (i + 1));
    assert_non_null(
        OCSP_request_add0_id(request, OCSP_cert_id_new(wish->digest, name, key, serial)));
  }
  if (wish->nonce_len > 0)
    assert_int_equal(OCSP_request_add1_nonce(request, NULL, wish->nonce_len), 1);
  if (wish->signed_by_its_maker)
    sign_request(request);
  uint8_t *der = NULL;
  int len = i2d_OCSP_REQUEST(request, &der);
  assert_true(len > 0);
  buf_add(ret_der, der, (size_t)len);
  OPENSSL_free(der);
  ASN1_INTEGER_free(serial);
  ASN1_BIT_STRING_free(key);
  X509_NAME_free(name);
  OCSP_REQUEST_free(request);
}

static void same_id(const struct ocsp_cert_id *ours, OCSP_CERTID *theirs)
{
  ASN1_OCTET_STRING *name_hash, *key_hash;
  ASN1_OBJECT *digest;
  ASN1_INTEGER *serial;
  uint8_t *der = NULL;
  OCSP_id_get0_info(&name_hash, &digest, &key_hash, &serial, theirs);
  int len = i2d_OCSP_CERTID(theirs, &der);
  assert_true(len > 0 && bytes_equal(ours->whole, bytes_of(der, (size_t)len)));
  OPENSSL_free(der);
  assert_true(bytes_equal(ours->name_hash, bytes_of(name_hash->data, (size_t)name_hash->length)));
  assert_true(bytes_equal(ours->key_hash, bytes_of(key_hash->data, (size_t)key_hash->length)));
  assert_int_equal(serial->type, V_ASN1_INTEGER); /* not a negative one */
  assert_true(bytes_equal(ours->serial_number, bytes_of(serial->data, (size_t)serial->length)));
  int nid = OBJ_obj2nid(digest);
  assert_int_equal(ours->hash == OCSP_SHA1, nid == NID_sha1);
  assert_int_equal(ours->hash == OCSP_SHA256, nid == NID_sha256);
}

static void same_nonce(struct bytes ours, OCSP_REQUEST *theirs)
{
  int at = OCSP_REQUEST_get_ext_by_NID(theirs, NID_id_pkix_OCSP_Nonce, -1);
  assert_int_equal(at >= 0, ours.len > 0);
  if (at < 0)
    return;
  ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(OCSP_REQUEST_get_ext(theirs, at));
  const uint8_t *p = ASN1_STRING_get0_data(value);
  ASN1_OCTET_STRING *nonce = d2i_ASN1_OCTET_STRING(NULL, &p, ASN1_STRING_length(value));
  assert_non_null(nonce);
  assert_true(bytes_equal(ours, bytes_of(nonce->data, (size_t)nonce->length)));
  ASN1_OCTET_STRING_free(nonce);
}

/* What is taken is what OpenSSL takes, and says the same. Of a signature, which it reads and we
 * step over, it may have another opinion. */
static void compare(const struct ocsp_request *ours, bool is_signed, struct bytes der)
{
  const uint8_t *p = der.data;
  OCSP_REQUEST *theirs = d2i_OCSP_REQUEST(NULL, &p, (long)der.len);
  if (theirs == NULL && is_signed)
    return;
  assert_non_null(theirs);
  assert_ptr_equal(p, der.data + der.len);
  assert_int_equal(OCSP_request_onereq_count(theirs), (int)ours->n_asked);
  for (size_t i = 0; i < ours->n_asked; i++)
    same_id(&ours->asked[i], OCSP_onereq_get0_id(OCSP_request_onereq_get0(theirs, (int)i)));
  same_nonce(ours->nonce, theirs);
  OCSP_REQUEST_free(theirs);
}

static void requests_that_openssl_makes_are_read_as_it_reads_them(void **state)
{
  (void)state;
  const struct wish wishes[] = {
      {EVP_sha1(), 1, 0, false},   {EVP_sha1(), 1, 16, false},  {EVP_sha256(), 1, 32, false},
      {EVP_sha256(), 5, 0, false}, {EVP_sha1(), 32, 1, false},  {EVP_sha512(), 2, 0, false},
      {EVP_sha1(), 1, 128, false}, {EVP_sha256(), 1, 16, true}, {EVP_sha1(), 3, 0, true},
  };
  for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
    AUTO(buf) der = {0};
    AUTO(fault) f = {0};
    struct ocsp_request request;
    make_request(&wishes[i], &der);
    if (!ocsp_request_read(buf_bytes(&der), &request, &f))
      fail_msg("wish %zu: %s", i, f.detail);
    assert_int_equal(request.n_asked, wishes[i].n);
    assert_int_equal(request.nonce.len, wishes[i].nonce_len);
    compare(&request, false, buf_bytes(&der));
  }
}

static void try_changed(bool is_signed, struct bytes der)
{
  AUTO(fault) f = {0};
  struct ocsp_request request;
  uint8_t *exact = malloc(der.len > 0 ? der.len : 1);
  if (der.len > 0)
    memcpy(exact, der.data, der.len);
  if (ocsp_request_read(bytes_of(exact, der.len), &request, &f))
    compare(&request, is_signed, bytes_of(exact, der.len));
  free(exact);
}

static void a_changed_request_is_refused_or_means_the_same_to_both(void **state)
{
  (void)state;
  const struct wish wishes[] = {{EVP_sha1(), 2, 16, false}, {EVP_sha256(), 1, 0, true}};
  for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
    AUTO(buf) der = {0};
    make_request(&wishes[i], &der);
    for (size_t len = 0; len < der.len; len++)
      try_changed(wishes[i].signed_by_its_maker, bytes_of(der.data, len));
    for (size_t at = 0; at < der.len; at++)
      for (unsigned bit = 0; bit < 8; bit++) {
        der.data[at] ^= (uint8_t)(1u << bit);
        try_changed(wishes[i].signed_by_its_maker, buf_bytes(&der));
        der.data[at] ^= (uint8_t)(1u << bit);
      }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_request_is_taken_or_refused_with_the_reason),
      cmocka_unit_test(requests_that_openssl_makes_are_read_as_it_reads_them),
      cmocka_unit_test(a_changed_request_is_refused_or_means_the_same_to_both),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
