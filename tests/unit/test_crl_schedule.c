/* test_crl_schedule.c - when a list of revoked certificates is made anew. */
#include "tests/unit/unit.h"

#include "daemon/crl_schedule.h"

enum { T = 1800000000, HOUR = 3600, DAY = 86400 };

static const struct conf_crl plain = {.validity_s = 7 * DAY, .every_s = DAY, .delay_s = 10};
static const struct conf_crl with_deltas = {
    .validity_s = 7 * DAY, .every_s = DAY, .delay_s = 10, .delta_every_s = HOUR};

/* A complete list of T, a delta of an hour later. */
static struct crl_state state_of(void)
{
  return (struct crl_state){
      .complete = {.number = 5, .this_update = T, .next_update = T + 7 * DAY},
      .delta = {.number = 6, .this_update = T + HOUR, .next_update = T + 3 * HOUR}};
}

static void a_list_that_is_not_there_is_due(void **state)
{
  (void)state;
  struct crl_state none = {0};
  assert_int_equal(crl_due(&none, &plain, T), CRL_COMPLETE);
  assert_int_equal(crl_due(&none, &with_deltas, T), CRL_COMPLETE);
}

static void it_is_made_anew_on_schedule(void **state)
{
  (void)state;
  struct crl_state s = state_of();
  assert_int_equal(crl_due(&s, &plain, T + DAY - 1), CRL_NONE);
  assert_int_equal(crl_due(&s, &plain, T + DAY), CRL_COMPLETE);
}

static void a_revocation_waits_for_others(void **state)
{
  (void)state;
  struct crl_state s = state_of();
  s.news_at = T + 100;
  assert_int_equal(crl_due(&s, &plain, T + 109), CRL_NONE);
  assert_int_equal(crl_due(&s, &plain, T + 110), CRL_COMPLETE);
}

static void a_revocation_of_the_future_does_not_wait(void **state)
{
  (void)state;
  struct crl_state s = state_of();
  s.news_at = T + HOUR;
  assert_int_equal(crl_due(&s, &plain, T + 100), CRL_COMPLETE);
  s.delta.this_update = T + 50;
  assert_int_equal(crl_due(&s, &with_deltas, T + 100), CRL_DELTA);
}

/* Whatever the configuration says by now. */
static void it_is_made_anew_well_before_it_runs_out(void **state)
{
  (void)state;
  struct crl_state s = state_of();
  struct conf_crl seldom = {.validity_s = 300 * DAY, .every_s = 200 * DAY, .delay_s = 10};
  s.complete.next_update = T + 8 * HOUR;
  assert_int_equal(crl_due(&s, &seldom, T + 6 * HOUR - 1), CRL_NONE);
  assert_int_equal(crl_due(&s, &seldom, T + 6 * HOUR), CRL_COMPLETE);
}

static void what_is_forced_is_due_in_the_next_second(void **state)
{
  (void)state;
  struct crl_state s = state_of();
  s.forced = true;
  assert_int_equal(crl_due(&s, &plain, T), CRL_NONE);
  assert_int_equal(crl_due(&s, &plain, T + 1), CRL_COMPLETE);
  assert_int_equal(crl_due(&s, &with_deltas, T + 1), CRL_COMPLETE);
}

static void a_list_from_the_future_is_made_anew(void **state)
{
  (void)state;
  struct crl_state s = state_of();
  assert_int_equal(crl_due(&s, &plain, T - 60), CRL_NONE);
  assert_int_equal(crl_due(&s, &plain, T - 61), CRL_COMPLETE);
}

/* --- deltas --- */

static void a_delta_follows_its_base_a_second_later(void **state)
{
  (void)state;
  struct crl_state s = state_of();
  s.delta = (struct crl_edition){0};
  assert_int_equal(crl_due(&s, &with_deltas, T), CRL_NONE);
  assert_int_equal(crl_due(&s, &with_deltas, T + 1), CRL_DELTA);
  assert_int_equal(crl_due(&s, &plain, T + 1), CRL_NONE);
}

static void a_revocation_makes_a_delta_and_no_complete_list(void **state)
{
  (void)state;
  struct crl_state s = state_of();
  s.news_at = T + HOUR + 100;
  assert_int_equal(crl_due(&s, &with_deltas, T + HOUR + 109), CRL_NONE);
  assert_int_equal(crl_due(&s, &with_deltas, T + HOUR + 110), CRL_DELTA);
  s.news_at = 0;
  assert_int_equal(crl_due(&s, &with_deltas, T + 2 * HOUR - 1), CRL_NONE);
  assert_int_equal(crl_due(&s, &with_deltas, T + 2 * HOUR), CRL_DELTA);
  assert_int_equal(crl_due(&s, &with_deltas, T + DAY), CRL_COMPLETE);
}

static void what_fails_is_tried_later_and_later(void **state)
{
  (void)state;
  assert_int_equal(crl_back_off(1), 2);
  assert_int_equal(crl_back_off(2), 4);
  assert_int_equal(crl_back_off(5), 32);
  assert_int_equal(crl_back_off(8), 256);
  assert_int_equal(crl_back_off(9), 300);
  assert_int_equal(crl_back_off(4000000000U), 300);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_list_that_is_not_there_is_due),
      cmocka_unit_test(it_is_made_anew_on_schedule),
      cmocka_unit_test(a_revocation_waits_for_others),
      cmocka_unit_test(a_revocation_of_the_future_does_not_wait),
      cmocka_unit_test(it_is_made_anew_well_before_it_runs_out),
      cmocka_unit_test(what_is_forced_is_due_in_the_next_second),
      cmocka_unit_test(a_list_from_the_future_is_made_anew),
      cmocka_unit_test(a_delta_follows_its_base_a_second_later),
      cmocka_unit_test(a_revocation_makes_a_delta_and_no_complete_list),
      cmocka_unit_test(what_fails_is_tried_later_and_later),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
