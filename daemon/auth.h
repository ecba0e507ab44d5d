/* auth.h - who asks, and may they? Threads: any. */
#pragma once
#include "daemon/route.h"
#include "daemon/service.h"
#include "lib/ca/peer.h"

/* What a client shows of itself. */
struct shown {
  struct bytes authorization; /* the header's value; data is NULL when it is not there */
  struct peer *peer;          /* its certificate; NULL: none */
};

/* An open route asks nobody. An Authorization header counts alone: with one, a client certificate
 * is not looked at, so that nobody is let in as somebody else than he says. A principal's token
 * comes by Bearer (RFC 6750, 2.1), a device's serial and secret by Basic (RFC 7617) or, in
 * base64url, by Bearer. UNAUTHENTICATED for neither header nor certificate, another scheme, what is
 * not right, a certificate that does not count (see peer.h), or a principal that is disabled;
 * FORBIDDEN for a role that the row lacks.
 *
 * A row that is AS_HOLDER takes no Authorization; see peer_renews() for whose certificate
 * counts there, and there alone. */
bool auth_check(const struct route *route, const struct shown *shown, const struct service *service,
                struct principal *ret_principal, struct fault *f);

/* Of a request that lasts: is its principal still who was let in? By a certificate: as in
 * auth_check(). By a token: not disabled, of the same role, and his token is still the one whose
 * SHA-256 ledger_find_principal() gave in the beginning. UNAUTHENTICATED, LEDGER. The thread whose
 * exchange it is. */
bool auth_check_again(const struct exchange *x, const uint8_t proof_sha256[TOKEN_SHA256_LEN],
                      struct fault *f);

/* Is this a device's secret, which somebody may have thought of (a principal's token is random)? */
bool auth_is_guessable(struct bytes authorization);
