/* guard.c - see guard.h. */
#include "keyd/guard.h"

#include <stdio.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/crl.h"
#include "lib/pki/der.h"

#define REFUSE(f, ...) fault_set(f, SIGNER_REFUSED, __VA_ARGS__)

enum { SERIAL_NUMBER_BITS_MIN = 64 };

void guard_init(struct guard *guard, const struct guard_limits *limits, const struct cert *own,
                enum sig_alg alg)
{
  *guard = (struct guard){.limits = *limits, .own = own, .alg = alg};
  rate_init(&guard->rate, limits->signatures_per_hour);
}

void guard_free(struct guard *guard)
{
  rate_free(&guard->rate);
}

bool guard_check_own(const struct guard *guard, struct fault *f)
{
  const struct cert *own = guard->own;
  if (!own->is_ca || (own->key_usage & KU_KEY_CERT_SIGN) == 0)
    return fault_set(f, BAD_FILE, "our certificate is not a certificate authority's");
  if (own->subject_key_id.len == 0)
    return fault_set(f, BAD_FILE, "our certificate has no subject key identifier");
  return true;
}

bool guard_check_time(const struct guard *guard, int64_t now, struct fault *f)
{
  const struct cert *own = guard->own;
  return (now >= own->not_before && now <= own->not_after) ||
         fault_set(f, BAD_FILE, "our certificate is not valid at this time: look at the clock");
}

/* --- certificates: one function for each thing that is asked of them --- */

static bool is_from_us(const struct guard *guard, const struct cert *cert, int64_t now,
                       struct fault *f)
{
  (void)now;
  if (!bytes_equal(cert->issuer, guard->own->subject))
    return REFUSE(f, "the issuer is not this authority");
  if (cert->alg != guard->alg)
    return REFUSE(f, "the signature algorithm %s is not that of this key", sig_alg_name(cert->alg));
  if (!bytes_equal(cert->authority_key_id, guard->own->subject_key_id))
    return REFUSE(f, "the authority key identifier is not that of this key");
  return true;
}

static size_t bit_length(struct bytes magnitude)
{
  size_t bits = magnitude.len * 8;
  if (magnitude.len == 0 || magnitude.data[0] == 0)
    return 0;
  for (uint8_t first = magnitude.data[0]; (first & 0x80) == 0; first = (uint8_t)(first << 1))
    bits--;
  return bits;
}

/* RFC 5280, 4.1.2.2: positive, at most 20 octets with the sign; random enough to be told apart. */
static bool has_serial_number(const struct guard *guard, const struct cert *cert, int64_t now,
                              struct fault *f)
{
  (void)guard, (void)now;
  size_t bits = bit_length(cert->serial_number);
  if (bits < SERIAL_NUMBER_BITS_MIN || bits > SERIAL_NUMBER_MAX * 8 - 1)
    return REFUSE(f, "a serial number of %zu bits: it must have %d to %d", bits,
                  SERIAL_NUMBER_BITS_MIN, SERIAL_NUMBER_MAX * 8 - 1);
  return true;
}

static bool is_a_leaf(const struct guard *guard, const struct cert *cert, int64_t now,
                      struct fault *f)
{
  (void)now;
  if (cert->has_basic_constraints)
    return REFUSE(f, "basicConstraints: a leaf has none, and no CA is signed here");
  if (bytes_equal(cert->key.spki, guard->own->key.spki) ||
      bytes_equal(cert->key.key, guard->own->key.key))
    return REFUSE(f, "the subject's key is this authority's own");
  if (bytes_equal(cert->subject, guard->own->subject))
    return REFUSE(f, "the subject is this authority's own name");
  return true;
}

/* The names of the bits in a set, for a person. */
static void add_names(struct buf *out, uint32_t bits, const char *(*name_of)(unsigned bit))
{
  for (unsigned bit = 0; bit < 32; bit++) {
    if ((bits >> bit & 1) == 0)
      continue;
    const char *name = name_of(bit);
    buf_addf(out, "%s%s", out->len > 0 ? ", " : "", name != NULL ? name : "one without a name");
    if (name == NULL)
      return; /* name_of knows none behind its last */
  }
}

/* `setting` is where more can be allowed. */
static bool usages_are_within(const char *what, const char *setting, uint32_t bits,
                              uint32_t allowed, const char *(*name_of)(unsigned bit),
                              struct fault *f)
{
  AUTO(buf) names = {0};
  if (bits == 0)
    return REFUSE(f, "there is no %s", what);
  if ((bits & ~allowed) == 0)
    return true;
  add_names(&names, bits & ~allowed, name_of);
  return REFUSE(f, "%s not allowed (%s of keyd.conf): %s", what, setting, buf_text(&names));
}

static bool usages_are_allowed(const struct guard *guard, const struct cert *cert, int64_t now,
                               struct fault *f)
{
  (void)now;
  uint32_t never = KU_KEY_CERT_SIGN | KU_CRL_SIGN;
  if (!usages_are_within("key usage", "key_usages", cert->key_usage,
                         guard->limits.key_usages & ~never, key_usage_name, f))
    return false;
  if (cert->has_unknown_eku)
    return REFUSE(f, "an extended key usage that is not known here");
  return usages_are_within("extended key usage", "ext_key_usages", cert->ext_key_usage,
                           guard->limits.ext_key_usages, ext_key_usage_name, f);
}

static bool is_near(int64_t instant, int64_t now, int64_t distance_s)
{
  return instant >= now - distance_s && instant <= now + distance_s;
}

static bool refuse_time(struct fault *f, const char *what, int64_t instant, const char *why)
{
  char text[WHEN_TEXT_SIZE];
  when_text(text, instant);
  return REFUSE(f, "%s %s %s", what, text, why);
}

static bool is_valid_in_bounds(const struct guard *guard, const struct cert *cert, int64_t now,
                               struct fault *f)
{
  const struct guard_limits *limits = &guard->limits;
  if (!is_near(cert->not_before, now, limits->backdate_s))
    return refuse_time(f, "not before", cert->not_before, "is further from now than backdate");
  if (cert->not_after <= cert->not_before)
    return refuse_time(f, "not after", cert->not_after, "is no later than not before");
  if (cert->not_after == WHEN_NEVER && limits->allow_no_expiry)
    return true;
  int64_t from = cert->not_before > now ? cert->not_before : now;
  if (cert->not_after - from > limits->max_validity_s)
    return refuse_time(f, "not after", cert->not_after, "is beyond max_validity");
  if (cert->not_after > guard->own->not_after && !limits->allow_no_expiry)
    return refuse_time(f, "not after", cert->not_after, "is beyond the authority's own end");
  return true;
}

/* RFC 6960, 4.2.2.2: whoever has such a certificate tells what is revoked, and with nocheck nobody
 * asks whether it is itself. So it is for nothing else, and not for long. */
static bool is_a_fit_responder(const struct guard *guard, const struct cert *cert, int64_t now,
                               struct fault *f)
{
  bool signs_ocsp = (cert->ext_key_usage & EKU_OCSP_SIGNING) != 0;
  int64_t from = cert->not_before > now ? cert->not_before : now;
  if (!signs_ocsp)
    return !cert->ocsp_nocheck ||
           REFUSE(f, "ocsp-nocheck in a certificate that is not for OCSPSigning");
  if (cert->ext_key_usage != EKU_OCSP_SIGNING)
    return REFUSE(f, "OCSPSigning is not the only extended key usage");
  if (cert->key_usage != KU_DIGITAL_SIGNATURE)
    return REFUSE(f, "a certificate for OCSPSigning has the key usage digitalSignature alone");
  if (cert->has_names)
    return REFUSE(f, "a certificate for OCSPSigning has no subject alternative names");
  if (!cert->ocsp_nocheck)
    return REFUSE(f, "a certificate for OCSPSigning has ocsp-nocheck");
  if (cert->not_after - from > guard->limits.max_ocsp_validity_s)
    return refuse_time(f, "not after", cert->not_after, "is beyond max_ocsp_validity");
  return true;
}

/* What a leaf of ours may hold. An extension that is not critical can still mean more than we think
 * to somebody who relies on it, so the list is closed, whatever else is learnt to be read. */
static const uint32_t known_extensions = CERT_EXT_SUBJECT_KEY_ID | CERT_EXT_AUTHORITY_KEY_ID |
                                         CERT_EXT_KEY_USAGE | CERT_EXT_EXT_KEY_USAGE |
                                         CERT_EXT_SUBJECT_ALT_NAME | CERT_EXT_CRL_DIST_POINTS |
                                         CERT_EXT_AUTHORITY_INFO | CERT_EXT_OCSP_NOCHECK;

static bool extensions_are_known(const struct guard *guard, const struct cert *cert, int64_t now,
                                 struct fault *f)
{
  (void)guard, (void)now;
  if (cert->has_unknown_critical)
    return REFUSE(f, "a critical extension that is not known here");
  if ((cert->extensions & ~known_extensions) != 0)
    return REFUSE(f, "an extension that is not for a leaf");
  if (!cert->has_unknown)
    return true;
  AUTO(buf) text = {0};
  der_oid_text(cert->unknown_oid, &text);
  return REFUSE(f, "the extension %s is not known here", buf_text(&text));
}

static bool (*const certificate_checks[])(const struct guard *, const struct cert *, int64_t,
                                          struct fault *) = {
    is_from_us,         has_serial_number,    is_a_leaf, usages_are_allowed, is_valid_in_bounds,
    is_a_fit_responder, extensions_are_known,
};

static bool check_certificate(const struct guard *guard, struct bytes tbs, int64_t now,
                              struct guard_subject *subject, struct fault *f)
{
  AUTO(cert) cert = {0};
  if (tbs.len > CERT_MAX)
    return REFUSE(f, "a certificate of %zu octets is too long", tbs.len);
  if (!tbs_read(tbs, &cert, f)) {
    f->code = FAULT_SIGNER_REFUSED;
    return false;
  }
  if (cert.serial_number.len <= SERIAL_NUMBER_MAX)
    text_hex(subject->name, cert.serial_number.data, cert.serial_number.len);
  for (size_t i = 0; i < ARRAY_LEN(certificate_checks); i++)
    if (!certificate_checks[i](guard, &cert, now, f))
      return false;
  return true;
}

/* --- CRLs --- */

static bool check_crl_times(const struct guard *guard, const struct crl *crl, int64_t now,
                            struct fault *f)
{
  if (!is_near(crl->this_update, now, guard->limits.backdate_s))
    return refuse_time(f, "this update", crl->this_update, "is further from now than backdate");
  if (crl->next_update <= crl->this_update)
    return refuse_time(f, "next update", crl->next_update, "is no later than this update");
  if (crl->next_update - crl->this_update > guard->limits.max_crl_validity_s)
    return refuse_time(f, "next update", crl->next_update, "is beyond max_crl_validity");
  return true;
}

static bool read_crl_number(struct bytes magnitude, uint64_t *ret_number, struct fault *f)
{
  enum { BITS_MAX = 63 };
  uint64_t number = 0;
  if (bit_length(magnitude) > BITS_MAX)
    return REFUSE(f, "a cRLNumber of more than %d bits", BITS_MAX);
  for (size_t i = 0; i < magnitude.len; i++)
    number = number << 8 | magnitude.data[i];
  *ret_number = number;
  return true;
}

static bool check_crl(const struct guard *guard, struct bytes tbs, int64_t now,
                      struct guard_subject *subject, struct fault *f)
{
  struct crl crl = {0};
  if (tbs.len > SIGN_CRL_MAX)
    return REFUSE(f, "a CRL of %zu octets is too long", tbs.len);
  if (!crl_tbs_read(tbs, &crl, f)) {
    f->code = FAULT_SIGNER_REFUSED;
    return false;
  }
  size_t hex = 2 * crl.crl_number.len;
  if (hex <= 2 * SERIAL_NUMBER_MAX) {
    memcpy(subject->name, "CRL ", 4);
    text_hex(subject->name + 4, crl.crl_number.data, crl.crl_number.len);
  }
  if ((guard->own->key_usage & KU_CRL_SIGN) == 0)
    return REFUSE(f, "our certificate is not for signing CRLs");
  if (!bytes_equal(crl.issuer, guard->own->subject))
    return REFUSE(f, "the issuer is not this authority");
  if (crl.alg != guard->alg)
    return REFUSE(f, "the signature algorithm %s is not that of this key", sig_alg_name(crl.alg));
  if (!bytes_equal(crl.authority_key_id, guard->own->subject_key_id))
    return REFUSE(f, "the authority key identifier is not that of this key");
  return check_crl_times(guard, &crl, now, f) &&
         read_crl_number(crl.crl_number, &subject->crl_number, f);
}

static bool refuse_for_now(const struct guard *guard, struct fault *f)
{
  return fault_set(f, SIGNER_SPENT,
                   "%llu signatures in an hour are used up (signatures_per_hour of keyd.conf)",
                   (unsigned long long)guard->limits.signatures_per_hour);
}

bool guard_check_room(struct guard *guard, int64_t monotonic_ms, struct fault *f)
{
  return rate_has_room(&guard->rate, monotonic_ms) || refuse_for_now(guard, f);
}

bool guard_check(struct guard *guard, enum sign_kind kind, struct bytes tbs, int64_t now,
                 int64_t monotonic_ms, struct guard_subject *ret_subject, struct fault *f)
{
  *ret_subject = (struct guard_subject){.name = ""};
  if (!guard_check_time(guard, now, f)) {
    f->code = FAULT_SIGNER_REFUSED;
    return false;
  }
  bool ok = kind == SIGN_CRL ? check_crl(guard, tbs, now, ret_subject, f)
                             : check_certificate(guard, tbs, now, ret_subject, f);
  if (!ok)
    return false;
  if (!rate_take(&guard->rate, monotonic_ms))
    return refuse_for_now(guard, f);
  return true;
}
