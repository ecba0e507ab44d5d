/* front_request.c - the life of one request: head, body, handler, reply, line of log. */
#include "daemon/front_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/metrics.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/ca/recorder.h"

/* A chunked body over the limit is thrown away up to here; then the connection is cut. */
enum { PATIENCE = 4, PATIENCE_LEAST = 64 * 1024 };

static struct conn *conn_of(struct MHD_Connection *connection)
{
  const union MHD_ConnectionInfo *context =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
  return context != NULL ? context->socket_context : NULL;
}

/* libmicrohttpd would split the query, which nobody asks it for, with the memory that it needs for
 * its answer: with many parameters there would be none, and nobody would be told of the request's
 * end. So it is shown an empty query. */
static void cut_query(const char *target)
{
  char *mark = strchr((char *)(uintptr_t)target, '?');
  if (mark != NULL && mark[1] != '\0')
    mark[1] = '\0';
}

/* What remains of the deadline for the handshake, or for the next request, is not given anew. */
static void set_request_deadline(struct conn *conn, unsigned seconds)
{
  int64_t before_ms = conn->deadline_ms;
  front_set_deadline(conn, seconds);
  if (before_ms != 0 && before_ms < conn->deadline_ms)
    conn->deadline_ms = before_ms;
}

/* A connection has one request at a time: the memory of one serves all. */
static struct incoming *new_incoming(struct conn *conn, const char *target)
{
  char *own_target = strdup(target);
  if (own_target == NULL)
    return NULL;
  if (conn->incoming == NULL)
    conn->incoming = malloc(sizeof *conn->incoming);
  if (conn->incoming == NULL) {
    free(own_target);
    return NULL;
  }
  *conn->incoming = (struct incoming){.conn = conn, .target = own_target};
  return conn->incoming;
}

void *front_on_target(void *context, const char *target, struct MHD_Connection *connection)
{
  struct front *front = context;
  struct conn *conn = conn_of(connection);
  struct incoming *in = conn != NULL ? new_incoming(conn, target) : NULL;
  if (in == NULL)
    return NULL;
  cut_query(target);
  in->front = front;
  in->connection = connection;
  in->x.front = in;
  in->x.service = front->service;
  in->x.started_us = when_monotonic_us();
  memcpy(in->x.source, conn->source, sizeof in->x.source);
  front->n_requests++;
  set_request_deadline(conn, front->request_seconds);
  return in;
}

/* --- the handler --- */

static bool call_handler(struct incoming *in, enum handled *ret_handled, struct fault *f)
{
  struct front *front = in->front;
  /* Counted before the doors are looked at, so that front_close_doors() misses none. */
  front->n_handlers++;
  bool open = !front->doors_closed;
  if (open)
    *ret_handled =
        in->x.sink.end != NULL ? in->x.sink.end(in->x.sink.state) : in->route->handler(&in->x);
  front->n_handlers--;
  return open || fault_set(f, STOPPING, "the daemon is stopping: ask again in a moment");
}

/* --- the head --- */

/* x.reply becomes the problem document; Allow and Retry-After stay when they were set for it. */
static void refuse(struct incoming *in, const struct fault *f)
{
  const char *allow = in->x.reply.allow;
  unsigned retry_after_s = in->x.reply.retry_after_s;
  exchange_fail(&in->x, f);
  in->x.reply.allow = allow;
  if (retry_after_s > 0)
    in->x.reply.retry_after_s = retry_after_s;
  in->answered = true;
}

/* False: there is an answer already, or *f is one. */
static bool open_sink(struct incoming *in, struct fault *f)
{
  enum handled handled;
  if (!call_handler(in, &handled, f))
    return false;
  in->answered = in->x.sink.take == NULL;
  return !in->answered;
}

static enum MHD_Result begin(struct incoming *in, const char *method, const char *version)
{
  AUTO(fault) fault = {0};
  in->begun = true;
  in->may_stay = strcmp(version, MHD_HTTP_VERSION_1_1) == 0;
  memcpy(in->method, method, strnlen(method, sizeof in->method - 1));
  bool taken = front_take_head(in, method, version, &fault);
  if (taken && ((in->route->roles & AS_IT_COMES) == 0 || open_sink(in, &fault)))
    return MHD_YES;
  if (!in->answered)
    refuse(in, &fault);
  /* Once the body begins to arrive no answer can be given until its end: so now, or never. */
  if (!in->close && !in->has_body)
    return MHD_YES;
  in->close = true;
  in->conn->linger = true;
  return front_send(in);
}

/* --- the body --- */

static void suspend(struct incoming *in)
{
  enum progress running = RUNNING;
  MHD_suspend_connection(in->connection);
  if (!atomic_compare_exchange_strong(&in->progress, &running, SUSPENDED))
    MHD_resume_connection(in->connection);
}

/* Leaves in *len what was not taken. While the sink waits the time is ours, and not the peer's. */
static enum MHD_Result pour(struct incoming *in, const char *octets, size_t *len)
{
  struct sink *sink = &in->x.sink;
  struct bytes left = bytes_of(octets, *len);
  bool progress = in->waits;
  in->progress = RUNNING;
  enum sink_state state = sink->take(sink->state, &left, &progress);
  in->received += *len - left.len;
  *len = left.len;
  in->waits = state == SINK_WAITS;
  if (state == SINK_BREAKS_OFF)
    return MHD_NO;
  if (in->waits || progress)
    front_set_deadline(in->conn, in->waits ? 0 : in->front->request_seconds);
  if (in->waits)
    suspend(in);
  return MHD_YES;
}

static enum MHD_Result take_body(struct incoming *in, const char *octets, size_t len)
{
  AUTO(fault) fault = {0};
  size_t limit = in->route->limit_octets;
  in->received += len;
  if (in->received <= limit) {
    buf_add(&in->x.body, octets, len);
    return MHD_YES;
  }
  if (in->received > (uint64_t)PATIENCE * limit + PATIENCE_LEAST)
    return MHD_NO;
  if (!in->answered) {
    buf_free(&in->x.body);
    fault_set(&fault, BODY_TOO_LARGE, "at most %zu octets are taken here", limit);
    refuse(in, &fault);
  }
  return MHD_YES;
}

/* --- the end of the body --- */

static void complete(struct incoming *in)
{
  if (in->x.complete != NULL)
    in->x.complete(&in->x);
  in->x.complete = NULL;
}

static enum MHD_Result send_finished(struct incoming *in)
{
  complete(in);
  return front_send(in);
}

/* The handler keeps the exchange: suspends the connection, unless its reply is there already. */
static enum MHD_Result wait_for_finish(struct incoming *in)
{
  if (in->progress == FINISHED)
    return send_finished(in);
  suspend(in);
  return MHD_YES;
}

static enum MHD_Result dispatch(struct incoming *in)
{
  AUTO(fault) fault = {0};
  enum handled handled = HANDLED;
  front_set_deadline(in->conn, 0);
  if (!buf_ok(&in->x.body))
    fault_no_memory(&fault);
  else if (call_handler(in, &handled, &fault))
    return handled == DEFERRED ? wait_for_finish(in) : front_send(in);
  refuse(in, &fault);
  return front_send(in);
}

/* Unless it was suspended, `in` may be gone as soon as `progress` is said. */
static void resume(struct incoming *in, enum progress progress)
{
  struct MHD_Connection *connection = in->connection;
  if (atomic_exchange(&in->progress, progress) == SUSPENDED)
    MHD_resume_connection(connection);
}

void exchange_finish(struct exchange *x)
{
  resume(incoming_of(x), FINISHED);
}

void exchange_go_on(struct exchange *x)
{
  resume(incoming_of(x), GOES_ON);
}

/* The thread that keeps the deadlines does it. */
void exchange_cut(struct exchange *x)
{
  incoming_of(x)->conn->cut = true;
}

enum MHD_Result front_on_request(void *context, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *upload,
                                 size_t *upload_len, void **request)
{
  (void)context, (void)connection, (void)url;
  struct incoming *in = *request;
  if (in == NULL)
    return MHD_NO; /* no memory for it */
  if (!in->begun)
    return begin(in, method, version);
  if (*upload_len > 0 && in->x.sink.take != NULL && !in->answered)
    return pour(in, upload, upload_len);
  if (*upload_len > 0) {
    size_t len = *upload_len;
    *upload_len = 0;
    return take_body(in, upload, len);
  }
  if (in->answered || in->progress == FINISHED)
    return send_finished(in);
  return dispatch(in);
}

/* --- the end --- */

static const char *how_it_ended(const struct incoming *in, enum MHD_RequestTerminationCode how)
{
  if (how == MHD_REQUEST_TERMINATED_COMPLETED_OK)
    return NULL;
  bool late = in->conn->timed_out || how == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED;
  return late ? "timeout" : "aborted";
}

/* The route's pattern; what has no route is shown as it came, so far as it makes sense. */
static const char *path_for_log(const struct incoming *in, char shown[129])
{
  if (in->route != NULL)
    return in->route->pattern;
  if (in->x.path == NULL)
    return NULL;
  snprintf(shown, 129, "%s", in->x.path);
  return shown;
}

/* Verifiers fetch what is public by the thousand: that it was fetched is no news. */
static enum log_level level_of(const struct incoming *in)
{
  if (in->x.code != FAULT_NONE)
    return fault_whose(in->x.code) == FAULT_OURS ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
  bool is_public = in->route != NULL && (in->route->roles & ON_PLAIN_TOO) != 0;
  return is_public ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

static void log_request(const struct incoming *in, const char *ended, int64_t took_us)
{
  const struct exchange *x = &in->x;
  char shown[129];
  bool failed = x->code != FAULT_NONE;
  log_say(level_of(in), "request", LOG_TEXT("request_id", x->request_id[0] ? x->request_id : NULL),
          LOG_TEXT("principal", x->principal.name[0] ? x->principal.name : NULL),
          LOG_TEXT("source", x->source), LOG_TEXT("method", in->method[0] ? in->method : NULL),
          LOG_TEXT("path", path_for_log(in, shown)), LOG_NUMBER("status", in->sent_status),
          LOG_TEXT("code", failed ? fault_problem_code(x->code) : NULL),
          LOG_TEXT("detail", x->detail[0] ? x->detail : NULL),
          LOG_TEXT("device_serial", x->device_serial[0] ? x->device_serial : NULL),
          LOG_TEXT("serial_number", x->serial_number[0] ? x->serial_number : NULL),
          LOG_TEXT("ended", ended), LOG_NUMBER("ms", took_us / 1000));
}

/* Not let in, or not let do it: see recorder.h for how many are kept. */
static void note_denial(const struct incoming *in)
{
  const struct exchange *x = &in->x;
  if (x->recorded || !event_is_denial(x->code))
    return;
  struct event event = who_asks(x);
  event.kind = EVENT_DENIED;
  event.code = x->code;
  if (in->route != NULL)
    snprintf(event.about, sizeof event.about, "%s %s", in->method, in->route->pattern);
  recorder_note(x->service->recorder, &event);
}

/* What libmicrohttpd answered by itself: a head that it could not read. */
static void note_refusal_of_mhd(struct incoming *in)
{
  const union MHD_ConnectionInfo *status =
      MHD_get_connection_info(in->connection, MHD_CONNECTION_INFO_HTTP_STATUS);
  if (in->sent_status != 0 || status == NULL)
    return;
  in->sent_status = status->http_status;
  in->x.code = FAULT_BAD_REQUEST;
}

void front_on_completed(void *context, struct MHD_Connection *connection, void **request,
                        enum MHD_RequestTerminationCode how)
{
  (void)connection;
  struct front *front = context;
  struct incoming *in = *request;
  *request = NULL;
  if (in == NULL)
    return;
  complete(in);
  front_tls_let_go(in);
  note_refusal_of_mhd(in);
  const char *ended = how_it_ended(in, how);
  if (in->sent_status == 0 && in->conn->timed_out)
    in->x.code = FAULT_REQUEST_TIMEOUT;
  int64_t took_us = when_monotonic_us() - in->x.started_us;
  log_request(in, ended, took_us);
  metrics_count_request(front->service->metrics, in->route, in->sent_status, took_us);
  note_denial(in);
  front_set_deadline(in->conn, front->idle_seconds + front->request_seconds);
  exchange_clear(&in->x);
  free(in->target);
  front->n_requests--;
}
