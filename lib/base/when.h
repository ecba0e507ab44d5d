/* when.h - instants and durations. An instant is an int64_t of seconds (or _ms: milliseconds) since
 * 1970-01-01T00:00:00Z; the years 0001 to 9999. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"

/* 9999-12-31T23:59:59Z: "no well-defined expiration date" (RFC 5280, 4.1.2.5). */
#define WHEN_NEVER INT64_C(253402300799)

struct when_civil {
  int year, month, day, hour, minute, second; /* UTC */
};

/* Proleptic Gregorian calendar, no leap seconds (as POSIX). */
struct when_civil when_to_civil(int64_t instant);
/* False for a day that does not exist. */
bool when_from_civil(const struct when_civil *civil, int64_t *ret_instant);

enum { WHEN_TEXT_SIZE = 21 };
/* "2026-11-23T08:00:00Z" and a NUL. */
void when_text(char out[WHEN_TEXT_SIZE], int64_t instant);
/* RFC 3339: "2026-11-23T08:00:00Z", with an optional fraction (dropped) and an offset. */
bool when_read(struct bytes text, int64_t *ret_instant);

/* "825d", "12h", "30m", "45s", "2w": a number with its unit; at most 10,000 years. */
bool when_read_duration(struct bytes text, int64_t *ret_seconds);

/* The clock. */
int64_t when_now(void);
int64_t when_now_ms(void);
/* A clock that only goes forward, for deadlines and for measuring. */
int64_t when_monotonic_ms(void);
int64_t when_monotonic_us(void);
