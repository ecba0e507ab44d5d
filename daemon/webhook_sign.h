/* webhook_sign.h - how a receiver knows that an event is from us, and is of now: a signature over
 * the time and the body, with a secret that both have. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* "t=SECONDS,v1=HEX": HEX is HMAC-SHA-256 (RFC 2104), in lower case, of "SECONDS.BODY". */
enum { WEBHOOK_SIGNATURE_SIZE = 100 };
bool webhook_sign(struct bytes secret, int64_t at, struct bytes body,
                  char ret_signature[WEBHOOK_SIGNATURE_SIZE], struct fault *f);
