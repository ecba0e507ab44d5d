/* clock_watch.c - see clock_watch.h. */
#include "daemon/clock_watch.h"

enum { JUMP_MS = 10 * 1000 };

void clock_watch_start(struct clock_watch *watch, int64_t now_ms, int64_t monotonic_ms)
{
  *watch = (struct clock_watch){.ahead_ms = now_ms - monotonic_ms};
}

bool clock_watch_look(struct clock_watch *watch, int64_t now_ms, int64_t monotonic_ms,
                      int64_t *ret_by_s)
{
  int64_t ahead_ms = now_ms - monotonic_ms, by_ms = ahead_ms - watch->ahead_ms;
  bool jumped = by_ms >= JUMP_MS || by_ms <= -JUMP_MS;
  watch->ahead_ms = ahead_ms;
  if (jumped)
    *ret_by_s = by_ms / 1000;
  return jumped;
}
