/* ledger_authority.h - what the ledger keeps of the authorities: which one issues, and how much
 * each has issued. The files of an authority are the configuration's matter: see authorities.h.
 * Threads: as ledger.h says. */
#pragma once
#include "lib/ca/ledger.h"

enum authority_state { AUTHORITY_STANDBY, AUTHORITY_ACTIVE, AUTHORITY_RETIRED, AUTHORITY_STATES };
/* "standby", "active", "retired" */
const char *authority_state_name(enum authority_state state);

struct authority_row {
  char name[LABEL_SIZE];
  enum authority_state state;
  int64_t changed_at; /* seconds; 0: not known */
  int64_t issued;     /* certificates in this ledger */
  int64_t missing;    /* certificates that it lacks, and that somebody has accepted as lost */
  int64_t crl_number; /* the highest that was taken, or accepted; 0: none */
};

/* *ret_found tells whether there is one; false only when the database fails. */
bool ledger_find_authority(struct ledger *ledger, const char *name, bool *ret_found,
                           struct authority_row *ret_row, struct fault *f);
/* Calls `each` for every authority, in the order of names. */
bool ledger_each_authority(struct ledger *ledger,
                           void (*each)(const struct authority_row *row, void *context),
                           void *context, struct fault *f);

/* These write in a transaction of their own, and an event with it: `who` as for principals. */

/* Makes it known, in standby; nothing happens, and no event, when it is known already. */
bool ledger_add_authority(struct ledger *ledger, const char *name, const struct event *who,
                          struct fault *f);
/* From the commit on it is the one that issues; the one before it goes to standby. Nothing happens
 * when it is so already. UNKNOWN_AUTHORITY; AUTHORITY_STATE for a retired one. */
bool ledger_activate_authority(struct ledger *ledger, const char *name, const struct event *who,
                               struct fault *f);
/* It never issues again. UNKNOWN_AUTHORITY; AUTHORITY_STATE for the one that issues. */
bool ledger_retire_authority(struct ledger *ledger, const char *name, const struct event *who,
                             struct fault *f);

/* Takes the next number for a list of revoked certificates: above all before it, and above `above`.
 * It is durable before it is signed, so that it is never signed and unknown to the ledger; a number
 * that was taken need not become a list. In a transaction of its own. UNKNOWN_AUTHORITY, LEDGER. */
bool ledger_take_crl_number(struct ledger *ledger, const char *name, uint64_t above,
                            uint64_t *ret_number, struct fault *f);

/* What somebody accepts as lost, of one authority. */
struct acceptance {
  char authority[LABEL_SIZE];
  int64_t missing;    /* so many more certificates */
  int64_t crl_number; /* so high were numbers of lists */
};
/* Accepts all of them, or none, in a transaction with an event for each. UNKNOWN_AUTHORITY, LEDGER.
 */
bool ledger_accept_missing(struct ledger *ledger, const struct acceptance *rows, size_t n,
                           const struct event *who, struct fault *f);
