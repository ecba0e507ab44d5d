/* issue_writer.c - the one thread that writes the ledger: what has gathered while the last
 * transaction went to the disk goes into the next one. See issue.h: durable before released. */
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/batch.h"
#include "lib/ca/event.h"
#include "lib/ca/issue_private.h"

/* While others are on their way a transaction waits a moment for them, or for half of many: each
 * one costs a sync, and writes pages that they share. One request alone waits for nobody. */
static const struct job_taker taker = {
    .takers = 1, .share = 2, .few = 16, .gather_us = 1500, .most = 512};

static void describe_who(const struct issue_request *request, struct event *event)
{
  TEXT_COPY(event->principal, bytes_of_text(request->station));
  TEXT_COPY(event->source, bytes_of_text(request->source));
  TEXT_COPY(event->request_id, bytes_of_text(request->request_id));
}

static void describe(const struct issue_job *job, struct event *event)
{
  const struct issue_request *request = &job->request;
  const struct issued *row = &job->result.row;
  bool refused = job->fault.code != FAULT_NONE;
  if (refused)
    event->kind = EVENT_REFUSED;
  else if (job->result.replayed)
    event->kind = EVENT_REPLAYED;
  else if (row->is_renewal)
    event->kind = EVENT_RENEWED;
  else
    event->kind = row->is_replacement ? EVENT_REPLACED : EVENT_ISSUED;
  event->code = job->fault.code;
  event->certificate = refused ? 0 : row->id;
  TEXT_COPY(event->device_serial, bytes_of_text(request->device_serial));
  TEXT_COPY(event->profile, bytes_of_text(request->profile));
  TEXT_COPY(event->order, bytes_of_text(request->order));
}

/* False when the whole batch is lost; *f is then the reason. A refusal is this job's alone. `who`
 * is for the events of what is revoked in its favour. */
static bool append(struct ledger_batch *batch, struct issue_job *job, const struct event *who,
                   int64_t now, struct fault *f)
{
  struct issue_request *request = &job->request;
  struct issued *row = &job->result.row;
  AUTO(issued) earlier = {0};
  bool replayed = false;
  row->who = who;
  bool added =
      ledger_append(batch, row, &request->names, request->replace, now, &replayed, &earlier, f);
  row->who = NULL;
  if (added && replayed) {
    issued_free(row);
    job->result = (struct issue_result){.replayed = true, .row = earlier};
    earlier = (struct issued){0};
  }
  if (added)
    return true;
  if (fault_whose(f->code) == FAULT_OURS)
    return false;
  fault_move(&job->fault, f);
  return true;
}

/* Of a line of a batch. What was not possible now (503) is no answer to it: it is tried again. */
static bool keep_outcome(struct ledger_batch *batch, const struct issue_job *job, struct fault *f)
{
  bool refused = job->fault.code != FAULT_NONE;
  if (job->batch == 0 || fault_status(job->fault.code) == 503)
    return true;
  const struct batch_outcome outcome = {.batch = job->batch,
                                        .line = job->line,
                                        .certificate = refused ? 0 : job->result.row.id,
                                        .replayed = job->result.replayed,
                                        .fault = &job->fault};
  return ledger_add_batch_line(batch, &outcome, f);
}

/* One job's row, unless a worker has come to its end already, and its event. */
static bool settle(struct ledger_batch *batch, struct issue_job *job, int64_t now, struct fault *f)
{
  struct event event = {0};
  describe_who(&job->request, &event);
  if (!job->decided && !append(batch, job, &event, now, f))
    return false;
  /* Devices ask too early again and again, and nothing comes of it. */
  if (job->fault.code == FAULT_RENEWAL_TOO_EARLY)
    return true;
  describe(job, &event);
  return ledger_add_event(batch, &event, f) && keep_outcome(batch, job, f);
}

/* All of the batch on disk, or nothing. */
static bool write_all(struct issuer *issuer, const struct job_list *list, struct fault *f)
{
  struct ledger_batch *batch;
  int64_t now = when_now();
  if (!ledger_begin(issuer->ledger, &batch, f))
    return false;
  for (struct issue_job *job = list->first; job != NULL; job = job->next)
    if (!settle(batch, job, now, f)) {
      ledger_roll_back(batch);
      return false;
    }
  return ledger_commit(batch, f);
}

/* What a job was told within a batch that was lost rests on rows that are not there. What a worker
 * decided holds without: a refusal, or a certificate that is on the record; only its event is lost,
 * and the ledger that cannot be written is a matter of the probes. */
static void finish_all(struct issuer *issuer, struct job_list *list, bool written,
                       const struct fault *f)
{
  struct issue_job *job;
  while ((job = job_list_take(list)) != NULL) {
    job->unwritten = !written && job->batch != 0;
    if (!written && !job->decided)
      issuer_fail(issuer, job, f);
    else if (job->fault.code != FAULT_NONE)
      issuer_fail(issuer, job, NULL);
    else
      issuer_finish(issuer, job);
  }
}

/* The key holder is to know of a certificate before anybody has it: see standing.h. */
static void tell_key_holder(struct issuer *issuer, const struct job_list *list)
{
  for (const struct issue_job *job = list->first; job != NULL; job = job->next)
    if (!job->decided && job->fault.code == FAULT_NONE && !job->result.replayed) {
      standing_tell(issuer->standing);
      return;
    }
}

void *writer_run(void *context)
{
  struct issuer *issuer = context;
  struct job_list list;
  while (job_queue_take(&issuer->ready, &taker, &issuer->n_jobs, &list)) {
    AUTO(fault) f = {0};
    bool written = write_all(issuer, &list, &f);
    if (written)
      tell_key_holder(issuer, &list);
    finish_all(issuer, &list, written, &f);
  }
  return NULL;
}
