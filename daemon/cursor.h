/* cursor.h - where a listing goes on: opaque to the client, and good for that listing only.
 *
 * A cursor is the base64url of the last row's id (8 octets) and of the leading 16 octets of
 * SHA-256 over the listing's filters and that id. It grants nothing (a client could as well ask
 * with another filter); the digest is there so that a cursor that was altered, or that comes with
 * other filters, is told from a good one instead of giving a listing with a gap. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum { CURSOR_TEXT_SIZE = 33 };

/* `filters` is the canonical form of the filters, of any length. */
bool cursor_write(int64_t id, struct bytes filters, char ret_text[CURSOR_TEXT_SIZE],
                  struct fault *f);
/* BAD_CURSOR for anything that cursor_write did not make for these filters. */
bool cursor_read(const char *text, struct bytes filters, int64_t *ret_id, struct fault *f);
