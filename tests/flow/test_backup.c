/* test_backup.c - the ledger copied under load, and put back: nothing is lost, and nobody is told
 * otherwise. */
#include "tests/flow/flow.h"

#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/cert.h"
#include "lib/pki/crl.h"

enum { CLIENTS = 4, REQUESTS = 120 };

/* --- steps --- */

static void assert_says(struct buf *said, const char *text)
{
  if (strstr(buf_text(said), text) == NULL)
    fail_msg("it does not say \"%s\": %s", text, buf_text(said));
}

static void back_up(const struct flow *flow, const char *name)
{
  AUTO(buf) said = {0};
  char path[128];
  struct stat st;
  const char *const words[] = {"backup", flow_path(flow, name, path), NULL};
  if (flow_mintmark(flow, words, &said) != 0)
    fail_msg("%s", buf_text(&said));
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
}

/* Returns the exit code. */
static int restore(const struct flow *flow, const char *name, struct buf *ret_said)
{
  char path[128], ca[128];
  const char *const arguments[] = {
      "mintmark", "restore", flow_path(flow, name, path), "--dir", flow_path(flow, "ca", ca), NULL};
  return flow_run(flow, arguments, ret_said);
}

static bool has(sqlite3 *db, const char *serial_number)
{
  char sql[160];
  sqlite3_stmt *statement = NULL;
  snprintf(sql, sizeof sql, "SELECT 1 FROM certificates WHERE serial_number = x'%s'",
           serial_number);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  bool found = sqlite3_step(statement) == SQLITE_ROW;
  sqlite3_finalize(statement);
  return found;
}

static void issue(const struct flow *flow, const char *serial, const char *ip, long status)
{
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(flow, buf_text(&csr), serial, ip, NULL, &answer);
  if (answer.status != status)
    fail_msg("%s: %ld %s", serial, answer.status, buf_text(&answer.body));
}

/* --- load --- */

struct client {
  const struct flow *flow;
  unsigned number;
  struct buf csr[REQUESTS];
  char received[REQUESTS][48]; /* serial numbers, in their order */
  _Atomic unsigned n_received;
  char unexpected[256]; /* the first answer that may not be */
  pthread_t thread;
};

static struct client clients[CLIENTS];

static void *run_client(void *context)
{
  struct client *c = context;
  AUTO(answer) answer = {0};
  for (unsigned i = 0; i < REQUESTS; i++) {
    char serial[32], ip[32];
    snprintf(serial, sizeof serial, "W-%u-%u", c->number, i);
    snprintf(ip, sizeof ip, "10.%u.1.%u", c->number, i + 1);
    flow_issue(c->flow, buf_text(&c->csr[i]), serial, ip, NULL, &answer);
    if (answer.status != 201) {
      snprintf(c->unexpected, sizeof c->unexpected, "%ld: %s", answer.status,
               buf_text(&answer.body));
      return NULL;
    }
    json_t *reply = answer_json(&answer);
    snprintf(c->received[i], sizeof c->received[i], "%s", json_text(reply, "serial_number"));
    json_decref(reply);
    c->n_received++;
  }
  return NULL;
}

static void clients_begin(const struct flow *flow)
{
  for (unsigned k = 0; k < CLIENTS; k++) {
    clients[k].flow = flow;
    clients[k].number = k;
    for (unsigned i = 0; i < REQUESTS; i++)
      make_csr(&clients[k].csr[i]);
  }
  for (unsigned k = 0; k < CLIENTS; k++)
    assert_int_equal(pthread_create(&clients[k].thread, NULL, run_client, &clients[k]), 0);
}

static void clients_end(void)
{
  for (unsigned k = 0; k < CLIENTS; k++) {
    pthread_join(clients[k].thread, NULL);
    if (clients[k].unexpected[0] != '\0')
      fail_msg("%s", clients[k].unexpected);
    for (unsigned i = 0; i < REQUESTS; i++)
      buf_free(&clients[k].csr[i]);
  }
}

static unsigned count_received(unsigned ret_before[CLIENTS])
{
  unsigned n = 0;
  for (unsigned k = 0; k < CLIENTS; k++)
    n += ret_before[k] = clients[k].n_received;
  return n;
}

static void wait_for_received(unsigned n)
{
  unsigned each[CLIENTS];
  int64_t deadline = when_monotonic_ms() + 60000;
  while (count_received(each) < n) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(1000);
  }
}

static void a_copy_has_all_that_was_issued_before_it_was_asked_for(void **state)
{
  (void)state;
  struct flow flow;
  unsigned before[CLIENTS];
  char path[128];
  sqlite3 *db = NULL;
  flow_begin(&flow, NULL);
  clients_begin(&flow);
  wait_for_received(CLIENTS * REQUESTS / 4);
  unsigned n_before = count_received(before);
  back_up(&flow, "copy.db");
  clients_end();
  assert_true(n_before < CLIENTS * REQUESTS); /* it was in the middle */
  assert_int_equal(
      sqlite3_open_v2(flow_path(&flow, "copy.db", path), &db, SQLITE_OPEN_READONLY, NULL),
      SQLITE_OK);
  for (unsigned k = 0; k < CLIENTS; k++)
    for (unsigned i = 0; i < before[k]; i++)
      if (!has(db, clients[k].received[i]))
        fail_msg("%s was issued before and is not in the copy", clients[k].received[i]);
  sqlite3_close(db);
  assert_int_equal(flow_rows(&flow), CLIENTS * REQUESTS);
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM events WHERE kind = "
                                   "(SELECT id FROM labels WHERE text = 'backed-up')"),
                   1);
  assert_false(file_exists(flow_path(&flow, "ca/mintmark.db-backup", path)));
  flow_end(&flow);
}

static void a_copy_that_is_there_is_not_overwritten(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(buf) said = {0};
  char path[128];
  flow_begin(&flow, NULL);
  back_up(&flow, "copy.db");
  const char *const words[] = {"backup", flow_path(&flow, "copy.db", path), NULL};
  assert_int_equal(flow_mintmark(&flow, words, &said), 1);
  assert_says(&said, "is already there");
  const char *const forced[] = {"backup", path, "--force", "--json", NULL};
  assert_int_equal(flow_mintmark(&flow, forced, &said), 0);
  assert_says(&said, "\"sha256\"");
  assert_false(file_exists(flow_path(&flow, "copy.db.new", path)));
  flow_stop(&flow, SIGTERM);
  const char *const unheard[] = {
      "backup", flow_path(&flow, "copy.db", path), "--force", "--timeout", "1", NULL};
  assert_int_equal(flow_mintmark(&flow, unheard, &said), 3);
  assert_true(file_exists(flow_path(&flow, "copy.db", path)));
  assert_false(file_exists(flow_path(&flow, "copy.db.new", path)));
  flow_start(&flow);
  flow_end(&flow);
}

/* --- many at once --- */

static void *ask_for_one(void *context)
{
  const struct flow *flow = context;
  AUTO(answer) answer = {0};
  flow_ask(flow, &(struct ask){.method = "POST", .path = "/v1/backups", .token = flow->admin},
           &answer);
  if (answer.status == 200 && strcmp(answer.content_type, "application/vnd.sqlite3") == 0 &&
      answer.body.len % 4096 == 0 && memcmp(answer.body.data, "SQLite format 3", 16) == 0)
    return (void *)(uintptr_t)200;
  bool busy = answer.status == 503 && strstr(buf_text(&answer.body), "\"busy\"") != NULL;
  return (void *)(uintptr_t)(busy ? 503 : 0);
}

static void one_copy_is_made_at_a_time(void **state)
{
  (void)state;
  struct flow flow;
  pthread_t threads[8];
  unsigned made = 0;
  flow_begin(&flow, NULL);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    assert_int_equal(pthread_create(&threads[i], NULL, ask_for_one, &flow), 0);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
    void *status;
    pthread_join(threads[i], &status);
    assert_true((uintptr_t)status == 200 || (uintptr_t)status == 503);
    made += (uintptr_t)status == 200;
  }
  assert_true(made >= 1);
  flow_end(&flow);
}

/* --- restore --- */

/* Of which certificate does not matter. */
static void make_ocsp_request(const struct flow *flow, const char *ca, struct buf *ret_der)
{
  AUTO(buf) command = {0};
  AUTO(fault) f = {0};
  char path[128];
  buf_addf(&command,
           "openssl ocsp -issuer '%s/%s' -serial 0x01 -no_nonce -reqout '%s/request.der' "
           ">'%s/openssl.log' 2>&1",
           flow->folder, ca, flow->folder, flow->folder);
  assert_int_equal(system(buf_text(&command)), 0);
  assert_true(file_read(flow_path(flow, "request.der", path), 4096, ret_der, &f));
}

/* Readiness is found out by a thread, now and then. */
static void wait_for_ready(const struct flow *flow, long status, const char *code)
{
  AUTO(answer) answer = {0};
  int64_t deadline = when_monotonic_ms() + 20000;
  do {
    flow_ask(flow, &(struct ask){.path = "/readyz"}, &answer);
    assert_true(when_monotonic_ms() < deadline);
    usleep(20000);
  } while (answer.status != status);
  if (code != NULL)
    assert_problem(&answer, status, code);
}

/* OCSPResponse { responseStatus tryLater(3) }: RFC 6960, 4.2.1. */
static void assert_ocsp_tries_later(const struct flow *flow, const char *ca)
{
  AUTO(buf) request = {0};
  AUTO(answer) answer = {0};
  static const uint8_t try_later[] = {0x30, 0x03, 0x0a, 0x01, 0x03};
  make_ocsp_request(flow, ca, &request);
  flow_ask(flow,
           &(struct ask){.path = "/ocsp",
                         .content_type = "application/ocsp-request",
                         .body = buf_bytes(&request)},
           &answer);
  assert_int_equal(answer.status, 200);
  assert_true(bytes_equal(buf_bytes(&answer.body), bytes_of(try_later, sizeof try_later)));
}

static void assert_refused(const struct flow *flow, const char *missing)
{
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(flow, buf_text(&csr), "W-refused", "10.1.9.9", NULL, &answer);
  assert_problem(&answer, 503, "ledger-behind");
  assert_says(&answer.body, missing);
  assert_says(&answer.body, "mintmark restore --accept");
}

/* Of the authority's list of all, as it is served; waits until it revokes this certificate. */
static uint64_t wait_for_list(const struct flow *flow, const char *revoked, uint64_t above)
{
  uint8_t serial_number[SERIAL_NUMBER_LEN];
  size_t len;
  AUTO(answer) answer = {0};
  int64_t deadline = when_monotonic_ms() + 30000;
  assert_true(text_unhex(bytes_of_text(revoked), serial_number, sizeof serial_number, &len));
  for (;; usleep(50000)) {
    AUTO(fault) f = {0};
    struct crl crl;
    uint64_t number = 0;
    flow_ask(flow, &(struct ask){.path = "/crl/issuing.crl"}, &answer);
    if (answer.status == 200) {
      assert_true(crl_read(buf_bytes(&answer.body), &crl, &f));
      for (size_t i = 0; i < crl.crl_number.len; i++)
        number = number << 8 | crl.crl_number.data[i];
      if (number > above && crl_has(&crl, bytes_of(serial_number, len)))
        return number;
    }
    assert_true(when_monotonic_ms() < deadline);
  }
}

static void issue_and_keep(const struct flow *flow, const char *serial, const char *ip,
                           char ret_serial_number[48])
{
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(flow, buf_text(&csr), serial, ip, NULL, &answer);
  assert_int_equal(answer.status, 201);
  json_t *reply = answer_json(&answer);
  snprintf(ret_serial_number, 48, "%s", json_text(reply, "serial_number"));
  json_decref(reply);
}

static void post(const struct flow *flow, const char *path, const char *body,
                 struct answer *ret_answer)
{
  flow_ask(flow,
           &(struct ask){.path = path,
                         .token = flow->admin,
                         .content_type = "application/json",
                         .body = bytes_of_text(body)},
           ret_answer);
}

static void revoke_one(const struct flow *flow, const char *serial_number)
{
  AUTO(answer) answer = {0};
  char path[128];
  snprintf(path, sizeof path, "/v1/certificates/%s/revoke", serial_number);
  post(flow, path, "{\"reason\":\"keyCompromise\"}", &answer);
  assert_int_equal(answer.status, 200);
}

/* Revocations are published soon. */
static void begin_with_lists(struct flow *flow)
{
  flow_begin(flow, NULL);
  flow_edit_conf(flow, "# delay = \"10s\"", "delay = \"1s\"");
  kill(flow->daemon, SIGHUP);
  flow_wait_for_log(flow, "configuration reloaded");
}

/* 1 before the copy was made, 7 behind it. */
static void make_older(struct flow *flow, char revoked[2][48])
{
  issue_and_keep(flow, "W-1", "10.1.0.1", revoked[0]);
  back_up(flow, "copy.db");
  issue_and_keep(flow, "W-2", "10.1.0.2", revoked[1]);
  for (unsigned i = 3; i < 9; i++) {
    char serial[16], ip[16];
    snprintf(serial, sizeof serial, "W-%u", i);
    snprintf(ip, sizeof ip, "10.1.0.%u", i);
    issue(flow, serial, ip, 201);
  }
  revoke_one(flow, revoked[0]);
  revoke_one(flow, revoked[1]);
}

static void put_back(struct flow *flow)
{
  AUTO(buf) said = {0};
  flow_stop(flow, SIGTERM);
  assert_int_equal(restore(flow, "copy.db", &said), 0);
  assert_says(&said, "2 certificates, the last one issued at 20");
  assert_says(&said, "mintmark.db.before-restore-");
  flow_start(flow);
  assert_int_equal(flow_rows(flow), 1);
}

static void an_older_copy_is_put_back_and_accepted(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(buf) said = {0};
  AUTO(answer) answer = {0};
  char revoked[2][48];
  begin_with_lists(&flow);
  make_older(&flow, revoked);
  uint64_t number = wait_for_list(&flow, revoked[1], 0);
  assert_int_equal(restore(&flow, "copy.db", &said), 1);
  assert_says(&said, "in use by another daemon");
  put_back(&flow);
  wait_for_ready(&flow, 503, "ledger-behind");
  assert_refused(&flow, "7 of issuing");
  assert_ocsp_tries_later(&flow, "ca/issuing.crt");
  flow_wait_for_log(&flow, "missing=7");
  /* The list that was published last stays, and is not replaced by what an older ledger knows. */
  assert_int_equal(wait_for_list(&flow, revoked[1], 0), number);

  flow_ask(&flow, &(struct ask){.path = "/v1/standing", .token = flow.admin}, &answer);
  assert_int_equal(answer.status, 200);
  assert_says(&answer.body, "\"standing\":\"behind\"");
  assert_says(&answer.body, "\"missing\":7");
  post(&flow, "/v1/standing/accept", "{\"missing\":6}", &answer);
  assert_problem(&answer, 409, "selection-changed");
  const char *const unasked[] = {"restore", "--accept", NULL};
  assert_int_equal(flow_mintmark(&flow, unasked, &said), 2);
  assert_says(&said, "7 certificates are missing");
  assert_refused(&flow, "7 of issuing");

  const char *const accept[] = {"restore", "--accept", "--yes", NULL};
  assert_int_equal(flow_mintmark(&flow, accept, &said), 0);
  assert_says(&said, "7 certificates are missing from now on; 2 revocations");
  issue(&flow, "W-new", "10.1.0.99", 201);
  wait_for_ready(&flow, 200, NULL);
  assert_true(wait_for_list(&flow, revoked[0], number) > number);
  wait_for_list(&flow, revoked[1], number);
  /* It stays so, and what was accepted is not missing once more. */
  flow_stop(&flow, SIGTERM);
  flow_start(&flow);
  issue(&flow, "W-newer", "10.1.0.98", 201);
  assert_int_equal(flow_mintmark(&flow, accept, &said), 0);
  assert_says(&said, "Nothing is missing");
  flow_end(&flow);
}

/* The newest list is on none of our disks: somebody who fetched it has it. */
static void a_list_that_is_not_at_hand_is_given(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(buf) said = {0};
  AUTO(answer) answer = {0};
  AUTO(fault) f = {0};
  char revoked[2][48], path[128];
  begin_with_lists(&flow);
  make_older(&flow, revoked);
  uint64_t number = wait_for_list(&flow, revoked[1], 0);
  flow_ask(&flow, &(struct ask){.path = "/crl/issuing.crl"}, &answer);
  assert_true(
      file_write(flow_path(&flow, "kept.crl", path), buf_bytes(&answer.body), 0600, true, &f));
  put_back(&flow);
  assert_int_equal(unlink(flow_path(&flow, "ca/crl/issuing.crl", path)), 0);

  post(&flow, "/v1/standing/accept", "{\"missing\":7}", &answer);
  assert_problem(&answer, 409, "authority-state");
  const char *const accept[] = {"restore", "--accept", "--yes", NULL};
  assert_int_equal(flow_mintmark(&flow, accept, &said), 1);
  assert_says(&said, "--without-crl");
  const char *const wrong[] = {
      "restore", "--accept", "--yes", "--crl", flow_path(&flow, "daemon.log", path), NULL};
  assert_int_equal(flow_mintmark(&flow, wrong, &said), 1);
  assert_says(&said, "it is not DER");
  assert_refused(&flow, "7 of issuing");
  const char *const given[] = {
      "restore", "--accept", "--yes", "--crl", flow_path(&flow, "kept.crl", path), NULL};
  assert_int_equal(flow_mintmark(&flow, given, &said), 0);
  assert_says(&said, "2 revocations that the ledger did not have");
  assert_true(wait_for_list(&flow, revoked[0], number) > number);
  assert_true(wait_for_list(&flow, revoked[1], number) > number);
  flow_end(&flow);
}

/* Nobody has it: then that must be said in so many words. */
static void without_a_list_it_must_be_said(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(buf) said = {0};
  char revoked[2][48], path[128];
  begin_with_lists(&flow);
  make_older(&flow, revoked);
  wait_for_list(&flow, revoked[1], 0);
  put_back(&flow);
  assert_int_equal(unlink(flow_path(&flow, "ca/crl/issuing.crl", path)), 0);
  const char *const accept[] = {"restore", "--accept", "--yes", "--without-crl", NULL};
  assert_int_equal(flow_mintmark(&flow, accept, &said), 0);
  assert_says(&said, "may be lost");
  issue(&flow, "W-new", "10.1.0.99", 201);
  flow_end(&flow);
}

/* --- crashes --- */

static atomic_bool stop_now;
static atomic_uint n_released;

/* Whatever becomes of each. */
static void *issue_on(void *context)
{
  const struct client *c = context;
  AUTO(answer) answer = {0};
  for (unsigned i = 0; !stop_now; i++) {
    AUTO(buf) csr = {0};
    char serial[32];
    make_csr(&csr);
    snprintf(serial, sizeof serial, "K-%u-%u-%u", c->number, i, (unsigned)when_monotonic_ms());
    flow_issue(c->flow, buf_text(&csr), serial, "10.7.7.7", NULL, &answer);
    n_released += answer.status == 201;
  }
  return NULL;
}

static void wait_for_released(unsigned n)
{
  int64_t deadline = when_monotonic_ms() + 60000;
  while (n_released < n) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(500);
  }
}

/* One round of load, in the middle of which somebody is killed. */
static void kill_in_the_middle(struct flow *flow, bool daemon)
{
  n_released = 0;
  stop_now = false;
  for (unsigned k = 0; k < CLIENTS; k++) {
    clients[k].flow = flow;
    clients[k].number = k;
    assert_int_equal(pthread_create(&clients[k].thread, NULL, issue_on, &clients[k]), 0);
  }
  wait_for_released(20);
  if (daemon)
    flow_stop(flow, SIGKILL);
  else
    assert_int_equal(kill(flow_key_holder(flow), SIGKILL), 0);
  if (!daemon)
    wait_for_released(n_released + 20);
  stop_now = true;
  for (unsigned k = 0; k < CLIENTS; k++)
    pthread_join(clients[k].thread, NULL);
  if (daemon)
    flow_start(flow);
}

static void a_crash_is_no_older_ledger(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  for (unsigned round = 0; round < 6; round++) {
    kill_in_the_middle(&flow, round % 2 == 0);
    wait_for_ready(&flow, 200, NULL);
    issue(&flow, "W-after", "10.1.0.9", round == 0 ? 201 : 409);
  }
  assert_false(flow_log_has(&flow, "older copy"));
  assert_false(flow_log_has(&flow, "ledger-behind"));
  flow_end(&flow);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_copy_has_all_that_was_issued_before_it_was_asked_for),
      cmocka_unit_test(a_copy_that_is_there_is_not_overwritten),
      cmocka_unit_test(one_copy_is_made_at_a_time),
      cmocka_unit_test(an_older_copy_is_put_back_and_accepted),
      cmocka_unit_test(a_list_that_is_not_at_hand_is_given),
      cmocka_unit_test(without_a_list_it_must_be_said),
      cmocka_unit_test(a_crash_is_no_older_ledger),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
