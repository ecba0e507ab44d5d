/* standing.c - see standing.h. */
#include "lib/ca/standing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/signer.h"

enum { TIMEOUT_MS = 2000 };

struct standing {
  struct ledger *ledger;
  const struct authorities *authorities;
  struct recorder *recorder;
  void (*changed)(const struct standing_report *report);
  pthread_mutex_t asking; /* one at a time asks; held while the key holder answers */
  struct signer *signer;
  pthread_mutex_t lock; /* for the report; held for moments */
  struct standing_report report;
  _Atomic enum standing_state state; /* the report's, to be read without the lock */
};

void standing_report_free(struct standing_report *report)
{
  free(report->rows);
  *report = (struct standing_report){0};
}

/* --- what the ledger has --- */

static struct standing_row *find_row(struct standing_report *report, const uint8_t key_sha256[32])
{
  for (size_t i = 0; i < report->n; i++)
    if (memcmp(report->rows[i].key_sha256, key_sha256, 32) == 0)
      return &report->rows[i];
  return NULL;
}

/* A row for each key. */
static bool make_rows(const struct authorities *authorities, struct standing_report *report,
                      struct fault *f)
{
  size_t n = authorities_n(authorities);
  report->rows = calloc(n + 1, sizeof *report->rows);
  if (report->rows == NULL)
    return fault_no_memory(f);
  for (size_t i = 0; i < n; i++) {
    const struct authority *authority = authorities_at(authorities, i);
    if (find_row(report, authority->key_sha256) != NULL)
      continue;
    struct standing_row *row = &report->rows[report->n++];
    TEXT_COPY(row->authority, bytes_of_text(authority->name));
    memcpy(row->key_sha256, authority->key_sha256, sizeof row->key_sha256);
  }
  return true;
}

struct counting {
  const struct authorities *authorities;
  struct standing_report *report;
};

/* One that the configuration has no more has no key that could sign. */
static void count_one(const struct authority_row *found, void *context)
{
  const struct counting *counting = context;
  const struct authority *authority = authorities_named(counting->authorities, found->name);
  struct standing_row *row =
      authority != NULL ? find_row(counting->report, authority->key_sha256) : NULL;
  if (row == NULL)
    return;
  row->issued += found->issued;
  row->accepted += found->missing;
}

static bool read_ledger(const struct standing *standing, struct standing_report *report,
                        struct fault *f)
{
  struct counting counting = {standing->authorities, report};
  return make_rows(standing->authorities, report, f) &&
         ledger_each_authority(standing->ledger, count_one, &counting, f);
}

/* --- what the key holder remembers --- */

/* A key that it does not have cannot sign, either: nothing is known of it, and nothing has to be.
 */
static bool ask_one(struct standing *standing, struct standing_row *row, struct fault *f)
{
  AUTO(fault) refused = {0};
  struct signer_counts counts;
  uint64_t has = (uint64_t)(row->issued + row->accepted);
  if (!signer_count(standing->signer, row->key_sha256, has, &counts, &refused)) {
    if (refused.code == FAULT_SIGNER_REFUSED)
      return true;
    fault_move(f, &refused);
    return false;
  }
  row->known = true;
  row->recorded = (int64_t)counts.recorded;
  row->missing = counts.recorded > has ? (int64_t)(counts.recorded - has) : 0;
  return true;
}

/* What was told of a key before, and has not changed, need not be asked again. */
static bool is_as_before(struct standing_report *before, const struct standing_row *row)
{
  const struct standing_row *old = find_row(before, row->key_sha256);
  return old != NULL && old->known && old->issued == row->issued && old->accepted == row->accepted;
}

static bool ask_all(struct standing *standing, struct standing_report *report, bool changed_only,
                    struct fault *f)
{
  for (size_t i = 0; i < report->n; i++) {
    struct standing_row *row = &report->rows[i];
    if (changed_only && is_as_before(&standing->report, row))
      *row = *find_row(&standing->report, row->key_sha256);
    else if (!ask_one(standing, row, f))
      return false;
    report->missing += row->missing;
  }
  report->state = report->missing > 0 ? STANDING_BEHIND : STANDING_GOOD;
  return true;
}

/* --- the state --- */

static void record(const struct standing *standing, const struct standing_report *report)
{
  for (size_t i = 0; i < report->n; i++) {
    struct event event = {.kind = EVENT_LEDGER_BEHIND, .count = report->rows[i].missing};
    TEXT_COPY(event.about, bytes_of_text(report->rows[i].authority));
    if (report->rows[i].missing > 0)
      recorder_note(standing->recorder, &event);
  }
}

/* Takes the report over. With `asking` held, so that nobody else changes what is there. */
static void keep(struct standing *standing, struct standing_report *report)
{
  struct standing_report before = standing->report;
  bool changed = before.state != report->state;
  report->since = changed ? when_now() : before.since;
  pthread_mutex_lock(&standing->lock);
  standing->report = *report;
  pthread_mutex_unlock(&standing->lock);
  atomic_store(&standing->state, report->state);
  if (changed && report->state == STANDING_BEHIND)
    record(standing, report);
  if (changed && standing->changed != NULL)
    standing->changed(&standing->report);
  *report = (struct standing_report){0};
  standing_report_free(&before);
}

static bool compare(struct standing *standing, bool changed_only, struct fault *f)
{
  AUTO(standing_report) report = {0};
  pthread_mutex_lock(&standing->asking);
  bool done = read_ledger(standing, &report, f) && ask_all(standing, &report, changed_only, f);
  if (done)
    keep(standing, &report);
  pthread_mutex_unlock(&standing->asking);
  return done;
}

bool standing_compare(struct standing *standing, struct fault *f)
{
  return standing == NULL || compare(standing, false, f);
}

void standing_tell(struct standing *standing)
{
  AUTO(fault) ignored = {0};
  if (standing != NULL)
    compare(standing, true, &ignored);
}

/* --- the answer --- */

static void list_missing(const struct standing_report *report, struct buf *out)
{
  for (size_t i = 0; i < report->n; i++)
    if (report->rows[i].missing > 0)
      buf_addf(out, "%s%lld of %s", out->len > 0 ? ", " : "", (long long)report->rows[i].missing,
               report->rows[i].authority);
}

static bool is_behind(struct standing *standing, struct fault *f)
{
  AUTO(buf) missing = {0};
  pthread_mutex_lock(&standing->lock);
  list_missing(&standing->report, &missing);
  pthread_mutex_unlock(&standing->lock);
  return fault_set(
      f, LEDGER_BEHIND,
      "the ledger is an older copy: certificates are missing that were issued after it "
      "was made (%.200s). Nothing is signed until an administrator accepts that: "
      "mintmark restore --accept",
      buf_text(&missing));
}

bool standing_check(struct standing *standing, struct fault *f)
{
  return standing == NULL || atomic_load(&standing->state) != STANDING_BEHIND ||
         is_behind(standing, f);
}

bool standing_settle(struct standing *standing, struct fault *f)
{
  if (standing == NULL || atomic_load(&standing->state) == STANDING_GOOD)
    return true;
  if (atomic_load(&standing->state) == STANDING_UNKNOWN && !standing_compare(standing, f))
    return false;
  return standing_check(standing, f);
}

bool standing_read(struct standing *standing, struct standing_report *ret_report, struct fault *f)
{
  struct standing_report copy;
  pthread_mutex_lock(&standing->lock);
  copy = standing->report;
  copy.rows = calloc(copy.n + 1, sizeof *copy.rows);
  if (copy.rows != NULL && copy.n > 0)
    memcpy(copy.rows, standing->report.rows, copy.n * sizeof *copy.rows);
  pthread_mutex_unlock(&standing->lock);
  if (copy.rows == NULL)
    return fault_no_memory(f);
  *ret_report = copy;
  return true;
}

/* --- its life --- */

bool standing_new(struct ledger *ledger, const struct authorities *authorities,
                  struct key_holder *holder, unsigned slot, struct recorder *recorder,
                  void (*changed)(const struct standing_report *report),
                  struct standing **ret_standing, struct fault *f)
{
  struct standing *standing = calloc(1, sizeof *standing);
  if (standing == NULL)
    return fault_no_memory(f);
  standing->ledger = ledger;
  standing->authorities = authorities;
  standing->recorder = recorder;
  standing->changed = changed;
  if (!signer_new(holder, slot, TIMEOUT_MS, &standing->signer, f)) {
    free(standing);
    return false;
  }
  pthread_mutex_init(&standing->asking, NULL);
  pthread_mutex_init(&standing->lock, NULL);
  *ret_standing = standing;
  return true;
}

void standing_free(struct standing *standing)
{
  if (standing == NULL)
    return;
  signer_free(standing->signer);
  standing_report_free(&standing->report);
  pthread_mutex_destroy(&standing->asking);
  pthread_mutex_destroy(&standing->lock);
  free(standing);
}
