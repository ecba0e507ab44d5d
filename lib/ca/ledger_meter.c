/* ledger_meter.c - see ledger_meter.h. */
#include "lib/ca/ledger_meter.h"

#include "lib/ca/ledger_private.h"

void ledger_meter_event(struct ledger_batch *batch, const struct event *event)
{
  batch->n_events[event->kind] += event->count > 1 ? (uint64_t)event->count : 1;
}

void ledger_meter_commit(struct ledger_batch *batch)
{
  struct ledger_counters *counters = &batch->ledger->counters;
  atomic_fetch_add_explicit(&counters->commits, 1, memory_order_relaxed);
  atomic_store_explicit(&counters->certificates, batch->last_id, memory_order_relaxed);
  for (size_t i = 0; i < EVENT_KIND_COUNT; i++)
    if (batch->n_events[i] > 0)
      atomic_fetch_add_explicit(&counters->events[i], batch->n_events[i], memory_order_relaxed);
}

void ledger_meter_read(const struct ledger *ledger, struct ledger_meter *ret_meter)
{
  const struct ledger_counters *counters = &ledger->counters;
  ret_meter->commits = atomic_load_explicit(&counters->commits, memory_order_relaxed);
  ret_meter->certificates = atomic_load_explicit(&counters->certificates, memory_order_relaxed);
  for (size_t i = 0; i < EVENT_KIND_COUNT; i++)
    ret_meter->events[i] = atomic_load_explicit(&counters->events[i], memory_order_relaxed);
}
