/* crl.h - certificate revocation lists, version 2 (RFC 5280, section 5): read, checked, asked.
 * Threads: any. Pure. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/pubkey.h"

struct crl {
  struct bytes tbs;
  enum sig_alg alg;
  struct bytes issuer; /* Name, whole */
  int64_t this_update, next_update;
  struct bytes authority_key_id;
  struct bytes crl_number; /* magnitude */
  size_t n_revoked;
  struct bytes entries;      /* content of revokedCertificates; empty: none */
  bool is_delta, is_partial; /* deltaCRLIndicator; issuingDistributionPoint */
  struct bytes base_number;  /* of a delta list: magnitude */
  struct bytes point_url;    /* of a partial list: the first URL of its fullName; empty: none */
  struct bytes signature;    /* set by crl_read */
};

/* Reads a TBSCertList strictly: version 2, nextUpdate, authorityKeyIdentifier and cRLNumber there,
 * no unknown critical extension (issuingDistributionPoint and deltaCRLIndicator are known), each
 * entry positive serial, date, at most one reasonCode that is neither unspecified(0) nor 7; no
 * empty revokedCertificates. BAD_FILE otherwise. Walks the entries without setting memory aside. */
bool crl_tbs_read(struct bytes tbs, struct crl *ret_crl, struct fault *f);

/* Reads a CertificateList, as strictly. The spans are borrowed from the DER. */
bool crl_read(struct bytes der, struct crl *ret_crl, struct fault *f);
/* True when this issuer, which may sign lists (keyUsage cRLSign, where it has one), signed it. */
struct cert;
bool crl_is_signed_by(const struct crl *crl, const struct cert *issuer);
/* One entry of a list that was read. */
struct crl_entry {
  struct bytes serial_number; /* magnitude */
  int64_t at;
  uint8_t reason; /* CRLReason; 0 when it says none */
};
/* Takes the next one off `rest`, which begins as the list's entries; false at the end. */
bool crl_next_entry(struct bytes *rest, struct crl_entry *ret_entry);
/* Is this serial number (magnitude) in the list? Walks over all of it. */
bool crl_has(const struct crl *crl, struct bytes serial_number);
