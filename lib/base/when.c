/* when.c - see when.h. */
#include "lib/base/when.h"

#include <stdio.h>
#include <time.h>

#include "lib/base/text.h"

enum { DAY_S = 86400 };
#define WHEN_FIRST INT64_C(-62135596800) /* 0001-01-01T00:00:00Z */

/* Days since 1970-01-01, counting years from March so that the leap day comes last. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
  year -= month <= 2;
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

struct when_civil when_to_civil(int64_t instant)
{
  int64_t days = instant / DAY_S, rest = instant % DAY_S;
  if (rest < 0) {
    rest += DAY_S;
    days--;
  }
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t doe = days - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  int month = (int)(mp < 10 ? mp + 3 : mp - 9);
  return (struct when_civil){
      .year = (int)(yoe + era * 400 + (month <= 2)),
      .month = month,
      .day = (int)(doy - (153 * mp + 2) / 5 + 1),
      .hour = (int)(rest / 3600),
      .minute = (int)(rest / 60 % 60),
      .second = (int)(rest % 60),
  };
}

static bool is_leap(int year)
{
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && is_leap(year));
}

bool when_from_civil(const struct when_civil *c, int64_t *ret_instant)
{
  if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12)
    return false;
  if (c->day < 1 || c->day > days_in_month(c->year, c->month))
    return false;
  if (c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 || c->second < 0 ||
      c->second > 59)
    return false;
  *ret_instant = days_from_civil(c->year, c->month, c->day) * DAY_S + c->hour * 3600 +
                 c->minute * 60 + c->second;
  return true;
}

/* Digits, and the character behind them; returns where the text goes on. */
static char *put_number(char *to, int number, int digits, char behind)
{
  for (int i = digits; i > 0; i--, number /= 10)
    to[i - 1] = (char)('0' + number % 10);
  to[digits] = behind;
  return to + digits + 1;
}

/* By hand: several are in each answer and each line of log, and printf takes its time. */
void when_text(char out[WHEN_TEXT_SIZE], int64_t instant)
{
  struct when_civil c = when_to_civil(instant);
  char *at = put_number(out, c.year, 4, '-');
  at = put_number(at, c.month, 2, '-');
  at = put_number(at, c.day, 2, 'T');
  at = put_number(at, c.hour, 2, ':');
  at = put_number(at, c.minute, 2, ':');
  at = put_number(at, c.second, 2, 'Z');
  *at = '\0';
}

/* Takes exactly `n` digits. */
static bool take_digits(struct bytes *text, int n, int *ret_number)
{
  int number = 0;
  if (text->len < (size_t)n)
    return false;
  for (int i = 0; i < n; i++) {
    uint8_t c = text->data[i];
    if (c < '0' || c > '9')
      return false;
    number = number * 10 + (c - '0');
  }
  *text = bytes_of(text->data + n, text->len - (size_t)n);
  *ret_number = number;
  return true;
}

static bool take_char(struct bytes *text, const char *one_of)
{
  if (text->len == 0 || text->data[0] == '\0' || strchr(one_of, text->data[0]) == NULL)
    return false;
  *text = bytes_of(text->data + 1, text->len - 1);
  return true;
}

/* "Z", "+02:00" or "-02:00". */
static bool take_offset(struct bytes *text, int64_t *ret_seconds)
{
  int hours, minutes;
  *ret_seconds = 0;
  if (take_char(text, "Zz"))
    return true;
  bool west = text->len > 0 && text->data[0] == '-';
  if (!take_char(text, "+-") || !take_digits(text, 2, &hours) || !take_char(text, ":") ||
      !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
    return false;
  *ret_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
  return true;
}

bool when_read(struct bytes text, int64_t *ret_instant)
{
  struct when_civil c;
  int64_t instant, offset;
  int digit;
  if (!take_digits(&text, 4, &c.year) || !take_char(&text, "-") ||
      !take_digits(&text, 2, &c.month) || !take_char(&text, "-") ||
      !take_digits(&text, 2, &c.day) || !take_char(&text, "Tt ") ||
      !take_digits(&text, 2, &c.hour) || !take_char(&text, ":") ||
      !take_digits(&text, 2, &c.minute) || !take_char(&text, ":") ||
      !take_digits(&text, 2, &c.second))
    return false;
  if (take_char(&text, ".")) {
    if (!take_digits(&text, 1, &digit))
      return false;
    while (take_digits(&text, 1, &digit))
      ;
  }
  if (!take_offset(&text, &offset) || text.len != 0 || !when_from_civil(&c, &instant))
    return false;
  instant -= offset; /* which may lead out of the years that have four digits */
  if (instant < WHEN_FIRST || instant > WHEN_NEVER)
    return false;
  *ret_instant = instant;
  return true;
}

bool when_read_duration(struct bytes text, int64_t *ret_seconds)
{
  static const struct {
    char unit;
    uint64_t seconds;
  } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', 7 * DAY_S}};
  const uint64_t max = UINT64_C(10000) * 366 * DAY_S;
  uint64_t number;
  if (text.len < 2 || !text_to_u64(bytes_of(text.data, text.len - 1), max, &number))
    return false;
  for (size_t i = 0; i < ARRAY_LEN(units); i++)
    if (text.data[text.len - 1] == (uint8_t)units[i].unit && number <= max / units[i].seconds) {
      *ret_seconds = (int64_t)(number * units[i].seconds);
      return true;
    }
  return false;
}

static int64_t clock_ms(clockid_t clock)
{
  struct timespec t;
  clock_gettime(clock, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t when_now(void)
{
  return clock_ms(CLOCK_REALTIME) / 1000;
}

int64_t when_now_ms(void)
{
  return clock_ms(CLOCK_REALTIME);
}

int64_t when_monotonic_ms(void)
{
  return clock_ms(CLOCK_MONOTONIC);
}

int64_t when_monotonic_us(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}
