/* test_guard.c - what the key holder signs, and what it does not. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "keyd/guard.h"
#include "lib/base/when.h"
#include "lib/pki/crl_build.h"
#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/oid.h"
#include "tests/unit/keyd_ca.h"

enum { DAY = 86400 };

static struct keyd_ca ca;
static const struct guard_limits usual = {
    .max_validity_s = INT64_C(825) * DAY,
    .backdate_s = 3600,
    .max_crl_validity_s = INT64_C(31) * DAY,
    .max_ocsp_validity_s = INT64_C(31) * DAY,
    .key_usages = KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT,
    .ext_key_usages = EKU_SERVER_AUTH | EKU_CLIENT_AUTH,
};

static int make_ca(void **state)
{
  (void)state;
  keyd_ca_make(&ca, "ec-p256", "");
  return 0;
}

static int free_ca(void **state)
{
  (void)state;
  keyd_ca_free(&ca);
  return 0;
}

/* "" when the guard takes it, otherwise its reason. */
static void judge(const struct guard_limits *limits, enum sign_kind kind, struct bytes tbs,
                  char ret_reason[400])
{
  AUTO(fault) fault = {0};
  struct guard guard;
  struct guard_subject subject;
  guard_init(&guard, limits, &ca.certificate, private_key_alg(ca.key));
  bool ok = guard_check(&guard, kind, tbs, when_now(), when_monotonic_ms(), &subject, &fault);
  assert_int_equal(fault.code, ok ? FAULT_NONE : FAULT_SIGNER_REFUSED);
  snprintf(ret_reason, 400, "%s", fault.detail);
  guard_free(&guard);
}

/* reason: NULL when it is to be taken. */
static void expect(const char *what, const struct guard_limits *limits, enum sign_kind kind,
                   struct bytes tbs, const char *reason)
{
  char found[400];
  judge(limits, kind, tbs, found);
  if (reason == NULL ? found[0] != '\0' : strstr(found, reason) == NULL)
    fail_msg("%s: expected \"%s\", found \"%s\"", what, reason != NULL ? reason : "", found);
}

/* --- certificates from a specification --- */

static uint8_t other_name[] = {0x30, 0x0e, 0x31, 0x0c, 0x30, 0x0a, 0x06, 0x03,
                               0x55, 0x04, 0x03, 0x0c, 0x03, 'f',  'o',  'o'};
static uint8_t other_key_id[20] = {1};
static uint8_t ones[20] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                           0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void no_change(struct cert_spec *s)
{
  (void)s;
}
static void foreign_issuer(struct cert_spec *s)
{
  s->issuer = bytes_of(other_name, sizeof other_name);
}
static void foreign_algorithm(struct cert_spec *s)
{
  s->alg = SIG_RSA_SHA256;
}
static void foreign_digest(struct cert_spec *s)
{
  s->alg = SIG_ECDSA_SHA384;
}
static void foreign_authority_key_id(struct cert_spec *s)
{
  s->authority_key_id = bytes_of(other_key_id, sizeof other_key_id);
}
static void short_serial_number(struct cert_spec *s)
{
  s->serial_number = bytes_of(ones, 7);
}
static void serial_number_of_63_bits(struct cert_spec *s)
{
  static const uint8_t bits_63[8] = {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  s->serial_number = bytes_of(bits_63, 8);
}
static void serial_number_of_64_bits(struct cert_spec *s)
{
  s->serial_number = bytes_of(ones, 8);
}
static void a_ca(struct cert_spec *s)
{
  s->is_ca = true;
  s->key_usage |= KU_KEY_CERT_SIGN;
}
static void crl_sign(struct cert_spec *s)
{
  s->key_usage |= KU_CRL_SIGN;
}
static void key_encipherment(struct cert_spec *s)
{
  s->key_usage |= KU_KEY_ENCIPHERMENT;
}
static void key_agreement(struct cert_spec *s)
{
  s->key_usage |= KU_KEY_AGREEMENT;
}
static void ocsp_signing(struct cert_spec *s)
{
  s->ext_key_usage = EKU_OCSP_SIGNING;
  s->not_after = when_now() + 31 * (int64_t)DAY;
  s->ocsp_nocheck = true;
}
static void ocsp_signing_and_more(struct cert_spec *s)
{
  ocsp_signing(s);
  s->ext_key_usage |= EKU_SERVER_AUTH;
}
static void ocsp_signing_for_long(struct cert_spec *s)
{
  ocsp_signing(s);
  s->not_after += 60;
}
static void ocsp_signing_for_ever(struct cert_spec *s)
{
  ocsp_signing(s);
  s->not_after = WHEN_NEVER;
}
static void ocsp_signing_and_encipherment(struct cert_spec *s)
{
  ocsp_signing(s);
  s->key_usage |= KU_KEY_ENCIPHERMENT;
}
static void ocsp_signing_to_be_checked(struct cert_spec *s)
{
  ocsp_signing(s);
  s->ocsp_nocheck = false;
}
static void ocsp_signing_with_a_name(struct cert_spec *s)
{
  ocsp_signing(s);
  s->hardware.type = bytes_of("\x2a\x03", 2);
  s->hardware.serial = bytes_of_text("1");
}
static void nocheck(struct cert_spec *s)
{
  s->ocsp_nocheck = true;
}
static void both_usages(struct cert_spec *s)
{
  s->ext_key_usage |= EKU_CLIENT_AUTH;
}
static void no_ext_key_usage(struct cert_spec *s)
{
  s->ext_key_usage = 0;
}
static void our_own_key(struct cert_spec *s)
{
  s->spki = ca.certificate.key.spki;
}
static void our_own_name(struct cert_spec *s)
{
  s->subject = ca.certificate.subject;
}
static void the_longest_validity(struct cert_spec *s)
{
  s->not_before = when_now();
  s->not_after = s->not_before + 825 * (int64_t)DAY;
}
static void too_long_validity(struct cert_spec *s)
{
  s->not_after = when_now() + 826 * (int64_t)DAY;
}
static void too_early(struct cert_spec *s)
{
  s->not_before = when_now() - 3700;
}
static void too_late(struct cert_spec *s)
{
  s->not_before = when_now() + 3700;
}
static void no_validity(struct cert_spec *s)
{
  s->not_after = s->not_before;
}
static void no_expiry(struct cert_spec *s)
{
  s->not_after = WHEN_NEVER;
}
static void outlives_us(struct cert_spec *s)
{
  s->not_after = ca.certificate.not_after + DAY;
}
static void urls(struct cert_spec *s)
{
  s->crl_url = "http://ca.example/crl";
  s->ocsp_url = "http://ca.example/ocsp";
  s->ca_issuers_url = "http://ca.example/issuing.crt";
}

static const struct guard_limits generous = {
    .max_validity_s = INT64_C(3650) * DAY,
    .backdate_s = 3600,
    .allow_no_expiry = true,
    .max_ocsp_validity_s = INT64_C(31) * DAY,
    .key_usages = 0xffffffff,
    .ext_key_usages = EKU_SERVER_AUTH | EKU_OCSP_SIGNING,
};
static const struct guard_limits long_lived = {
    .max_validity_s = INT64_C(3650) * DAY,
    .backdate_s = 3600,
    .key_usages = KU_DIGITAL_SIGNATURE,
    .ext_key_usages = EKU_SERVER_AUTH,
};

static void each_specification_is_judged_as_it_should_be(void **state)
{
  static const struct {
    const char *what;
    void (*change)(struct cert_spec *s);
    const struct guard_limits *limits;
    const char *reason;
  } cases[] = {
      {"a usual leaf", no_change, &usual, NULL},
      {"64 bits of serial number", serial_number_of_64_bits, &usual, NULL},
      {"keyEncipherment", key_encipherment, &usual, NULL},
      {"server and client", both_usages, &usual, NULL},
      {"the longest validity", the_longest_validity, &usual, NULL},
      {"every URL", urls, &usual, NULL},
      {"no expiry, allowed", no_expiry, &generous, NULL},
      {"outlives us, allowed", outlives_us, &generous, NULL},
      {"OCSP signing, allowed", ocsp_signing, &generous, NULL},
      {"a foreign issuer", foreign_issuer, &usual, "the issuer is not this authority"},
      {"RSA", foreign_algorithm, &usual, "sha256WithRSAEncryption is not that of this key"},
      {"another digest", foreign_digest, &usual, "ecdsa-with-SHA384 is not that of this key"},
      {"a foreign AKI", foreign_authority_key_id, &usual, "the authority key identifier"},
      {"a short serial number", short_serial_number, &usual, "a serial number of 56 bits"},
      {"63 bits", serial_number_of_63_bits, &usual, "a serial number of 63 bits"},
      {"a CA", a_ca, &usual, "no CA is signed here"},
      {"a CA, however generous", a_ca, &generous, "no CA is signed here"},
      {"cRLSign", crl_sign, &usual, "key usage not allowed (key_usages of keyd.conf): cRLSign"},
      {"cRLSign, however generous", crl_sign, &generous,
       "key usage not allowed (key_usages of keyd.conf): cRLSign"},
      {"keyAgreement", key_agreement, &usual,
       "key usage not allowed (key_usages of keyd.conf): keyAgreement"},
      {"OCSPSigning", ocsp_signing, &usual,
       "extended key usage not allowed (ext_key_usages of keyd.conf): OCSPSigning"},
      {"OCSPSigning beside another", ocsp_signing_and_more, &generous,
       "OCSPSigning is not the only extended key usage"},
      {"OCSPSigning for long", ocsp_signing_for_long, &generous, "is beyond max_ocsp_validity"},
      {"OCSPSigning for ever", ocsp_signing_for_ever, &generous, "is beyond max_ocsp_validity"},
      {"OCSPSigning and keyEncipherment", ocsp_signing_and_encipherment, &generous,
       "has the key usage digitalSignature alone"},
      {"OCSPSigning without nocheck", ocsp_signing_to_be_checked, &generous, "has ocsp-nocheck"},
      {"OCSPSigning with a name", ocsp_signing_with_a_name, &generous,
       "has no subject alternative names"},
      {"nocheck of another", nocheck, &usual, "ocsp-nocheck in a certificate that is not for"},
      {"nocheck of another, however generous", nocheck, &generous, "ocsp-nocheck in a"},
      {"no EKU", no_ext_key_usage, &usual, "there is no extended key usage"},
      {"our own key", our_own_key, &usual, "this authority's own"},
      {"our own name", our_own_name, &usual, "this authority's own name"},
      {"too long", too_long_validity, &usual, "is beyond max_validity"},
      {"too early", too_early, &usual, "is further from now than backdate"},
      {"too late", too_late, &usual, "is further from now than backdate"},
      {"no validity at all", no_validity, &usual, "no later than not before"},
      {"no expiry", no_expiry, &usual, "not after 9999-12-31T23:59:59Z is beyond max_validity"},
      {"outlives us", outlives_us, &long_lived, "is beyond the authority's own end"},
      {"no expiry, within max_validity or not", no_expiry, &long_lived, "is beyond max_validity"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(fault) fault = {0};
    AUTO(buf) tbs = {0};
    struct cert_spec spec = keyd_ca_leaf(&ca);
    cases[i].change(&spec);
    if (!cert_build(&spec, &tbs, &fault)) /* what our writer would not write is written by hand */
      fail_msg("%s: %s", cases[i].what, fault.detail);
    expect(cases[i].what, cases[i].limits, SIGN_CERTIFICATE, buf_bytes(&tbs), cases[i].reason);
  }
}

/* --- certificates by hand --- */

/* The fields of a TBSCertificate: version to subjectPublicKeyInfo, then extensions. */
enum { FIELD_VERSION, FIELD_SERIAL, FIELD_SPKI = 6, FIELD_EXTENSIONS = 7, N_FIELDS };

struct surgery {
  const char *what;
  int replace; /* the field that `with` stands for, or is added behind; -1: none */
  bool behind; /* add instead */
  struct bytes with;
  struct bytes extension; /* one more Extension, whole */
  const char *drop;       /* OID content octets (3 of them) of an extension to leave out */
  const char *reason;
};

static void put_extensions(struct bytes field, const struct surgery *s, struct buf *out)
{
  struct der outer = der_of(field), wrapper, list;
  struct bytes whole;
  assert_true(der_enter(&outer, DER_CONTEXT_CONSTRUCTED(3), &wrapper));
  assert_true(der_enter(&wrapper, DER_SEQUENCE, &list));
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(3));
  size_t sequence = der_begin(out, DER_SEQUENCE);
  while (der_take_whole(&list, DER_SEQUENCE, &whole))
    if (s->drop == NULL || memmem(whole.data, 8, s->drop, 3) == NULL)
      buf_add_bytes(out, whole);
  buf_add_bytes(out, s->extension);
  der_end(out, sequence);
  der_end(out, tagged);
}

static void operate(const struct surgery *s, struct buf *out)
{
  AUTO(buf) usual_tbs = {0};
  struct der_value field;
  struct der outer, fields;
  keyd_ca_leaf_tbs(&ca, &usual_tbs);
  outer = der_of(buf_bytes(&usual_tbs));
  assert_true(der_enter(&outer, DER_SEQUENCE, &fields));
  size_t tbs = der_begin(out, DER_SEQUENCE);
  for (int i = 0; i < N_FIELDS; i++) {
    assert_true(der_next(&fields, &field));
    if (i == FIELD_EXTENSIONS && i != s->replace)
      put_extensions(field.whole, s, out);
    else if (i != s->replace || s->behind)
      buf_add_bytes(out, field.whole);
    if (i == s->replace)
      buf_add_bytes(out, s->with);
  }
  der_end(out, tbs);
  assert_true(buf_ok(out));
}

#define OCTETS(...) OID_(__VA_ARGS__)
#define NOTHING                                                                                    \
  {                                                                                                \
    .data = NULL, .len = 0                                                                         \
  }

static void each_certificate_made_by_hand_is_refused(void **state)
{
  const struct surgery cases[] = {
      {"version 1", FIELD_VERSION, false, NOTHING, NOTHING, NULL, "version is not 3"},
      {"version 2", FIELD_VERSION, false, OCTETS(0xa0, 3, 2, 1, 1), NOTHING, NULL, "version"},
      {"version 4", FIELD_VERSION, false, OCTETS(0xa0, 3, 2, 1, 3), NOTHING, NULL, "version"},
      {"serial number 0", FIELD_SERIAL, false, OCTETS(2, 1, 0), NOTHING, NULL, "serial number"},
      {"a negative one", FIELD_SERIAL, false, OCTETS(2, 9, 0x80, 1, 2, 3, 4, 5, 6, 7, 8), NOTHING,
       NULL, "serial number"},
      {"one of 21 octets", FIELD_SERIAL, false,
       OCTETS(2, 21, 0, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19),
       NOTHING, NULL, "serial number"},
      {"an issuer's unique identifier", FIELD_SPKI, true, OCTETS(0x81, 2, 0, 1), NOTHING, NULL,
       "behind its public key"},
      {"no extension at all", FIELD_EXTENSIONS, false, NOTHING, NOTHING, NULL,
       "authority key identifier"},
      {"something behind the extensions", FIELD_EXTENSIONS, true, OCTETS(5, 0), NOTHING, NULL,
       "behind its public key"},
      {"no key usage", -1, false, NOTHING, NOTHING, "\x55\x1d\x0f", "there is no key usage"},
      {"no AKI", -1, false, NOTHING, NOTHING, "\x55\x1d\x23", "authority key identifier"},
      {"basicConstraints of a leaf", -1, false, NOTHING,
       OCTETS(0x30, 9, 6, 3, 0x55, 0x1d, 0x13, 4, 2, 0x30, 0), NULL, "basicConstraints"},
      {"basicConstraints of a CA, not critical", -1, false, NOTHING,
       OCTETS(0x30, 12, 6, 3, 0x55, 0x1d, 0x13, 4, 5, 0x30, 3, 1, 1, 0xff), NULL,
       "basicConstraints"},
      {"two key usages", -1, false, NOTHING,
       OCTETS(0x30, 11, 6, 3, 0x55, 0x1d, 0x0f, 4, 4, 3, 2, 2, 4), NULL, "extension"},
      {"a critical unknown extension", -1, false, NOTHING,
       OCTETS(0x30, 12, 6, 3, 0x2a, 3, 4, 1, 1, 0xff, 4, 2, 5, 0), NULL, "extension"},
      {"an unknown extension that is not critical", -1, false, NOTHING,
       OCTETS(0x30, 9, 6, 3, 0x2a, 3, 4, 4, 2, 5, 0), NULL,
       "the extension 1.2.3.4 is not known here"},
      {"nsCertType sslCA", -1, false, NOTHING,
       OCTETS(0x30, 17, 6, 9, 0x60, 0x86, 0x48, 0x01, 0x86, 0xf8, 0x42, 1, 1, 4, 4, 3, 2, 2, 4),
       NULL, "the extension 2.16.840.1.113730.1.1 is not known here"},
      {"an empty extension", -1, false, NOTHING, OCTETS(0x30, 7, 6, 3, 0x55, 0x1d, 0x12, 4, 0),
       NULL, "extension"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) tbs = {0};
    operate(&cases[i], &tbs);
    expect(cases[i].what, &generous, SIGN_CERTIFICATE, buf_bytes(&tbs), cases[i].reason);
  }
}

static void extended_key_usages_that_are_not_known_are_refused(void **state)
{
  const struct {
    const char *what;
    struct bytes extension;
    const char *reason;
  } cases[] = {
      {"any", OCTETS(0x30, 15, 6, 3, 0x55, 0x1d, 0x25, 4, 8, 0x30, 6, 6, 4, 0x55, 0x1d, 0x25, 0),
       "an extended key usage that is not known here"},
      {"1.2.3", OCTETS(0x30, 13, 6, 3, 0x55, 0x1d, 0x25, 4, 6, 0x30, 4, 6, 2, 0x2a, 3),
       "an extended key usage that is not known here"},
      {"an empty list", OCTETS(0x30, 9, 6, 3, 0x55, 0x1d, 0x25, 4, 2, 0x30, 0),
       "extKeyUsage is not well formed"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) tbs = {0};
    const struct surgery replace = {
        .replace = -1, .drop = "\x55\x1d\x25", .extension = cases[i].extension};
    operate(&replace, &tbs);
    expect(cases[i].what, &generous, SIGN_CERTIFICATE, buf_bytes(&tbs), cases[i].reason);
  }
}

static void what_is_no_certificate_is_refused(void **state)
{
  AUTO(buf) tbs = {0}, crl = {0}, behind = {0}, digest = {0};
  (void)state;
  keyd_ca_leaf_tbs(&ca, &tbs);
  struct crl_spec list = keyd_ca_crl(&ca);
  crl_spec_write(&list, &crl);
  buf_add_bytes(&behind, buf_bytes(&tbs));
  buf_add_u8(&behind, 0);
  buf_add(&digest, ones, sizeof ones);
  expect("nothing", &generous, SIGN_CERTIFICATE, bytes_of(NULL, 0), "not a certificate");
  expect("a digest", &generous, SIGN_CERTIFICATE, buf_bytes(&digest), "not a certificate");
  expect("cut off", &generous, SIGN_CERTIFICATE, bytes_of(tbs.data, tbs.len - 1), "not a cert");
  expect("an octet behind", &generous, SIGN_CERTIFICATE, buf_bytes(&behind), "not a certificate");
  expect("a CRL", &generous, SIGN_CERTIFICATE, buf_bytes(&crl), "not a certificate");
  expect("a whole certificate", &generous, SIGN_CERTIFICATE, buf_bytes(&ca.certificate_der),
         "not a certificate");
  expect("a certificate as CRL", &generous, SIGN_CRL, buf_bytes(&tbs), "not a list");
}

/* Each octet changed, one after the other: either refused, or still nothing but a leaf of ours. */
static void no_flipped_octet_makes_a_ca(void **state)
{
  AUTO(buf) tbs = {0};
  (void)state;
  keyd_ca_leaf_tbs(&ca, &tbs);
  for (size_t i = 0; i < tbs.len; i++)
    for (unsigned bit = 0; bit < 8; bit++) {
      char reason[400];
      tbs.data[i] ^= (uint8_t)(1u << bit);
      judge(&usual, SIGN_CERTIFICATE, buf_bytes(&tbs), reason);
      if (reason[0] == '\0') {
        AUTO(cert) cert = {0};
        AUTO(fault) fault = {0};
        assert_true(tbs_read(buf_bytes(&tbs), &cert, &fault));
        assert_false(cert.is_ca || cert.has_basic_constraints || cert.has_unknown_critical);
        assert_int_equal(cert.key_usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN), 0);
        assert_true(bytes_equal(cert.issuer, ca.certificate.subject));
      }
      tbs.data[i] ^= (uint8_t)(1u << bit);
    }
}

/* --- CRLs --- */

static void each_crl_is_judged_as_it_should_be(void **state)
{
  (void)state;
  struct crl_spec good = keyd_ca_crl(&ca);
  struct {
    const char *what;
    struct crl_spec crl;
    const char *reason;
  } cases[11];
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    cases[i].crl = good;
  cases[0].what = "ours", cases[0].reason = NULL;
  cases[1].what = "an empty one", cases[1].reason = NULL, cases[1].crl.n_revoked = 0;
  cases[2].what = "a foreign issuer", cases[2].reason = "the issuer is not this authority";
  cases[2].crl.issuer = bytes_of(other_name, sizeof other_name);
  cases[3].what = "another algorithm", cases[3].reason = "is not that of this key";
  cases[3].crl.alg = SIG_ECDSA_SHA512;
  cases[4].what = "a foreign AKI", cases[4].reason = "the authority key identifier";
  cases[4].crl.authority_key_id = bytes_of(other_key_id, sizeof other_key_id);
  cases[5].what = "an old one", cases[5].reason = "this update";
  cases[5].crl.this_update -= DAY;
  cases[6].what = "one for ever", cases[6].reason = "is beyond max_crl_validity";
  cases[6].crl.next_update += 30 * DAY;
  cases[7].what = "one without a time", cases[7].reason = "is no later than this update";
  cases[7].crl.next_update = cases[7].crl.this_update;
  cases[8].what = "the highest number", cases[8].reason = NULL;
  cases[8].crl.number = bytes_of("\x7f\xff\xff\xff\xff\xff\xff\xff", 8);
  cases[9].what = "a number of 64 bits", cases[9].reason = "a cRLNumber of more than 63 bits";
  cases[9].crl.number = bytes_of("\x80\0\0\0\0\0\0\0", 8);
  cases[10].what = "a number of 19 octets", cases[10].reason = "a cRLNumber of more than 63 bits";
  cases[10].crl.number = bytes_of("\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 19);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) tbs = {0};
    crl_spec_write(&cases[i].crl, &tbs);
    expect(cases[i].what, &usual, SIGN_CRL, buf_bytes(&tbs), cases[i].reason);
  }
}

/* Complete and delta lists, of all certificates and of some. */
static void each_list_that_we_build_is_taken(void **state)
{
  (void)state;
  struct crl_spec usual_one = keyd_ca_crl(&ca);
  for (unsigned i = 0; i < 8; i++) {
    AUTO(buf) tbs = {0};
    AUTO(fault) f = {0};
    struct crl_builder builder;
    const struct crl_head head = {.alg = usual_one.alg,
                                  .issuer = usual_one.issuer,
                                  .this_update = usual_one.this_update,
                                  .next_update = usual_one.next_update,
                                  .authority_key_id = usual_one.authority_key_id,
                                  .number = 1000 + i,
                                  .base_number = (i & 1) != 0 ? 9 : 0,
                                  .point_url = (i & 2) != 0 ? "http://ca.example/1.crl" : NULL,
                                  .freshest_url = i == 4 ? "http://ca.example/delta.crl" : NULL};
    assert_true(crl_begin(&head, &tbs, &builder, &f));
    for (unsigned n = 1; n <= i; n++)
      crl_add(&builder, bytes_of(&n, 1), head.this_update, n % 7);
    assert_true(crl_end(&builder, &f));
    expect("one that we built", &usual, SIGN_CRL, buf_bytes(&tbs), NULL);
  }
}

static void a_crl_is_told_by_its_number(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(buf) tbs = {0};
  struct guard guard;
  struct guard_subject subject;
  struct crl_spec crl = keyd_ca_crl(&ca);
  (void)state;
  crl.number = bytes_of("\x01\x02\x03", 3);
  crl_spec_write(&crl, &tbs);
  guard_init(&guard, &usual, &ca.certificate, private_key_alg(ca.key));
  assert_true(guard_check(&guard, SIGN_CRL, buf_bytes(&tbs), when_now(), 0, &subject, &fault));
  assert_string_equal(subject.name, "CRL 010203");
  assert_int_equal(subject.crl_number, 0x010203);
  guard_free(&guard);
}

/* --- our own certificate, and the count --- */

static void a_certificate_that_is_over_signs_nothing(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(buf) tbs = {0};
  struct guard guard;
  struct guard_subject subject;
  (void)state;
  keyd_ca_leaf_tbs(&ca, &tbs);
  guard_init(&guard, &generous, &ca.certificate, private_key_alg(ca.key));
  int64_t end = ca.certificate.not_after, begin = ca.certificate.not_before;
  assert_true(guard_check_own(&guard, &fault) && guard_check_time(&guard, end, &fault));
  assert_false(
      guard_check(&guard, SIGN_CERTIFICATE, buf_bytes(&tbs), end + 1, 0, &subject, &fault));
  assert_non_null(strstr(fault.detail, "our certificate is not valid at this time"));
  assert_false(guard_check_time(&guard, begin - 1, &fault));
  guard_free(&guard);
}

static void a_refusal_is_told_with_the_serial_number(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(buf) tbs = {0};
  struct guard guard;
  struct guard_subject subject;
  (void)state;
  struct cert_spec spec = keyd_ca_leaf(&ca);
  too_early(&spec);
  assert_true(cert_build(&spec, &tbs, &fault));
  guard_init(&guard, &usual, &ca.certificate, private_key_alg(ca.key));
  assert_false(
      guard_check(&guard, SIGN_CERTIFICATE, buf_bytes(&tbs), when_now(), 0, &subject, &fault));
  assert_string_equal(subject.name, "019322175a3cff018055129d4177e003");
  guard_free(&guard);
}

static void refusals_do_not_use_up_the_hour(void **state)
{
  AUTO(buf) good = {0}, bad = {0};
  AUTO(fault) fault = {0};
  struct guard guard;
  struct guard_limits limits = usual;
  struct guard_subject subject;
  (void)state;
  limits.signatures_per_hour = 2;
  keyd_ca_leaf_tbs(&ca, &good);
  guard_init(&guard, &limits, &ca.certificate, private_key_alg(ca.key));
  int64_t now = when_now();
  for (int i = 0; i < 5; i++)
    assert_false(guard_check(&guard, SIGN_CERTIFICATE, buf_bytes(&bad), now, 0, &subject, &fault));
  assert_true(guard_check(&guard, SIGN_CERTIFICATE, buf_bytes(&good), now, 0, &subject, &fault));
  assert_true(guard_check(&guard, SIGN_CERTIFICATE, buf_bytes(&good), now, 0, &subject, &fault));
  assert_false(guard_check(&guard, SIGN_CERTIFICATE, buf_bytes(&good), now, 0, &subject, &fault));
  assert_non_null(strstr(fault.detail, "signatures_per_hour"));
  guard_free(&guard);
}

static void no_hour_has_more_than_its_signatures(void **state)
{
  enum { HOUR_MS = 3600 * 1000, STEP_MS = 7000, LIMIT = 50 };
  struct rate rate;
  int64_t taken[4096];
  size_t n = 0;
  (void)state;
  rate_init(&rate, LIMIT);
  for (int64_t now = 123456789; now < 123456789 + 5 * HOUR_MS && n < ARRAY_LEN(taken);
       now += STEP_MS)
    if (rate_take(&rate, now))
      taken[n++] = now;
  assert_true(n >= 4 * LIMIT);
  for (size_t i = LIMIT; i < n; i++)
    assert_true(taken[i] - taken[i - LIMIT] >= HOUR_MS);
  rate_free(&rate);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_specification_is_judged_as_it_should_be),
      cmocka_unit_test(each_certificate_made_by_hand_is_refused),
      cmocka_unit_test(extended_key_usages_that_are_not_known_are_refused),
      cmocka_unit_test(what_is_no_certificate_is_refused),
      cmocka_unit_test(no_flipped_octet_makes_a_ca),
      cmocka_unit_test(each_crl_is_judged_as_it_should_be),
      cmocka_unit_test(each_list_that_we_build_is_taken),
      cmocka_unit_test(a_crl_is_told_by_its_number),
      cmocka_unit_test(a_certificate_that_is_over_signs_nothing),
      cmocka_unit_test(a_refusal_is_told_with_the_serial_number),
      cmocka_unit_test(refusals_do_not_use_up_the_hour),
      cmocka_unit_test(no_hour_has_more_than_its_signatures),
  };
  return cmocka_run_group_tests(tests, make_ca, free_ca);
}
