/* order_steps.h - steps with production orders, for the flow tests about them. */
#pragma once
#include "tests/flow/flow.h"

#include <stdio.h>

static struct flow flow;

static inline void post(const char *path, const char *token, const char *body,
                        struct answer *answer)
{
  flow_ask(&flow,
           &(struct ask){.method = "POST",
                         .path = path,
                         .token = token,
                         .content_type = body[0] != '\0' ? "application/json" : NULL,
                         .body = bytes_of_text(body)},
           answer);
}

static inline void get(const char *path, const char *token, struct answer *answer)
{
  flow_ask(&flow, &(struct ask){.path = path, .token = token}, answer);
}

static inline json_t *order(const char *name)
{
  AUTO(answer) answer = {0};
  char path[128];
  snprintf(path, sizeof path, "/v1/orders/%s", name);
  get(path, flow.admin, &answer);
  assert_int_equal(answer.status, 200);
  return answer_json(&answer);
}

static inline long number(const json_t *object, const char *name)
{
  const json_t *value = json_object_get(object, name);
  assert_true(json_is_integer(value));
  return (long)json_integer_value(value);
}

/* The counters, and that the rows in the ledger are as many. */
static inline void assert_counters(const char *name, long issued, long replaced)
{
  char sql[256];
  json_t *now = order(name);
  assert_int_equal(number(now, "issued"), issued);
  assert_int_equal(number(now, "replaced"), replaced);
  assert_int_equal(number(now, "issued") + number(now, "remaining"), number(now, "quantity"));
  json_decref(now);
  snprintf(sql, sizeof sql,
           "SELECT count(*) FROM certificates WHERE production_order ="
           " (SELECT id FROM labels WHERE text = '%s')",
           name);
  assert_int_equal(flow_sql(&flow, sql), issued + replaced);
}

static inline void issue(const char *serial, const char *more, struct answer *answer)
{
  AUTO(buf) csr = {0};
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), serial, "10.1.1.1", more, answer);
}
