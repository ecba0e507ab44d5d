/* base64.h - base64 (RFC 4648) and the base64url of tokens and cursors. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"

/* Adds base64 with padding; wrapped with '\n' after every `line` characters (a multiple of 4; the
 * last line ends with '\n' too), or on one line without an end when `line` is 0. */
void base64_add(struct buf *out, struct bytes octets, size_t line);
/* Adds the decoded octets. Takes white space (space, tab, CR, LF) anywhere; false for any other
 * character, for wrong or missing padding, and for bits behind the end that are not zero. `out` is
 * then as before. */
bool base64_decode(struct buf *out, struct bytes text);

/* base64url (section 5) without padding and without white space. */
void base64url_add(struct buf *out, struct bytes octets);
bool base64url_decode(struct buf *out, struct bytes text);
