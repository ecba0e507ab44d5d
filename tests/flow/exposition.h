/* exposition.h - Prometheus's text format (0.0.4), read strictly: what any reader of it may dislike
 * fails the test. */
#pragma once
#include "lib/base/buf.h"

/* Reads all of it and asserts: each line well formed; HELP and TYPE once and before the samples of
 * their family, which stand together; a counter's name ends in _total; no sample twice; a value is
 * a number, and no counter's is negative; buckets of a histogram grow and end in +Inf, which is its
 * count. */
void exposition_check(const char *text);
/* The value of the sample that begins so: "mintmark_jobs" or "x_total{a=\"b\"}", whole; fails when
 * it is not there. */
double exposition_value(const char *text, const char *sample);
bool exposition_has_sample(const char *text, const char *sample);
