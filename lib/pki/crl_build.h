/* crl_build.h - certificate revocation lists, version 2 (RFC 5280, section 5), built forward:
 * begun, entry after entry, ended. A list of a million entries needs no memory but its own octets.
 * Threads: any. Pure: no clock, no key. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/pubkey.h"

/* What a list says besides its entries. All spans and texts are borrowed. */
struct crl_head {
  enum sig_alg alg;    /* of the issuer's key */
  struct bytes issuer; /* Name, whole: the exact octets of the CA's subject */
  int64_t this_update, next_update;
  struct bytes authority_key_id;
  uint64_t number;
  /* Of a delta list: the number of the complete list that it goes on from, lower than its own; 0:
   * it is complete. */
  uint64_t base_number;
  /* Of a list that holds for some certificates only: the URL that those name as their distribution
   * point (5.2.5); NULL: it holds for all. */
  const char *point_url;
  const char *freshest_url; /* of a complete list: where its delta list is (5.2.6); NULL: none */
};

/* CRLReason as in RFC 5280, 5.3.1, where it has a rule here. */
enum { CRL_ENTRY_UNSPECIFIED = 0, CRL_ENTRY_UNUSED = 7, CRL_ENTRY_REMOVE = 8, CRL_ENTRY_MAX = 10 };

struct crl_builder {
  const struct crl_head *head;
  struct buf *out;
  size_t start, tbs, entries; /* where they begin in `out` */
  size_t n;                   /* entries so far */
  bool bad;                   /* an entry was not one */
};

/* Begins a TBSCertList at the end of `out`, to which nobody else may add until its end. The head is
 * borrowed until then. INTERNAL for a head that no correct list follows from. */
bool crl_begin(const struct crl_head *head, struct buf *out, struct crl_builder *ret_builder,
               struct fault *f);
/* One more entry: the serial number's magnitude, when it was revoked, and the reason, which is left
 * out when it is unspecified. removeFromCRL is for delta lists. Nobody looks for doubles. */
void crl_add(struct crl_builder *builder, struct bytes serial_number, int64_t revoked_at,
             unsigned reason);
/* Ends it. NO_MEMORY, or INTERNAL when an entry was not one: `out` is then as before. */
bool crl_end(struct crl_builder *builder, struct fault *f);

/* CertificateList ::= SEQUENCE { tbs, alg, signature }, in three pieces, so that a long list is not
 * copied: what stands before the tbs of this length, and what stands behind it. */
bool crl_frame(size_t tbs_len, enum sig_alg alg, struct bytes signature, struct buf *ret_before,
               struct buf *ret_behind, struct fault *f);
/* Appends the whole of it. */
bool crl_assemble(struct bytes tbs, enum sig_alg alg, struct bytes signature, struct buf *ret_der,
                  struct fault *f);
