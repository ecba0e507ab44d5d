/* http_date.h - an instant as HTTP writes it (RFC 9110, 5.6.7: IMF-fixdate). Pure. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { HTTP_DATE_SIZE = 30 };

/* "Mon, 23 Nov 2026 08:00:00 GMT" and a NUL. */
void http_date_text(char out[HTTP_DATE_SIZE], int64_t instant);
/* Reads this one form. The two obsolete ones nobody sends who was given ours. */
bool http_date_read(const char *text, int64_t *ret_instant);
