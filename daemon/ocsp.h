/* ocsp.h - answers to OCSP requests (RFC 6960): who signs, what is on record, what was signed
 * lately. Knows nothing of HTTP. Threads: any, but for its beginning and end. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "daemon/ocsp_responder.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/conf.h"
#include "lib/ca/ledger.h"
#include "lib/ca/standing.h"

struct ocsp;

/* Borrows authorities, issuer, ledger and standing: while the ledger is an older copy the answer is
 * tryLater. The cache's size is what the configuration says now. */
bool ocsp_start(const struct conf *conf, const struct authorities *authorities,
                struct issuer *issuer, struct ledger *ledger, struct standing *standing,
                struct ocsp **ret_ocsp, struct fault *f);
/* Any thread. */
void ocsp_reload(struct ocsp *ocsp, const struct conf *conf);
/* Whoever waits is answered. When nobody asks any more, and before the pipeline is stopped. */
void ocsp_stop(struct ocsp *ocsp); /* accepts NULL */
void ocsp_free(struct ocsp *ocsp); /* accepts NULL */

struct ocsp_reply {
  int64_t this_update, next_update; /* both 0: it says nothing about a certificate */
  int64_t renew_at;                 /* from then on a later answer is given to the same question */
};

/* Answers an OCSPRequest; appends the OCSPResponse, which may be an error of OCSP's. False when no
 * answer can be given as yet: then the waiter is told when to ask again (see ocsp_responder.h).
 * waiter NULL: it does not wait, and gets tryLater instead.
 *
 * What the answer says of a certificate:
 *   good, revoked   as is on record, of those that the authority has issued;
 *   unknown         it never issued it, as far as we know.
 * One answer has one signer, the responder of the authority that is named first. In a request for
 * several certificates those of other authorities are unknown; a request that names no authority of
 * ours gets unauthorized(6), as RFC 5019, 2.2.3 has it.
 *
 * `f` is set, and the answer is an error, when the request is malformed (BAD_REQUEST), and when we
 * cannot say: tryLater. It is for the log. */
bool ocsp_answer(struct ocsp *ocsp, struct bytes request, struct ocsp_waiter *waiter,
                 struct buf *ret_der, struct ocsp_reply *ret_reply, struct fault *f);
