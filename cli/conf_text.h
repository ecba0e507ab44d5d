/* conf_text.h - configuration files as text: one value read or replaced, everything else (comments
 * above all) left as it is. Takes lines of the form `key = value`; whoever needs more reads the
 * file with the daemon's own parser. Threads: any. Pure. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* Gives the one line of this key, which may be commented out ("# key = ..."), the value `value`
 * (written as it is: quotes are the caller's matter). BAD_CONFIG when there is no such line, or
 * more than one. */
bool conf_text_set(struct buf *text, const char *key, const char *value, struct fault *f);

/* Puts a '#' before the one line of this key, unless there is one. BAD_CONFIG as above. */
bool conf_text_comment_out(struct buf *text, const char *key, struct fault *f);

/* The same within the section that this line opens ("profile \"server\" {") and a line of "}" ends.
 */
bool conf_text_set_within(struct buf *text, const char *section, const char *key, const char *value,
                          struct fault *f);

/* Appends the value of the first line of this key, without its quotes; false when there is none. */
bool conf_text_get(struct bytes text, const char *key, struct buf *ret_value);

/* Appends a text in double quotes, with quotes and backslashes escaped. */
void conf_text_quote(struct buf *out, const char *text);
