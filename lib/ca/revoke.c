/* revoke.c - see revoke.h. */
#include "lib/ca/revoke.h"

/* The writer is free for others between two transactions of so many. */
enum { PAGE_ROWS = 1000 };

/* --- one --- */

/* The batch is gone in every case. */
static bool revoke_in(struct ledger_batch *batch, const struct issued *row,
                      const struct revoke_order *order, struct fault *f)
{
  bool changed;
  if (ledger_revoke(batch, row, order->reason, order->now, &order->who, &changed, f))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

bool revoke_one(struct ledger *ledger, struct bytes serial_number, const struct revoke_order *order,
                struct issued *ret_row, struct fault *f)
{
  AUTO(issued) row = {0};
  struct ledger_batch *batch;
  return ledger_get(ledger, serial_number, order->now, &row, f) &&
         ledger_begin(ledger, &batch, f) && revoke_in(batch, &row, order, f) &&
         ledger_get(ledger, serial_number, order->now, ret_row, f);
}

/* --- many --- */

void revoke_select(struct ledger_query *query, enum revocation_reason reason)
{
  query->only_on_hold = reason == REASON_REMOVE_FROM_CRL;
  query->only_good = !query->only_on_hold;
}

/* One that has changed since it was found, and may not be revoked any more, is passed over. */
static bool revoke_rows(struct ledger_batch *batch, const struct ledger_page *page,
                        const struct revoke_order *order, int64_t *n, struct fault *f)
{
  for (size_t i = 0; i < page->n; i++) {
    AUTO(fault) refusal = {0};
    bool changed = false;
    if (!ledger_revoke(batch, &page->rows[i], order->reason, order->now, &order->who, &changed,
                       &refusal) &&
        refusal.code != FAULT_CERTIFICATE_STATE) {
      fault_move(f, &refusal);
      return false;
    }
    *n += changed;
  }
  return true;
}

/* *n grows by what is durable. */
static bool revoke_page(struct ledger *ledger, const struct ledger_page *page,
                        const struct revoke_order *order, int64_t *n, struct fault *f)
{
  struct ledger_batch *batch;
  int64_t changed = 0;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (!revoke_rows(batch, page, order, &changed, f)) {
    ledger_roll_back(batch);
    return false;
  }
  if (!ledger_commit(batch, f))
    return false;
  *n += changed;
  return true;
}

static bool revoke_next(struct ledger *ledger, struct ledger_query *query,
                        const struct revoke_order *order, int64_t *n, bool *ret_more,
                        struct fault *f)
{
  AUTO(ledger_page) page = {0};
  if (!ledger_search(ledger, query, order->now, &page, f) ||
      (page.n > 0 && !revoke_page(ledger, &page, order, n, f)))
    return false;
  if (page.n > 0)
    query->before_id = page.rows[page.n - 1].id;
  *ret_more = page.more;
  return true;
}

bool revoke_many(struct ledger *ledger, const struct ledger_query *query, int64_t newest_id,
                 const struct revoke_order *order, const atomic_bool *stop, int64_t *ret_n,
                 struct fault *f)
{
  struct ledger_query rest = *query;
  int64_t n = 0;
  bool more = newest_id > 0, done = true;
  rest.before_id = newest_id + 1;
  rest.limit = PAGE_ROWS;
  while (done && more)
    done = atomic_load(stop) ? fault_set(f, STOPPING, "ask again for the rest")
                             : revoke_next(ledger, &rest, order, &n, &more, f);
  if (!done)
    return fault_prefix(f, "%lld were changed before it ended", (long long)n);
  *ret_n = n;
  return true;
}
