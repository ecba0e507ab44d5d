/* test_ocsp_response.c - answers that we build, verified and read by OpenSSL. */
#include "tests/unit/unit.h"

#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

#include "lib/pki/ocsp_request.h"
#include "lib/pki/ocsp_response.h"

#define NOW INT64_C(1795420800)

/* A CA, and a responder that it has delegated. */
struct ca {
  EVP_PKEY *key;
  X509 *certificate;
  struct private_key *responder_key;
  X509 *responder;
  struct buf responder_der;
};

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX ctx;
  X509V3_set_ctx(&ctx, issuer, certificate, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
  assert_non_null(extension);
  assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
  X509_EXTENSION_free(extension);
}

static X509 *make_certificate(const char *cn, long serial, EVP_PKEY *key, X509 *issuer,
                              EVP_PKEY *issuer_key)
{
  X509 *certificate = X509_new();
  X509_set_version(certificate, 2);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             (const uint8_t *)cn, -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer != NULL ? issuer : certificate));
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  ASN1_TIME_set(X509_getm_notBefore(certificate), NOW - 3600);
  ASN1_TIME_set(X509_getm_notAfter(certificate), NOW + 86400);
  X509_set_pubkey(certificate, key);
  if (issuer == NULL) {
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  } else {
    add_extension(certificate, issuer, NID_ext_key_usage, "OCSPSigning");
    add_extension(certificate, issuer, NID_id_pkix_OCSP_noCheck, "ignored");
  }
  assert_true(X509_sign(certificate, issuer_key, EVP_sha256()) > 0);
  return certificate;
}

static void make_ca(const char *kind, struct ca *ca)
{
  AUTO(fault) f = {0};
  uint8_t *der = NULL;
  ca->key = EVP_EC_gen("P-256");
  ca->certificate = make_certificate("Issuing", 1, ca->key, NULL, ca->key);
  assert_true(private_key_generate(kind, &ca->responder_key, &f));
  ca->responder = make_certificate("OCSP responder", 2, private_key_evp(ca->responder_key),
                                   ca->certificate, ca->key);
  int len = i2d_X509(ca->responder, &der);
  buf_add(&ca->responder_der, der, (size_t)len);
  OPENSSL_free(der);
}

static void free_ca(struct ca *ca)
{
  X509_free(ca->responder);
  private_key_free(ca->responder_key);
  X509_free(ca->certificate);
  EVP_PKEY_free(ca->key);
  buf_free(&ca->responder_der);
}

static OCSP_CERTID *id_of(const struct ca *ca, const EVP_MD *digest, long serial)
{
  ASN1_INTEGER *number = ASN1_INTEGER_new();
  ASN1_INTEGER_set(number, serial);
  OCSP_CERTID *id = OCSP_cert_id_new(digest, X509_get_subject_name(ca->certificate),
                                     X509_get0_pubkey_bitstr(ca->certificate), number);
  ASN1_INTEGER_free(number);
  return id;
}

static OCSP_BASICRESP *open_response(struct bytes der)
{
  const uint8_t *p = der.data;
  OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
  assert_non_null(response);
  assert_ptr_equal(p, der.data + der.len);
  assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
  OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
  assert_non_null(basic);
  OCSP_RESPONSE_free(response);
  return basic;
}

/* Is the chain from the responder to the CA, and is it meant for this? */
static void verify(const struct ca *ca, OCSP_BASICRESP *basic)
{
  X509_STORE *store = X509_STORE_new();
  X509_VERIFY_PARAM *param = X509_STORE_get0_param(store);
  X509_VERIFY_PARAM_set_time(param, NOW + 60);
  X509_STORE_add_cert(store, ca->certificate);
  assert_int_equal(OCSP_basic_verify(basic, NULL, store, 0), 1);
  X509_STORE_free(store);
}

static bool time_is(const ASN1_GENERALIZEDTIME *at, int64_t instant)
{
  return ASN1_STRING_length(at) == 15 && ASN1_TIME_cmp_time_t(at, (time_t)instant) == 0;
}

struct found {
  int status, reason;
  ASN1_GENERALIZEDTIME *revoked, *this_update, *next_update;
};

static void find(OCSP_BASICRESP *basic, OCSP_CERTID *id, struct found *ret_found)
{
  assert_int_equal(OCSP_resp_find_status(basic, id, &ret_found->status, &ret_found->reason,
                                         &ret_found->revoked, &ret_found->this_update,
                                         &ret_found->next_update),
                   1);
  assert_true(time_is(ret_found->this_update, NOW));
  assert_true(time_is(ret_found->next_update, NOW + 7200));
}

enum { N_ASKED = 5 };

static void build_all(const struct ca *ca, const EVP_MD *digest, struct bytes nonce,
                      struct buf *ret_der)
{
  static const struct ocsp_single wanted[N_ASKED] = {
      {.status = OCSP_GOOD},
      {.status = OCSP_REVOKED, .revoked_at = NOW - 1000, .reason = 1},
      {.status = OCSP_REVOKED, .revoked_at = INT64_C(2524608000), .reason = 0}, /* 2050 */
      {.status = OCSP_UNKNOWN},
      {.status = OCSP_REVOKED, .revoked_at = 0, .reason = 6},
  };
  struct ocsp_single singles[N_ASKED];
  struct buf ids[N_ASKED] = {{0}};
  AUTO(fault) f = {0};
  for (int i = 0; i < N_ASKED; i++) {
    OCSP_CERTID *id = id_of(ca, digest, 100 + i);
    uint8_t *der = NULL;
    int len = i2d_OCSP_CERTID(id, &der);
    buf_add(&ids[i], der, (size_t)len);
    OPENSSL_free(der);
    OCSP_CERTID_free(id);
    singles[i] = wanted[i];
    singles[i].cert_id = buf_bytes(&ids[i]);
  }
  struct ocsp_answer answer = {.singles = singles,
                               .n = N_ASKED,
                               .this_update = NOW,
                               .next_update = NOW + 7200,
                               .nonce = nonce,
                               .key = ca->responder_key,
                               .certificate = buf_bytes(&ca->responder_der)};
  if (!ocsp_response_build(&answer, ret_der, &f))
    fail_msg("%s", f.detail);
  for (int i = 0; i < N_ASKED; i++)
    buf_free(&ids[i]);
}

static void check_all(const struct ca *ca, const EVP_MD *digest, OCSP_BASICRESP *basic)
{
  static const int statuses[N_ASKED] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
                                        V_OCSP_CERTSTATUS_REVOKED, V_OCSP_CERTSTATUS_UNKNOWN,
                                        V_OCSP_CERTSTATUS_REVOKED};
  static const int reasons[N_ASKED] = {-1, 1, -1, -1, 6};
  static const int64_t revoked[N_ASKED] = {0, NOW - 1000, INT64_C(2524608000), 0, 0};
  assert_int_equal(OCSP_resp_count(basic), N_ASKED);
  for (int i = 0; i < N_ASKED; i++) {
    OCSP_CERTID *id = id_of(ca, digest, 100 + i);
    struct found found = {0};
    find(basic, id, &found);
    assert_int_equal(found.status, statuses[i]);
    if (found.status == V_OCSP_CERTSTATUS_REVOKED) {
      assert_int_equal(found.reason, reasons[i]);
      assert_true(time_is(found.revoked, revoked[i]));
    }
    OCSP_CERTID_free(id);
  }
}

static void openssl_verifies_and_reads_each_status(void **state)
{
  (void)state;
  static const char *const kinds[] = {"ec-p256", "rsa-2048", "ed25519"};
  const EVP_MD *digests[] = {EVP_sha1(), EVP_sha256()};
  for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
    struct ca ca = {0};
    make_ca(kinds[k], &ca);
    for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
      AUTO(buf) der = {0};
      build_all(&ca, digests[i], (struct bytes){0}, &der);
      OCSP_BASICRESP *basic = open_response(buf_bytes(&der));
      verify(&ca, basic);
      check_all(&ca, digests[i], basic);
      assert_int_equal(OCSP_BASICRESP_get_ext_count(basic), 0);
      assert_true(time_is(OCSP_resp_get0_produced_at(basic), NOW));
      OCSP_BASICRESP_free(basic);
    }
    free_ca(&ca);
  }
}

static void the_responder_is_named_by_its_key(void **state)
{
  (void)state;
  struct ca ca = {0};
  AUTO(buf) der = {0};
  const ASN1_OCTET_STRING *by_key = NULL;
  const X509_NAME *by_name = NULL;
  X509 *signer = NULL;
  make_ca("ec-p256", &ca);
  build_all(&ca, EVP_sha1(), (struct bytes){0}, &der);
  OCSP_BASICRESP *basic = open_response(buf_bytes(&der));
  assert_int_equal(OCSP_resp_get0_id(basic, &by_key, &by_name), 1);
  assert_true(by_key != NULL && by_name == NULL);
  assert_int_equal(OCSP_resp_get0_signer(basic, &signer, NULL), 1);
  assert_int_equal(X509_cmp(signer, ca.responder), 0);
  OCSP_BASICRESP_free(basic);
  free_ca(&ca);
}

static void a_nonce_comes_back(void **state)
{
  (void)state;
  struct ca ca = {0};
  uint8_t nonce[OCSP_NONCE_MAX];
  memset(nonce, 0xa5, sizeof nonce);
  make_ca("ec-p256", &ca);
  for (int len = 1; len <= OCSP_NONCE_MAX; len += 127) {
    AUTO(buf) der = {0};
    build_all(&ca, EVP_sha1(), bytes_of(nonce, (size_t)len), &der);
    OCSP_BASICRESP *basic = open_response(buf_bytes(&der));
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_request_add1_nonce(request, nonce, len);
    verify(&ca, basic);
    assert_int_equal(OCSP_check_nonce(request, basic), 1);
    OCSP_REQUEST_free(request);
    OCSP_BASICRESP_free(basic);
  }
  free_ca(&ca);
}

static void a_changed_answer_does_not_verify(void **state)
{
  (void)state;
  struct ca ca = {0};
  AUTO(buf) der = {0};
  make_ca("ec-p256", &ca);
  build_all(&ca, EVP_sha1(), (struct bytes){0}, &der);
  /* good [0] becomes unknown [2]: the first status behind the first CertID */
  for (size_t i = 0; i + 1 < der.len; i++)
    if (der.data[i] == 0x80 && der.data[i + 1] == 0) {
      der.data[i] = 0x82;
      break;
    }
  OCSP_BASICRESP *basic = open_response(buf_bytes(&der));
  X509_STORE *store = X509_STORE_new();
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), NOW + 60);
  X509_STORE_add_cert(store, ca.certificate);
  assert_true(OCSP_basic_verify(basic, NULL, store, 0) <= 0);
  X509_STORE_free(store);
  OCSP_BASICRESP_free(basic);
  free_ca(&ca);
}

static void errors_say_their_status_and_nothing_else(void **state)
{
  (void)state;
  static const struct {
    enum ocsp_error ours;
    int theirs;
  } rows[] = {
      {OCSP_MALFORMED_REQUEST, OCSP_RESPONSE_STATUS_MALFORMEDREQUEST},
      {OCSP_INTERNAL_ERROR, OCSP_RESPONSE_STATUS_INTERNALERROR},
      {OCSP_TRY_LATER, OCSP_RESPONSE_STATUS_TRYLATER},
      {OCSP_UNAUTHORIZED, OCSP_RESPONSE_STATUS_UNAUTHORIZED},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO(buf) der = {0};
    ocsp_response_error(rows[i].ours, &der);
    const uint8_t *p = der.data;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)der.len);
    assert_non_null(response);
    assert_ptr_equal(p, der.data + der.len);
    assert_int_equal(OCSP_response_status(response), rows[i].theirs);
    assert_null(OCSP_response_get1_basic(response));
    OCSP_RESPONSE_free(response);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(openssl_verifies_and_reads_each_status),
      cmocka_unit_test(the_responder_is_named_by_its_key),
      cmocka_unit_test(a_nonce_comes_back),
      cmocka_unit_test(a_changed_answer_does_not_verify),
      cmocka_unit_test(errors_say_their_status_and_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
