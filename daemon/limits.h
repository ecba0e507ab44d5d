/* limits.h - so many requests and no more: token buckets for each principal and each source
 * address.
 *
 * The tables have a fixed size: whoever comes from many addresses makes no table grow. When a place
 * is needed, the bucket that is fullest (has been used least of late) goes. An IPv6 address counts
 * with its whole /64, which is what one subscriber has. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fault.h"
#include "lib/ca/conf.h"

struct limits;

enum limit { LIMIT_PRINCIPAL, LIMIT_ADDRESS, LIMIT_FAILED, LIMIT_COUNT };

bool limits_new(const struct conf *conf, struct limits **ret_limits, struct fault *f);
/* From now on these rates; what was used stays used. */
void limits_reload(struct limits *limits, const struct conf *conf);
void limits_free(struct limits *limits);

/* Takes one from the bucket of this key (a principal's name, an address as text). A bucket holds
 * what the rate gives in its unit of time, and is full at first. TOO_MANY_REQUESTS with
 * *ret_wait_s, at least 1: then there is one again. NULL for `limits`: none. */
bool limits_take(struct limits *limits, enum limit limit, const char *key, int64_t now_ms,
                 unsigned *ret_wait_s, struct fault *f);
/* Would limits_take() be true now? Takes nothing. */
bool limits_look(struct limits *limits, enum limit limit, const char *key, int64_t now_ms,
                 unsigned *ret_wait_s, struct fault *f);
