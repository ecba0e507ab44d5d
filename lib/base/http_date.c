/* http_date.c - see http_date.h. */
#include "lib/base/http_date.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/when.h"

static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* 1970-01-01 was a Thursday. */
static const char *day_name(int64_t instant)
{
  int64_t day = instant / 86400 - (instant % 86400 < 0 ? 1 : 0);
  return days[(day % 7 + 7) % 7];
}

void http_date_text(char out[HTTP_DATE_SIZE], int64_t instant)
{
  struct when_civil c = when_to_civil(instant);
  char text[96];
  snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", day_name(instant), c.day,
           months[c.month - 1], c.year, c.hour, c.minute, c.second);
  memcpy(out, text, HTTP_DATE_SIZE - 1);
  out[HTTP_DATE_SIZE - 1] = '\0';
}

static int month_of(const char *name)
{
  for (int i = 0; i < 12; i++)
    if (strcmp(months[i], name) == 0)
      return i + 1;
  return 0;
}

bool http_date_read(const char *text, int64_t *ret_instant)
{
  struct when_civil c = {0};
  char month[4] = "", again[HTTP_DATE_SIZE];
  int64_t instant;
  if (strlen(text) != HTTP_DATE_SIZE - 1 ||
      sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d", &c.day, month, &c.year, &c.hour, &c.minute,
             &c.second) != 6)
    return false;
  c.month = month_of(month);
  if (c.month == 0 || !when_from_civil(&c, &instant))
    return false;
  /* One form for each instant: the day of the week, the zeros and the blanks are looked at here. */
  http_date_text(again, instant);
  if (strcmp(again, text) != 0)
    return false;
  *ret_instant = instant;
  return true;
}
