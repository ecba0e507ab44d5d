/* clock_watch.h - notices that the calendar's clock was set, or that the machine slept: waits go by
 * a clock that does neither, and would end too late. Threads: one at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct clock_watch {
  int64_t ahead_ms; /* the calendar's clock of the monotonic one, at the last look */
};

void clock_watch_start(struct clock_watch *watch, int64_t now_ms, int64_t monotonic_ms);
/* True when the calendar's clock has jumped since the last look, by ten seconds or more; drift, and
 * what corrects it bit by bit, is none. *ret_by_s is negative when it was set back. */
bool clock_watch_look(struct clock_watch *watch, int64_t now_ms, int64_t monotonic_ms,
                      int64_t *ret_by_s);
