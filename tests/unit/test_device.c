/* test_device.c - devices: their secrets, tries, imports, and what a secret is good for. */
#include "tests/unit/ledger_unit.h"

#include "lib/ca/ledger_device.h"

static const struct event anna = {.principal = "anna", .request_id = "r1"};

/* One device whose secret is given. */
static struct device_row device_row(int64_t line, const char *device_serial, const char *secret)
{
  AUTO(fault) f = {0};
  struct device_row row = {.line = line};
  snprintf(row.device_serial, sizeof row.device_serial, "%s", device_serial);
  assert_true(device_secret_hash(bytes_of_text(secret), &row.secret, &f));
  return row;
}

static int64_t begin(struct ledger *ledger, int64_t now)
{
  AUTO(fault) f = {0};
  int64_t id;
  assert_true(ledger_begin_import(ledger, "anna", now, &id, &f));
  return id;
}

static size_t add(struct ledger *ledger, int64_t import, struct device_row *rows, size_t n,
                  bool partial)
{
  AUTO(fault) f = {0};
  size_t added = 999;
  if (!ledger_import_rows(ledger, import, rows, n, partial, NOW, &added, &f))
    fail_msg("%s", f.detail);
  return added;
}

static int64_t commit(struct ledger *ledger, int64_t import)
{
  AUTO(fault) f = {0};
  int64_t devices;
  if (!ledger_commit_import(ledger, import, NOW, &anna, &devices, &f))
    fail_msg("%s", f.detail);
  return devices;
}

static void import_one(struct ledger *ledger, const char *device_serial, const char *secret)
{
  struct device_row row = device_row(1, device_serial, secret);
  int64_t import = begin(ledger, NOW);
  assert_int_equal(add(ledger, import, &row, 1, false), 1);
  assert_int_equal(commit(ledger, import), 1);
}

static bool is_known(struct ledger *ledger, const char *device_serial)
{
  AUTO(fault) f = {0};
  AUTO(device) device = {0};
  bool found;
  assert_true(ledger_find_device(ledger, device_serial, &found, &device, &f));
  return found;
}

static enum device_state state_of(struct ledger *ledger, const char *device_serial)
{
  AUTO(fault) f = {0};
  AUTO(device) device = {0};
  bool found = false;
  assert_true(ledger_find_device(ledger, device_serial, &found, &device, &f));
  assert_true(found);
  return device_state(&device);
}

/* The number of the secret; 0: refused. */
static int64_t authenticate(struct ledger *ledger, const char *credentials)
{
  AUTO(fault) f = {0};
  struct principal principal = {0};
  if (device_authenticate(ledger, bytes_of_text(credentials), &principal, &f)) {
    assert_int_equal(principal.role, ROLE_DEVICE);
    assert_int_equal(strncmp(principal.name, credentials, strlen(principal.name)), 0);
    return principal.secret_no;
  }
  assert_int_equal(f.code, FAULT_UNAUTHENTICATED);
  return 0;
}

/* --- who is it --- */

static void serial_and_secret_must_fit(void **state)
{
  struct bench *bench = *state;
  static const char *const wrong[] = {"",
                                      ":",
                                      "W-1",
                                      "W-1:",
                                      "W-1:hunter2hunter",
                                      "W-1:hunter2hunter22",
                                      "W-2:hunter2hunter2",
                                      ":hunter2hunter2",
                                      "w-1:hunter2hunter2",
                                      "W-1:hunter2hunter2:"};
  import_one(bench->ledger, "W-1", "hunter2hunter2");
  for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
    assert_int_equal(authenticate(bench->ledger, wrong[i]), 0);
  assert_int_equal(authenticate(bench->ledger, "W-1:hunter2hunter2"), 1);
}

static void a_serial_may_have_colons(void **state)
{
  struct bench *bench = *state;
  import_one(bench->ledger, "00:11:22", "0123456789abcdef0123456789abcdef");
  assert_int_equal(authenticate(bench->ledger, "00:11:22:0123456789abcdef0123456789abcdef"), 1);
}

static void ten_wrong_secrets_lock_and_a_reset_unlocks(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct device_secret secret;
  import_one(bench->ledger, "W-1", "hunter2hunter2");
  for (int i = 0; i < 9; i++)
    assert_int_equal(authenticate(bench->ledger, "W-1:wrong wrong"), 0);
  assert_int_equal(authenticate(bench->ledger, "W-1:hunter2hunter2"), 1);
  assert_int_equal(authenticate(bench->ledger, "W-1:wrong wrong"), 0);
  assert_int_equal(state_of(bench->ledger, "W-1"), DEVICE_LOCKED);
  assert_int_equal(authenticate(bench->ledger, "W-1:hunter2hunter2"), 0);
  assert_true(device_secret_hash(bytes_of_text("anotheranother"), &secret, &f));
  assert_true(ledger_reset_device(bench->ledger, "W-1", &secret, &anna, &f));
  assert_int_equal(state_of(bench->ledger, "W-1"), DEVICE_WAITING);
  assert_int_equal(authenticate(bench->ledger, "W-1:hunter2hunter2"), 0);
  assert_int_equal(authenticate(bench->ledger, "W-1:anotheranother"), 2);
  assert_false(ledger_reset_device(bench->ledger, "W-9", &secret, &anna, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_DEVICE);
}

static void what_is_kept_is_no_secret(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  struct device_secret one, two;
  char text[DEVICE_SECRET_LEN + 1];
  assert_true(device_secret_hash(bytes_of_text("hunter2hunter2"), &one, &f));
  assert_true(device_secret_hash(bytes_of_text("hunter2hunter2"), &two, &f));
  assert_true(one.salted);
  assert_memory_not_equal(one.hash, two.hash, DEVICE_HASH_LEN);
  device_secret_make((const uint8_t[16]){1, 2, 3}, text, &one);
  assert_false(one.salted);
  assert_string_equal(text, "01020300000000000000000000000000");
  assert_true(device_secret_hash(bytes_of_text(text), &two, &f));
  assert_memory_equal(one.hash, two.hash, DEVICE_HASH_LEN);
}

static void a_given_secret_has_eight_characters_and_no_colon(void **state)
{
  (void)state;
  assert_true(device_given_is_valid(bytes_of_text("12345678")));
  assert_false(device_given_is_valid(bytes_of_text("1234567")));
  assert_false(device_given_is_valid(bytes_of_text("1234:5678")));
  assert_false(device_given_is_valid(bytes_of_text("1234 5678")));
  assert_false(device_given_is_valid(bytes_of_text("1234\xc3\xa9"
                                                   "5678")));
}

/* --- what a secret is good for --- */

static struct issued asked(unsigned n, int64_t secret_no)
{
  struct issued row = row_of(n);
  snprintf(row.device_serial, sizeof row.device_serial, "W-1");
  row.secret_no = secret_no;
  return row;
}

static void a_secret_is_used_up_with_the_certificate(void **state)
{
  struct bench *bench = *state;
  import_one(bench->ledger, "W-1", "hunter2hunter2");
  AUTO(issued) first = asked(1, 1), again = asked(1, 1), other = asked(2, 1);
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  assert_int_equal(state_of(bench->ledger, "W-1"), DEVICE_ENROLLED);
  /* A lost reply: the same request is answered, and it still says who it is. */
  assert_int_equal(authenticate(bench->ledger, "W-1:hunter2hunter2"), 1);
  assert_true(append(bench->ledger, &again, false).replayed);
  struct outcome refused = append(bench->ledger, &other, true);
  assert_int_equal(refused.code, FAULT_FORBIDDEN);
  assert_non_null(strstr(refused.detail, "another key"));
}

static void what_is_rolled_back_used_nothing_up(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) row = asked(1, 1), earlier = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  bool replayed;
  import_one(bench->ledger, "W-1", "hunter2hunter2");
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f));
  ledger_roll_back(batch);
  assert_int_equal(state_of(bench->ledger, "W-1"), DEVICE_WAITING);
}

static void a_secret_that_was_replaced_is_good_for_nothing(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) old = asked(1, 1), new = asked(2, 2);
  struct device_secret secret;
  import_one(bench->ledger, "W-1", "hunter2hunter2");
  assert_true(device_secret_hash(bytes_of_text("anotheranother"), &secret, &f));
  assert_true(ledger_reset_device(bench->ledger, "W-1", &secret, &anna, &f));
  assert_int_equal(append(bench->ledger, &old, false).code, FAULT_FORBIDDEN);
  assert_int_equal(append(bench->ledger, &new, false).code, FAULT_NONE);
}

/* --- imports --- */

static void devices_count_from_the_commit_on(void **state)
{
  struct bench *bench = *state;
  struct device_row rows[] = {device_row(1, "W-1", "hunter2hunter2"),
                              device_row(2, "W-2", "hunter2hunter2")};
  int64_t import = begin(bench->ledger, NOW);
  assert_int_equal(add(bench->ledger, import, rows, 2, false), 2);
  assert_false(is_known(bench->ledger, "W-1"));
  assert_int_equal(authenticate(bench->ledger, "W-1:hunter2hunter2"), 0);
  assert_int_equal(commit(bench->ledger, import), 2);
  assert_true(is_known(bench->ledger, "W-1"));
  assert_int_equal(commit(bench->ledger, import), 2);
}

static void a_row_that_is_known_refuses_all_of_its_request_unless_partial(void **state)
{
  struct bench *bench = *state;
  import_one(bench->ledger, "W-1", "hunter2hunter2");
  struct device_row rows[] = {device_row(4, "W-0", "hunter2hunter2"),
                              device_row(5, "W-1", "hunter2hunter2")};
  int64_t import = begin(bench->ledger, NOW);
  assert_int_equal(add(bench->ledger, import, rows, 2, false), 0);
  assert_true(rows[1].refused);
  assert_non_null(strstr(rows[1].why, "known already"));
  rows[1].refused = false;
  assert_int_equal(add(bench->ledger, import, rows, 2, true), 1);
  assert_int_equal(commit(bench->ledger, import), 1);
  assert_true(is_known(bench->ledger, "W-0"));
}

static void the_same_line_may_come_again_and_another_may_not(void **state)
{
  struct bench *bench = *state;
  struct device_row lost = device_row(1, "W-1", "hunter2hunter2"),
                    again = device_row(1, "W-1", "anotheranother"),
                    twice = device_row(2, "W-1", "hunter2hunter2");
  int64_t import = begin(bench->ledger, NOW);
  assert_int_equal(add(bench->ledger, import, &lost, 1, false), 1);
  assert_int_equal(add(bench->ledger, import, &again, 1, false), 1);
  assert_int_equal(add(bench->ledger, import, &twice, 1, false), 0);
  assert_non_null(strstr(twice.why, "line 1 has"));
  assert_int_equal(commit(bench->ledger, import), 1);
  assert_int_equal(authenticate(bench->ledger, "W-1:anotheranother"), 1);
}

static void an_import_that_is_dropped_or_forgotten_leaves_nothing(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  int64_t devices;
  struct device_row row = device_row(1, "W-1", "hunter2hunter2");
  int64_t dropped = begin(bench->ledger, NOW);
  assert_int_equal(add(bench->ledger, dropped, &row, 1, false), 1);
  assert_true(ledger_drop_import(bench->ledger, dropped, &f));
  assert_false(ledger_commit_import(bench->ledger, dropped, NOW, &anna, &devices, &f));
  assert_int_equal(f.code, FAULT_NOT_FOUND);
  int64_t forgotten = begin(bench->ledger, NOW);
  assert_int_equal(add(bench->ledger, forgotten, &row, 1, false), 1);
  int64_t meanwhile = begin(bench->ledger, NOW + IMPORT_IDLE_S);
  assert_int_equal(add(bench->ledger, meanwhile, &row, 1, false), 0);
  assert_non_null(strstr(row.why, "still open"));
  row.refused = false;
  int64_t later = begin(bench->ledger, NOW + IMPORT_IDLE_S + 1);
  assert_int_equal(add(bench->ledger, later, &row, 1, false), 1);
  assert_int_equal(commit(bench->ledger, later), 1);
}

static void a_listing_goes_on_where_it_ended(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  int64_t import = begin(bench->ledger, NOW), after_id = 0;
  unsigned seen = 0;
  for (int i = 0; i < 25; i++) {
    char device_serial[32];
    snprintf(device_serial, sizeof device_serial, "W-%02d", i);
    struct device_row row = device_row(i + 1, device_serial, "0123456789abcdef0123456789abcdef");
    strcpy(row.model, i % 5 == 0 ? "WX-5" : "WX-4");
    assert_int_equal(add(bench->ledger, import, &row, 1, false), 1);
  }
  commit(bench->ledger, import);
  for (bool more = true; more; seen++) {
    AUTO(device_page) page = {0};
    const struct device_query query = {.model = "WX-5", .after_id = after_id, .limit = 1};
    assert_true(ledger_search_devices(bench->ledger, &query, &page, &f));
    assert_int_equal(page.n, 1);
    char device_serial[32];
    snprintf(device_serial, sizeof device_serial, "W-%02u", 5 * seen);
    assert_string_equal(page.devices[0].device_serial, device_serial);
    after_id = page.devices[0].id;
    more = page.more;
  }
  assert_int_equal(seen, 5);
}

static void names_survive_being_kept(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  AUTO(sans) names = {0}, again = {0};
  AUTO(buf) text = {0};
  assert_true(sans_add(&names, SAN_IP, bytes_of_text("2001:DB8::1"), &f));
  assert_true(sans_add(&names, SAN_DNS, bytes_of_text("W-1.Widgets.example"), &f));
  assert_true(sans_add(&names, SAN_URI, bytes_of_text("urn:a=b"), &f));
  device_names_write(&names, &text);
  assert_string_equal(buf_text(&text), "ip=2001:db8::1 dns=w-1.widgets.example uri=urn:a=b");
  assert_true(device_names_read(buf_bytes(&text), &again, &f));
  assert_true(sans_equal(&names, &again));
  assert_false(device_names_read(bytes_of_text("mail=x"), &again, &f));
  assert_false(device_names_read(bytes_of_text("ip=1.2.3.4  "), &again, &f));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(serial_and_secret_must_fit),
      TEST(a_serial_may_have_colons),
      TEST(ten_wrong_secrets_lock_and_a_reset_unlocks),
      cmocka_unit_test(what_is_kept_is_no_secret),
      cmocka_unit_test(a_given_secret_has_eight_characters_and_no_colon),
      TEST(a_secret_is_used_up_with_the_certificate),
      TEST(what_is_rolled_back_used_nothing_up),
      TEST(a_secret_that_was_replaced_is_good_for_nothing),
      TEST(devices_count_from_the_commit_on),
      TEST(a_row_that_is_known_refuses_all_of_its_request_unless_partial),
      TEST(the_same_line_may_come_again_and_another_may_not),
      TEST(an_import_that_is_dropped_or_forgotten_leaves_nothing),
      TEST(a_listing_goes_on_where_it_ended),
      cmocka_unit_test(names_survive_being_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
