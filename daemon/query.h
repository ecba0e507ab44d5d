/* query.h - the query of a request target, decoded strictly. Pure. Threads: any. */
#pragma once
#include <stdbool.h>

#include "daemon/exchange.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum { QUERY_PARAMETERS_MAX = 32 };

/* "a=1&b=%C3%A9": names and values with %XX and '+' decoded. BAD_REQUEST for a broken escape, a NUL
 * or another control character, octets that are not UTF-8, an empty name, a name that is there
 * twice, or more than QUERY_PARAMETERS_MAX parameters. The parameters are the caller's:
 * query_free. */
bool query_read(struct bytes text, struct parameter **ret_parameters, size_t *ret_n,
                struct fault *f);
void query_free(struct parameter *parameters, size_t n);
