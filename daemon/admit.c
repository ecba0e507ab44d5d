/* admit.c - see admit.h. */
#include "daemon/admit.h"

#include "daemon/limits.h"
#include "daemon/service.h"
#include "lib/base/when.h"

bool admit_address(struct exchange *x, struct fault *f)
{
  return limits_take(x->service->limits, LIMIT_ADDRESS, x->source, when_monotonic_ms(),
                     &x->reply.retry_after_s, f);
}

/* A station and a device may be called the same. */
static bool take_from_principal(struct exchange *x, struct fault *f)
{
  char key[1 + PRINCIPAL_NAME_SIZE];
  if (x->principal.role == ROLE_NONE)
    return true;
  key[0] = (char)('0' + x->principal.role);
  memcpy(key + 1, x->principal.name, sizeof x->principal.name);
  return limits_take(x->service->limits, LIMIT_PRINCIPAL, key, when_monotonic_ms(),
                     &x->reply.retry_after_s, f);
}

/* One try less; the last answer of all says so. */
static void count_failure(struct exchange *x, struct fault *f)
{
  AUTO(fault) too_many = {0};
  if (limits_take(x->service->limits, LIMIT_FAILED, x->source, when_monotonic_ms(),
                  &x->reply.retry_after_s, &too_many))
    return;
  fault_free(f);
  fault_move(f, &too_many);
}

bool admit_principal(struct exchange *x, const struct route *route, const struct shown *shown,
                     struct fault *f)
{
  if ((route->roles & OPEN_TO_ALL) == 0 && auth_is_guessable(shown->authorization) &&
      !limits_look(x->service->limits, LIMIT_FAILED, x->source, when_monotonic_ms(),
                   &x->reply.retry_after_s, f))
    return false;
  if (auth_check(route, shown, x->service, &x->principal, f))
    return take_from_principal(x, f);
  if (f->code == FAULT_UNAUTHENTICATED && shown->authorization.data != NULL)
    count_failure(x, f);
  return false;
}
