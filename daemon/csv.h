/* csv.h - one line of comma-separated values (RFC 4180). Threads: any. */
#pragma once
#include "lib/base/buf.h"

/* Appends one cell, with a comma in front unless it is the first of its line, and in quotes where
 * RFC 4180 asks for them. A cell that a spreadsheet would take for a formula (it begins with
 * = + - @, a tab or a carriage return) gets an apostrophe in front, which makes it text. */
void csv_add_cell(struct buf *out, struct bytes text);
/* Ends the line: CRLF. */
void csv_end_line(struct buf *out);
