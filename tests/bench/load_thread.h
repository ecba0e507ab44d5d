/* load_thread.h - one thread of a run and its connections. For load*.c alone. */
#pragma once
#include <pthread.h>

#include "tests/bench/load.h"
#include "tests/bench/reply.h"

/* How long answers are waited for. */
enum { DRAIN_MS = 10000 };

enum connection_state { CLOSED, CONNECTING, IDLE, SENDING, RECEIVING };

struct connection {
  struct load_thread *thread;
  enum connection_state state;
  int fd;
  uint32_t events; /* what epoll watches for */
  SSL *tls;
  struct bytes request; /* what is left to be sent */
  int64_t due_ns;       /* from here its latency counts */
  struct connection *next_idle;
  struct reply reply;
};

struct load_thread {
  struct load *load;
  size_t index; /* among the threads */
  pthread_t thread;
  int epoll;
  struct connection *connections;
  size_t n, n_busy;
  struct connection *idle; /* those that have nothing to do */
  int64_t n_due;           /* at a fixed rate: how many were taken up so far */
  struct tally tally;
};

/* --- load_connection.c --- */

/* Takes up a request that is due at this time; connects first where that is needed. */
void connection_take(struct connection *c, struct bytes request, int64_t due_ns);
/* Goes on as far as it can without waiting. */
void connection_go_on(struct connection *c);
void connection_close(struct connection *c);

/* --- load_thread.c --- */

/* The connection is free again. */
void load_thread_idle(struct load_thread *t, struct connection *c);
void *load_thread_run(void *thread);
