/* test_webhook.c - whoever is to hear of events hears of each: in order, signed, at least once,
 * whatever becomes of the receiver and of the daemon; and nobody waits for it. */
#include "tests/flow/flow.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/when.h"
#include "tests/flow/receiver.h"

#define NEW "\"issued\""

static struct flow flow;
static struct receiver receiver;

static int set_up(void **state)
{
  (void)state;
  receiver_begin(&receiver);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  receiver_end(&receiver);
  return 0;
}

static void begin(const char *events, const char *more)
{
  AUTO(buf) conf = {0};
  receiver_conf(&receiver, "mes", events, more, &conf);
  flow_begin(&flow, buf_text(&conf));
}

/* Devices W-FIRST and on. */
static void issue(unsigned first, unsigned n)
{
  AUTO(answer) answer = {0};
  for (unsigned i = first; i < first + n; i++) {
    AUTO(buf) csr = {0};
    char serial[16];
    snprintf(serial, sizeof serial, "W-%u", i);
    make_csr(&csr);
    flow_issue(&flow, buf_text(&csr), serial, "10.1.1.1", NULL, &answer);
    assert_int_equal(answer.status, 201);
  }
}

/* Each event that was taken is a larger one than those before, and a repeat says the same. */
static void assert_in_order(void)
{
  for (size_t i = 1; i < receiver.n; i++) {
    const struct received *one = &receiver.received[i], *before = one - 1;
    if (one->id > before->id)
      continue;
    for (; before > receiver.received && before->id != one->id; before--)
      ;
    assert_int_equal(before->id, one->id);
    assert_true(json_equal(before->body, one->body));
  }
}

static const char *text_of(size_t i, const char *name)
{
  return json_text(receiver.received[i].body, name);
}

static const json_t *event_of(const json_t *listing, int64_t id)
{
  const json_t *events = json_object_get(listing, "events");
  for (size_t i = 0; i < json_array_size(events); i++)
    if (json_integer_value(json_object_get(json_array_get(events, i), "id")) == id)
      return json_array_get(events, i);
  fail_msg("no event %lld", (long long)id);
  return NULL;
}

/* --- what is told --- */

static void a_receiver_hears_what_the_listing_says(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  AUTO(buf) csr = {0};
  begin(NEW ", \"refused\", \"revoked\"", "");
  issue(1, 2);
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-1", "10.1.1.1", NULL, &answer);
  assert_problem(&answer, 409, "device-has-certificate");
  flow_issue(&flow, buf_text(&csr), "W-1", "10.1.1.1", ",\"replace\":true", &answer);
  assert_int_equal(answer.status, 201);
  receiver_wait_for(&receiver, receiver_taken, 5);
  assert_int_equal(receiver_requests(&receiver), 5);
  static const char *const kinds[] = {"issued", "issued", "refused", "revoked", "replaced"};
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    assert_string_equal(text_of(i, "kind"), kinds[i]);
    assert_int_equal(strlen(text_of(i, "not_after")), i == 2 ? 0 : 20);
  }
  assert_string_equal(text_of(3, "about"), "superseded");
  assert_string_equal(text_of(3, "serial_number"), text_of(0, "serial_number"));
  flow_ask(&flow, &(struct ask){.path = "/v1/events?limit=20", .token = flow.admin}, &answer);
  json_t *listing = answer_json(&answer);
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    assert_true(json_equal(event_of(listing, receiver.received[i].id), receiver.received[i].body));
  json_decref(listing);
  flow_end(&flow);
}

static void a_certificate_that_expires_soon_is_told_once(void **state)
{
  (void)state;
  begin("\"expiring\"", "");
  flow_edit_conf(&flow, "\nwebhook", "\nexpiring = \"900d\"\nwebhook");
  issue(1, 3);
  kill(flow.daemon, SIGHUP);
  receiver_wait_for(&receiver, receiver_taken, 4); /* and the daemon's own */
  assert_string_equal(text_of(3, "device_serial"), "W-3");
  assert_string_equal(text_of(3, "kind"), "expiring");
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_start(&flow);
  issue(4, 1);
  kill(flow.daemon, SIGHUP);
  receiver_wait_for(&receiver, receiver_taken, 5);
  assert_int_equal(receiver_requests(&receiver), 5);
  flow_end(&flow);
}

/* --- a receiver in trouble --- */

static void what_is_not_taken_comes_again_before_anything_else(void **state)
{
  (void)state;
  begin(NEW, "");
  receiver_answer(&receiver, 500, 1);
  issue(1, 3);
  flow_wait_for_log(&flow, "a webhook does not take events");
  receiver_wait_for(&receiver, receiver_taken, 3);
  flow_wait_for_log(&flow, "a webhook takes events again");
  assert_int_equal(receiver_requests(&receiver), 4);
  assert_int_equal(receiver.received[0].id, receiver.received[1].id);
  /* A redirect is not followed: the receiver would say so. */
  receiver_answer(&receiver, 307, 1);
  issue(4, 1);
  receiver_wait_for(&receiver, receiver_taken, 4);
  assert_false(flow_log_has(&flow, "a webhook refuses events"));
  receiver_answer(&receiver, 410, 1);
  issue(5, 1);
  flow_wait_for_log(&flow, "a webhook refuses events");
  receiver_wait_for(&receiver, receiver_taken, 5);
  assert_in_order();
  flow_end(&flow);
}

static void a_receiver_that_was_down_gets_all_of_it(void **state)
{
  (void)state;
  begin(NEW, "");
  issue(1, 2);
  receiver_wait_for(&receiver, receiver_taken, 2);
  receiver_go_down(&receiver);
  issue(3, 150);
  flow_wait_for_log(&flow, "a webhook does not take events");
  receiver_come_up(&receiver);
  receiver_wait_for(&receiver, receiver_taken, 152);
  for (size_t i = 1; i < receiver.n; i++)
    assert_true(receiver.received[i].id > receiver.received[i - 1].id);
  flow_end(&flow);
}

static void a_receiver_that_does_not_answer_holds_up_nobody(void **state)
{
  (void)state;
  begin(NEW, "timeout = \"5m\"");
  receiver_keep_silent(&receiver, true);
  issue(1, 1);
  receiver_wait_for(&receiver, receiver_requests, 1);
  issue(2, 50);
  assert_int_equal(receiver_requests(&receiver), 1);
  int64_t begun = when_monotonic_ms();
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  assert_true(when_monotonic_ms() - begun < 15000);
  receiver_keep_silent(&receiver, false);
  flow_start(&flow);
  receiver_wait_for(&receiver, receiver_taken, 51);
  assert_in_order();
  flow_end(&flow);
}

static void an_answer_that_comes_too_late_is_none(void **state)
{
  (void)state;
  begin(NEW, "timeout = \"1s\"");
  receiver_keep_silent(&receiver, true);
  issue(1, 1);
  flow_wait_for_log(&flow, "a webhook does not take events");
  receiver_keep_silent(&receiver, false);
  receiver_wait_for(&receiver, receiver_taken, 1);
  assert_in_order();
  flow_end(&flow);
}

/* --- a daemon in trouble --- */

static void a_daemon_that_is_killed_tells_the_rest_and_repeats_little(void **state)
{
  (void)state;
  begin(NEW, "");
  for (unsigned round = 0; round < 3; round++) {
    issue(1 + round * 100, 100);
    flow_stop(&flow, SIGKILL);
    flow_start(&flow);
  }
  receiver_wait_for(&receiver, receiver_taken, 300);
  assert_in_order();
  assert_true(receiver_requests(&receiver) <= 300 + 3 * 64);
  assert_int_equal(
      flow_sql(&flow, "SELECT count(*) FROM certificates WHERE device_serial LIKE 'W-%'"), 300);
  /* One that ends in order repeats nothing. */
  size_t before = receiver_requests(&receiver);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_start(&flow);
  issue(301, 1);
  receiver_wait_for(&receiver, receiver_taken, 301);
  assert_int_equal(receiver_requests(&receiver), before + 1);
  flow_end(&flow);
}

/* --- the configuration --- */

static void a_webhook_that_is_added_hears_from_then_on(void **state)
{
  (void)state;
  AUTO(buf) section = {0};
  AUTO(buf) edit = {0};
  flow_begin(&flow, NULL);
  issue(1, 2);
  receiver_conf(&receiver, "late", NEW, "", &section);
  buf_addf(&edit, "\n%s\nprofile \"test\"", buf_text(&section));
  flow_edit_conf(&flow, "\nprofile \"test\"", buf_text(&edit));
  kill(flow.daemon, SIGHUP);
  flow_wait_for_log(&flow, "configuration reloaded");
  /* The first look is the thread's own matter. */
  int64_t deadline = when_monotonic_ms() + 10000;
  while (flow_sql(&flow, "SELECT count(*) FROM webhooks") == 0) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(5000);
  }
  issue(3, 1);
  receiver_wait_for(&receiver, receiver_taken, 1);
  assert_string_equal(text_of(0, "device_serial"), "W-3");
  /* Taken out, and back again: what happened in between is told. */
  flow_edit_conf(&flow, buf_text(&section), "");
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_start(&flow);
  issue(4, 1);
  flow_edit_conf(&flow, "\nprofile \"test\"", buf_text(&edit));
  kill(flow.daemon, SIGHUP);
  receiver_wait_for(&receiver, receiver_taken, 2);
  assert_string_equal(text_of(1, "device_serial"), "W-4");
  flow_end(&flow);
}

static void a_configuration_whose_secret_is_open_to_others_is_refused(void **state)
{
  (void)state;
  AUTO(buf) edit = {0};
  flow_begin(&flow, NULL);
  receiver_conf(&receiver, "mes", NEW, "", &edit);
  buf_add_text(&edit, "\nprofile \"test\"");
  flow_edit_conf(&flow, "\nprofile \"test\"", buf_text(&edit));
  assert_int_equal(chmod(receiver.secret_path, 0644), 0);
  kill(flow.daemon, SIGHUP);
  flow_wait_for_log(&flow, "make it 0600");
  issue(1, 1);
  flow_end(&flow);
}

/* The daemon itself is the HTTPS server here: it knows no such path, and says so to whoever trusts
 * its certificate. */
static void a_receiver_shows_a_certificate_that_is_trusted(void **state)
{
  (void)state;
  AUTO(buf) section = {0};
  flow_begin(&flow, NULL);
  buf_addf(&section,
           "\nwebhook \"a\" { url = \"https://127.0.0.1:%d/hook\" secret_file = \"%s\""
           " events = { %s } }\nprofile \"test\"",
           flow.port, receiver.secret_path, NEW);
  flow_edit_conf(&flow, "\nprofile \"test\"", buf_text(&section));
  kill(flow.daemon, SIGHUP);
  flow_wait_for_log(&flow, "configuration reloaded");
  issue(1, 1);
  flow_wait_for_log(&flow, "a webhook does not take events");
  flow_wait_for_log(&flow, "certificate problem");
  assert_false(flow_log_has(&flow, "a webhook refuses events"));
  flow_edit_conf(&flow, " events = { \"issued\" }",
                 " events = { \"issued\" } cacert = \"root.crt\"");
  kill(flow.daemon, SIGHUP);
  flow_wait_for_log(&flow, "a webhook refuses events");
  assert_true(flow_log_has(&flow, "status=404"));
  flow_end(&flow);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_receiver_hears_what_the_listing_says),
      TEST(a_certificate_that_expires_soon_is_told_once),
      TEST(what_is_not_taken_comes_again_before_anything_else),
      TEST(a_receiver_that_was_down_gets_all_of_it),
      TEST(a_receiver_that_does_not_answer_holds_up_nobody),
      TEST(an_answer_that_comes_too_late_is_none),
      TEST(a_daemon_that_is_killed_tells_the_rest_and_repeats_little),
      TEST(a_webhook_that_is_added_hears_from_then_on),
      TEST(a_configuration_whose_secret_is_open_to_others_is_refused),
      TEST(a_receiver_shows_a_certificate_that_is_trusted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
