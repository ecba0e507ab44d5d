/* search_decode.h - what GET /v1/certificates is asked for. Threads: any. */
#pragma once
#include <stdbool.h>

#include "daemon/cursor.h"
#include "daemon/exchange.h"
#include "lib/ca/ledger.h"

/* A question to the ledger that owns its texts, so that it outlives the exchange. It points into
 * itself: never copy it. */
struct search {
  struct ledger_query query; /* points into what follows; limit is 0 when none was given */
  char device_serial[LABEL_SIZE], station[LABEL_SIZE], order[LABEL_SIZE], model[LABEL_SIZE],
      profile[LABEL_SIZE];
  char cursor[CURSOR_TEXT_SIZE];
  struct buf dns, uri; /* owned */
  struct ip ip;
  struct buf filters; /* the canonical form of all filters, for cursors; owned */
};

/* Reads the parameters, and forces the filter on a principal who may only see its own: FORBIDDEN
 * when it asks for another's. BAD_FIELD names the parameter; BAD_CURSOR. */
bool search_decode(const struct exchange *x, struct search **ret_search, struct fault *f);
void search_free(struct search *search);
AUTO_POINTER(search, struct search, search_free)

/* May this principal see this certificate? A station sees those that it asked for, a device those
 * of its own device_serial. */
bool search_sees(const struct principal *principal, const struct issued *row);
/* May this role see certificates that another principal asked for? */
bool search_sees_all(enum role role);
