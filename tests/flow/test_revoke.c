/* test_revoke.c - certificates are revoked one by one and by a filter: by whom, with which effect,
 * and what a crash in the middle leaves. */
#include "tests/flow/flow.h"

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/when.h"

enum { MANY = 20000 };

static struct flow flow;

static void post(const char *path, const char *token, const char *body, struct answer *answer)
{
  flow_ask(&flow,
           &(struct ask){.path = path,
                         .token = token,
                         .content_type = "application/json",
                         .body = bytes_of_text(body)},
           answer);
}

/* The serial number of a new certificate of this device. */
static void issue(const char *serial, const char *more, char ret_serial_number[48])
{
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), serial, "10.1.1.1", more, &answer);
  if (answer.status != 201)
    fail_msg("%s: %ld %s", serial, answer.status, buf_text(&answer.body));
  json_t *reply = answer_json(&answer);
  snprintf(ret_serial_number, 48, "%s", json_text(reply, "serial_number"));
  json_decref(reply);
}

static void revoke_by(const char *serial_number, const char *token, const char *body,
                      struct answer *answer)
{
  char path[128];
  snprintf(path, sizeof path, "/v1/certificates/%s/revoke", serial_number);
  post(path, token, body, answer);
}

static void assert_status(const char *serial_number, const char *status, const char *reason)
{
  AUTO(answer) answer = {0};
  char path[128];
  snprintf(path, sizeof path, "/v1/certificates/%s", serial_number);
  flow_ask(&flow, &(struct ask){.path = path, .token = flow.admin}, &answer);
  json_t *reply = answer_json(&answer);
  assert_string_equal(json_text(reply, "status"), status);
  assert_string_equal(json_text(reply, "revocation_reason"), reason);
  assert_int_equal(json_text(reply, "revoked_at")[0] != '\0', reason[0] != '\0');
  json_decref(reply);
}

static void add_operator(char ret_token[128])
{
  AUTO(answer) answer = {0};
  post("/v1/principals", flow.admin, "{\"name\":\"shift-lead\",\"role\":\"operator\"}", &answer);
  json_t *reply = answer_json(&answer);
  snprintf(ret_token, 128, "%s", json_text(reply, "token"));
  json_decref(reply);
}

static long number_in(struct answer *answer, const char *name)
{
  json_t *reply = answer_json(answer);
  const json_t *value = json_object_get(reply, name);
  if (!json_is_integer(value))
    fail_msg("no %s: %ld %s", name, answer->status, buf_text(&answer->body));
  long number = (long)json_integer_value(value);
  json_decref(reply);
  return number;
}

/* --- one --- */

static void who_operates_revokes_and_a_station_does_not(void **state)
{
  (void)state;
  char serial_number[48], operator[128];
  AUTO(answer) answer = {0};
  issue("W-1", NULL, serial_number);
  add_operator(operator);
  revoke_by(serial_number, flow.station, "{\"reason\":\"superseded\"}", &answer);
  assert_problem(&answer, 403, "forbidden");
  post("/v1/revocations", flow.station, "{\"station\":\"line-1\",\"dry_run\":true}", &answer);
  assert_problem(&answer, 403, "forbidden");
  revoke_by(serial_number, NULL, "{\"reason\":\"superseded\"}", &answer);
  assert_problem(&answer, 401, "unauthenticated");
  assert_status(serial_number, "valid", "");
  revoke_by(serial_number, operator, "{\"reason\":\"affiliationChanged\"}", &answer);
  assert_int_equal(answer.status, 200);
  assert_status(serial_number, "revoked", "affiliationChanged");
  revoke_by(serial_number, flow.admin, "{\"reason\":\"superseded\"}", &answer);
  assert_int_equal(answer.status, 200);
  assert_status(serial_number, "revoked", "affiliationChanged");
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM revocations"), 1);
  revoke_by("00112233445566778899aabbccddeeff", flow.admin, "{}", &answer);
  assert_problem(&answer, 404, "unknown-serial-number");
  flow_ask(&flow, &(struct ask){.path = "/v1/events?kind=revoked", .token = flow.admin}, &answer);
  assert_non_null(strstr(buf_text(&answer.body), "\"principal\":\"shift-lead\""));
  assert_non_null(strstr(buf_text(&answer.body), "affiliationChanged"));
}

static void a_hold_is_lifted_and_nothing_else(void **state)
{
  (void)state;
  char serial_number[48];
  AUTO(answer) answer = {0};
  issue("W-2", NULL, serial_number);
  revoke_by(serial_number, flow.admin, "{\"reason\":\"removeFromCRL\"}", &answer);
  assert_problem(&answer, 409, "certificate-state");
  revoke_by(serial_number, flow.admin, "{\"reason\":\"certificateHold\"}", &answer);
  assert_status(serial_number, "revoked", "certificateHold");
  revoke_by(serial_number, flow.admin, "{\"reason\":\"removeFromCRL\"}", &answer);
  assert_int_equal(answer.status, 200);
  assert_status(serial_number, "valid", "");
  revoke_by(serial_number, flow.admin, "{}", &answer);
  assert_status(serial_number, "revoked", "unspecified");
  revoke_by(serial_number, flow.admin, "{\"reason\":\"removeFromCRL\"}", &answer);
  assert_problem(&answer, 409, "certificate-state");
}

static void a_compromised_key_gets_no_certificate(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-3", "10.1.1.1", NULL, &answer);
  json_t *reply = answer_json(&answer);
  char serial_number[48];
  snprintf(serial_number, sizeof serial_number, "%s", json_text(reply, "serial_number"));
  json_decref(reply);
  revoke_by(serial_number, flow.admin, "{\"reason\":\"keyCompromise\"}", &answer);
  assert_int_equal(answer.status, 200);
  flow_issue(&flow, buf_text(&csr), "W-3", "10.1.1.1", NULL, &answer);
  assert_problem(&answer, 422, "key-not-allowed");
  flow_issue(&flow, buf_text(&csr), "W-4", "10.1.1.1", NULL, &answer);
  assert_problem(&answer, 422, "key-not-allowed");
  issue("W-3", NULL, serial_number); /* with another key, and without `replace` */
}

/* --- a client that shows a certificate --- */

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
  buf_add(context, data, size * n);
  return size * n;
}

/* Over the connection that it has; returns the status. */
static long ask_by_certificate(CURL *curl, struct buf *ret_body, long *ret_connections)
{
  char root[128], cert[128], key[128];
  AUTO(buf) url = {0};
  long status = 0;
  curl_easy_reset(curl);
  buf_clear(ret_body);
  buf_addf(&url, "%s/v1/certificates", flow.url);
  curl_easy_setopt(curl, CURLOPT_URL, buf_text(&url));
  curl_easy_setopt(curl, CURLOPT_CAINFO, flow_path(&flow, "ca/root.crt", root));
  curl_easy_setopt(curl, CURLOPT_SSLCERT, flow_path(&flow, "line-2.crt", cert));
  curl_easy_setopt(curl, CURLOPT_SSLKEY, flow_path(&flow, "line-2.key", key));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret_body);
  assert_int_equal(curl_easy_perform(curl), CURLE_OK);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, ret_connections);
  return status;
}

/* The command line, as the administrator; its exit code. */
static int mintmark(const char *command)
{
  AUTO(buf) line = {0};
  buf_addf(&line,
           "cd %s && %s/mintmark %s --url %s --cacert ca/root.crt --token-file ca/admin.token"
           " >cli.log 2>&1 </dev/null",
           flow.folder, getenv("MINTMARK_BUILDDIR"), command, flow.url);
  return system(buf_text(&line)) >> 8;
}

static void a_client_is_out_at_once(void **state)
{
  (void)state;
  AUTO(buf) body = {0};
  AUTO(answer) answer = {0};
  long connections;
  CURL *curl = curl_easy_init();
  assert_int_equal(mintmark("station add line-2 --cert --out ."), 0);
  assert_int_equal(ask_by_certificate(curl, &body, &connections), 200);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/certificates?device_serial=line-2", .token = flow.admin},
           &answer);
  json_t *reply = answer_json(&answer);
  char serial_number[48];
  snprintf(serial_number, sizeof serial_number, "%s",
           json_text(json_array_get(json_object_get(reply, "certificates"), 0), "serial_number"));
  json_decref(reply);
  static const struct {
    const char *reason;
    long status;
    const char *says;
  } steps[] = {{"certificateHold", 401, "on hold"},
               {"removeFromCRL", 200, ""},
               {"privilegeWithdrawn", 401, "revoked (privilegeWithdrawn)"}};
  for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
    char request[64];
    snprintf(request, sizeof request, "{\"reason\":\"%s\"}", steps[i].reason);
    revoke_by(serial_number, flow.admin, request, &answer);
    assert_int_equal(answer.status, 200);
    assert_int_equal(ask_by_certificate(curl, &body, &connections), steps[i].status);
    assert_int_equal(connections, 0);
    assert_non_null(strstr(buf_text(&body), steps[i].says));
  }
  curl_easy_cleanup(curl);
}

/* --- many --- */

static void many_are_revoked_after_a_dry_run(void **state)
{
  (void)state;
  char serial_numbers[4][48], serial[16];
  AUTO(answer) answer = {0};
  flow_order(&flow, "PO-R", 10, ",\"replacements\":1");
  for (unsigned i = 0; i < 3; i++) {
    snprintf(serial, sizeof serial, "W-R%u", i);
    issue(serial, ",\"order\":\"PO-R\"", serial_numbers[i]);
  }
  revoke_by(serial_numbers[0], flow.admin, "{}", &answer);
  post("/v1/revocations", flow.admin, "{\"order\":\"PO-R\",\"dry_run\":true}", &answer);
  assert_int_equal(answer.status, 200);
  assert_int_equal(number_in(&answer, "count"), 2);
  assert_non_null(strstr(buf_text(&answer.body), serial_numbers[2]));
  assert_null(strstr(buf_text(&answer.body), serial_numbers[0]));
  assert_status(serial_numbers[1], "valid", "");
  post("/v1/revocations", flow.admin, "{\"order\":\"PO-R\"}", &answer);
  assert_problem(&answer, 400, "bad-field");
  /* One more has come. */
  issue("W-R3", ",\"order\":\"PO-R\"", serial_numbers[3]);
  post("/v1/revocations", flow.admin, "{\"order\":\"PO-R\",\"count\":2}", &answer);
  assert_problem(&answer, 409, "selection-changed");
  assert_status(serial_numbers[1], "valid", "");
  post("/v1/revocations", flow.admin,
       "{\"order\":\"PO-R\",\"count\":3,\"reason\":\"cessationOfOperation\"}", &answer);
  assert_int_equal(number_in(&answer, "revoked"), 3);
  assert_status(serial_numbers[0], "revoked", "unspecified");
  for (unsigned i = 1; i < 4; i++)
    assert_status(serial_numbers[i], "revoked", "cessationOfOperation");
  post("/v1/revocations", flow.admin, "{\"order\":\"PO-R\",\"count\":0}", &answer);
  assert_int_equal(number_in(&answer, "revoked"), 0);
}

/* MANY rows more of the station line-1, as if they had been issued: the daemon stands still. */
static void fill(const char *model)
{
  char path[128];
  sqlite3 *db;
  AUTO(buf) sql = {0};
  flow_path(&flow, "ca/mintmark.db", path);
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  buf_addf(&sql,
           "BEGIN; INSERT INTO labels (text) VALUES ('%s');"
           "CREATE TEMP TABLE last AS SELECT max(id) AS id FROM certificates;"
           "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < %d)"
           " INSERT INTO certificates (id, serial_number, device_serial, profile, station, model,"
           " authority, issued_at, not_before, not_after, spki_sha256, spki_prefix, request_sha256,"
           " der) SELECT last.id + n, randomblob(16), '%s-' || n, c.profile, c.station,"
           " (SELECT id FROM labels WHERE text = '%s'), c.authority, c.issued_at, c.not_before,"
           " c.not_after, randomblob(32), n, randomblob(32), c.der FROM i, last"
           " JOIN certificates c ON c.id = last.id ORDER BY n;"
           "INSERT INTO spans (id, issued_min, issued_max, not_after_min, not_after_max)"
           " SELECT id / 128, min(issued_at), max(issued_at), min(not_after), max(not_after)"
           " FROM certificates GROUP BY 1 ON CONFLICT (id) DO UPDATE SET"
           " issued_min = excluded.issued_min, issued_max = excluded.issued_max,"
           " not_after_min = excluded.not_after_min, not_after_max = excluded.not_after_max;"
           "INSERT INTO marks (kind, label, span, bits)"
           " SELECT 4, model, id / 64, sum(1 << id %% 64) FROM certificates WHERE model IS NOT NULL"
           " GROUP BY 2, 3 ON CONFLICT (kind, label, span) DO UPDATE SET bits = excluded.bits;"
           "COMMIT;",
           model, MANY, model, model);
  if (sqlite3_exec(db, buf_text(&sql), NULL, NULL, NULL) != SQLITE_OK)
    fail_msg("%s", sqlite3_errmsg(db));
  sqlite3_close(db);
}

static void refill(const char *model)
{
  char serial_number[48], serial[32];
  snprintf(serial, sizeof serial, "W-%s", model);
  issue(serial, NULL, serial_number);
  flow_stop(&flow, SIGTERM);
  fill(model);
  flow_start(&flow);
}

struct bulk {
  const char *body;
  struct answer answer;
  pthread_t thread;
};

static void *run_bulk(void *context)
{
  struct bulk *bulk = context;
  post("/v1/revocations", flow.admin, bulk->body, &bulk->answer);
  return NULL;
}

/* Returns when some are revoked, and not all. */
static void begin_bulk(struct bulk *bulk)
{
  int64_t deadline = when_monotonic_ms() + 30000;
  long before = flow_sql(&flow, "SELECT count(*) FROM revocations");
  assert_int_equal(pthread_create(&bulk->thread, NULL, run_bulk, bulk), 0);
  while (flow_sql(&flow, "SELECT count(*) FROM revocations") == before)
    assert_true(when_monotonic_ms() < deadline);
}

static long count_of(const char *model)
{
  AUTO(answer) answer = {0};
  char body[64];
  snprintf(body, sizeof body, "{\"model\":\"%s\",\"dry_run\":true}", model);
  post("/v1/revocations", flow.admin, body, &answer);
  return number_in(&answer, "count");
}

static void issuing_goes_on_and_what_comes_later_is_left_alone(void **state)
{
  (void)state;
  char serial_number[48];
  struct bulk bulk = {.body = "{\"model\":\"LATE\",\"count\":20000,\"reason\":\"superseded\"}"};
  refill("LATE");
  assert_int_equal(count_of("LATE"), MANY);
  begin_bulk(&bulk);
  issue("W-meanwhile", ",\"model\":\"LATE\"", serial_number);
  assert_true(flow_sql(&flow, "SELECT count(*) FROM revocations") < MANY);
  pthread_join(bulk.thread, NULL);
  assert_int_equal(number_in(&bulk.answer, "revoked"), MANY);
  assert_status(serial_number, "valid", "");
  assert_int_equal(count_of("LATE"), 1);
  answer_free(&bulk.answer);
}

static void a_crash_in_the_middle_is_gone_on_from(void **state)
{
  (void)state;
  char body[96];
  AUTO(answer) answer = {0};
  struct bulk bulk = {.body = "{\"model\":\"CRASH\",\"count\":20000,\"reason\":\"superseded\"}"};
  refill("CRASH");
  begin_bulk(&bulk);
  flow_stop(&flow, SIGKILL);
  pthread_join(bulk.thread, NULL);
  assert_int_equal(bulk.answer.status, 0);
  answer_free(&bulk.answer);
  flow_start(&flow);
  long left = count_of("CRASH");
  assert_in_range(left, 1, MANY - 1);
  post("/v1/revocations", flow.admin, bulk.body, &answer);
  assert_problem(&answer, 409, "selection-changed");
  snprintf(body, sizeof body, "{\"model\":\"CRASH\",\"count\":%ld,\"reason\":\"superseded\"}",
           left);
  post("/v1/revocations", flow.admin, body, &answer);
  assert_int_equal(number_in(&answer, "revoked"), left);
  assert_int_equal(count_of("CRASH"), 0);
  /* Each certificate has one row and one event. */
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM revocations v JOIN certificates c"
                                   " ON c.id = v.certificate JOIN labels l ON l.id = c.model"
                                   " WHERE l.text = 'CRASH'"),
                   MANY);
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM events e JOIN labels l ON l.id = e.kind"
                                   " WHERE l.text = 'revoked'"),
                   flow_sql(&flow, "SELECT count(*) FROM revocations WHERE reason <> 8"));
  assert_int_equal(flow_sql(&flow, "SELECT sum(revoked) FROM spans"),
                   flow_sql(&flow, "SELECT count(*) FROM revocations v WHERE reason <> 8 AND NOT"
                                   " EXISTS (SELECT 1 FROM revocations w WHERE w.follows = v.id)"));
}

static int begin(void **state)
{
  (void)state;
  flow_begin(&flow, NULL);
  return 0;
}

static int end(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_operates_revokes_and_a_station_does_not),
      cmocka_unit_test(a_hold_is_lifted_and_nothing_else),
      cmocka_unit_test(a_compromised_key_gets_no_certificate),
      cmocka_unit_test(a_client_is_out_at_once),
      cmocka_unit_test(many_are_revoked_after_a_dry_run),
      cmocka_unit_test(issuing_goes_on_and_what_comes_later_is_left_alone),
      cmocka_unit_test(a_crash_in_the_middle_is_gone_on_from),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
