/* filter.h - what the listings' filters have in common: put() functions for their tables of fields
 * (see fields.h). An empty value is refused: it is a client's variable that was not set, more often
 * than a question. */
#pragma once
#include "daemon/cursor.h"
#include "daemon/fields.h"

enum { FILTER_LIMIT_MAX = 1000 };

/* A label, into the char[LABEL_SIZE] at field->at. */
bool filter_put_label(const struct field *field, struct bytes text, void *to, struct fault *f);
/* next_cursor as the listing gave it, into the char[CURSOR_TEXT_SIZE] at field->at. */
bool filter_put_cursor(const struct field *field, struct bytes text, void *to, struct fault *f);
/* A time (RFC 3339) into the int64_t at field->at; field->kind is how many of its units a second
 * has. */
bool filter_put_time(const struct field *field, struct bytes text, void *to, struct fault *f);
/* 1 to FILTER_LIMIT_MAX, into the unsigned at field->at. */
bool filter_put_limit(const struct field *field, struct bytes text, void *to, struct fault *f);
