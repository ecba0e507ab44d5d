/* progress.h - a bar on the terminal while something takes long; nothing elsewhere. Threads: one.
 */
#pragma once
#include <stdint.h>

struct progress {
  const char *what;
  uint64_t total;
  int64_t started_ms, shown_ms;
};

struct progress progress_start(const char *what, uint64_t total);
/* Shows it ten times a second at the most. */
void progress_show(struct progress *progress, uint64_t done);
void progress_end(struct progress *progress);
