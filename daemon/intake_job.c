/* intake_job.c - one line of a batch in the pipeline. See intake.h. */
#include <stdlib.h>

#include "daemon/intake.h"
#include "daemon/issue_decode.h"
#include "lib/base/when.h"

/* In the pipeline at a time, of one batch. The front is told to go on at the half, so that it
 * takes many lines in one go. */
enum { JOBS_MAX = 512, FULL_MS = 10, TRY_MS = 500, PATIENCE_MS = 60 * 1000 };

/* The job stands first: issue_job_free frees both. */
struct intake_job {
  struct issue_job job;
  struct intake *intake;
  bool is_decided; /* it has its outcome, which is to be recorded */
  struct intake_job *next;
};
_Static_assert(offsetof(struct intake_job, job) == 0, "issue_job_free frees the whole");

/* --- jobs that wait; with the lock held --- */

static void put_first(struct intake_jobs *jobs, struct intake_job *job)
{
  job->next = jobs->first;
  jobs->first = job;
  if (jobs->last == NULL)
    jobs->last = job;
}

static struct intake_job *take_first(struct intake_jobs *jobs)
{
  struct intake_job *job = jobs->first;
  if (job == NULL)
    return NULL;
  jobs->first = job->next;
  if (jobs->first == NULL)
    jobs->last = NULL;
  return job;
}

void intake_drop_jobs(struct intake *intake)
{
  struct intake_job *job;
  while ((job = take_first(&intake->again)) != NULL)
    issue_job_free(&job->job);
}

/* Since when nothing is possible, and why. BUSY alone is no failure: there are others, too. */
static void note_failure(struct intake *intake, const struct fault *f)
{
  int64_t now_ms = when_monotonic_ms();
  if (f->code == FAULT_BUSY)
    return;
  fault_set_code(&intake->why, f->code, "%s", f->detail);
  intake->try_at_ms = now_ms + TRY_MS;
  if (intake->failing_since_ms == 0)
    intake->failing_since_ms = now_ms;
}

static void keep_for_later(struct intake *intake, struct intake_job *job, const struct fault *f)
{
  note_failure(intake, f);
  put_first(&intake->again, job);
  if (intake->given_up)
    intake_drop_jobs(intake);
  intakes_wake(intake->all);
}

bool intake_has_room(const struct intake *intake)
{
  return intake->n_jobs < JOBS_MAX && intake->again.first == NULL && intake->failing_since_ms == 0;
}

struct exchange *intake_wake(struct intake *intake)
{
  bool has_room = intake_has_room(intake) && intake->n_jobs <= JOBS_MAX / 2;
  if (!intake->waiting || (!has_room && !intake->given_up && !intake->all->quitting))
    return NULL;
  intake->waiting = false;
  return intake->x;
}

/* --- the pipeline --- */

/* On a thread of the pipeline: nothing here waits. */
static void done(struct issue_job *job)
{
  struct intake_job *own = job->context;
  struct intake *intake = own->intake;
  struct intakes *all = intake->all;
  static const struct fault unwritten = {.code = FAULT_LEDGER,
                                         .detail = "what was decided cannot be written"};
  bool not_possible = fault_status(job->fault.code) == 503;
  own->is_decided = job->unwritten && !not_possible; /* it holds all the same */
  pthread_mutex_lock(&all->lock);
  intake->n_jobs--;
  if (not_possible || own->is_decided)
    keep_for_later(intake, own, not_possible ? &job->fault : &unwritten);
  else
    intake->failing_since_ms = 0;
  struct exchange *x = intake_wake(intake);
  if (intake->again.first != NULL || intake_is_over(intake))
    intakes_wake(all);
  pthread_mutex_unlock(&all->lock);
  /* From here on the intake may be gone. */
  if (!not_possible && !own->is_decided)
    issue_job_free(job);
  if (x != NULL)
    exchange_go_on(x);
}

/* Takes the job over; false: it waits in `again`. */
static bool submit(struct intake *intake, struct intake_job *own)
{
  AUTO(fault) f = {0};
  struct intakes *all = intake->all;
  pthread_mutex_lock(&all->lock);
  intake->n_jobs++;
  pthread_mutex_unlock(&all->lock);
  bool taken = own->is_decided ? issuer_record(all->issuer, &own->job, &f)
                               : issuer_submit(all->issuer, &own->job, &f);
  if (taken)
    return true;
  pthread_mutex_lock(&all->lock);
  intake->n_jobs--;
  keep_for_later(intake, own, &f);
  pthread_mutex_unlock(&all->lock);
  return false;
}

/* --- lines --- */

static bool check_line(const struct line *line, struct fault *f)
{
  if (line->number > BATCH_LINES_MAX)
    return fault_set(f, BODY_TOO_LARGE,
                     "a batch has at most %d lines: this one and those behind it are not looked at",
                     BATCH_LINES_MAX);
  return !line->too_long ||
         fault_set(f, BODY_TOO_LARGE, "a line has at most %d octets", BATCH_LINE_MAX);
}

bool intake_start_job(struct intake *intake, const struct line *line, struct fault *f)
{
  struct intake_job *own = calloc(1, sizeof *own);
  if (own == NULL || line->failed) {
    free(own);
    return fault_no_memory(f);
  }
  own->intake = intake;
  own->job.done = done;
  own->job.context = own;
  own->job.batch = intake->id;
  own->job.line = line->number;
  bool decoded = issue_decode_line(intake->x, line->text, &own->job.request, &own->job.fault);
  own->is_decided = !check_line(line, &own->job.fault) || !decoded;
  if (own->is_decided && own->job.fault.code == FAULT_NO_MEMORY) {
    issue_job_free(&own->job);
    return fault_no_memory(f);
  }
  submit(intake, own);
  return true;
}

/* --- again --- */

/* With the lock held, which it leaves meanwhile. As many as there is room for; while nothing is
 * possible, one. */
static void submit_some(struct intake *intake)
{
  struct intakes *all = intake->all;
  for (bool taken = true; taken && intake->again.first != NULL && intake->n_jobs < JOBS_MAX;) {
    struct intake_job *own = take_first(&intake->again);
    pthread_mutex_unlock(&all->lock);
    taken = submit(intake, own);
    pthread_mutex_lock(&all->lock);
    if (intake->failing_since_ms != 0)
      return;
  }
}

int64_t intake_try_again(struct intake *intake, int64_t now_ms)
{
  bool fails = intake->failing_since_ms != 0;
  if (intake->again.first == NULL)
    return INT64_MAX;
  if (fails && (intake->all->quitting || now_ms - intake->failing_since_ms > PATIENCE_MS)) {
    intake_give_up(intake, &intake->why);
    return INT64_MAX;
  }
  if (fails && intake->n_jobs > 0)
    return INT64_MAX; /* what becomes of these tells */
  if (fails && now_ms < intake->try_at_ms)
    return intake->try_at_ms;
  submit_some(intake);
  return now_ms + FULL_MS;
}
