/* pace.c - see pace.h. */
#include "cli/pace.h"

#include "lib/pki/cert.h"

enum { MINUTE_S = 60, HOUR_S = 3600, DAY_S = 86400 };

static int64_t part_of(int64_t seconds, uint32_t fraction)
{
  return (int64_t)((double)seconds * ((double)fraction / 4294967296.0));
}

static int64_t within(int64_t seconds, int64_t least, int64_t most)
{
  return seconds < least ? least : seconds > most ? most : seconds;
}

int64_t pace_due_at(int64_t not_before, int64_t not_after, uint32_t fraction)
{
  int64_t spread = within((not_after - not_before) / 20, 0, DAY_S);
  return cert_due_at(not_before, not_after) + part_of(spread, fraction);
}

int64_t pace_back_off(unsigned failures, uint32_t fraction)
{
  int64_t longest = failures > 6 ? HOUR_S : within(INT64_C(60) << (failures - 1), 0, HOUR_S);
  return longest - part_of(longest / 4, fraction);
}

int64_t pace_too_early(int64_t left_s, uint32_t fraction)
{
  int64_t longest = within(left_s / 8, MINUTE_S, (int64_t)12 * HOUR_S);
  return longest - part_of(longest / 4, fraction);
}
