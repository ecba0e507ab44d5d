/* san_form.h - is this text a well-formed name of its kind, and what is its normal form? The one
 * place that knows; san.c asks it for every name. Threads: any. */
#pragma once
#include "lib/pki/san.h"

struct san_value {
  uint8_t octets[SAN_URI_MAX];
  size_t len;
};

/* NULL and the normal form, or why the text is no such name (a sentence's end, for a person). */
const char *san_form(enum san_kind kind, struct bytes text, struct san_value *ret_value);
