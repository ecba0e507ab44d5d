/* test_load.c - many stations at once: nothing is lost, nothing is made twice. */
#include "tests/flow/flow.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATIONS = 32, WIDGETS = 50 };

/* What one thread sends and what it got. Threads record; the test asserts. */
struct worker {
  const struct flow *flow;
  unsigned number;
  struct buf csr[WIDGETS];
  struct answer answers[WIDGETS];
  pthread_t thread;
};

static void serial_of(unsigned station, unsigned widget, char out[32])
{
  snprintf(out, 32, "W-%02u-%02u", station, widget);
}

static void address_of(unsigned station, unsigned widget, char out[32])
{
  snprintf(out, 32, "10.7.%u.%u", station, widget + 1);
}

static void *provision(void *context)
{
  struct worker *w = context;
  for (unsigned i = 0; i < WIDGETS; i++) {
    char serial[32], ip[32];
    serial_of(w->number, i, serial);
    address_of(w->number, i, ip);
    flow_issue(w->flow, buf_text(&w->csr[i]), serial, ip, NULL, &w->answers[i]);
  }
  return NULL;
}

static void run_all(struct worker *workers, size_t n)
{
  for (size_t i = 0; i < n; i++)
    assert_int_equal(pthread_create(&workers[i].thread, NULL, provision, &workers[i]), 0);
  for (size_t i = 0; i < n; i++)
    pthread_join(workers[i].thread, NULL);
}

static void check_reply(struct worker *w, unsigned widget, char *ret_serial_number)
{
  char serial[32], ip[32];
  struct answer *answer = &w->answers[widget];
  if (answer->status != 201)
    fail_msg("status %ld: %s", answer->status, buf_text(&answer->body));
  serial_of(w->number, widget, serial);
  address_of(w->number, widget, ip);
  json_t *reply = answer_json(answer);
  assert_string_equal(json_text(reply, "device_serial"), serial);
  assert_string_equal(json_text(reply, "station"), "line-1");
  assert_chain(w->flow, reply, ip);
  snprintf(ret_serial_number, 48, "%s", json_text(reply, "serial_number"));
  json_decref(reply);
}

static int by_text(const void *a, const void *b)
{
  return strcmp(a, b);
}

static void thirty_two_stations_provision_fifty_widgets_each(void **state)
{
  (void)state;
  static struct worker workers[STATIONS];
  static char serial_numbers[STATIONS * WIDGETS][48];
  struct flow flow;
  flow_begin(&flow, NULL);
  for (unsigned s = 0; s < STATIONS; s++) {
    workers[s].flow = &flow;
    workers[s].number = s;
    for (unsigned i = 0; i < WIDGETS; i++)
      make_csr(&workers[s].csr[i]);
  }
  run_all(workers, STATIONS);
  for (unsigned s = 0; s < STATIONS; s++)
    for (unsigned i = 0; i < WIDGETS; i++)
      check_reply(&workers[s], i, serial_numbers[s * WIDGETS + i]);
  qsort(serial_numbers, STATIONS * WIDGETS, sizeof serial_numbers[0], by_text);
  for (unsigned i = 1; i < STATIONS * WIDGETS; i++)
    assert_string_not_equal(serial_numbers[i - 1], serial_numbers[i]);
  assert_int_equal(flow_rows(&flow), STATIONS * WIDGETS);
  assert_int_equal(flow_sql(&flow, "SELECT count(DISTINCT serial_number) FROM certificates"),
                   STATIONS * WIDGETS + 1); /* and the daemon's own */
  for (unsigned s = 0; s < STATIONS; s++)
    for (unsigned i = 0; i < WIDGETS; i++) {
      buf_free(&workers[s].csr[i]);
      answer_free(&workers[s].answers[i]);
    }
  flow_end(&flow);
}

static void *provision_one(void *context)
{
  struct worker *w = context;
  flow_issue(w->flow, buf_text(&w->csr[0]), "W-2001", "10.7.0.1", ",\"order\":\"PO-1\"",
             &w->answers[0]);
  return NULL;
}

static void the_same_request_twenty_times_at_once_makes_one_row(void **state)
{
  (void)state;
  enum { TIMES = 20 };
  static struct worker workers[TIMES];
  char first[48] = "", serial_number[48];
  unsigned created = 0;
  struct flow flow;
  flow_begin(&flow, NULL);
  flow_order(&flow, "PO-1", 1, NULL);
  AUTO(buf) csr = {0};
  make_csr(&csr);
  for (unsigned i = 0; i < TIMES; i++) {
    workers[i].flow = &flow;
    buf_add_bytes(&workers[i].csr[0], buf_bytes(&csr));
    assert_int_equal(pthread_create(&workers[i].thread, NULL, provision_one, &workers[i]), 0);
  }
  for (unsigned i = 0; i < TIMES; i++)
    pthread_join(workers[i].thread, NULL);
  for (unsigned i = 0; i < TIMES; i++) {
    struct answer *answer = &workers[i].answers[0];
    if (answer->status != 200 && answer->status != 201)
      fail_msg("status %ld: %s", answer->status, buf_text(&answer->body));
    created += answer->status == 201;
    json_t *reply = answer_json(answer);
    snprintf(serial_number, sizeof serial_number, "%s", json_text(reply, "serial_number"));
    if (first[0] == '\0')
      memcpy(first, serial_number, sizeof first);
    assert_string_equal(serial_number, first);
    json_decref(reply);
    answer_free(answer);
    buf_free(&workers[i].csr[0]);
  }
  assert_int_equal(created, 1);
  assert_int_equal(flow_rows(&flow), 1);
  flow_end(&flow);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(thirty_two_stations_provision_fifty_widgets_each),
      cmocka_unit_test(the_same_request_twenty_times_at_once_makes_one_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
