/* ossl.h - what lib/pki's own files share about OpenSSL: cleanup of its objects, and its errors as
 * faults. Not for other folders. */
#pragma once
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/fault.h"

AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX, EVP_MD_CTX_free)
AUTO_POINTER(BIO, BIO, BIO_free_all)
AUTO_POINTER(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free)
AUTO_POINTER(X509_SIG, X509_SIG, X509_SIG_free)
AUTO_POINTER(X509, X509, X509_free)
AUTO_POINTER(PKCS12, PKCS12, PKCS12_free)

/* INTERNAL with what OpenSSL says about it; empties its queue of errors. Returns false. */
bool ossl_fault(struct fault *f, const char *what);

/* Appends `len` octets that an i2d function has set aside, and wipes and frees them; a length that
 * is not positive is a failure of that function. */
bool ossl_take_der(uint8_t *der, int len, struct buf *out, struct fault *f);
