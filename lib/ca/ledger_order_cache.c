/* ledger_order_cache.c - orders that were issued under of late, as they are on disk: what a worker
 * wants to know of each batch of requests, without a question to the file.
 *
 * Orders change through the ledger's writer alone, which says so at its commit. Of whoever read an
 * order meanwhile nothing is kept. Orders that are not there are not kept either: names are a
 * peer's to invent. */
#include "lib/base/text.h"
#include "lib/ca/ledger_private.h"

static struct order *slot_of(struct ledger *ledger, const char *name)
{
  return &ledger->orders.slots[text_hash(name) % ORDER_SLOTS];
}

uint64_t ledger_orders_generation(struct ledger *ledger)
{
  pthread_mutex_lock(&ledger->orders.lock);
  uint64_t generation = ledger->orders.generation;
  pthread_mutex_unlock(&ledger->orders.lock);
  return generation;
}

bool ledger_orders_get(struct ledger *ledger, const char *name, struct order *ret_order)
{
  struct order *slot = slot_of(ledger, name);
  pthread_mutex_lock(&ledger->orders.lock);
  bool found = strcmp(slot->name, name) == 0;
  if (found)
    *ret_order = *slot;
  pthread_mutex_unlock(&ledger->orders.lock);
  return found;
}

void ledger_orders_put(struct ledger *ledger, uint64_t generation, const struct order *order)
{
  pthread_mutex_lock(&ledger->orders.lock);
  if (ledger->orders.generation == generation)
    *slot_of(ledger, order->name) = *order;
  pthread_mutex_unlock(&ledger->orders.lock);
}

void ledger_orders_counted(struct ledger *ledger, const struct ledger_order_uses *uses)
{
  if (uses->n == 0)
    return;
  pthread_mutex_lock(&ledger->orders.lock);
  ledger->orders.generation++;
  for (size_t i = 0; i < uses->n; i++)
    *slot_of(ledger, uses->of[i].order.name) = uses->of[i].order;
  pthread_mutex_unlock(&ledger->orders.lock);
}

void ledger_orders_forget(struct ledger *ledger)
{
  pthread_mutex_lock(&ledger->orders.lock);
  ledger->orders.generation++;
  for (size_t i = 0; i < ORDER_SLOTS; i++)
    ledger->orders.slots[i].name[0] = '\0';
  pthread_mutex_unlock(&ledger->orders.lock);
}
