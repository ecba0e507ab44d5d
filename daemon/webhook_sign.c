/* webhook_sign.c - see webhook_sign.h. */
#include "daemon/webhook_sign.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "lib/base/text.h"

bool webhook_sign(struct bytes secret, int64_t at, struct bytes body,
                  char ret_signature[WEBHOOK_SIGNATURE_SIZE], struct fault *f)
{
  uint8_t digest[SHA256_DIGEST_LENGTH];
  char hex[2 * sizeof digest + 1];
  unsigned len = 0;
  AUTO(buf) text = {0};
  buf_addf(&text, "%lld.", (long long)at);
  buf_add_bytes(&text, body);
  if (!buf_ok(&text))
    return fault_no_memory(f);
  if (secret.len > INT_MAX ||
      HMAC(EVP_sha256(), secret.data, (int)secret.len, text.data, text.len, digest, &len) == NULL)
    return fault_set(f, INTERNAL, "an event cannot be signed");
  text_hex(hex, digest, sizeof digest);
  snprintf(ret_signature, WEBHOOK_SIGNATURE_SIZE, "t=%lld,v1=%s", (long long)at, hex);
  return true;
}
