/* progress.h - how far a long piece of work is: a bar on standard error, when that is a terminal.
 * Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct progress {
  const char *what; /* "importing"; borrowed */
  const char *unit; /* "rows"; borrowed */
  int64_t total;    /* octets, say; what is done is counted in them, too */
  int64_t begun_ms, shown_ms;
  bool shown;
};

struct progress progress_begin(const char *what, const char *unit, int64_t total);
/* Draws it anew when that is due. `units` are what is told: how many, how many a second. */
void progress_show(struct progress *progress, int64_t done, int64_t units);
/* Takes the bar away. */
void progress_end(struct progress *progress);
