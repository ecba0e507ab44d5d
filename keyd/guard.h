/* guard.h - what the key holder is willing to sign.
 *
 * Whoever asks may have been taken over, so the guard reads the very octets that would be signed
 * and holds them against limits of its own: leaves of this authority and CRLs, within bounds of
 * time, usages and number. What it does not know, it refuses. Threads: any; a guard is read-only
 * but for its count. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "keyd/rate.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/cert.h"
#include "lib/pki/sign_protocol.h"

struct guard_limits {
  int64_t max_validity_s; /* from now on, or from not_before when that is later */
  int64_t backdate_s;     /* how far not_before and this_update may lie from now, both ways */
  int64_t max_crl_validity_s;
  int64_t max_ocsp_validity_s; /* of an OCSP responder's certificate */
  bool allow_no_expiry;        /* 99991231235959Z, and certificates that outlive their issuer */
  uint32_t key_usages, ext_key_usages;
  uint64_t signatures_per_hour; /* 0: no limit */
};

struct guard {
  struct guard_limits limits;
  const struct cert *own; /* borrowed: the signing key's certificate */
  enum sig_alg alg;       /* what the key signs with */
  struct rate rate;
};

void guard_init(struct guard *guard, const struct guard_limits *limits, const struct cert *own,
                enum sig_alg alg);
void guard_free(struct guard *guard);

/* Is ours a certificate that can issue? BAD_FILE otherwise. */
bool guard_check_own(const struct guard *guard, struct fault *f);
/* Is it valid now? BAD_FILE otherwise. */
bool guard_check_time(const struct guard *guard, int64_t now, struct fault *f);

enum { GUARD_NAME_SIZE = 64 };

/* What was looked at. */
struct guard_subject {
  /* In the log: a serial number in hexadecimal, "CRL 07", or "" when that cannot be told. */
  char name[GUARD_NAME_SIZE];
  uint64_t crl_number; /* of a CRL that may be signed; that it is a new one is not looked at here */
};

/* Is a signature left in this hour? SIGNER_SPENT otherwise. Counts nothing. */
bool guard_check_room(struct guard *guard, int64_t monotonic_ms, struct fault *f);

/* May this be signed? It counts as a signature when it may. SIGNER_REFUSED with the reason
 * otherwise. now is in seconds, monotonic_ms on when_monotonic_ms(). */
bool guard_check(struct guard *guard, enum sign_kind kind, struct bytes tbs, int64_t now,
                 int64_t monotonic_ms, struct guard_subject *ret_subject, struct fault *f);
