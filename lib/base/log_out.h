/* log_out.h - where lines of log go: to a descriptor, one by one or gathered. For log.c. Threads:
 * any. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* What was gathered goes where it was to go before. */
void log_out_to(int fd);
/* One line with its end. In the order of the calls; `now`: with all that waits before it. */
void log_out_line(struct bytes line, bool now);

/* See log.h. */
bool log_out_gather(struct fault *f);
void log_out_gather_end(void);
void log_out_save(void);
