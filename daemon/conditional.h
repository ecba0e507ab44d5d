/* conditional.h - does the client have what it asks for already (RFC 9110, section 13)? Pure.
 * Threads: any. */
#pragma once
#include "daemon/exchange.h"

/* Puts ETag and Last-Modified into the reply. True when If-None-Match has this tag, or, without
 * that header, when If-Modified-Since is no earlier: then the reply's status is 304. The body that
 * the handler gives all the same tells its length (RFC 9110, 8.6) and is not sent. `etag` has its
 * quotes and is strong. */
bool conditional_is_current(struct exchange *x, const char *etag, int64_t modified_at);
