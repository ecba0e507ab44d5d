/* ocsp_request.h - what a verifier asks about certificates (RFC 6960, 4.1): read strictly.
 * Threads: any. Pure. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum { OCSP_REQUEST_MAX = 4096, OCSP_ASKED_MAX = 32, OCSP_NONCE_MAX = 128 };

/* The hash by which a CertID names its issuer. */
enum ocsp_hash { OCSP_SHA1, OCSP_SHA256, OCSP_HASH_OTHER };

/* A CertID. Spans are borrowed from the DER. */
struct ocsp_cert_id {
  struct bytes whole; /* as it came: an answer repeats it */
  enum ocsp_hash hash;
  struct bytes name_hash, key_hash; /* of the issuer; as long as the hash is */
  struct bytes serial_number;       /* magnitude, 1 to 20 octets */
};

struct ocsp_request {
  struct ocsp_cert_id asked[OCSP_ASKED_MAX];
  size_t n_asked;
  struct bytes nonce; /* 1 to OCSP_NONCE_MAX octets; empty: none */
};

/* Reads an OCSPRequest: version 1, one to OCSP_ASKED_MAX CertIDs, a nonce of 1 to 128 octets
 * (RFC 9654, 2.1). requestorName and the optional signature are stepped over: anybody may ask.
 * Extensions that are not known are stepped over too, unless they are critical (RFC 6960, 4.1.2).
 * BAD_REQUEST otherwise, with ret_request untouched. */
bool ocsp_request_read(struct bytes der, struct ocsp_request *ret_request, struct fault *f);
