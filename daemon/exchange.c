/* exchange.c - see exchange.h. */
#include "daemon/exchange.h"

#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/query.h"

const char *exchange_query(const struct exchange *x, const char *name)
{
  for (size_t i = 0; i < x->n_query; i++)
    if (strcmp(x->query[i].name, name) == 0)
      return x->query[i].value;
  return NULL;
}

/* [{"name": ..., "why": ...}]; a reference that the caller owns, or NULL. */
static json_t *errors_json(const struct fault *f)
{
  json_t *errors = json_array();
  for (size_t i = 0; i < f->n_items; i++)
    json_array_append_new(errors,
                          json_pack("{s:s,s:s}", "name", f->items[i].name, "why", f->items[i].why));
  return errors;
}

/* RFC 9457, section 3; `code`, `request_id` and `errors` are extension members (3.2). */
static json_t *problem_json(const struct exchange *x, const struct fault *f)
{
  const char *code = fault_problem_code(f->code);
  json_t *problem = json_pack("{s:s+,s:s,s:i,s:s,s:s,s:s}", "type", "urn:mintmark:problem:", code,
                              "title", fault_title(f->code), "status", fault_status(f->code),
                              "detail", f->detail, "code", code, "request_id", x->request_id);
  if (problem != NULL && f->n_items > 0)
    json_object_set_new(problem, "errors", errors_json(f));
  return problem;
}

static int add_to_body(const char *text, size_t len, void *body)
{
  buf_add(body, text, len);
  return buf_ok(body) ? 0 : -1;
}

static unsigned retry_after_s(enum fault_code code)
{
  int status = fault_status(code);
  if (status != 429 && status != 503)
    return 0;
  return code == FAULT_BUSY || code == FAULT_TOO_MANY_REQUESTS ? 1 : 5;
}

enum handled exchange_fail(struct exchange *x, const struct fault *f)
{
  struct reply *reply = &x->reply;
  reply_clear(reply);
  x->code = f->code;
  if (fault_whose(f->code) == FAULT_OURS)
    memcpy(x->detail, f->detail, sizeof x->detail);
  reply->status = (unsigned)fault_status(f->code);
  reply->content_type = "application/problem+json";
  reply->retry_after_s = retry_after_s(f->code);
  if (f->code == FAULT_UNAUTHENTICATED)
    reply->www_authenticate = "Bearer realm=\"mintmark\"";
  /* Without memory the status goes out alone. */
  json_t *problem = problem_json(x, f);
  if (problem == NULL || json_dump_callback(problem, add_to_body, &reply->body, JSON_COMPACT) != 0)
    buf_clear(&reply->body);
  else
    buf_add_u8(&reply->body, '\n');
  json_decref(problem);
  return HANDLED;
}

void reply_clear(struct reply *reply)
{
  if (reply->stream.free != NULL)
    reply->stream.free(reply->stream.state);
  if (reply->secret)
    buf_wipe(&reply->body);
  else
    buf_free(&reply->body);
  if (reply->file.given)
    close(reply->file.fd);
  *reply = (struct reply){0};
}

void exchange_clear(struct exchange *x)
{
  if (x->sink.free != NULL)
    x->sink.free(x->sink.state);
  free(x->path);
  query_free(x->query, x->n_query);
  buf_wipe(&x->body);
  reply_clear(&x->reply);
}
