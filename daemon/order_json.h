/* order_json.h - a production order, as JSON. Threads: any. */
#pragma once
#include "lib/base/buf.h"
#include "lib/ca/order.h"

/* Appends the members of an order to an object that the caller opened, and closes. A text or time
 * that the order has not is "", a list that it has not is []. */
void order_json_add(const struct order *order, struct buf *out);
