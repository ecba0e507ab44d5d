/* metrics.c - see metrics.h. */
#include "daemon/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/when.h"

const double metrics_bounds[SECONDS_BUCKETS - 1] = {0.001, 0.005, 0.025, 0.1, 0.5, 2.5};

struct counters {
  atomic_uint_fast64_t by_status[STATUS_CLASSES], by_seconds[SECONDS_BUCKETS], sum_us;
};

struct metrics {
  const struct route *routes;
  size_t n;
  int64_t started_at;
  atomic_uint_fast64_t connections[LISTENER_COUNT];
  struct counters counters[]; /* one more than there are routes */
};

/* Nothing else hangs on these numbers: the order in which others see them does not matter. */
static void add(atomic_uint_fast64_t *counter, uint64_t n)
{
  atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *counter)
{
  return atomic_load_explicit(counter, memory_order_relaxed);
}

bool metrics_new(const struct route *table, size_t n, struct metrics **ret_metrics, struct fault *f)
{
  struct metrics *metrics = calloc(1, sizeof *metrics + (n + 1) * sizeof metrics->counters[0]);
  if (metrics == NULL)
    return fault_no_memory(f);
  metrics->routes = table;
  metrics->n = n;
  metrics->started_at = when_now();
  *ret_metrics = metrics;
  return true;
}

void metrics_free(struct metrics *metrics)
{
  free(metrics);
}

static size_t bucket_of(int64_t took_us)
{
  size_t i = 0;
  while (i < SECONDS_BUCKETS - 1 && (double)took_us > metrics_bounds[i] * 1e6)
    i++;
  return i;
}

void metrics_count_request(struct metrics *metrics, const struct route *route, unsigned status,
                           int64_t took_us)
{
  if (metrics == NULL)
    return;
  size_t row = route != NULL ? (size_t)(route - metrics->routes) : metrics->n;
  size_t class = status / 100 < STATUS_CLASSES ? status / 100 : 0;
  if (took_us < 0)
    took_us = 0;
  add(&metrics->counters[row].by_status[class], 1);
  add(&metrics->counters[row].by_seconds[bucket_of(took_us)], 1);
  add(&metrics->counters[row].sum_us, (uint64_t)took_us);
}

void metrics_count_connection(struct metrics *metrics, enum metrics_listener listener, bool opened)
{
  if (metrics != NULL)
    add(&metrics->connections[listener], opened ? 1 : UINT64_MAX);
}

size_t metrics_n(const struct metrics *metrics)
{
  return metrics->n + 1;
}

const struct route *metrics_route(const struct metrics *metrics, size_t i)
{
  return i < metrics->n ? &metrics->routes[i] : NULL;
}

void metrics_figures(const struct metrics *metrics, size_t i, struct route_figures *ret_figures)
{
  const struct counters *counters = &metrics->counters[i];
  for (size_t k = 0; k < STATUS_CLASSES; k++)
    ret_figures->by_status[k] = get(&counters->by_status[k]);
  for (size_t k = 0; k < SECONDS_BUCKETS; k++)
    ret_figures->by_seconds[k] = get(&counters->by_seconds[k]);
  ret_figures->sum_us = get(&counters->sum_us);
}

uint64_t metrics_connections(const struct metrics *metrics, enum metrics_listener listener)
{
  return get(&metrics->connections[listener]);
}

int64_t metrics_started_at(const struct metrics *metrics)
{
  return metrics->started_at;
}
