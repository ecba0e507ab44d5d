/* ledger.h - every certificate we ever issued, and the principals; rows of certificates are only
 * added.
 *
 * One writer connection, used by one thread at a time through a batch (one transaction); readers of
 * their own, taken from a pool inside, so that every ledger_* call that reads may come from any
 * thread. No SQL and no SQLite type is seen from outside, so that another database can stand behind
 * the same header. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/base/ip.h"
#include "lib/ca/principal.h"
#include "lib/ca/revocation.h"
#include "lib/pki/cert.h"
#include "lib/pki/pubkey.h"

struct event; /* see event.h */
struct ledger;

/* Creates the file (mode 0600) when it is not there, and brings an older one up to date; each
 * migration is one transaction. LEDGER_IS_NEWER when a newer program wrote it; LEDGER when it
 * cannot be opened, is no ledger, or is locked by another daemon (PATH-lock, which stays behind).
 * What is no ledger or is newer is left as it was. */
bool ledger_open(const char *path, struct ledger **ret_ledger, struct fault *f);
/* No call may be under way and no batch open. Accepts NULL. */
void ledger_close(struct ledger *ledger);
/* A real write (in a table of its own) that is durable when it returns: for /readyz. Any thread;
 * waits for the open batch. */
bool ledger_probe(struct ledger *ledger, struct fault *f);

enum { LABEL_SIZE = 65 }; /* device_serial, profile, station, order, model: at most 64 octets */

enum certificate_status {
  STATUS_ANY,
  STATUS_VALID,
  STATUS_EXPIRED,
  STATUS_SUPERSEDED,
  STATUS_REVOKED,
};
const char *certificate_status_name(enum certificate_status status);
bool certificate_status_named(struct bytes name, enum certificate_status *ret_status);

/* One issued certificate: a row. Empty text: not given (profile, station and authority must be). */
struct issued {
  int64_t id; /* position in the ledger, from 1, without gaps; set by the ledger */
  uint8_t serial_number[SERIAL_NUMBER_LEN];
  char device_serial[LABEL_SIZE], profile[LABEL_SIZE], station[LABEL_SIZE], order[LABEL_SIZE],
      model[LABEL_SIZE], authority[LABEL_SIZE];
  int64_t issued_at_ms, not_before, not_after;
  unsigned shard; /* of its authority's revocation lists; 0: the list of all */
  /* As of the query; set by the ledger. Revoked: on hold, or for good, expired or not. Expired:
   * not_after is past. Superseded: neither, and a later certificate was issued to the same device
   * under the same profile. */
  enum certificate_status status;
  int64_t revoked_at; /* seconds; 0 when it is not revoked, and so is the reason */
  enum revocation_reason revocation_reason;
  uint8_t spki_sha256[PUBKEY_SHA256_LEN];
  uint8_t request_sha256[32]; /* what "the same request" means: see issue.h */
  struct buf der;             /* the certificate; owned */
  bool is_renewal; /* asked for by its holder: it takes the place of the current certificate, which
                      stays good until it expires */
  bool is_replacement; /* set by ledger_append: it took the place of a current certificate, or of
                          one that was revoked */
  /* Not of the row: the device's enrolment secret by which it was asked for, and which is used up
   * with it; 0: none. */
  int64_t secret_no;
  /* Nor this: who asks for it, for the event of a certificate that is revoked because it is
   * replaced; borrowed; NULL: the daemon itself. */
  const struct event *who;
  /* Nor these, of what a holder asks for: the id of the certificate that it renews, 0: none; and
   * whether that one's key is what the principal called as its device_serial shows, who from this
   * row on shows the new one. */
  int64_t renews;
  bool renews_proof;
};
void issued_free(struct issued *row);
AUTO_VALUE(issued, struct issued, issued_free)

/* --- writing: one thread at a time --- */

struct ledger_batch;
/* Opens a transaction; waits for another one's end. Commit or roll back in the same thread. */
bool ledger_begin(struct ledger *ledger, struct ledger_batch **ret_batch, struct fault *f);
/* Adds one certificate with its names (for searching), and counts it for its order. What was there
 * before decides, the batch's own rows included, in this order:
 *   - this very request was answered before, and that certificate is the device's current one (not
 *     superseded, not expired, not revoked): true, *ret_replayed is true and *earlier is that row.
 *     It may be of this same batch: like a new one it is durable only after the commit;
 *   - a certificate of this key was revoked because the key is compromised: KEY_NOT_ALLOWED;
 *   - row->renews is not the device's newest certificate of this profile any more, or is revoked,
 * or (with renews_proof) not what the principal shows, or he is disabled: RENEWAL_NOT_ALLOWED;
 *   - another device_serial has this key: KEY_ALREADY_USED (a row without device_serial counts as
 *     another device unless both have none and the request is the same);
 *   - row->secret_no is not the device's secret any more, or was used up: FORBIDDEN;
 *   - the device has a current certificate of this profile, and `replace` is false:
 *     DEVICE_HAS_CERTIFICATE (detail names its serial number);
 *   - its order does not allow it: the faults of order_check(), a replacement being what takes the
 *     place of a current certificate, or of one that was revoked before it expired; a renewal
 * counts for no order;
 *   - otherwise the row is added, and row->id is set. A current certificate whose place it takes is
 *     revoked as superseded with it, and so are those that this one had taken the place of by
 *     renewal and that are still good; each has its event (see row->who). Not so when the row is a
 *     renewal itself.
 * After a PEER fault nothing was added and the batch goes on; after one of OURS (LEDGER, NO_MEMORY)
 * it takes no more and must be rolled back. names are the certificate's SANs. now is in seconds.
 * *earlier must own nothing; what it gets is the caller's to free. */
bool ledger_append(struct ledger_batch *batch, struct issued *row, const struct sans *names,
                   bool replace, int64_t now, bool *ret_replayed, struct issued *earlier,
                   struct fault *f);
/* Durable when it returns true; after false (LEDGER, with SQLite's words) nothing of the batch was
 * written. The batch is gone in both cases. */
bool ledger_commit(struct ledger_batch *batch, struct fault *f);
void ledger_roll_back(struct ledger_batch *batch);

/* --- reading: any thread --- */

/* The same judgement as ledger_append, ahead of time and without a lock: saves signatures on
 * replays and refusals. True and *ret_replayed false means: nothing stands against it as yet. An
 * *earlier that it gives is durable. Only device_serial, profile, station, order, model,
 * spki_sha256, request_sha256, is_renewal, renews and renews_proof of `row` are read. */
bool ledger_foresee(struct ledger *ledger, const struct issued *row, const struct sans *names,
                    bool replace, int64_t now, bool *ret_replayed, struct issued *earlier,
                    struct fault *f);

/* From here to its end, what this thread reads is of one moment and comes over one connection: for
 * many small questions at once. Keep it short: meanwhile the write-ahead log cannot begin anew. Not
 * within another one, and no writing in between. */
bool ledger_snapshot_begin(struct ledger *ledger, struct fault *f);
void ledger_snapshot_end(struct ledger *ledger);

/* UNKNOWN_SERIAL_NUMBER when there is none. */
bool ledger_get(struct ledger *ledger, struct bytes serial_number, int64_t now,
                struct issued *ret_row, struct fault *f);

/* The same by position (see struct issued). LEDGER when there is none. */
bool ledger_get_at(struct ledger *ledger, int64_t id, int64_t now, struct issued *ret_row,
                   struct fault *f);

/* NULL, 0 or STATUS_ANY: no filter. Times: issued in milliseconds, expiry in seconds; "after" and
 * "before" exclude the instant itself. A DNS name is found whatever its case. The first page of any
 * one filter is found without walking over the rows that do not match. */
struct ledger_query {
  const char *device_serial, *station, *order, *model, *profile, *dns, *uri;
  const struct ip *ip;
  enum certificate_status status;
  int64_t issued_after_ms, issued_before_ms, expires_before;
  struct bytes serial_numbers; /* of several, one behind the other; empty: no filter */
  bool only_good;              /* neither expired nor revoked */
  bool only_on_hold;           /* revoked as certificateHold, and not expired */
  int64_t before_id;           /* keyset: only rows with a smaller id; 0: from the newest */
  unsigned limit;              /* 1 to 1000 */
};

struct ledger_page {
  struct issued *rows; /* newest first; owned */
  size_t n;
  bool more; /* there are rows behind the last one */
};
bool ledger_search(struct ledger *ledger, const struct ledger_query *query, int64_t now,
                   struct ledger_page *ret_page, struct fault *f);
/* How many there are, all pages together: what tells one selection of certificates from another. */
struct ledger_count {
  int64_t n;
  int64_t newest_id; /* 0: there are none */
  int64_t ids;       /* the sum of their ids */
};
bool ledger_count(struct ledger *ledger, const struct ledger_query *query, int64_t now,
                  struct ledger_count *ret_count, struct fault *f);
void ledger_page_free(struct ledger_page *page);
AUTO_VALUE(ledger_page, struct ledger_page, ledger_page_free)

/* --- principals: any thread; these write in a transaction of their own, and an event with it:
 * `who` has the principal, source and request_id of who asks; NULL: the daemon itself --- */

/* PRINCIPAL_EXISTS when the name is taken. proof_sha256: see enum proof. */
bool ledger_add_principal(struct ledger *ledger, const struct principal *principal,
                          const uint8_t proof_sha256[TOKEN_SHA256_LEN], const struct event *who,
                          struct fault *f);
/* From the commit on this is what it shows, and nothing else. UNKNOWN_PRINCIPAL. */
bool ledger_rotate_principal(struct ledger *ledger, const char *name, enum proof proof,
                             const uint8_t proof_sha256[TOKEN_SHA256_LEN], const struct event *who,
                             struct fault *f);
/* disabled_at in seconds; 0: it may ask again. UNKNOWN_PRINCIPAL. */
bool ledger_disable_principal(struct ledger *ledger, const char *name, int64_t disabled_at,
                              const struct event *who, struct fault *f);
/* *ret_found tells whether there is one; false only when the database fails. */
bool ledger_find_principal(struct ledger *ledger, const char *name, bool *ret_found,
                           struct principal *ret_principal,
                           uint8_t ret_proof_sha256[TOKEN_SHA256_LEN], struct fault *f);
/* Calls `each` for every principal in the order of names. */
bool ledger_each_principal(struct ledger *ledger,
                           void (*each)(const struct principal *principal, void *context),
                           void *context, struct fault *f);
