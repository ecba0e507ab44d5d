/* evp.h - OpenSSL objects that free themselves. For lib/pki alone. */
#pragma once
#include <openssl/bn.h>
#include <openssl/evp.h>

#include "lib/base/cleanup.h"
#include "lib/pki/pubkey.h"

AUTO_POINTER(EVP_PKEY, EVP_PKEY, EVP_PKEY_free)
AUTO_POINTER(EVP_PKEY_CTX, EVP_PKEY_CTX, EVP_PKEY_CTX_free)
AUTO_POINTER(BIGNUM, BIGNUM, BN_free)
AUTO_POINTER(BN_CTX, BN_CTX, BN_CTX_free)
