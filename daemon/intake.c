/* intake.c - one batch as the front sees it: it begins, its octets come in, it ends. See intake.h.
 */
#include "daemon/intake.h"

#include <stdlib.h>

#include "daemon/auth.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

enum { CHECK_MS = 1000 };

void intake_free(struct intake *intake)
{
  if (intake == NULL)
    return;
  line_reader_free(&intake->reader);
  fault_free(&intake->fault);
  free(intake);
}

AUTO_POINTER(intake, struct intake, intake_free)

bool intake_is_over(const struct intake *intake)
{
  return (intake->whole || intake->x == NULL) && intake->n_jobs == 0 && intake->again.first == NULL;
}

void intake_give_up(struct intake *intake, const struct fault *f)
{
  if (!intake->given_up)
    fault_set_code(&intake->fault, f->code, "%s", f->detail);
  intake->given_up = true;
  intake->failing_since_ms = 0;
  intake_drop_jobs(intake);
  intakes_wake(intake->all);
}

/* --- the body --- */

/* What was right in the beginning is looked at again while it lasts. */
static bool check_principal(struct intake *intake, struct fault *f)
{
  int64_t now_ms = when_monotonic_ms();
  if (now_ms - intake->checked_ms < CHECK_MS)
    return true;
  intake->checked_ms = now_ms;
  return auth_check_again(intake->x, intake->proof_sha256, f);
}

/* Empty lines say nothing, and no time is given for them. */
static bool take_line(struct intake *intake, const struct line *line, bool *ret_progress,
                      struct fault *f)
{
  if (line->text.len == 0 && !line->too_long && !line->failed)
    return true;
  *ret_progress = true;
  intake->full = line->number > BATCH_LINES_MAX;
  return check_principal(intake, f) && intake_start_job(intake, line, f);
}

/* Nothing more is wanted of the body. */
static bool is_thrown_away(const struct intake *intake)
{
  return intake->given_up || intake->full;
}

static enum sink_state look(struct intake *intake, bool *ret_thrown_away)
{
  struct intakes *all = intake->all;
  enum sink_state state = SINK_GOES_ON;
  pthread_mutex_lock(&all->lock);
  *ret_thrown_away = is_thrown_away(intake);
  if (all->quitting)
    state = SINK_BREAKS_OFF;
  else if (!*ret_thrown_away && !intake_has_room(intake))
    state = SINK_WAITS;
  intake->waiting = state == SINK_WAITS;
  pthread_mutex_unlock(&all->lock);
  return state;
}

static void give_up(struct intake *intake, const struct fault *f)
{
  pthread_mutex_lock(&intake->all->lock);
  intake_give_up(intake, f);
  pthread_mutex_unlock(&intake->all->lock);
}

static enum sink_state take(void *state, struct bytes *octets, bool *ret_progress)
{
  struct intake *intake = state;
  while (octets->len > 0) {
    AUTO(fault) f = {0};
    struct line line;
    bool thrown_away, whole;
    enum sink_state next = look(intake, &thrown_away);
    if (next != SINK_GOES_ON)
      return next;
    size_t n = octets->len;
    if (!thrown_away)
      n = line_reader_take(&intake->reader, *octets, &whole, &line);
    if (!thrown_away && whole && !take_line(intake, &line, ret_progress, &f))
      give_up(intake, &f);
    *octets = bytes_of(octets->data + n, octets->len - n);
  }
  return SINK_GOES_ON;
}

static enum handled end(void *state)
{
  struct intake *intake = state;
  AUTO(fault) f = {0};
  struct line line;
  bool thrown_away, progress;
  look(intake, &thrown_away);
  line_reader_end(&intake->reader, &line);
  if (!thrown_away && !take_line(intake, &line, &progress, &f))
    give_up(intake, &f);
  pthread_mutex_lock(&intake->all->lock);
  intake->waiting = false;
  intake->whole = true;
  intakes_wake(intake->all);
  pthread_mutex_unlock(&intake->all->lock);
  return DEFERRED;
}

static void leave(void *state)
{
  struct intake *intake = state;
  struct intakes *all = intake->all;
  pthread_mutex_lock(&all->lock);
  bool ended = intake->ended;
  intake->x = NULL;
  intakes_wake(all);
  pthread_mutex_unlock(&all->lock);
  if (ended)
    intake_free(intake);
}

/* --- it begins --- */

static bool find_proof(struct exchange *x, struct intake *intake, struct fault *f)
{
  struct principal principal;
  bool found;
  return ledger_find_principal(x->service->ledger, x->principal.name, &found, &principal,
                               intake->proof_sha256, f);
}

bool intake_open(struct exchange *x, const uint8_t name[BATCH_NAME_LEN], struct fault *f)
{
  struct intakes *all = x->service->intakes;
  AUTO(intake) intake = calloc(1, sizeof *intake);
  if (intake == NULL)
    return fault_no_memory(f);
  intake->all = all;
  intake->service = x->service;
  intake->x = x;
  intake->checked_ms = when_monotonic_ms();
  intake->reader.limit_octets = BATCH_LINE_MAX;
  text_hex(intake->name, name, BATCH_NAME_LEN);
  if (!find_proof(x, intake, f) || !intakes_reserve(all, f))
    return false;
  if (!ledger_begin_batch(all->ledger, name, x->principal.name, when_now(), &intake->id, f)) {
    intakes_unreserve(all);
    return false;
  }
  intakes_add(intake);
  x->sink = (struct sink){.take = take, .end = end, .free = leave, .state = TAKE(intake)};
  return true;
}
