/* answer.h - one request of a peer, answered (lib/pki/sign_protocol.h).
 * Threads: any; each with its own buffers. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "keyd/keys.h"
#include "lib/base/buf.h"

/* Appends the reply's payload. False when the request is not one: the connection is of no more use.
 * Refusals are answers, and are logged here with their reason. */
bool answer_request(const struct keys *keys, uint8_t type, struct bytes request, uint8_t *ret_type,
                    struct buf *ret_reply);
