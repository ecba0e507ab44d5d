/* crl_record.h - the lists of revoked certificates that were published; rows that are only added.
 *
 * A list's row is durable before its file can be seen, so that after a crash its number is not
 * given to another list. Threads: as ledger.h says. */
#pragma once
#include "lib/ca/ledger.h"

struct crl_record {
  char authority[LABEL_SIZE];
  unsigned shard;  /* 0: it tells of all of the authority's certificates */
  uint64_t number; /* cRLNumber: 1 to INT64_MAX */
  /* Of a delta: the number of the list that it goes on from; 0: it is complete. */
  uint64_t base_number;
  int64_t this_update, next_update;
  int64_t revocation_id; /* the newest that it takes account of: see revocation.h; 0: none */
  int64_t entries, octets;
  uint8_t sha256[32]; /* over the whole list in DER */
};

/* Adds the row, and the event of it, in a transaction of its own. LEDGER when it cannot, or when
 * the number is not above all of the authority's. */
bool ledger_add_crl(struct ledger *ledger, const struct crl_record *record, struct fault *f);

/* The row of this number; *ret_found tells whether there is one. */
bool ledger_find_crl(struct ledger *ledger, const char *authority, uint64_t number, bool *ret_found,
                     struct crl_record *ret_record, struct fault *f);

/* How far an authority has come. All zero: it has published none. */
struct crl_extent {
  uint64_t last_number;
  unsigned last_shard; /* the highest that there ever was a list of */
};
bool ledger_crl_extent(struct ledger *ledger, const char *authority, struct crl_extent *ret_extent,
                       struct fault *f);
