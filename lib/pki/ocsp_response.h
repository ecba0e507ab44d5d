/* ocsp_response.h - answers about certificates (RFC 6960, 4.2), built and signed by a responder
 * that the CA has delegated. Threads: any. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/private_key.h"

enum ocsp_status { OCSP_GOOD, OCSP_REVOKED, OCSP_UNKNOWN };

/* One certificate's. */
struct ocsp_single {
  struct bytes cert_id; /* CertID, whole: as it was asked */
  enum ocsp_status status;
  int64_t revoked_at; /* of a revoked one, in seconds */
  unsigned reason;    /* CRLReason (RFC 5280, 5.3.1); 0, unspecified, is left out */
};

/* What an answer is to say. All spans are borrowed. */
struct ocsp_answer {
  const struct ocsp_single *singles;
  size_t n;
  int64_t this_update, next_update; /* produced at this_update */
  struct bytes nonce;               /* empty: none */
  const struct private_key *key;    /* the responder's */
  struct bytes certificate;         /* and its certificate, which goes along: DER */
};

/* Appends the OCSPResponse with a BasicOCSPResponse: the responder named by its key (byKey, SHA-1,
 * as RFC 5019, 2.2.1 wants it). Fails with NO_MEMORY, or INTERNAL when the key does not sign. */
bool ocsp_response_build(const struct ocsp_answer *answer, struct buf *ret_der, struct fault *f);

/* Its two halves, for who keeps what was signed without what is the same in all of them. Appends
 * ResponseData, and the signature over it. */
bool ocsp_response_sign(const struct ocsp_answer *answer, struct buf *ret_data,
                        struct buf *ret_signature, struct fault *f);
/* Appends the OCSPResponse. `data` must be all that ocsp_response_sign made. */
bool ocsp_response_wrap(struct bytes data, enum sig_alg alg, struct bytes signature,
                        struct bytes certificate, struct buf *ret_der, struct fault *f);

/* OCSPResponseStatus of an answer that says nothing about a certificate. */
enum ocsp_error {
  OCSP_MALFORMED_REQUEST = 1,
  OCSP_INTERNAL_ERROR = 2,
  OCSP_TRY_LATER = 3,
  OCSP_UNAUTHORIZED = 6
};

/* Appends the OCSPResponse; `ret_der` tells when memory was short. */
void ocsp_response_error(enum ocsp_error error, struct buf *ret_der);
