/* cert_ext.c - reads the extensions of a certificate (RFC 5280, 4.2). See cert_ext.h. */
#include "lib/pki/cert_ext.h"

#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/oid.h"

/* What the readers below are given. Each returns false for a value that is not of its form; one
 * that has set a fault of its own keeps it. */
struct reading {
  const struct extension *ext;
  bool foreign;
  struct cert *cert;
  struct fault *f;
};

/* --- key identifiers --- */

static bool read_subject_key_id(struct reading *r)
{
  struct der in = der_of(r->ext->value);
  return der_take(&in, DER_OCTET_STRING, &r->cert->subject_key_id) && der_at_end(&in) &&
         r->cert->subject_key_id.len > 0;
}

/* authorityCertIssuer [1] and authorityCertSerialNumber [2] come together, or not at all. */
static bool step_over_issuer_and_serial(struct der *in)
{
  struct bytes issuer, serial;
  bool has_issuer = der_take(in, DER_CONTEXT_CONSTRUCTED(1), &issuer);
  bool has_serial = der_take(in, DER_CONTEXT(2), &serial);
  return has_issuer == has_serial;
}

static bool read_authority_key_id(struct reading *r)
{
  struct der outer = der_of(r->ext->value), in;
  struct bytes *id = &r->cert->authority_key_id;
  if (!der_enter(&outer, DER_SEQUENCE, &in) || !der_at_end(&outer) || der_at_end(&in))
    return false;
  if (der_take(&in, DER_CONTEXT(0), id) ? id->len == 0 : !r->foreign)
    return false;
  if (r->foreign && !step_over_issuer_and_serial(&in))
    return false;
  return der_at_end(&in);
}

/* --- usages and constraints --- */

static bool read_key_usage(struct reading *r)
{
  struct der in = der_of(r->ext->value);
  r->cert->has_key_usage = true;
  return der_take_named_bits(&in, &r->cert->key_usage) && der_at_end(&in) &&
         r->cert->key_usage != 0;
}

static bool note_usage(struct bytes oid, struct cert *cert)
{
  for (unsigned bit = 0; ext_key_usage_name(bit) != NULL; bit++)
    if (bytes_equal(oid, ext_key_usage_oid(bit))) {
      bool again = (cert->ext_key_usage >> bit & 1) != 0;
      cert->ext_key_usage |= UINT32_C(1) << bit;
      return !again;
    }
  cert->has_unknown_eku = true;
  return true;
}

static bool read_ext_key_usage(struct reading *r)
{
  struct der outer = der_of(r->ext->value), in;
  struct bytes oid;
  r->cert->has_ext_key_usage = true;
  if (!der_enter(&outer, DER_SEQUENCE, &in) || !der_at_end(&outer) || der_at_end(&in))
    return false;
  while (!der_at_end(&in))
    if (!der_take(&in, DER_OID, &oid) || !der_oid_is_valid(oid) || !note_usage(oid, r->cert))
      return false;
  return true;
}

/* cA FALSE is the default and must not be encoded; pathLenConstraint wants cA. */
static bool read_basic_constraints(struct reading *r)
{
  struct der outer = der_of(r->ext->value), in;
  int64_t path_len = -1;
  bool is_ca = false;
  r->cert->has_basic_constraints = true;
  if (!der_enter(&outer, DER_SEQUENCE, &in) || !der_at_end(&outer))
    return false;
  if (der_is(&in, DER_BOOLEAN) && (!der_take_bool(&in, &is_ca) || !is_ca))
    return false;
  if (is_ca && !der_at_end(&in) && (!der_take_number(&in, &path_len) || path_len > INT32_MAX))
    return false;
  r->cert->is_ca = is_ca;
  r->cert->path_len = (int)path_len;
  return der_at_end(&in);
}

/* --- names --- */

/* HardwareModuleName ::= SEQUENCE { hwType OID, hwSerialNum OCTET STRING } (RFC 4108, 5). */
static bool read_hardware(struct bytes other_name, struct cert *cert)
{
  struct der other = der_of(other_name), tagged, in;
  struct bytes type_id, type, serial;
  if (!der_take(&other, DER_OID, &type_id) || !bytes_equal(type_id, OID_HARDWARE_MODULE))
    return true;
  if (!der_enter(&other, DER_CONTEXT_CONSTRUCTED(0), &tagged) || !der_at_end(&other) ||
      !der_enter(&tagged, DER_SEQUENCE, &in) || !der_at_end(&tagged))
    return false;
  if (!der_take(&in, DER_OID, &type) || !der_oid_is_valid(type) ||
      !der_take(&in, DER_OCTET_STRING, &serial) || !der_at_end(&in))
    return false;
  if (cert->hardware_type.len > 0)
    return false; /* one device, one hardware name */
  cert->hardware_type = type;
  cert->hardware_serial = serial;
  return true;
}

/* GeneralName has the tags [0] to [8]. */
static bool is_general_name(uint8_t tag)
{
  return (tag & 0xc0) == 0x80 && (tag & 0x1f) <= 8;
}

static bool read_hardware_names(struct der in, struct cert *cert)
{
  struct der_value value;
  while (!der_at_end(&in)) {
    if (!der_next(&in, &value) || !is_general_name(value.tag))
      return false;
    if (value.tag == DER_CONTEXT_CONSTRUCTED(0) && !read_hardware(value.content, cert))
      return false;
  }
  return true;
}

static bool read_names(struct reading *r)
{
  struct der outer = der_of(r->ext->value), in;
  r->cert->has_names = true;
  r->cert->names_critical = r->ext->critical;
  if (!der_enter(&outer, DER_SEQUENCE, &in) || !der_at_end(&outer) || der_at_end(&in) ||
      !read_hardware_names(in, r->cert))
    return false;
  return r->foreign ? sans_read_taken(&r->cert->names, r->ext->value, r->f)
                    : sans_read(&r->cert->names, r->ext->value, true, r->f);
}

/* --- URLs --- */

enum { URL_TAG = DER_CONTEXT(6) };

/* The first URL among GeneralNames; without `foreign` it must be the only name. */
static bool take_url(struct der names, bool foreign, struct bytes *ret_url)
{
  struct der_value value;
  bool first = true;
  for (; !der_at_end(&names); first = false) {
    if (!der_next(&names, &value) || !is_general_name(value.tag) || value.content.len == 0)
      return false;
    if (!foreign && (!first || value.tag != URL_TAG))
      return false;
    if (value.tag == URL_TAG && ret_url->len == 0)
      *ret_url = value.content;
  }
  return !first;
}

/* DistributionPointName { fullName [0] }; nameRelativeToCRLIssuer [1] is of the foreign ones. */
static bool read_point_name(struct der in, bool foreign, struct bytes *ret_url)
{
  struct der full_name;
  struct der_value relative;
  if (der_enter(&in, DER_CONTEXT_CONSTRUCTED(0), &full_name))
    return der_at_end(&in) && take_url(full_name, foreign, ret_url);
  return foreign && der_next(&in, &relative) && der_at_end(&in);
}

/* DistributionPoint: name [0], reasons [1], cRLIssuer [2], all optional, not all absent. */
static bool read_point(struct der in, bool foreign, struct bytes *ret_url)
{
  struct der name;
  struct bytes other;
  if (der_at_end(&in))
    return false;
  if (der_enter(&in, DER_CONTEXT_CONSTRUCTED(0), &name)) {
    if (!read_point_name(name, foreign, ret_url))
      return false;
  } else if (!foreign) {
    return false;
  }
  if (foreign) {
    der_take(&in, DER_CONTEXT(1), &other);
    der_take(&in, DER_CONTEXT_CONSTRUCTED(2), &other);
  }
  return der_at_end(&in);
}

static bool read_crl_points(struct reading *r)
{
  struct der outer = der_of(r->ext->value), in, point;
  size_t n = 0;
  if (!der_enter(&outer, DER_SEQUENCE, &in) || !der_at_end(&outer))
    return false;
  for (; !der_at_end(&in); n++)
    if (!der_enter(&in, DER_SEQUENCE, &point) || !read_point(point, r->foreign, &r->cert->crl_url))
      return false;
  r->cert->has_crl_url = r->cert->crl_url.len > 0;
  return n == 1 || (n > 1 && r->foreign);
}

/* Where the URL of an access method goes; NULL for a method that is not read here. */
static struct bytes *url_of_method(struct bytes method, struct cert *cert)
{
  if (bytes_equal(method, OID_AD_OCSP))
    return &cert->ocsp_url;
  if (bytes_equal(method, OID_AD_CA_ISSUERS))
    return &cert->ca_issuers_url;
  return NULL;
}

static bool read_access(struct der in, bool foreign, struct cert *cert)
{
  struct bytes method;
  struct der_value place;
  if (!der_take(&in, DER_OID, &method) || !der_oid_is_valid(method) || !der_next(&in, &place) ||
      !is_general_name(place.tag) || place.content.len == 0 || !der_at_end(&in))
    return false;
  struct bytes *url = url_of_method(method, cert);
  bool usual = url != NULL && url->len == 0 && place.tag == URL_TAG;
  if (usual)
    *url = place.content;
  return usual || foreign;
}

static bool read_authority_info(struct reading *r)
{
  struct der outer = der_of(r->ext->value), in, access;
  if (!der_enter(&outer, DER_SEQUENCE, &in) || !der_at_end(&outer) || der_at_end(&in))
    return false;
  while (!der_at_end(&in))
    if (!der_enter(&in, DER_SEQUENCE, &access) || !read_access(access, r->foreign, r->cert))
      return false;
  return true;
}

/* --- an OCSP responder's own status --- */

static bool read_ocsp_nocheck(struct reading *r)
{
  struct der in = der_of(r->ext->value);
  struct bytes nothing;
  r->cert->ocsp_nocheck = true;
  return der_take(&in, DER_NULL, &nothing) && nothing.len == 0 && der_at_end(&in);
}

/* --- all of them --- */

/* Whether our own certificates have it critical; foreign ones may do as they like. */
enum criticality { PLAIN, CRITICAL, EITHER };

static const struct reader {
  enum cert_extension bit;
  struct bytes oid;
  const char *name;
  enum criticality criticality;
  bool (*read)(struct reading *r);
} readers[] = {
    {CERT_EXT_AUTHORITY_KEY_ID, OID_AUTHORITY_KEY_ID, "authorityKeyIdentifier", PLAIN,
     read_authority_key_id},
    {CERT_EXT_SUBJECT_KEY_ID, OID_SUBJECT_KEY_ID, "subjectKeyIdentifier", PLAIN,
     read_subject_key_id},
    {CERT_EXT_KEY_USAGE, OID_KEY_USAGE, "keyUsage", CRITICAL, read_key_usage},
    {CERT_EXT_BASIC_CONSTRAINTS, OID_BASIC_CONSTRAINTS, "basicConstraints", CRITICAL,
     read_basic_constraints},
    {CERT_EXT_EXT_KEY_USAGE, OID_EXT_KEY_USAGE, "extKeyUsage", PLAIN, read_ext_key_usage},
    {CERT_EXT_SUBJECT_ALT_NAME, OID_SUBJECT_ALT_NAME, "subjectAltName", EITHER, read_names},
    {CERT_EXT_CRL_DIST_POINTS, OID_CRL_DIST_POINTS, "cRLDistributionPoints", PLAIN,
     read_crl_points},
    {CERT_EXT_AUTHORITY_INFO, OID_AUTHORITY_INFO, "authorityInfoAccess", PLAIN,
     read_authority_info},
    {CERT_EXT_OCSP_NOCHECK, OID_OCSP_NOCHECK, "ocsp-nocheck", PLAIN, read_ocsp_nocheck},
};

static const struct reader *reader_of(struct bytes oid)
{
  for (size_t i = 0; i < ARRAY_LEN(readers); i++)
    if (bytes_equal(readers[i].oid, oid))
      return &readers[i];
  return NULL;
}

static bool read_one(struct reading *r)
{
  const struct reader *reader = reader_of(r->ext->oid);
  if (reader == NULL) {
    if (!r->cert->has_unknown)
      r->cert->unknown_oid = r->ext->oid;
    r->cert->has_unknown = true;
    r->cert->has_unknown_critical |= r->ext->critical;
    return true;
  }
  r->cert->extensions |= reader->bit;
  if (!r->foreign && reader->criticality != EITHER &&
      r->ext->critical != (reader->criticality == CRITICAL))
    return fault_set(r->f, BAD_FILE, "%s is %scritical", reader->name,
                     r->ext->critical ? "" : "not ");
  if (reader->read(r))
    return true;
  if (r->f->code == FAULT_NO_MEMORY)
    return false;
  AUTO(fault) why = {0};
  fault_move(&why, r->f);
  fault_set(r->f, BAD_FILE, "%s is not well formed%s%s", reader->name,
            why.code != FAULT_NONE ? ": " : "", why.detail);
  return false;
}

bool cert_ext_read(struct bytes extensions, bool foreign, struct cert *cert, struct fault *f)
{
  struct reading r = {.foreign = foreign, .cert = cert, .f = f};
  struct extensions all;
  if (!extensions_read(extensions, &all))
    return fault_set(f, BAD_FILE,
                     "the extensions are not well formed: not DER, empty, one twice, or over %d",
                     EXTENSIONS_MAX);
  for (size_t i = 0; i < all.n; i++) {
    r.ext = &all.list[i];
    if (!read_one(&r))
      return false;
  }
  return true;
}
