/* event_form.h - what we tell of an event, field by field: one table for JSON (the answer to
 * GET /v1/events, and what webhooks are told) and CSV. Threads: any. */
#pragma once
#include "lib/ca/event.h"

/* Appends a JSON object. */
void event_json_add(const struct event *event, struct buf *out);
/* The line of names, and one line for an event. */
void event_csv_begin(struct buf *out);
void event_csv_add(const struct event *event, struct buf *out);
