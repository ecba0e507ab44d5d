/* revocation.h - which certificates are revoked, since when and why; rows that are only added.
 *
 * The newest row of a certificate is its state. A revocation is final, with two exceptions: a hold
 * is lifted or becomes final, and a certificate that is revoked for any reason may still be said to
 * have a compromised key, so that nobody gets another one for that key.
 * Threads: as ledger.h says. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* CRLReason (RFC 5280, 5.3.1): its numbers, and its names. LEAF: it may be given for what we issue.
 */
/*         reason                    number  leaf   name */
/* clang-format off */
#define REVOCATION_REASONS(X)                                                                      \
  X(UNSPECIFIED,             0,      true,  "unspecified")                                         \
  X(KEY_COMPROMISE,          1,      true,  "keyCompromise")                                       \
  X(CA_COMPROMISE,           2,      false, "cACompromise")                                        \
  X(AFFILIATION_CHANGED,     3,      true,  "affiliationChanged")                                  \
  X(SUPERSEDED,              4,      true,  "superseded")                                          \
  X(CESSATION_OF_OPERATION,  5,      true,  "cessationOfOperation")                                \
  X(CERTIFICATE_HOLD,        6,      true,  "certificateHold")                                     \
  X(REMOVE_FROM_CRL,         8,      true,  "removeFromCRL")           /* a hold is lifted */      \
  X(PRIVILEGE_WITHDRAWN,     9,      true,  "privilegeWithdrawn")                                  \
  X(AA_COMPROMISE,           10,     false, "aACompromise")
/* clang-format on */

enum revocation_reason {
#define X(reason, number, leaf, name) REASON_##reason = (number),
  REVOCATION_REASONS(X)
#undef X
};
const char *revocation_reason_name(enum revocation_reason reason); /* "" for another number */
/* Is it a number of the table? */
bool revocation_reason_is_known(int64_t number);
/* False for a name that is not in the table, or not for what we issue. */
bool revocation_reason_named(struct bytes name, enum revocation_reason *ret_reason);

struct event; /* see event.h */
struct issued;
struct ledger;
struct ledger_batch;

/* --- writing: within a batch, see ledger.h. After a PEER fault nothing was added and the batch
 * goes on; after one of OURS it takes no more --- */

/* Revokes one certificate as of `at` (seconds), or lifts its hold (REMOVE_FROM_CRL), and adds the
 * event; `who` has the principal, source and request_id of who asks, NULL: the daemon itself. Of
 * `row`, what was read from the ledger before: what has become of it since is looked up.
 * *ret_changed is false, and nothing is added, when it is so already: revoked for a final reason,
 * whichever it is (but see KEY_COMPROMISE above), or put on hold once more. What was on hold stays
 * revoked since then (X.509, 8.5.2.1).
 * CERTIFICATE_STATE: it has expired (not after it was revoked: that is so already), or it is not on
 * hold and cannot be lifted. */
bool ledger_revoke(struct ledger_batch *batch, const struct issued *row,
                   enum revocation_reason reason, int64_t at, const struct event *who,
                   bool *ret_changed, struct fault *f);

/* One that another copy of this ledger or a published list knows: the certificate need not be here,
 * and its validity is taken as unknown, and its shard as `shard`, then. Adds no event. What is
 * revoked here stays as it is, but for a hold or a compromised key: *ret_changed. REMOVE_FROM_CRL
 * changes nothing: nothing is taken off a list because of what somebody else's copy says.
 * serial_number: 1 to 20 octets. BAD_FIELD. */
bool ledger_adopt_revocation(struct ledger_batch *batch, const char *authority, unsigned shard,
                             struct bytes serial_number, int64_t at, enum revocation_reason reason,
                             bool *ret_changed, struct fault *f);

/* --- reading: any thread --- */

/* The id of the newest row that is durable; 0: there is none. Waits for nothing: to be polled. */
int64_t ledger_last_revocation(const struct ledger *ledger);

enum revocation_state { REVOCATION_UNKNOWN, REVOCATION_GOOD, REVOCATION_REVOKED };
struct revocation_status {
  enum revocation_state state;   /* UNKNOWN: this authority never issued it, as far as we know */
  int64_t at;                    /* when REVOKED, and so is the next: seconds */
  enum revocation_reason reason; /* never REMOVE_FROM_CRL */
};
/* What is on record of one certificate, expired ones too. */
bool ledger_revocation_of(struct ledger *ledger, const char *authority, struct bytes serial_number,
                          struct revocation_status *ret_status, struct fault *f);

/* Which entries belong on a list. */
struct revocation_query {
  const char *authority;
  unsigned shard; /* 0: all of them */
  /* A delta to the complete list that was made when since_id was the last id (0: there was none):
   * the state of every certificate that has changed since, those that are off hold again as
   * REMOVE_FROM_CRL. */
  bool is_delta;
  int64_t since_id;
  /* Seconds. A complete list leaves out certificates that expired before it. An entry must be on
   * one regularly scheduled list that was issued after the certificate expired (RFC 5280, 3.3), so
   * that this is to be now less two intervals between lists or more. One whose validity is not
   * known stays for ever. A delta leaves out none. */
  int64_t expired_before;
};
struct revocation {
  int64_t id;
  struct bytes serial_number; /* borrowed for the call */
  int64_t at;                 /* seconds */
  enum revocation_reason reason;
};
/* Calls `each` for every entry, in the order of ids, out of one state of the ledger; *ret_last_id
 * is the newest id of that state, of any authority. A certificate comes up once. False from `each`
 * ends it, with the fault that it has set. `each` MUST NOT call the ledger to write. */
bool ledger_each_revocation(struct ledger *ledger, const struct revocation_query *query,
                            bool (*each)(const struct revocation *revocation, void *context,
                                         struct fault *f),
                            void *context, int64_t *ret_last_id, struct fault *f);
