/* intake.h - one batch while it comes in: what intake.c, intake_job.c and intakes.c share.
 *
 *   front: take() -> lines -> jobs -> pipeline -> done()
 *                      ^                            |
 *                      thread: again  <------------ 503
 *
 * Everything is under the lock of all intakes but what says otherwise. */
#pragma once
#include <pthread.h>

#include "daemon/intakes.h"
#include "daemon/line_reader.h"
#include "lib/ca/batch.h"

struct intake_job;

struct intake_jobs {
  struct intake_job *first, *last;
};

struct intake {
  struct intakes *all;
  const struct service *service;
  int64_t id; /* in the ledger */
  char name[2 * BATCH_NAME_LEN + 1];
  /* The front's own, while the body comes in. */
  struct line_reader reader;
  uint8_t proof_sha256[TOKEN_SHA256_LEN]; /* what the principal showed in the beginning */
  int64_t checked_ms;                     /* when he was looked at last */
  bool full;                              /* there are no more lines after this one */

  struct exchange *x;       /* NULL: its request is over */
  unsigned n_jobs;          /* in the pipeline */
  struct intake_jobs again; /* those that were not possible */
  struct fault why;         /* why they were not; FAULT_NONE: they are only too many */
  int64_t failing_since_ms; /* 0: nothing fails */
  int64_t try_at_ms;        /* when one of them is tried */
  bool waiting;             /* the front waits for exchange_go_on() */
  bool whole;               /* the body has come to its end */
  bool given_up;            /* the rest of the body is thrown away; the reply is `fault` */
  struct fault fault;
  bool ended; /* it is written down, and its reply is there; no more in the list */
  struct intake *next;
};

struct intakes {
  struct ledger *ledger;
  struct issuer *issuer;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  pthread_t thread;
  bool quitting, stopping;
  bool woken; /* the thread has something to look at */
  struct intake *first;
  unsigned n;
};

/* --- intake.c --- */

void intake_free(struct intake *intake);
/* The rest of it is nobody's. Its jobs that wait are freed. With the lock held. */
void intake_give_up(struct intake *intake, const struct fault *f);
/* There is nothing left to wait for. With the lock held. */
bool intake_is_over(const struct intake *intake);
/* The exchange that waits and need not any more, for exchange_go_on() when the lock is not held; or
 * NULL. With the lock held. */
struct exchange *intake_wake(struct intake *intake);

/* --- intakes.c --- */

/* Wakes the thread. With the lock held. */
void intakes_wake(struct intakes *intakes);
/* Takes a place for one more, or gives it back. BUSY, STOPPING. Without the lock, like the next. */
bool intakes_reserve(struct intakes *intakes, struct fault *f);
void intakes_unreserve(struct intakes *intakes);
/* Into the place that was taken, from where the thread takes it out. */
void intakes_add(struct intake *intake);

/* --- intake_job.c --- */

/* May one more job be made? With the lock held. */
bool intake_has_room(const struct intake *intake);
/* Makes a job of a line and gives it to the pipeline, or keeps it for later. The front's thread,
 * without the lock. NO_MEMORY. */
bool intake_start_job(struct intake *intake, const struct line *line, struct fault *f);
/* Tries again what can be tried now; returns when to come back, INT64_MAX: not for this. The
 * thread; with the lock held, which it leaves meanwhile. */
int64_t intake_try_again(struct intake *intake, int64_t now_ms);
/* Frees those that wait. With the lock held. */
void intake_drop_jobs(struct intake *intake);
