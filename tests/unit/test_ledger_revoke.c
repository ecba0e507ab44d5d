/* test_ledger_revoke.c - a revocation is on record and stays; what may follow it; what it means for
 * the next request; what belongs on a list. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>

#include "lib/base/text.h"

static struct bytes serial_of(const struct issued *row)
{
  return bytes_of(row->serial_number, SERIAL_NUMBER_LEN);
}

/* Device W-n with key n, in the ledger. */
static struct issued put(struct ledger *ledger, unsigned n)
{
  struct issued row = row_of(n);
  assert_int_equal(append(ledger, &row, false).code, FAULT_NONE);
  return row;
}

struct revoked {
  enum fault_code code;
  bool changed;
};

static struct revoked revoke_at(struct ledger *ledger, const struct issued *row,
                                enum revocation_reason reason, int64_t at)
{
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  struct revoked outcome = {0};
  assert_true(ledger_begin(ledger, &batch, &f));
  bool done = ledger_revoke(batch, row, reason, at, &somebody, &outcome.changed, &f);
  outcome.code = f.code;
  assert_int_equal(done, f.code == FAULT_NONE);
  AUTO(fault) commit = {0};
  assert_true(ledger_commit(batch, &commit));
  return outcome;
}

static void assert_revokes(struct ledger *ledger, const struct issued *row,
                           enum revocation_reason reason, bool changes)
{
  struct revoked outcome = revoke_at(ledger, row, reason, NOW);
  assert_int_equal(outcome.code, FAULT_NONE);
  assert_int_equal(outcome.changed, changes);
}

static void assert_state(struct ledger *ledger, const struct issued *row,
                         enum certificate_status status, enum revocation_reason reason, int64_t at)
{
  AUTO(fault) f = {0};
  AUTO(issued) got = {0};
  assert_true(ledger_get(ledger, serial_of(row), NOW, &got, &f));
  assert_int_equal(got.status, status);
  assert_int_equal(got.revocation_reason, reason);
  assert_int_equal(got.revoked_at, at);
}

static size_t count_events(struct ledger *ledger, enum event_kind kind, const char *about)
{
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  const struct event_query query = {.kind = kind, .limit = 1000};
  size_t n = 0;
  assert_true(ledger_search_events(ledger, &query, &page, &f));
  for (size_t i = 0; i < page.n; i++)
    n += strcmp(page.rows[i].about, about) == 0;
  return n;
}

/* --- states --- */

static void a_certificate_is_revoked_once(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) row = put(ledger, 1);
  assert_int_equal(ledger_last_revocation(ledger), 0);
  assert_state(ledger, &row, STATUS_VALID, REASON_UNSPECIFIED, 0);
  assert_revokes(ledger, &row, REASON_AFFILIATION_CHANGED, true);
  assert_int_equal(ledger_last_revocation(ledger), 1);
  assert_state(ledger, &row, STATUS_REVOKED, REASON_AFFILIATION_CHANGED, NOW);
  assert_revokes(ledger, &row, REASON_AFFILIATION_CHANGED, false);
  assert_revokes(ledger, &row, REASON_SUPERSEDED, false);
  assert_revokes(ledger, &row, REASON_UNSPECIFIED, false);
  assert_revokes(ledger, &row, REASON_CERTIFICATE_HOLD, false);
  assert_int_equal(ledger_last_revocation(ledger), 1);
  assert_state(ledger, &row, STATUS_REVOKED, REASON_AFFILIATION_CHANGED, NOW);
  assert_int_equal(count_events(ledger, EVENT_REVOKED, "affiliationChanged"), 1);
  assert_int_equal(count_events(ledger, EVENT_REVOKED, "superseded"), 0);
}

static void the_event_says_who_and_which(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) row = put(ledger, 1);
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  assert_revokes(ledger, &row, REASON_PRIVILEGE_WITHDRAWN, true);
  const struct event_query query = {.serial_number = serial_of(&row), .limit = 10};
  assert_true(ledger_search_events(ledger, &query, &page, &f));
  assert_int_equal(page.n, 1);
  assert_string_equal(page.rows[0].kind_name, "revoked");
  assert_string_equal(page.rows[0].principal, "shift-lead");
  assert_string_equal(page.rows[0].source, "10.9.0.1");
  assert_string_equal(page.rows[0].device_serial, "W-1");
  assert_string_equal(page.rows[0].about, "privilegeWithdrawn");
}

static void a_hold_is_lifted_and_put_on_again(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) row = put(ledger, 1);
  assert_int_equal(revoke_at(ledger, &row, REASON_REMOVE_FROM_CRL, NOW).code,
                   FAULT_CERTIFICATE_STATE);
  assert_revokes(ledger, &row, REASON_CERTIFICATE_HOLD, true);
  assert_state(ledger, &row, STATUS_REVOKED, REASON_CERTIFICATE_HOLD, NOW);
  assert_revokes(ledger, &row, REASON_CERTIFICATE_HOLD, false);
  assert_revokes(ledger, &row, REASON_REMOVE_FROM_CRL, true);
  assert_state(ledger, &row, STATUS_VALID, REASON_UNSPECIFIED, 0);
  assert_int_equal(revoke_at(ledger, &row, REASON_REMOVE_FROM_CRL, NOW).code,
                   FAULT_CERTIFICATE_STATE);
  assert_int_equal(revoke_at(ledger, &row, REASON_CERTIFICATE_HOLD, NOW + 9).changed, true);
  assert_state(ledger, &row, STATUS_REVOKED, REASON_CERTIFICATE_HOLD, NOW + 9);
  assert_int_equal(count_events(ledger, EVENT_HOLD_LIFTED, ""), 1);
  assert_int_equal(count_events(ledger, EVENT_REVOKED, "certificateHold"), 2);
}

static void a_hold_that_becomes_final_counts_from_its_begin(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) row = put(ledger, 1);
  assert_revokes(ledger, &row, REASON_CERTIFICATE_HOLD, true);
  assert_true(revoke_at(ledger, &row, REASON_CESSATION_OF_OPERATION, NOW + 100).changed);
  assert_state(ledger, &row, STATUS_REVOKED, REASON_CESSATION_OF_OPERATION, NOW);
  assert_int_equal(revoke_at(ledger, &row, REASON_REMOVE_FROM_CRL, NOW).code,
                   FAULT_CERTIFICATE_STATE);
}

static void a_key_that_turns_out_to_be_compromised_is_said_to_be(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) row = put(ledger, 1);
  assert_revokes(ledger, &row, REASON_SUPERSEDED, true);
  assert_true(revoke_at(ledger, &row, REASON_KEY_COMPROMISE, row.not_after + 5).changed);
  assert_state(ledger, &row, STATUS_REVOKED, REASON_KEY_COMPROMISE, NOW);
  assert_revokes(ledger, &row, REASON_KEY_COMPROMISE, false);
  assert_revokes(ledger, &row, REASON_SUPERSEDED, false);
}

static void what_has_expired_is_not_revoked(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) row = put(ledger, 1);
  AUTO(issued) held = put(ledger, 2);
  AUTO(issued) revoked = put(ledger, 3);
  const int64_t later = row.not_after + 1;
  assert_revokes(ledger, &held, REASON_CERTIFICATE_HOLD, true);
  assert_revokes(ledger, &revoked, REASON_SUPERSEDED, true);
  assert_int_equal(revoke_at(ledger, &row, REASON_SUPERSEDED, later).code, FAULT_CERTIFICATE_STATE);
  assert_int_equal(revoke_at(ledger, &held, REASON_REMOVE_FROM_CRL, later).code,
                   FAULT_CERTIFICATE_STATE);
  assert_int_equal(revoke_at(ledger, &held, REASON_SUPERSEDED, later).code,
                   FAULT_CERTIFICATE_STATE);
  assert_int_equal(revoke_at(ledger, &revoked, REASON_SUPERSEDED, later).code, FAULT_NONE);
  assert_int_equal(revoke_at(ledger, &row, REASON_SUPERSEDED, row.not_after).code, FAULT_NONE);
}

static void what_is_rolled_back_was_not_revoked(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = put(bench->ledger, 1);
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  bool changed;
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_revoke(batch, &row, REASON_SUPERSEDED, NOW, NULL, &changed, &f));
  ledger_roll_back(batch);
  assert_int_equal(ledger_last_revocation(bench->ledger), 0);
  assert_state(bench->ledger, &row, STATUS_VALID, REASON_UNSPECIFIED, 0);
  assert_revokes(bench->ledger, &row, REASON_SUPERSEDED, true);
  bench_close(bench);
  bench_open(bench);
  assert_int_equal(ledger_last_revocation(bench->ledger), 1);
}

static void a_foreign_hand_cannot_change_a_row(void **state)
{
  struct bench *bench = *state;
  static const char *const attempts[] = {
      "UPDATE revocations SET reason = 6",
      "UPDATE OR REPLACE revocations SET id = 2 WHERE id = 1",
      "DELETE FROM revocations",
      "REPLACE INTO revocations SELECT * FROM revocations",
      "INSERT OR IGNORE INTO revocations SELECT * FROM revocations",
      /* a gap */
      "INSERT INTO revocations SELECT 9, 2, x'01020000000000000000000000000000', authority, 0, 0,"
      " 1, 4, NULL FROM certificates WHERE id = 2",
      /* another serial number than the certificate's, or none though there is one */
      "INSERT INTO revocations SELECT 3, 2, x'07', authority, 0, 0, 1, 4, NULL FROM certificates"
      " WHERE id = 3",
      "INSERT INTO revocations SELECT 3, NULL, serial_number, authority, 0, 0, 1, 4, NULL"
      " FROM certificates WHERE id = 3",
      /* lifts what is final, or what was never on hold */
      "INSERT INTO revocations SELECT 3, id, serial_number, authority, 0, 0, 1, 8, 1"
      " FROM certificates WHERE id = 1",
      "INSERT INTO revocations SELECT 3, id, serial_number, authority, 0, 0, 1, 8, NULL"
      " FROM certificates WHERE id = 3",
      /* passes over the row before it, or follows another certificate's */
      "INSERT INTO revocations SELECT 3, id, serial_number, authority, 0, 0, 1, 4, NULL"
      " FROM certificates WHERE id = 2",
      "INSERT INTO revocations SELECT 3, id, serial_number, authority, 0, 0, 1, 4, 2"
      " FROM certificates WHERE id = 3",
      /* a reason that there is not */
      "INSERT INTO revocations SELECT 3, id, serial_number, authority, 0, 0, 1, 7, NULL"
      " FROM certificates WHERE id = 3",
  };
  AUTO(issued) first = put(bench->ledger, 1);
  AUTO(issued) second = put(bench->ledger, 2);
  AUTO(issued) third = put(bench->ledger, 3);
  assert_revokes(bench->ledger, &first, REASON_SUPERSEDED, true);
  assert_revokes(bench->ledger, &second, REASON_CERTIFICATE_HOLD, true);
  sqlite3 *db;
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
    int status = sqlite3_exec(db, attempts[i], NULL, NULL, NULL);
    if (status != SQLITE_CONSTRAINT || strstr(sqlite3_errmsg(db), "UNIQUE") != NULL)
      fail_msg("%s: %d %s", attempts[i], status, sqlite3_errmsg(db));
  }
  sqlite3_close(db);
  assert_state(bench->ledger, &first, STATUS_REVOKED, REASON_SUPERSEDED, NOW);
  assert_state(bench->ledger, &second, STATUS_REVOKED, REASON_CERTIFICATE_HOLD, NOW);
  assert_state(bench->ledger, &third, STATUS_VALID, REASON_UNSPECIFIED, 0);
}

/* --- the next request --- */

static void a_replaced_certificate_is_revoked_with_it(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) first = put(ledger, 1);
  AUTO(issued) second = row_of(2);
  strcpy(second.device_serial, "W-1");
  second.who = &somebody;
  assert_int_equal(append(ledger, &second, true).code, FAULT_NONE);
  assert_true(second.is_replacement);
  assert_state(ledger, &first, STATUS_REVOKED, REASON_SUPERSEDED, NOW);
  assert_state(ledger, &second, STATUS_VALID, REASON_UNSPECIFIED, 0);
  assert_int_equal(count_events(ledger, EVENT_REVOKED, "superseded"), 1);
}

static void a_replaced_certificate_may_be_of_the_same_batch(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) first = row_of(1);
  AUTO(issued) second = row_of(2);
  AUTO(issued) earlier = {0};
  AUTO(fault) f = {0};
  const struct sans none = {0};
  struct ledger_batch *batch;
  bool replayed;
  strcpy(second.device_serial, "W-1");
  assert_true(ledger_begin(ledger, &batch, &f));
  assert_true(ledger_append(batch, &first, &none, false, NOW, &replayed, &earlier, &f));
  assert_true(ledger_append(batch, &second, &none, true, NOW, &replayed, &earlier, &f));
  assert_true(ledger_commit(batch, &f));
  assert_state(ledger, &first, STATUS_REVOKED, REASON_SUPERSEDED, NOW);
  assert_state(ledger, &second, STATUS_VALID, REASON_UNSPECIFIED, 0);
}

static void what_has_expired_is_replaced_without_being_revoked(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  const struct sans none = {0};
  AUTO(issued) first = put(ledger, 1);
  AUTO(issued) second = row_of(2);
  const int64_t later = first.not_after + 1;
  strcpy(second.device_serial, "W-1");
  second.not_after = later + YEAR_S;
  assert_int_equal(append_named(ledger, &second, &none, true, later).code, FAULT_NONE);
  assert_int_equal(ledger_last_revocation(ledger), 0);
}

static void a_device_whose_certificate_is_revoked_gets_another(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  struct order order = order_of("PO-1", 1);
  AUTO(fault) f = {0};
  AUTO(issued) first = row_of(1);
  AUTO(issued) retry = row_of(1);
  AUTO(issued) second = row_of(2);
  order.replacements = 2;
  add_order(ledger, &order);
  strcpy(first.order, "PO-1");
  strcpy(retry.order, "PO-1");
  strcpy(second.order, "PO-1");
  strcpy(second.device_serial, "W-1");
  retry.serial_number[15] = 9;
  assert_int_equal(append(ledger, &first, false).code, FAULT_NONE);
  assert_revokes(ledger, &first, REASON_UNSPECIFIED, true);
  /* Not given out again: the same request gets a new one. */
  struct outcome outcome = append(ledger, &retry, false);
  assert_int_equal(outcome.code, FAULT_NONE);
  assert_false(outcome.replayed);
  assert_true(retry.is_replacement);
  assert_int_equal(append(ledger, &second, false).code, FAULT_DEVICE_HAS_CERTIFICATE);
  assert_revokes(ledger, &retry, REASON_CERTIFICATE_HOLD, true);
  assert_int_equal(append(ledger, &second, false).code, FAULT_NONE);
  assert_true(ledger_get_order(ledger, "PO-1", &order, &f));
  assert_int_equal(order.issued, 1);
  assert_int_equal(order.replaced, 2);
  /* What is off hold again has been taken the place of. */
  assert_revokes(ledger, &retry, REASON_REMOVE_FROM_CRL, true);
  assert_state(ledger, &retry, STATUS_SUPERSEDED, REASON_UNSPECIFIED, 0);
}

static void a_compromised_key_is_nobodys(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) row = put(ledger, 1);
  AUTO(issued) again = row_of(1);
  AUTO(issued) other = row_of(2);
  again.serial_number[15] = other.serial_number[15] = 9;
  memcpy(other.spki_sha256, row.spki_sha256, sizeof row.spki_sha256);
  assert_int_equal(append(ledger, &other, false).code, FAULT_KEY_ALREADY_USED);
  assert_revokes(ledger, &row, REASON_KEY_COMPROMISE, true);
  struct outcome outcome = append(ledger, &again, false);
  assert_int_equal(outcome.code, FAULT_KEY_NOT_ALLOWED);
  assert_non_null(strstr(outcome.detail, "key compromise"));
  assert_int_equal(append(ledger, &again, true).code, FAULT_KEY_NOT_ALLOWED);
  assert_int_equal(append(ledger, &other, false).code, FAULT_KEY_NOT_ALLOWED);
  AUTO(issued) fresh = row_of(3);
  strcpy(fresh.device_serial, "W-1");
  assert_int_equal(append(ledger, &fresh, false).code, FAULT_NONE);
}

/* --- lists --- */

/* Rows 1 to n - 1; what they own is not needed any more. */
static void put_all(struct ledger *ledger, struct issued *rows, unsigned n)
{
  for (unsigned i = 1; i < n; i++) {
    rows[i] = put(ledger, i);
    issued_free(&rows[i]);
  }
}

struct list {
  unsigned n;
  char text[400]; /* "number:reason " for each */
};

static bool note(const struct revocation *revocation, void *context, struct fault *f)
{
  struct list *list = context;
  (void)f;
  size_t len = strlen(list->text);
  list->n++;
  snprintf(list->text + len, sizeof list->text - len, "%u:%d ", revocation->serial_number.data[1],
           revocation->reason);
  return true;
}

static void assert_list(struct ledger *ledger, const struct revocation_query *query,
                        int64_t last_id, const char *expected)
{
  AUTO(fault) f = {0};
  struct list list = {0};
  int64_t id = -1;
  assert_true(ledger_each_revocation(ledger, query, note, &list, &id, &f));
  assert_string_equal(list.text, expected);
  assert_int_equal(id, last_id);
}

static void a_list_has_the_state_of_each_certificate_once(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  struct revocation_query query = {.authority = "issuing"};
  struct issued rows[6];
  assert_list(ledger, &query, 0, "");
  put_all(ledger, rows, ARRAY_LEN(rows));
  assert_revokes(ledger, &rows[1], REASON_SUPERSEDED, true);       /* 1 */
  assert_revokes(ledger, &rows[2], REASON_CERTIFICATE_HOLD, true); /* 2 */
  assert_revokes(ledger, &rows[3], REASON_CERTIFICATE_HOLD, true); /* 3 */
  assert_revokes(ledger, &rows[3], REASON_REMOVE_FROM_CRL, true);  /* 4 */
  assert_list(ledger, &query, 4, "1:4 2:6 ");
  assert_revokes(ledger, &rows[2], REASON_KEY_COMPROMISE, true); /* 5 */
  assert_revokes(ledger, &rows[4], REASON_UNSPECIFIED, true);    /* 6 */
  assert_list(ledger, &query, 6, "1:4 2:1 4:0 ");
  query.authority = "another";
  assert_list(ledger, &query, 6, "");
  query = (struct revocation_query){.authority = "issuing", .shard = 1};
  assert_list(ledger, &query, 6, "");
}

static void a_delta_has_what_has_changed_since(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  struct revocation_query query = {.authority = "issuing", .is_delta = true, .since_id = 2};
  struct issued rows[5];
  put_all(ledger, rows, ARRAY_LEN(rows));
  assert_revokes(ledger, &rows[1], REASON_CERTIFICATE_HOLD, true); /* 1 */
  assert_revokes(ledger, &rows[2], REASON_CERTIFICATE_HOLD, true); /* 2 */
  assert_revokes(ledger, &rows[1], REASON_REMOVE_FROM_CRL, true);  /* 3 */
  /* 4: not on the list of 2, but a delta may have told of it. */
  assert_revokes(ledger, &rows[3], REASON_CERTIFICATE_HOLD, true);
  assert_revokes(ledger, &rows[3], REASON_REMOVE_FROM_CRL, true); /* 5 */
  assert_revokes(ledger, &rows[4], REASON_SUPERSEDED, true);      /* 6 */
  assert_list(ledger, &query, 6, "1:8 3:8 4:4 ");
  query.since_id = 4;
  assert_list(ledger, &query, 6, "3:8 4:4 ");
  query.since_id = 6;
  assert_list(ledger, &query, 6, "");
  query.since_id = 0; /* the list was made when nothing was revoked */
  assert_list(ledger, &query, 6, "2:6 1:8 3:8 4:4 ");
}

static void a_delta_lifts_what_was_on_hold_more_than_once(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  struct revocation_query query = {.authority = "issuing", .is_delta = true, .since_id = 1};
  AUTO(issued) row = put(ledger, 1);
  assert_revokes(ledger, &row, REASON_CERTIFICATE_HOLD, true); /* 1: on the list */
  for (int i = 0; i < 2; i++) {
    assert_revokes(ledger, &row, REASON_REMOVE_FROM_CRL, true); /* 2, 4 */
    assert_list(ledger, &query, 2 + 2 * i, "1:8 ");
    assert_revokes(ledger, &row, REASON_CERTIFICATE_HOLD, true); /* 3, 5 */
    assert_list(ledger, &query, 3 + 2 * i, "1:6 ");
  }
}

static void what_expired_long_ago_leaves_the_list(void **state)
{
  struct bench *bench = *state;
  struct ledger *ledger = bench->ledger;
  AUTO(fault) f = {0};
  struct revocation_query query = {.authority = "issuing"};
  AUTO(issued) row = put(ledger, 1);
  struct ledger_batch *batch;
  bool changed;
  assert_revokes(ledger, &row, REASON_SUPERSEDED, true);
  /* Of this one nobody knows how long it is valid. */
  assert_true(ledger_begin(ledger, &batch, &f));
  assert_true(ledger_adopt_revocation(batch, "issuing", 0, bytes_of("\x01\x63", 2), NOW,
                                      REASON_UNSPECIFIED, &changed, &f));
  assert_true(ledger_commit(batch, &f));
  query.expired_before = row.not_after;
  assert_list(ledger, &query, 2, "1:4 99:0 ");
  query.expired_before = row.not_after + 1;
  assert_list(ledger, &query, 2, "99:0 ");
}

static bool give_up(const struct revocation *revocation, void *context, struct fault *f)
{
  (void)revocation, (void)context;
  return fault_set(f, BUSY, "enough");
}

static void a_list_may_be_given_up(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  const struct revocation_query query = {.authority = "issuing"};
  AUTO(issued) row = put(ledger, 1);
  AUTO(fault) f = {0};
  int64_t id = -1;
  assert_revokes(ledger, &row, REASON_SUPERSEDED, true);
  assert_false(ledger_each_revocation(ledger, &query, give_up, NULL, &id, &f));
  assert_int_equal(f.code, FAULT_BUSY);
  assert_int_equal(id, -1);
  assert_list(ledger, &query, 1, "1:4 ");
}

/* --- one certificate --- */

static void assert_status(struct ledger *ledger, const char *authority, struct bytes serial_number,
                          enum revocation_state state, enum revocation_reason reason)
{
  AUTO(fault) f = {0};
  struct revocation_status status;
  assert_true(ledger_revocation_of(ledger, authority, serial_number, &status, &f));
  assert_int_equal(status.state, state);
  assert_int_equal(status.reason, reason);
  assert_int_equal(status.at, state == REVOCATION_REVOKED ? NOW : 0);
}

static void a_status_is_unknown_good_or_revoked(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  AUTO(issued) row = put(ledger, 1);
  const struct bytes serial_number = serial_of(&row);
  assert_status(ledger, "issuing", bytes_of_text("?"), REVOCATION_UNKNOWN, REASON_UNSPECIFIED);
  assert_status(ledger, "another", serial_number, REVOCATION_UNKNOWN, REASON_UNSPECIFIED);
  assert_status(ledger, "issuing", serial_number, REVOCATION_GOOD, REASON_UNSPECIFIED);
  assert_revokes(ledger, &row, REASON_CERTIFICATE_HOLD, true);
  assert_status(ledger, "issuing", serial_number, REVOCATION_REVOKED, REASON_CERTIFICATE_HOLD);
  assert_revokes(ledger, &row, REASON_REMOVE_FROM_CRL, true);
  assert_status(ledger, "issuing", serial_number, REVOCATION_GOOD, REASON_UNSPECIFIED);
  assert_revokes(ledger, &row, REASON_KEY_COMPROMISE, true);
  assert_status(ledger, "issuing", serial_number, REVOCATION_REVOKED, REASON_KEY_COMPROMISE);
  assert_status(ledger, "another", serial_number, REVOCATION_UNKNOWN, REASON_UNSPECIFIED);
}

/* --- adopted ones --- */

static bool adopt(struct ledger *ledger, struct bytes serial_number, enum revocation_reason reason,
                  enum fault_code expected)
{
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  bool changed = false;
  assert_true(ledger_begin(ledger, &batch, &f));
  ledger_adopt_revocation(batch, "issuing", 0, serial_number, NOW, reason, &changed, &f);
  assert_int_equal(f.code, expected);
  if (expected == FAULT_NONE)
    assert_true(ledger_commit(batch, &f));
  else
    ledger_roll_back(batch);
  return changed;
}

static void what_somebody_else_revoked_is_adopted(void **state)
{
  struct ledger *ledger = ((struct bench *)*state)->ledger;
  const struct revocation_query query = {.authority = "issuing"};
  AUTO(issued) row = put(ledger, 1);
  const struct bytes unknown = bytes_of("\x01\x07", 2);
  assert_true(adopt(ledger, unknown, REASON_CERTIFICATE_HOLD, FAULT_NONE));
  assert_false(adopt(ledger, unknown, REASON_CERTIFICATE_HOLD, FAULT_NONE));
  assert_false(adopt(ledger, unknown, REASON_REMOVE_FROM_CRL, FAULT_NONE));
  assert_true(adopt(ledger, unknown, REASON_UNSPECIFIED, FAULT_NONE));
  assert_false(adopt(ledger, unknown, REASON_SUPERSEDED, FAULT_NONE));
  assert_status(ledger, "issuing", unknown, REVOCATION_REVOKED, REASON_UNSPECIFIED);
  assert_true(adopt(ledger, serial_of(&row), REASON_SUPERSEDED, FAULT_NONE));
  assert_state(ledger, &row, STATUS_REVOKED, REASON_SUPERSEDED, NOW);
  assert_revokes(ledger, &row, REASON_SUPERSEDED, false);
  assert_list(ledger, &query, 3, "7:0 1:4 ");
  adopt(ledger, bytes_of("", 0), REASON_SUPERSEDED, FAULT_BAD_FIELD);
  adopt(ledger, bytes_of("0123456789012345678901", 21), REASON_SUPERSEDED, FAULT_BAD_FIELD);
  adopt(ledger, unknown, (enum revocation_reason)7, FAULT_BAD_FIELD);
}

/* --- names --- */

static void reasons_have_the_names_of_the_standard(void **state)
{
  (void)state;
  enum revocation_reason reason;
  assert_true(revocation_reason_named(bytes_of_text("keyCompromise"), &reason));
  assert_int_equal(reason, 1);
  assert_true(revocation_reason_named(bytes_of_text("removeFromCRL"), &reason));
  assert_int_equal(reason, 8);
  assert_false(revocation_reason_named(bytes_of_text("cACompromise"), &reason));
  assert_false(revocation_reason_named(bytes_of_text("keycompromise"), &reason));
  assert_false(revocation_reason_named(bytes_of_text(""), &reason));
  assert_string_equal(revocation_reason_name(REASON_CA_COMPROMISE), "cACompromise");
  assert_string_equal(revocation_reason_name((enum revocation_reason)7), "");
  assert_false(revocation_reason_is_known(7));
  assert_false(revocation_reason_is_known(-1));
  assert_true(revocation_reason_is_known(10));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_certificate_is_revoked_once),
      TEST(the_event_says_who_and_which),
      TEST(a_hold_is_lifted_and_put_on_again),
      TEST(a_hold_that_becomes_final_counts_from_its_begin),
      TEST(a_key_that_turns_out_to_be_compromised_is_said_to_be),
      TEST(what_has_expired_is_not_revoked),
      TEST(what_is_rolled_back_was_not_revoked),
      TEST(a_foreign_hand_cannot_change_a_row),
      TEST(a_replaced_certificate_is_revoked_with_it),
      TEST(a_replaced_certificate_may_be_of_the_same_batch),
      TEST(what_has_expired_is_replaced_without_being_revoked),
      TEST(a_device_whose_certificate_is_revoked_gets_another),
      TEST(a_compromised_key_is_nobodys),
      TEST(a_list_has_the_state_of_each_certificate_once),
      TEST(a_delta_has_what_has_changed_since),
      TEST(a_delta_lifts_what_was_on_hold_more_than_once),
      TEST(what_expired_long_ago_leaves_the_list),
      TEST(a_list_may_be_given_up),
      TEST(a_status_is_unknown_good_or_revoked),
      TEST(what_somebody_else_revoked_is_adopted),
      cmocka_unit_test(reasons_have_the_names_of_the_standard),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
