/* ext.h - the extensions of certificates, CRLs and requests (RFC 5280, 4.2): one frame, read
 * strictly and written. Threads: none of its own. Pure. */
#pragma once
#include <stdbool.h>

#include "lib/pki/der.h"

enum { EXTENSIONS_MAX = 64 };

/* Spans are borrowed from the DER. */
struct extension {
  struct bytes oid;
  bool critical;
  struct bytes value; /* what the OCTET STRING holds; never empty */
};

/* All of them, in their order. */
struct extensions {
  size_t n;
  struct extension list[EXTENSIONS_MAX];
};

/* Reads Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension, a whole value, and looks at its frame:
 * each Extension well formed, no OID twice, at most EXTENSIONS_MAX of them. What the values hold is
 * the caller's matter. */
bool extensions_read(struct bytes whole, struct extensions *ret_extensions);

/* The same, to be stepped through. */
bool extensions_open(struct bytes whole, struct der *ret_inner);
/* Steps over one Extension; critical FALSE must not be encoded (X.690, 11.5). */
bool extension_next(struct der *extensions, struct extension *ret_extension);

struct extension_mark {
  size_t sequence, value;
};

/* Between these two the caller writes the value. */
struct extension_mark extension_begin(struct buf *out, struct bytes oid, bool critical);
void extension_end(struct buf *out, struct extension_mark mark);
