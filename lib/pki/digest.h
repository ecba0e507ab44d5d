/* digest.h - what a signature algorithm digests before it signs: SHA-2 without a search by name, a
 * context or memory from the heap, none of which a digest of some hundred octets is worth.
 * Threads: any. */
#pragma once
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/pki/pubkey.h"

enum { DIGEST_MAX = 64 };

struct digest {
  uint8_t octets[DIGEST_MAX];
  size_t len; /* 0: the algorithm takes the octets themselves (Ed25519) */
};

/* OpenSSL's name of the algorithm's digest; NULL for Ed25519. */
const char *digest_name(enum sig_alg alg);
/* Cannot fail. */
void digest_make(enum sig_alg alg, struct bytes octets, struct digest *ret_digest);
void digest_sha256(struct bytes octets, uint8_t ret_digest[PUBKEY_SHA256_LEN]);
