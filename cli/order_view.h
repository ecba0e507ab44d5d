/* order_view.h - what the verbs about production orders share. Threads: one. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/args.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* Appends "/v1/orders/NAME" and what follows, for the verb's operand. BAD_USAGE for what cannot be
 * an order's name. */
bool order_path(const struct args *args, const char *rest, struct buf *out, struct fault *f);

/* A number of a reply; 0 when it is not there. */
int64_t order_number(const json_t *order, const char *name);

/* "312 of 500", on a terminal with a bar before it. */
void order_progress(const json_t *order, size_t bar_width, struct buf *out);

/* What there is to say of an order, for a person; or, for --json, all of it. */
bool order_print(const struct args *args, json_t *order, struct fault *f);
