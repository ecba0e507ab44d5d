/* test_order_race.c - an order never overruns: not when 64 clients want the last ten, and not when
 * the daemon is killed in the middle of it. */
#include "tests/flow/order_steps.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/base/when.h"

static int set_up(void **state)
{
  (void)state;
  flow_begin(&flow, NULL);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

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
      cmocka_unit_test(sixty_four_clients_racing_for_the_last_ten_get_exactly_ten),
      cmocka_unit_test(an_order_is_whole_after_every_kill),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
