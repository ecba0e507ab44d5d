/* test_events.c - what happened stands in the ledger: who, from where, with which outcome; and no
 * secret stands anywhere. */
#include "tests/flow/flow.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/base/when.h"

/* --- asking --- */

static json_t *ask_events(const struct flow *flow, const char *token, const char *query)
{
  char path[256];
  AUTO(answer) answer = {0};
  snprintf(path, sizeof path, "/v1/events%s", query);
  flow_ask(flow, &(struct ask){.path = path, .token = token}, &answer);
  if (answer.status != 200)
    fail_msg("%s: %ld %s", query, answer.status, buf_text(&answer.body));
  return answer_json(&answer);
}

static size_t count_events(const struct flow *flow, const char *token, const char *query)
{
  json_t *reply = ask_events(flow, token, query);
  size_t n = json_array_size(json_object_get(reply, "events"));
  json_decref(reply);
  return n;
}

/* What is recorded beside the request comes a moment later. */
static void wait_for_events(const struct flow *flow, const char *query, size_t n)
{
  int64_t deadline = when_monotonic_ms() + 20000;
  while (count_events(flow, flow->admin, query) < n) {
    if (when_monotonic_ms() > deadline)
      fail_msg("%s: fewer than %zu", query, n);
    usleep(20000);
  }
}

static long ask_status(const struct flow *flow, const char *token, const char *path)
{
  AUTO(answer) answer = {0};
  flow_ask(flow, &(struct ask){.path = path, .token = token}, &answer);
  return answer.status;
}

static void add_principal(const struct flow *flow, const char *name, const char *role,
                          char ret_token[128])
{
  AUTO(answer) answer = {0};
  char body[160];
  snprintf(body, sizeof body, "{\"name\":\"%s\",\"role\":\"%s\"}", name, role);
  flow_ask(flow,
           &(struct ask){.path = "/v1/principals",
                         .token = flow->admin,
                         .content_type = "application/json",
                         .body = bytes_of_text(body)},
           &answer);
  assert_int_equal(answer.status, 201);
  json_t *reply = answer_json(&answer);
  snprintf(ret_token, 128, "%s", json_text(reply, "token"));
  json_decref(reply);
}

static void assert_event(const struct flow *flow, const char *query, const char *device_serial,
                         const char *code, bool has_certificate)
{
  json_t *reply = ask_events(flow, flow->admin, query);
  const json_t *event = json_array_get(json_object_get(reply, "events"), 0);
  if (event == NULL)
    fail_msg("no event: %s", query);
  assert_string_equal(json_text(event, "device_serial"), device_serial);
  assert_string_equal(json_text(event, "code"), code);
  assert_string_equal(json_text(event, "principal"), "line-1");
  assert_string_equal(json_text(event, "source"), "127.0.0.1");
  assert_string_equal(json_text(event, "profile"), "test");
  assert_true(json_text(event, "request_id")[0] != '\0');
  assert_int_equal(strlen(json_text(event, "serial_number")), has_certificate ? 32 : 0);
  json_decref(reply);
}

/* --- the tests --- */

static void every_request_for_a_certificate_ends_in_an_event(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(buf) csr = {0};
  AUTO(buf) other = {0};
  AUTO(buf) third = {0};
  AUTO(answer) answer = {0};
  flow_begin(&flow, NULL);
  make_csr(&csr);
  make_csr(&other);
  make_csr(&third);
  flow_issue(&flow, buf_text(&csr), "W-1", "10.1.1.1", NULL, &answer);
  assert_int_equal(answer.status, 201);
  flow_issue(&flow, buf_text(&csr), "W-1", "10.1.1.1", NULL, &answer);
  assert_int_equal(answer.status, 200);
  flow_issue(&flow, buf_text(&other), "W-1", "10.1.1.1", NULL, &answer);
  assert_problem(&answer, 409, "device-has-certificate");
  flow_issue(&flow, buf_text(&other), "W-1", "10.1.1.1", ",\"replace\":true", &answer);
  assert_int_equal(answer.status, 201);
  flow_issue(&flow, buf_text(&third), "W-2", "192.0.2.1", NULL, &answer);
  assert_problem(&answer, 422, "name-not-allowed");
  /* Each was there before its answer. */
  assert_event(&flow, "?kind=issued&principal=line-1", "W-1", "", true);
  assert_event(&flow, "?kind=replayed", "W-1", "", true);
  assert_event(&flow, "?kind=replaced", "W-1", "", true);
  assert_event(&flow, "?kind=revoked", "W-1", "", true);
  assert_event(&flow, "?code=device-has-certificate", "W-1", "device-has-certificate", false);
  assert_event(&flow, "?device_serial=W-2", "W-2", "name-not-allowed", false);
  assert_int_equal(count_events(&flow, flow.admin, "?device_serial=W-1"), 5);
  assert_int_equal(count_events(&flow, flow.admin, "?principal=line-1&source=127.0.0.1"), 6);
  assert_int_equal(flow_sql(&flow, "SELECT sum(n) FROM tallies t JOIN labels l ON l.id = t.station"
                                   " WHERE l.text = 'line-1'"),
                   5);
  flow_end(&flow);
}

static void a_refusal_before_the_pipeline_is_an_event_and_its_text_is_not_kept(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(answer) answer = {0};
  flow_begin(&flow, NULL);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/certificates",
                         .token = flow.station,
                         .content_type = "application/json",
                         .header = "X-Request-Id: find-me-1",
                         .body = bytes_of_text("{\"csr\":\"peers-free-text\",\"x\":1}")},
           &answer);
  assert_int_equal(answer.status, 400);
  wait_for_events(&flow, "?request_id=find-me-1&kind=refused", 1);
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM labels WHERE text LIKE '%free-text%'"), 0);
  flow_end(&flow);
}

static void each_role_sees_what_it_may(void **state)
{
  (void)state;
  struct flow flow;
  char auditor[128], other[128];
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  flow_begin(&flow, NULL);
  add_principal(&flow, "quality", "auditor", auditor);
  add_principal(&flow, "line-2", "station", other);
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-1", "10.1.1.1", NULL, &answer);
  assert_int_equal(answer.status, 201);
  assert_int_equal(count_events(&flow, flow.station, ""), 1);
  assert_int_equal(count_events(&flow, other, ""), 0);
  assert_true(count_events(&flow, auditor, "") > 3);
  assert_int_equal(count_events(&flow, auditor, "?kind=principal-added&principal=admin"), 3);
  assert_int_equal(ask_status(&flow, other, "/v1/events?principal=line-1"), 403);
  assert_int_equal(ask_status(&flow, NULL, "/v1/events"), 401);
  assert_int_equal(ask_status(&flow, auditor, "/v1/events?nonsense=1"), 400);
  assert_int_equal(ask_status(&flow, auditor, "/v1/events?kind=nonsense"), 400);
  assert_int_equal(ask_status(&flow, auditor, "/v1/events?cursor=nonsense"), 400);
  wait_for_events(&flow, "?kind=denied&code=forbidden&principal=line-2", 1);
  flow_end(&flow);
}

static void a_flood_of_wrong_tokens_is_counted(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  for (unsigned n = 0; n < 200; n++)
    assert_in_range(ask_status(&flow, "line-1.wrong", "/v1/events"), 401, 429);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  assert_in_range(flow_sql(&flow, "SELECT count(*) FROM events e JOIN labels l ON l.id = e.kind"
                                  " WHERE l.text = 'denied'"),
                  11, 40);
  assert_int_equal(flow_sql(&flow, "SELECT sum(coalesce(amount, 1)) FROM events e"
                                   " JOIN labels l ON l.id = e.kind WHERE l.text = 'denied'"),
                   200);
  flow_start(&flow);
  flow_end(&flow);
}

static void the_daemon_tells_of_itself(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  wait_for_events(&flow, "?kind=started", 1);
  kill(flow.daemon, SIGHUP);
  wait_for_events(&flow, "?kind=configuration-reloaded", 1);
  pid_t key_holder = flow_key_holder(&flow);
  flow_hang_key_holder(&flow);
  wait_for_events(&flow, "?kind=key-holder-lost", 1);
  kill(key_holder, SIGCONT);
  wait_for_events(&flow, "?kind=key-holder-back", 1);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_start(&flow);
  wait_for_events(&flow, "?kind=started", 2);
  wait_for_events(&flow, "?kind=stopped", 1);
  flow_end(&flow);
}

static void a_listing_goes_on_behind_its_cursor_and_streams_whole(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(answer) answer = {0};
  char path[160];
  flow_begin(&flow, NULL);
  for (unsigned n = 0; n < 5; n++) {
    char name[16], token[128];
    snprintf(name, sizeof name, "line-%u", n + 10);
    add_principal(&flow, name, "station", token);
  }
  json_t *page = ask_events(&flow, flow.admin, "?kind=principal-added&principal=admin&limit=4");
  assert_int_equal(json_array_size(json_object_get(page, "events")), 4);
  snprintf(path, sizeof path, "?kind=principal-added&principal=admin&limit=4&cursor=%s",
           json_text(page, "next_cursor"));
  json_t *rest = ask_events(&flow, flow.admin, path);
  assert_int_equal(json_array_size(json_object_get(rest, "events")), 2);
  assert_true(json_is_null(json_object_get(rest, "next_cursor")));
  json_decref(page);
  json_decref(rest);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/events?kind=principal-added&principal=admin",
                         .token = flow.admin,
                         .accept = "text/csv"},
           &answer);
  assert_int_equal(answer.status, 200);
  size_t lines = 0;
  for (size_t i = 0; i < answer.body.len; i++)
    lines += answer.body.data[i] == '\n';
  assert_int_equal(lines, 1 + 6);
  flow_end(&flow);
}

/* --- secrets --- */

static void assert_nowhere(const struct flow *flow, const char *file, const char *secret)
{
  AUTO(fault) f = {0};
  AUTO(buf) octets = {0};
  char path[128];
  if (!file_read(flow_path(flow, file, path), 64 << 20, &octets, &f))
    fail_msg("%s", f.detail);
  if (memmem(octets.data, octets.len, secret, strlen(secret)) != NULL)
    fail_msg("%s has the secret %s", file, secret);
}

static json_t *post(const struct flow *flow, const char *path, const char *type, const char *body)
{
  AUTO(answer) answer = {0};
  flow_ask(flow,
           &(struct ask){.method = "POST",
                         .path = path,
                         .token = flow->admin,
                         .content_type = type,
                         .body = bytes_of_text(body)},
           &answer);
  if (answer.status / 100 != 2)
    fail_msg("%s: %ld %s", path, answer.status, buf_text(&answer.body));
  return answer_json(&answer);
}

/* A device with an enrolment secret. */
static void import_device(const struct flow *flow, const char *serial, char ret_secret[64])
{
  char path[96], row[96];
  json_t *import = post(flow, "/v1/device-imports", NULL, "");
  snprintf(path, sizeof path, "/v1/device-imports/%s/rows", json_text(import, "id"));
  snprintf(row, sizeof row, "{\"device_serial\":\"%s\"}", serial);
  json_t *reply = post(flow, path, "application/x-ndjson", row);
  const json_t *first = json_array_get(json_object_get(reply, "secrets"), 0);
  snprintf(ret_secret, 64, "%s", json_text(first, "secret"));
  snprintf(path, sizeof path, "/v1/device-imports/%s/commit", json_text(import, "id"));
  json_decref(post(flow, path, NULL, ""));
  json_decref(reply);
  json_decref(import);
}

/* What stands in a device's header, which is no less secret. */
static long ask_as_device(const struct flow *flow, const char *serial, const char *secret,
                          struct buf *ret_credentials)
{
  AUTO(answer) answer = {0};
  AUTO(buf) plain = {0}, header = {0};
  buf_addf(&plain, "%s:%s", serial, secret);
  base64_add(ret_credentials, buf_bytes(&plain), 0);
  buf_addf(&header, "Authorization: Basic %s", buf_text(ret_credentials));
  flow_ask(flow, &(struct ask){.path = "/v1/certificates", .header = buf_text(&header)}, &answer);
  return answer.status;
}

/* The part of a token behind the name; also a wrong one, and one that is sent in the wrong place.
 */
static void no_secret_is_in_the_ledger_or_in_the_log(void **state)
{
  (void)state;
  static const char *const files[] = {"ca/mintmark.db", "ca/mintmark.db-wal", "daemon.log",
                                      "ca/mintmark.conf"};
  struct flow flow;
  char auditor[128], device[64];
  AUTO(buf) csr = {0};
  AUTO(buf) right = {0};
  AUTO(buf) wrong = {0};
  AUTO(answer) answer = {0};
  flow_begin(&flow, NULL);
  add_principal(&flow, "quality", "auditor", auditor);
  import_device(&flow, "W-9", device);
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-1", "10.1.1.1", NULL, &answer);
  assert_int_equal(ask_status(&flow, auditor, "/v1/events"), 200);
  assert_int_equal(ask_as_device(&flow, "W-9", device, &right), 200);
  assert_int_equal(ask_as_device(&flow, "W-9", "wrongdevicesecret", &wrong), 401);
  assert_int_equal(ask_status(&flow, "quality.wrongwrongwrong", "/v1/events"), 401);
  assert_int_equal(ask_status(&flow, "anothersecretaltogether", "/v1/events"), 401);
  wait_for_events(&flow, "?kind=denied", 3);
  const char *const secrets[] = {strchr(flow.admin, '.') + 1,
                                 strchr(flow.station, '.') + 1,
                                 strchr(auditor, '.') + 1,
                                 device,
                                 buf_text(&right),
                                 buf_text(&wrong),
                                 "wrongdevicesecret",
                                 "wrongwrongwrong",
                                 "anothersecretaltogether"};
  for (size_t i = 0; i < ARRAY_LEN(files); i++)
    for (size_t k = 0; k < ARRAY_LEN(secrets); k++)
      assert_nowhere(&flow, files[i], secrets[k]);
  flow_end(&flow);
}

static void the_daemon_and_its_key_holder_leave_no_core(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  const pid_t pids[] = {flow.daemon, flow_key_holder(&flow)};
  for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
    char path[64], line[256];
    bool found = false;
    snprintf(path, sizeof path, "/proc/%d/limits", (int)pids[i]);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
      found |= strncmp(line, "Max core file size        0 ", 28) == 0;
    fclose(file);
    assert_true(found);
  }
  flow_end(&flow);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_request_for_a_certificate_ends_in_an_event),
      cmocka_unit_test(a_refusal_before_the_pipeline_is_an_event_and_its_text_is_not_kept),
      cmocka_unit_test(each_role_sees_what_it_may),
      cmocka_unit_test(a_flood_of_wrong_tokens_is_counted),
      cmocka_unit_test(the_daemon_tells_of_itself),
      cmocka_unit_test(a_listing_goes_on_behind_its_cursor_and_streams_whole),
      cmocka_unit_test(no_secret_is_in_the_ledger_or_in_the_log),
      cmocka_unit_test(the_daemon_and_its_key_holder_leave_no_core),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
