/* ossl.c - see ossl.h. */
#include "lib/pki/ossl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

bool ossl_fault(struct fault *f, const char *what)
{
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  fault_set(f, INTERNAL, "%s%s%s", what, reason != NULL ? ": " : "", reason != NULL ? reason : "");
  ERR_clear_error();
  return false;
}

bool ossl_take_der(uint8_t *der, int len, struct buf *out, struct fault *f)
{
  if (len <= 0 || der == NULL)
    return ossl_fault(f, "cannot encode");
  buf_add(out, der, (size_t)len);
  OPENSSL_clear_free(der, (size_t)len);
  return buf_ok(out) || fault_no_memory(f);
}
