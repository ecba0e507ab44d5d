/* point.h - the point of an EC public key: is it on its curve, and which signatures does it verify?
 * What pubkey.h promises of EC keys is done here. Threads: any; each has one key object for each
 * curve until it ends. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/pki/p256.h"
#include "lib/pki/pubkey.h"

/* The key is an EC key. The cofactor of the three curves is 1, so a point on the curve that is not
 * at infinity has the right order. False also when memory is short. */
bool point_is_on_curve(const struct pubkey *key);
/* ECDSA, with r and s as magnitudes; `inverse` is that of s, and may be NULL or unknown. False,
 * too, for a point off the curve. */
bool point_verify(const struct pubkey *key, struct bytes digest, struct bytes r, struct bytes s,
                  const struct p256_inverse *inverse);
/* p256_invert_all(), with the thread's own object. */
void point_invert_all(const struct bytes s[], struct p256_inverse *const ret[], size_t n);
