/* test_recorder.c - what cannot wait for the disk is recorded all the same, and a flood of denials
 * is counted and not recorded one by one. */
#include "tests/unit/ledger_unit.h"

#include "lib/ca/denials.h"
#include "lib/ca/recorder.h"

static struct event denial_from(const char *source)
{
  struct event event = {.kind = EVENT_DENIED, .code = FAULT_UNAUTHENTICATED};
  snprintf(event.source, sizeof event.source, "%s", source);
  return event;
}

/* --- denials --- */

struct told {
  int64_t n_events, n_counted;
  char source[IP_TEXT_SIZE];
};

static void keep_told(const struct event *event, void *context)
{
  struct told *told = context;
  assert_int_equal(event->kind, EVENT_DENIED);
  told->n_events++;
  told->n_counted += event->count;
  memcpy(told->source, event->source, sizeof told->source);
}

static void one_address_fills_its_part_and_the_rest_is_counted(void **state)
{
  (void)state;
  static struct denials denials;
  struct event event = denial_from("10.1.1.7");
  struct told told = {0};
  unsigned recorded = 0;
  for (int64_t ms = 1; ms <= 1000; ms++)
    recorded += denials_admit(&denials, &event, ms);
  assert_int_equal(recorded, DENIALS_OF_ADDRESS);
  denials_tell(&denials, DENIALS_WINDOW_MS, keep_told, &told);
  assert_int_equal(told.n_events, 0);
  assert_int_equal(denials_due_ms(&denials), DENIALS_WINDOW_MS + 1);
  denials_tell(&denials, DENIALS_WINDOW_MS + 1, keep_told, &told);
  assert_int_equal(told.n_events, 1);
  assert_int_equal(told.n_counted, 1000 - DENIALS_OF_ADDRESS);
  assert_string_equal(told.source, "10.1.1.7");
  assert_true(denials_due_ms(&denials) == INT64_MAX);
  assert_true(denials_admit(&denials, &event, DENIALS_WINDOW_MS + 2));
}

static void many_addresses_do_not_fill_the_disk_either(void **state)
{
  (void)state;
  static struct denials denials;
  struct told told = {0};
  unsigned recorded = 0;
  for (unsigned n = 0; n < 5000; n++) {
    char source[IP_TEXT_SIZE];
    snprintf(source, sizeof source, "2001:db8::%x", n);
    struct event event = denial_from(source);
    recorded += denials_admit(&denials, &event, 1 + n);
  }
  denials_tell(&denials, INT64_MAX, keep_told, &told);
  assert_int_equal(recorded, DENIALS_IN_ALL);
  assert_int_equal(told.n_counted, 5000 - DENIALS_IN_ALL);
  assert_in_range(told.n_events, 1, DENIALS_ADDRESSES + 1);
}

static void a_few_in_each_minute_are_all_recorded(void **state)
{
  (void)state;
  static struct denials denials;
  struct event event = denial_from("10.1.1.7");
  for (int64_t minute = 0; minute < 10; minute++)
    for (int64_t n = 0; n < DENIALS_OF_ADDRESS; n++)
      assert_true(denials_admit(&denials, &event, 1 + minute * DENIALS_WINDOW_MS + n));
  assert_true(denials_due_ms(&denials) == INT64_MAX);
}

/* --- the recorder --- */

static struct event_page all_events(struct ledger *ledger)
{
  AUTO(fault) f = {0};
  struct event_page page = {0};
  const struct event_query query = {.limit = 1000};
  assert_true(ledger_search_events(ledger, &query, &page, &f));
  return page;
}

static void what_was_noted_is_on_record_when_it_has_stopped(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct recorder *recorder;
  const struct event started = {.kind = EVENT_STARTED}, stopped = {.kind = EVENT_STOPPED};
  struct event denied = denial_from("10.1.1.7");
  assert_true(recorder_start(bench->ledger, &recorder, &f));
  recorder_note(recorder, &started);
  for (unsigned n = 0; n < 100; n++)
    recorder_note(recorder, &denied);
  recorder_note(recorder, &stopped);
  recorder_stop(recorder);
  AUTO(event_page) page = all_events(bench->ledger);
  assert_int_equal(page.n, 2 + DENIALS_OF_ADDRESS + 1);
  assert_string_equal(page.rows[page.n - 1].kind_name, "started");
  assert_string_equal(page.rows[0].kind_name, "denied");
  assert_int_equal(page.rows[0].count, 100 - DENIALS_OF_ADDRESS);
  assert_string_equal(page.rows[1].kind_name, "stopped");
}

/* The ledger is held, so that nothing can be written while more gathers than is taken. */
static void what_is_lost_is_told(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct recorder *recorder;
  struct ledger_batch *batch;
  const struct event event = {.kind = EVENT_RELOADED};
  enum { NOTED = 2000 };
  assert_true(recorder_start(bench->ledger, &recorder, &f));
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  for (unsigned n = 0; n < NOTED; n++)
    recorder_note(recorder, &event);
  ledger_roll_back(batch);
  recorder_stop(recorder);
  AUTO(event_page) page = all_events(bench->ledger);
  int64_t n_lost = 0, n_kept = 0;
  for (size_t i = 0; i < page.n; i++)
    if (strcmp(page.rows[i].kind_name, "events-lost") == 0)
      n_lost += page.rows[i].count;
    else
      n_kept++;
  assert_true(n_lost > 0);
  assert_int_equal(n_lost + n_kept, NOTED);
}

int main(void)
{
#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_address_fills_its_part_and_the_rest_is_counted),
      cmocka_unit_test(many_addresses_do_not_fill_the_disk_either),
      cmocka_unit_test(a_few_in_each_minute_are_all_recorded),
      WITH_LEDGER(what_was_noted_is_on_record_when_it_has_stopped),
      WITH_LEDGER(what_is_lost_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
