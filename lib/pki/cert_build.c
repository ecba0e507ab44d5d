/* cert_build.c - certificates from a specification (RFC 5280, 4.1): one pass into the caller's
 * memory. See cert.h. */
#include "lib/base/when.h"
#include "lib/pki/cert.h"
#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/name.h"
#include "lib/pki/oid.h"

/* --- is there a correct certificate for it? --- */

/* 1950-01-01T00:00:00Z: before it, RFC 5280 has no form for a time. */
#define FIRST_TIME INT64_C(-631152000)

static bool serial_number_is_positive(const struct cert_spec *s)
{
  struct bytes n = s->serial_number;
  while (n.len > 0 && n.data[0] == 0)
    n = bytes_of(n.data + 1, n.len - 1);
  return n.len > 0 && n.len + (n.data[0] >> 7) <= SERIAL_NUMBER_MAX;
}

static bool issuer_is_there(const struct cert_spec *s)
{
  return s->issuer.len > 0 && s->subject.len > 0 && !name_is_empty(s->issuer);
}

static bool validity_is_a_span(const struct cert_spec *s)
{
  return s->not_before >= FIRST_TIME && s->not_before <= s->not_after && s->not_after <= WHEN_NEVER;
}

static bool keys_are_there(const struct cert_spec *s)
{
  bool is_root = s->is_ca && bytes_equal(s->issuer, s->subject);
  return s->spki.len > 0 && s->subject_key_id.len > 0 && (s->authority_key_id.len > 0 || is_root);
}

static bool usages_are_known(const struct cert_spec *s)
{
  return s->key_usage != 0 && s->key_usage < 2 * KU_CRL_SIGN &&
         s->ext_key_usage < 2 * EKU_OCSP_SIGNING;
}

/* RFC 5280, 4.2.1.3 and 4.2.1.9: keyCertSign and cA go together, and a CA has a subject. */
static bool ca_is_whole(const struct cert_spec *s)
{
  bool signs = (s->key_usage & KU_KEY_CERT_SIGN) != 0;
  return signs == s->is_ca && (!s->is_ca || !name_is_empty(s->subject));
}

static bool has_names(const struct cert_spec *s)
{
  return (s->names != NULL && s->names->n > 0) || s->hardware.type.len > 0;
}

static bool somebody_is_named(const struct cert_spec *s)
{
  return !name_is_empty(s->subject) || has_names(s);
}

static bool is_url(const char *url)
{
  if (url == NULL)
    return true;
  for (const char *c = url; *c != '\0'; c++)
    if (*c <= ' ' || *c > '~')
      return false;
  return url[0] != '\0';
}

static bool urls_are_ascii(const struct cert_spec *s)
{
  return is_url(s->crl_url) && is_url(s->ocsp_url) && is_url(s->ca_issuers_url);
}

static bool check_spec(const struct cert_spec *s, struct fault *f)
{
  static const struct {
    bool (*holds)(const struct cert_spec *s);
    const char *why;
  } rules[] = {
      {serial_number_is_positive, "the serial number is not positive, or over 20 octets"},
      {issuer_is_there, "the issuer or the subject is missing"},
      {validity_is_a_span, "the validity does not end after it begins, within 1950 to 9999"},
      {keys_are_there, "the public key or a key identifier is missing"},
      {usages_are_known, "no key usage, or one that is not known"},
      {ca_is_whole, "keyCertSign and cA do not go together, or a CA has no subject"},
      {somebody_is_named, "neither a subject nor a subject alternative name"},
      {urls_are_ascii, "a URL is not printable ASCII"},
  };
  for (size_t i = 0; i < ARRAY_LEN(rules); i++)
    if (!rules[i].holds(s))
      return fault_set(f, INTERNAL, "no certificate can be built: %s", rules[i].why);
  return true;
}

/* --- extensions, in the order in which they are written --- */

static void put_authority_key_id(const struct cert_spec *s, struct buf *out)
{
  if (s->authority_key_id.len == 0)
    return;
  struct extension_mark mark = extension_begin(out, OID_AUTHORITY_KEY_ID, false);
  size_t sequence = der_begin(out, DER_SEQUENCE);
  der_put(out, DER_CONTEXT(0), s->authority_key_id);
  der_end(out, sequence);
  extension_end(out, mark);
}

static void put_subject_key_id(const struct cert_spec *s, struct buf *out)
{
  struct extension_mark mark = extension_begin(out, OID_SUBJECT_KEY_ID, false);
  der_put(out, DER_OCTET_STRING, s->subject_key_id);
  extension_end(out, mark);
}

static void put_key_usage(const struct cert_spec *s, struct buf *out)
{
  struct extension_mark mark = extension_begin(out, OID_KEY_USAGE, true);
  der_put_named_bits(out, s->key_usage);
  extension_end(out, mark);
}

static void put_basic_constraints(const struct cert_spec *s, struct buf *out)
{
  if (!s->is_ca)
    return;
  struct extension_mark mark = extension_begin(out, OID_BASIC_CONSTRAINTS, true);
  size_t sequence = der_begin(out, DER_SEQUENCE);
  der_put_bool(out, true);
  if (s->path_len >= 0)
    der_put_number(out, (uint64_t)s->path_len);
  der_end(out, sequence);
  extension_end(out, mark);
}

static void put_ext_key_usage(const struct cert_spec *s, struct buf *out)
{
  if (s->ext_key_usage == 0)
    return;
  struct extension_mark mark = extension_begin(out, OID_EXT_KEY_USAGE, false);
  size_t sequence = der_begin(out, DER_SEQUENCE);
  for (unsigned bit = 0; ext_key_usage_name(bit) != NULL; bit++)
    if ((s->ext_key_usage >> bit & 1) != 0)
      der_put_oid(out, ext_key_usage_oid(bit));
  der_end(out, sequence);
  extension_end(out, mark);
}

/* RFC 5280, 4.2.1.6: critical when there is no other name. */
static void put_names(const struct cert_spec *s, struct buf *out)
{
  if (!has_names(s))
    return;
  struct extension_mark mark =
      extension_begin(out, OID_SUBJECT_ALT_NAME, name_is_empty(s->subject));
  sans_write(s->names != NULL ? s->names : &(struct sans){0}, &s->hardware, out);
  extension_end(out, mark);
}

/* GeneralName: uniformResourceIdentifier [6] */
static void put_url(const char *url, struct buf *out)
{
  der_put(out, DER_CONTEXT(6), bytes_of_text(url));
}

/* One DistributionPoint { [0] { fullName [0] { url } } } (RFC 5280, 4.2.1.13). */
static void put_crl_url(const struct cert_spec *s, struct buf *out)
{
  if (s->crl_url == NULL)
    return;
  struct extension_mark mark = extension_begin(out, OID_CRL_DIST_POINTS, false);
  size_t points = der_begin(out, DER_SEQUENCE);
  size_t point = der_begin(out, DER_SEQUENCE);
  size_t name = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  size_t full_name = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  put_url(s->crl_url, out);
  der_end(out, full_name);
  der_end(out, name);
  der_end(out, point);
  der_end(out, points);
  extension_end(out, mark);
}

static void put_access(struct bytes method, const char *url, struct buf *out)
{
  if (url == NULL)
    return;
  size_t description = der_begin(out, DER_SEQUENCE);
  der_put_oid(out, method);
  put_url(url, out);
  der_end(out, description);
}

static void put_authority_info(const struct cert_spec *s, struct buf *out)
{
  if (s->ocsp_url == NULL && s->ca_issuers_url == NULL)
    return;
  struct extension_mark mark = extension_begin(out, OID_AUTHORITY_INFO, false);
  size_t sequence = der_begin(out, DER_SEQUENCE);
  put_access(OID_AD_OCSP, s->ocsp_url, out);
  put_access(OID_AD_CA_ISSUERS, s->ca_issuers_url, out);
  der_end(out, sequence);
  extension_end(out, mark);
}

/* RFC 6960, 4.2.2.2.1 */
static void put_ocsp_nocheck(const struct cert_spec *s, struct buf *out)
{
  if (!s->ocsp_nocheck)
    return;
  struct extension_mark mark = extension_begin(out, OID_OCSP_NOCHECK, false);
  der_put(out, DER_NULL, (struct bytes){0});
  extension_end(out, mark);
}

static void put_extensions(const struct cert_spec *s, struct buf *out)
{
  static void (*const writers[])(const struct cert_spec *s, struct buf *out) = {
      put_authority_key_id,  put_subject_key_id, put_key_usage,
      put_basic_constraints, put_ext_key_usage,  put_names,
      put_crl_url,           put_authority_info, put_ocsp_nocheck,
  };
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(3));
  size_t sequence = der_begin(out, DER_SEQUENCE);
  for (size_t i = 0; i < ARRAY_LEN(writers); i++)
    writers[i](s, out);
  der_end(out, sequence);
  der_end(out, tagged);
}

/* --- the whole --- */

static void put_version(struct buf *out)
{
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  der_put_number(out, 2); /* v3 */
  der_end(out, tagged);
}

static void put_validity(const struct cert_spec *s, struct buf *out)
{
  size_t validity = der_begin(out, DER_SEQUENCE);
  der_put_time(out, s->not_before);
  der_put_time(out, s->not_after);
  der_end(out, validity);
}

bool cert_build(const struct cert_spec *spec, struct buf *ret_tbs, struct fault *f)
{
  enum { USUAL_REST = 512 };
  size_t start = ret_tbs->len;
  if (!check_spec(spec, f))
    return false;
  buf_reserve(ret_tbs, USUAL_REST + spec->issuer.len + spec->subject.len + spec->spki.len);
  size_t tbs = der_begin(ret_tbs, DER_SEQUENCE);
  put_version(ret_tbs);
  der_put_unsigned(ret_tbs, spec->serial_number);
  sig_alg_write(spec->alg, ret_tbs);
  buf_add_bytes(ret_tbs, spec->issuer);
  put_validity(spec, ret_tbs);
  buf_add_bytes(ret_tbs, spec->subject);
  buf_add_bytes(ret_tbs, spec->spki);
  put_extensions(spec, ret_tbs);
  der_end(ret_tbs, tbs);
  if (buf_ok(ret_tbs))
    return true;
  ret_tbs->len = start;
  return fault_no_memory(f);
}

bool cert_assemble(struct bytes tbs, enum sig_alg alg, struct bytes signature, struct buf *ret_der,
                   struct fault *f)
{
  enum { HEADERS = 64 };
  size_t start = ret_der->len;
  buf_reserve(ret_der, tbs.len + signature.len + HEADERS);
  size_t certificate = der_begin(ret_der, DER_SEQUENCE);
  buf_add_bytes(ret_der, tbs);
  sig_alg_write(alg, ret_der);
  der_put_bit_octets(ret_der, signature);
  der_end(ret_der, certificate);
  if (buf_ok(ret_der))
    return true;
  ret_der->len = start;
  return fault_no_memory(f);
}
