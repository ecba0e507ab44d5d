/* test_renewal.c - when a certificate may be renewed, and what the ledger makes of it. */
#include "tests/unit/ledger_unit.h"

#include "lib/base/text.h"
#include "lib/ca/issue.h"
#include "lib/ca/profile.h"
#include "lib/ca/revocation.h"

enum { DAY = 86400, END = NOW + YEAR_S };

/* --- the profile --- */

static void assert_may(const struct profile *profile, int64_t now, bool same_key,
                       enum fault_code code, const char *word)
{
  AUTO(fault) f = {0};
  bool may = profile_check_renewal(profile, END, same_key, now, &f);
  assert_int_equal(may, code == FAULT_NONE);
  if (f.code != code || (!may && strstr(f.detail, word) == NULL))
    fail_msg("%s: %s instead of %s (%s)", fault_problem_code(f.code), f.detail,
             fault_problem_code(code), word);
}

static void a_profile_that_does_not_say_so_renews_nothing(void **state)
{
  (void)state;
  const struct profile profile = {.name = "web"};
  assert_may(&profile, END - 1, false, FAULT_RENEWAL_NOT_ALLOWED, "profile web does not allow it");
  assert_may(&profile, END + 1, false, FAULT_RENEWAL_NOT_ALLOWED, "profile web does not allow it");
}

static void it_may_be_renewed_from_an_instant_on(void **state)
{
  (void)state;
  const struct profile profile = {.name = "web", .renew_from_s = 30 * DAY};
  assert_may(&profile, NOW, false, FAULT_RENEWAL_TOO_EARLY, "from 2027-12-16T08:00:00Z on");
  assert_may(&profile, END - 30 * DAY - 1, false, FAULT_RENEWAL_TOO_EARLY, "from");
  assert_may(&profile, END - 30 * DAY, false, FAULT_NONE, "");
  assert_may(&profile, END, true, FAULT_NONE, "");
  assert_may(&profile, END + 1, false, FAULT_RENEWAL_NOT_ALLOWED,
             "expired at 2028-01-15T08:00:00Z");
}

static void the_grace_is_counted_from_its_end(void **state)
{
  (void)state;
  const struct profile profile = {
      .name = "web", .renew_from_s = 30 * DAY, .renew_grace_s = 180 * DAY};
  assert_may(&profile, END + 1, false, FAULT_NONE, "");
  assert_may(&profile, END + 180 * DAY, false, FAULT_NONE, "");
  assert_may(&profile, END + 180 * DAY + 1, false, FAULT_RENEWAL_NOT_ALLOWED,
             "longer ago than profile web allows");
}

static void the_profile_says_which_key(void **state)
{
  (void)state;
  const struct profile new = {.name = "web", .renew_from_s = YEAR_S, .renew_key = RENEW_KEY_NEW};
  const struct profile same = {.name = "web", .renew_from_s = YEAR_S, .renew_key = RENEW_KEY_SAME};
  assert_may(&new, NOW, false, FAULT_NONE, "");
  assert_may(&new, NOW, true, FAULT_RENEWAL_NOT_ALLOWED, "a new key");
  assert_may(&same, NOW, true, FAULT_NONE, "");
  assert_may(&same, NOW, false, FAULT_RENEWAL_NOT_ALLOWED, "the same key");
}

/* --- the request --- */

static void make_digest(int64_t renews, uint8_t key, const char *profile, uint8_t ret_sha256[32])
{
  AUTO(fault) f = {0};
  uint8_t spki_sha256[32] = {key};
  struct issue_request request = {.renews = renews, .replace = true};
  TEXT_COPY(request.profile, bytes_of_text(profile));
  assert_true(issue_request_sha256(&request, spki_sha256, ret_sha256, &f));
}

static void the_same_renewal_is_of_one_certificate_and_one_key(void **state)
{
  (void)state;
  uint8_t first[32], again[32];
  make_digest(7, 1, "web", first);
  make_digest(7, 1, "other", again);
  assert_memory_equal(first, again, sizeof first);
  make_digest(8, 1, "web", again);
  assert_memory_not_equal(first, again, sizeof first);
  make_digest(7 + (INT64_C(1) << 32), 1, "web", again);
  assert_memory_not_equal(first, again, sizeof first);
  make_digest(7, 2, "web", again);
  assert_memory_not_equal(first, again, sizeof first);
  make_digest(0, 1, "web", again);
  assert_memory_not_equal(first, again, sizeof first);
}

/* --- the ledger --- */

/* Row n renews the one with this id, for device W-1. */
static struct issued renewal_of(unsigned n, int64_t renews)
{
  struct issued row = row_of(n);
  TEXT_COPY(row.device_serial, bytes_of_text("W-1"));
  row.is_renewal = true;
  row.renews = renews;
  return row;
}

static struct outcome renew(struct ledger *ledger, unsigned n, int64_t renews, int64_t now)
{
  AUTO(issued) row = renewal_of(n, renews);
  const struct sans none = {0};
  row.not_after = now + YEAR_S;
  return append_named(ledger, &row, &none, true, now);
}

static enum certificate_status status_of(struct ledger *ledger, int64_t id, int64_t now)
{
  AUTO(fault) f = {0};
  AUTO(issued) row = {0};
  assert_true(ledger_get_at(ledger, id, now, &row, &f));
  assert_int_equal(row.id, id);
  return row.status;
}

static void a_renewal_supersedes_and_is_replayed(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1);
  assert_int_equal(append(bench->ledger, &first, false).id, 1);
  struct outcome outcome = renew(bench->ledger, 2, 1, NOW);
  assert_int_equal(outcome.code, FAULT_NONE);
  assert_int_equal(outcome.id, 2);
  assert_int_equal(status_of(bench->ledger, 1, NOW), STATUS_SUPERSEDED);
  assert_int_equal(status_of(bench->ledger, 2, NOW), STATUS_VALID);
  outcome = renew(bench->ledger, 2, 1, NOW);
  assert_true(outcome.replayed);
  assert_int_equal(outcome.earlier_id, 2);
}

static void one_that_is_superseded_gets_nothing_else(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1);
  append(bench->ledger, &first, false);
  renew(bench->ledger, 2, 1, NOW);
  struct outcome outcome = renew(bench->ledger, 3, 1, NOW);
  assert_int_equal(outcome.code, FAULT_RENEWAL_NOT_ALLOWED);
  assert_non_null(strstr(outcome.detail, "has taken its place"));
  /* and not even that any more, once the newer one was renewed in its turn */
  assert_int_equal(renew(bench->ledger, 4, 2, NOW).code, FAULT_NONE);
  assert_int_equal(renew(bench->ledger, 2, 1, NOW).code, FAULT_RENEWAL_NOT_ALLOWED);
}

static void one_that_has_expired_is_renewed_too(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1);
  int64_t later = NOW + 2 * YEAR_S;
  append(bench->ledger, &first, false);
  assert_int_equal(renew(bench->ledger, 2, 1, later).code, FAULT_NONE);
  assert_true(renew(bench->ledger, 2, 1, later).replayed);
  assert_int_equal(renew(bench->ledger, 3, 1, later).code, FAULT_RENEWAL_NOT_ALLOWED);
}

static void another_devices_key_is_refused(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1), other = row_of(2);
  append(bench->ledger, &first, false);
  append(bench->ledger, &other, false);
  assert_int_equal(renew(bench->ledger, 2, 1, NOW).code, FAULT_KEY_ALREADY_USED);
}

static void a_renewal_is_no_unit_of_its_order(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) first = row_of(1), second = renewal_of(2, 1);
  struct order order = order_of("PO-1", 1), now;
  add_order(bench->ledger, &order);
  TEXT_COPY(first.order, bytes_of_text("PO-1"));
  TEXT_COPY(second.order, bytes_of_text("PO-1"));
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &second, true).code, FAULT_NONE);
  assert_true(ledger_get_order(bench->ledger, "PO-1", &now, &f));
  assert_int_equal(now.issued, 1);
  assert_int_equal(now.replaced, 0);
}

static void one_that_is_revoked_is_not_renewed(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) first = row_of(1);
  struct ledger_batch *batch;
  bool changed;
  append(bench->ledger, &first, false);
  assert_true(ledger_begin(bench->ledger, &batch, &f));
  assert_true(ledger_revoke(batch, &first, REASON_CERTIFICATE_HOLD, NOW, &somebody, &changed, &f));
  assert_true(ledger_commit(batch, &f));
  struct outcome outcome = renew(bench->ledger, 2, 1, NOW);
  assert_int_equal(outcome.code, FAULT_RENEWAL_NOT_ALLOWED);
  assert_string_equal(outcome.detail, "it is revoked");
}

static void a_renewal_revokes_nothing(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1);
  append(bench->ledger, &first, false);
  renew(bench->ledger, 2, 1, NOW);
  assert_int_equal(ledger_last_revocation(bench->ledger), 0);
}

/* --- a principal that shows the certificate --- */

static void add_principal(struct ledger *ledger, const struct issued *row)
{
  AUTO(fault) f = {0};
  struct principal principal = {
      .name = "W-1", .role = ROLE_STATION, .proof = PROOF_CERTIFICATE, .created_at = NOW};
  assert_true(ledger_add_principal(ledger, &principal, row->spki_sha256, &somebody, &f));
}

static bool shows(struct ledger *ledger, const struct issued *row)
{
  AUTO(fault) f = {0};
  struct principal principal;
  uint8_t kept[TOKEN_SHA256_LEN];
  bool found;
  assert_true(ledger_find_principal(ledger, "W-1", &found, &principal, kept, &f) && found);
  return memcmp(kept, row->spki_sha256, sizeof kept) == 0;
}

static void its_principal_shows_the_new_key_from_then_on(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = row_of(1), second = renewal_of(2, 1), third = renewal_of(3, 1);
  second.renews_proof = third.renews_proof = true;
  append(bench->ledger, &first, false);
  add_principal(bench->ledger, &first);
  assert_int_equal(append(bench->ledger, &second, true).code, FAULT_NONE);
  assert_true(shows(bench->ledger, &second));
  assert_int_equal(append(bench->ledger, &third, true).code, FAULT_RENEWAL_NOT_ALLOWED);
  assert_true(shows(bench->ledger, &second));
}

static void a_principal_that_was_given_another_key_keeps_it(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) first = row_of(1), other = row_of(9), second = renewal_of(2, 1);
  second.renews_proof = true;
  append(bench->ledger, &first, false);
  add_principal(bench->ledger, &other);
  assert_int_equal(append(bench->ledger, &second, true).code, FAULT_RENEWAL_NOT_ALLOWED);
  assert_true(shows(bench->ledger, &other));
  /* nor does one that is disabled */
  assert_true(ledger_rotate_principal(bench->ledger, "W-1", PROOF_CERTIFICATE, first.spki_sha256,
                                      &somebody, &f));
  assert_true(ledger_disable_principal(bench->ledger, "W-1", NOW, &somebody, &f));
  assert_int_equal(append(bench->ledger, &second, true).code, FAULT_RENEWAL_NOT_ALLOWED);
  assert_true(ledger_disable_principal(bench->ledger, "W-1", 0, &somebody, &f));
  assert_int_equal(append(bench->ledger, &second, true).code, FAULT_NONE);
}

static void the_ledger_foresees_it(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(issued) first = row_of(1), second = renewal_of(2, 1), third = renewal_of(3, 1);
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  bool replayed = true;
  append(bench->ledger, &first, false);
  assert_true(ledger_foresee(bench->ledger, &second, &none, true, NOW, &replayed, &earlier, &f));
  assert_false(replayed);
  append(bench->ledger, &second, true);
  assert_false(ledger_foresee(bench->ledger, &third, &none, true, NOW, &replayed, &earlier, &f));
  assert_int_equal(f.code, FAULT_RENEWAL_NOT_ALLOWED);
  assert_true(ledger_foresee(bench->ledger, &second, &none, true, NOW, &replayed, &earlier, &f));
  assert_true(replayed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_profile_that_does_not_say_so_renews_nothing),
      cmocka_unit_test(it_may_be_renewed_from_an_instant_on),
      cmocka_unit_test(the_grace_is_counted_from_its_end),
      cmocka_unit_test(the_profile_says_which_key),
      cmocka_unit_test(the_same_renewal_is_of_one_certificate_and_one_key),
      TEST(a_renewal_supersedes_and_is_replayed),
      TEST(one_that_is_superseded_gets_nothing_else),
      TEST(one_that_has_expired_is_renewed_too),
      TEST(another_devices_key_is_refused),
      TEST(a_renewal_is_no_unit_of_its_order),
      TEST(one_that_is_revoked_is_not_renewed),
      TEST(a_renewal_revokes_nothing),
      TEST(its_principal_shows_the_new_key_from_then_on),
      TEST(a_principal_that_was_given_another_key_keeps_it),
      TEST(the_ledger_foresees_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
