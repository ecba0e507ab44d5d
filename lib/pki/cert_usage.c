/* cert_usage.c - the names and OIDs of key usages. See cert.h. */
#include "lib/pki/cert.h"

static const char *const key_usages[] = {
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment",
    "keyAgreement",     "keyCertSign",    "cRLSign",
};

static const char *const ext_key_usages[] = {"serverAuth", "clientAuth", "OCSPSigning"};

static bool find_name(const char *const *names, size_t n, struct bytes name, uint32_t *ret_bit)
{
  for (size_t i = 0; i < n; i++)
    if (bytes_equal(bytes_of_text(names[i]), name)) {
      *ret_bit = UINT32_C(1) << i;
      return true;
    }
  return false;
}

const char *key_usage_name(unsigned bit)
{
  return bit < ARRAY_LEN(key_usages) ? key_usages[bit] : NULL;
}

const char *ext_key_usage_name(unsigned bit)
{
  return bit < ARRAY_LEN(ext_key_usages) ? ext_key_usages[bit] : NULL;
}

bool key_usage_named(struct bytes name, uint32_t *ret_bit)
{
  return find_name(key_usages, ARRAY_LEN(key_usages), name, ret_bit);
}

bool ext_key_usage_named(struct bytes name, uint32_t *ret_bit)
{
  return find_name(ext_key_usages, ARRAY_LEN(ext_key_usages), name, ret_bit);
}

/* id-kp (RFC 5280, 4.2.1.12). */
struct bytes ext_key_usage_oid(unsigned bit)
{
  static const uint8_t octets[][8] = {
      {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01},
      {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02},
      {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09},
  };
  return bit < ARRAY_LEN(octets) ? bytes_of(octets[bit], sizeof octets[bit]) : (struct bytes){0};
}
