/* histogram.c - see histogram.h. Below 64 each value has its cell; above, each doubling is divided
 * into 32. */
#include "tests/bench/histogram.h"

enum { PER_DOUBLING = 32, EXACT = 64 };

static size_t cell_of(uint64_t ns)
{
  if (ns < EXACT)
    return (size_t)ns;
  unsigned doubling = 58u - (unsigned)__builtin_clzll(ns); /* 0 for 32 to 63, 1 for 64 to 127 */
  size_t cell = (size_t)doubling * PER_DOUBLING + (size_t)(ns >> doubling);
  return cell < HISTOGRAM_CELLS ? cell : HISTOGRAM_CELLS - 1;
}

/* The first value that is above the cell. */
static uint64_t end_of(size_t cell)
{
  if (cell < EXACT)
    return cell + 1;
  unsigned doubling = (unsigned)(cell / PER_DOUBLING - 1);
  return (uint64_t)(cell - (size_t)doubling * PER_DOUBLING + 1) << doubling;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
  h->cells[cell_of(ns)]++;
  h->n++;
  if (ns > h->max_ns)
    h->max_ns = ns;
}

void histogram_merge(struct histogram *to, const struct histogram *from)
{
  for (size_t i = 0; i < HISTOGRAM_CELLS; i++)
    to->cells[i] += from->cells[i];
  to->n += from->n;
  if (from->max_ns > to->max_ns)
    to->max_ns = from->max_ns;
}

uint64_t histogram_quantile(const struct histogram *h, double part)
{
  uint64_t seen = 0, want = (uint64_t)(part * (double)h->n);
  for (size_t i = 0; i < HISTOGRAM_CELLS && h->n > 0; i++) {
    seen += h->cells[i];
    if (seen > want || seen == h->n)
      return end_of(i) < h->max_ns ? end_of(i) : h->max_ns;
  }
  return h->max_ns;
}

uint64_t histogram_count(const struct histogram *h, uint64_t from_ns, uint64_t to_ns)
{
  uint64_t sum = 0;
  for (size_t i = cell_of(from_ns); i < cell_of(to_ns); i++)
    sum += h->cells[i];
  return sum;
}
