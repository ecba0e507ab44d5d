/* pubkey.c - see pubkey.h: reading and naming. Verifying is in pubkey_verify.c, judging in
 * pubkey_strength.c. */
#include "lib/pki/pubkey.h"

#include "lib/pki/der.h"
#include "lib/pki/digest.h"
#include "lib/pki/oid.h"

enum { POINT_UNCOMPRESSED = 4, ED25519_LEN = 32 };

static bool read_point(struct pubkey *key, struct fault *f);
static bool read_rsa(struct pubkey *key, struct fault *f);
static bool read_ed25519(struct pubkey *key, struct fault *f);

/* One row for each type; parameters are the whole DER that stands behind the algorithm. */
static const struct kind {
  const char *name;
  struct bytes algorithm, parameters;
  unsigned bits; /* 0: as long as its modulus */
  bool (*read)(struct pubkey *key, struct fault *f);
} kinds[KEY_TYPE_COUNT] = {
    [KEY_EC_P256] = {"ec-p256", OID_EC_PUBLIC_KEY,
                     OID_(0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07), 256,
                     read_point},
    [KEY_EC_P384] = {"ec-p384", OID_EC_PUBLIC_KEY, OID_(0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22),
                     384, read_point},
    [KEY_EC_P521] = {"ec-p521", OID_EC_PUBLIC_KEY, OID_(0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23),
                     521, read_point},
    [KEY_RSA] = {"rsa", OID_RSA, OID_(0x05, 0x00), 0, read_rsa},
    [KEY_ED25519] = {"ed25519", OID_ED25519, {NULL, 0}, 255, read_ed25519},
};

const char *key_type_name(enum key_type type)
{
  return kinds[type].name;
}

bool key_type_named(struct bytes name, enum key_type *ret_type)
{
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    if (bytes_equal(name, bytes_of_text(kinds[i].name))) {
      *ret_type = (enum key_type)i;
      return true;
    }
  return false;
}

/* --- signature algorithms --- */

/* RFC 5758 (3.2) and 8410: no parameters; RFC 4055 (5): NULL. */
static const struct alg {
  const char *name;
  struct bytes oid;
  bool null_parameters;
} algs[SIG_ALG_COUNT] = {
    [SIG_ECDSA_SHA256] = {"ecdsa-with-SHA256", OID_ECDSA_SHA256, false},
    [SIG_ECDSA_SHA384] = {"ecdsa-with-SHA384", OID_ECDSA_SHA384, false},
    [SIG_ECDSA_SHA512] = {"ecdsa-with-SHA512", OID_ECDSA_SHA512, false},
    [SIG_RSA_SHA256] = {"sha256WithRSAEncryption", OID_RSA_SHA256, true},
    [SIG_RSA_SHA384] = {"sha384WithRSAEncryption", OID_RSA_SHA384, true},
    [SIG_RSA_SHA512] = {"sha512WithRSAEncryption", OID_RSA_SHA512, true},
    [SIG_ED25519] = {"Ed25519", OID_ED25519, false},
};

static bool take_null(struct der *d)
{
  struct bytes content;
  return der_take(d, DER_NULL, &content) && content.len == 0;
}

bool sig_alg_read(struct bytes whole, enum sig_alg *ret_alg)
{
  struct der all = der_of(whole), body;
  struct bytes oid;
  if (!der_enter(&all, DER_SEQUENCE, &body) || !der_at_end(&all) || !der_take(&body, DER_OID, &oid))
    return false;
  for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
    if (!bytes_equal(oid, algs[i].oid))
      continue;
    if ((algs[i].null_parameters && !take_null(&body)) || !der_at_end(&body))
      return false;
    *ret_alg = (enum sig_alg)i;
    return true;
  }
  return false;
}

void sig_alg_write(enum sig_alg alg, struct buf *out)
{
  size_t mark = der_begin(out, DER_SEQUENCE);
  der_put_oid(out, algs[alg].oid);
  if (algs[alg].null_parameters)
    der_put(out, DER_NULL, bytes_of(NULL, 0));
  der_end(out, mark);
}

const char *sig_alg_name(enum sig_alg alg)
{
  return algs[alg].name;
}

/* --- SubjectPublicKeyInfo --- */

/* RFC 5480, 2.2: 04, then both coordinates. */
static bool read_point(struct pubkey *key, struct fault *f)
{
  size_t coordinate = (key->bits + 7) / 8;
  if (key->key.len == 1 + coordinate && (key->key.data[0] == 2 || key->key.data[0] == 3))
    return fault_set(f, BAD_CSR, "the EC point is compressed; send it uncompressed");
  if (key->key.len != 1 + 2 * coordinate || key->key.data[0] != POINT_UNCOMPRESSED)
    return fault_set(f, BAD_CSR, "the EC point is not an uncompressed point of its curve");
  return true;
}

/* der_take_unsigned gives no leading zero, except for zero itself. */
static unsigned bit_length(struct bytes magnitude)
{
  unsigned bits = (unsigned)(magnitude.len - 1) * 8;
  for (unsigned top = magnitude.data[0]; top > 0; top >>= 1)
    bits++;
  return bits;
}

/* RFC 8017, A.1.1. */
static bool read_rsa(struct pubkey *key, struct fault *f)
{
  struct der all = der_of(key->key), body;
  if (!der_enter(&all, DER_SEQUENCE, &body) || !der_at_end(&all) ||
      !der_take_unsigned(&body, &key->modulus) || !der_take_unsigned(&body, &key->exponent) ||
      !der_at_end(&body))
    return fault_set(f, BAD_CSR, "the RSA key is not an RSAPublicKey of two positive numbers");
  key->bits = bit_length(key->modulus);
  if (key->bits == 0)
    return fault_set(f, BAD_CSR, "the RSA modulus is zero");
  return true;
}

static bool read_ed25519(struct pubkey *key, struct fault *f)
{
  if (key->key.len != ED25519_LEN)
    return fault_set(f, BAD_CSR, "an Ed25519 key has 32 octets, not %zu", key->key.len);
  return true;
}

/* Why no row of kinds[] fits: the algorithm is another, or its parameters are wrong. */
static bool refuse(struct bytes algorithm, struct bytes parameters, struct fault *f)
{
  struct der d = der_of(parameters);
  struct bytes curve;
  bool known = false;
  AUTO(buf) oid = {0};
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    known |= bytes_equal(algorithm, kinds[i].algorithm);
  if (!known) {
    der_oid_text(algorithm, &oid);
    return fault_set(f, KEY_TYPE_NOT_ALLOWED, "keys of algorithm %s are not taken", buf_text(&oid));
  }
  if (!bytes_equal(algorithm, OID_EC_PUBLIC_KEY))
    return fault_set(f, BAD_CSR, "the key's algorithm has wrong parameters");
  if (der_is(&d, DER_SEQUENCE))
    return fault_set(f, BAD_CSR, "the EC key has explicit curve parameters; use a named curve");
  if (!der_take(&d, DER_OID, &curve) || !der_oid_is_valid(curve) || !der_at_end(&d))
    return fault_set(f, BAD_CSR, "the EC key does not name its curve");
  der_oid_text(curve, &oid);
  return fault_set(f, KEY_TYPE_NOT_ALLOWED, "the curve %s is not taken; use P-256, P-384 or P-521",
                   buf_text(&oid));
}

bool pubkey_read(struct bytes spki, struct pubkey *ret_key, struct fault *f)
{
  struct der all = der_of(spki), body, algorithm;
  struct pubkey key = {.spki = spki};
  struct bytes oid;
  if (!der_enter(&all, DER_SEQUENCE, &body) || !der_at_end(&all) ||
      !der_enter(&body, DER_SEQUENCE, &algorithm) || !der_take(&algorithm, DER_OID, &oid) ||
      !der_oid_is_valid(oid) || !der_take_bit_octets(&body, &key.key) || !der_at_end(&body))
    return fault_set(f, BAD_CSR, "the public key is not a SubjectPublicKeyInfo in DER");
  struct bytes parameters = bytes_of(algorithm.p, (size_t)(algorithm.end - algorithm.p));
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    const struct kind *kind = &kinds[i];
    if (!bytes_equal(oid, kind->algorithm) || !bytes_equal(parameters, kind->parameters))
      continue;
    key.type = (enum key_type)i;
    key.bits = kind->bits;
    if (!kind->read(&key, f))
      return false;
    *ret_key = key;
    return true;
  }
  return refuse(oid, parameters, f);
}

/* --- what a key is called --- */

void pubkey_id(const struct pubkey *key, uint8_t ret_id[PUBKEY_ID_LEN])
{
  uint8_t digest[PUBKEY_SHA256_LEN];
  digest_sha256(key->key, digest);
  memcpy(ret_id, digest, PUBKEY_ID_LEN);
}

void pubkey_sha256(struct bytes spki, uint8_t ret_digest[PUBKEY_SHA256_LEN])
{
  digest_sha256(spki, ret_digest);
}
