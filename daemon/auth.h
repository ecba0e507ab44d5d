/* auth.h - who asks, and may they? Threads: any. */
#pragma once
#include "daemon/route.h"
#include "lib/ca/ledger.h"

/* authorization: the header's value; data is NULL when it is not there. An open route asks nobody.
 * UNAUTHENTICATED for no header, another scheme than Bearer (RFC 6750, 2.1) or a wrong token;
 * FORBIDDEN for a role that the row lacks. */
bool auth_check(const struct route *route, struct bytes authorization, struct ledger *ledger,
                struct principal *ret_principal, struct fault *f);
