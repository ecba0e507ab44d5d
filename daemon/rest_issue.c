/* rest_issue.c - POST /v1/certificates and /v1/renew: decodes, hands over to the pipeline, encodes.
 */
#include <stdlib.h>

#include "daemon/cert_form.h"
#include "daemon/issue_decode.h"
#include "daemon/rest.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/text.h"
#include "lib/ca/recorder.h"

/* What a request is while the pipeline has it. The job stands first: issue_job_free frees both. */
struct call {
  struct issue_job job;
  struct exchange *x;
  const struct cert_form *form;
};
_Static_assert(offsetof(struct call, job) == 0, "issue_job_free frees the call");

AUTO_POINTER(issue_job, struct issue_job, issue_job_free)

static void put_location(struct exchange *x)
{
  static const char folder[] = "/v1/certificates/";
  _Static_assert(sizeof x->reply.location >= sizeof folder + sizeof x->serial_number, "it fits");
  memcpy(x->reply.location, folder, sizeof folder);
  memcpy(x->reply.location + sizeof folder - 1, x->serial_number, sizeof x->serial_number);
}

static bool reply(struct exchange *x, const struct cert_form *form, struct issue_result *result,
                  struct fault *f)
{
  struct issued *row = &result->row;
  text_hex(x->serial_number, row->serial_number, sizeof row->serial_number);
  /* The ledger gives a status to rows that it reads. This one was just written, or is current. */
  row->status = STATUS_VALID;
  const struct authority *authority = authorities_named(x->service->authorities, row->authority);
  if (!cert_form_reply(form, row, authority, result->replayed ? 200 : 201, &x->reply, f))
    return false;
  if (!result->replayed)
    put_location(x);
  return true;
}

static void complete(struct exchange *x)
{
  struct call *call = x->completes;
  struct issue_job *job = &call->job;
  if (job->fault.code != FAULT_NONE || !reply(x, call->form, &job->result, &job->fault))
    exchange_fail(x, &job->fault);
  issue_job_free(job);
}

/* On the one thread that writes the ledger: others are better placed to make the reply. */
static void done(struct issue_job *job)
{
  struct call *call = job->context;
  struct exchange *x = call->x;
  x->recorded = true;
  x->complete = complete;
  x->completes = call;
  exchange_finish(x);
}

typedef bool decoder(const struct exchange *x, struct issue_request *request, struct fault *f);

/* A form that cannot be had is refused before anything is issued. */
static bool prepare(struct exchange *x, struct call *call, decoder *decode, struct fault *f)
{
  call->x = x;
  call->job.done = done;
  call->job.context = call;
  if (!cert_form_choose(x->accept, &call->form, f))
    return false;
  bool decoded = decode(x, &call->job.request, f);
  TEXT_COPY(x->device_serial, bytes_of_text(call->job.request.device_serial));
  return decoded;
}

/* What never comes to the pipeline counts in a line's yield all the same. Too much work is told by
 * 503 alone: recording each one would make it more. Denials are recorded by the front. */
static void note_refusal(const struct exchange *x, const struct issue_request *request,
                         enum fault_code code)
{
  struct event event = who_asks(x);
  if (fault_whose(code) == FAULT_OURS || event_is_denial(code))
    return;
  event.kind = EVENT_REFUSED;
  event.code = code;
  TEXT_COPY(event.device_serial, bytes_of_text(request->device_serial));
  TEXT_COPY(event.profile, bytes_of_text(request->profile));
  TEXT_COPY(event.order, bytes_of_text(request->order));
  recorder_note(x->service->recorder, &event);
}

static bool submit(struct exchange *x, decoder *decode, struct fault *f)
{
  struct call *call = calloc(1, sizeof *call);
  if (call == NULL)
    return fault_no_memory(f);
  AUTO(issue_job) job = &call->job;
  if (!prepare(x, call, decode, f) || !issuer_submit(x->service->issuer, job, f)) {
    note_refusal(x, &call->job.request, f->code);
    return false;
  }
  (void)TAKE(job);
  return true;
}

static enum handled answer(struct exchange *x, decoder *decode)
{
  AUTO(fault) f = {0};
  return submit(x, decode, &f) ? DEFERRED : exchange_fail(x, &f);
}

enum handled rest_issue(struct exchange *x)
{
  return answer(x, issue_decode);
}

enum handled rest_renew(struct exchange *x)
{
  return answer(x, renew_decode);
}
