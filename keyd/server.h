/* server.h - a pool of threads around one epoll: whole frames in, whole frames out.
 *
 * A connection is watched for one event at a time, so that one thread has it; a frame must arrive
 * within some seconds once it has begun. The threads are made before the sandbox is entered and
 * touch nothing of a peer's before server_run(). */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "keyd/keys.h"
#include "keyd/sockets.h"
#include "lib/base/fault.h"

struct server;

struct server_setup {
  const struct keys *keys;  /* borrowed; their state is brought to the disk from time to time */
  int listener;             /* taken over; -1: none, and the server ends with its last connection */
  struct sockets connected; /* taken over */
  uid_t allow_user;         /* besides root and our own */
  unsigned threads;
};

/* Makes the threads; they wait. SIGTERM, SIGINT and SIGHUP are blocked from now on, and end the
 * server. */
bool server_new(const struct server_setup *setup, struct server **ret_server, struct fault *f);
/* Serves; returns when a signal or the end of the last connection ended it. Each request that has
 * arrived by then is answered. */
void server_run(struct server *server);
void server_free(struct server *server);
