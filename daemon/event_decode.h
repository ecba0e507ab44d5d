/* event_decode.h - what GET /v1/events is asked for. Threads: any. */
#pragma once
#include "daemon/cursor.h"
#include "daemon/exchange.h"
#include "lib/ca/event.h"

/* A question to the ledger that owns its texts, so that it outlives the exchange. It points into
 * itself: never copy it. */
struct event_search {
  struct event_query query; /* limit is 0 when none was given */
  char principal[LABEL_SIZE], device_serial[LABEL_SIZE], order[LABEL_SIZE];
  char request_id[REQUEST_ID_SIZE];
  char cursor[CURSOR_TEXT_SIZE];
  struct ip source;
  uint8_t serial_number[SERIAL_NUMBER_LEN];
  struct buf filters; /* the canonical form of all filters, for cursors; owned */
};

/* Reads the parameters, and forces the filter on a principal who may only see its own events:
 * FORBIDDEN when it asks for another's. BAD_FIELD names the parameter; BAD_CURSOR. */
bool event_decode(const struct exchange *x, struct event_search **ret_search, struct fault *f);
void event_search_free(struct event_search *search);
AUTO_POINTER(event_search, struct event_search, event_search_free)
