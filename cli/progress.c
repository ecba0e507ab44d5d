/* progress.c - see progress.h. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/screen.h"
#include "lib/base/when.h"

enum { FIRST_MS = 500, EVERY_MS = 100, BAR_MAX = 40, BAR_LEAST = 5, BESIDE = 60 };

struct progress progress_begin(const char *what, const char *unit, int64_t total)
{
  return (struct progress){
      .what = what, .unit = unit, .total = total, .begun_ms = when_monotonic_ms()};
}

static size_t bar_width(void)
{
  size_t width = screen_width(stderr);
  if (width < BESIDE + BAR_LEAST)
    return 0;
  return width - BESIDE < BAR_MAX ? width - BESIDE : BAR_MAX;
}

static void draw(const struct progress *progress, double part, int64_t units, int64_t taken_ms)
{
  static const char full[] = "########################################";
  static const char empty[] = "........................................";
  size_t width = bar_width(), filled = (size_t)(part * (double)width);
  double left_s = part > 0 ? (1 - part) / part * (double)taken_ms / 1000 : 0;
  fprintf(stderr, "\r%s ", progress->what);
  if (width > 0)
    fprintf(stderr, "[%.*s%.*s] ", (int)filled, full, (int)(width - filled), empty);
  fprintf(stderr, "%3.0f %%  %lld %s, %lld a second, %.0f s left\033[K", part * 100,
          (long long)units, progress->unit, (long long)(units * 1000 / taken_ms), left_s);
  fflush(stderr);
}

void progress_show(struct progress *progress, int64_t done, int64_t units)
{
  int64_t now_ms = when_monotonic_ms(), taken_ms = now_ms - progress->begun_ms;
  if (taken_ms < FIRST_MS || now_ms - progress->shown_ms < EVERY_MS || !isatty(STDERR_FILENO))
    return;
  progress->shown_ms = now_ms;
  progress->shown = true;
  double part = progress->total > 0 ? (double)done / (double)progress->total : 1;
  draw(progress, part > 1 ? 1 : part, units, taken_ms);
}

void progress_end(struct progress *progress)
{
  if (progress->shown)
    fputs("\r\033[K", stderr);
  progress->shown = false;
}
