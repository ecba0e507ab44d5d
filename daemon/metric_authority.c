/* metric_authority.c - see metric.h. */
#include "daemon/metric.h"

#include "daemon/authority_watch.h"
#include "daemon/crl_store.h"
#include "daemon/metrics_text.h"
#include "lib/base/when.h"
#include "lib/ca/crl_record.h"

static void add_by_authority(struct buf *out, const struct metric *metric,
                             const struct findings *findings,
                             double (*value)(const struct authority *, enum authority_state))
{
  const struct authorities *authorities = findings->service->authorities;
  for (size_t i = 0; i < authorities_n(authorities); i++) {
    const struct authority *authority = authorities_at(authorities, i);
    enum authority_state state = authorities_state(authorities, i);
    struct metrics_label labels[] = {{"authority", authority->name},
                                     {"state", authority_state_name(state)}};
    metrics_add_sample(out, metric->name, "", labels, 2, value(authority, state));
  }
}

static double not_after_of(const struct authority *authority, enum authority_state state)
{
  (void)state;
  return (double)authority->certificate.not_after;
}

static double expiring_of(const struct authority *authority, enum authority_state state)
{
  return authority_is_expiring(state, authority->certificate.not_after, when_now());
}

void metric_add_not_after(struct buf *out, const struct metric *metric,
                          const struct findings *findings)
{
  add_by_authority(out, metric, findings, not_after_of);
}

void metric_add_expiring(struct buf *out, const struct metric *metric,
                         const struct findings *findings)
{
  add_by_authority(out, metric, findings, expiring_of);
}

/* --- lists of revoked certificates --- */

/* An authority that has published none has number 0, and so has one whose record cannot be read:
 * mintmark_ledger_up tells of that. */
void metric_add_crl_number(struct buf *out, const struct metric *metric,
                           const struct findings *findings)
{
  const struct authorities *authorities = findings->service->authorities;
  for (size_t i = 0; i < authorities_n(authorities); i++) {
    AUTO(fault) ignored = {0};
    struct crl_extent extent = {0};
    const char *name = authorities_at(authorities, i)->name;
    ledger_crl_extent(findings->service->ledger, name, &extent, &ignored);
    metric_add_labelled(out, metric, "authority", name, (double)extent.last_number);
  }
}

struct listing {
  struct buf *out;
  const struct metric *metric;
};

static void add_list(const char *name, int64_t next_update, void *context)
{
  const struct listing *listing = context;
  metric_add_labelled(listing->out, listing->metric, "list", name, (double)next_update);
}

void metric_add_next_update(struct buf *out, const struct metric *metric,
                            const struct findings *findings)
{
  struct listing listing = {out, metric};
  crl_store_each(findings->service->crls, add_list, &listing);
}
