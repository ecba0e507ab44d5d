/* histogram.h - how often which latency was seen, to within 3.2%, in little memory.
 * Threads: one for each histogram. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { HISTOGRAM_CELLS = 64 * 40 };

/* All zero is an empty one. */
struct histogram {
  uint64_t cells[HISTOGRAM_CELLS];
  uint64_t n, max_ns;
};

void histogram_add(struct histogram *h, uint64_t ns);
void histogram_merge(struct histogram *to, const struct histogram *from);
/* The latency that this part of all (0 to 1) did not exceed; 0 for an empty histogram. */
uint64_t histogram_quantile(const struct histogram *h, double part);
/* How many were at least `from` and below `to`, on the histogram's own scale. */
uint64_t histogram_count(const struct histogram *h, uint64_t from_ns, uint64_t to_ns);
