/* ocsp_request.c - see ocsp_request.h. */
#include "lib/pki/ocsp_request.h"

#include "lib/pki/cert.h"
#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/oid.h"

static bool bad(struct fault *f, const char *what)
{
  return fault_set(f, BAD_REQUEST, "not an OCSP request: %s", what);
}

/* --- CertID --- */

static const struct {
  struct bytes oid;
  size_t len;
} hashes[] = {
    [OCSP_SHA1] = {OID_SHA1, 20},
    [OCSP_SHA256] = {OID_SHA256, 32},
};

static enum ocsp_hash hash_of(struct bytes oid)
{
  for (size_t i = 0; i < ARRAY_LEN(hashes); i++)
    if (bytes_equal(hashes[i].oid, oid))
      return (enum ocsp_hash)i;
  return OCSP_HASH_OTHER;
}

/* Parameters are absent or NULL (RFC 5754, 2): both are about. Those of a hash that we do not have
 * are its own matter. */
static bool read_hash(struct bytes algorithm, enum ocsp_hash *ret_hash)
{
  struct der outer = der_of(algorithm), in;
  struct bytes oid, none;
  if (!der_enter(&outer, DER_SEQUENCE, &in) || !der_take(&in, DER_OID, &oid) ||
      !der_oid_is_valid(oid))
    return false;
  *ret_hash = hash_of(oid);
  if (*ret_hash == OCSP_HASH_OTHER)
    return der_is_well_formed(algorithm);
  return der_at_end(&in) || (der_take(&in, DER_NULL, &none) && none.len == 0 && der_at_end(&in));
}

static bool lengths_are_right(const struct ocsp_cert_id *id)
{
  if (id->hash == OCSP_HASH_OTHER)
    return true;
  return id->name_hash.len == hashes[id->hash].len && id->key_hash.len == hashes[id->hash].len;
}

static bool read_cert_id(struct bytes whole, struct ocsp_cert_id *ret_id)
{
  struct der outer = der_of(whole), in;
  struct bytes algorithm;
  struct ocsp_cert_id id = {.whole = whole};
  if (!der_enter(&outer, DER_SEQUENCE, &in) || !der_take_whole(&in, DER_SEQUENCE, &algorithm) ||
      !read_hash(algorithm, &id.hash) || !der_take(&in, DER_OCTET_STRING, &id.name_hash) ||
      !der_take(&in, DER_OCTET_STRING, &id.key_hash) ||
      !der_take_unsigned(&in, &id.serial_number) || !der_at_end(&in))
    return false;
  /* RFC 5280, 4.1.2.2: the sign needs room too. */
  if (id.serial_number.len + (id.serial_number.data[0] >> 7) > SERIAL_NUMBER_MAX)
    return false;
  *ret_id = id;
  return lengths_are_right(&id);
}

/* --- extensions --- */

/* Nonce ::= OCTET STRING (SIZE (1..128)), within the extension's own. */
static bool read_nonce(struct bytes value, struct bytes *ret_nonce)
{
  struct der in = der_of(value);
  return der_take(&in, DER_OCTET_STRING, ret_nonce) && der_at_end(&in) && ret_nonce->len >= 1 &&
         ret_nonce->len <= OCSP_NONCE_MAX;
}

/* ret_nonce is NULL where no nonce is expected: in a single request it is one of those that are not
 * known. */
static bool read_extensions(struct der tagged, struct bytes *ret_nonce)
{
  struct bytes whole;
  struct der extensions;
  struct extension e;
  if (!der_take_whole(&tagged, DER_SEQUENCE, &whole) || !der_at_end(&tagged) ||
      !extensions_open(whole, &extensions))
    return false;
  while (!der_at_end(&extensions)) {
    if (!extension_next(&extensions, &e))
      return false;
    bool is_nonce = ret_nonce != NULL && bytes_equal(e.oid, OID_OCSP_NONCE);
    if (is_nonce ? !read_nonce(e.value, ret_nonce) : e.critical)
      return false;
  }
  return true;
}

/* [n] EXPLICIT Extensions OPTIONAL, the last of what it stands in. */
static bool end_with_extensions(struct der *in, unsigned n, struct bytes *ret_nonce)
{
  struct der tagged;
  if (der_at_end(in))
    return true;
  return der_enter(in, DER_CONTEXT_CONSTRUCTED(n), &tagged) && der_at_end(in) &&
         read_extensions(tagged, ret_nonce);
}

/* --- the whole --- */

/* A value that stands between us and what is asked: well formed, one within its tag, and that is
 * all. */
static bool step_over(struct der *in, unsigned n)
{
  struct bytes whole;
  struct der outer, tagged;
  struct der_value value;
  if (!der_is(in, DER_CONTEXT_CONSTRUCTED(n)))
    return true;
  if (!der_take_whole(in, DER_CONTEXT_CONSTRUCTED(n), &whole) || !der_is_well_formed(whole))
    return false;
  outer = der_of(whole);
  return der_enter(&outer, DER_CONTEXT_CONSTRUCTED(n), &tagged) && der_next(&tagged, &value) &&
         der_at_end(&tagged);
}

/* Request ::= SEQUENCE { reqCert CertID, singleRequestExtensions [0] OPTIONAL } */
static bool read_single(struct der in, struct ocsp_cert_id *ret_id)
{
  struct bytes id;
  return der_take_whole(&in, DER_SEQUENCE, &id) && read_cert_id(id, ret_id) &&
         end_with_extensions(&in, 0, NULL);
}

static bool read_list(struct der list, struct ocsp_request *request)
{
  struct der single;
  while (!der_at_end(&list)) {
    if (request->n_asked == OCSP_ASKED_MAX || !der_enter(&list, DER_SEQUENCE, &single) ||
        !read_single(single, &request->asked[request->n_asked]))
      return false;
    request->n_asked++;
  }
  return request->n_asked > 0;
}

static bool read_tbs(struct der in, struct ocsp_request *request, struct fault *f)
{
  struct der list;
  /* Version 1 is the DEFAULT, which DER leaves out (X.690, 11.5); there is no other. */
  if (der_is(&in, DER_CONTEXT_CONSTRUCTED(0)))
    return bad(f, "it has a version, which version 1 leaves out");
  if (!step_over(&in, 1))
    return bad(f, "requestorName is not well formed");
  if (!der_enter(&in, DER_SEQUENCE, &list) || !read_list(list, request))
    return bad(f, "it does not ask about 1 to 32 certificates in a form that is taken");
  if (!end_with_extensions(&in, 2, &request->nonce))
    return bad(f, "an extension is not well formed, or critical and not known");
  return true;
}

bool ocsp_request_read(struct bytes der, struct ocsp_request *ret_request, struct fault *f)
{
  struct der all = der_of(der), in, tbs;
  struct ocsp_request request = {0};
  if (!der_enter(&all, DER_SEQUENCE, &in) || !der_at_end(&all) ||
      !der_enter(&in, DER_SEQUENCE, &tbs))
    return bad(f, "it is not DER, or cut off, or something is behind it");
  if (!read_tbs(tbs, &request, f))
    return false;
  if (!step_over(&in, 0) || !der_at_end(&in))
    return bad(f, "its signature is not well formed, or something is behind it");
  *ret_request = request;
  return true;
}
