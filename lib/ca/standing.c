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
  if (found->crl_number > row->crl_known)
    row->crl_known = found->crl_number;
}

static bool read_ledger(const struct standing *standing, struct standing_report *report,
                        struct fault *f)
{
  struct counting counting = {standing->authorities, report};
  for (size_t i = 0; i < report->n; i++)
    report->rows[i].issued = report->rows[i].accepted = report->rows[i].crl_known = 0;
  return ledger_each_authority(standing->ledger, count_one, &counting, f);
}

/* --- what the key holder remembers --- */

/* A key that the key holder does not have cannot sign, either: nothing is known of it, and nothing
 * has to be. What it refuses to tell of the key that issues is another matter: its memory may be
 * out of order.
 */
static bool may_be_unknown(const struct standing *standing, const struct standing_row *row,
                           const struct fault *refused)
{
  const struct authority *active = authorities_active(standing->authorities);
  return refused->code == FAULT_SIGNER_REFUSED &&
         memcmp(active->key_sha256, row->key_sha256, sizeof row->key_sha256) != 0;
}

static bool ask_one(struct standing *standing, struct standing_row *row, struct fault *f)
{
  AUTO(fault) refused = {0};
  struct signer_counts counts;
  uint64_t has = (uint64_t)(row->issued + row->accepted);
  if (!signer_count(standing->signer, row->key_sha256, has, &counts, &refused)) {
    if (may_be_unknown(standing, row, &refused))
      return true;
    fault_move(f, &refused);
    return false;
  }
  row->known = true;
  row->recorded = (int64_t)counts.recorded;
  row->crl_signed = (int64_t)counts.crl_number;
  return true;
}

/* What was told of a key before, and has not changed, need not be asked again. */
static bool is_as_before(const struct standing_row *old, const struct standing_row *row)
{
  return old != NULL && old->known && old->issued == row->issued && old->accepted == row->accepted;
}

static bool ask_all(struct standing *standing, struct standing_report *report, bool changed_only,
                    struct fault *f)
{
  for (size_t i = 0; i < report->n; i++) {
    struct standing_row *row = &report->rows[i];
    const struct standing_row *before = find_row(&standing->report, row->key_sha256);
    if (before != NULL)
      row->lists = before->lists;
    if (changed_only && is_as_before(before, row))
      *row = *before;
    else if (!ask_one(standing, row, f))
      return false;
  }
  return true;
}

static void judge(struct standing_report *report)
{
  report->missing = 0;
  report->lists = false;
  for (size_t i = 0; i < report->n; i++) {
    struct standing_row *row = &report->rows[i];
    int64_t has = row->issued + row->accepted;
    row->missing = row->recorded > has ? row->recorded - has : 0;
    report->missing += row->missing;
    report->lists |= row->crl_signed > row->crl_known;
  }
  report->state = report->missing > 0 || report->lists ? STANDING_BEHIND : STANDING_GOOD;
}

/* What was taken or committed between the two questions was not there yet when the ledger was read:
 * it is read once more before anything is said against it. */
static bool find_out(struct standing *standing, struct standing_report *report, bool changed_only,
                     struct fault *f)
{
  if (!make_rows(standing->authorities, report, f) || !read_ledger(standing, report, f) ||
      !ask_all(standing, report, changed_only, f))
    return false;
  judge(report);
  if (report->state == STANDING_GOOD)
    return true;
  if (!read_ledger(standing, report, f))
    return false;
  judge(report);
  return true;
}

/* --- the state --- */

static void record(const struct standing *standing, const struct standing_report *report)
{
  for (size_t i = 0; i < report->n; i++) {
    struct event event = {.kind = EVENT_LEDGER_BEHIND, .count = report->rows[i].missing};
    TEXT_COPY(event.about, bytes_of_text(report->rows[i].authority));
    if (report->rows[i].missing > 0 || report->rows[i].crl_signed > report->rows[i].crl_known)
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
  bool done = find_out(standing, &report, changed_only, f);
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
  for (size_t i = 0; i < report->n; i++) {
    const struct standing_row *row = &report->rows[i];
    if (row->missing > 0)
      buf_addf(out, "%s%lld of %s", out->len > 0 ? ", " : "", (long long)row->missing,
               row->authority);
    if (row->crl_signed > row->crl_known)
      buf_addf(out, "%srevocation list %lld of %s", out->len > 0 ? ", " : "",
               (long long)row->crl_signed, row->authority);
  }
}

static bool is_behind(struct standing *standing, struct fault *f)
{
  AUTO(buf) missing = {0};
  pthread_mutex_lock(&standing->lock);
  list_missing(&standing->report, &missing);
  pthread_mutex_unlock(&standing->lock);
  return fault_set(f, LEDGER_BEHIND,
                   "the ledger is an older copy: what was issued or published after it was made is "
                   "missing (%.200s). Nothing is signed until an administrator accepts that: "
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

/* --- accepting --- */

void standing_saw_list(struct standing *standing, const uint8_t key_sha256[32],
                       const struct lists_at_hand *seen)
{
  pthread_mutex_lock(&standing->asking);
  pthread_mutex_lock(&standing->lock);
  struct standing_row *row = find_row(&standing->report, key_sha256);
  if (row != NULL)
    lists_at_hand_add(&row->lists, seen);
  pthread_mutex_unlock(&standing->lock);
  pthread_mutex_unlock(&standing->asking);
}

static bool check_lists(const struct standing_report *report, struct fault *f)
{
  for (size_t i = 0; i < report->n; i++) {
    const struct standing_row *row = &report->rows[i];
    int64_t at_hand = lists_at_hand_reach(&row->lists, row->crl_known);
    if (row->crl_signed > row->crl_known && row->crl_signed > at_hand)
      return fault_set(
          f, AUTHORITY_STATE,
          "revocation list %lld of %s was signed, and those at hand reach to %lld: give "
          "that list and the one of all certificates, or accept that what it revoked may be lost",
          (long long)row->crl_signed, row->authority, (long long)at_hand);
  }
  return true;
}

static bool write_acceptance(struct standing *standing, const struct standing_report *report,
                             const struct event *who, struct fault *f)
{
  struct acceptance *rows = calloc(report->n + 1, sizeof *rows);
  size_t n = 0;
  if (rows == NULL)
    return fault_no_memory(f);
  for (size_t i = 0; i < report->n; i++) {
    const struct standing_row *row = &report->rows[i];
    if (row->missing == 0 && row->crl_signed <= row->crl_known)
      continue;
    rows[n].missing = row->missing;
    rows[n].crl_number = row->crl_signed;
    TEXT_COPY(rows[n++].authority, bytes_of_text(row->authority));
  }
  bool done = ledger_accept_missing(standing->ledger, rows, n, who, f);
  free(rows);
  return done;
}

/* With `asking` held, so that the numbers are those that somebody has seen, and are accepted once.
 */
static bool accept_found(struct standing *standing, int64_t missing, bool without_lists,
                         const struct event *who, struct fault *f)
{
  AUTO(standing_report) report = {0};
  AUTO(standing_report) after = {0};
  if (!find_out(standing, &report, false, f))
    return false;
  if (report.state == STANDING_GOOD)
    return fault_set(f, SELECTION_CHANGED, "nothing is missing: there is nothing to accept");
  if (report.missing != missing)
    return fault_set(f, SELECTION_CHANGED, "%lld certificates are missing, not %lld",
                     (long long)report.missing, (long long)missing);
  if ((!without_lists && !check_lists(&report, f)) ||
      !write_acceptance(standing, &report, who, f) || !find_out(standing, &after, false, f))
    return false;
  keep(standing, &after);
  return true;
}

bool standing_accept(struct standing *standing, int64_t missing, bool without_lists,
                     const struct event *who, struct fault *f)
{
  pthread_mutex_lock(&standing->asking);
  bool done = accept_found(standing, missing, without_lists, who, f);
  pthread_mutex_unlock(&standing->asking);
  return done;
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
