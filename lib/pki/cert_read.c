/* cert_read.c - certificates, read strictly (RFC 5280, 4.1). See cert.h. */
#include "lib/pki/cert.h"
#include "lib/pki/cert_ext.h"
#include "lib/pki/ext.h"
#include "lib/pki/name.h"
#include "lib/pki/oid.h"

static bool bad(struct fault *f, const char *what)
{
  return fault_set(f, BAD_FILE, "not a certificate: %s", what);
}

/* [0] EXPLICIT INTEGER 2: version 3 is the only one that has extensions. */
static bool take_version(struct der *in)
{
  struct der tagged;
  int64_t version;
  return der_enter(in, DER_CONTEXT_CONSTRUCTED(0), &tagged) && der_take_number(&tagged, &version) &&
         der_at_end(&tagged) && version == 2;
}

/* RFC 5280, 4.1.2.2: positive, at most 20 octets with the one that keeps it positive. */
static bool take_serial_number(struct der *in, struct bytes *ret_magnitude)
{
  struct bytes n;
  if (!der_take_unsigned(in, &n) || n.len + (n.data[0] >> 7) > SERIAL_NUMBER_MAX ||
      (n.len == 1 && n.data[0] == 0))
    return false;
  *ret_magnitude = n;
  return true;
}

static bool take_alg(struct der *in, enum sig_alg *ret_alg)
{
  struct bytes whole;
  return der_take_whole(in, DER_SEQUENCE, &whole) && sig_alg_read(whole, ret_alg);
}

static bool take_name(struct der *in, bool foreign, struct bytes *ret_name)
{
  return der_take_whole(in, DER_SEQUENCE, ret_name) && (foreign || name_is_valid(*ret_name));
}

static bool take_validity(struct der *in, struct cert *cert)
{
  struct der validity;
  return der_enter(in, DER_SEQUENCE, &validity) && der_take_time(&validity, &cert->not_before) &&
         der_take_time(&validity, &cert->not_after) && der_at_end(&validity);
}

static bool take_key(struct der *in, struct pubkey *ret_key, struct fault *f)
{
  struct bytes spki;
  if (!der_take_whole(in, DER_SEQUENCE, &spki))
    return bad(f, "its public key is not well formed");
  if (pubkey_read(spki, ret_key, f))
    return true;
  AUTO(fault) why = {0};
  fault_move(&why, f);
  return fault_set(f, BAD_FILE, "the certificate's public key is not taken: %s", why.detail);
}

static bool take_extensions(struct der *in, bool foreign, struct cert *cert, struct fault *f)
{
  struct der tagged;
  struct bytes extensions;
  if (der_at_end(in))
    return true;
  if (!der_enter(in, DER_CONTEXT_CONSTRUCTED(3), &tagged) || !der_at_end(in) ||
      !der_take_whole(&tagged, DER_SEQUENCE, &extensions) || !der_at_end(&tagged))
    return bad(f, "something other than extensions is behind its public key");
  return cert_ext_read(extensions, foreign, cert, f);
}

static bool read_tbs(struct bytes tbs, bool foreign, struct cert *cert, struct fault *f)
{
  struct der all = der_of(tbs), in;
  cert->path_len = -1;
  cert->tbs = tbs;
  if (tbs.len > CERT_MAX)
    return bad(f, "it is too large");
  if (!der_enter(&all, DER_SEQUENCE, &in) || !der_at_end(&all))
    return bad(f, "it is not DER, or cut off, or something is behind it");
  if (!take_version(&in))
    return bad(f, "its version is not 3");
  if (!take_serial_number(&in, &cert->serial_number))
    return bad(f, "its serial number is not positive, or over 20 octets");
  if (!take_alg(&in, &cert->alg))
    return bad(f, "its signature algorithm is not taken");
  if (!take_name(&in, foreign, &cert->issuer) || name_is_empty(cert->issuer))
    return bad(f, "its issuer is not well formed");
  if (!take_validity(&in, cert))
    return bad(f, "its validity is not well formed");
  if (!take_name(&in, foreign, &cert->subject))
    return bad(f, "its subject is not well formed");
  return take_key(&in, &cert->key, f) && take_extensions(&in, foreign, cert, f);
}

bool tbs_read(struct bytes tbs, struct cert *ret_cert, struct fault *f)
{
  return read_tbs(tbs, false, ret_cert, f);
}

bool cert_read(struct bytes der, bool foreign, struct cert *ret_cert, struct fault *f)
{
  struct der all = der_of(der), in;
  struct bytes tbs;
  enum sig_alg outside;
  if (der.len > CERT_MAX)
    return bad(f, "it is too large");
  if (!der_enter(&all, DER_SEQUENCE, &in) || !der_at_end(&all) ||
      !der_take_whole(&in, DER_SEQUENCE, &tbs))
    return bad(f, "it is not DER, or cut off, or something is behind it");
  if (!read_tbs(tbs, foreign, ret_cert, f))
    return false;
  /* RFC 5280, 4.1.1.2 */
  if (!take_alg(&in, &outside) || outside != ret_cert->alg)
    return bad(f, "its signature algorithm is not the same inside and outside");
  if (!der_take_bit_octets(&in, &ret_cert->signature) || ret_cert->signature.len == 0 ||
      !der_at_end(&in))
    return bad(f, "its signature is not well formed");
  ret_cert->der = der;
  return true;
}

/* Extensions are the only [3] of a TBSCertificate, and its last value. */
static bool find_extensions(struct bytes der, struct der *ret_extensions)
{
  struct der all = der_of(der), in, tbs, tagged;
  struct der_value value = {0};
  if (!der_enter(&all, DER_SEQUENCE, &in) || !der_enter(&in, DER_SEQUENCE, &tbs))
    return false;
  while (!der_at_end(&tbs))
    if (!der_next(&tbs, &value))
      return false;
  if (value.tag != DER_CONTEXT_CONSTRUCTED(3))
    return false;
  tagged = der_of(value.content);
  return der_enter(&tagged, DER_SEQUENCE, ret_extensions);
}

bool cert_each_name(struct bytes der, sans_visitor *each, void *context, struct fault *f)
{
  struct der extensions;
  struct extension e;
  if (!find_extensions(der, &extensions))
    return bad(f, "it has no extensions");
  while (!der_at_end(&extensions)) {
    if (!extension_next(&extensions, &e))
      return bad(f, "its extensions are not well formed");
    if (bytes_equal(e.oid, OID_SUBJECT_ALT_NAME))
      return sans_each(e.value, each, context, f);
  }
  return true;
}

bool cert_is_signed_by(const struct cert *cert, const struct cert *issuer)
{
  return bytes_equal(cert->issuer, issuer->subject) &&
         pubkey_verify(&issuer->key, cert->alg, cert->tbs, cert->signature);
}

void cert_free(struct cert *cert)
{
  sans_free(&cert->names);
  *cert = (struct cert){0};
}
