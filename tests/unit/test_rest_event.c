/* test_rest_event.c - who asks what happened gets what was asked for, whole, and no more than it
 * may see. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdio.h>

#include "daemon/event_decode.h"
#include "daemon/rest.h"
#include "tests/unit/fake_service.h"

#define QUERY(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_QUERY   ((const char *const[]){NULL})

static void add_events(unsigned n)
{
  for (unsigned i = 1; i <= n; i++) {
    struct event event = {.at_ms = INT64_C(1700000000) * 1000, .count = i};
    snprintf(event.kind_name, sizeof event.kind_name, "refused");
    snprintf(event.code_name, sizeof event.code_name, "weak-key");
    snprintf(event.device_serial, sizeof event.device_serial, "=W-%u", i);
    fake.events[fake.n_events++] = event;
  }
}

static int set_up(void **state)
{
  (void)state;
  fake_reset();
  return 0;
}

static void ask(struct exchange *x, enum role role, const char *const *query, const char *accept)
{
  fake_exchange(x, role, query);
  strcpy(x->accept, accept);
  assert_int_equal(rest_events(x), HANDLED);
}

/* --- what is asked for --- */

static void assert_refused(enum role role, const char *const *query, enum fault_code code,
                           const char *word)
{
  struct exchange x;
  ask(&x, role, query, "");
  if (x.code != code || strstr(buf_text(&x.reply.body), word) == NULL)
    fail_msg("%s: %s: %s", query[0], fault_problem_code(x.code), buf_text(&x.reply.body));
  fake_exchange_end(&x);
}

static void what_is_no_filter_is_refused_by_name(void **state)
{
  (void)state;
  static const char *const wrong[] = {
      "kind=nonsense",    "kind=",      "code=nonsense", "source=line-1", "after=today", "before=0",
      "serial_number=01", "limit=1001", "limit=0",       "principal=",    "station=x"};
  for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
    char name[32];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(wrong[i], "="), wrong[i]);
    assert_refused(ROLE_AUDITOR, QUERY(wrong[i]), FAULT_BAD_FIELD, name);
  }
  assert_refused(ROLE_AUDITOR, QUERY("cursor=nonsense"), FAULT_BAD_CURSOR, "cursor");
  assert_int_equal(fake.n_searches, 0);
}

static void every_filter_is_a_part_of_the_question_and_of_the_cursor(void **state)
{
  (void)state;
  static const char *const filters[] = {"principal=line-4",
                                        "device_serial=W-1",
                                        "order=PO-1",
                                        "request_id=abc",
                                        "kind=refused",
                                        "code=weak-key",
                                        "source=10.1.1.1",
                                        "serial_number=0102030405060708090a0b0c0d0e0f10",
                                        "after=2026-11-23T08:00:00Z",
                                        "before=2026-11-23T08:00:00Z"};
  AUTO(fault) f = {0};
  AUTO(buf) seen = {0};
  buf_add_u8(&seen, '\n');
  for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
    AUTO(event_search) search = NULL;
    struct exchange x;
    fake_exchange(&x, ROLE_AUDITOR, QUERY(filters[i]));
    assert_true(event_decode(&x, &search, &f));
    buf_add_u8(&search->filters, '\n');
    assert_null(memmem(seen.data, seen.len, search->filters.data, search->filters.len));
    buf_add_bytes(&seen, buf_bytes(&search->filters));
    fake_exchange_end(&x);
  }
}

static void a_station_asks_for_its_own_events_alone(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  AUTO(event_search) search = NULL;
  struct exchange x;
  fake_exchange(&x, ROLE_STATION, NO_QUERY);
  assert_true(event_decode(&x, &search, &f));
  assert_string_equal(search->query.principal, "line-3");
  fake_exchange_end(&x);
  assert_refused(ROLE_STATION, QUERY("principal=line-4"), FAULT_FORBIDDEN, "of its own");
}

/* --- what is answered --- */

static void a_page_tells_where_the_next_one_begins(void **state)
{
  (void)state;
  struct exchange x;
  add_events(3);
  ask(&x, ROLE_AUDITOR, QUERY("limit=2"), "");
  json_t *page = json_loads(buf_text(&x.reply.body), 0, NULL);
  const json_t *event = json_array_get(json_object_get(page, "events"), 1);
  assert_int_equal(x.reply.status, 200);
  assert_string_equal(json_string_value(json_object_get(event, "at")), "2023-11-14T22:13:20Z");
  assert_string_equal(json_string_value(json_object_get(event, "device_serial")), "=W-2");
  assert_string_equal(json_string_value(json_object_get(event, "serial_number")), "");
  assert_int_equal(json_integer_value(json_object_get(event, "count")), 2);
  char cursor[64];
  snprintf(cursor, sizeof cursor, "cursor=%s",
           json_string_value(json_object_get(page, "next_cursor")));
  json_decref(page);
  fake_exchange_end(&x);
  ask(&x, ROLE_AUDITOR, QUERY("limit=2", cursor), "");
  page = json_loads(buf_text(&x.reply.body), 0, NULL);
  assert_int_equal(json_array_size(json_object_get(page, "events")), 1);
  assert_true(json_is_null(json_object_get(page, "next_cursor")));
  json_decref(page);
  fake_exchange_end(&x);
  assert_refused(ROLE_AUDITOR, QUERY("kind=refused", cursor), FAULT_BAD_CURSOR, "cursor");
}

static void stream(struct exchange *x, struct buf *ret_body)
{
  bool end = false;
  while (!end)
    assert_true(x->reply.stream.next(x->reply.stream.state, ret_body, &end));
}

static void as_csv_no_cell_is_a_formula(void **state)
{
  (void)state;
  struct exchange x;
  AUTO(buf) body = {0};
  add_events(2);
  ask(&x, ROLE_AUDITOR, NO_QUERY, "text/csv");
  stream(&x, &body);
  assert_string_equal(buf_text(&body),
                      "at,kind,code,principal,source,device_serial,serial_number,profile,order,"
                      "about,count,request_id,id,not_after\r\n"
                      "2023-11-14T22:13:20Z,refused,weak-key,,,'=W-1,,,,,1,,2,\r\n"
                      "2023-11-14T22:13:20Z,refused,weak-key,,,'=W-2,,,,,2,,1,\r\n");
  fake_exchange_end(&x);
}

static void as_ndjson_each_is_a_line(void **state)
{
  (void)state;
  struct exchange x;
  AUTO(buf) body = {0};
  add_events(3);
  ask(&x, ROLE_AUDITOR, QUERY("limit=2"), "application/x-ndjson");
  stream(&x, &body);
  size_t lines = 0;
  for (size_t i = 0; i < body.len; i++)
    lines += body.data[i] == '\n';
  assert_int_equal(lines, 2);
  fake_exchange_end(&x);
}

static void what_the_ledger_cannot_is_told(void **state)
{
  (void)state;
  static const char *const accepts[] = {"", "text/csv", "application/x-ndjson"};
  for (size_t i = 0; i < ARRAY_LEN(accepts); i++) {
    struct exchange x;
    fake.fails_with = FAULT_LEDGER;
    ask(&x, ROLE_AUDITOR, NO_QUERY, accepts[i]);
    assert_int_equal(x.reply.status, 503);
    fake_exchange_end(&x);
  }
}

/* A request that never comes to the pipeline is an event, with what it was about. */
static void a_body_that_is_refused_is_noted(void **state)
{
  (void)state;
  struct exchange x;
  fake_exchange(&x, ROLE_STATION, NO_QUERY);
  strcpy(x.content_type, "application/json");
  buf_add_text(&x.body, "{\"csr\":7}");
  assert_int_equal(rest_issue(&x), HANDLED);
  assert_int_equal(fake.n_events, 1);
  assert_int_equal(fake.events[0].kind, EVENT_REFUSED);
  assert_int_equal(fake.events[0].code, FAULT_BAD_FIELD);
  assert_string_equal(fake.events[0].principal, "line-3");
  fake_exchange_end(&x);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
  const struct CMUnitTest tests[] = {
      TEST(what_is_no_filter_is_refused_by_name),
      TEST(every_filter_is_a_part_of_the_question_and_of_the_cursor),
      TEST(a_station_asks_for_its_own_events_alone),
      TEST(a_page_tells_where_the_next_one_begins),
      TEST(as_csv_no_cell_is_a_formula),
      TEST(as_ndjson_each_is_a_line),
      TEST(what_the_ledger_cannot_is_told),
      TEST(a_body_that_is_refused_is_noted),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
