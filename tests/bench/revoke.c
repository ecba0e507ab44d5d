/* revoke.c - see revoke.h. */
#include "tests/bench/revoke.h"

#include "lib/base/when.h"
#include "lib/ca/ledger.h"
#include "lib/ca/revocation.h"
#include "tests/bench/progress.h"

enum { BATCH = 1000 };

static const enum revocation_reason reasons[] = {
    REASON_UNSPECIFIED, REASON_KEY_COMPROMISE,         REASON_AFFILIATION_CHANGED,
    REASON_SUPERSEDED,  REASON_CESSATION_OF_OPERATION, REASON_PRIVILEGE_WITHDRAWN};

static bool revoke_rows(struct ledger *ledger, const struct ledger_page *page, int64_t now,
                        struct fault *f)
{
  struct ledger_batch *batch;
  bool changed;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  for (size_t i = 0; i < page->n; i++)
    if (!ledger_revoke(batch, &page->rows[i], reasons[i % ARRAY_LEN(reasons)], now, NULL, &changed,
                       f)) {
      ledger_roll_back(batch);
      return false;
    }
  return ledger_commit(batch, f);
}

/* A page of rows is a batch. */
static bool revoke_open(struct ledger *ledger, uint64_t n, struct fault *f)
{
  struct progress progress = progress_start("revocations", n);
  struct ledger_query query = {.status = STATUS_VALID};
  bool ok = true;
  for (uint64_t done = 0; ok && done < n; progress_show(&progress, done)) {
    AUTO(ledger_page) page = {0};
    int64_t now = when_now();
    query.limit = n - done < BATCH ? (unsigned)(n - done) : BATCH;
    ok = ledger_search(ledger, &query, now, &page, f);
    if (ok && page.n == 0)
      ok = fault_set(f, BAD_USAGE, "only %llu certificates are valid", (unsigned long long)done);
    ok = ok && revoke_rows(ledger, &page, now, f);
    done += page.n;
    query.before_id = page.n > 0 ? page.rows[page.n - 1].id : 0;
  }
  progress_end(&progress);
  return ok;
}

bool revoke_ledger(const char *path, uint64_t n, struct fault *f)
{
  struct ledger *ledger;
  if (!ledger_open(path, &ledger, f))
    return false;
  bool ok = revoke_open(ledger, n, f);
  ledger_close(ledger);
  return ok;
}
