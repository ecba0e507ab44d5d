/* metrics.h - what the fronts count: requests by route, how they ended and how long they took, and
 * open connections. Since the start; whoever reads them sees a moment of each number, not one of
 * all together. Threads: any, without a lock. */
#pragma once
#include "daemon/route.h"

struct metrics;

/* How a reply's status begins; 0: no reply was sent. */
enum { STATUS_CLASSES = 6, SECONDS_BUCKETS = 7 };
enum metrics_listener { LISTENER_TLS, LISTENER_PLAIN, LISTENER_COUNT };

/* Upper bounds of the buckets but the last, which has none; in seconds. */
extern const double metrics_bounds[SECONDS_BUCKETS - 1];

struct route_figures {
  uint64_t by_status[STATUS_CLASSES];
  uint64_t by_seconds[SECONDS_BUCKETS]; /* each request in one */
  uint64_t sum_us;
};

/* The table outlives the object. */
bool metrics_new(const struct route *routes, size_t n, struct metrics **ret_metrics,
                 struct fault *f);
void metrics_free(struct metrics *metrics); /* accepts NULL */

/* For these, NULL does nothing. `route` is a row of the table; NULL: none was found. */
void metrics_count_request(struct metrics *metrics, const struct route *route, unsigned status,
                           int64_t took_us);
void metrics_count_connection(struct metrics *metrics, enum metrics_listener listener, bool opened);

/* The rows are counted from 0; the one behind the last stands for what was none, and has NULL. */
size_t metrics_n(const struct metrics *metrics);
const struct route *metrics_route(const struct metrics *metrics, size_t i);
void metrics_figures(const struct metrics *metrics, size_t i, struct route_figures *ret_figures);
uint64_t metrics_connections(const struct metrics *metrics, enum metrics_listener listener);
int64_t metrics_started_at(const struct metrics *metrics); /* when the object was made */
