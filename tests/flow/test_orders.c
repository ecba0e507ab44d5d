/* test_orders.c - production orders over the wire: what they allow, who may change them, and what
 * is told of them. */
#include "tests/flow/order_steps.h"

#include <stdlib.h>

static int set_up(void **state)
{
  (void)state;
  flow_begin(&flow, "\nprofile \"ordered\" {\n"
                    "  validity = \"825d\"\n"
                    "  key_types = {\"ec-p256\"}\n"
                    "  key_usage = {\"digitalSignature\"}\n"
                    "  ext_key_usage = {\"serverAuth\"}\n"
                    "  ip_ranges = {\"10.0.0.0/8\"}\n"
                    "  subject = {\"CN=${device_serial}\"}\n"
                    "  require_order = yes\n"
                    "}\n");
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

/* --- what an order allows --- */

static void a_request_takes_profile_and_model_from_its_order(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  flow_order(&flow, "PO-A", 5, ",\"model\":\"WX-4\"");
  make_csr(&csr);
  json_t *body = json_pack("{s:s, s:s, s:[s], s:s}", "csr", buf_text(&csr), "device_serial", "W-A1",
                           "ip_sans", "10.1.1.1", "order", "PO-A");
  char *text = json_dumps(body, 0);
  post("/v1/certificates", flow.station, text, &answer);
  assert_int_equal(answer.status, 201);
  json_t *reply = answer_json(&answer);
  assert_string_equal(json_text(reply, "profile"), "test");
  assert_string_equal(json_text(reply, "model"), "WX-4");
  assert_string_equal(json_text(reply, "order"), "PO-A");
  json_decref(reply);
  /* The very same request with both of them said is the same request. */
  json_object_set_new(body, "profile", json_string("test"));
  json_object_set_new(body, "model", json_string("WX-4"));
  free(text);
  text = json_dumps(body, 0);
  post("/v1/certificates", flow.station, text, &answer);
  assert_int_equal(answer.status, 200);
  assert_counters("PO-A", 1, 0);
  free(text);
  json_decref(body);
}

static void what_the_order_is_not_for_is_refused(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  flow_order(&flow, "PO-B", 5,
             ",\"model\":\"WX-4\",\"stations\":[\"line-1\"],\"ip_ranges\":[\"10.1.0.0/16\"]");
  flow_order(&flow, "PO-C", 5, ",\"stations\":[\"line-2\",\"line-3\"]");
  flow_order(&flow, "PO-D", 5, ",\"from\":\"2099-01-01T00:00:00Z\"");
  flow_order(&flow, "PO-E", 5, ",\"until\":\"2001-01-01T00:00:00Z\"");
  static const struct {
    const char *more, *code;
    long status;
  } cases[] = {
      {",\"order\":\"PO-none\"", "order-not-allowed", 422},
      {",\"order\":\"PO-B\",\"model\":\"WX-5\"", "order-not-allowed", 422},
      {",\"order\":\"PO-C\"", "order-not-allowed", 422},
      {",\"order\":\"PO-D\"", "order-closed", 409},
      {",\"order\":\"PO-E\"", "order-closed", 409},
  };
  long rows = flow_rows(&flow);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    issue("W-B1", cases[i].more, &answer);
    assert_problem(&answer, cases[i].status, cases[i].code);
  }
  AUTO(buf) csr = {0};
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-B1", "10.2.0.1", ",\"order\":\"PO-B\"", &answer);
  assert_problem(&answer, 422, "order-not-allowed");
  assert_non_null(strstr(buf_text(&answer.body), "\"10.2.0.1\""));
  assert_int_equal(flow_rows(&flow), rows);
  assert_counters("PO-B", 0, 0);
}

static void another_profile_is_refused_and_a_profile_may_want_an_order(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  flow_order(&flow, "PO-F", 5, NULL);
  post("/v1/orders", flow.admin, "{\"name\":\"PO-G\",\"profile\":\"ordered\",\"quantity\":1}",
       &answer);
  assert_int_equal(answer.status, 201);
  assert_string_equal(answer.location, "/v1/orders/PO-G");
  make_csr(&csr);
  static const struct {
    const char *more, *code; /* NULL: it is issued */
  } cases[] = {{"", "order-required"},
               {",\"order\":\"PO-F\"", "order-not-allowed"},
               {",\"order\":\"PO-G\"", NULL}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    json_t *pem = json_string(buf_text(&csr));
    char body[4096], *quoted = json_dumps(pem, JSON_ENCODE_ANY);
    snprintf(body, sizeof body, "{\"csr\":%s,\"device_serial\":\"W-F1\",\"profile\":\"ordered\"%s}",
             quoted, cases[i].more);
    post("/v1/certificates", flow.station, body, &answer);
    if (cases[i].code == NULL)
      assert_int_equal(answer.status, 201);
    else
      assert_problem(&answer, 422, cases[i].code);
    free(quoted);
    json_decref(pem);
  }
}

static void a_replay_counts_nothing_and_a_replacement_counts_apart(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  flow_order(&flow, "PO-H", 2, ",\"replacements\":1");
  make_csr(&csr);
  for (int i = 0; i < 3; i++) {
    flow_issue(&flow, buf_text(&csr), "W-H1", "10.1.1.1", ",\"order\":\"PO-H\"", &answer);
    assert_int_equal(answer.status, i == 0 ? 201 : 200);
  }
  assert_counters("PO-H", 1, 0);
  issue("W-H1", ",\"order\":\"PO-H\",\"replace\":true", &answer);
  assert_int_equal(answer.status, 201);
  assert_counters("PO-H", 1, 1);
  issue("W-H1", ",\"order\":\"PO-H\",\"replace\":true", &answer);
  assert_problem(&answer, 409, "order-exhausted");
  issue("W-H2", ",\"order\":\"PO-H\",\"replace\":true", &answer);
  assert_int_equal(answer.status, 201); /* there was nothing to replace: one of the quantity */
  assert_counters("PO-H", 2, 1);
  issue("W-H3", ",\"order\":\"PO-H\"", &answer);
  assert_problem(&answer, 409, "order-exhausted");
}

static void closed_means_closed_but_a_retry_is_answered(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  flow_order(&flow, "PO-I", 2, NULL);
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-I1", "10.1.1.1", ",\"order\":\"PO-I\"", &answer);
  assert_int_equal(answer.status, 201);
  post("/v1/orders/PO-I/close", flow.admin, "", &answer);
  assert_int_equal(answer.status, 200);
  json_t *closed = answer_json(&answer);
  assert_string_equal(json_text(closed, "state"), "closed");
  assert_true(strlen(json_text(closed, "closed_at")) > 0);
  json_decref(closed);
  post("/v1/orders/PO-I/close", flow.admin, "", &answer);
  assert_int_equal(answer.status, 200);
  flow_issue(&flow, buf_text(&csr), "W-I1", "10.1.1.1", ",\"order\":\"PO-I\"", &answer);
  assert_int_equal(answer.status, 200);
  issue("W-I2", ",\"order\":\"PO-I\"", &answer);
  assert_problem(&answer, 409, "order-closed");
  post("/v1/orders/PO-I/extend", flow.admin, "{\"by\":1}", &answer);
  assert_problem(&answer, 409, "order-closed");
}

static void an_exhausted_order_that_grows_goes_on(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  flow_order(&flow, "PO-J", 1, NULL);
  issue("W-J1", ",\"order\":\"PO-J\"", &answer);
  assert_int_equal(answer.status, 201);
  issue("W-J2", ",\"order\":\"PO-J\"", &answer);
  assert_problem(&answer, 409, "order-exhausted");
  post("/v1/orders/PO-J/extend", flow.admin, "{\"by\":1,\"replacements\":3}", &answer);
  assert_int_equal(answer.status, 200);
  issue("W-J2", ",\"order\":\"PO-J\"", &answer);
  assert_int_equal(answer.status, 201);
  assert_counters("PO-J", 2, 0);
}

static void a_malformed_order_is_refused_with_its_reason(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  static const struct {
    const char *path, *body, *code;
    long status;
  } cases[] = {
      {"/v1/orders", "", "unsupported-media-type", 415},
      {"/v1/orders", "[]", "bad-json", 400},
      {"/v1/orders", "{\"name\":\"PO-K\",\"quantity\":5}", "bad-field", 400},
      {"/v1/orders", "{\"name\":\"PO/K\",\"profile\":\"test\",\"quantity\":5}", "bad-field", 400},
      {"/v1/orders", "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":0}", "bad-field", 400},
      {"/v1/orders", "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":-1}", "bad-field", 400},
      {"/v1/orders", "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":1.5}", "bad-field", 400},
      {"/v1/orders", "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":\"5\"}", "bad-field",
       400},
      {"/v1/orders", "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":1000000001}",
       "bad-field", 400},
      {"/v1/orders", "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":5,\"issued\":1}",
       "unknown-field", 400},
      {"/v1/orders",
       "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":5,\"ip_ranges\":[\"10.1.0.1/16\"]}",
       "bad-field", 400},
      {"/v1/orders",
       "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":5,\"stations\":[\"a b\"]}",
       "bad-field", 400},
      {"/v1/orders",
       "{\"name\":\"PO-K\",\"profile\":\"test\",\"quantity\":5,\"from\":\"2099-01-02T00:00:00Z\","
       "\"until\":\"2099-01-01T00:00:00Z\"}",
       "bad-field", 400},
      {"/v1/orders", "{\"name\":\"PO-K\",\"profile\":\"no-such\",\"quantity\":5}",
       "unknown-profile", 422},
      {"/v1/orders/PO-K/extend", "{\"by\":1}", "unknown-order", 404},
      {"/v1/orders/PO-K/extend", "{\"by\":0}", "bad-field", 400},
      {"/v1/orders/PO-K/close", "", "unknown-order", 404},
      {"/v1/orders/PO-K/close", "{}", "body-too-large", 413},
      {"/v1/orders/PO-K/open", "{}", "not-found", 404},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    post(cases[i].path, flow.admin, cases[i].body, &answer);
    assert_problem(&answer, cases[i].status, cases[i].code);
  }
  get("/v1/orders/PO-K", flow.admin, &answer);
  assert_problem(&answer, 404, "unknown-order");
  get("/v1/orders/PO-K/report", flow.admin, &answer);
  assert_problem(&answer, 404, "unknown-order");
  get("/v1/orders?state=new", flow.admin, &answer);
  assert_problem(&answer, 400, "bad-field");
}

/* --- the report --- */

static void assert_sum(const json_t *sum, long issued, long replayed, long replaced, long refused)
{
  assert_int_equal(number(sum, "issued"), issued);
  assert_int_equal(number(sum, "replayed"), replayed);
  assert_int_equal(number(sum, "replaced"), replaced);
  assert_int_equal(number(sum, "refused"), refused);
}

static void the_report_tells_the_yield_by_station_and_hour(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  flow_order(&flow, "PO-M", 1, ",\"model\":\"WX-4\",\"replacements\":1");
  get("/v1/orders/PO-M/report", flow.admin, &answer);
  assert_int_equal(answer.status, 200);
  json_t *report = answer_json(&answer), *hour;
  assert_int_equal(json_array_size(json_object_get(report, "hours")), 0);
  assert_sum(json_object_get(report, "total"), 0, 0, 0, 0);
  json_decref(report);
  make_csr(&csr);
  for (int i = 0; i < 3; i++)
    flow_issue(&flow, buf_text(&csr), "W-M1", "10.1.1.1", ",\"order\":\"PO-M\"", &answer);
  issue("W-M1", ",\"order\":\"PO-M\",\"replace\":true", &answer);
  issue("W-M2", ",\"order\":\"PO-M\"", &answer);
  issue("W-M3", ",\"order\":\"PO-M\"", &answer);
  issue("W-M3", ",\"order\":\"PO-M\",\"model\":\"WX-5\"", &answer);
  get("/v1/orders/PO-M/report", flow.admin, &answer);
  report = answer_json(&answer);
  const json_t *total = json_object_get(report, "total"),
               *why = json_object_get(total, "refused_by_code");
  assert_sum(total, 1, 2, 1, 3);
  assert_int_equal(json_object_size(why), 2);
  assert_int_equal(number(why, "order-exhausted"), 2);
  assert_int_equal(number(why, "order-not-allowed"), 1);
  assert_int_equal(number(json_object_get(report, "order"), "issued"), 1);
  /* The hour may have changed in between. */
  long sum = 0;
  size_t i;
  json_array_foreach(json_object_get(report, "hours"), i, hour)
  {
    assert_string_equal(json_text(hour, "station"), "line-1");
    assert_string_equal(json_text(hour, "hour") + 13, ":00:00Z");
    sum += number(hour, "issued") + number(hour, "replayed") + number(hour, "replaced") +
           number(hour, "refused");
  }
  assert_true(i == 1 || i == 2);
  assert_int_equal(sum, 7);
  json_decref(report);
}

/* --- who may --- */

static void add_principal(const char *name, const char *role, char token[128])
{
  AUTO(answer) answer = {0};
  char body[128];
  snprintf(body, sizeof body, "{\"name\":\"%s\",\"role\":\"%s\"}", name, role);
  post("/v1/principals", flow.admin, body, &answer);
  assert_int_equal(answer.status, 201);
  json_t *reply = answer_json(&answer);
  snprintf(token, 128, "%s", json_text(reply, "token"));
  json_decref(reply);
}

/* The names of a listing, page by page. */
static void list(const char *token, const char *filter, char out[512])
{
  char path[512], cursor[128] = "";
  out[0] = '\0';
  do {
    AUTO(answer) answer = {0};
    snprintf(path, sizeof path, "/v1/orders?limit=2%s%s%s", filter,
             cursor[0] != '\0' ? "&cursor=" : "", cursor);
    get(path, token, &answer);
    assert_int_equal(answer.status, 200);
    json_t *page = answer_json(&answer), *one;
    size_t i;
    json_array_foreach(json_object_get(page, "orders"), i, one)
    {
      if (strncmp(json_text(one, "name"), "PO-L", 4) == 0)
        strcat(strcat(out, json_text(one, "name")), " ");
    }
    const char *next = json_string_value(json_object_get(page, "next_cursor"));
    snprintf(cursor, sizeof cursor, "%s", next != NULL ? next : "");
    json_decref(page);
  } while (cursor[0] != '\0');
}

static void each_role_sees_and_does_what_is_its(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  char operator[128], auditor[128], names[512];
  add_principal("op-1", "operator", operator);
  add_principal("audit-1", "auditor", auditor);
  flow_order(&flow, "PO-L1", 1, NULL);
  flow_order(&flow, "PO-L2", 1, ",\"stations\":[\"line-2\"]");
  flow_order(&flow, "PO-L3", 1, ",\"stations\":[\"line-1\"]");
  flow_order(&flow, "PO-L4", 1, NULL);
  post("/v1/orders/PO-L4/close", operator, "", &answer);
  assert_int_equal(answer.status, 200);
  list(auditor, "", names);
  assert_string_equal(names, "PO-L4 PO-L3 PO-L2 PO-L1 ");
  list(operator, "&state=open", names);
  assert_string_equal(names, "PO-L3 PO-L2 PO-L1 ");
  list(flow.station, "", names);
  assert_string_equal(names, "PO-L3 PO-L1 ");
  get("/v1/orders?state=closed", flow.station, &answer);
  assert_problem(&answer, 403, "forbidden");
  get("/v1/orders/PO-L3", flow.station, &answer);
  assert_int_equal(answer.status, 200);
  get("/v1/orders/PO-L2", flow.station, &answer);
  assert_problem(&answer, 404, "unknown-order");
  get("/v1/orders/PO-L4", flow.station, &answer);
  assert_problem(&answer, 404, "unknown-order");
  get("/v1/orders/PO-L3/report", flow.station, &answer);
  assert_problem(&answer, 403, "forbidden");
  const char *const may_not[] = {auditor, flow.station};
  for (size_t i = 0; i < ARRAY_LEN(may_not); i++) {
    post("/v1/orders/PO-L1/close", may_not[i], "", &answer);
    assert_problem(&answer, 403, "forbidden");
    post("/v1/orders", may_not[i], "{}", &answer);
    assert_problem(&answer, 403, "forbidden");
  }
  get("/v1/orders", NULL, &answer);
  assert_problem(&answer, 401, "unauthenticated");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_request_takes_profile_and_model_from_its_order),
      cmocka_unit_test(what_the_order_is_not_for_is_refused),
      cmocka_unit_test(another_profile_is_refused_and_a_profile_may_want_an_order),
      cmocka_unit_test(a_replay_counts_nothing_and_a_replacement_counts_apart),
      cmocka_unit_test(closed_means_closed_but_a_retry_is_answered),
      cmocka_unit_test(an_exhausted_order_that_grows_goes_on),
      cmocka_unit_test(a_malformed_order_is_refused_with_its_reason),
      cmocka_unit_test(the_report_tells_the_yield_by_station_and_hour),
      cmocka_unit_test(each_role_sees_and_does_what_is_its),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
