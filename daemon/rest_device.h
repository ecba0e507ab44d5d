/* rest_device.h - what the handlers of devices share. Threads: any. */
#pragma once
#include "daemon/exchange.h"
#include "lib/ca/event.h"

/* Fills in who asks, from where, and the request's id; the event is all zero. */
void rest_who(const struct exchange *x, struct event *ret_event);
/* The reply that was written into x->reply.body, or the problem document; what was written is then
 * wiped. */
enum handled rest_reply_json(struct exchange *x, unsigned status, bool done, const struct fault *f);
