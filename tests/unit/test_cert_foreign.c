/* test_cert_foreign.c - certificates that OpenSSL makes, with the extensions that are met in the
 * field, are read for what they say. */
#include "tests/unit/unit.h"

#include <openssl/x509v3.h>

/* OpenSSL has macros of these names. */
#undef KU_DIGITAL_SIGNATURE
#undef KU_NON_REPUDIATION
#undef KU_KEY_ENCIPHERMENT
#undef KU_DATA_ENCIPHERMENT
#undef KU_KEY_AGREEMENT
#undef KU_KEY_CERT_SIGN
#undef KU_CRL_SIGN
#include "lib/pki/cert.h"
#include "lib/pki/name.h"

/* Extensions as in a configuration of OpenSSL, and what they come to. */
static const struct foreign {
  const char *extensions; /* sections follow behind "[ext]" */
  bool own;               /* of the form that our own have */
  bool is_ca;
  int path_len;
  uint32_t key_usage, ext_key_usage;
  const char *names; /* each followed by a space */
  bool unknown_critical, unknown_eku, has_crl_url;
} cases[] = {
    {"", true, false, -1, 0, 0, "", false, false, false},
    {"basicConstraints=critical,CA:TRUE", true, true, -1, 0, 0, "", false, false, false},
    {"basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign", true,
     true, 0, KU_KEY_CERT_SIGN | KU_CRL_SIGN, 0, "", false, false, false},
    {"basicConstraints=CA:FALSE", false, false, -1, 0, 0, "", false, false, false},
    {"basicConstraints=CA:TRUE,pathlen:3", false, true, 3, 0, 0, "", false, false, false},
    {"keyUsage=digitalSignature,keyEncipherment", false, false, -1,
     KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT, 0, "", false, false, false},
    {"keyUsage=critical,keyAgreement,decipherOnly", true, false, -1,
     KU_KEY_AGREEMENT | UINT32_C(1) << 8, 0, "", false, false, false},
    {"subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always", true, false, -1, 0, 0, "",
     false, false, false},
    {"subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid:always,issuer:always", false, false,
     -1, 0, 0, "", false, false, false},
    {"authorityKeyIdentifier=issuer:always", false, false, -1, 0, 0, "", false, false, false},
    {"extendedKeyUsage=serverAuth,clientAuth", true, false, -1, 0,
     EKU_SERVER_AUTH | EKU_CLIENT_AUTH, "", false, false, false},
    {"extendedKeyUsage=critical,timeStamping,OCSPSigning", false, false, -1, 0, EKU_OCSP_SIGNING,
     "", false, true, false},
    {"extendedKeyUsage=anyExtendedKeyUsage", true, false, -1, 0, 0, "", false, true, false},
    {"subjectAltName=DNS:w.example,IP:10.1.1.68,IP:2001:db8::1,URI:https://w.example/", true, false,
     -1, 0, 0, "10.1.1.68 2001:db8::1 w.example https://w.example/ ", false, false, false},
    {"subjectAltName=email:a@b.example,DNS:w.example,RID:1.2.3", false, false, -1, 0, 0,
     "w.example ", false, false, false},
    {"subjectAltName=otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@b.example,DNS:Host_1.example,"
     "IP:10.0.0.1",
     false, false, -1, 0, 0, "10.0.0.1 ", false, false, false},
    {"subjectAltName=critical,dirName:dn\n[dn]\nCN=somebody", false, false, -1, 0, 0, "", false,
     false, false},
    {"issuerAltName=DNS:ca.example", true, false, -1, 0, 0, "", false, false, false},
    {"certificatePolicies=1.2.3.4,@p\n[p]\npolicyIdentifier=1.3.5.8\nCPS.1=https://ca.example/cps\n"
     "userNotice.1=@n\n[n]\nexplicitText=UTF8:words",
     true, false, -1, 0, 0, "", false, false, false},
    {"certificatePolicies=critical,2.5.29.32.0", true, false, -1, 0, 0, "", true, false, false},
    {"nameConstraints=critical,permitted;IP:10.0.0.0/255.0.0.0,excluded;DNS:example.com", true,
     false, -1, 0, 0, "", true, false, false},
    {"policyConstraints=requireExplicitPolicy:3\ninhibitAnyPolicy=2", true, false, -1, 0, 0, "",
     false, false, false},
    {"crlDistributionPoints=URI:http://ca.example/crl", true, false, -1, 0, 0, "", false, false,
     true},
    {"crlDistributionPoints=URI:http://ca.example/crl,URI:ldap://ca.example/", false, false, -1, 0,
     0, "", false, false, true},
    {"crlDistributionPoints=p\n[p]\nfullname=URI:http://ca.example/crl\nCRLissuer=dirName:dn\n"
     "reasons=keyCompromise,CACompromise\n[dn]\nCN=lists",
     false, false, -1, 0, 0, "", false, false, true},
    {"crlDistributionPoints=p\n[p]\nrelativename=rn\n[rn]\nCN=part", false, false, -1, 0, 0, "",
     false, false, false},
    {"authorityInfoAccess=OCSP;URI:http://ocsp.example/,caIssuers;URI:http://ca.example/crt", true,
     false, -1, 0, 0, "", false, false, false},
    {"authorityInfoAccess=OCSP;URI:http://a.example/,OCSP;URI:http://b.example/,"
     "1.3.6.1.5.5.7.48.3;DNS:t.example",
     false, false, -1, 0, 0, "", false, false, false},
    {"subjectInfoAccess=1.3.6.1.5.5.7.48.5;URI:http://ca.example/", true, false, -1, 0, 0, "",
     false, false, false},
    {"nsComment=a comment\nnsCertType=server\nfreshestCRL=URI:http://ca.example/d", true, false, -1,
     0, 0, "", false, false, false},
    {"tlsfeature=status_request\n1.2.3.4=DER:0500\n1.2.3.5=critical,ASN1:UTF8String:hello", true,
     false, -1, 0, 0, "", true, false, false},
};

static EVP_PKEY *keys[4];
static const enum sig_alg algs[] = {SIG_ECDSA_SHA256, SIG_RSA_SHA384, SIG_ED25519,
                                    SIG_ECDSA_SHA512};

static int make_keys(void **state)
{
  (void)state;
  keys[0] = EVP_EC_gen("P-256");
  keys[1] = EVP_RSA_gen(2048);
  keys[2] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
  keys[3] = EVP_EC_gen("P-521");
  return 0;
}

static int free_keys(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(keys); i++)
    EVP_PKEY_free(keys[i]);
  return 0;
}

static void add_extensions(X509 *cert, const char *extensions)
{
  AUTO(buf) text = {0};
  X509V3_CTX ctx;
  long line;
  buf_addf(&text, "[ext]\n%s\n", extensions);
  BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
  CONF *conf = NCONF_new(NULL);
  assert_int_equal(NCONF_load_bio(conf, bio, &line), 1);
  X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
  X509V3_set_nconf(&ctx, conf);
  if (X509V3_EXT_add_nconf(conf, &ctx, "ext", cert) != 1)
    fail_msg("OpenSSL does not take: %s", extensions);
  NCONF_free(conf);
  BIO_free(bio);
}

/* A self-signed certificate of version 3 with names of several string types. */
static void make(const char *extensions, size_t k, struct buf *ret_der)
{
  X509 *cert = X509_new();
  X509_NAME *name = X509_get_subject_name(cert);
  const EVP_MD *digests[] = {EVP_sha256(), EVP_sha384(), NULL, EVP_sha512()};
  uint8_t *der = NULL;
  X509_set_version(cert, 2);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), UINT64_C(0x8123456789abcdef));
  X509_NAME_add_entry_by_txt(name, "C", MBSTRING_ASC, (const uint8_t *)"DE", -1, -1, 0);
  X509_NAME_add_entry_by_txt(name, "DC", MBSTRING_ASC, (const uint8_t *)"example", -1, -1, 0);
  X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const uint8_t *)"M\xc3\xbcller", -1, -1, 0);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"w, 1", -1, -1, 0);
  X509_NAME_add_entry_by_txt(name, "emailAddress", MBSTRING_ASC, (const uint8_t *)"a@b.example", -1,
                             -1, 0);
  X509_set_issuer_name(cert, name);
  ASN1_TIME_set(X509_getm_notBefore(cert), 1795420800);
  ASN1_TIME_set(X509_getm_notAfter(cert), INT64_C(4102444800));
  X509_set_pubkey(cert, keys[k]);
  add_extensions(cert, extensions);
  assert_true(X509_sign(cert, keys[k], digests[k]) > 0);
  int len = i2d_X509(cert, &der);
  assert_true(len > 0);
  buf_add(ret_der, der, (size_t)len);
  OPENSSL_free(der);
  X509_free(cert);
}

static void check_names(const struct cert *cert, const char *wanted)
{
  AUTO(buf) text = {0};
  for (size_t i = 0; i < cert->names.n; i++) {
    san_text(sans_get(&cert->names, i), &text);
    buf_add_u8(&text, ' ');
  }
  assert_string_equal(buf_text(&text), wanted);
}

static void check(const struct foreign *c, size_t k)
{
  AUTO(buf) der = {0};
  AUTO(buf) subject = {0};
  AUTO(cert) cert = {0};
  AUTO(cert) own = {0};
  AUTO(fault) f = {0};
  make(c->extensions, k, &der);
  if (!cert_read(buf_bytes(&der), true, &cert, &f))
    fail_msg("%s: %s", c->extensions, f.detail);
  if (cert_read(buf_bytes(&der), false, &own, &f) != c->own)
    fail_msg("as our own: %s: %s", c->extensions, f.detail);
  assert_true(bytes_equal(cert.serial_number, bytes_of("\x81\x23\x45\x67\x89\xab\xcd\xef", 8)));
  assert_int_equal(cert.alg, algs[k]);
  assert_true(cert.not_before == 1795420800 && cert.not_after == INT64_C(4102444800));
  name_text(cert.subject, &subject);
  assert_non_null(strstr(buf_text(&subject), "CN=w\\, 1,O=M\xc3\xbcller"));
  assert_int_equal(cert.is_ca, c->is_ca);
  assert_int_equal(cert.path_len, c->path_len);
  assert_int_equal(cert.key_usage, c->key_usage);
  assert_int_equal(cert.ext_key_usage, c->ext_key_usage);
  assert_int_equal(cert.has_unknown_critical, c->unknown_critical);
  assert_int_equal(cert.has_unknown_eku, c->unknown_eku);
  assert_int_equal(cert.has_crl_url, c->has_crl_url);
  assert_int_equal(cert.subject_key_id.len > 0,
                   strstr(c->extensions, "subjectKeyIdentifier") != NULL);
  check_names(&cert, c->names);
  assert_true(cert_is_signed_by(&cert, &cert));
}

static void what_openssl_makes_is_read(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    check(&cases[i], i % ARRAY_LEN(keys));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_openssl_makes_is_read)};
  return cmocka_run_group_tests(tests, make_keys, free_keys);
}
