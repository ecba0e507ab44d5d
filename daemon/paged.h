/* paged.h - a listing that is made while it is sent, of whatever kind its rows are.
 *
 * Rows are fetched in pages by keyset, so that no read of the ledger lasts long; what is added
 * meanwhile is newer than the first page and not in the listing. Threads: one at a time. */
#pragma once
#include "daemon/exchange.h"

struct paged_rows {
  /* What stands before the rows; NULL: nothing. */
  void (*begin)(struct buf *out);
  /* Fetches the next page, of at most `limit` rows, in the place of the one before. */
  bool (*fetch)(void *state, unsigned limit, size_t *ret_n, bool *ret_more, struct fault *f);
  /* Appends all rows of the page that was fetched. */
  bool (*add)(void *state, struct buf *out, struct fault *f);
  void (*free)(void *state);
};

/* Fetches the first page, and makes the reply a stream: 200. limit: how many rows there are in all;
 * 0: no limit. Takes the state over, in every case. */
bool paged_start(const struct paged_rows *rows, void *state, const char *content_type,
                 unsigned limit, struct reply *reply, struct fault *f);
