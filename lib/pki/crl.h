/* crl.h - certificate revocation lists, version 2 (RFC 5280, section 5): the to-be-signed part,
 * read and checked. Threads: any. Pure. */
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
};

/* Reads a TBSCertList strictly: version 2, nextUpdate, authorityKeyIdentifier and cRLNumber there,
 * no unknown critical extension (issuingDistributionPoint and deltaCRLIndicator are known), each
 * entry positive serial, date, at most one reasonCode that is neither unspecified(0) nor 7; no
 * empty revokedCertificates. BAD_FILE otherwise. Walks the entries without setting memory aside. */
bool crl_tbs_read(struct bytes tbs, struct crl *ret_crl, struct fault *f);
