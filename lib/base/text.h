/* text.h - small questions about text: UTF-8, hexadecimal, numbers, copying with a bound. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"

/* True for well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates). NUL octets count as
 * text. */
bool text_is_utf8(struct bytes text);
/* Replaces control characters and octets that are not UTF-8 by '?', in place. */
void text_make_printable(char *text);
/* True for 1 to `max` characters out of A-Z a-z 0-9 and the octets of `also`. */
bool text_is_token(struct bytes text, size_t max, const char *also);

/* Copies a string that must fit (size counts the NUL); false, and `to` untouched, when it does not
 * or when the source holds a NUL. */
bool text_copy(char *to, size_t size, struct bytes from);
#define TEXT_COPY(array, from) text_copy((array), sizeof(array), (from))

/* Lower-case hexadecimal; the other direction takes both cases, an even number of digits only. */
void text_add_hex(struct buf *out, struct bytes octets);
/* Writes exactly 2 * len digits and a NUL. */
void text_hex(char *out, const uint8_t *octets, size_t len);
/* False when a character is no digit, or the octets are more than max. */
bool text_unhex(struct bytes hex, uint8_t *out, size_t max, size_t *ret_len);

/* A decimal number without sign, space or leading zero, at most `max`. */
bool text_to_u64(struct bytes text, uint64_t max, uint64_t *ret_number);

/* For a place in a table: not for anything that somebody else may choose and must not clash. */
uint32_t text_hash(const char *text);
