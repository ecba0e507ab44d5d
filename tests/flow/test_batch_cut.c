/* test_batch_cut.c - what may come between a batch and its end: nothing is issued twice, nothing
 * is lost, and nobody waits for ever. */
#include "tests/flow/uploader.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/when.h"
#include "lib/pki/san.h"

#define PATH  "/v1/batches/0123456789abcdef0123456789abcdef"
#define QUERY "?id=0123456789abcdef0123456789abcdef"

/* Stops in the middle of a line. */
static void begin(struct flow *flow, struct upload *upload, const char *conf, unsigned lines)
{
  flow_begin(flow, conf);
  *upload = (struct upload){.flow = flow, .query = QUERY};
  upload_add_widgets(upload, "W", lines, 0);
  upload->stop_at = upload->lines.len / 2 + 17;
}

static void finish(struct flow *flow, struct upload *upload)
{
  upload_free(upload);
  flow_end(flow);
}

static long ask_batch(const struct flow *flow, char ret_state[16])
{
  AUTO(answer) answer = {0};
  flow_ask(flow, &(struct ask){.path = PATH, .token = flow->admin}, &answer);
  assert_int_equal(answer.status, 200);
  json_t *batch = answer_json(&answer);
  snprintf(ret_state, 16, "%s", json_text(batch, "state"));
  assert_int_equal(strlen(json_text(batch, "ended_at")) > 0, strcmp(ret_state, "running") != 0);
  long lines = (long)json_integer_value(json_object_get(batch, "lines"));
  json_decref(batch);
  return lines;
}

static void wait_for_state(const struct flow *flow, const char *wanted)
{
  char state[16];
  int64_t deadline = when_monotonic_ms() + 30000;
  while (ask_batch(flow, state), strcmp(state, wanted) != 0) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(10000);
  }
}

/* Sent again, as another batch: what was issued before is replayed, the rest is issued, and nothing
 * twice. */
static void send_again(struct flow *flow, struct upload *upload, size_t lines)
{
  long before = flow_rows(flow);
  upload->query = NULL;
  upload->then = NULL;
  upload->abort = false;
  upload->pause_ms = 0;
  upload_run(upload);
  assert_int_equal(upload->answer.status, 200);
  json_t *answers = answer_lines(&upload->answer);
  assert_int_equal(json_array_size(answers), lines);
  assert_int_equal(lines_with_status(answers, 200), before);
  assert_int_equal(lines_with_status(answers, 201), (long)lines - before);
  assert_int_equal(flow_rows(flow), lines);
  assert_int_equal(flow_sql(flow, "SELECT count(DISTINCT device_serial) FROM certificates"
                                  " WHERE device_serial LIKE 'W-%'"),
                   lines);
  json_decref(answers);
}

static void cut(struct upload *upload)
{
  char state[16];
  wait_for_rows(upload->flow, 100);
  assert_true(ask_batch(upload->flow, state) >= 100);
  assert_string_equal(state, "running");
  upload->abort = true;
}

static void a_connection_that_breaks_cuts_it_off(void **state)
{
  (void)state;
  enum { LINES = 600 };
  struct flow flow;
  struct upload upload;
  AUTO(answer) answer = {0};
  begin(&flow, &upload, NULL, LINES);
  upload.then = cut;
  upload_run(&upload);
  assert_int_equal(upload.answer.status, 0);
  wait_for_state(&flow, "cut-off");
  /* What was done is told all the same. */
  flow_ask(&flow,
           &(struct ask){.path = PATH, .token = flow.station, .accept = "application/x-ndjson"},
           &answer);
  assert_int_equal(answer.status, 200);
  json_t *lines = answer_lines(&answer);
  assert_int_equal(lines_with_status(lines, 201), flow_rows(&flow));
  json_decref(lines);
  send_again(&flow, &upload, LINES);
  finish(&flow, &upload);
}

static void kill_daemon(struct upload *upload)
{
  wait_for_rows(upload->flow, 100);
  /* flow_stop() notes that there is none any more. */
  flow_stop((struct flow *)(uintptr_t)upload->flow, SIGKILL);
}

static void the_daemon_is_killed_and_nothing_is_issued_twice(void **state)
{
  (void)state;
  enum { LINES = 600 };
  char ended[16];
  struct flow flow;
  struct upload upload;
  begin(&flow, &upload, NULL, LINES);
  upload.then = kill_daemon;
  upload_run(&upload);
  assert_int_equal(upload.answer.status, 0);
  flow_start(&flow);
  /* Each certificate has its line, and each line its certificate. */
  assert_int_equal(ask_batch(&flow, ended), flow_rows(&flow));
  assert_string_equal(ended, "cut-off");
  send_again(&flow, &upload, LINES);
  finish(&flow, &upload);
}

/* The sender neither sends nor goes away. */
static void stop_daemon(struct upload *upload)
{
  wait_for_rows(upload->flow, 100);
  int64_t begun_ms = when_monotonic_ms();
  assert_int_equal(flow_stop((struct flow *)(uintptr_t)upload->flow, SIGTERM), 0);
  assert_true(when_monotonic_ms() - begun_ms < 20000);
}

static void the_daemon_stops_and_does_not_wait_for_the_sender(void **state)
{
  (void)state;
  enum { LINES = 600 };
  char ended[16];
  struct flow flow;
  struct upload upload;
  begin(&flow, &upload, NULL, LINES);
  upload.then = stop_daemon;
  upload_run(&upload);
  assert_int_equal(upload.answer.status, 0);
  flow_start(&flow);
  assert_int_equal(ask_batch(&flow, ended), flow_rows(&flow));
  assert_string_equal(ended, "cut-off");
  send_again(&flow, &upload, LINES);
  finish(&flow, &upload);
}

static void disable(struct upload *upload)
{
  AUTO(answer) answer = {0};
  wait_for_rows(upload->flow, 10);
  flow_ask(upload->flow,
           &(struct ask){.method = "POST",
                         .path = "/v1/principals/line-1/disable",
                         .token = upload->flow->admin,
                         .content_type = "application/json",
                         .body = bytes_of_text("{}")},
           &answer);
  assert_int_equal(answer.status, 200);
  upload->pause_ms = 50;
}

static void a_principal_who_is_disabled_gets_no_more(void **state)
{
  (void)state;
  enum { LINES = 80 };
  char ended[16];
  struct flow flow;
  struct upload upload;
  begin(&flow, &upload, NULL, LINES);
  upload.then = disable;
  upload_run(&upload);
  assert_problem(&upload.answer, 401, "unauthenticated");
  assert_true(flow_rows(&flow) < LINES);
  assert_int_equal(ask_batch(&flow, ended), flow_rows(&flow));
  assert_string_equal(ended, "cut-off");
  finish(&flow, &upload);
}

/* --- a key holder that hangs, or ends --- */

static void *run_upload(void *context)
{
  upload_run(context);
  return NULL;
}

/* Until nothing was taken for a second. */
static size_t wait_for_standstill(struct upload *upload)
{
  int64_t deadline = when_monotonic_ms() + 30000, since = when_monotonic_ms();
  size_t sent = 0;
  while (sent == 0 || when_monotonic_ms() - since < 1000) {
    assert_true(when_monotonic_ms() < deadline);
    if (upload->sent != sent)
      since = when_monotonic_ms();
    sent = upload->sent;
    usleep(10000);
  }
  return sent;
}

static long resident_kib(const struct flow *flow)
{
  char path[64], line[256];
  long kib = 0;
  snprintf(path, sizeof path, "/proc/%d/status", (int)flow->daemon);
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "VmRSS: %ld", &kib) == 1)
      break;
  fclose(file);
  return kib;
}

#ifdef WITH_SANITIZERS /* which keep for a while what was freed */
enum { RESIDENT_KIB_MAX = 1024 * 1024 };
#else
enum { RESIDENT_KIB_MAX = 96 * 1024 };
#endif

static void a_hanging_key_holder_pushes_back(void **state)
{
  (void)state;
  enum { LINES = 2000, WIDTH = 20 * 1024 };
  struct flow flow;
  struct upload upload = {.flow = &flow};
  pthread_t thread;
  flow_begin(&flow, NULL);
  upload_add_widgets(&upload, "W", LINES, WIDTH);
  flow_hang_key_holder(&flow);
  pid_t key_holder = flow_key_holder(&flow);
  assert_int_equal(pthread_create(&thread, NULL, run_upload, &upload), 0);
  size_t sent = wait_for_standstill(&upload);
  assert_true(sent < upload.lines.len * 3 / 4);
  assert_true(resident_kib(&flow) < RESIDENT_KIB_MAX);
  assert_int_equal(kill(key_holder, SIGCONT), 0);
  pthread_join(thread, NULL);
  assert_int_equal(upload.answer.status, 200);
  json_t *lines = answer_lines(&upload.answer);
  assert_int_equal(lines_with_status(lines, 201), LINES);
  json_decref(lines);
  finish(&flow, &upload);
}

static void kill_key_holder(struct upload *upload)
{
  wait_for_rows(upload->flow, 50);
  assert_int_equal(kill(flow_key_holder(upload->flow), SIGKILL), 0);
}

static void a_key_holder_that_ends_is_no_lines_fault(void **state)
{
  (void)state;
  enum { LINES = 1200 };
  struct flow flow;
  struct upload upload;
  begin(&flow, &upload, NULL, LINES);
  upload.then = kill_key_holder;
  upload_run(&upload);
  assert_int_equal(upload.answer.status, 200);
  json_t *lines = answer_lines(&upload.answer);
  assert_int_equal(lines_with_status(lines, 201), LINES);
  assert_int_equal(flow_rows(&flow), LINES);
  json_decref(lines);
  finish(&flow, &upload);
}

static const char copying[] = "work_seconds = 1\n"
                              "profile \"copying\" {\n"
                              "  validity = \"825d\"\n"
                              "  key_types = {\"ec-p256\"}\n"
                              "  key_usage = {\"digitalSignature\"}\n"
                              "  ext_key_usage = {\"serverAuth\"}\n"
                              "  dns_patterns = {\"**.widgets.example\"}\n"
                              "  subject = {\"CN=${device_serial}\"}\n"
                              "  csr_names = \"copy\"\n"
                              "}\n";

static void add_copying(struct upload *upload)
{
  AUTO(fault) f = {0};
  AUTO(sans) names = {0};
  AUTO(buf) csr = {0};
  struct private_key *key = NULL;
  assert_true(private_key_generate("ec-p256", &key, &f));
  assert_true(sans_add(&names, SAN_DNS, bytes_of_text("w-1.widgets.example"), &f));
  make_csr_for(key, NULL, &names, &csr);
  json_t *body = json_pack("{s:s, s:s, s:s}", "csr", buf_text(&csr), "device_serial", "W-1",
                           "profile", "copying");
  char *text = json_dumps(body, JSON_COMPACT);
  buf_addf(&upload->lines, "%s\n", text);
  free(text);
  json_decref(body);
  private_key_free(key);
}

/* A request whose first try fails is the same request in the second, and when it is sent again. */
static void what_was_tried_in_vain_is_the_same_request(void **state)
{
  (void)state;
  struct flow flow;
  struct upload upload = {.flow = &flow};
  pthread_t thread;
  flow_begin(&flow, copying);
  add_copying(&upload);
  pid_t key_holder = flow_key_holder(&flow);
  flow_hang_key_holder(&flow);
  assert_int_equal(pthread_create(&thread, NULL, run_upload, &upload), 0);
  int64_t deadline = when_monotonic_ms() + 30000;
  while (flow_sql(&flow, "SELECT count(*) FROM events WHERE device_serial = 'W-1'") == 0) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(10000);
  }
  assert_int_equal(kill(key_holder, SIGCONT), 0);
  pthread_join(thread, NULL);
  assert_int_equal(upload.answer.status, 200);
  json_t *lines = answer_lines(&upload.answer);
  assert_int_equal(line_status(lines, 1), 201);
  json_decref(lines);
  upload_run(&upload);
  lines = answer_lines(&upload.answer);
  assert_int_equal(line_status(lines, 1), 200);
  json_decref(lines);
  finish(&flow, &upload);
}

/* --- time --- */

static const char impatient[] = "request_seconds = 2\n";

static void slow_down(struct upload *upload)
{
  upload->pause_ms = 800;
}

static void lines_that_come_slowly_are_a_batch(void **state)
{
  (void)state;
  struct flow flow;
  struct upload upload;
  begin(&flow, &upload, impatient, 6);
  upload.stop_at = 0;
  upload.then = slow_down;
  upload_run(&upload);
  assert_int_equal(upload.answer.status, 200);
  json_t *lines = answer_lines(&upload.answer);
  assert_int_equal(lines_with_status(lines, 201), 6);
  json_decref(lines);
  finish(&flow, &upload);
}

/* Empty lines, too, buy no time. */
static void octets_that_come_slowly_are_none(void **state)
{
  (void)state;
  enum { LEN = 100 };
  static const char fills[] = {'{', '\n'};
  struct flow flow;
  flow_begin(&flow, impatient);
  for (size_t i = 0; i < ARRAY_LEN(fills); i++) {
    struct upload upload = {.flow = &flow, .pause_ms = 500, .piece = 1};
    upload.query = i == 0 ? QUERY : NULL;
    for (size_t k = 0; k < LEN; k++)
      buf_add_u8(&upload.lines, (uint8_t)fills[i]);
    upload_run(&upload);
    assert_int_equal(upload.answer.status, 0);
    assert_true(upload.sent < LEN / 2);
    upload_free(&upload);
  }
  wait_for_state(&flow, "cut-off");
  flow_end(&flow);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_connection_that_breaks_cuts_it_off),
      cmocka_unit_test(the_daemon_is_killed_and_nothing_is_issued_twice),
      cmocka_unit_test(the_daemon_stops_and_does_not_wait_for_the_sender),
      cmocka_unit_test(a_principal_who_is_disabled_gets_no_more),
      cmocka_unit_test(a_hanging_key_holder_pushes_back),
      cmocka_unit_test(a_key_holder_that_ends_is_no_lines_fault),
      cmocka_unit_test(what_was_tried_in_vain_is_the_same_request),
      cmocka_unit_test(lines_that_come_slowly_are_a_batch),
      cmocka_unit_test(octets_that_come_slowly_are_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
