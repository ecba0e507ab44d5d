/* accept.h - which of the media types that we can make does the client want? Proactive negotiation,
 * RFC 9110, section 12.5.1. Threads: any. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/fault.h"

/* Chooses one of `offers` (content types, with parameters if they have any, in the order of our own
 * preference) by the value of an Accept header. The greatest weight wins; between equal weights the
 * type that was named more precisely, then our order. Without a header, or with an empty one, it is
 * the first. An element that is not well formed matches nothing, and q=0 refuses.
 *
 * A range's charset=utf-8 matches every offer: all our text is UTF-8. Any other parameter must be
 * the offer's own. NOT_ACCEPTABLE, with the list of what can be had. */
bool accept_choose(const char *accept, const char *const *offers, size_t n, size_t *ret_index,
                   struct fault *f);
