/* pace.h - when to ask for the next certificate: not all devices at once, and not again and again
 * while there is no answer. Pure. Threads: any. */
#pragma once
#include <stdint.h>

/* A fraction is of 2^32: random, and one's own. */

/* Seconds since 1970: when two thirds of the lifetime are over, and up to a twentieth more (a day
 * at the most). */
int64_t pace_due_at(int64_t not_before, int64_t not_after, uint32_t fraction);
/* Seconds to wait after so many failures in a row, from 1: from a minute on, twice as long each
 * time, up to an hour; from three quarters of that to all of it. */
int64_t pace_back_off(unsigned failures, uint32_t fraction);
/* Seconds to wait after the daemon said that it is too early, while so many are left: up to an
 * eighth of them, a minute to twelve hours. */
int64_t pace_too_early(int64_t left_s, uint32_t fraction);
