/* metrics_text.h - Prometheus's text format, version 0.0.4: a family of samples after the other.
 * Threads: any; each buffer is one thread's. */
#pragma once
#include "lib/base/buf.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_label {
  const char *name, *value; /* the value is any UTF-8 */
};

/* "# HELP" and "# TYPE". The samples of a family follow on it at once, and on none other. */
void metrics_add_family(struct buf *out, const char *name, const char *type, const char *help);
/* name{labels} value; `suffix` is "_sum" or the like, or "". */
void metrics_add_sample(struct buf *out, const char *name, const char *suffix,
                        const struct metrics_label *labels, size_t n, double value);
