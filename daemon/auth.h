/* auth.h - who asks, and may they? Threads: any. */
#pragma once
#include "daemon/route.h"
#include "lib/ca/ledger.h"

/* authorization: the header's value; data is NULL when it is not there. An open route asks nobody.
 * A principal's token comes by Bearer (RFC 6750, 2.1), a device's serial and secret by Basic (RFC
 * 7617) or, in base64url, by Bearer. UNAUTHENTICATED for no header, another scheme, or what is not
 * right; FORBIDDEN for a role that the row lacks. */
bool auth_check(const struct route *route, struct bytes authorization, struct ledger *ledger,
                struct principal *ret_principal, struct fault *f);

/* Is this a device's secret, which somebody may have thought of (a principal's token is random)? */
bool auth_is_guessable(struct bytes authorization);
