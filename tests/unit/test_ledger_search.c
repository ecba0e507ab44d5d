/* test_ledger_search.c - every filter finds what it should and nothing else, page by page, along an
 * index. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>

#include "lib/ca/ledger_private.h"

/* 1,400 rows, several spans, more than are marked at once; what each has follows from its number N,
 * which is its id. */
enum { ROWS = 1400, REPLACED = 50 };

static void fill_labels(struct issued *row, unsigned n)
{
  snprintf(row->station, sizeof row->station, "line-%u", n % 7);
  snprintf(row->model, sizeof row->model, "WX-%u", n % 3);
  snprintf(row->profile, sizeof row->profile, "%s", n % 10 == 0 ? "idevid" : "device-server");
  if (n % 2 == 0 && n % 10 != 0)
    snprintf(row->order, sizeof row->order, "PO-%u", n / 100);
}

/* The first 300 are older, and end earlier; every tenth never ends; every 25th ends in an hour. */
static void fill_times(struct issued *row, unsigned n)
{
  row->issued_at_ms = INT64_C(1000) * (NOW - ROWS + n);
  row->not_after = n <= 300 ? NOW - 1 : NOW + YEAR_S;
  if (n % 25 == 0)
    row->not_after = NOW + 3600;
  if (n % 10 == 0)
    row->not_after = INT64_C(253402300799);
}

static void fill_names(struct sans *names, unsigned n)
{
  AUTO(fault) f = {0};
  char text[64];
  snprintf(text, sizeof text, "10.1.%u.%u", n / 256, n % 256);
  assert_true(sans_add(names, SAN_IP, bytes_of_text(text), &f));
  snprintf(text, sizeof text, "w-%u.widgets.example", n);
  assert_true(sans_add(names, SAN_DNS, bytes_of_text(text), &f));
  if (n % 100 != 0)
    return;
  assert_true(sans_add(names, SAN_IP, bytes_of_text("2001:DB8:0:0:0:0:0:1"), &f));
  assert_true(sans_add(names, SAN_DNS, bytes_of_text("Hundreds.Example"), &f));
  snprintf(text, sizeof text, "urn:widget:%u", n);
  assert_true(sans_add(names, SAN_URI, bytes_of_text(text), &f));
}

static void add_row(struct ledger_batch *batch, unsigned n, const char *device_serial, bool replace)
{
  AUTO(fault) f = {0};
  AUTO(issued) earlier = {0};
  AUTO(issued) row = row_of(n);
  AUTO(sans) names = {0};
  bool replayed;
  fill_labels(&row, n);
  fill_times(&row, n);
  fill_names(&names, n);
  make_der(&row, &names);
  snprintf(row.device_serial, sizeof row.device_serial, "%s", device_serial);
  row.is_renewal = n % 2 == 1;
  if (!ledger_append(batch, &row, &names, replace, NOW, &replayed, &earlier, &f))
    fail_msg("row %u: %s", n, f.detail);
  assert_int_equal(row.id, n);
}

static void revoke_row(struct ledger_batch *batch, unsigned n, enum revocation_reason reason)
{
  AUTO(fault) f = {0};
  AUTO(issued) row = row_of(n);
  bool changed;
  row.id = n;
  fill_times(&row, n);
  assert_true(ledger_revoke(batch, &row, reason, NOW, NULL, &changed, &f));
  assert_true(changed);
}

/* The last 50 rows are for the devices 1301 to 1350 again, under the same profile: renewals (odd)
 * leave the earlier one good, replacements do not. 361 to 365 are on hold, 370 was. */
static int set_up_rows(void **state)
{
  set_up_ledger(state);
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  for (unsigned i = 0; i <= ROWS / 100; i++) {
    char name[16];
    snprintf(name, sizeof name, "PO-%u", i);
    struct order order = order_of(name, ROWS);
    order.replacements = ROWS;
    add_order(bench->ledger, &order);
  }
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  for (unsigned n = 1; n <= ROWS; n++) {
    char device_serial[32];
    bool replace = n > ROWS - REPLACED;
    snprintf(device_serial, sizeof device_serial, "W-%u", replace ? n - REPLACED : n);
    add_row(batch, n, device_serial, replace);
  }
  for (unsigned n = 361; n <= 365; n++)
    revoke_row(batch, n, REASON_CERTIFICATE_HOLD);
  revoke_row(batch, 370, REASON_CERTIFICATE_HOLD);
  revoke_row(batch, 370, REASON_REMOVE_FROM_CRL);
  assert_true(ledger_commit(batch, &f));
  return 0;
}

/* --- what a filter should find, said once more, over all rows --- */

static bool is_on_hold(unsigned n)
{
  return n >= 361 && n <= 365;
}

static enum certificate_status status_of(unsigned n)
{
  AUTO(issued) row = row_of(n);
  fill_times(&row, n);
  if (is_on_hold(n))
    return STATUS_REVOKED;
  if (row.not_after < NOW)
    return STATUS_EXPIRED;
  if (n <= ROWS - 2 * REPLACED || n > ROWS - REPLACED)
    return STATUS_VALID;
  return n % 2 == 1 ? STATUS_SUPERSEDED : STATUS_REVOKED;
}

static bool label_fits(const char *wanted, const char *has)
{
  return wanted == NULL || strcmp(wanted, has) == 0;
}

static bool labels_fit(const struct ledger_query *q, const struct issued *row, unsigned n)
{
  char device_serial[32];
  snprintf(device_serial, sizeof device_serial, "W-%u", n > ROWS - REPLACED ? n - REPLACED : n);
  return label_fits(q->device_serial, device_serial) && label_fits(q->station, row->station) &&
         label_fits(q->order, row->order) && label_fits(q->model, row->model) &&
         label_fits(q->profile, row->profile);
}

static bool times_fit(const struct ledger_query *q, const struct issued *row)
{
  return (q->issued_after_ms == 0 || row->issued_at_ms > q->issued_after_ms) &&
         (q->issued_before_ms == 0 || row->issued_at_ms < q->issued_before_ms) &&
         (q->expires_before == 0 || row->not_after < q->expires_before);
}

static bool names_fit(const struct ledger_query *q, unsigned n)
{
  AUTO(sans) names = {0};
  fill_names(&names, n);
  const struct ip *ip = q->ip;
  return (ip == NULL || sans_has(&names, (struct san){SAN_IP, bytes_of(ip->octets, ip->len)})) &&
         (q->dns == NULL || sans_has(&names, (struct san){SAN_DNS, bytes_of_text(q->dns)})) &&
         (q->uri == NULL || sans_has(&names, (struct san){SAN_URI, bytes_of_text(q->uri)}));
}

static bool status_fits(const struct ledger_query *q, unsigned n)
{
  enum certificate_status status = status_of(n);
  return (q->status == STATUS_ANY || q->status == status) &&
         (!q->only_good || status == STATUS_VALID || status == STATUS_SUPERSEDED) &&
         (!q->only_on_hold || is_on_hold(n));
}

static bool fits(const struct ledger_query *q, unsigned n)
{
  AUTO(issued) row = row_of(n);
  fill_labels(&row, n);
  fill_times(&row, n);
  return labels_fit(q, &row, n) && times_fit(q, &row) && names_fit(q, n) && status_fits(q, n);
}

/* The count says the same as the pages do. */
static void assert_count(struct ledger *ledger, struct ledger_query query, unsigned found)
{
  AUTO(fault) f = {0};
  struct ledger_count count;
  int64_t newest_id = 0, ids = 0;
  query.before_id = 0;
  for (unsigned n = 1; n <= ROWS; n++)
    if (fits(&query, n)) {
      newest_id = n;
      ids += n;
    }
  if (!ledger_count(ledger, &query, NOW, &count, &f))
    fail_msg("%s", f.detail);
  assert_int_equal(count.n, found);
  assert_int_equal(count.newest_id, newest_id);
  assert_int_equal(count.ids, ids);
}

/* Walks through all pages of a size and holds them against fits(). */
static unsigned assert_answer(struct ledger *ledger, struct ledger_query query, unsigned limit)
{
  unsigned next = ROWS, found = 0;
  query.limit = limit;
  for (bool more = true; more;) {
    AUTO(fault) f = {0};
    AUTO(ledger_page) page = {0};
    if (!ledger_search(ledger, &query, NOW, &page, &f))
      fail_msg("%s", f.detail);
    for (size_t i = 0; i < page.n; i++, next--, found++) {
      while (next > 0 && !fits(&query, next))
        next--;
      assert_int_equal(page.rows[i].id, next);
      assert_int_equal(page.rows[i].status, status_of(next));
    }
    assert_true(page.n == limit || !page.more);
    more = page.more;
    if (page.n > 0)
      query.before_id = page.rows[page.n - 1].id;
  }
  while (next > 0 && !fits(&query, next))
    next--;
  assert_int_equal(next, 0);
  assert_count(ledger, query, found);
  return found;
}

static const struct ip some_ip = {.octets = {10, 1, 1, 44}, .len = 4}; /* row 300 */
static const struct ip hundreds_ip = {.octets = {0x20, 1, 0x0d, 0xb8, [15] = 1}, .len = 16};

/* Each filter alone, with a count that is known. */
static const struct single {
  struct ledger_query query;
  unsigned count;
} singles[] = {
    {{.limit = 0}, ROWS},
    {{.device_serial = "W-17"}, 1},
    {{.device_serial = "W-1317"}, 2},
    {{.device_serial = "W-9999"}, 0},
    {{.station = "line-3"}, 200},
    {{.station = "line-9"}, 0},
    {{.order = "PO-4"}, 40},
    {{.model = "WX-2"}, 467},
    {{.profile = "idevid"}, 140},
    {{.ip = &some_ip}, 1},
    {{.ip = &hundreds_ip}, 14},
    {{.dns = "w-77.widgets.example"}, 1},
    {{.dns = "hundreds.example"}, 14},
    {{.dns = "nobody.example"}, 0},
    {{.uri = "urn:widget:400"}, 1},
    {{.status = STATUS_EXPIRED}, 264},
    {{.status = STATUS_SUPERSEDED}, 25},
    {{.status = STATUS_REVOKED}, 30},
    {{.status = STATUS_VALID}, 1081},
    {{.only_good = true}, 1106},
    {{.only_on_hold = true}, 5},
    {{.issued_after_ms = INT64_C(1000) * (NOW - 100)}, 100},
    {{.issued_before_ms = INT64_C(1000) * (NOW - 100)}, 1299},
    {{.expires_before = NOW}, 264},
    {{.expires_before = NOW + 7200}, 292},
    {{.expires_before = NOW - 1}, 0},
};

static void each_filter_finds_what_it_should(void **state)
{
  struct bench *bench = *state;
  for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
    unsigned found = assert_answer(bench->ledger, singles[i].query, 1000);
    if (found != singles[i].count)
      fail_msg("filter %zu: %u rows, not %u", i, found, singles[i].count);
  }
}

static void pages_have_no_gaps_and_no_repeats(void **state)
{
  struct bench *bench = *state;
  static const unsigned limits[] = {1, 7, 64};
  for (size_t i = 0; i < ARRAY_LEN(singles); i++)
    for (size_t k = 0; k < ARRAY_LEN(limits); k++)
      assert_answer(bench->ledger, singles[i].query, limits[k]);
}

/* The filters that both have are taken from a. */
static struct ledger_query combine(const struct ledger_query *a, const struct ledger_query *b)
{
  return (struct ledger_query){
      .device_serial = a->device_serial != NULL ? a->device_serial : b->device_serial,
      .station = a->station != NULL ? a->station : b->station,
      .order = a->order != NULL ? a->order : b->order,
      .model = a->model != NULL ? a->model : b->model,
      .profile = a->profile != NULL ? a->profile : b->profile,
      .dns = a->dns != NULL ? a->dns : b->dns,
      .uri = a->uri != NULL ? a->uri : b->uri,
      .ip = a->ip != NULL ? a->ip : b->ip,
      .status = a->status != STATUS_ANY ? a->status : b->status,
      .only_good = a->only_good || b->only_good,
      .only_on_hold = a->only_on_hold || b->only_on_hold,
      .issued_after_ms = a->issued_after_ms != 0 ? a->issued_after_ms : b->issued_after_ms,
      .issued_before_ms = a->issued_before_ms != 0 ? a->issued_before_ms : b->issued_before_ms,
      .expires_before = a->expires_before != 0 ? a->expires_before : b->expires_before,
  };
}

static void filters_can_be_combined(void **state)
{
  struct bench *bench = *state;
  for (size_t i = 0; i < ARRAY_LEN(singles); i++)
    for (size_t k = i + 1; k < ARRAY_LEN(singles); k++)
      assert_answer(bench->ledger, combine(&singles[i].query, &singles[k].query), 100);
  const struct ledger_query narrow = {.station = "line-3",
                                      .model = "WX-0",
                                      .profile = "device-server",
                                      .status = STATUS_VALID,
                                      .issued_after_ms = INT64_C(1000) * (NOW - 250),
                                      .issued_before_ms = INT64_C(1000) * (NOW - 50)};
  assert_true(assert_answer(bench->ledger, narrow, 3) > 0);
}

static void names_are_found_in_whatever_form_they_are_asked_for(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(ledger_page) by_dns = {0};
  AUTO(ledger_page) by_ip = {0};
  struct ip ip;
  assert_true(ip_read(bytes_of_text("2001:db8::1"), &ip));
  const struct ledger_query dns_query = {.dns = "W-5.Widgets.EXAMPLE", .limit = 10};
  const struct ledger_query ip_query = {.ip = &ip, .limit = 20};
  assert_true(ledger_search(bench->ledger, &dns_query, NOW, &by_dns, &f));
  assert_int_equal(by_dns.n, 1);
  assert_int_equal(by_dns.rows[0].id, 5);
  assert_true(ledger_search(bench->ledger, &ip_query, NOW, &by_ip, &f));
  assert_int_equal(by_ip.n, 14);
}

/* A v4 address is not found as the first octets of another, and no name as one of another kind. */
static void an_address_is_found_whole(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  const struct ip cut = {.octets = {0x20, 1, 0x0d, 0xb8}, .len = 4};
  const struct ledger_query queries[] = {{.ip = &cut, .limit = 10},
                                         {.dns = "10.1.0.5", .limit = 10},
                                         {.uri = "w-5.widgets.example", .limit = 10},
                                         {.dns = "", .limit = 10}};
  for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
    assert_true(ledger_search(bench->ledger, &queries[i], NOW, &page, &f));
    assert_int_equal(page.n, 0);
    ledger_page_free(&page);
  }
}

static void several_serial_numbers_are_asked_for_at_once(void **state)
{
  struct bench *bench = *state;
  static const unsigned wanted[] = {300, 7, 599, 7, 362, 9999};
  AUTO(buf) serial_numbers = {0};
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  struct ledger_count count;
  for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
    AUTO(issued) row = row_of(wanted[i]);
    buf_add(&serial_numbers, row.serial_number, SERIAL_NUMBER_LEN);
  }
  struct ledger_query query = {.serial_numbers = buf_bytes(&serial_numbers), .limit = 10};
  assert_true(ledger_search(bench->ledger, &query, NOW, &page, &f));
  assert_int_equal(page.n, 4);
  assert_int_equal(page.rows[0].id, 599);
  assert_int_equal(page.rows[3].id, 7);
  assert_true(ledger_count(bench->ledger, &query, NOW, &count, &f));
  assert_int_equal(count.n, 4);
  query.only_good = true;
  query.station = "line-4"; /* 599 % 7 */
  assert_true(ledger_count(bench->ledger, &query, NOW, &count, &f));
  assert_int_equal(count.n, 1);
  assert_int_equal(count.newest_id, 599);
}

static void rows_that_come_in_between_do_not_shift_the_pages(void **state)
{
  struct bench *bench = *state;
  struct ledger_query query = {.station = "line-3", .limit = 10};
  AUTO(fault) f = {0};
  int64_t last = ROWS + 1;
  unsigned found = 0;
  for (bool more = true; more;) {
    AUTO(ledger_page) page = {0};
    assert_true(ledger_search(bench->ledger, &query, NOW, &page, &f));
    for (size_t i = 0; i < page.n; i++, found++) {
      assert_true(page.rows[i].id < last);
      last = page.rows[i].id;
    }
    AUTO(issued) row = row_of(ROWS + 1000 + found);
    strcpy(row.station, "line-3");
    assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
    query.before_id = last;
    more = page.more;
  }
  assert_int_equal(found, 200);
}

static void a_page_without_a_size_is_our_own_mistake(void **state)
{
  struct bench *bench = *state;
  static const unsigned limits[] = {0, 1001};
  for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
    AUTO(fault) f = {0};
    AUTO(ledger_page) page = {0};
    const struct ledger_query query = {.limit = limits[i]};
    assert_false(ledger_search(bench->ledger, &query, NOW, &page, &f));
    assert_int_equal(f.code, FAULT_INTERNAL);
  }
}

/* No filter may walk over the whole table, or sort what it found. */
static void each_filter_goes_along_an_index(void **state)
{
  struct bench *bench = *state;
  sqlite3 *db = bench->ledger->writer->db; /* which has the table of tags */
  for (size_t i = 0; i < ARRAY_LEN(singles); i++) {
    AUTO(buf) sql = {0};
    sqlite3_stmt *statement;
    buf_add_text(&sql, "EXPLAIN QUERY PLAN ");
    ledger_search_sql(&singles[i].query, &sql);
    assert_int_equal(sqlite3_prepare_v2(db, buf_text(&sql), -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const char *step = (const char *)sqlite3_column_text(statement, 3);
      bool is_scan =
          strncmp(step, "SCAN", 4) == 0 && strncmp(step, CANDIDATES, strlen(CANDIDATES)) != 0;
      if (is_scan || strstr(step, "TEMP B-TREE") != NULL)
        fail_msg("filter %zu: %s: %s", i, step, buf_text(&sql));
    }
    sqlite3_finalize(statement);
  }
}

static void statuses_are_read_as_they_are_written(void **state)
{
  (void)state;
  enum certificate_status status;
  for (int i = STATUS_VALID; i <= STATUS_REVOKED; i++) {
    const char *name = certificate_status_name((enum certificate_status)i);
    assert_true(certificate_status_named(bytes_of_text(name), &status));
    assert_int_equal(status, i);
  }
  assert_false(certificate_status_named(bytes_of_text("any"), &status));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_rows, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(each_filter_finds_what_it_should),
      TEST(pages_have_no_gaps_and_no_repeats),
      TEST(filters_can_be_combined),
      TEST(names_are_found_in_whatever_form_they_are_asked_for),
      TEST(an_address_is_found_whole),
      TEST(several_serial_numbers_are_asked_for_at_once),
      TEST(rows_that_come_in_between_do_not_shift_the_pages),
      TEST(a_page_without_a_size_is_our_own_mistake),
      TEST(each_filter_goes_along_an_index),
      cmocka_unit_test(statuses_are_read_as_they_are_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
