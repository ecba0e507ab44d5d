/* issue_order.c - what a production order says of a request that names it. */
#include "lib/base/text.h"
#include "lib/ca/issue_private.h"

bool issue_take_order(struct ledger *ledger, struct issue_request *request, struct order *ret_order,
                      struct fault *f)
{
  if (request->order[0] == '\0' || request->renews != 0)
    return true;
  if (!ledger_get_order(ledger, request->order, ret_order, f))
    return f->code == FAULT_UNKNOWN_ORDER
               ? fault_set(f, ORDER_NOT_ALLOWED,
                           "there is no order %s; it must be made before anything is issued under "
                           "it",
                           request->order)
               : false;
  if (request->profile[0] == '\0')
    TEXT_COPY(request->profile, bytes_of_text(ret_order->profile));
  if (request->model[0] == '\0')
    TEXT_COPY(request->model, bytes_of_text(ret_order->model));
  return true;
}
