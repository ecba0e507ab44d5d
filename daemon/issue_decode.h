/* issue_decode.h - the body of POST /v1/certificates and /v1/renew: JSON, or a bare CSR with the
 * fields in the query. Threads: any. */
#pragma once
#include <stdbool.h>

#include "daemon/exchange.h"
#include "lib/ca/issue.h"

/* Fills a request that is all zero; what was put there before a fault stays, and is freed with it.
 *
 *   application/json     all fields in the body, none in the query; csr is PEM or base64 of DER
 *   application/pkcs10   the body is the CSR (DER, PEM or base64), the other fields are query
 *                        parameters; ip_sans, dns_sans and uri_sans are divided by commas (a URI
 *                        that has a comma in it needs the JSON form), replace is true or false
 *
 * A field that is "" or [] counts as not given. The station is who asks. UNSUPPORTED_MEDIA_TYPE,
 * BAD_JSON, UNKNOWN_FIELD, BAD_FIELD, BAD_CSR; after those, BAD_NAME with an item for every name
 * that is not well formed. */
bool issue_decode(const struct exchange *x, struct issue_request *request, struct fault *f);
/* The same for one line of a batch: the JSON form, without a query. */
bool issue_decode_line(const struct exchange *x, struct bytes line, struct issue_request *request,
                       struct fault *f);
/* The same for a renewal: the CSR alone, in the one form or the other; no other field is known.
 * What it renews is what the exchange's principal was let in for. */
bool renew_decode(const struct exchange *x, struct issue_request *request, struct fault *f);
