/* p256.h - ECDSA verification over P-256, for those who verify many signatures: what is dear, two
 * inversions for each, is done once for all of them or not at all. The points are OpenSSL's.
 *
 * All that is computed with is public, so nothing has to take the same time. An object belongs to
 * one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

enum { P256_NUMBER_LEN = 32 };

struct ec_point_st; /* OpenSSL's EC_POINT */
struct p256;
struct p256 *p256_new(void);       /* NULL when memory is short */
void p256_free(struct p256 *p256); /* accepts NULL */

/* The inverse of a signature's s modulo the order, most significant octet first. */
struct p256_inverse {
  bool known;
  uint8_t octets[P256_NUMBER_LEN];
};

/* s are magnitudes. Those that are no s (0, or not below the order) stay unknown, and so do all
 * when they are too few to be cheaper together, or memory is short. */
void p256_invert_all(struct p256 *p256, const struct bytes s[], struct p256_inverse *const ret[],
                     size_t n);

enum p256_verdict { P256_WRONG, P256_RIGHT, P256_UNDECIDED };
/* FIPS 186-5, 6.4.2; SEC 1, 4.1.4. The public key is a point on the curve that is not at infinity.
 * An inverse is tried before it is used: with one that is wrong, or when memory is short, it is
 * undecided. */
enum p256_verdict p256_verify(struct p256 *p256, const struct ec_point_st *key, struct bytes digest,
                              struct bytes r, struct bytes s, const struct p256_inverse *inverse);
