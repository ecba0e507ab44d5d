/* who.h - who asks, for the record. Threads: any. */
#pragma once
#include "daemon/exchange.h"
#include "lib/base/text.h"
#include "lib/ca/event.h"

/* An event of no kind yet, with principal, source and request_id. */
static inline struct event who_asks(const struct exchange *x)
{
  struct event who = {0};
  TEXT_COPY(who.principal, bytes_of_text(x->principal.name));
  TEXT_COPY(who.source, bytes_of_text(x->source));
  TEXT_COPY(who.request_id, bytes_of_text(x->request_id));
  return who;
}
