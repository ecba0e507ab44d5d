/* crl_list.h - one list of revoked certificates and its deltas, kept up to date: of one authority
 * and shard. Threads: the publisher's alone. */
#pragma once
#include "daemon/crl_schedule.h"
#include "daemon/crl_store.h"
#include "lib/ca/authority.h"
#include "lib/ca/conf.h"
#include "lib/ca/ledger.h"
#include "lib/ca/signer.h"
#include "lib/ca/standing.h"

/* What a list is made with, all borrowed. */
struct crl_tools {
  struct ledger *ledger;
  struct signer *signer;
  struct crl_store *store;
  struct standing *standing; /* may be NULL */
};

struct crl_list {
  const struct authority *authority;
  unsigned shard; /* 0: of all certificates */
  struct crl_state state;
  int64_t seen_id; /* revocations up to this one are on it, or are not of it */
  unsigned failures;
  int64_t retry_at_ms; /* after a failure, on when_monotonic_ms(): not before */
};

/* Takes up what is on the disk: a whole list of ours that the ledger has on record is served and
 * counts as published. One that is ours and not on record (the ledger is older than it) is served
 * until there is a new one. Anything else is left alone, and a new list takes its place. */
void crl_list_recover(struct crl_list *list, const struct crl_tools *tools,
                      const struct conf *conf);

/* Makes it anew at the next occasion, whatever is published. Deltas that are no longer to be made
 * are served no more. */
void crl_list_force(struct crl_list *list, const struct crl_tools *tools, const struct conf *conf);

/* Sees whether something of it was revoked, and publishes what is due. last_id is the newest
 * revocation of all. What fails is logged, and tried again later and later. While the ledger is an
 * older copy nothing is published: the last list says more than it knows. */
void crl_list_tend(struct crl_list *list, const struct crl_tools *tools, const struct conf *conf,
                   int64_t last_id, int64_t now);
