/* test_ledger_order.c - an order never overruns: counted with the certificate, and refused by the
 * database itself. */
#include "tests/unit/ledger_unit.h"

#include <pthread.h>
#include <sqlite3.h>

static struct order get(struct ledger *ledger, const char *name)
{
  AUTO(fault) f = {0};
  struct order order;
  if (!ledger_get_order(ledger, name, &order, &f))
    fail_msg("%s", f.detail);
  return order;
}

static struct issued row_under(const char *order, unsigned n)
{
  struct issued row = row_of(n);
  snprintf(row.order, sizeof row.order, "%s", order);
  return row;
}

static enum fault_code issue(struct ledger *ledger, const char *order, unsigned n)
{
  AUTO(issued) row = row_under(order, n);
  return append(ledger, &row, false).code;
}

static void assert_counted(struct ledger *ledger, int64_t issued, int64_t replaced)
{
  struct order order = get(ledger, "PO-1");
  assert_int_equal(order.issued, issued);
  assert_int_equal(order.replaced, replaced);
}

static int set_up_order(void **state)
{
  set_up_ledger(state);
  struct bench *bench = *state;
  struct order order = order_of("PO-1", 3);
  order.replacements = 1;
  add_order(bench->ledger, &order);
  return 0;
}

/* --- as rows --- */

static void an_order_is_read_as_it_was_made(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct order order = order_of("PO-7781", 500);
  strcpy(order.model, "WX-4");
  order.from = NOW, order.until = NOW + 9, order.replacements = 7;
  assert_true(order_add_station(&order, bytes_of_text("line-3"), &f));
  assert_true(order_add_station(&order, bytes_of_text("line-4"), &f));
  assert_true(order_add_range(&order, bytes_of_text("10.1.0.0/16"), &f));
  assert_true(order_add_range(&order, bytes_of_text("fd00::1"), &f));
  add_order(bench->ledger, &order);
  struct order got = get(bench->ledger, "PO-7781");
  assert_true(got.id > 0);
  assert_string_equal(got.profile, "device-server");
  assert_string_equal(got.model, "WX-4");
  assert_true(got.from == NOW && got.until == NOW + 9 && got.created_at == NOW);
  assert_true(got.quantity == 500 && got.replacements == 7 && got.closed_at == 0);
  assert_int_equal(got.n_stations, 2);
  assert_string_equal(got.stations[1], "line-4");
  assert_int_equal(got.n_ip_ranges, 2);
  assert_int_equal(got.ip_ranges[0].bits, 16);
  assert_int_equal(got.ip_ranges[1].bits, 128);
}

static void names_are_taken_once_and_unknown_ones_are_unknown(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct order again = order_of("PO-1", 9);
  struct order got;
  assert_false(ledger_add_order(bench->ledger, &again, &somebody, &f));
  assert_int_equal(f.code, FAULT_ORDER_EXISTS);
  assert_false(ledger_get_order(bench->ledger, "PO-2", &got, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_ORDER);
  assert_false(ledger_close_order(bench->ledger, "PO-2", NOW, &somebody, &got, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_ORDER);
  assert_int_equal(get(bench->ledger, "PO-1").quantity, 3);
}

struct listed {
  char names[128];
  int64_t last_id;
};

static void list_one(const struct order *order, void *context)
{
  struct listed *listed = context;
  strcat(strcat(listed->names, order->name), " ");
  listed->last_id = order->id;
}

static struct listed list(struct ledger *ledger, struct order_query query, bool more)
{
  AUTO(fault) f = {0};
  struct listed listed = {0};
  bool is_more = !more;
  query.limit = query.limit == 0 ? 10 : query.limit;
  assert_true(ledger_each_order(ledger, &query, list_one, &listed, &is_more, &f));
  assert_int_equal(is_more, more);
  return listed;
}

static void orders_are_listed_newest_first_and_filtered(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct order got, two = order_of("PO-2", 1), three = order_of("PO-3", 1);
  assert_true(order_add_station(&two, bytes_of_text("line-1"), &f));
  assert_true(order_add_station(&two, bytes_of_text("line-3"), &f));
  add_order(bench->ledger, &two);
  add_order(bench->ledger, &three);
  assert_true(ledger_close_order(bench->ledger, "PO-3", NOW, &somebody, &got, &f));
  struct ledger *ledger = bench->ledger;
  assert_string_equal(list(ledger, (struct order_query){0}, false).names, "PO-3 PO-2 PO-1 ");
  assert_string_equal(list(ledger, (struct order_query){.state = ORDER_OPEN}, false).names,
                      "PO-2 PO-1 ");
  assert_string_equal(list(ledger, (struct order_query){.state = ORDER_WAS_CLOSED}, false).names,
                      "PO-3 ");
  assert_string_equal(list(ledger, (struct order_query){.station = "line-3"}, false).names,
                      "PO-3 PO-2 PO-1 ");
  assert_string_equal(list(ledger, (struct order_query){.station = "line"}, false).names,
                      "PO-3 PO-1 ");
  struct listed page = list(ledger, (struct order_query){.limit = 2}, true);
  assert_string_equal(page.names, "PO-3 PO-2 ");
  page = list(ledger, (struct order_query){.limit = 2, .before_id = page.last_id}, false);
  assert_string_equal(page.names, "PO-1 ");
}

/* --- counting --- */

static void what_is_issued_is_counted_and_no_more_than_ordered(void **state)
{
  struct bench *bench = *state;
  for (unsigned n = 1; n <= 3; n++)
    assert_int_equal(issue(bench->ledger, "PO-1", n), FAULT_NONE);
  assert_int_equal(issue(bench->ledger, "PO-1", 4), FAULT_ORDER_EXHAUSTED);
  assert_counted(bench->ledger, 3, 0);
  assert_int_equal(issue(bench->ledger, "", 4), FAULT_NONE);
  assert_counted(bench->ledger, 3, 0);
}

static void an_order_that_is_not_there_is_not_allowed(void **state)
{
  struct bench *bench = *state;
  assert_int_equal(issue(bench->ledger, "PO-9", 1), FAULT_ORDER_NOT_ALLOWED);
}

static void a_replay_is_not_counted_whatever_became_of_the_order(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct order closed;
  AUTO(issued) row = row_under("PO-1", 1);
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  assert_true(append(bench->ledger, &row, false).replayed);
  assert_counted(bench->ledger, 1, 0);
  assert_true(ledger_close_order(bench->ledger, "PO-1", NOW, &somebody, &closed, &f));
  assert_true(append(bench->ledger, &row, false).replayed);
  assert_int_equal(issue(bench->ledger, "PO-1", 2), FAULT_ORDER_CLOSED);
  assert_counted(bench->ledger, 1, 0);
}

static void a_replacement_is_counted_apart_and_limited(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) second = row_under("PO-1", 7);
  AUTO(issued) third = row_under("PO-1", 8);
  strcpy(second.device_serial, "W-1");
  strcpy(third.device_serial, "W-1");
  for (unsigned n = 1; n <= 3; n++)
    assert_int_equal(issue(bench->ledger, "PO-1", n), FAULT_NONE);
  assert_int_equal(append(bench->ledger, &second, true).code, FAULT_NONE);
  assert_counted(bench->ledger, 3, 1);
  assert_int_equal(append(bench->ledger, &third, true).code, FAULT_ORDER_EXHAUSTED);
  assert_counted(bench->ledger, 3, 1);
}

/* Else whoever says "replace" could have as many as he likes. */
static void a_replacement_of_nothing_counts_against_the_quantity(void **state)
{
  struct bench *bench = *state;
  for (unsigned n = 1; n <= 4; n++) {
    AUTO(issued) row = row_under("PO-1", n);
    assert_int_equal(append(bench->ledger, &row, true).code,
                     n <= 3 ? FAULT_NONE : FAULT_ORDER_EXHAUSTED);
  }
  assert_counted(bench->ledger, 3, 0);
}

static void an_extended_order_has_that_much_more(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct order order;
  for (unsigned n = 1; n <= 3; n++)
    assert_int_equal(issue(bench->ledger, "PO-1", n), FAULT_NONE);
  assert_true(ledger_extend_order(bench->ledger, "PO-1", &(struct order_extension){.by = 1},
                                  &somebody, &order, &f));
  assert_true(order.quantity == 4 && order.issued == 3);
  assert_int_equal(issue(bench->ledger, "PO-1", 4), FAULT_NONE);
  assert_int_equal(issue(bench->ledger, "PO-1", 5), FAULT_ORDER_EXHAUSTED);
}

static void closing_twice_is_closing_once(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct order order;
  assert_true(ledger_close_order(bench->ledger, "PO-1", NOW, &somebody, &order, &f));
  assert_true(ledger_close_order(bench->ledger, "PO-1", NOW + 5, &somebody, &order, &f));
  assert_int_equal(order.closed_at, NOW);
  assert_false(ledger_extend_order(bench->ledger, "PO-1", &(struct order_extension){.by = 1},
                                   &somebody, &order, &f));
  assert_int_equal(f.code, FAULT_ORDER_CLOSED);
}

static void *close_po_1(void *context)
{
  AUTO(fault) f = {0};
  struct order order;
  assert_true(ledger_close_order(context, "PO-1", NOW, &somebody, &order, &f));
  return NULL;
}

/* Whoever still sees the moment before does not leave what he saw to those after him. */
static void an_order_that_was_closed_is_not_remembered_as_open(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct order other_order = order_of("PO-2", 5);
  struct order read;
  pthread_t other;
  add_order(bench->ledger, &other_order);
  assert_true(ledger_snapshot_begin(bench->ledger, &f));
  assert_true(ledger_get_order(bench->ledger, "PO-2", &read, &f));
  assert_int_equal(pthread_create(&other, NULL, close_po_1, bench->ledger), 0);
  pthread_join(other, NULL);
  assert_true(ledger_get_order(bench->ledger, "PO-1", &read, &f));
  assert_int_equal(read.closed_at, 0);
  ledger_snapshot_end(bench->ledger);
  assert_true(ledger_get_order(bench->ledger, "PO-1", &read, &f));
  assert_int_equal(read.closed_at, NOW);
}

static void within_one_batch_the_last_unit_is_given_once(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  unsigned n_added = 0;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  for (unsigned n = 1; n <= 8; n++) {
    AUTO(fault) refusal = {0};
    AUTO(issued) earlier = {0};
    AUTO(issued) row = row_under("PO-1", n);
    bool replayed;
    n_added += ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &refusal);
    assert_int_equal(refusal.code, n <= 3 ? FAULT_NONE : FAULT_ORDER_EXHAUSTED);
  }
  assert_true(ledger_commit(batch, &f));
  assert_int_equal(n_added, 3);
  assert_counted(bench->ledger, 3, 0);
}

static void what_was_rolled_back_was_not_counted(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  AUTO(issued) earlier = {0};
  AUTO(issued) row = row_under("PO-1", 1);
  bool replayed;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f));
  ledger_roll_back(batch);
  assert_counted(bench->ledger, 0, 0);
}

static void what_will_be_refused_is_foreseen(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  bool replayed;
  for (unsigned n = 1; n <= 3; n++)
    assert_int_equal(issue(bench->ledger, "PO-1", n), FAULT_NONE);
  AUTO(issued) row = row_under("PO-1", 4);
  assert_false(ledger_foresee(bench->ledger, &row, &none, false, NOW, &replayed, &earlier, &f));
  assert_int_equal(f.code, FAULT_ORDER_EXHAUSTED);
  assert_counted(bench->ledger, 3, 0);
}

static int count_events(const struct bench *bench, const char *kind)
{
  sqlite3 *db;
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  assert_int_equal(
      sqlite3_prepare_v2(db,
                         "SELECT count(*) FROM events e JOIN labels k ON k.id = e.kind"
                         " JOIN labels p ON p.id = e.principal"
                         " JOIN labels o ON o.id = e.production_order"
                         " WHERE k.text = ?1 AND p.text = 'shift-lead' AND o.text = 'PO-1'"
                         " AND e.code IS NULL AND e.source = x'0a090001'",
                         -1, &statement, NULL),
      SQLITE_OK);
  sqlite3_bind_text(statement, 1, kind, -1, SQLITE_STATIC);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  int n = sqlite3_column_int(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return n;
}

static void every_change_of_an_order_is_an_event(void **state)
{
  struct bench *bench = *state;
  struct order order;
  AUTO(fault) f = {0};
  const struct order again = order_of("PO-1", 1);
  const struct order_extension more = {.by = 1}, nothing = {0};
  assert_false(ledger_add_order(bench->ledger, &again, &somebody, &f));
  assert_false(ledger_extend_order(bench->ledger, "PO-1", &nothing, &somebody, &order, &f));
  assert_true(ledger_extend_order(bench->ledger, "PO-1", &more, &somebody, &order, &f));
  assert_true(ledger_close_order(bench->ledger, "PO-1", NOW, &somebody, &order, &f));
  assert_true(ledger_close_order(bench->ledger, "PO-1", NOW, &somebody, &order, &f));
  assert_int_equal(count_events(bench, "order-created"), 1);
  assert_int_equal(count_events(bench, "order-extended"), 1);
  assert_int_equal(count_events(bench, "order-closed"), 1);
}

/* --- the database itself --- */

static void a_foreign_hand_cannot_overrun_shrink_or_reopen_an_order(void **state)
{
  struct bench *bench = *state;
  static const char *const attempts[] = {
      "UPDATE orders SET issued = quantity + 1 WHERE name = 'PO-1'",
      "UPDATE orders SET replaced = replacements + 1 WHERE name = 'PO-1'",
      "UPDATE orders SET issued = issued - 1 WHERE name = 'PO-1'",
      "UPDATE orders SET quantity = quantity - 1 WHERE name = 'PO-1'",
      "UPDATE orders SET profile = 'idevid' WHERE name = 'PO-1'",
      "UPDATE orders SET stations = 'line-9' WHERE name = 'PO-1'",
      "UPDATE orders SET closed_at = NULL WHERE name = 'PO-2'",
      "UPDATE orders SET issued = issued + 1 WHERE name = 'PO-2'",
      "UPDATE orders SET quantity = quantity + 1 WHERE name = 'PO-2'",
      "UPDATE OR REPLACE orders SET name = 'PO-2' WHERE name = 'PO-1'",
      "DELETE FROM orders",
      "REPLACE INTO orders SELECT * FROM orders",
      "INSERT OR REPLACE INTO orders SELECT 99, name, profile, model, stations, ip_ranges,"
      " open_from, open_until, quantity, 0, replacements, 0, created_at, NULL FROM orders",
      "INSERT INTO orders SELECT 99, 'PO-9', profile, model, stations, ip_ranges, open_from,"
      " open_until, quantity, -1, replacements, 0, created_at, NULL FROM orders LIMIT 1",
  };
  AUTO(fault) f = {0};
  struct order two = order_of("PO-2", 5);
  add_order(bench->ledger, &two);
  assert_true(ledger_close_order(bench->ledger, "PO-2", NOW, &somebody, &two, &f));
  assert_int_equal(issue(bench->ledger, "PO-1", 1), FAULT_NONE);
  sqlite3 *db;
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
    int status = sqlite3_exec(db, attempts[i], NULL, NULL, NULL);
    if (status != SQLITE_CONSTRAINT || strstr(sqlite3_errmsg(db), "UNIQUE") != NULL)
      fail_msg("%s: %d %s", attempts[i], status, sqlite3_errmsg(db));
  }
  sqlite3_close(db);
  assert_counted(bench->ledger, 1, 0);
  assert_int_equal(get(bench->ledger, "PO-2").closed_at, NOW);
}

/* --- a race --- */

enum { RACERS = 8, TRIES = 12, ORDERED = 40 };

struct racer {
  struct ledger *ledger;
  unsigned number, n_issued, n_exhausted;
  pthread_t thread;
};

static void *race(void *context)
{
  struct racer *racer = context;
  for (unsigned i = 0; i < TRIES; i++) {
    enum fault_code code = issue(racer->ledger, "PO-R", racer->number * 1000 + i + 1);
    racer->n_issued += code == FAULT_NONE;
    racer->n_exhausted += code == FAULT_ORDER_EXHAUSTED;
  }
  return NULL;
}

static void racers_get_exactly_what_was_ordered(void **state)
{
  struct bench *bench = *state;
  struct racer racers[RACERS] = {0};
  unsigned issued = 0, exhausted = 0;
  const struct order order = order_of("PO-R", ORDERED);
  add_order(bench->ledger, &order);
  for (unsigned i = 0; i < RACERS; i++) {
    racers[i] = (struct racer){.ledger = bench->ledger, .number = i};
    assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
  }
  for (unsigned i = 0; i < RACERS; i++) {
    pthread_join(racers[i].thread, NULL);
    issued += racers[i].n_issued;
    exhausted += racers[i].n_exhausted;
  }
  assert_int_equal(issued, ORDERED);
  assert_int_equal(exhausted, RACERS * TRIES - ORDERED);
  assert_int_equal(get(bench->ledger, "PO-R").issued, ORDERED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_order, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(an_order_is_read_as_it_was_made),
      TEST(names_are_taken_once_and_unknown_ones_are_unknown),
      TEST(orders_are_listed_newest_first_and_filtered),
      TEST(what_is_issued_is_counted_and_no_more_than_ordered),
      TEST(an_order_that_is_not_there_is_not_allowed),
      TEST(a_replay_is_not_counted_whatever_became_of_the_order),
      TEST(a_replacement_is_counted_apart_and_limited),
      TEST(a_replacement_of_nothing_counts_against_the_quantity),
      TEST(an_extended_order_has_that_much_more),
      TEST(closing_twice_is_closing_once),
      TEST(an_order_that_was_closed_is_not_remembered_as_open),
      TEST(every_change_of_an_order_is_an_event),
      TEST(within_one_batch_the_last_unit_is_given_once),
      TEST(what_was_rolled_back_was_not_counted),
      TEST(what_will_be_refused_is_foreseen),
      TEST(a_foreign_hand_cannot_overrun_shrink_or_reopen_an_order),
      TEST(racers_get_exactly_what_was_ordered),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
