/* crl_adopt.h - what published lists revoke, taken into a ledger that may not know of it: it was
 * put back from an older copy. Nothing is ever un-revoked by it. Threads: one at a time for each
 * object. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/authorities.h"
#include "lib/ca/ledger.h"
#include "lib/ca/standing.h"

enum { CRL_SEEN_MAX = 64, CRL_OCTETS_MAX = 64 * 1024 * 1024 };

/* The lists of an authority that were come across. */
struct crl_seen {
  const struct authority *authority;
  int64_t number, this_update; /* of the newest one */
  struct lists_at_hand lists;
};

struct crl_adopter {
  /* All borrowed. */
  const struct authorities *authorities;
  struct ledger *ledger;
  struct standing *standing;
  const atomic_bool *stop; /* gives up when it is set: STOPPING */
  bool only_look;          /* nothing is taken in */
  /* What came of it. */
  int64_t n_added; /* revocations that the ledger did not have */
  struct crl_seen seen[CRL_SEEN_MAX];
  size_t n_seen;
};

/* One list in DER, complete or delta, of any of the authorities, whether or not it holds still.
 * BAD_FILE for what is none, or is signed by none of them; LEDGER, STOPPING. */
bool crl_adopt(struct crl_adopter *adopter, struct bytes der, struct fault *f);
/* All lists of the authorities below the folder of published lists. Other files are passed over.
 * LEDGER, STOPPING, NO_MEMORY. */
bool crl_adopt_folder(struct crl_adopter *adopter, const char *folder, struct fault *f);
