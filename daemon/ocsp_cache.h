/* ocsp_cache.h - answers to OCSP requests that were signed lately, so that most requests need no
 * signature: a set of fixed size, where what was not asked for the longest makes room.
 *
 * It knows nothing of revocations: whoever takes an answer out sees to it that it still holds.
 * Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fault.h"
#include "lib/pki/ocsp_response.h"

struct ocsp_cache;

enum { OCSP_CACHE_KEY_LEN = 32, OCSP_CACHED_MAX = 512 };

/* A signed answer about one certificate, without the responder's certificate, which is the same in
 * all of them. */
struct ocsp_cached {
  int64_t this_update, next_update;
  int64_t checked_id;    /* the newest revocation (ledger_last_revocation) when it was looked up */
  uint64_t credential;   /* the number of the responder's certificate that it was signed with */
  struct ocsp_single is; /* without cert_id */
  uint16_t data_len, signature_len; /* ResponseData, then the signature, in `octets` */
  uint8_t octets[OCSP_CACHED_MAX];
};

/* Holds at most `most` answers. */
bool ocsp_cache_new(unsigned most, struct ocsp_cache **ret_cache, struct fault *f);
/* The answer to this question. key: SHA-256 over the CertID. */
bool ocsp_cache_get(struct ocsp_cache *cache, const uint8_t key[OCSP_CACHE_KEY_LEN],
                    struct ocsp_cached *ret_cached);
/* Keeps a copy, in place of an earlier one; not when memory is short. */
void ocsp_cache_put(struct ocsp_cache *cache, const uint8_t key[OCSP_CACHE_KEY_LEN],
                    const struct ocsp_cached *cached);
void ocsp_cache_free(struct ocsp_cache *cache); /* accepts NULL */
