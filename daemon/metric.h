/* metric.h - a row of the table of metrics, and what its numbers are made from; for rest_metrics.c
 * and metric_*.c alone. Threads: any; each buffer is one thread's. */
#pragma once
#include "daemon/service.h"
#include "lib/base/buf.h"
#include "lib/ca/ledger_meter.h"

/* What is asked once for all metrics that tell of it. */
struct findings {
  const struct service *service;
  struct ledger_meter ledger;
  double jobs, revocations, certificates, commits, ledger_up, key_holder_up;
  double cpu_seconds, resident, virtual, open_files, max_files, started_at;
};

struct metric {
  const char *name, *type, *help;
  void (*add)(struct buf *out, const struct metric *metric, const struct findings *findings);
  size_t at; /* for add_number(): where in the findings it is */
};

/* A sample with one label, `label`. */
void metric_add_labelled(struct buf *out, const struct metric *metric, const char *label,
                         const char *of, double value);

/* metric_authority.c: of each authority, and of the lists of revoked certificates. */
void metric_add_not_after(struct buf *out, const struct metric *metric,
                          const struct findings *findings);
void metric_add_expiring(struct buf *out, const struct metric *metric,
                         const struct findings *findings);
void metric_add_crl_number(struct buf *out, const struct metric *metric,
                           const struct findings *findings);
void metric_add_next_update(struct buf *out, const struct metric *metric,
                            const struct findings *findings);
