/* revoke_decode.h - what is asked to be revoked. Threads: any. */
#pragma once
#include "daemon/exchange.h"
#include "lib/ca/ledger.h"

enum { SELECTION_SIZE = 64 };

/* POST /v1/revocations: a question to the ledger that owns its texts. It points into itself: never
 * copy it. */
struct revocations {
  struct ledger_query query; /* as revoke_select() leaves it; points into what follows */
  char device_serial[LABEL_SIZE], station[LABEL_SIZE], order[LABEL_SIZE], model[LABEL_SIZE],
      profile[LABEL_SIZE];
  struct buf serial_numbers; /* owned */
  enum revocation_reason reason;
  bool dry_run;
  bool has_count;
  int64_t count;                  /* of the dry run */
  char selection[SELECTION_SIZE]; /* likewise; "": not given */
};
void revocations_free(struct revocations *asked);
AUTO_POINTER(revocations, struct revocations, revocations_free)

/* BAD_JSON, UNKNOWN_FIELD; BAD_FIELD also for one without any filter, and for one that is neither a
 * dry run nor has the count of one. */
bool revocations_decode(const struct exchange *x, struct revocations **ret_asked, struct fault *f);

/* POST /v1/certificates/:serial_number/revoke: the reason. BAD_JSON, UNKNOWN_FIELD, BAD_FIELD. */
bool revocation_decode(const struct exchange *x, enum revocation_reason *ret_reason,
                       struct fault *f);
