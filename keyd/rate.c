/* rate.c - see rate.h. */
#include "keyd/rate.h"

#include <string.h>

void rate_init(struct rate *rate, uint64_t limit)
{
  *rate = (struct rate){.limit = limit};
  pthread_mutex_init(&rate->lock, NULL);
}

/* Empties the minutes that went out of the window. */
static void move_window(struct rate *rate, int64_t minute)
{
  if (minute - rate->minute >= RATE_MINUTES) {
    memset(rate->counts, 0, sizeof rate->counts);
    rate->sum = 0;
    rate->minute = minute;
  }
  while (rate->minute < minute) {
    uint64_t *oldest = &rate->counts[++rate->minute % RATE_MINUTES];
    rate->sum -= *oldest;
    *oldest = 0;
  }
}

bool rate_take(struct rate *rate, int64_t now_ms)
{
  if (rate->limit == 0)
    return true;
  pthread_mutex_lock(&rate->lock);
  move_window(rate, now_ms / 60000);
  bool ok = rate->sum < rate->limit;
  if (ok) {
    /* A thread whose clock reading is older than the newest counts as the newest. */
    rate->counts[rate->minute % RATE_MINUTES]++;
    rate->sum++;
  }
  pthread_mutex_unlock(&rate->lock);
  return ok;
}

bool rate_has_room(struct rate *rate, int64_t now_ms)
{
  if (rate->limit == 0)
    return true;
  pthread_mutex_lock(&rate->lock);
  move_window(rate, now_ms / 60000);
  bool has_room = rate->sum < rate->limit;
  pthread_mutex_unlock(&rate->lock);
  return has_room;
}

void rate_free(struct rate *rate)
{
  pthread_mutex_destroy(&rate->lock);
}
