/* test_order.c - what an order allows, name by name and unit by unit, and how it grows. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/ca/order.h"

enum { NOW = 1800000000 };

static struct order an_order(void)
{
  return (struct order){
      .name = "PO-1", .profile = "device-server", .quantity = 10, .replacements = 2};
}

static const struct sans no_names = {0};

static struct order_request a_request(void)
{
  return (struct order_request){
      .profile = "device-server", .model = "WX-4", .station = "line-3", .names = &no_names};
}

static enum fault_code check_at(const struct order *order, const struct order_request *request,
                                int64_t now)
{
  AUTO(fault) f = {0};
  bool allowed = order_check(order, request, now, &f);
  assert_int_equal(allowed, f.code == FAULT_NONE);
  if (!allowed)
    assert_non_null(strstr(f.detail, order->name));
  return f.code;
}

static enum fault_code check(const struct order *order, const struct order_request *request)
{
  return check_at(order, request, NOW);
}

static void what_an_order_is_for_may_be_issued(void **state)
{
  (void)state;
  struct order order = an_order();
  struct order_request request = a_request();
  assert_int_equal(check(&order, &request), FAULT_NONE);
}

static void another_profile_or_model_is_not_allowed(void **state)
{
  (void)state;
  struct order order = an_order();
  struct order_request request = a_request();
  request.profile = "idevid";
  assert_int_equal(check(&order, &request), FAULT_ORDER_NOT_ALLOWED);
  request = a_request();
  strcpy(order.model, "WX-4");
  assert_int_equal(check(&order, &request), FAULT_NONE);
  request.model = "WX-5";
  assert_int_equal(check(&order, &request), FAULT_ORDER_NOT_ALLOWED);
  request.model = "";
  assert_int_equal(check(&order, &request), FAULT_ORDER_NOT_ALLOWED);
}

static void only_its_stations_issue_under_it(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  struct order order = an_order();
  struct order_request request = a_request();
  assert_true(order_add_station(&order, bytes_of_text("line-1"), &f));
  assert_int_equal(check(&order, &request), FAULT_ORDER_NOT_ALLOWED);
  assert_true(order_add_station(&order, bytes_of_text("line-3"), &f));
  assert_true(order_add_station(&order, bytes_of_text("line-3"), &f));
  assert_int_equal(order.n_stations, 2);
  assert_int_equal(check(&order, &request), FAULT_NONE);
  request.station = "line-33";
  assert_int_equal(check(&order, &request), FAULT_ORDER_NOT_ALLOWED);
}

static void lists_have_a_bound_and_take_no_nonsense(void **state)
{
  (void)state;
  static const char *const stations[] = {"", "a b", "line.3", "line,3"};
  static const char *const ranges[] = {"", "10.1.0.0/33", "10.1.0.1/16", "x", "::ffff:10.0.0.1"};
  AUTO(fault) f = {0};
  struct order order = an_order();
  for (size_t i = 0; i < ARRAY_LEN(stations); i++)
    assert_false(order_add_station(&order, bytes_of_text(stations[i]), &f));
  for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
    assert_false(order_add_range(&order, bytes_of_text(ranges[i]), &f));
  assert_int_equal(order.n_stations + order.n_ip_ranges, 0);
  for (int i = 0; i < ORDER_STATIONS_MAX; i++) {
    char name[16];
    snprintf(name, sizeof name, "line-%d", i);
    assert_true(order_add_station(&order, bytes_of_text(name), &f));
    assert_true(order_add_range(&order, bytes_of_text("10.0.0.0/8"), &f));
  }
  assert_false(order_add_station(&order, bytes_of_text("one-more"), &f));
  assert_int_equal(f.code, FAULT_BAD_FIELD);
  assert_false(order_add_range(&order, bytes_of_text("10.0.0.0/8"), &f));
}

/* --- every address, wherever it stands --- */

static bool is_item(const struct fault *f, const char *name)
{
  for (size_t i = 0; i < f->n_items; i++)
    if (strcmp(f->items[i].name, name) == 0)
      return true;
  return false;
}

/* `outside`: bit N says that the N-th address lies outside the ranges. */
static void check_addresses(const struct order *order, unsigned n, unsigned outside)
{
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  size_t n_outside = 0;
  assert_true(sans_add(&names, SAN_DNS, bytes_of_text("a.example"), &f));
  for (unsigned i = 0; i < n; i++) {
    char text[32];
    bool is_outside = (outside & 1U << i) != 0;
    snprintf(text, sizeof text, "%s.0.%u", is_outside ? "10.2" : "10.1", i);
    n_outside += is_outside;
    assert_true(sans_add(&names, SAN_IP, bytes_of_text(text), &f));
  }
  struct order_request request = a_request();
  request.names = &names;
  assert_int_equal(order_check(order, &request, NOW, &f), n_outside == 0);
  assert_int_equal(f.n_items, n_outside);
  for (unsigned i = 0; i < n; i++) {
    char text[32];
    snprintf(text, sizeof text, "10.2.0.%u", i);
    assert_int_equal(is_item(&f, text), (outside & 1U << i) != 0);
  }
}

static void every_address_is_checked_one_by_one(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  struct order order = an_order();
  assert_true(order_add_range(&order, bytes_of_text("fd00::/8"), &f));
  assert_true(order_add_range(&order, bytes_of_text("10.1.0.0/16"), &f));
  for (unsigned n = 0; n <= 7; n++)
    for (unsigned outside = 0; outside < 1U << n; outside++)
      check_addresses(&order, n, outside);
}

static void an_address_of_the_other_family_is_outside(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  AUTO(sans) names = {0};
  struct order order = an_order();
  assert_true(order_add_range(&order, bytes_of_text("0.0.0.0/0"), &f));
  assert_true(sans_add(&names, SAN_IP, bytes_of_text("fd00::1"), &f));
  assert_false(order_check_names(&order, &names, &f));
  assert_int_equal(f.code, FAULT_ORDER_NOT_ALLOWED);
}

/* --- time and quantity --- */

static void it_is_open_from_then_until_then(void **state)
{
  (void)state;
  struct order order = an_order();
  struct order_request request = a_request();
  order.from = NOW, order.until = NOW + 10;
  assert_int_equal(check_at(&order, &request, NOW - 1), FAULT_ORDER_CLOSED);
  assert_int_equal(check_at(&order, &request, NOW), FAULT_NONE);
  assert_int_equal(check_at(&order, &request, NOW + 9), FAULT_NONE);
  assert_int_equal(check_at(&order, &request, NOW + 10), FAULT_ORDER_CLOSED);
  order.closed_at = NOW - 1;
  assert_int_equal(check_at(&order, &request, NOW), FAULT_ORDER_CLOSED);
}

static void the_last_unit_is_the_last(void **state)
{
  (void)state;
  struct order order = an_order();
  struct order_request request = a_request();
  order.issued = 9;
  assert_int_equal(check(&order, &request), FAULT_NONE);
  order.issued = 10;
  assert_int_equal(check(&order, &request), FAULT_ORDER_EXHAUSTED);
}

static void replacements_have_a_limit_of_their_own(void **state)
{
  (void)state;
  struct order order = an_order();
  struct order_request request = a_request();
  request.is_replacement = true;
  order.issued = 10;
  assert_int_equal(check(&order, &request), FAULT_NONE);
  order.replaced = 2;
  assert_int_equal(check(&order, &request), FAULT_ORDER_EXHAUSTED);
  request.is_replacement = false, order.issued = 9;
  assert_int_equal(check(&order, &request), FAULT_NONE);
  order.replaced = order.replacements = 0, request.is_replacement = true;
  assert_int_equal(check(&order, &request), FAULT_ORDER_EXHAUSTED);
}

/* --- extending --- */

static void an_order_only_grows(void **state)
{
  (void)state;
  static const struct {
    struct order_extension extension;
    enum fault_code code;
    int64_t quantity, replacements, until;
  } cases[] = {
      {{.quantity = 11}, FAULT_NONE, 11, 2, NOW},
      {{.by = 5}, FAULT_NONE, 15, 2, NOW},
      {{.replacements = 3}, FAULT_NONE, 10, 3, NOW},
      {{.until = NOW + 1}, FAULT_NONE, 10, 2, NOW + 1},
      {{.by = 1, .until = NOW + 2, .replacements = 4}, FAULT_NONE, 11, 4, NOW + 2},
      {{0}, FAULT_ORDER_NOT_ALLOWED, 10, 2, NOW},
      {{.quantity = 10}, FAULT_ORDER_NOT_ALLOWED, 10, 2, NOW},
      {{.quantity = 9}, FAULT_ORDER_NOT_ALLOWED, 10, 2, NOW},
      {{.quantity = 20, .by = 10}, FAULT_ORDER_NOT_ALLOWED, 10, 2, NOW},
      {{.by = ORDER_QUANTITY_MAX}, FAULT_ORDER_NOT_ALLOWED, 10, 2, NOW},
      {{.quantity = 20, .replacements = 2}, FAULT_ORDER_NOT_ALLOWED, 10, 2, NOW},
      {{.quantity = 20, .until = NOW}, FAULT_ORDER_NOT_ALLOWED, 10, 2, NOW},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(fault) f = {0};
    struct order order = an_order();
    order.until = NOW;
    assert_int_equal(order_extend(&order, &cases[i].extension, &f), cases[i].code == FAULT_NONE);
    assert_int_equal(f.code, cases[i].code);
    assert_true(order.quantity == cases[i].quantity);
    assert_true(order.replacements == cases[i].replacements);
    assert_true(order.until == cases[i].until);
  }
}

static void what_has_no_end_or_is_closed_is_not_extended(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  struct order order = an_order();
  assert_false(order_extend(&order, &(struct order_extension){.until = NOW}, &f));
  assert_int_equal(f.code, FAULT_ORDER_NOT_ALLOWED);
  order.closed_at = NOW;
  assert_false(order_extend(&order, &(struct order_extension){.by = 1}, &f));
  assert_int_equal(f.code, FAULT_ORDER_CLOSED);
}

static void names_are_tokens(void **state)
{
  (void)state;
  char name[66];
  memset(name, 'x', sizeof name);
  assert_true(order_name_is_valid(bytes_of(name, 64)));
  assert_false(order_name_is_valid(bytes_of(name, 65)));
  static const char *const bad[] = {"", "PO 1", "PO/1", "..", "PO\n1", "PÖ-1"};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    assert_false(order_name_is_valid(bytes_of_text(bad[i])));
  assert_true(order_name_is_valid(bytes_of_text("PO-7781_b")));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_an_order_is_for_may_be_issued),
      cmocka_unit_test(another_profile_or_model_is_not_allowed),
      cmocka_unit_test(only_its_stations_issue_under_it),
      cmocka_unit_test(lists_have_a_bound_and_take_no_nonsense),
      cmocka_unit_test(every_address_is_checked_one_by_one),
      cmocka_unit_test(an_address_of_the_other_family_is_outside),
      cmocka_unit_test(it_is_open_from_then_until_then),
      cmocka_unit_test(the_last_unit_is_the_last),
      cmocka_unit_test(replacements_have_a_limit_of_their_own),
      cmocka_unit_test(an_order_only_grows),
      cmocka_unit_test(what_has_no_end_or_is_closed_is_not_extended),
      cmocka_unit_test(names_are_tokens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
