/* rest_metrics.c - GET /metrics: a table of metrics, each with its name, its help, and where its
 * numbers come from. */
#include <stddef.h>
#include <stdio.h>

#include "daemon/health.h"
#include "daemon/metric.h"
#include "daemon/metrics.h"
#include "daemon/metrics_text.h"
#include "daemon/process_figures.h"
#include "daemon/rest.h"
#include "daemon/service.h"

static void add_number(struct buf *out, const struct metric *metric,
                       const struct findings *findings)
{
  metrics_add_sample(out, metric->name, "", NULL, 0,
                     *(const double *)(const void *)((const char *)findings + metric->at));
}

void metric_add_labelled(struct buf *out, const struct metric *metric, const char *label,
                         const char *of, double value)
{
  struct metrics_label labels[] = {{label, of}};
  metrics_add_sample(out, metric->name, "", labels, 1, value);
}

/* --- requests --- */

struct row_labels {
  struct metrics_label all[3]; /* one is free */
};

static struct row_labels labels_of(const struct route *route)
{
  return (struct row_labels){{{"method", route != NULL ? method_name(route->method) : "none"},
                              {"route", route != NULL ? route->pattern : "none"}}};
}

static void add_requests(struct buf *out, const struct metric *metric,
                         const struct findings *findings)
{
  static const char *const classes[STATUS_CLASSES] = {"none", NULL, "2xx", "3xx", "4xx", "5xx"};
  const struct metrics *metrics = findings->service->metrics;
  for (size_t i = 0; i < metrics_n(metrics); i++) {
    struct row_labels labels = labels_of(metrics_route(metrics, i));
    struct route_figures figures;
    metrics_figures(metrics, i, &figures);
    for (size_t k = 0; k < STATUS_CLASSES; k++) {
      if (classes[k] == NULL)
        continue; /* no handler answers so */
      labels.all[2] = (struct metrics_label){"status", classes[k]};
      metrics_add_sample(out, metric->name, "", labels.all, 3, (double)figures.by_status[k]);
    }
  }
}

/* A bucket counts what the smaller ones count, too. */
static void add_buckets(struct buf *out, const struct metric *metric, struct row_labels labels,
                        const struct route_figures *figures)
{
  double n = 0;
  for (size_t k = 0; k < SECONDS_BUCKETS; k++) {
    char bound[16] = "+Inf";
    if (k < SECONDS_BUCKETS - 1)
      snprintf(bound, sizeof bound, "%g", metrics_bounds[k]);
    n += (double)figures->by_seconds[k];
    labels.all[2] = (struct metrics_label){"le", bound};
    metrics_add_sample(out, metric->name, "_bucket", labels.all, 3, n);
  }
  metrics_add_sample(out, metric->name, "_sum", labels.all, 2, (double)figures->sum_us / 1e6);
  metrics_add_sample(out, metric->name, "_count", labels.all, 2, n);
}

static void add_seconds(struct buf *out, const struct metric *metric,
                        const struct findings *findings)
{
  const struct metrics *metrics = findings->service->metrics;
  for (size_t i = 0; i < metrics_n(metrics); i++) {
    struct route_figures figures;
    metrics_figures(metrics, i, &figures);
    add_buckets(out, metric, labels_of(metrics_route(metrics, i)), &figures);
  }
}

static void add_connections(struct buf *out, const struct metric *metric,
                            const struct findings *findings)
{
  static const char *const listeners[LISTENER_COUNT] = {
      [LISTENER_TLS] = "tls", [LISTENER_PLAIN] = "plain"};
  for (size_t i = 0; i < LISTENER_COUNT; i++)
    metric_add_labelled(
        out, metric, "listener", listeners[i],
        (double)metrics_connections(findings->service->metrics, (enum metrics_listener)i));
}

/* --- certificates --- */

static void add_outcomes(struct buf *out, const struct metric *metric,
                         const struct findings *findings)
{
  static const enum event_kind kinds[] = {EVENT_ISSUED, EVENT_REPLAYED, EVENT_REPLACED,
                                          EVENT_RENEWED, EVENT_REFUSED};
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    metric_add_labelled(out, metric, "outcome", event_kind_name(kinds[i]),
                        (double)findings->ledger.events[kinds[i]]);
}

static void add_events(struct buf *out, const struct metric *metric,
                       const struct findings *findings)
{
  for (size_t i = EVENT_NONE + 1; i < EVENT_KIND_COUNT; i++)
    metric_add_labelled(out, metric, "kind", event_kind_name((enum event_kind)i),
                        (double)findings->ledger.events[i]);
}

/* --- the table --- */

static void add_build(struct buf *out, const struct metric *metric, const struct findings *findings)
{
  (void)findings;
  metric_add_labelled(out, metric, "version", PACKAGE_VERSION, 1);
}

#define NUMBER(member) add_number, offsetof(struct findings, member)

/* clang-format off */
static const struct metric table[] = {
  {"mintmark_build_info", "gauge",
   "Always 1; the version is a label.", add_build, 0},
  {"mintmark_requests_total", "counter",
   "HTTP requests that ended, by row of the table of requests and class of status.", add_requests, 0},
  {"mintmark_request_seconds", "histogram",
   "From the first line of a request to the end of its reply.", add_seconds, 0},
  {"mintmark_open_connections", "gauge",
   "Connections that are open now.", add_connections, 0},
  {"mintmark_certificate_requests_total", "counter",
   "Requests for a certificate, by how they ended.", add_outcomes, 0},
  {"mintmark_revocations_total", "counter",
   "Certificates that were revoked.", NUMBER(revocations)},
  {"mintmark_events_total", "counter",
   "Events that were recorded, by kind.", add_events, 0},
  {"mintmark_jobs", "gauge",
   "Requests for a certificate that are being worked on.", NUMBER(jobs)},
  {"mintmark_ledger_certificates", "gauge",
   "Certificates in the ledger.", NUMBER(certificates)},
  {"mintmark_ledger_commits_total", "counter",
   "Transactions of the ledger that were made durable.", NUMBER(commits)},
  {"mintmark_ledger_up", "gauge",
   "1 when the ledger could be written at the last probe.", NUMBER(ledger_up)},
  {"mintmark_key_holder_up", "gauge",
   "1 when the key holder signed at the last probe.", NUMBER(key_holder_up)},
  {"mintmark_authority_not_after_seconds", "gauge",
   "When the authority's certificate expires, in seconds since 1970.", metric_add_not_after, 0},
  {"mintmark_authority_expiring", "gauge",
   "1 when that is less than 90 days away and the authority is not retired.", metric_add_expiring, 0},
  {"mintmark_crl_number", "gauge",
   "The number of the authority's newest list of revoked certificates.", metric_add_crl_number, 0},
  {"mintmark_crl_next_update_seconds", "gauge",
   "Until when a list of revoked certificates holds, in seconds since 1970.", metric_add_next_update, 0},
  {"process_cpu_seconds_total", "counter",
   "User and system time of the process.", NUMBER(cpu_seconds)},
  {"process_resident_memory_bytes", "gauge",
   "Memory of the process that is in RAM.", NUMBER(resident)},
  {"process_virtual_memory_bytes", "gauge",
   "Address space that the process has taken.", NUMBER(virtual)},
  {"process_open_fds", "gauge",
   "Files and sockets that the process has open.", NUMBER(open_files)},
  {"process_max_fds", "gauge",
   "Files and sockets that it may have open.", NUMBER(max_files)},
  {"process_start_time_seconds", "gauge",
   "When the process began to count, in seconds since 1970.", NUMBER(started_at)},
};
/* clang-format on */

static void look_at_process(struct findings *findings)
{
  struct process_figures process;
  process_figures(&process);
  findings->cpu_seconds = process.cpu_seconds;
  findings->resident = (double)process.resident_octets;
  findings->virtual = (double)process.virtual_octets;
  findings->open_files = (double)process.open_files;
  findings->max_files = (double)process.max_files;
}

static void look(const struct service *service, struct findings *findings)
{
  bool ledger_up, key_holder_up;
  *findings = (struct findings){.service = service};
  prober_findings(service->prober, &ledger_up, &key_holder_up);
  ledger_meter_read(service->ledger, &findings->ledger);
  findings->ledger_up = ledger_up;
  findings->key_holder_up = key_holder_up;
  findings->jobs = issuer_load(service->issuer);
  findings->revocations = (double)findings->ledger.events[EVENT_REVOKED];
  findings->certificates = (double)findings->ledger.certificates;
  findings->commits = (double)findings->ledger.commits;
  findings->started_at = (double)metrics_started_at(service->metrics);
  look_at_process(findings);
}

enum handled rest_metrics(struct exchange *x)
{
  AUTO(fault) f = {0};
  struct findings findings;
  look(x->service, &findings);
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    metrics_add_family(&x->reply.body, table[i].name, table[i].type, table[i].help);
    table[i].add(&x->reply.body, &table[i], &findings);
  }
  if (!buf_ok(&x->reply.body)) {
    fault_no_memory(&f);
    return exchange_fail(x, &f);
  }
  x->reply.status = 200;
  x->reply.content_type = METRICS_CONTENT_TYPE;
  return HANDLED;
}
