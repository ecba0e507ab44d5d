/* listing.h - a listing that is made while it is sent: CSV or NDJSON, all rows that a search finds.
 *
 * Rows are fetched in pages by keyset, so that no read of the ledger lasts long; what is issued
 * meanwhile is newer than the first page and not in the listing. Threads: one at a time. */
#pragma once
#include <stdbool.h>

#include "daemon/exchange.h"
#include "daemon/search_decode.h"
#include "daemon/service.h"

struct listing_form {
  const char *content_type;
  /* What stands before the rows; NULL: nothing. */
  void (*begin)(struct buf *out);
  bool (*add)(const struct issued *row, const struct authority *authority, struct buf *out,
              struct fault *f);
};
extern const struct listing_form listing_csv, listing_ndjson;

/* Fetches the first page, and makes the reply a stream: 200. A limit in the search is how many rows
 * there are in all. Takes the search over, in every case. The service must outlive the stream. */
bool listing_start(const struct listing_form *form, const struct service *service,
                   struct search *search, struct reply *reply, struct fault *f);
