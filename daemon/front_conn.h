/* front_conn.h - the connections: who is at the other end, and until when it may keep us waiting.
 *
 * libmicrohttpd counts idle time only: one octet a second lives for ever. So a thread of ours looks
 * at absolute deadlines and shuts the sockets down whose time is up; libmicrohttpd then sees their
 * end. The same thread lingers on sockets that were closed while the peer was still sending: to
 * close such a one at once would reset it, and the answer would be lost. Threads: any. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fault.h"
#include "lib/base/ip.h"

struct conn {
  int fd; /* borrowed, until conns_remove */
  char source[IP_TEXT_SIZE];
  _Atomic int64_t deadline_ms; /* monotonic; 0: none */
  atomic_bool cut;             /* its socket is to be shut down, whatever the deadline */
  atomic_bool timed_out;       /* its socket was shut down at the deadline */
  atomic_bool linger;          /* the peer may still be sending when we close */
  struct peer *peer;           /* owned; the client certificate, once it was looked at; or NULL */
  struct incoming *incoming;   /* owned; memory for its requests, of the front's; or NULL */
  struct conn *prev, *next;
};

struct conns;
struct incoming;
struct peer;
struct sockaddr;

bool conns_start(struct conns **ret_conns, struct fault *f);
/* NULL when memory is short. */
struct conn *conns_add(struct conns *conns, int fd, const struct sockaddr *address,
                       int64_t deadline_ms);
/* Before the socket is closed. Frees; accepts NULL. */
void conns_remove(struct conns *conns, struct conn *conn);
void conns_stop(struct conns *conns);
