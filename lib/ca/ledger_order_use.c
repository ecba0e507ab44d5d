/* ledger_order_use.c - orders while certificates are issued under them: read once in a transaction,
 * counted in memory, written at its end. An order would otherwise be read and written for each of
 * its certificates. */
#include "lib/ca/ledger_private.h"
#include "lib/ca/order.h"

void ledger_order_uses_begin(struct ledger *ledger, struct ledger_connection *c)
{
  c->orders.n = 0;
  c->orders.generation = ledger_orders_generation(ledger);
}

static bool write_counts(struct ledger_connection *writer, struct ledger_order_use *use,
                         struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (use->issued == 0 && use->replaced == 0)
    return true;
  if (!ledger_call_open(writer, SQL_COUNT_ORDER, &call, f))
    return false;
  ledger_call_number(&call, use->order.id);
  ledger_call_number(&call, use->issued);
  ledger_call_number(&call, use->replaced);
  if (!ledger_call_run(&call, f))
    return false;
  use->issued = use->replaced = 0;
  return true;
}

bool ledger_order_uses_flush(struct ledger_connection *writer, struct fault *f)
{
  for (size_t i = 0; i < writer->orders.n; i++)
    if (!write_counts(writer, &writer->orders.of[i], f))
      return false;
  return true;
}

static struct ledger_order_use *known(struct ledger_connection *c, const char *name)
{
  for (size_t i = 0; i < c->orders.n; i++)
    if (strcmp(c->orders.of[i].order.name, name) == 0)
      return &c->orders.of[i];
  return NULL;
}

static bool read_order(struct ledger *ledger, struct ledger_connection *c, const char *name,
                       bool *ret_found, struct order *ret_order, struct fault *f)
{
  if (c == ledger->writer)
    return ledger_order_find(c, name, ret_found, ret_order, f);
  if (ledger_orders_get(ledger, name, ret_order)) {
    *ret_found = true;
    return true;
  }
  bool found;
  if (!ledger_order_find(c, name, &found, ret_order, f))
    return false;
  if (found)
    ledger_orders_put(ledger, c->orders.generation, ret_order);
  *ret_found = found;
  return true;
}

/* What was read holds for as long as the transaction lasts; without one, each question is anew. */
bool ledger_order_use(struct ledger *ledger, struct ledger_connection *c, const char *name,
                      struct ledger_order_use **ret_use, struct fault *f)
{
  struct ledger_order_uses *orders = &c->orders;
  if (sqlite3_get_autocommit(c->db))
    ledger_order_uses_begin(ledger, c);
  struct ledger_order_use *use = known(c, name);
  if (use == NULL && orders->n == ORDER_USES) {
    if (!ledger_order_uses_flush(c, f))
      return false;
    orders->n = 0;
  }
  if (use == NULL) {
    bool found;
    struct ledger_order_use *next = &orders->of[orders->n];
    next->issued = next->replaced = 0;
    if (!read_order(ledger, c, name, &found, &next->order, f))
      return false;
    orders->n += found;
    use = found ? next : NULL;
  }
  *ret_use = use;
  return true;
}

bool ledger_order_check(struct ledger *ledger, struct ledger_connection *c,
                        const struct issued *row, const struct sans *names, bool is_replacement,
                        int64_t now, struct ledger_order_use **ret_use, struct fault *f)
{
  struct ledger_order_use *use;
  if (row->order[0] == '\0') {
    *ret_use = NULL;
    return true;
  }
  if (!ledger_order_use(ledger, c, row->order, &use, f))
    return false;
  if (use == NULL)
    return fault_set(f, ORDER_NOT_ALLOWED, "there is no order %s", row->order);
  const struct order_request request = {.profile = row->profile,
                                        .model = row->model,
                                        .station = row->station,
                                        .names = names,
                                        .is_replacement = is_replacement};
  if (!order_check(&use->order, &request, now, f))
    return false;
  *ret_use = use;
  return true;
}

void ledger_order_count(struct ledger_order_use *use, bool is_replacement)
{
  if (use == NULL)
    return;
  if (is_replacement) {
    use->order.replaced++;
    use->replaced++;
  } else {
    use->order.issued++;
    use->issued++;
  }
}
