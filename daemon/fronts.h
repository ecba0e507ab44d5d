/* fronts.h - the fronts of one daemon: TLS for everything, and plain HTTP for what is public, where
 * there is a listener for it. Threads: one calls all of these. */
#pragma once
#include <stdbool.h>

#include "daemon/listen.h"
#include "daemon/service.h"
#include "lib/base/fault.h"
#include "lib/ca/conf.h"

struct fronts;

/* Begins to answer with the daemon's own table of routes. Borrows the service, the sockets and
 * client_authorities (see front.h). */
bool fronts_start(const struct conf *conf, const struct listeners *listeners,
                  const struct service *service, const char *client_authorities,
                  struct fronts **ret_fronts, struct fault *f);
/* As front.h has them, for each; the time to wait is that of all together. */
void fronts_set_seconds(struct fronts *fronts, unsigned request_seconds, unsigned idle_seconds);
void fronts_quiesce(struct fronts *fronts);
bool fronts_wait(struct fronts *fronts, unsigned timeout_ms);
void fronts_close_doors(struct fronts *fronts);
void fronts_stop(struct fronts *fronts); /* accepts NULL */
