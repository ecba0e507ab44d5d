/* test_orders.c - production orders over the wire: what they allow, and that they never overrun,
 * not in a race and not when the daemon is killed in the middle of it. */
#include "tests/flow/flow.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/when.h"

static struct flow flow;

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

/* --- steps --- */

static void post(const char *path, const char *token, const char *body, struct answer *answer)
{
  flow_ask(&flow,
           &(struct ask){.method = "POST",
                         .path = path,
                         .token = token,
                         .content_type = body[0] != '\0' ? "application/json" : NULL,
                         .body = bytes_of_text(body)},
           answer);
}

static void get(const char *path, const char *token, struct answer *answer)
{
  flow_ask(&flow, &(struct ask){.path = path, .token = token}, answer);
}

static json_t *order(const char *name)
{
  AUTO(answer) answer = {0};
  char path[128];
  snprintf(path, sizeof path, "/v1/orders/%s", name);
  get(path, flow.admin, &answer);
  assert_int_equal(answer.status, 200);
  return answer_json(&answer);
}

static long number(const json_t *object, const char *name)
{
  const json_t *value = json_object_get(object, name);
  assert_true(json_is_integer(value));
  return (long)json_integer_value(value);
}

/* The counters, and that the rows in the ledger are as many. */
static void assert_counters(const char *name, long issued, long replaced)
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

static void issue(const char *serial, const char *more, struct answer *answer)
{
  AUTO(buf) csr = {0};
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), serial, "10.1.1.1", more, answer);
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

/* --- the race --- */

enum { CLIENTS = 64, ORDERED = 110, LAST = 10 };

struct client {
  unsigned n;
  const char *order;
  struct buf csr;
  long status;       /* of the first answer that came; 0: none did */
  char code[64];     /* of a problem */
  char received[48]; /* the serial number */
  pthread_t thread;
};

static struct client clients[CLIENTS];
static atomic_uint n_received;

static void *run_client(void *context)
{
  struct client *c = context;
  AUTO(answer) answer = {0};
  char serial[32], more[64];
  snprintf(serial, sizeof serial, "W-%s-%u", c->order, c->n);
  snprintf(more, sizeof more, ",\"order\":\"%s\"", c->order);
  flow_issue(&flow, buf_text(&c->csr), serial, "10.1.1.1", more, &answer);
  c->status = answer.status;
  if (answer.status == 0)
    return NULL;
  json_t *reply = answer_json(&answer);
  const char *serial_number = json_string_value(json_object_get(reply, "serial_number"));
  const char *code = json_string_value(json_object_get(reply, "code"));
  snprintf(c->received, sizeof c->received, "%s", serial_number != NULL ? serial_number : "");
  snprintf(c->code, sizeof c->code, "%s", code != NULL ? code : "");
  n_received += serial_number != NULL;
  json_decref(reply);
  return NULL;
}

static void clients_start(const char *order_name)
{
  n_received = 0;
  for (unsigned i = 0; i < CLIENTS; i++) {
    if (clients[i].csr.len == 0)
      make_csr(&clients[i].csr);
    clients[i].n = i;
    clients[i].order = order_name;
    clients[i].status = 0;
    clients[i].received[0] = clients[i].code[0] = '\0';
  }
  for (unsigned i = 0; i < CLIENTS; i++)
    assert_int_equal(pthread_create(&clients[i].thread, NULL, run_client, &clients[i]), 0);
}

static void clients_join(void)
{
  for (unsigned i = 0; i < CLIENTS; i++)
    pthread_join(clients[i].thread, NULL);
}

static void clients_free(void)
{
  for (unsigned i = 0; i < CLIENTS; i++)
    buf_free(&clients[i].csr);
}

/* Everybody has a certificate that the ledger has, or was told that there is none left. */
static unsigned assert_each_was_served(void)
{
  unsigned n = 0;
  AUTO(answer) answer = {0};
  for (unsigned i = 0; i < CLIENTS; i++) {
    char path[96];
    if (clients[i].received[0] == '\0') {
      if (clients[i].status != 0) {
        assert_int_equal(clients[i].status, 409);
        assert_string_equal(clients[i].code, "order-exhausted");
      }
      continue;
    }
    snprintf(path, sizeof path, "/v1/certificates/%s", clients[i].received);
    get(path, flow.admin, &answer);
    if (answer.status != 200)
      fail_msg("%s was received, and the ledger has it not", path);
    n++;
  }
  return n;
}

/* Issues all but the last ten. */
static void use_up_to_the_last(const char *order_name)
{
  char more[64];
  snprintf(more, sizeof more, ",\"order\":\"%s\"", order_name);
  flow_order(&flow, order_name, ORDERED, NULL);
  for (unsigned i = 0; i < ORDERED - LAST; i++) {
    AUTO(answer) answer = {0};
    char serial[32];
    snprintf(serial, sizeof serial, "W-%s-before-%u", order_name, i);
    issue(serial, more, &answer);
    assert_int_equal(answer.status, 201);
  }
}

static void sixty_four_clients_racing_for_the_last_ten_get_exactly_ten(void **state)
{
  (void)state;
  use_up_to_the_last("PO-R");
  clients_start("PO-R");
  clients_join();
  for (unsigned i = 0; i < CLIENTS; i++)
    assert_true(clients[i].status == 201 || clients[i].status == 409);
  assert_int_equal(assert_each_was_served(), LAST);
  assert_counters("PO-R", ORDERED, 0);
  /* Whoever got one gets it again, and nobody else gets any. */
  for (unsigned i = 0; i < CLIENTS; i++) {
    char before[48];
    snprintf(before, sizeof before, "%s", clients[i].received);
    run_client(&clients[i]);
    assert_int_equal(clients[i].status, before[0] != '\0' ? 200 : 409);
    assert_string_equal(clients[i].received, before);
  }
  assert_counters("PO-R", ORDERED, 0);
  clients_free();
}

static void wait_for_received(unsigned n)
{
  int64_t deadline = when_monotonic_ms() + 30000;
  while (n_received < n && when_monotonic_ms() < deadline)
    usleep(200);
  assert_true(n_received >= n);
}

/* Again and again: 64 clients, killed as soon as some have been answered; then whoever has no
 * certificate asks once more, as a station would. */
static void an_order_is_whole_after_every_kill(void **state)
{
  (void)state;
  enum { ROUNDS = 4 };
  for (unsigned round = 0; round < ROUNDS; round++) {
    static char name[16];
    snprintf(name, sizeof name, "PO-K%u", round);
    flow_order(&flow, name, LAST, NULL);
    clients_start(name);
    wait_for_received(round * 3); /* before the first, in the middle, near the end */
    flow_stop(&flow, SIGKILL);
    clients_join();
    flow_start(&flow);
    json_t *now = order(name);
    long issued = number(now, "issued");
    json_decref(now);
    assert_counters(name, issued, 0);
    unsigned received = assert_each_was_served();
    assert_true(received <= issued && issued <= LAST);
    for (unsigned i = 0; i < CLIENTS; i++)
      run_client(&clients[i]);
    assert_int_equal(assert_each_was_served(), LAST);
    assert_counters(name, LAST, 0);
    clients_free();
  }
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
      cmocka_unit_test(sixty_four_clients_racing_for_the_last_ten_get_exactly_ten),
      cmocka_unit_test(an_order_is_whole_after_every_kill),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
