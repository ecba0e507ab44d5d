/* dertext.h - DER as text, so that a broken certificate can be read in its case's folder.
 *
 *   30{ ... }     tag 0x30, then the length of what stands between the braces
 *   0a1b 2c       octets as they are
 *   "text"        the text's octets
 *   # ...         a comment, to the end of the line
 */
#pragma once
#include "lib/base/buf.h"

/* Appends the octets; false when the text is not of this form. */
bool dertext_read(struct bytes text, struct buf *ret_der);
