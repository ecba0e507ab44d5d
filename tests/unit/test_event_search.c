/* test_event_search.c - every filter finds the events that it should and no others, page by page,
 * along an index. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>

#include "lib/ca/ledger_private.h"

/* What each has follows from its number N, which is its id. The first two are about certificates:
 * of a device, and of none. */
enum { EVENTS = 1300, OF_DEVICE = 1, OF_NONE = 2 };

static struct issued certificates[2];

static struct event event_of(unsigned n)
{
  static const struct {
    enum event_kind kind;
    enum fault_code code;
  } ends[] = {{EVENT_ISSUED, FAULT_NONE},
              {EVENT_REFUSED, FAULT_KEY_ALREADY_USED},
              {EVENT_DENIED, FAULT_UNAUTHENTICATED},
              {EVENT_REFUSED, FAULT_WEAK_KEY},
              {EVENT_REPLAYED, FAULT_NONE}};
  struct event event = {.kind = ends[n % 5].kind,
                        .code = ends[n % 5].code,
                        .at_ms = INT64_C(1000) * (NOW + n),
                        .profile = "device-server",
                        .count = n == 7 ? 12 : 0};
  snprintf(event.principal, sizeof event.principal, "line-%u", n % 6);
  snprintf(event.source, sizeof event.source, n % 2 == 0 ? "10.1.1.%u" : "2001:db8::%u", n % 3 + 1);
  snprintf(event.request_id, sizeof event.request_id, n % 3 == 0 ? "%08x" : "REQ-%u", n);
  snprintf(event.device_serial, sizeof event.device_serial, "W-%u", n % 40);
  if (n % 4 == 0)
    snprintf(event.order, sizeof event.order, "PO-%u", n / 100);
  return event;
}

static void add_certificates(struct ledger_batch *batch)
{
  AUTO(fault) f = {0};
  const struct sans none = {0};
  bool replayed;
  for (unsigned n = 0; n < 2; n++) {
    AUTO(issued) earlier = {0};
    certificates[n] = row_of(n + 1);
    if (n == 1)
      certificates[n].device_serial[0] = '\0';
    assert_true(ledger_append(batch, &certificates[n], &none, false, NOW, &replayed, &earlier, &f));
  }
}

static int set_up_events(void **state)
{
  set_up_ledger(state);
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  add_certificates(batch);
  for (unsigned n = 1; n <= EVENTS; n++) {
    struct event event = event_of(n);
    if (n == OF_DEVICE || n == OF_NONE) {
      event.certificate = certificates[n - 1].id;
      memcpy(event.device_serial, certificates[n - 1].device_serial, sizeof event.device_serial);
    }
    if (!ledger_add_event(batch, &event, &f))
      fail_msg("%s", f.detail);
  }
  assert_true(ledger_commit(batch, &f));
  return 0;
}

static int tear_down_events(void **state)
{
  issued_free(&certificates[0]);
  issued_free(&certificates[1]);
  return tear_down(state);
}

/* --- each filter --- */

static const struct ip v4 = {{10, 1, 1, 1}, 4};

static bool is_refused(unsigned n)
{
  return event_of(n).kind == EVENT_REFUSED;
}
static bool is_issued(unsigned n)
{
  return event_of(n).kind == EVENT_ISSUED;
}
static bool has_weak_key(unsigned n)
{
  return event_of(n).code == FAULT_WEAK_KEY;
}
static bool is_of_line_3(unsigned n)
{
  return n % 6 == 3;
}
static bool is_of_device_9(unsigned n)
{
  return n % 40 == 9;
}
static bool is_of_order_2(unsigned n)
{
  return n % 4 == 0 && n / 100 == 2;
}
static bool is_from_v4(unsigned n)
{
  return n % 2 == 0 && n % 3 == 0;
}
static bool has_number_3(unsigned n)
{
  return n == 3;
}
static bool has_number_13(unsigned n)
{
  return n == 13;
}
static bool is_never(unsigned n)
{
  (void)n;
  return false;
}
static bool is_after_400(unsigned n)
{
  return n > 400;
}
static bool is_before_10(unsigned n)
{
  return n < 10;
}
static bool is_in_the_middle(unsigned n)
{
  return n > 200 && n < 300 && n % 6 == 3;
}
static bool is_refused_on_line_3(unsigned n)
{
  return is_refused(n) && is_of_line_3(n);
}

#define AT(n) (INT64_C(1000) * (NOW + (n)))

/* A request id finds refusals and denials: 3 is one of them in hexadecimal, 13 in other text. */
static const struct {
  struct event_query query;
  bool (*has)(unsigned n);
} cases[] = {
    {{.kind = EVENT_REFUSED}, is_refused},
    {{.kind = EVENT_ISSUED}, is_issued},
    {{.kind = EVENT_KEY_HOLDER_LOST}, is_never},
    {{.code = FAULT_WEAK_KEY}, has_weak_key},
    {{.principal = "line-3"}, is_of_line_3},
    {{.principal = "line-9"}, is_never},
    {{.device_serial = "W-9"}, is_of_device_9},
    {{.order = "PO-2"}, is_of_order_2},
    {{.source = &v4}, is_from_v4},
    {{.request_id = "00000003"}, has_number_3},
    {{.request_id = "REQ-13"}, has_number_13},
    {{.request_id = "00000000"}, is_never},
    {{.after_ms = AT(400)}, is_after_400},
    {{.before_ms = AT(10)}, is_before_10},
    {{.principal = "line-3", .after_ms = AT(200), .before_ms = AT(300)}, is_in_the_middle},
    {{.principal = "line-3", .kind = EVENT_REFUSED}, is_refused_on_line_3},
};

static void each_filter_finds_what_it_should(void **state)
{
  struct bench *bench = *state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(fault) f = {0};
    AUTO(event_page) page = {0};
    struct event_query query = cases[i].query;
    query.limit = 1000;
    if (!ledger_search_events(bench->ledger, &query, &page, &f))
      fail_msg("%zu: %s", i, f.detail);
    size_t at = 0;
    for (unsigned n = EVENTS; n > 0; n--) {
      if (!cases[i].has(n))
        continue;
      if (at == page.n || page.rows[at].id != n)
        fail_msg("case %zu: event %u is missing", i, n);
      at++;
    }
    if (at != page.n || page.more)
      fail_msg("case %zu: %zu too many", i, page.n - at);
  }
}

static int64_t only_event_of(struct ledger *ledger, const struct issued *certificate)
{
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  const struct event_query query = {
      .serial_number = bytes_of(certificate->serial_number, SERIAL_NUMBER_LEN), .limit = 10};
  assert_true(ledger_search_events(ledger, &query, &page, &f));
  assert_int_equal(page.n, 1);
  assert_true(page.rows[0].has_serial_number);
  assert_memory_equal(page.rows[0].serial_number, certificate->serial_number, SERIAL_NUMBER_LEN);
  assert_string_equal(page.rows[0].profile, "device-server");
  return page.rows[0].id;
}

static void a_certificate_has_its_events_with_a_device_and_without(void **state)
{
  struct bench *bench = *state;
  assert_int_equal(only_event_of(bench->ledger, &certificates[0]), OF_DEVICE);
  assert_int_equal(only_event_of(bench->ledger, &certificates[1]), OF_NONE);
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0}, of_another = {0};
  const uint8_t unknown[SERIAL_NUMBER_LEN] = {1};
  struct event_query query = {.serial_number = bytes_of(unknown, sizeof unknown), .limit = 10};
  assert_true(ledger_search_events(bench->ledger, &query, &page, &f));
  assert_int_equal(page.n, 0);
  query.serial_number = bytes_of(certificates[0].serial_number, SERIAL_NUMBER_LEN);
  query.device_serial = "W-9";
  assert_true(ledger_search_events(bench->ledger, &query, &of_another, &f));
  assert_int_equal(of_another.n, 0);
}

static void pages_have_no_gaps_and_no_repeats(void **state)
{
  struct bench *bench = *state;
  struct event_query query = {.limit = 7};
  int64_t expected = EVENTS;
  for (bool more = true; more;) {
    AUTO(fault) f = {0};
    AUTO(event_page) page = {0};
    assert_true(ledger_search_events(bench->ledger, &query, &page, &f));
    for (size_t i = 0; i < page.n; i++)
      assert_int_equal(page.rows[i].id, expected--);
    query.before_id = expected + 1;
    more = page.more;
  }
  assert_int_equal(expected, 0);
}

static void an_event_is_read_as_it_was_written(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  const struct event_query query = {.before_id = 8, .limit = 1};
  assert_true(ledger_search_events(bench->ledger, &query, &page, &f));
  const struct event *event = &page.rows[0];
  assert_int_equal(event->at_ms, AT(7));
  assert_string_equal(event->kind_name, "denied");
  assert_string_equal(event->code_name, "unauthenticated");
  assert_string_equal(event->principal, "line-1");
  assert_string_equal(event->source, "2001:db8::2");
  assert_string_equal(event->request_id, "REQ-7");
  assert_string_equal(event->device_serial, "W-7");
  assert_string_equal(event->profile, "device-server");
  assert_string_equal(event->order, "");
  assert_string_equal(event->about, "");
  assert_int_equal(event->count, 12);
  assert_false(event->has_serial_number);
}

/* No filter may walk over the whole table, or sort what it found; issued events are most of it. */
static void each_filter_goes_along_an_index(void **state)
{
  struct bench *bench = *state;
  sqlite3 *db = bench->ledger->writer->db; /* which has the table of tags */
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(buf) sql = {0};
    sqlite3_stmt *statement;
    struct ledger_event_search search = {.query = &cases[i].query};
    if (cases[i].query.device_serial != NULL)
      strcpy(search.device_serial, cases[i].query.device_serial);
    buf_add_text(&sql, "EXPLAIN QUERY PLAN ");
    ledger_event_search_sql(&search, &sql);
    assert_int_equal(sqlite3_prepare_v2(db, buf_text(&sql), -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const char *step = (const char *)sqlite3_column_text(statement, 3);
      bool is_scan =
          strncmp(step, "SCAN", 4) == 0 && strncmp(step, CANDIDATES, strlen(CANDIDATES)) != 0;
      if (is_scan || strstr(step, "TEMP B-TREE") != NULL)
        fail_msg("case %zu: %s: %s", i, step, buf_text(&sql));
    }
    sqlite3_finalize(statement);
  }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_events, tear_down_events)
  const struct CMUnitTest tests[] = {
      TEST(each_filter_finds_what_it_should),
      TEST(a_certificate_has_its_events_with_a_device_and_without),
      TEST(pages_have_no_gaps_and_no_repeats),
      TEST(an_event_is_read_as_it_was_written),
      TEST(each_filter_goes_along_an_index),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
