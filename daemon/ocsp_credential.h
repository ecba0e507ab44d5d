/* ocsp_credential.h - what an OCSP responder signs with, and how a CertID names its issuer. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/fault.h"
#include "lib/ca/issue.h"
#include "lib/pki/ocsp_request.h"
#include "lib/pki/private_key.h"

/* A key, which is in this process's memory alone, and its certificate. Read-only, so any thread. */
struct ocsp_credential {
  uint64_t number; /* the caller's: no two have the same */
  struct private_key *key;
  struct buf der;
  int64_t not_before, not_after;
  _Atomic unsigned references;
};

/* Makes a key and asks the pipeline for a certificate of this authority under PROFILE_OCSP; waits
 * for it, within the pipeline's own deadline. The faults are the pipeline's. */
bool ocsp_credential_make(const char *authority, struct issuer *issuer, uint64_t number,
                          struct ocsp_credential **ret_credential, struct fault *f);
struct ocsp_credential *ocsp_credential_hold(struct ocsp_credential *credential);
void ocsp_credential_release(struct ocsp_credential *credential); /* accepts NULL */

AUTO_POINTER(ocsp_credential, struct ocsp_credential, ocsp_credential_release)

/* The hashes of an issuer's name and key, by which CertIDs name it (RFC 6960, 4.1.1). */
struct ocsp_issuer_hashes {
  uint8_t name_sha1[20], key_sha1[20], name_sha256[32], key_sha256[32];
};
void ocsp_issuer_hashes(const struct cert *issuer, struct ocsp_issuer_hashes *ret_hashes);
bool ocsp_issuer_is(const struct ocsp_issuer_hashes *hashes, const struct ocsp_cert_id *id);
