/* issue_private.h - what the files of the issue pipeline share; for issue*.c alone.
 *
 *   submit -> incoming -> workers -> ready -> writer -> done()
 *
 * A job is in one place at a time, and whoever took it out of a queue is the one who passes it on
 * or finishes it. */
#pragma once
#include <pthread.h>
#include <stdatomic.h>

#include "lib/ca/issue.h"
#include "lib/ca/order.h"
#include "lib/ca/profile.h"
#include "lib/ca/signer.h"
#include "lib/pki/csr.h"

/* --- issue_queue.c: jobs in their order. Threads: any --- */

struct job_list {
  struct issue_job *first, *last;
  size_t n;
};

void job_list_add(struct job_list *list, struct issue_job *job);
/* NULL when it is empty. */
struct issue_job *job_list_take(struct job_list *list);

struct job_queue {
  pthread_mutex_t lock;
  pthread_cond_t filled;
  struct job_list jobs;
  size_t wanted; /* whoever waits wants so many, for a moment */
  bool closed;
};

bool job_queue_init(struct job_queue *queue);
void job_queue_free(struct job_queue *queue); /* one that is empty */
/* Adds all of the list. False, and the list as it was, when the queue is closed. */
bool job_queue_put(struct job_queue *queue, struct job_list *list);
/* How much is taken of a queue at a time. */
struct job_taker {
  size_t takers;      /* who take from it: each its part of what waits, */
  unsigned share;     /* or 1 / share of the jobs that are under way, if that is more, */
  size_t few;         /* or up to so many of its part of those: */
  unsigned gather_us; /* it waits so long for them */
  size_t most;        /* and never more than so many */
};
/* Waits until there is a job, and then a moment for others: a batch costs less than its jobs one by
 * one. False when the queue is closed and empty. */
bool job_queue_take(struct job_queue *queue, const struct job_taker *taker,
                    const atomic_uint *under_way, struct job_list *ret_list);
/* From now on nothing goes in; what is in comes out. */
void job_queue_close(struct job_queue *queue);

/* --- the pipeline --- */

struct worker;

struct issuer {
  const struct authorities *authorities;
  struct ledger *ledger;
  struct standing *standing; /* may be NULL */
  pthread_mutex_t conf_lock;
  struct conf *conf; /* held; changed by issuer_reload */
  atomic_uint limit; /* jobs in the pipeline at the most */
  atomic_uint n_jobs;
  _Atomic int64_t work_ms;
  struct job_queue incoming, ready;
  struct worker **workers;
  unsigned n_workers, n_running;
  pthread_t writer;
  bool writer_runs;
};

/* The configuration as it is now, held for the caller. */
struct conf *issuer_conf(struct issuer *issuer);
/* The job is done with: its maker's again, and out of the count. */
void issuer_finish(struct issuer *issuer, struct issue_job *job);
/* The same with a fault, which is copied. */
void issuer_fail(struct issuer *issuer, struct issue_job *job, const struct fault *f);

/* --- issue_order.c --- */

/* The orders of a batch of requests, of one moment of the ledger. */
struct order_shelf {
  struct order orders[SIGNER_BATCH_MAX];
  size_t n;
};

/* Looks up the order that a request names, and fills in the profile and model that the request
 * leaves to it. *ret_order lies on the shelf; NULL: the request names none, or is a renewal, which
 * is no unit of any. ORDER_NOT_ALLOWED when there is no such order; whether it allows the request
 * is for the ledger to say. */
bool issue_take_order(struct ledger *ledger, struct order_shelf *shelf,
                      struct issue_request *request, const struct order **ret_order,
                      struct fault *f);

/* --- issue_renewal.c --- */

/* Looks up the certificate that a request renews, and fills in all that is taken over from it. A
 * request that renews none leaves *ret_renewed alone, which wants issued_free in every case. */
bool issue_take_renewal(struct ledger *ledger, struct issue_request *request, int64_t now,
                        struct issued *ret_renewed, struct fault *f);
/* What its profile says of that, as it is now: see profile_check_renewal. `row` is the one to be.
 * Nothing happens for one that renews none. */
bool issue_check_renewal(const struct profile *profile, const struct issued *renewed,
                         const struct issued *row, int64_t now, struct fault *f);

/* --- issue_device.c --- */

/* What a device is bound to, beyond the profile. All zero: not asked by a device. */
struct device_bounds {
  bool is_device, has_names;
  struct sans names; /* with has_names: the only ones it may have */
  struct ip peer;    /* where it asks from; len 0: not known */
};
void device_bounds_free(struct device_bounds *bounds);
AUTO_VALUE(device_bounds, struct device_bounds, device_bounds_free)

/* Holds a device's request against what was imported of it and fills in what it left out
 * (device_serial, model, order); a renewal keeps the model and order that it has. FORBIDDEN,
 * ORDER_NOT_ALLOWED, LEDGER. Nothing happens for another role. ret_bounds must be all zero and
 * wants device_bounds_free in every case. */
bool issue_bound_device(struct ledger *ledger, struct issue_request *request,
                        struct device_bounds *ret_bounds, struct fault *f);

/* --- issue_draft.c --- */

/* One request on its way to being signed. All zero but job and conf to begin with; wants
 * draft_free.
 */
struct draft {
  struct issue_job *job;
  const struct conf *conf;
  const struct profile *profile;
  const struct authority *authority;
  const struct order *order; /* NULL: none */
  struct device_bounds bounds;
  struct issued renewed; /* of a renewal: the certificate that it renews */
  struct csr csr;
  int64_t now_ms;
  bool is_open;   /* nothing stands against it as yet */
  bool is_judged; /* the ledger has said something of its key */
  bool replayed;  /* it has its answer: */
  struct issued earlier;
  struct plan plan; /* what is to be certified, once it was checked */
};

/* All that is asked of the ledger, and with it what the request left out. The draft's order lies on
 * the shelf. */
bool draft_look_up(struct draft *draft, struct issuer *issuer, struct order_shelf *shelf,
                   struct fault *f);
/* Then one of these. The faults of one that is not open are in `f`: what the ledger knows of a key
 * is told to who has the key alone. Returns false. */
bool draft_refuse(const struct draft *draft, struct fault *f);
/* The earlier certificate, for who has the key. */
bool draft_replay(struct draft *draft, struct fault *f);
/* The policy, with the proof of possession. */
bool draft_check(struct draft *draft, const uint8_t random[SERIAL_NUMBER_RANDOM_LEN],
                 struct fault *f);
/* Behind that: the octets to be signed, in the place of what is in `tbs`. */
bool draft_write(struct draft *draft, struct buf *tbs, struct fault *f);
void draft_free(struct draft *draft);

/* --- issue_worker.c --- */

/* Does not start it. */
bool worker_new(struct issuer *issuer, unsigned slot, struct key_holder *holder,
                unsigned timeout_ms, struct worker **ret_worker, struct fault *f);
/* Works until `incoming` is closed and empty. */
bool worker_start(struct worker *worker, struct fault *f);
void worker_join(struct worker *worker);
void worker_free(struct worker *worker);

/* --- issue_writer.c --- */

/* The writer's thread: works until `ready` is closed and empty. */
void *writer_run(void *issuer);
