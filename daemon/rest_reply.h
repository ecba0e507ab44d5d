/* rest_reply.h - the end of a handler whose reply is JSON. Threads: any. */
#pragma once
#include "daemon/exchange.h"

/* done: x.reply.body is there. Otherwise it is wiped, and the reply is `f`'s problem document. */
enum handled rest_reply_json(struct exchange *x, unsigned status, bool done, const struct fault *f);
