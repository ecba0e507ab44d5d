/* crl_schedule.h - when which list of revoked certificates is to be made anew. Pure. Threads: any.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/ca/conf.h"

/* What is published of one list, complete or delta. All zero: nothing. */
struct crl_edition {
  uint64_t number; /* 0: there is none */
  int64_t this_update, next_update;
  int64_t revocation_id; /* the newest that it takes account of */
};

enum crl_kind { CRL_NONE, CRL_COMPLETE, CRL_DELTA };

/* Of one authority and shard. */
struct crl_state {
  struct crl_edition complete, delta;
  int64_t news_at; /* when it was seen that a revocation is on neither; 0: none is missing */
  bool forced;     /* whatever is published, it is to be made anew */
};

/* What is to be made now. One after the other: a complete list comes before its delta, and no two
 * within one second, so that thisUpdate tells which is the newer one. A list from the
 * future (the clock was set back) is made anew. */
enum crl_kind crl_due(const struct crl_state *state, const struct conf_crl *conf, int64_t now);

/* When there was no success so many times: so many seconds until the next try. */
int64_t crl_back_off(unsigned failures);
