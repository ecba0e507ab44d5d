/* standing.h - may anything be signed? Not while the ledger is older than what was signed: somebody
 * has put an older copy of it back, and certificates are out there that it does not know of.
 *
 * The key holder remembers, for each of its keys, how many certificates a ledger had: it is told so
 * after each commit and before what was committed is released. What it remembers therefore was
 * committed, and a crash of either process, at any moment, leaves the ledger with as many or with
 * more. A ledger that has fewer, those counted that somebody has accepted as lost, is an older one,
 * and the difference is the number of certificates that were released and that it lacks. A key
 * holder that remembers nothing, because its file is new, is told anew.
 *
 * Likewise the number of each list of revoked certificates is taken in the ledger before it is
 * signed. A key holder that has signed a higher one tells of revocations that were published, and
 * that this ledger may lack.
 *
 * Certificates that were released while the key holder could not be told are not counted when they
 * are lost before it is told again. Threads: any. */
#pragma once
#include "lib/ca/authorities.h"
#include "lib/ca/key_holder.h"
#include "lib/ca/ledger.h"
#include "lib/ca/lists_at_hand.h"
#include "lib/ca/recorder.h"

enum standing_state {
  STANDING_UNKNOWN, /* the key holder has not been asked yet */
  STANDING_GOOD,
  STANDING_BEHIND
};

/* Of one key: of one authority, nearly always. */
struct standing_row {
  char authority[LABEL_SIZE]; /* the first that has the key */
  uint8_t key_sha256[32];
  bool known;         /* the key holder has told of it; the rest is 0 otherwise */
  int64_t issued;     /* certificates in the ledger */
  int64_t accepted;   /* that it lacks, and somebody has accepted */
  int64_t recorded;   /* as the key holder remembers */
  int64_t missing;    /* what is recorded beyond both; 0: none */
  int64_t crl_signed; /* the highest cRLNumber that the key holder has signed; 0: none */
  int64_t
      crl_known; /* the highest that the ledger knows of: taken before it was signed, or accepted */
  struct lists_at_hand lists; /* those whose revocations were taken in since the start */
};

struct standing_report {
  enum standing_state state;
  int64_t since;             /* of STANDING_BEHIND: when it was seen, in seconds */
  int64_t missing;           /* of all rows */
  bool lists;                /* lists were signed that the ledger does not know of */
  struct standing_row *rows; /* owned */
  size_t n;
};
void standing_report_free(struct standing_report *report);
AUTO_VALUE(standing_report, struct standing_report, standing_report_free)

struct standing;

/* `changed` is called when the state has become GOOD or BEHIND, on whichever thread found that; it
 * MUST NOT call back. Borrows all of them, and this slot of the key holder; recorder may be NULL.
 */
bool standing_new(struct ledger *ledger, const struct authorities *authorities,
                  struct key_holder *holder, unsigned slot, struct recorder *recorder,
                  void (*changed)(const struct standing_report *report),
                  struct standing **ret_standing, struct fault *f);
void standing_free(struct standing *standing); /* accepts NULL */

/* Holds the ledger against what the key holder remembers, and tells it what the ledger has. True
 * when it could be asked, whatever came out. False (SIGNER_DOWN, SIGNER_REFUSED, LEDGER, NO_MEMORY)
 * leaves the state as it was. Accepts NULL: true. */
bool standing_compare(struct standing *standing, struct fault *f);
/* The same for authorities that have issued since, and nobody is told when it fails: after each
 * commit of certificates, before they are released. The next call tells what this one could not. */
void standing_tell(struct standing *standing);

/* Is there nothing against signing, as far as is known? LEDGER_BEHIND with what is missing and what
 * is to be done. Waits for nothing. Accepts NULL: true. */
bool standing_check(struct standing *standing, struct fault *f);
/* The same for who is about to sign: compares when that was not done yet. */
bool standing_settle(struct standing *standing, struct fault *f);

/* A list of this key's was read, and what it revokes is in the ledger now. */
void standing_saw_list(struct standing *standing, const uint8_t key_sha256[32],
                       const struct lists_at_hand *seen);
/* Takes what is missing as lost, and goes on: a row for each authority, with an event of `who`.
 * SELECTION_CHANGED when not just so many are missing (0: it is for the lists alone), or nothing is
 * against signing; AUTHORITY_STATE when lists were signed and none as new was seen, unless
 * `without_lists`; SIGNER_DOWN, LEDGER. */
bool standing_accept(struct standing *standing, int64_t missing, bool without_lists,
                     const struct event *who, struct fault *f);

/* What was found last. NO_MEMORY. */
bool standing_read(struct standing *standing, struct standing_report *ret_report, struct fault *f);
