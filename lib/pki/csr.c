/* csr.c - see csr.h. */
#include "lib/pki/csr.h"

#include "lib/base/base64.h"
#include "lib/pki/der.h"
#include "lib/pki/name.h"
#include "lib/pki/oid.h"
#include "lib/pki/pem.h"

enum {
  TEXT_MAX = 2 * CSR_MAX, /* base64, wrapped, with its armour */
  OIDS_MAX = 32,          /* attributes in a request, extensions in an attribute */
  HINTS_MAX = 64,
};

/* --- from what a peer sends to DER --- */

static struct bytes skip_space(struct bytes text)
{
  while (text.len > 0 && text.data[0] != '\0' && strchr(" \t\r\n", text.data[0]) != NULL)
    text = bytes_of(text.data + 1, text.len - 1);
  return text;
}

static bool decode_pem(struct bytes text, struct buf *ret_der, struct fault *f)
{
  struct bytes label;
  bool broken;
  if (!pem_next(&text, &label, ret_der, &broken))
    return fault_set(f, BAD_CSR, "the PEM is broken");
  if (!bytes_equal(label, bytes_of_text("CERTIFICATE REQUEST")) &&
      !bytes_equal(label, bytes_of_text("NEW CERTIFICATE REQUEST")))
    return fault_set(f, BAD_CSR, "the PEM is \"%.*s\", not CERTIFICATE REQUEST",
                     (int)(label.len < 40 ? label.len : 40), (const char *)label.data);
  if (skip_space(text).len > 0)
    return fault_set(f, BAD_CSR, "something stands behind the PEM");
  return true;
}

static bool decode_any(struct bytes any, struct buf *ret_der, struct fault *f)
{
  static const char armour[] = "-----BEGIN ";
  struct bytes text = skip_space(any);
  /* The base64 of a SEQUENCE begins with "M". */
  if (any.len > 0 && any.data[0] == DER_SEQUENCE) {
    buf_add_bytes(ret_der, any);
    return true;
  }
  if (text.len == 0)
    return fault_set(f, BAD_CSR, "the request is empty");
  if (text.len >= strlen(armour) && memcmp(text.data, armour, strlen(armour)) == 0)
    return decode_pem(text, ret_der, f);
  if (!base64_decode(ret_der, text))
    return fault_set(f, BAD_CSR, "neither DER, nor PEM, nor base64 of DER");
  return true;
}

bool csr_decode(struct bytes any, struct buf *ret_der, struct fault *f)
{
  size_t start = ret_der->len;
  bool decoded = false;
  if (any.len > TEXT_MAX)
    fault_set(f, BAD_CSR, "larger than %d octets", CSR_MAX);
  else
    decoded = decode_any(any, ret_der, f);
  if (!buf_ok(ret_der))
    decoded = fault_no_memory(f);
  if (decoded && ret_der->len - start > CSR_MAX)
    decoded = fault_set(f, BAD_CSR, "larger than %d octets", CSR_MAX);
  if (!decoded)
    ret_der->len = start;
  return decoded;
}

/* --- attributes and extensions --- */

struct oids {
  struct bytes seen[OIDS_MAX];
  size_t n;
};

/* False for an OID that is malformed or seen before, or one too many. */
static bool note_oid(struct oids *oids, struct bytes oid)
{
  if (!der_oid_is_valid(oid) || oids->n == OIDS_MAX)
    return false;
  for (size_t i = 0; i < oids->n; i++)
    if (bytes_equal(oids->seen[i], oid))
      return false;
  oids->seen[oids->n++] = oid;
  return true;
}

/* Extension (RFC 5280, 4.1): critical is TRUE or, being the default, left out. */
static bool take_extension(struct der *list, struct bytes *ret_oid, struct bytes *ret_value)
{
  struct der body;
  bool critical = true;
  return der_enter(list, DER_SEQUENCE, &body) && der_take(&body, DER_OID, ret_oid) &&
         (!der_is(&body, DER_BOOLEAN) || der_take_bool(&body, &critical)) && critical &&
         der_take(&body, DER_OCTET_STRING, ret_value) && der_at_end(&body);
}

/* The names alone are looked at; every other extension is a hint that the profile overrules. */
static bool read_extensions(struct bytes whole, struct bytes *ret_names, struct fault *f)
{
  struct der all = der_of(whole), list;
  struct oids oids = {.n = 0};
  struct bytes oid, value;
  if (!der_enter(&all, DER_SEQUENCE, &list) || der_at_end(&list))
    return fault_set(f, BAD_CSR, "the extension request is not a list of extensions");
  while (!der_at_end(&list)) {
    if (!take_extension(&list, &oid, &value))
      return fault_set(f, BAD_CSR, "an extension is not DER");
    if (!note_oid(&oids, oid))
      return fault_set(f, BAD_CSR, "an extension is there twice, or there are more than %d",
                       OIDS_MAX);
    if (bytes_equal(oid, OID_SUBJECT_ALT_NAME))
      *ret_names = value;
  }
  return true;
}

/* Attribute (RFC 2986, 4.1); each one of RFC 2985 has a single value. */
static bool take_attribute(struct bytes whole, struct bytes *ret_oid, struct bytes *ret_value)
{
  struct der all = der_of(whole), body, values;
  struct der_value value;
  if (!der_enter(&all, DER_SEQUENCE, &body) || !der_take(&body, DER_OID, ret_oid) ||
      !der_enter(&body, DER_SET, &values) || !der_at_end(&body) || !der_next(&values, &value) ||
      !der_at_end(&values) || !der_is_well_formed(value.whole))
    return false;
  *ret_value = value.whole;
  return true;
}

static bool read_attributes(struct der list, struct bytes *ret_names, struct fault *f)
{
  struct oids oids = {.n = 0};
  struct bytes before = {0}, whole, oid, value;
  for (; !der_at_end(&list); before = whole) {
    if (!der_take_whole(&list, DER_SEQUENCE, &whole) || !take_attribute(whole, &oid, &value))
      return fault_set(f, BAD_CSR, "an attribute is not a type with one value in DER");
    if (!note_oid(&oids, oid))
      return fault_set(f, BAD_CSR, "an attribute is there twice, or there are more than %d",
                       OIDS_MAX);
    if (!der_is_ascending(before, whole))
      return fault_set(f, BAD_CSR, "the attributes are not in DER's order");
    if (bytes_equal(oid, OID_EXTENSION_REQUEST) && !read_extensions(value, ret_names, f))
      return false;
  }
  return true;
}

/* --- the request --- */

/* CertificationRequestInfo. Some clients leave empty attributes out, though RFC 2986 has them
 * always; nothing depends on it. */
static bool read_info(struct bytes whole, struct csr *csr, struct bytes *ret_names, struct fault *f)
{
  struct der all = der_of(whole), info, attributes = {0};
  struct bytes spki;
  int64_t version;
  if (!der_enter(&all, DER_SEQUENCE, &info) || !der_take_number(&info, &version))
    return fault_set(f, BAD_CSR, "no version where one must be");
  if (version != 0)
    return fault_set(f, BAD_CSR, "the version is not 0 (v1)");
  if (!der_take_whole(&info, DER_SEQUENCE, &csr->subject) || !name_is_valid(csr->subject))
    return fault_set(f, BAD_CSR, "the subject is not a well-formed name");
  if (!der_take_whole(&info, DER_SEQUENCE, &spki))
    return fault_set(f, BAD_CSR, "no public key where one must be");
  if (!der_at_end(&info) && !der_enter(&info, DER_CONTEXT_CONSTRUCTED(0), &attributes))
    return fault_set(f, BAD_CSR, "no attributes where they must be");
  if (!der_at_end(&info))
    return fault_set(f, BAD_CSR, "something stands behind the attributes");
  return pubkey_read(spki, &csr->key, f) && read_attributes(attributes, ret_names, f);
}

bool csr_read(struct bytes der, struct csr *ret_csr, struct fault *f)
{
  struct der all = der_of(der), body;
  struct bytes alg, names = {0};
  ret_csr->der = der;
  if (der.len > CSR_MAX)
    return fault_set(f, BAD_CSR, "larger than %d octets", CSR_MAX);
  if (!der_enter(&all, DER_SEQUENCE, &body))
    return fault_set(f, BAD_CSR, "not DER, or cut off");
  if (!der_at_end(&all))
    return fault_set(f, BAD_CSR, "something stands behind the request");
  if (!der_take_whole(&body, DER_SEQUENCE, &ret_csr->info) ||
      !der_take_whole(&body, DER_SEQUENCE, &alg) ||
      !der_take_bit_octets(&body, &ret_csr->signature) || !der_at_end(&body))
    return fault_set(f, BAD_CSR, "not information, algorithm and signature in DER");
  if (!sig_alg_read(alg, &ret_csr->alg))
    return fault_set(f, BAD_CSR, "the signature algorithm is not taken, or has wrong parameters");
  if (!read_info(ret_csr->info, ret_csr, &names, f))
    return false;
  ret_csr->has_names = names.data != NULL;
  return !ret_csr->has_names || sans_read(&ret_csr->names, names, false, f);
}

bool csr_verify(const struct csr *csr, struct fault *f)
{
  if (pubkey_verify_hinted(&csr->key, csr->alg, csr->info, csr->signature, &csr->hint))
    return true;
  return fault_set(f, BAD_PROOF_OF_POSSESSION, "the %s signature is not that of the %s key in it",
                   sig_alg_name(csr->alg), key_type_name(csr->key.type));
}

void csr_hint_all(struct csr *const csrs[], size_t n)
{
  struct pubkey_hint hints[HINTS_MAX];
  for (size_t from = 0, part; from < n; from += part) {
    part = n - from < HINTS_MAX ? n - from : HINTS_MAX;
    for (size_t i = 0; i < part; i++) {
      struct csr *csr = csrs[from + i];
      hints[i] = (struct pubkey_hint){&csr->key, csr->alg, csr->signature, &csr->hint};
    }
    pubkey_hint_all(hints, part);
  }
}

void csr_free(struct csr *csr)
{
  sans_free(&csr->names);
  *csr = (struct csr){0};
}
