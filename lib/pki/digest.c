/* digest.c - see digest.h. */
/* SHA256_Init and its kin allocate nothing and cannot fail, so nobody can go on with half a digest;
 * OpenSSL 3.0 calls them deprecated, 1.1.1 did not. */
#define OPENSSL_API_COMPAT 0x10101000L
#include "lib/pki/digest.h"

#include <openssl/sha.h>

void digest_sha256(struct bytes octets, uint8_t ret_digest[PUBKEY_SHA256_LEN])
{
  SHA256_CTX ctx;
  SHA256_Init(&ctx);
  SHA256_Update(&ctx, octets.data, octets.len);
  SHA256_Final(ret_digest, &ctx);
}

static void sha384(struct bytes octets, uint8_t *ret_digest)
{
  SHA512_CTX ctx;
  SHA384_Init(&ctx);
  SHA384_Update(&ctx, octets.data, octets.len);
  SHA384_Final(ret_digest, &ctx);
}

static void sha512(struct bytes octets, uint8_t *ret_digest)
{
  SHA512_CTX ctx;
  SHA512_Init(&ctx);
  SHA512_Update(&ctx, octets.data, octets.len);
  SHA512_Final(ret_digest, &ctx);
}

static const struct {
  const char *name;
  size_t len;
  void (*make)(struct bytes octets, uint8_t *ret_digest);
} digests[SIG_ALG_COUNT] = {
    [SIG_ECDSA_SHA256] = {"SHA256", SHA256_DIGEST_LENGTH, digest_sha256},
    [SIG_ECDSA_SHA384] = {"SHA384", SHA384_DIGEST_LENGTH, sha384},
    [SIG_ECDSA_SHA512] = {"SHA512", SHA512_DIGEST_LENGTH, sha512},
    [SIG_RSA_SHA256] = {"SHA256", SHA256_DIGEST_LENGTH, digest_sha256},
    [SIG_RSA_SHA384] = {"SHA384", SHA384_DIGEST_LENGTH, sha384},
    [SIG_RSA_SHA512] = {"SHA512", SHA512_DIGEST_LENGTH, sha512},
    [SIG_ED25519] = {NULL, 0, NULL},
};

const char *digest_name(enum sig_alg alg)
{
  return digests[alg].name;
}

void digest_make(enum sig_alg alg, struct bytes octets, struct digest *ret_digest)
{
  ret_digest->len = digests[alg].len;
  if (digests[alg].make != NULL)
    digests[alg].make(octets, ret_digest->octets);
}
