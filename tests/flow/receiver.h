/* receiver.h - an HTTP server on a loopback port of its own that hears what a webhook tells, checks
 * each signature, and answers as it is told to. Plain HTTP, one connection at a time, kept alive.
 */
#pragma once
#include "tests/unit/unit.h"

#include <jansson.h>
#include <pthread.h>

#include "lib/base/buf.h"

enum { RECEIVED_MAX = 4096 };

struct received {
  int64_t id;
  json_t *body;
  unsigned status; /* what was answered; 0: nothing */
};

struct receiver {
  int port;
  char secret_path[64];
  /* The receiver's own. */
  int fd;
  char secret[80];
  pthread_t thread;
  pthread_mutex_t lock; /* for all that follows */
  bool stopping, silent;
  unsigned status;         /* of answers; */
  unsigned n_other, other; /* but of the next ones */
  struct received received[RECEIVED_MAX];
  size_t n;
  char wrong[160]; /* the first thing that may not be; "": nothing */
};

/* Makes a secret in a file, and listens. */
void receiver_begin(struct receiver *receiver);
/* Asserts that nothing was wrong with what came, removes the file. */
void receiver_end(struct receiver *receiver);
/* Nobody listens any more; and again, at the same port. */
void receiver_go_down(struct receiver *receiver);
void receiver_come_up(struct receiver *receiver);
/* The next so many requests are answered with this status. */
void receiver_answer(struct receiver *receiver, unsigned status, unsigned times);
/* Takes requests and does not answer: true; answers again: false. */
void receiver_keep_silent(struct receiver *receiver, bool silent);

/* Appends a section webhook for it. `more` are further options. */
void receiver_conf(const struct receiver *receiver, const char *name, const char *events,
                   const char *more, struct buf *out);

/* How many different events were taken (answered with 2xx), and how many requests came. */
size_t receiver_taken(struct receiver *receiver);
size_t receiver_requests(struct receiver *receiver);
void receiver_wait_for(struct receiver *receiver, size_t (*count)(struct receiver *receiver),
                       size_t n);
