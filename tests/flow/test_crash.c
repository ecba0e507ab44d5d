/* test_crash.c - kill -9 in the middle of a load: what a client has, the ledger has. */
#include "tests/flow/flow.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/when.h"

enum { CLIENTS = 8, REQUESTS = 150 };

struct client {
  const struct flow *flow;
  unsigned number;
  struct buf csr[REQUESTS];
  char received[REQUESTS][48]; /* serial numbers; "": no certificate came */
  unsigned unavailable;        /* 503 */
  char unexpected[256];        /* the first answer that may not be */
  pthread_t thread;
};

static struct client clients[CLIENTS];
static _Atomic unsigned n_received;
static _Atomic bool stop_now;

static void record(struct client *c, unsigned i, struct answer *answer)
{
  if (answer->status == 201 || answer->status == 200) {
    json_t *reply = json_loadb((const char *)answer->body.data, answer->body.len, 0, NULL);
    const char *serial_number = json_string_value(json_object_get(reply, "serial_number"));
    if (serial_number != NULL) {
      snprintf(c->received[i], sizeof c->received[i], "%s", serial_number);
      n_received++;
    }
    json_decref(reply);
  } else if (answer->status == 503) {
    c->unavailable++;
  } else if (answer->status != 0) {
    snprintf(c->unexpected, sizeof c->unexpected, "status %ld: %s", answer->status,
             buf_text(&answer->body));
  }
}

static void *run_client(void *context)
{
  struct client *c = context;
  AUTO(answer) answer = {0};
  for (unsigned i = 0; i < REQUESTS && !stop_now; i++) {
    char serial[32], ip[32];
    snprintf(serial, sizeof serial, "W-%u-%u", c->number, i);
    snprintf(ip, sizeof ip, "10.%u.1.%u", c->number, i + 1);
    flow_issue(c->flow, buf_text(&c->csr[i]), serial, ip, NULL, &answer);
    record(c, i, &answer);
  }
  return NULL;
}

static void clients_begin(const struct flow *flow)
{
  n_received = 0;
  stop_now = false;
  memset(clients, 0, sizeof clients);
  for (unsigned k = 0; k < CLIENTS; k++) {
    clients[k].flow = flow;
    clients[k].number = k;
    for (unsigned i = 0; i < REQUESTS; i++)
      make_csr(&clients[k].csr[i]);
  }
  for (unsigned k = 0; k < CLIENTS; k++)
    assert_int_equal(pthread_create(&clients[k].thread, NULL, run_client, &clients[k]), 0);
}

static void clients_join(void)
{
  for (unsigned k = 0; k < CLIENTS; k++)
    pthread_join(clients[k].thread, NULL);
}

static void clients_free(void)
{
  for (unsigned k = 0; k < CLIENTS; k++)
    for (unsigned i = 0; i < REQUESTS; i++)
      buf_free(&clients[k].csr[i]);
}

static void wait_for_received(unsigned n)
{
  int64_t deadline = when_monotonic_ms() + 60000;
  while (n_received < n) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(1000);
  }
}

static void assert_ledger_has_all(const struct flow *flow)
{
  unsigned known = 0;
  AUTO(answer) answer = {0};
  for (unsigned k = 0; k < CLIENTS; k++)
    for (unsigned i = 0; i < REQUESTS; i++) {
      char path[128];
      if (clients[k].received[i][0] == '\0')
        continue;
      snprintf(path, sizeof path, "/v1/certificates/%s", clients[k].received[i]);
      flow_ask(flow, &(struct ask){.path = path, .token = flow->admin}, &answer);
      if (answer.status != 200)
        fail_msg("%s was received, and the ledger has it not: %ld", path, answer.status);
      known++;
    }
  assert_int_equal(known, n_received);
  assert_true(known > 0);
}

static void assert_nothing_unexpected(void)
{
  for (unsigned k = 0; k < CLIENTS; k++)
    if (clients[k].unexpected[0] != '\0')
      fail_msg("%s", clients[k].unexpected);
}

static void the_daemon_is_killed_and_no_received_certificate_is_missing(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  clients_begin(&flow);
  wait_for_received(CLIENTS * REQUESTS / 4);
  flow_stop(&flow, SIGKILL);
  stop_now = true;
  clients_join();
  assert_nothing_unexpected();
  assert_true(n_received < CLIENTS * REQUESTS); /* it was in the middle */
  flow_start(&flow);
  assert_ledger_has_all(&flow);
  /* And it goes on: the next widget gets its certificate. */
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-after", "10.9.9.9", NULL, &answer);
  assert_int_equal(answer.status, 201);
  clients_free();
  flow_end(&flow);
}

static void issue_until(const struct flow *flow, long status, const char *serial)
{
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  int64_t deadline = when_monotonic_ms() + 20000;
  make_csr(&csr);
  do {
    flow_issue(flow, buf_text(&csr), serial, "10.9.9.9", NULL, &answer);
    if (answer.status != status && answer.status != 503)
      fail_msg("status %ld: %s", answer.status, buf_text(&answer.body));
    if (answer.status == 503)
      assert_true(answer.retry_after > 0);
    assert_true(when_monotonic_ms() < deadline);
  } while (answer.status != status);
}

static void the_key_holder_is_killed_and_the_daemon_goes_on(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  pid_t first = flow_key_holder(&flow);
  assert_true(first > 0);
  clients_begin(&flow);
  wait_for_received(CLIENTS * REQUESTS / 4);
  kill(first, SIGKILL);
  clients_join();
  assert_nothing_unexpected();
  assert_ledger_has_all(&flow);
  issue_until(&flow, 201, "W-after");
  pid_t second = flow_key_holder(&flow);
  assert_true(second > 0 && second != first);
  /* What was answered with 503 left no row: there are as many rows as certificates that were
   * received. */
  assert_int_equal(flow_rows(&flow), n_received + 1);
  clients_free();
  flow_end(&flow);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_daemon_is_killed_and_no_received_certificate_is_missing),
      cmocka_unit_test(the_key_holder_is_killed_and_the_daemon_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
