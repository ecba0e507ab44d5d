/* conf_scan.h - a configuration's text made ready for libConfuse, which would take a comment inside
 * a list for an error, lose count of lines in long comments, put environment variables into
 * strings, and stay within a string that does not end. For conf.c alone. Threads: any. Pure. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* Stands for the '$' of "${" from conf_scan() to conf_scan_restore(). */
enum { CONF_SCAN_DOLLAR = 0x01 };

/* Blanks the comments (#, // and C's), in place: line numbers stay. BAD_CONFIG with
 * "PATH:LINE: ..." for strings and comments that do not end, for strings over several lines, for
 * control characters, octets that are not UTF-8, and for characters that mean nothing here. */
bool conf_scan(const char *path, struct buf *text, struct fault *f);
/* A value as it was in the file. */
void conf_scan_restore(char *value);
