/* crl_serve.c - see crl_serve.h. */
#include "daemon/crl_serve.h"

#include "daemon/conditional.h"
#include "daemon/crl_store.h"
#include "daemon/service.h"
#include "lib/base/when.h"

/* A revocation is to be seen soon, and asking again costs the size of a header. */
enum { MAX_AGE_S = 300 };

static unsigned max_age_s(int64_t next_update, int64_t now)
{
  int64_t left_s = next_update > now ? next_update - now : 0;
  return left_s < MAX_AGE_S ? (unsigned)left_s : MAX_AGE_S;
}

enum handled crl_serve(struct exchange *x)
{
  AUTO(fault) f = {0};
  struct crl_served served;
  if (!crl_store_open(x->service->crls, x->path_rest, &served, &f))
    return exchange_fail(x, &f);
  x->reply.file = (struct reply_file){.given = true, .fd = served.fd, .size = served.size};
  x->reply.content_type = served.content_type;
  x->reply.max_age_s = max_age_s(served.next_update, when_now());
  if (!conditional_is_current(x, served.etag, served.modified_at))
    x->reply.status = 200;
  return HANDLED;
}
