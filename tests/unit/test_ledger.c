/* test_ledger.c - what was issued is on record, and what was there before decides about what comes:
 * the same request gets the same certificate, a key is for one device. */
#include "tests/unit/ledger_unit.h"

#include "lib/base/text.h"

static struct bytes serial_of(const struct issued *row)
{
  return bytes_of(row->serial_number, SERIAL_NUMBER_LEN);
}

static enum certificate_status status_of(struct ledger *ledger, const struct issued *row,
                                         int64_t now)
{
  AUTO(fault) f = {0};
  AUTO(issued) got = {0};
  assert_true(ledger_get(ledger, serial_of(row), now, &got, &f));
  return got.status;
}

static size_t count_rows(struct ledger *ledger)
{
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  const struct ledger_query query = {.limit = 1000};
  assert_true(ledger_search(ledger, &query, NOW, &page, &f));
  return page.n;
}

/* --- what goes in comes out --- */

static void a_row_is_found_as_it_was_added(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = row_of(1);
  AUTO(issued) got = {0};
  AUTO(fault) f = {0};
  const struct order order = order_of("PO-7781", 1);
  add_order(bench->ledger, &order);
  strcpy(row.order, "PO-7781");
  strcpy(row.model, "WX-4");
  assert_int_equal(append(bench->ledger, &row, false).id, 1);
  assert_true(ledger_get(bench->ledger, serial_of(&row), NOW, &got, &f));
  assert_int_equal(got.id, 1);
  assert_string_equal(got.device_serial, "W-1");
  assert_string_equal(got.profile, "device-server");
  assert_string_equal(got.station, "line-1");
  assert_string_equal(got.order, "PO-7781");
  assert_string_equal(got.model, "WX-4");
  assert_string_equal(got.authority, "issuing");
  assert_true(got.issued_at_ms == row.issued_at_ms);
  assert_true(got.not_before == row.not_before && got.not_after == row.not_after);
  assert_memory_equal(got.spki_sha256, row.spki_sha256, sizeof row.spki_sha256);
  assert_memory_equal(got.request_sha256, row.request_sha256, sizeof row.request_sha256);
  assert_true(bytes_equal(buf_bytes(&got.der), buf_bytes(&row.der)));
  assert_int_equal(got.status, STATUS_VALID);
}

static void what_was_not_given_is_not_there(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = row_of(1);
  AUTO(issued) got = {0};
  AUTO(fault) f = {0};
  row.device_serial[0] = '\0';
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  assert_true(ledger_get(bench->ledger, serial_of(&row), NOW, &got, &f));
  assert_string_equal(got.device_serial, "");
  assert_string_equal(got.order, "");
  assert_string_equal(got.model, "");
}

static void an_unknown_serial_number_is_unknown(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = row_of(1);
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  const struct bytes unknown[] = {bytes_of(NULL, 0), bytes_of(row.serial_number, 15),
                                  bytes_of_text("0123456789abcdef")};
  for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
    AUTO(fault) f = {0};
    AUTO(issued) got = {0};
    assert_false(ledger_get(bench->ledger, unknown[i], NOW, &got, &f));
    assert_int_equal(f.code, FAULT_UNKNOWN_SERIAL_NUMBER);
  }
}

/* --- the rules --- */

static void the_same_request_gets_the_same_certificate(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = row_of(1);
  AUTO(issued) retry = row_of(1);
  retry.serial_number[15] = 9;
  strcpy(retry.station, "line-2");
  assert_int_equal(append(bench->ledger, &row, false).id, 1);
  struct outcome outcome = append(bench->ledger, &retry, false);
  assert_true(outcome.replayed);
  assert_int_equal(outcome.earlier_id, 1);
  assert_int_equal(count_rows(bench->ledger), 1);
}

static void the_same_request_twice_in_one_batch_makes_one_row(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) row = row_of(1);
  AUTO(issued) twin = row_of(1);
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  bool replayed;
  twin.serial_number[15] = 9;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f));
  assert_false(replayed);
  assert_true(ledger_append(batch, &twin, &none, false, NOW, &replayed, &earlier, &f));
  assert_true(replayed);
  assert_true(bytes_equal(serial_of(&earlier), serial_of(&row)));
  assert_true(ledger_commit(batch, &f));
  assert_int_equal(count_rows(bench->ledger), 1);
}

static void a_key_is_for_one_device(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = row_of(1);
  AUTO(issued) clone = row_of(2);
  AUTO(issued) nameless = row_of(3);
  memcpy(clone.spki_sha256, row.spki_sha256, sizeof row.spki_sha256);
  memcpy(nameless.spki_sha256, row.spki_sha256, sizeof row.spki_sha256);
  nameless.device_serial[0] = '\0';
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &clone, true).code, FAULT_KEY_ALREADY_USED);
  assert_int_equal(append(bench->ledger, &nameless, true).code, FAULT_KEY_ALREADY_USED);
  assert_int_equal(count_rows(bench->ledger), 1);
}

/* Eight octets find a key, all of them tell it. */
static void keys_that_begin_alike_are_two_keys(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = row_of(1);
  AUTO(issued) other = row_of(2);
  memcpy(other.spki_sha256, row.spki_sha256, 31);
  other.spki_sha256[31] ^= 1;
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &other, false).code, FAULT_NONE);
}

static void without_a_device_only_the_same_request_may_use_a_key_again(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = row_of(1);
  AUTO(issued) other = row_of(1);
  AUTO(issued) named = row_of(1);
  AUTO(issued) renewal = row_of(1);
  row.device_serial[0] = other.device_serial[0] = renewal.device_serial[0] = '\0';
  other.request_sha256[0] ^= 1;
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  assert_true(append(bench->ledger, &row, false).replayed);
  assert_int_equal(append(bench->ledger, &other, false).code, FAULT_KEY_ALREADY_USED);
  assert_int_equal(append(bench->ledger, &named, false).code, FAULT_KEY_ALREADY_USED);

  const int64_t later = row.not_after + 1;
  const struct sans none = {0};
  renewal.serial_number[15] = 9;
  renewal.not_after = later + YEAR_S;
  struct outcome outcome = append_named(bench->ledger, &renewal, &none, false, later);
  assert_int_equal(outcome.code, FAULT_NONE);
  assert_int_equal(outcome.id, 2);
}

static void a_device_gets_a_second_certificate_only_in_place_of_its_first(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1);
  AUTO(issued) second = row_of(2);
  strcpy(second.device_serial, "W-1");
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  struct outcome outcome = append(bench->ledger, &second, false);
  assert_int_equal(outcome.code, FAULT_DEVICE_HAS_CERTIFICATE);
  char hex[2 * SERIAL_NUMBER_LEN + 1];
  text_hex(hex, first.serial_number, SERIAL_NUMBER_LEN);
  assert_non_null(strstr(outcome.detail, hex));
  assert_int_equal(count_rows(bench->ledger), 1);

  assert_int_equal(append(bench->ledger, &second, true).code, FAULT_NONE);
  assert_int_equal(status_of(bench->ledger, &first, NOW), STATUS_REVOKED);
  assert_int_equal(status_of(bench->ledger, &second, NOW), STATUS_VALID);
  assert_int_equal(status_of(bench->ledger, &first, first.not_after + 1), STATUS_REVOKED);
  assert_int_equal(status_of(bench->ledger, &second, second.not_after + 1), STATUS_EXPIRED);
}

static void a_superseded_certificate_is_not_given_out_again(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1);
  AUTO(issued) retry = row_of(1);
  AUTO(issued) second = row_of(2);
  AUTO(issued) second_retry = row_of(2);
  strcpy(second.device_serial, "W-1");
  strcpy(second_retry.device_serial, "W-1");
  retry.serial_number[15] = second_retry.serial_number[15] = 9;
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &second, true).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &retry, false).code, FAULT_DEVICE_HAS_CERTIFICATE);
  assert_int_equal(append(bench->ledger, &second_retry, true).earlier_id, 2);
}

static void after_expiry_the_same_request_gets_a_new_certificate(void **state)
{
  struct bench *bench = *state;
  const struct sans none = {0};
  AUTO(issued) first = row_of(1);
  AUTO(issued) renewal = row_of(1);
  renewal.serial_number[15] = 9;
  renewal.not_after += YEAR_S;
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  assert_true(append_named(bench->ledger, &renewal, &none, false, first.not_after).replayed);
  struct outcome outcome = append_named(bench->ledger, &renewal, &none, false, first.not_after + 1);
  assert_int_equal(outcome.code, FAULT_NONE);
  assert_false(outcome.replayed);
  assert_int_equal(status_of(bench->ledger, &first, first.not_after + 1), STATUS_EXPIRED);
  assert_int_equal(status_of(bench->ledger, &renewal, first.not_after + 1), STATUS_VALID);
}

static void profiles_do_not_stand_in_each_others_way(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) server = row_of(1);
  AUTO(issued) client = row_of(1);
  client.serial_number[15] = client.request_sha256[0] = 9;
  strcpy(client.profile, "device-client");
  assert_int_equal(append(bench->ledger, &server, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &client, false).code, FAULT_NONE);
  assert_int_equal(status_of(bench->ledger, &server, NOW), STATUS_VALID);
}

static enum fault_code foresee(struct ledger *ledger, const struct issued *row, bool replace,
                               bool *ret_replayed)
{
  AUTO(fault) f = {0};
  AUTO(issued) earlier = {0};
  *ret_replayed = false;
  const struct sans none = {0};
  ledger_foresee(ledger, row, &none, replace, NOW, ret_replayed, &earlier, &f);
  return f.code;
}

static void foreseeing_judges_like_appending(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = row_of(1);
  AUTO(issued) second = row_of(2);
  AUTO(issued) clone = row_of(3);
  AUTO(issued) fresh = row_of(4);
  bool replayed;
  strcpy(second.device_serial, "W-1");
  memcpy(clone.spki_sha256, row.spki_sha256, sizeof row.spki_sha256);
  assert_int_equal(foresee(bench->ledger, &row, false, &replayed), FAULT_NONE);
  assert_false(replayed);
  assert_int_equal(append(bench->ledger, &row, false).code, FAULT_NONE);
  assert_int_equal(foresee(bench->ledger, &row, false, &replayed), FAULT_NONE);
  assert_true(replayed);
  assert_int_equal(foresee(bench->ledger, &second, false, &replayed), FAULT_DEVICE_HAS_CERTIFICATE);
  assert_int_equal(foresee(bench->ledger, &second, true, &replayed), FAULT_NONE);
  assert_false(replayed);
  assert_int_equal(foresee(bench->ledger, &clone, false, &replayed), FAULT_KEY_ALREADY_USED);
  assert_int_equal(foresee(bench->ledger, &fresh, false, &replayed), FAULT_NONE);
  assert_int_equal(count_rows(bench->ledger), 1);
}

/* --- batches --- */

static void a_refused_row_does_not_stop_its_batch(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  AUTO(issued) earlier = {0};
  bool replayed;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  for (unsigned i = 1; i <= 3; i++) {
    AUTO(fault) refusal = {0};
    AUTO(issued) row = row_of(i);
    row.spki_sha256[0] = i == 2 ? 1 : row.spki_sha256[0];
    bool added = ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &refusal);
    assert_int_equal(refusal.code, i == 2 ? FAULT_KEY_ALREADY_USED : FAULT_NONE);
    assert_int_equal(added, i != 2);
  }
  assert_true(ledger_commit(batch, &f));
  assert_int_equal(count_rows(bench->ledger), 2);
}

static void rolling_back_leaves_nothing(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  AUTO(issued) row = row_of(1);
  AUTO(issued) earlier = {0};
  bool replayed;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f));
  ledger_roll_back(batch);
  assert_int_equal(count_rows(bench->ledger), 0);
  /* Its labels are gone as well, and must not be taken for known. */
  struct outcome outcome = append(bench->ledger, &row, false);
  assert_int_equal(outcome.code, FAULT_NONE);
  assert_int_equal(outcome.id, 1);
  assert_string_equal(row.station, "line-1");
  assert_int_equal(status_of(bench->ledger, &row, NOW), STATUS_VALID);
}

static void a_batch_that_failed_is_not_committed(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  AUTO(issued) good = row_of(1);
  AUTO(issued) bad = row_of(2);
  AUTO(issued) earlier = {0};
  bool replayed;
  memcpy(bad.serial_number, good.serial_number, SERIAL_NUMBER_LEN);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_append(batch, &good, &none, false, NOW, &replayed, &earlier, &f));
  assert_false(ledger_append(batch, &bad, &none, false, NOW, &replayed, &earlier, &f));
  assert_int_equal(f.code, FAULT_LEDGER);
  assert_false(ledger_append(batch, &bad, &none, false, NOW, &replayed, &earlier, &f));
  assert_false(ledger_commit(batch, &f));
  assert_int_equal(f.code, FAULT_LEDGER);
  assert_int_equal(count_rows(bench->ledger), 0);
  assert_int_equal(append(bench->ledger, &good, false).code, FAULT_NONE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_row_is_found_as_it_was_added),
      TEST(what_was_not_given_is_not_there),
      TEST(an_unknown_serial_number_is_unknown),
      TEST(the_same_request_gets_the_same_certificate),
      TEST(the_same_request_twice_in_one_batch_makes_one_row),
      TEST(a_key_is_for_one_device),
      TEST(keys_that_begin_alike_are_two_keys),
      TEST(without_a_device_only_the_same_request_may_use_a_key_again),
      TEST(a_device_gets_a_second_certificate_only_in_place_of_its_first),
      TEST(a_superseded_certificate_is_not_given_out_again),
      TEST(after_expiry_the_same_request_gets_a_new_certificate),
      TEST(profiles_do_not_stand_in_each_others_way),
      TEST(foreseeing_judges_like_appending),
      TEST(a_refused_row_does_not_stop_its_batch),
      TEST(rolling_back_leaves_nothing),
      TEST(a_batch_that_failed_is_not_committed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
