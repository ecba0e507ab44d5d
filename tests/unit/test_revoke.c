/* test_revoke.c - one certificate, and many by a filter: which, how far, and what is passed over.
 */
#include "tests/unit/ledger_unit.h"

#include "lib/ca/revoke.h"

enum { ROWS = 2500 };

static const atomic_bool go_on = false, stop_now = true;

static int set_up_rows(void **state)
{
  set_up_ledger(state);
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  for (unsigned n = 1; n <= ROWS; n++) {
    AUTO(issued) row = row_of(n);
    AUTO(issued) earlier = {0};
    bool replayed;
    snprintf(row.model, sizeof row.model, "WX-%u", n % 2);
    row.not_after = n % 100 == 0 ? NOW - 1 : row.not_after;
    assert_true(ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f));
  }
  assert_true(ledger_commit(batch, &f));
  return 0;
}

static struct ledger_count count(struct ledger *ledger, const struct ledger_query *query)
{
  AUTO(fault) f = {0};
  struct ledger_count count;
  assert_true(ledger_count(ledger, query, NOW, &count, &f));
  return count;
}

static struct revoke_order order_for(enum revocation_reason reason)
{
  return (struct revoke_order){.reason = reason, .now = NOW, .who = somebody};
}

static int64_t revoke_all(struct ledger *ledger, const struct ledger_query *query,
                          int64_t newest_id, enum revocation_reason reason)
{
  AUTO(fault) f = {0};
  const struct revoke_order order = order_for(reason);
  int64_t n = -1;
  if (!revoke_many(ledger, query, newest_id, &order, &go_on, &n, &f))
    fail_msg("%s", f.detail);
  return n;
}

static void all_that_are_good_are_revoked_over_many_transactions(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  struct ledger_query query = {.station = "line-1"};
  revoke_select(&query, REASON_SUPERSEDED);
  struct ledger_count before = count(ledger, &query);
  assert_int_equal(before.n, ROWS - ROWS / 100);
  assert_int_equal(revoke_all(ledger, &query, before.newest_id, REASON_SUPERSEDED), before.n);
  assert_int_equal(ledger_last_revocation(ledger), before.n);
  assert_int_equal(count(ledger, &query).n, 0);
  assert_int_equal(revoke_all(ledger, &query, before.newest_id, REASON_SUPERSEDED), 0);
  const struct ledger_query valid = {.status = STATUS_VALID};
  const struct ledger_query expired = {.status = STATUS_EXPIRED};
  const struct ledger_query revoked = {.status = STATUS_REVOKED};
  assert_int_equal(count(ledger, &valid).n, 0);
  assert_int_equal(count(ledger, &expired).n, ROWS / 100);
  assert_int_equal(count(ledger, &revoked).n, before.n);
}

static void what_came_later_is_left_alone(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  struct ledger_query query = {.model = "WX-1"};
  revoke_select(&query, REASON_SUPERSEDED);
  assert_int_equal(revoke_all(ledger, &query, 1001, REASON_SUPERSEDED), 501);
  assert_int_equal(count(ledger, &query).n, ROWS / 2 - 501);
  assert_int_equal(revoke_all(ledger, &query, 0, REASON_SUPERSEDED), 0);
}

static void a_hold_of_many_is_lifted(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  struct ledger_query query = {.model = "WX-1"}, held = {.model = "WX-1"};
  revoke_select(&query, REASON_CERTIFICATE_HOLD);
  revoke_select(&held, REASON_REMOVE_FROM_CRL);
  assert_int_equal(count(ledger, &held).n, 0);
  assert_int_equal(revoke_all(ledger, &query, 100, REASON_CERTIFICATE_HOLD), 50);
  assert_int_equal(count(ledger, &held).n, 50);
  assert_int_equal(revoke_all(ledger, &held, ROWS, REASON_REMOVE_FROM_CRL), 50);
  assert_int_equal(count(ledger, &held).n, 0);
  assert_int_equal(count(ledger, &query).n, ROWS / 2);
}

static void it_stops_when_it_is_told_to(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  struct ledger_query query = {.model = "WX-1"};
  AUTO(fault) f = {0};
  const struct revoke_order order = order_for(REASON_SUPERSEDED);
  int64_t n = -1;
  revoke_select(&query, REASON_SUPERSEDED);
  assert_false(revoke_many(ledger, &query, ROWS, &order, &stop_now, &n, &f));
  assert_int_equal(f.code, FAULT_STOPPING);
  assert_non_null(strstr(f.detail, "0 were changed"));
  assert_int_equal(n, -1);
  assert_int_equal(ledger_last_revocation(ledger), 0);
}

static void one_is_told_as_it_stands_then(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(fault) f = {0};
  AUTO(issued) row = row_of(1);
  const struct bytes serial_number = bytes_of(row.serial_number, SERIAL_NUMBER_LEN);
  const struct revoke_order order = order_for(REASON_KEY_COMPROMISE);
  const struct revoke_order lift = order_for(REASON_REMOVE_FROM_CRL);
  for (int i = 0; i < 2; i++) {
    AUTO(issued) revoked = {0};
    assert_true(revoke_one(ledger, serial_number, &order, &revoked, &f));
    assert_int_equal(revoked.status, STATUS_REVOKED);
    assert_int_equal(revoked.revocation_reason, REASON_KEY_COMPROMISE);
  }
  AUTO(issued) untouched = {0};
  assert_false(revoke_one(ledger, serial_number, &lift, &untouched, &f));
  assert_int_equal(f.code, FAULT_CERTIFICATE_STATE);
  assert_false(revoke_one(ledger, bytes_of_text("?"), &order, &untouched, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_SERIAL_NUMBER);
  assert_int_equal(ledger_last_revocation(ledger), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_rows, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(all_that_are_good_are_revoked_over_many_transactions),
      TEST(what_came_later_is_left_alone),
      TEST(a_hold_of_many_is_lifted),
      TEST(it_stops_when_it_is_told_to),
      TEST(one_is_told_as_it_stands_then),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
