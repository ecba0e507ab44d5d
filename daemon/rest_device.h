/* rest_device.h - what the handlers of devices share. Threads: any. */
#pragma once
#include "daemon/exchange.h"

/* The reply that was written into x->reply.body, or the problem document; what was written is then
 * wiped. */
enum handled rest_reply_json(struct exchange *x, unsigned status, bool done, const struct fault *f);
