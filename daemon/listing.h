/* listing.h - all certificates that a search finds, as CSV or NDJSON, made while they are sent: see
 * paged.h. Threads: one at a time. */
#pragma once
#include <stdbool.h>

#include "daemon/exchange.h"
#include "daemon/paged.h"
#include "daemon/search_decode.h"
#include "daemon/service.h"

struct listing_form {
  const char *content_type;
  struct paged_rows rows;
  bool (*add)(const struct issued *row, const struct authority *authority, struct buf *out,
              struct fault *f);
};
extern const struct listing_form listing_csv, listing_ndjson;

/* Fetches the first page, and makes the reply a stream: 200. A limit in the search is how many rows
 * there are in all. Takes the search over, in every case. The service must outlive the stream. */
bool listing_start(const struct listing_form *form, const struct service *service,
                   struct search *search, struct reply *reply, struct fault *f);
