/* ledger_select.c - the statement behind a listing.
 *
 * Every listing is in the order of ids, newest first, and stops at the page's end: each filter has
 * an index that ends in the id, or a table of candidates (ledger_candidates.h), or, for times and
 * what follows from them, a table of spans, which tells of 128 neighbours at once whether any can
 * match. */
#include "lib/ca/ledger_private.h"

static const struct ledger_filter *find_driver(const struct ledger_select *select,
                                               const bool *given)
{
  for (size_t i = 0; i < select->n_filters; i++)
    if (given[i] && select->filters[i].from != NULL)
      return &select->filters[i];
  return NULL;
}

/* What a row of spans must fulfil: " AND ..." or "". */
static void add_span_conditions(const struct ledger_select *select, const bool *given,
                                struct buf *out)
{
  for (size_t i = 0; i < select->n_filters; i++)
    if (given[i] && select->filters[i].span != NULL)
      buf_addf(out, " AND %s", select->filters[i].span);
}

static void add_checks(const struct ledger_select *select, const bool *given,
                       const struct ledger_filter *driver, struct buf *out)
{
  for (size_t i = 0; i < select->n_filters; i++)
    if (given[i] && &select->filters[i] != driver)
      buf_addf(out, " AND %s", select->filters[i].check);
}

/* Filters of time give the bounds of what is walked along. */
static void add_bounds(const struct ledger_select *select, const char *position, const char *spans,
                       struct buf *out)
{
  if (spans[0] == '\0')
    return;
  buf_addf(out,
           " AND %s < (SELECT (s.id + 1) * " SPAN " FROM %s s WHERE s.id <= ?2 / " SPAN "%s"
           " ORDER BY s.id DESC LIMIT 1)",
           position, select->spans, spans);
  buf_addf(out,
           " AND %s >= (SELECT s.id * " SPAN " FROM %s s WHERE s.id <= ?2 / " SPAN "%s"
           " ORDER BY s.id LIMIT 1)",
           position, select->spans, spans);
}

/* An index or candidates drive. */
static void add_driven(const struct ledger_select *select, const bool *given,
                       const struct ledger_filter *driver, const char *spans, struct buf *out)
{
  buf_addf(out, "%s WHERE %s < ?2", driver->from, driver->position);
  add_bounds(select, driver->position, spans, out);
  add_checks(select, given, driver, out);
  buf_addf(out, " AND %s ORDER BY %s DESC LIMIT ?3", driver->drive, driver->position);
}

/* No filter at all, or only what the rows themselves tell. */
static void add_all(const struct ledger_select *select, const bool *given, struct buf *out)
{
  buf_addf(out, "%s NOT INDEXED WHERE %s < ?2", select->table, select->id);
  add_checks(select, given, NULL, out);
  buf_addf(out, " ORDER BY %s DESC LIMIT ?3", select->id);
}

static void add_by_spans(const struct ledger_select *select, const bool *given, const char *spans,
                         struct buf *out)
{
  buf_addf(out,
           "%s s CROSS JOIN %s NOT INDEXED"
           " ON %s BETWEEN s.id * " SPAN " AND s.id * " SPAN " + (" SPAN " - 1)"
           " WHERE s.id <= ?2 / " SPAN " AND %s < ?2%s",
           select->spans, select->table, select->id, select->id, spans);
  add_checks(select, given, NULL, out);
  buf_addf(out, " ORDER BY s.id DESC, %s DESC LIMIT ?3", select->id);
}

void ledger_select_sql(const struct ledger_select *select, const bool *given, struct buf *out)
{
  AUTO(buf) spans = {0};
  const struct ledger_filter *driver = find_driver(select, given);
  add_span_conditions(select, given, &spans);
  const char *conditions = buf_text(&spans);
  buf_addf(out, "%s FROM ", select->columns);
  if (driver != NULL)
    add_driven(select, given, driver, conditions, out);
  else if (spans.len > 0)
    add_by_spans(select, given, conditions, out);
  else
    add_all(select, given, out);
  out->failed |= spans.failed;
}
