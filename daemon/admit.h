/* admit.h - who is let in: the limits before and behind the question of who it is. Threads: any. */
#pragma once
#include "daemon/auth.h"
#include "daemon/exchange.h"
#include "daemon/route.h"

/* TOO_MANY_REQUESTS, with the reply's Retry-After set, when the exchange's source address is over
 * its limit. */
bool admit_address(struct exchange *x, struct fault *f);

/* Finds x->principal: see auth_check(). What is not right counts against the source address. Once
 * that has used up its tries, secrets that can be guessed are not even looked at, so that guessing
 * is slow; a right token still passes, so that a neighbour's wrong one locks nobody out.
 * UNAUTHENTICATED, FORBIDDEN, TOO_MANY_REQUESTS likewise. */
bool admit_principal(struct exchange *x, const struct route *route, const struct shown *shown,
                     struct fault *f);
