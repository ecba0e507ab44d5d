/* crl.c - see crl.h. */
#include "lib/pki/crl.h"

#include "lib/pki/cert.h"
#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/name.h"
#include "lib/pki/oid.h"

static bool bad(struct fault *f, const char *what)
{
  return fault_set(f, BAD_FILE, "not a list of revoked certificates: %s", what);
}

/* --- what stands at the list's head --- */

static bool take_version(struct der *in)
{
  int64_t version;
  return der_take_number(in, &version) && version == 1; /* v2 */
}

static bool take_alg(struct der *in, enum sig_alg *ret_alg)
{
  struct bytes whole;
  return der_take_whole(in, DER_SEQUENCE, &whole) && sig_alg_read(whole, ret_alg);
}

static bool take_issuer(struct der *in, struct bytes *ret_name)
{
  return der_take_whole(in, DER_SEQUENCE, ret_name) && name_is_valid(*ret_name) &&
         !name_is_empty(*ret_name);
}

/* --- entries --- */

/* CRLReason (RFC 5280, 5.3.1): unspecified(0) should be left out, and 7 is not used. */
static bool read_reason(struct bytes value)
{
  struct der in = der_of(value);
  struct bytes reason;
  return der_take(&in, DER_ENUMERATED, &reason) && der_at_end(&in) && reason.len == 1 &&
         reason.data[0] >= 1 && reason.data[0] <= 10 && reason.data[0] != 7;
}

/* certificateIssuer is critical and of indirect lists, which we do not take. */
static bool read_entry_extensions(struct bytes whole)
{
  struct der in;
  struct extension e;
  if (!extensions_open(whole, &in))
    return false;
  while (!der_at_end(&in)) {
    if (!extension_next(&in, &e))
      return false;
    if (bytes_equal(e.oid, OID_REASON_CODE) ? e.critical || !read_reason(e.value) : e.critical)
      return false;
  }
  return true;
}

static bool read_entry(struct der in)
{
  struct bytes serial, extensions;
  int64_t revoked_at;
  if (!der_take_unsigned(&in, &serial) || serial.len + (serial.data[0] >> 7) > SERIAL_NUMBER_MAX ||
      (serial.len == 1 && serial.data[0] == 0) || !der_take_time(&in, &revoked_at))
    return false;
  if (der_at_end(&in))
    return true;
  return der_take_whole(&in, DER_SEQUENCE, &extensions) && der_at_end(&in) &&
         read_entry_extensions(extensions);
}

/* revokedCertificates is absent when there are none (RFC 5280, 5.1.2.6). */
static bool take_entries(struct der *in, struct bytes *ret_entries, size_t *ret_n)
{
  struct der entries, entry;
  size_t n = 0;
  if (!der_enter(in, DER_SEQUENCE, &entries))
    return true;
  *ret_entries = bytes_of(entries.p, (size_t)(entries.end - entries.p));
  for (; !der_at_end(&entries); n++)
    if (!der_enter(&entries, DER_SEQUENCE, &entry) || !read_entry(entry))
      return false;
  *ret_n = n;
  return n > 0;
}

/* --- extensions --- */

static bool read_authority_key_id(const struct extension *e, struct crl *crl)
{
  struct der outer = der_of(e->value), in;
  return !e->critical && der_enter(&outer, DER_SEQUENCE, &in) && der_at_end(&outer) &&
         der_take(&in, DER_CONTEXT(0), &crl->authority_key_id) && der_at_end(&in) &&
         crl->authority_key_id.len > 0;
}

/* RFC 5280, 5.2.3: at most 20 octets. */
static bool read_number(struct bytes value, struct bytes *ret_magnitude)
{
  struct der in = der_of(value);
  return der_take_unsigned(&in, ret_magnitude) && der_at_end(&in) &&
         ret_magnitude->len + (ret_magnitude->data[0] >> 7) <= SERIAL_NUMBER_MAX;
}

static bool read_crl_number(const struct extension *e, struct crl *crl)
{
  return !e->critical && read_number(e->value, &crl->crl_number);
}

static bool read_base_number(const struct extension *e, struct crl *crl)
{
  crl->is_delta = true;
  return e->critical && read_number(e->value, &crl->base_number);
}

/* DistributionPointName { fullName [0] }: of its names, the first URL. Other forms are stepped
 * over. */
static struct bytes url_of_point(struct bytes name)
{
  struct der in = der_of(name), full_name;
  struct der_value value;
  if (der_enter(&in, DER_CONTEXT_CONSTRUCTED(0), &full_name))
    while (der_next(&full_name, &value))
      if (value.tag == DER_CONTEXT(6))
        return value.content;
  return (struct bytes){0};
}

/* IssuingDistributionPoint: never empty (RFC 5280, 5.2.5). What it says is the reader's matter. */
static bool read_distribution_point(const struct extension *e, struct crl *crl)
{
  struct der outer = der_of(e->value), in;
  struct der_value field;
  uint8_t last = 0;
  crl->is_partial = true;
  if (!e->critical || !der_enter(&outer, DER_SEQUENCE, &in) || !der_at_end(&outer) ||
      der_at_end(&in))
    return false;
  while (!der_at_end(&in)) {
    if (!der_next(&in, &field) || (field.tag & 0xc0) != 0x80 || (field.tag & 0x1f) > 5 ||
        (field.tag & 0x1f) + 1 <= last)
      return false;
    last = (uint8_t)((field.tag & 0x1f) + 1);
    if (field.tag == DER_CONTEXT_CONSTRUCTED(0))
      crl->point_url = url_of_point(field.content);
  }
  return true;
}

static const struct {
  struct bytes oid;
  bool (*read)(const struct extension *e, struct crl *crl);
} readers[] = {
    {OID_AUTHORITY_KEY_ID, read_authority_key_id},
    {OID_CRL_NUMBER, read_crl_number},
    {OID_DELTA_CRL, read_base_number},
    {OID_ISSUING_DIST_POINT, read_distribution_point},
};

static bool read_extension(const struct extension *e, struct crl *crl)
{
  for (size_t i = 0; i < ARRAY_LEN(readers); i++)
    if (bytes_equal(readers[i].oid, e->oid))
      return readers[i].read(e, crl);
  return !e->critical;
}

static bool take_extensions(struct der *in, struct crl *crl)
{
  struct der tagged, extensions;
  struct extension e;
  struct bytes whole;
  if (!der_enter(in, DER_CONTEXT_CONSTRUCTED(0), &tagged) || !der_at_end(in) ||
      !der_take_whole(&tagged, DER_SEQUENCE, &whole) || !der_at_end(&tagged) ||
      !extensions_open(whole, &extensions))
    return false;
  while (!der_at_end(&extensions))
    if (!extension_next(&extensions, &e) || !read_extension(&e, crl))
      return false;
  return true;
}

bool crl_tbs_read(struct bytes tbs, struct crl *ret_crl, struct fault *f)
{
  struct der all = der_of(tbs), in;
  struct crl crl = {.tbs = tbs};
  if (!der_enter(&all, DER_SEQUENCE, &in) || !der_at_end(&all))
    return bad(f, "it is not DER, or cut off, or something is behind it");
  if (!take_version(&in))
    return bad(f, "its version is not 2");
  if (!take_alg(&in, &crl.alg))
    return bad(f, "its signature algorithm is not taken");
  if (!take_issuer(&in, &crl.issuer))
    return bad(f, "its issuer is not well formed");
  if (!der_take_time(&in, &crl.this_update) || !der_take_time(&in, &crl.next_update) ||
      crl.next_update < crl.this_update)
    return bad(f, "thisUpdate and nextUpdate are not two times, one behind the other");
  if (!take_entries(&in, &crl.entries, &crl.n_revoked))
    return bad(f, "an entry is not well formed, or the list of entries is there and empty");
  if (!take_extensions(&in, &crl))
    return bad(f, "an extension is not well formed, or critical and not known");
  if (crl.authority_key_id.len == 0 || crl.crl_number.len == 0)
    return bad(f, "authorityKeyIdentifier or cRLNumber is missing");
  *ret_crl = crl;
  return true;
}

/* CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue } */
bool crl_read(struct bytes der, struct crl *ret_crl, struct fault *f)
{
  struct der all = der_of(der), in;
  struct bytes tbs;
  struct crl crl = {0};
  enum sig_alg outside;
  if (!der_enter(&all, DER_SEQUENCE, &in) || !der_at_end(&all) ||
      !der_take_whole(&in, DER_SEQUENCE, &tbs))
    return bad(f, "it is not DER, or cut off, or something is behind it");
  if (!crl_tbs_read(tbs, &crl, f))
    return false;
  /* RFC 5280, 5.1.1.2 */
  if (!take_alg(&in, &outside) || outside != crl.alg)
    return bad(f, "its signature algorithm is not the same inside and outside");
  if (!der_take_bit_octets(&in, &crl.signature) || crl.signature.len == 0 || !der_at_end(&in))
    return bad(f, "its signature is not well formed");
  *ret_crl = crl;
  return true;
}

bool crl_is_signed_by(const struct crl *crl, const struct cert *issuer)
{
  return (!issuer->has_key_usage || (issuer->key_usage & KU_CRL_SIGN) != 0) &&
         bytes_equal(crl->issuer, issuer->subject) &&
         pubkey_verify(&issuer->key, crl->alg, crl->tbs, crl->signature);
}

bool crl_has(const struct crl *crl, struct bytes serial_number)
{
  struct der entries = der_of(crl->entries), entry;
  struct bytes serial;
  while (der_enter(&entries, DER_SEQUENCE, &entry))
    if (der_take_unsigned(&entry, &serial) && bytes_equal(serial, serial_number))
      return true;
  return false;
}

/* What stands here was looked at when the list was read. */
static uint8_t reason_of(struct der *entry)
{
  struct der in;
  struct extension e;
  struct bytes whole;
  if (!der_take_whole(entry, DER_SEQUENCE, &whole) || !extensions_open(whole, &in))
    return 0;
  while (!der_at_end(&in) && extension_next(&in, &e))
    if (bytes_equal(e.oid, OID_REASON_CODE) && e.value.len > 0)
      return e.value.data[e.value.len - 1];
  return 0;
}

bool crl_next_entry(struct bytes *rest, struct crl_entry *ret_entry)
{
  struct der entries = der_of(*rest), entry;
  struct crl_entry found = {0};
  if (!der_enter(&entries, DER_SEQUENCE, &entry) ||
      !der_take_unsigned(&entry, &found.serial_number) || !der_take_time(&entry, &found.at))
    return false;
  if (!der_at_end(&entry))
    found.reason = reason_of(&entry);
  *rest = bytes_of(entries.p, (size_t)(entries.end - entries.p));
  *ret_entry = found;
  return true;
}
