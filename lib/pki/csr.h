/* csr.h - certification requests, PKCS #10 (RFC 2986): read, checked, and proven.
 * Threads: any; an object belongs to one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/pubkey.h"
#include "lib/pki/san.h"

enum { CSR_MAX = 16 * 1024 };

/* All spans are borrowed from the DER that was read, which must outlive the object. */
struct csr {
  struct bytes der;
  struct bytes info;    /* CertificationRequestInfo, whole: what is signed */
  struct bytes subject; /* Name, whole */
  struct pubkey key;
  enum sig_alg alg;
  struct bytes signature;
  struct sans names;        /* from extensionRequest; owned */
  bool has_names;           /* the CSR has a SubjectAltName extension */
  struct p256_inverse hint; /* for csr_verify(), from csr_hint_all() */
};

/* Brings a CSR to DER, as a peer may send it: DER, PEM ("CERTIFICATE REQUEST" or "NEW CERTIFICATE
 * REQUEST", with nothing but white space around it), or base64 of DER. Appends to ret_der. BAD_CSR
 * when it is none of these or over CSR_MAX. */
bool csr_decode(struct bytes any, struct buf *ret_der, struct fault *f);

/* Reads DER strictly: version 0, exact length, one extensionRequest at the most, no OID twice in
 * it, no attribute twice, one value in each, at most 32 of either, in DER's order. Attributes may
 * be left out as a whole. Extensions other than SubjectAltName are hints: they must be well formed
 * and are not looked at. The challengePassword is stepped over and never kept. Faults: BAD_CSR,
 * KEY_TYPE_NOT_ALLOWED; BAD_NAME, NAME_NOT_ALLOWED or TOO_MANY_NAMES (names in the extension
 * request; see sans_read). ret_csr must be all zero; after a failure it still wants csr_free. */
bool csr_read(struct bytes der, struct csr *ret_csr, struct fault *f);

/* Proof of possession: the signature is the key's own. BAD_PROOF_OF_POSSESSION otherwise. The
 * strength of the key is pubkey_check_strength()'s matter. */
bool csr_verify(const struct csr *csr, struct fault *f);

/* Makes csr_verify() of many, soon and by this thread, cheaper than that of each alone. */
void csr_hint_all(struct csr *const csrs[], size_t n);

void csr_free(struct csr *csr);

AUTO_VALUE(csr, struct csr, csr_free)
