/* progress.c - see progress.h. */
#include "tests/bench/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "lib/base/when.h"

enum { WIDTH = 30, EVERY_MS = 100 };

struct progress progress_start(const char *what, uint64_t total)
{
  return (struct progress){.what = what, .total = total, .started_ms = when_monotonic_ms()};
}

void progress_show(struct progress *p, uint64_t done)
{
  static const char full[] = "##############################",
                    empty[] = "..............................";
  int64_t now_ms = when_monotonic_ms();
  if (!isatty(STDERR_FILENO) || (now_ms - p->shown_ms < EVERY_MS && done < p->total))
    return;
  p->shown_ms = now_ms;
  int filled = p->total == 0 ? WIDTH : (int)(done * WIDTH / p->total);
  double seconds = (double)(now_ms - p->started_ms + 1) / 1000, rate = (double)done / seconds;
  fprintf(stderr, "\r%s [%.*s%.*s] %llu of %llu, %.0f/s, %.0f s left \033[K", p->what, filled, full,
          WIDTH - filled, empty, (unsigned long long)done, (unsigned long long)p->total, rate,
          rate > 0 ? (double)(p->total - done) / rate : 0);
}

void progress_end(struct progress *p)
{
  (void)p;
  if (isatty(STDERR_FILENO))
    fputs("\r\033[K", stderr);
}
