/* issue_order.c - what a production order says of a request that names it. */
#include "lib/base/text.h"
#include "lib/ca/issue_private.h"

static bool find(struct ledger *ledger, struct order_shelf *shelf, const char *name,
                 const struct order **ret_order, struct fault *f)
{
  for (size_t i = 0; i < shelf->n; i++)
    if (strcmp(shelf->orders[i].name, name) == 0) {
      *ret_order = &shelf->orders[i];
      return true;
    }
  if (shelf->n == ARRAY_LEN(shelf->orders))
    return fault_set(f, INTERNAL, "more orders than requests");
  struct order *order = &shelf->orders[shelf->n];
  if (!ledger_get_order(ledger, name, order, f))
    return f->code == FAULT_UNKNOWN_ORDER
               ? fault_set(f, ORDER_NOT_ALLOWED,
                           "there is no order %s; it must be made before anything is issued under "
                           "it",
                           name)
               : false;
  shelf->n++;
  *ret_order = order;
  return true;
}

bool issue_take_order(struct ledger *ledger, struct order_shelf *shelf,
                      struct issue_request *request, const struct order **ret_order,
                      struct fault *f)
{
  const struct order *order = NULL;
  if (request->order[0] != '\0' && request->renews == 0) {
    if (!find(ledger, shelf, request->order, &order, f))
      return false;
    if (request->profile[0] == '\0')
      TEXT_COPY(request->profile, bytes_of_text(order->profile));
    if (request->model[0] == '\0')
      TEXT_COPY(request->model, bytes_of_text(order->model));
  }
  *ret_order = order;
  return true;
}
