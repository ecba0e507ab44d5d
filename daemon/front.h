/* front.h - HTTP/1.1 over TLS, or plain for what is public: sockets, requests, deadlines, replies.
 * The only part that knows libmicrohttpd.
 *
 * Each request is held against the strict checks, its route, its principal and the limits before a
 * single octet of its body is taken. Each leaves one line in the log. A process may have several
 * fronts. */
#pragma once
#include <stdbool.h>

#include "daemon/route.h"
#include "daemon/service.h"
#include "lib/base/fault.h"

struct front;

struct front_options {
  int listen_fd;                 /* bound and listening; stays the caller's */
  const struct service *service; /* outlives the front */
  const struct route *routes;    /* likewise */
  size_t n_routes;
  bool plain; /* no TLS: only rows that are PUBLIC are there, and nobody's secret is looked at */
  unsigned threads, connections, connections_per_address;
  unsigned request_seconds; /* from the first octet of a request to its last; likewise a reply */
  unsigned idle_seconds;    /* a connection on which nothing moves */
  const char *client_authorities; /* PEM: each client is asked for a certificate, and told that one
                                     of theirs would do; outlives the front. NULL: none is asked */
};

/* Begins to answer. The TLS identity must have been loaded, unless it is plain. One thread calls
 * all of these. */
bool front_start(const struct front_options *options, struct front **ret_front, struct fault *f);
/* For connections from now on. */
void front_set_seconds(struct front *front, unsigned request_seconds, unsigned idle_seconds);

/* The end, in this order. */
/* Accepts no more connections; each reply from now on is its connection's last. */
void front_quiesce(struct front *front);
/* Waits until no request is under way: its reply was sent. False when time ran out. */
bool front_wait(struct front *front, unsigned timeout_ms);
/* From now on requests get STOPPING; when this returns no handler is running any more. */
void front_close_doors(struct front *front);
/* Ends all connections and threads. Every deferred exchange MUST have been finished. */
void front_stop(struct front *front);
