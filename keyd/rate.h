/* rate.h - no more than so many signatures in any hour.
 * Counts by the minute over the last hour and the minute that has begun, so that the bound holds
 * for every hour, wherever it starts. Threads: any. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { RATE_MINUTES = 61 };

struct rate {
  pthread_mutex_t lock;
  uint64_t limit; /* 0: none */
  int64_t minute; /* the newest that is counted */
  uint64_t counts[RATE_MINUTES], sum;
};

void rate_init(struct rate *rate, uint64_t limit);
/* Counts one, at now_ms on when_monotonic_ms(); false when the hour is used up. */
bool rate_take(struct rate *rate, int64_t now_ms);
/* Is there any left? Counts nothing. */
bool rate_has_room(struct rate *rate, int64_t now_ms);
void rate_free(struct rate *rate);
