/* trust.h - whose client certificates count: our own authority's, and those of the foreign ones
 * that the configuration names, with their revocation lists. Read-only once it is loaded; counted
 * references. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/authorities.h"
#include "lib/ca/conf.h"
#include "lib/pki/cert.h"
#include "lib/pki/crl.h"

enum { ANCHORS_MAX = 16, CRLS_MAX = 16 };

/* One set of authorities whose word counts for clients. */
struct vouchers {
  const struct cert *anchors; /* each is a CA */
  size_t n_anchors;
  bool needs_crl; /* each certificate below an anchor is looked up in the list of its issuer */
  const struct crl *crls; /* each signed by one of the anchors */
  size_t n_crls;
  bool needs_eku; /* clientAuth must be there; otherwise, the extension may be missing */
};

/* A section `trust` of the configuration. */
struct trust_source {
  char name[65];
  enum role role;           /* station or device */
  enum attribute name_from; /* of the subject: who it is */
  struct vouchers vouchers; /* views into the following */
  struct cert anchors[ANCHORS_MAX];
  struct buf anchor_ders[ANCHORS_MAX];
  size_t n_anchors;
  struct crl crls[CRLS_MAX];
  struct buf crl_ders[CRLS_MAX];
};

struct trust {
  const struct authorities
      *authorities;                 /* borrowed; those that were there when it was loaded count */
  struct cert own[AUTHORITIES_MAX]; /* what stands in them is the authorities' */
  struct vouchers ours;             /* which of these are revoked the ledger tells */
  struct trust_source *sources;
  size_t n_sources;
  uint64_t generation; /* no two that were loaded have the same */
  _Atomic int references;
};

/* Reads the files; authorities may be NULL when it is only to be seen whether they are good.
 * BAD_FILE or FILE_ERROR says which and why: an anchor that is not a CA (by basicConstraints, and
 * keyUsage where it has one) is refused, one whose key is weak, and a revocation list that none of
 * the anchors signed, or that is not a complete one. Whether they are valid now is looked at when
 * they are used. */
bool trust_load(const struct conf *conf, const struct authorities *authorities,
                struct trust **ret_trust, struct fault *f);
struct trust *trust_hold(struct trust *trust);
void trust_release(struct trust *trust); /* accepts NULL */
AUTO_POINTER(trust, struct trust, trust_release)

/* Appends every anchor in PEM, our root and issuing CA first: what a server tells its clients. */
void trust_add_pem(const struct trust *trust, struct buf *out);

/* --- the one that is in force --- */

struct trust_box;
/* Takes the reference over, in every case. */
bool trust_box_new(struct trust *trust, struct trust_box **ret_box, struct fault *f);
void trust_box_put(struct trust_box *box, struct trust *trust);
/* Held for the caller. */
struct trust *trust_box_get(struct trust_box *box);
void trust_box_free(struct trust_box *box); /* accepts NULL */
