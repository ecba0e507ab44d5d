/* cms.h - "certs-only" CMS SignedData (RFC 5652, section 5; RFC 8551, 3.2.2): a bag of
 * certificates. Threads: any. Pure. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"

/* Appends ContentInfo { id-signedData, SignedData version 1 without signers }; the certificates go
 * in sorted, as DER's SET OF asks. */
void cms_certs_only(const struct bytes *certs, size_t n, struct buf *ret_der);
