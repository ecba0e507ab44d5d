/* evp.h - OpenSSL objects that free themselves, and the one way from our view of a public key to
 * OpenSSL's. For lib/pki alone. Threads: any; each thread keeps its own contexts. */
#pragma once
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "lib/base/cleanup.h"
#include "lib/pki/pubkey.h"

AUTO_POINTER(EVP_PKEY, EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_POINTER(BIGNUM, BIGNUM, BN_free)
AUTO_POINTER(BN_CTX, BN_CTX, BN_CTX_free)

/* The key as OpenSSL has it; the caller frees it. An EC key is the thread's only one for its curve:
 * it holds until the next call in this thread. NULL when the point is not on the curve, when the
 * RSA key is larger than any that is accepted, or when memory is short. */
EVP_PKEY *evp_public_key(const struct pubkey *key);
