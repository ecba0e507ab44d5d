/* test_cert.c - each certificate that is built says to OpenSSL, field by field, what was asked for;
 * and what others made, or broke, is read for what it is. */
#include "tests/unit/unit.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

/* OpenSSL has macros of these names. */
#undef KU_DIGITAL_SIGNATURE
#undef KU_NON_REPUDIATION
#undef KU_KEY_ENCIPHERMENT
#undef KU_DATA_ENCIPHERMENT
#undef KU_KEY_AGREEMENT
#undef KU_KEY_CERT_SIGN
#undef KU_CRL_SIGN
#include "lib/base/text.h"
#include "lib/pki/name.h"
#include "tests/unit/cases.h"
#include "tests/unit/cert_case.h"
#include "tests/unit/dertext.h"

/* --- OpenSSL's view of a certificate --- */

static X509 *openssl_reads(const struct buf *der)
{
  const uint8_t *p = der->data;
  X509 *cert = d2i_X509(NULL, &p, (long)der->len);
  assert_non_null(cert);
  assert_ptr_equal(p, der->data + der->len);
  return cert;
}

static bool same(const ASN1_STRING *found, struct bytes wanted)
{
  if (found == NULL)
    return wanted.len == 0;
  return bytes_equal(bytes_of(ASN1_STRING_get0_data(found), (size_t)ASN1_STRING_length(found)),
                     wanted);
}

static void check_time(const ASN1_TIME *found, int64_t wanted)
{
  ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
  int days, seconds;
  assert_int_equal(ASN1_TIME_diff(&days, &seconds, epoch, found), 1);
  assert_true((int64_t)days * 86400 + seconds == wanted);
  assert_int_equal(ASN1_STRING_type(found),
                   wanted < INT64_C(2524608000) ? V_ASN1_UTCTIME : V_ASN1_GENERALIZEDTIME);
  ASN1_TIME_free(epoch);
}

static void check_name(const X509_NAME *found, struct bytes wanted)
{
  const uint8_t *der;
  size_t len;
  assert_int_equal(X509_NAME_get0_der(found, &der, &len), 1);
  assert_true(bytes_equal(bytes_of(der, len), wanted));
}

static void check_general_name(const GENERAL_NAME *found, const struct cert_spec *spec, size_t i)
{
  static const int types[] = {[SAN_IP] = GEN_IPADD, [SAN_DNS] = GEN_DNS, [SAN_URI] = GEN_URI};
  int type;
  const void *value = GENERAL_NAME_get0_value(found, &type);
  if (i < spec->names->n) {
    struct san name = sans_get(spec->names, i);
    assert_int_equal(type, types[name.kind]);
    assert_true(same(value, name.value));
    return;
  }
  ASN1_OBJECT *oid;
  ASN1_TYPE *other;
  assert_int_equal(GENERAL_NAME_get0_otherName(found, &oid, &other), 1);
  char text[64];
  OBJ_obj2txt(text, sizeof text, oid, 1);
  assert_string_equal(text, "1.3.6.1.5.5.7.8.4"); /* id-on-hardwareModuleName */
  assert_int_equal(other->type, V_ASN1_SEQUENCE);
}

static void check_names(X509 *cert, const struct cert_spec *spec)
{
  int critical;
  size_t n = spec->names->n + (spec->hardware.type.len > 0);
  GENERAL_NAMES *found = X509_get_ext_d2i(cert, NID_subject_alt_name, &critical, NULL);
  assert_int_equal(found != NULL ? sk_GENERAL_NAME_num(found) : 0, n);
  for (int i = 0; i < (int)n; i++)
    check_general_name(sk_GENERAL_NAME_value(found, i), spec, (size_t)i);
  if (found != NULL)
    assert_int_equal(critical, name_is_empty(spec->subject));
  GENERAL_NAMES_free(found);
}

static void check_usages(X509 *cert, const struct cert_spec *spec)
{
  int critical;
  uint32_t usage = 0, ext_usage = 0;
  ASN1_BIT_STRING *bits = X509_get_ext_d2i(cert, NID_key_usage, &critical, NULL);
  assert_non_null(bits);
  assert_int_equal(critical, 1);
  for (int i = 0; i < 9; i++)
    usage |= (uint32_t)ASN1_BIT_STRING_get_bit(bits, i) << i;
  assert_int_equal(usage, spec->key_usage);
  ASN1_BIT_STRING_free(bits);
  EXTENDED_KEY_USAGE *usages = X509_get_ext_d2i(cert, NID_ext_key_usage, &critical, NULL);
  static const int nids[] = {NID_server_auth, NID_client_auth, NID_OCSP_sign};
  for (int i = 0; usages != NULL && i < sk_ASN1_OBJECT_num(usages); i++)
    for (size_t k = 0; k < ARRAY_LEN(nids); k++)
      if (OBJ_obj2nid(sk_ASN1_OBJECT_value(usages, i)) == nids[k])
        ext_usage |= UINT32_C(1) << k;
  assert_int_equal(ext_usage, spec->ext_key_usage);
  assert_int_equal(usages != NULL, spec->ext_key_usage != 0);
  if (usages != NULL)
    assert_int_equal(critical, 0);
  sk_ASN1_OBJECT_pop_free(usages, ASN1_OBJECT_free);
}

static void check_constraints(X509 *cert, const struct cert_spec *spec)
{
  int critical;
  BASIC_CONSTRAINTS *found = X509_get_ext_d2i(cert, NID_basic_constraints, &critical, NULL);
  assert_int_equal(found != NULL, spec->is_ca);
  if (found == NULL)
    return;
  assert_int_equal(critical, 1);
  assert_true(found->ca);
  assert_int_equal(found->pathlen != NULL ? ASN1_INTEGER_get(found->pathlen) : -1, spec->path_len);
  BASIC_CONSTRAINTS_free(found);
}

static void check_key_ids(X509 *cert, const struct cert_spec *spec)
{
  assert_true(same(X509_get0_subject_key_id(cert), spec->subject_key_id));
  assert_true(same(X509_get0_authority_key_id(cert), spec->authority_key_id));
  assert_null(X509_get0_authority_issuer(cert));
  assert_null(X509_get0_authority_serial(cert));
}

static void check_serial_number(X509 *cert, struct bytes wanted)
{
  BIGNUM *found = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
  BIGNUM *number = BN_bin2bn(wanted.data, (int)wanted.len, NULL);
  assert_int_equal(BN_cmp(found, number), 0);
  BN_free(found);
  BN_free(number);
}

static void check_urls(X509 *cert, const struct cert_spec *spec)
{
  CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
  assert_int_equal(points != NULL, spec->crl_url != NULL);
  if (points != NULL) {
    assert_int_equal(sk_DIST_POINT_num(points), 1);
    const GENERAL_NAMES *name = sk_DIST_POINT_value(points, 0)->distpoint->name.fullname;
    int type;
    assert_true(same(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(name, 0), &type),
                     bytes_of_text(spec->crl_url)));
    assert_int_equal(type, GEN_URI);
  }
  CRL_DIST_POINTS_free(points);
  AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(cert, NID_info_access, NULL, NULL);
  int n = (spec->ocsp_url != NULL) + (spec->ca_issuers_url != NULL);
  assert_int_equal(info != NULL ? sk_ACCESS_DESCRIPTION_num(info) : 0, n);
  for (int i = 0; i < n; i++) {
    const ACCESS_DESCRIPTION *access = sk_ACCESS_DESCRIPTION_value(info, i);
    bool ocsp = OBJ_obj2nid(access->method) == NID_ad_OCSP;
    assert_true(ocsp || OBJ_obj2nid(access->method) == NID_ad_ca_issuers);
    assert_true(same(access->location->d.uniformResourceIdentifier,
                     bytes_of_text(ocsp ? spec->ocsp_url : spec->ca_issuers_url)));
  }
  AUTHORITY_INFO_ACCESS_free(info);
}

static void check_ocsp_nocheck(X509 *cert, const struct cert_spec *spec)
{
  int at = X509_get_ext_by_NID(cert, NID_id_pkix_OCSP_noCheck, -1);
  assert_int_equal(at >= 0, spec->ocsp_nocheck);
  if (at < 0)
    return;
  assert_int_equal(X509_EXTENSION_get_critical(X509_get_ext(cert, at)), 0);
  assert_true(same(X509_EXTENSION_get_data(X509_get_ext(cert, at)), bytes_of("\x05\0", 2)));
}

/* OpenSSL writes DER anew from what it has read: it must come out as it went in. */
static void check_der(X509 *cert, const struct buf *der)
{
  uint8_t *again = NULL, *tbs = NULL;
  X509 *copy = X509_dup(cert);
  int len = i2d_X509(copy, &again);
  assert_true(bytes_equal(bytes_of(again, (size_t)len), buf_bytes(der)));
  len = i2d_re_X509_tbs(copy, &tbs);
  assert_true(len > 0);
  assert_non_null(memmem(der->data, der->len, tbs, (size_t)len));
  OPENSSL_free(again);
  OPENSSL_free(tbs);
  X509_free(copy);
}

/* --- chains --- */

static void make_ca(const char *subject, const char *issuer, const char *kind,
                    const char *issuer_kind, const char *ca, struct buf *ret_der)
{
  AUTO(cert_case) c = {0};
  AUTO(buf) text = {0};
  buf_addf(&text,
           "serial_number 0102030405060708090a\nsubject CN=%s\nissuer %s\nkey %s\nissuer_key %s\n"
           "not_before 1950-01-01T00:00:00Z\nnot_after 9999-12-31T23:59:59Z\nca %s\n"
           "key_usage keyCertSign\nkey_usage cRLSign\n",
           subject, issuer, kind, issuer_kind, ca);
  cert_case_read(buf_bytes(&text), &c);
  cert_case_make(&c, ret_der);
}

/* Verifies as a careful peer does, at the certificate's first moment. */
static void check_chain(X509 *cert, const struct cert_case *c)
{
  AUTO(buf) root_der = {0};
  AUTO(buf) issuing_der = {0};
  bool below_root = c->issuer_name != NULL && strcmp(c->issuer_name, "Root") == 0;
  const char *root_kind = below_root ? c->issuer_kind : "ec-p521";
  make_ca("Root", "Root", root_kind, root_kind, "unbounded", &root_der);
  make_ca("Issuing", "Root", c->issuer_kind, root_kind, "0", &issuing_der);
  X509 *root = openssl_reads(&root_der), *issuing = openssl_reads(&issuing_der);
  X509_STORE *store = X509_STORE_new();
  STACK_OF(X509) *between = sk_X509_new_null();
  X509_STORE_CTX *ctx = X509_STORE_CTX_new();
  assert_int_equal(X509_STORE_add_cert(store, c->issuer_name == NULL ? cert : root), 1);
  assert_true(sk_X509_push(between, issuing) > 0);
  assert_int_equal(X509_STORE_CTX_init(ctx, store, cert, between), 1);
  X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE);
  X509_STORE_CTX_set_time(ctx, 0, (time_t)c->spec.not_before);
  if (X509_verify_cert(ctx) != 1)
    fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
  X509_STORE_CTX_free(ctx);
  X509_STORE_free(store);
  sk_X509_free(between);
  X509_free(root);
  X509_free(issuing);
}

/* --- our own view --- */

static struct bytes magnitude(struct bytes n)
{
  while (n.len > 1 && n.data[0] == 0)
    n = bytes_of(n.data + 1, n.len - 1);
  return n;
}

static void check_our_view(const struct buf *der, const struct cert_case *c)
{
  const struct cert_spec *s = &c->spec;
  AUTO(cert) cert = {0};
  AUTO(fault) f = {0};
  if (!cert_read(buf_bytes(der), false, &cert, &f))
    fail_msg("%s", f.detail);
  assert_true(bytes_equal(cert.serial_number, magnitude(s->serial_number)));
  assert_int_equal(cert.alg, s->alg);
  assert_true(bytes_equal(cert.issuer, s->issuer) && bytes_equal(cert.subject, s->subject));
  assert_true(cert.not_before == s->not_before && cert.not_after == s->not_after);
  assert_true(bytes_equal(cert.key.spki, s->spki));
  assert_true(bytes_equal(cert.subject_key_id, s->subject_key_id));
  assert_true(bytes_equal(cert.authority_key_id, s->authority_key_id));
  assert_int_equal(cert.key_usage, s->key_usage);
  assert_int_equal(cert.ext_key_usage, s->ext_key_usage);
  assert_int_equal(cert.is_ca, s->is_ca);
  assert_int_equal(cert.path_len, s->path_len);
  assert_true(sans_equal(&cert.names, s->names));
  assert_true(bytes_equal(cert.hardware_type, s->hardware.type));
  assert_true(bytes_equal(cert.hardware_serial, s->hardware.serial));
  assert_int_equal(cert.has_crl_url, s->crl_url != NULL);
  assert_int_equal(cert.ocsp_nocheck, s->ocsp_nocheck);
  assert_false(cert.has_unknown || cert.has_unknown_critical || cert.has_unknown_eku);
}

/* What OpenSSL prints, without the key identifiers, which are another key's each time. */
static void print_cert(X509 *cert, struct buf *out)
{
  BIO *bio = BIO_new(BIO_s_mem());
  char *text;
  bool skip = false;
  X509_print_ex(bio, cert, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB,
                X509_FLAG_NO_PUBKEY | X509_FLAG_NO_SIGDUMP | X509_FLAG_NO_HEADER);
  BIO_write(bio, "", 1);
  BIO_get_mem_data(bio, &text);
  for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
    if (!skip) {
      size_t len = strlen(line);
      while (len > 0 && line[len - 1] == ' ')
        len--;
      buf_add(out, line, len);
      buf_add_u8(out, '\n');
    }
    skip = strstr(line, "Key Identifier:") != NULL;
  }
  BIO_free(bio);
}

static void run_build_case(const char *folder, const char *name)
{
  AUTO(cert_case) c = {0};
  AUTO(buf) input = {0};
  AUTO(buf) der = {0};
  AUTO(buf) text = {0};
  print_message("  %s\n", name);
  case_read(folder, name, "input", &input);
  cert_case_read(buf_bytes(&input), &c);
  cert_case_make(&c, &der);
  X509 *cert = openssl_reads(&der);
  assert_int_equal(X509_get_version(cert), 2);
  check_serial_number(cert, c.spec.serial_number);
  check_name(X509_get_issuer_name(cert), c.spec.issuer);
  check_name(X509_get_subject_name(cert), c.spec.subject);
  check_time(X509_get0_notBefore(cert), c.spec.not_before);
  check_time(X509_get0_notAfter(cert), c.spec.not_after);
  assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(cert), private_key_evp(c.key)), 1);
  check_key_ids(cert, &c.spec);
  check_usages(cert, &c.spec);
  check_constraints(cert, &c.spec);
  check_names(cert, &c.spec);
  check_urls(cert, &c.spec);
  check_ocsp_nocheck(cert, &c.spec);
  check_der(cert, &der);
  assert_int_equal(X509_verify(cert, private_key_evp(c.issuer_key)), 1);
  check_chain(cert, &c);
  check_our_view(&der, &c);
  print_cert(cert, &text);
  case_expect(folder, name, &text);
  X509_free(cert);
}

static void what_is_built_is_what_openssl_reads(void **state)
{
  (void)state;
  cases_each("cert/build", 40, run_build_case);
}

static void read_case(const char *name, struct cert_case *c)
{
  AUTO(buf) input = {0};
  case_read("cert/build", name, "input", &input);
  cert_case_read(buf_bytes(&input), c);
}

static void no_certificate_is_built_from_what_none_follows_from(void **state)
{
  (void)state;
  AUTO(cert_case) c = {0};
  read_case("server-ip", &c);
  struct cert_spec broken[15];
  for (size_t i = 0; i < ARRAY_LEN(broken); i++)
    broken[i] = c.spec;
  struct bytes zero = bytes_of("\0\0", 2), empty_name = bytes_of("\x30\0", 2);
  uint8_t big[20];
  memset(big, 0xff, sizeof big);
  broken[0].serial_number = zero;
  broken[1].serial_number = (struct bytes){0};
  broken[2].serial_number = bytes_of(big, sizeof big);
  broken[3].issuer = empty_name;
  broken[4].not_after = broken[4].not_before - 1;
  broken[5].not_after = INT64_C(253402300800);
  broken[6].spki = (struct bytes){0};
  broken[7].authority_key_id = (struct bytes){0};
  broken[8].key_usage = 0;
  broken[9].key_usage |= KU_KEY_CERT_SIGN;
  broken[10].is_ca = true;
  broken[11].ext_key_usage = 1 << 9;
  broken[12].subject = empty_name, broken[12].names = NULL;
  broken[13].crl_url = "http://ca.example/a b";
  broken[14].ocsp_url = "";
  for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
    AUTO(buf) tbs = {0};
    AUTO(fault) f = {0};
    buf_add_text(&tbs, "before");
    assert_false(cert_build(&broken[i], &tbs, &f));
    assert_int_equal(f.code, FAULT_INTERNAL);
    assert_true(bytes_equal(buf_bytes(&tbs), bytes_of_text("before")));
  }
}

/* --- reading --- */

static void add_flag(struct buf *out, bool is, const char *flag)
{
  if (is)
    buf_addf(out, "%s\n", flag);
}

static void describe(const struct cert *c, struct buf *out)
{
  add_flag(out, c->has_unknown, "has_unknown");
  add_flag(out, c->has_unknown_critical, "has_unknown_critical");
  add_flag(out, c->has_unknown_eku, "has_unknown_eku");
  add_flag(out, c->has_basic_constraints, "has_basic_constraints");
  add_flag(out, c->is_ca, "is_ca");
  add_flag(out, c->has_crl_url, "has_crl_url");
  add_flag(out, c->ocsp_nocheck, "ocsp_nocheck");
  add_flag(out, c->names_critical, "names_critical");
  for (size_t i = 0; i < c->names.n; i++) {
    buf_add_text(out, "name ");
    san_text(sans_get(&c->names, i), out);
    buf_add_u8(out, '\n');
  }
}

/* Once for our own certificates, once for foreign ones. The octets lie in memory of exactly their
 * size, so that the sanitizer sees a step beyond. */
static void run_broken_case(const char *folder, const char *name)
{
  AUTO(buf) input = {0};
  AUTO(buf) der = {0};
  AUTO(buf) text = {0};
  print_message("  %s\n", name);
  case_read(folder, name, "input", &input);
  assert_true(dertext_read(buf_bytes(&input), &der));
  uint8_t *exact = malloc(der.len > 0 ? der.len : 1);
  if (der.len > 0)
    memcpy(exact, der.data, der.len);
  for (int foreign = 0; foreign < 2; foreign++) {
    AUTO(cert) cert = {0};
    AUTO(fault) f = {0};
    bool taken = cert_read(bytes_of(exact, der.len), foreign != 0, &cert, &f);
    buf_addf(&text, "%s: %s\n", foreign ? "foreign" : "own", taken ? "taken" : f.detail);
    if (taken)
      describe(&cert, &text);
    else
      assert_int_equal(f.code, FAULT_BAD_FILE);
  }
  free(exact);
  case_expect(folder, name, &text);
}

static void a_broken_certificate_is_refused_with_the_reason(void **state)
{
  (void)state;
  cases_each("cert/broken", 40, run_broken_case);
}

static bool reads(const uint8_t *octets, size_t len, bool foreign)
{
  AUTO(cert) cert = {0};
  AUTO(fault) f = {0};
  uint8_t *exact = malloc(len > 0 ? len : 1);
  memcpy(exact, octets, len);
  bool taken = cert_read(bytes_of(exact, len), foreign, &cert, &f);
  if (!taken)
    assert_int_equal(f.code, FAULT_BAD_FILE);
  free(exact);
  return taken;
}

static void no_prefix_of_a_certificate_is_one(void **state)
{
  (void)state;
  AUTO(cert_case) c = {0};
  AUTO(buf) der = {0};
  read_case("idevid-with-names", &c);
  cert_case_make(&c, &der);
  for (size_t len = 0; len < der.len; len++)
    assert_false(reads(der.data, len, len % 2 != 0));
  assert_true(reads(der.data, der.len, false));
  buf_add_u8(&der, 0);
  assert_false(reads(der.data, der.len, true));
}

static void a_certificate_with_any_octet_changed_does_no_harm(void **state)
{
  (void)state;
  AUTO(cert_case) c = {0};
  AUTO(buf) der = {0};
  read_case("idevid-with-names", &c);
  cert_case_make(&c, &der);
  for (size_t at = 0; at < der.len; at++)
    for (unsigned bit = 0; bit < 8; bit++) {
      der.data[at] ^= (uint8_t)(1u << bit);
      reads(der.data, der.len, bit % 2 != 0);
      der.data[at] ^= (uint8_t)(1u << bit);
    }
}

static void the_issuer_is_told_by_name_and_signature(void **state)
{
  (void)state;
  AUTO(buf) root_der = {0};
  AUTO(buf) other_der = {0};
  AUTO(buf) leaf_der = {0};
  AUTO(cert) root = {0};
  AUTO(cert) other = {0};
  AUTO(cert) leaf = {0};
  AUTO(fault) f = {0};
  make_ca("Root", "Root", "ec-p256", "ec-p256", "1", &root_der);
  make_ca("Root", "Root", "ec-p384", "ec-p384", "1", &other_der);
  make_ca("Issuing", "Root", "ec-p521", "ec-p256", "0", &leaf_der);
  assert_true(cert_read(buf_bytes(&root_der), false, &root, &f));
  assert_true(cert_read(buf_bytes(&other_der), false, &other, &f));
  assert_true(cert_read(buf_bytes(&leaf_der), false, &leaf, &f));
  assert_true(cert_is_signed_by(&leaf, &root));
  assert_true(cert_is_signed_by(&root, &root));
  assert_false(cert_is_signed_by(&leaf, &other)); /* same name, other key */
  assert_false(cert_is_signed_by(&root, &leaf));
  struct cert renamed = root;
  renamed.subject = leaf.subject; /* same key, other name */
  assert_false(cert_is_signed_by(&leaf, &renamed));
}

static void usages_have_the_names_of_the_rfc(void **state)
{
  (void)state;
  uint32_t bit;
  assert_string_equal(key_usage_name(0), "digitalSignature");
  assert_string_equal(key_usage_name(6), "cRLSign");
  assert_null(key_usage_name(7));
  assert_string_equal(ext_key_usage_name(2), "OCSPSigning");
  assert_null(ext_key_usage_name(3));
  assert_int_equal(ext_key_usage_oid(3).len, 0);
  assert_true(key_usage_named(bytes_of_text("keyAgreement"), &bit));
  assert_int_equal(bit, KU_KEY_AGREEMENT);
  assert_true(ext_key_usage_named(bytes_of_text("clientAuth"), &bit));
  assert_int_equal(bit, EKU_CLIENT_AUTH);
  assert_false(ext_key_usage_named(bytes_of_text("anyExtendedKeyUsage"), &bit));
  assert_false(key_usage_named(bytes_of_text(""), &bit));
}

static int free_keys(void **state)
{
  (void)state;
  cert_case_free_keys();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_built_is_what_openssl_reads),
      cmocka_unit_test(no_certificate_is_built_from_what_none_follows_from),
      cmocka_unit_test(a_broken_certificate_is_refused_with_the_reason),
      cmocka_unit_test(no_prefix_of_a_certificate_is_one),
      cmocka_unit_test(a_certificate_with_any_octet_changed_does_no_harm),
      cmocka_unit_test(the_issuer_is_told_by_name_and_signature),
      cmocka_unit_test(usages_have_the_names_of_the_rfc),
  };
  return cmocka_run_group_tests(tests, NULL, free_keys);
}
