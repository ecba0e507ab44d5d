/* test_rest_search.c - who asks the log gets what was asked for, whole, and no more than it may
 * see. */
#include "tests/unit/unit.h"

#include <jansson.h>
#include <stdio.h>

#include "daemon/cursor.h"
#include "daemon/rest.h"
#include "tests/unit/fake_service.h"
#include "tests/unit/sample.h"

#define QUERY(...) ((const char *const[]){__VA_ARGS__, NULL})

static json_t *parse(struct buf *out)
{
  json_error_t error;
  json_t *value = json_loadb((const char *)out->data, out->len, JSON_REJECT_DUPLICATES, &error);
  if (value == NULL)
    fail_msg("%s: %s", error.text, buf_text(out));
  return value;
}

static void add_rows(size_t n)
{
  char serial[32];
  for (size_t i = 0; i < n; i++) {
    snprintf(serial, sizeof serial, "W-%zu", fake.n_rows + 1);
    fake_add_row(serial, fake.n_rows % 2 == 0 ? "line-3" : "line-4", "ip:10.1.1.68");
  }
}

/* The handler's answer to one query; the caller ends the exchange. */
static void search(struct exchange *x, enum role role, const char *const *query, const char *accept)
{
  fake_exchange(x, role, query);
  strcpy(x->accept, accept);
  assert_int_equal(rest_search(x), HANDLED);
}

static void assert_searched(const char *const *query, const char *filters)
{
  struct exchange x;
  search(&x, ROLE_AUDITOR, query, "");
  if (x.reply.status != 200)
    fail_msg("%s: %s", query[0], buf_text(&x.reply.body));
  assert_string_equal(buf_text(&fake.searched), filters);
  fake_exchange_end(&x);
}

static void assert_refused(enum role role, const char *const *query, enum fault_code code,
                           const char *word)
{
  struct exchange x;
  search(&x, role, query, "");
  if (x.code != code || strstr(buf_text(&x.reply.body), word) == NULL)
    fail_msg("%s: %s: %s", query[0], fault_problem_code(x.code), buf_text(&x.reply.body));
  fake_exchange_end(&x);
}

static void every_filter_reaches_the_ledger_in_normal_form(void **state)
{
  (void)state;
  assert_searched(QUERY("device_serial=W-1"), "device_serial=W-1\nlimit=100\n");
  assert_searched(QUERY("station=line-4"), "station=line-4\nlimit=100\n");
  assert_searched(QUERY("order=PO-1"), "order=PO-1\nlimit=100\n");
  assert_searched(QUERY("model=WX 4"), "model=WX 4\nlimit=100\n");
  assert_searched(QUERY("profile=idevid"), "profile=idevid\nlimit=100\n");
  assert_searched(QUERY("dns=W-1.Widgets.EXAMPLE"), "dns=w-1.widgets.example\nlimit=100\n");
  assert_searched(QUERY("uri=urn:W:1"), "uri=urn:W:1\nlimit=100\n");
  assert_searched(QUERY("ip=10.1.1.68"), "ip=10.1.1.68\nlimit=100\n");
  assert_searched(QUERY("ip=2001:0DB8:0:0:0:0:0:1"), "ip=2001:db8::1\nlimit=100\n");
  assert_searched(QUERY("ip=::ffff:10.1.1.68"), "ip=10.1.1.68\nlimit=100\n");
  assert_searched(QUERY("status=valid"), "status=1\nlimit=100\n");
  assert_searched(QUERY("issued_after=2026-11-23T08:00:00Z",
                        "issued_before=2026-11-23T10:00:00+01:00",
                        "expires_before=2027-01-01T00:00:00Z", "limit=1000"),
                  "issued_after_ms=1795420800000\nissued_before_ms=1795424400000\n"
                  "expires_before=1798761600\nlimit=1000\n");
}

static void a_parameter_that_is_not_right_is_named(void **state)
{
  (void)state;
  static const struct {
    const char *parameter, *word;
  } rows[] = {{"ip=10.1.1.256", "ip"},
              {"ip=", "ip"},
              {"dns=a_b.example", "dns"},
              {"dns=", "dns"},
              {"uri=x", "uri"},
              {"station=", "station"},
              {"order=a\nb", "order"},
              {"model=01234567890123456789012345678901234567890123456789012345678901234", "model"},
              {"status=revoked", "status"},
              {"status=", "status"},
              {"issued_after=yesterday", "issued_after"},
              {"issued_before=2026-02-30T00:00:00Z", "issued_before"},
              {"expires_before=1795420800", "expires_before"},
              {"issued_after=1970-01-01T00:00:00Z", "issued_after"},
              {"limit=0", "limit"},
              {"limit=1001", "limit"},
              {"limit=-1", "limit"},
              {"limit=010", "limit"},
              {"limit=99999999999999999999", "limit"},
              {"serial=W-1", "serial"},
              {"Limit=1", "Limit"}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    assert_refused(ROLE_AUDITOR, QUERY(rows[i].parameter), FAULT_BAD_FIELD, rows[i].word);
}

/* Follows next_cursor to the end; returns how many certificates there were. */
static size_t follow(enum role role, const char *filter, unsigned limit, size_t *ret_pages)
{
  char limit_text[32], cursor[64] = "";
  size_t n = 0, last = SIZE_MAX;
  snprintf(limit_text, sizeof limit_text, "limit=%u", limit);
  for (*ret_pages = 0;; ++*ret_pages) {
    struct exchange x;
    search(&x, role, QUERY(limit_text, filter, cursor[0] != '\0' ? cursor : NULL), "*/*");
    assert_int_equal(x.reply.status, 200);
    json_t *page = parse(&x.reply.body), *list = json_object_get(page, "certificates");
    assert_true(json_array_size(list) <= limit);
    for (size_t i = 0; i < json_array_size(list); i++, n++) {
      json_t *serial = json_object_get(json_array_get(list, i), "device_serial");
      size_t number = strtoul(json_string_value(serial) + 2, NULL, 10);
      assert_true(number < last); /* newest first, none twice */
      last = number;
    }
    json_t *next = json_object_get(page, "next_cursor");
    bool more = !json_is_null(next);
    if (more)
      snprintf(cursor, sizeof cursor, "cursor=%s", json_string_value(next));
    json_decref(page);
    fake_exchange_end(&x);
    if (!more)
      return n;
  }
}

static void cursors_lead_through_the_whole_listing(void **state)
{
  (void)state;
  size_t pages;
  add_rows(10);
  assert_int_equal(follow(ROLE_ADMIN, "profile=device-server", 3, &pages), 10);
  assert_int_equal(pages, 3);
  assert_int_equal(follow(ROLE_ADMIN, "profile=device-server", 5, &pages), 10);
  assert_int_equal(pages, 1);
  assert_int_equal(follow(ROLE_ADMIN, "station=line-4", 2, &pages), 5);
  assert_int_equal(follow(ROLE_STATION, "profile=device-server", 2, &pages), 5);
}

static void a_cursor_of_another_listing_is_refused(void **state)
{
  (void)state;
  struct exchange x;
  char cursor[64], bad[65];
  add_rows(4);
  search(&x, ROLE_ADMIN, QUERY("limit=2", "order=PO-7781"), "");
  json_t *page = parse(&x.reply.body);
  snprintf(cursor, sizeof cursor, "cursor=%s",
           json_string_value(json_object_get(page, "next_cursor")));
  json_decref(page);
  fake_exchange_end(&x);
  static const char *const more[] = {"device_serial=W-1",
                                     "ip=10.1.1.68",
                                     "dns=a.example",
                                     "uri=urn:x:y",
                                     "station=line-3",
                                     "model=WX-4",
                                     "profile=device-server",
                                     "status=valid",
                                     "issued_after=2026-01-01T00:00:00Z",
                                     "issued_before=2027-01-01T00:00:00Z",
                                     "expires_before=2027-01-01T00:00:00Z"};
  for (size_t i = 0; i < ARRAY_LEN(more); i++)
    assert_refused(ROLE_ADMIN, QUERY(cursor, "order=PO-7781", more[i]), FAULT_BAD_CURSOR, "cursor");
  assert_refused(ROLE_ADMIN, QUERY(cursor, "order=PO-7782"), FAULT_BAD_CURSOR, "cursor");
  assert_refused(ROLE_ADMIN, QUERY(cursor, "model=PO-7781"), FAULT_BAD_CURSOR, "cursor");
  assert_refused(ROLE_ADMIN, QUERY(cursor), FAULT_BAD_CURSOR, "cursor");
  /* Another principal's listing is another listing. */
  assert_refused(ROLE_STATION, QUERY(cursor, "order=PO-7781"), FAULT_BAD_CURSOR, "cursor");
  snprintf(bad, sizeof bad, "%sx", cursor);
  assert_refused(ROLE_ADMIN, QUERY(bad, "order=PO-7781"), FAULT_BAD_CURSOR, "cursor");
  assert_refused(ROLE_ADMIN, QUERY("cursor="), FAULT_BAD_CURSOR, "cursor");
  /* The limit may change on the way. */
  assert_searched(QUERY(cursor, "order=PO-7781", "limit=7"), "order=PO-7781\nlimit=7\n");
}

static void a_station_sees_only_its_own(void **state)
{
  (void)state;
  struct exchange x;
  static const enum role narrow[] = {ROLE_NONE, ROLE_STATION};
  for (size_t i = 0; i < ARRAY_LEN(narrow); i++) {
    search(&x, narrow[i], QUERY("order=PO-1"), "");
    assert_string_equal(buf_text(&fake.searched), "station=line-3\norder=PO-1\nlimit=100\n");
    fake_exchange_end(&x);
    search(&x, narrow[i], QUERY("station=line-3"), "text/csv");
    assert_string_equal(buf_text(&fake.searched), "station=line-3\nlimit=500\n");
    fake_exchange_end(&x);
    assert_refused(narrow[i], QUERY("station=line-4"), FAULT_FORBIDDEN, "");
  }
}

/* Whoever asked for them. */
static void a_device_sees_only_what_is_its_own(void **state)
{
  (void)state;
  struct exchange x;
  search(&x, ROLE_DEVICE, QUERY("order=PO-1"), "");
  assert_string_equal(buf_text(&fake.searched), "device_serial=line-3\norder=PO-1\nlimit=100\n");
  fake_exchange_end(&x);
  assert_refused(ROLE_DEVICE, QUERY("device_serial=line-4"), FAULT_FORBIDDEN, "");
}

/* Reads the stream to its end. */
static void drain(struct exchange *x, struct buf *out)
{
  assert_int_equal(x->reply.status, 200);
  for (bool end = false; !end;)
    assert_true(x->reply.stream.next(x->reply.stream.state, out, &end));
}

static size_t count_lines(struct buf *out)
{
  size_t n = 0;
  for (size_t i = 0; i < out->len; i++)
    n += out->data[i] == '\n';
  return n;
}

static void csv_is_one_line_for_each_certificate(void **state)
{
  (void)state;
  struct exchange x;
  AUTO(buf) out = {0};
  fake_add_row("=cmd()", "line,3", "ip:10.1.1.68 ip:10.1.1.69 dns:a.example");
  search(&x, ROLE_AUDITOR, QUERY("profile=device-server"), "text/csv");
  assert_string_equal(x.reply.content_type, "text/csv; charset=utf-8; header=present");
  drain(&x, &out);
  fake_exchange_end(&x);
  const char *header =
      "serial_number,device_serial,profile,status,subject,ip_sans,dns_sans,uri_sans,"
      "not_before,not_after,issued_at,station,order,model,revoked_at,revocation_reason\r\n"
      "01000000000000000000000000000001,'=cmd(),device-server,valid,";
  const char *rest = ",10.1.1.68 10.1.1.69,a.example,,2026-09-21T14:12:21Z,2027-09-21T14:13:21Z,"
                     "2026-09-21T14:13:21Z,\"line,3\",PO-7781,WX-4,,\r\n";
  assert_int_equal(count_lines(&out), 2);
  assert_memory_equal(buf_text(&out), header, strlen(header));
  assert_string_equal(buf_text(&out) + out.len - strlen(rest), rest);
}

static void ndjson_is_one_object_on_each_line(void **state)
{
  (void)state;
  struct exchange x;
  AUTO(buf) out = {0};
  add_rows(3);
  search(&x, ROLE_AUDITOR, NULL, "application/x-ndjson");
  assert_string_equal(x.reply.content_type, "application/x-ndjson");
  drain(&x, &out);
  fake_exchange_end(&x);
  assert_int_equal(count_lines(&out), 3);
  for (size_t start = 0; start < out.len;) {
    size_t len = strcspn(buf_text(&out) + start, "\n");
    json_error_t error;
    json_t *line = json_loadb((const char *)out.data + start, len, 0, &error);
    assert_true(json_is_object(line));
    json_decref(line);
    start += len + 1;
  }
}

static size_t stream_rows(const char *const *query)
{
  struct exchange x;
  AUTO(buf) out = {0};
  fake.n_searches = 0;
  search(&x, ROLE_AUDITOR, query, "text/csv");
  drain(&x, &out);
  fake_exchange_end(&x);
  return count_lines(&out) - 1;
}

static void a_stream_is_unpaged_and_fetched_in_pages(void **state)
{
  (void)state;
  assert_int_equal(stream_rows(NULL), 0);
  assert_int_equal(fake.n_searches, 1);
  add_rows(500);
  assert_int_equal(stream_rows(NULL), 500);
  assert_int_equal(fake.n_searches, 1);
  add_rows(750);
  assert_int_equal(stream_rows(NULL), 1250);
  assert_int_equal(fake.n_searches, 3);
  assert_int_equal(stream_rows(QUERY("limit=700")), 700);
  assert_int_equal(stream_rows(QUERY("limit=500")), 500);
  assert_int_equal(stream_rows(QUERY("limit=1")), 1);
  assert_int_equal(stream_rows(QUERY("limit=1000", "station=line-4")), 625);
}

static void a_stream_whose_ledger_fails_is_broken_off(void **state)
{
  (void)state;
  struct exchange x;
  AUTO(buf) out = {0};
  bool end = false;
  add_rows(600);
  search(&x, ROLE_AUDITOR, NULL, "text/csv");
  fake.fails_with = FAULT_LEDGER;
  assert_false(x.reply.stream.next(x.reply.stream.state, &out, &end));
  assert_false(end);
  fake_exchange_end(&x);
  /* Before the first octet it can still be told. */
  assert_refused(ROLE_AUDITOR, QUERY("limit=1"), FAULT_LEDGER, "");
  search(&x, ROLE_AUDITOR, NULL, "text/csv");
  assert_int_equal(x.reply.status, 503);
  fake_exchange_end(&x);
}

static void show(struct exchange *x, enum role role, const char *serial_number, const char *accept)
{
  fake_exchange(x, role, NULL);
  strcpy(x->path_value, serial_number);
  strcpy(x->accept, accept);
  assert_int_equal(rest_show(x), HANDLED);
}

static void one_certificate_is_had_by_its_serial_number(void **state)
{
  (void)state;
  struct exchange x;
  add_rows(11);
  static const char *const forms[] = {"0100000000000000000000000000000b",
                                      "0100000000000000000000000000000B"};
  for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
    show(&x, ROLE_STATION, forms[i], "");
    assert_int_equal(x.reply.status, 200);
    assert_string_equal(x.serial_number, forms[0]);
    assert_string_equal(x.device_serial, "W-11");
    json_t *object = parse(&x.reply.body);
    assert_string_equal(json_string_value(json_object_get(object, "serial_number")), forms[0]);
    json_decref(object);
    fake_exchange_end(&x);
  }
  show(&x, ROLE_OPERATOR, forms[0], "application/pkix-cert");
  assert_true(bytes_equal(buf_bytes(&x.reply.body), buf_bytes(&fake.rows[10].der)));
  fake_exchange_end(&x);
  show(&x, ROLE_OPERATOR, forms[0], "text/html");
  assert_int_equal(x.code, FAULT_NOT_ACCEPTABLE);
  fake_exchange_end(&x);
}

static void unknown_and_anothers_look_the_same(void **state)
{
  (void)state;
  AUTO(buf) said = {0};
  struct exchange x;
  add_rows(2);
  static const char *const numbers[] = {"01000000000000000000000000000002", /* line-4's */
                                        "01000000000000000000000000000003", /* nobody's */
                                        "010000000000000000000000000000",    "", "zz",
                                        "0100000000000000000000000000000200"};
  for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
    show(&x, ROLE_STATION, numbers[i], "");
    assert_int_equal(x.code, FAULT_UNKNOWN_SERIAL_NUMBER);
    if (i == 0)
      buf_add_bytes(&said, buf_bytes(&x.reply.body));
    assert_true(bytes_equal(buf_bytes(&said), buf_bytes(&x.reply.body)));
    assert_string_equal(x.device_serial, "");
    fake_exchange_end(&x);
  }
}

static int begin(void **state)
{
  (void)state;
  fake_reset();
  return 0;
}

static int end(void **state)
{
  (void)state;
  fake_reset();
  sample_end();
  return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(every_filter_reaches_the_ledger_in_normal_form),
      TEST(a_parameter_that_is_not_right_is_named),
      TEST(cursors_lead_through_the_whole_listing),
      TEST(a_cursor_of_another_listing_is_refused),
      TEST(a_station_sees_only_its_own),
      TEST(a_device_sees_only_what_is_its_own),
      TEST(csv_is_one_line_for_each_certificate),
      TEST(ndjson_is_one_object_on_each_line),
      TEST(a_stream_is_unpaged_and_fetched_in_pages),
      TEST(a_stream_whose_ledger_fails_is_broken_off),
      TEST(one_certificate_is_had_by_its_serial_number),
      TEST(unknown_and_anothers_look_the_same),
  };
  return cmocka_run_group_tests(tests, NULL, end);
}
