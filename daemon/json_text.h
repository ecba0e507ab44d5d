/* json_text.h - JSON (RFC 8259), written straight into a buffer. Threads: any. */
#pragma once
#include <stdint.h>

#include "lib/base/buf.h"

/* Appends a string in its quotes. Text that is not UTF-8 keeps its ASCII; each other octet becomes
 * '?', so that what comes out is always JSON. */
void json_add_string(struct buf *out, struct bytes text);
/* Appends "name": value, with a comma in front when something stands in the object already. `name`
 * needs no escaping. */
void json_add_member(struct buf *out, const char *name, struct bytes text);
/* Appends "name": number, likewise. */
void json_add_number(struct buf *out, const char *name, int64_t number);
/* Appends the name of a member, with the comma likewise; its value is the caller's to write. */
void json_add_name(struct buf *out, const char *name);
/* A comma, unless an object or array has just been opened. */
void json_add_comma(struct buf *out);
