/* rest_reply.c - see rest_reply.h. */
#include "daemon/rest_reply.h"

enum handled rest_reply_json(struct exchange *x, unsigned status, bool done, const struct fault *f)
{
  if (!done) {
    buf_wipe(&x->reply.body);
    return exchange_fail(x, f);
  }
  x->reply.status = status;
  x->reply.content_type = "application/json";
  return HANDLED;
}
