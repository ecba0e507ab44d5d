/* test_authorities.c - several issuing CAs: one issues, and which one is on record. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "lib/base/when.h"
#include "lib/ca/authorities.h"
#include "lib/ca/event.h"
#include "lib/pki/pem.h"
#include "tests/unit/ca_kit.h"

/* Two kits are two authorities with roots of their own; the first has the ledger. */
struct bench {
  struct kit first, second;
  char paths[2][3][KIT_PATH_SIZE];
  struct conf conf;
  struct ledger *ledger;
  struct authorities *authorities;
};

static struct conf_authority section(const char *name, const struct kit *kit,
                                     char paths[3][KIT_PATH_SIZE])
{
  struct conf_authority section = {.certificate = paths[0], .chain = paths[1], .root = paths[2]};
  snprintf(section.name, sizeof section.name, "%s", name);
  kit_path(kit, "issuing.crt", paths[0]);
  kit_path(kit, "chain.pem", paths[1]);
  kit_path(kit, "root.crt", paths[2]);
  return section;
}

static void open_ledger(struct bench *bench)
{
  AUTO(fault) f = {0};
  char path[KIT_PATH_SIZE];
  if (!ledger_open(kit_path(&bench->first, "mintmark.db", path), &bench->ledger, &f))
    fail_msg("%s", f.detail);
}

static int set_up(void **state)
{
  static struct bench bench;
  bench = (struct bench){0};
  kit_new(&bench.first);
  kit_new(&bench.second);
  bench.conf.authorities[0] = section("one", &bench.first, bench.paths[0]);
  bench.conf.authorities[1] = section("two", &bench.second, bench.paths[1]);
  bench.conf.n_authorities = 1;
  open_ledger(&bench);
  *state = &bench;
  return 0;
}

static void let_go(struct bench *bench)
{
  authorities_free(bench->authorities);
  bench->authorities = NULL;
  ledger_close(bench->ledger);
  bench->ledger = NULL;
}

static int tear_down(void **state)
{
  struct bench *bench = *state;
  let_go(bench);
  kit_free(&bench->first);
  kit_free(&bench->second);
  return 0;
}

static void load(struct bench *bench)
{
  AUTO(fault) f = {0};
  if (!authorities_load(&bench->conf, bench->ledger, when_now(), &bench->authorities, &f))
    fail_msg("%s", f.detail);
}

static void restart(struct bench *bench)
{
  let_go(bench);
  open_ledger(bench);
  load(bench);
}

static void take_second(struct bench *bench)
{
  AUTO(fault) f = {0};
  size_t n = 0;
  bench->conf.n_authorities = 2;
  if (!authorities_reload(bench->authorities, &bench->conf, when_now(), &n, &f))
    fail_msg("%s", f.detail);
  assert_int_equal(n, 1);
}

static void activate(struct bench *bench, const char *name)
{
  AUTO(fault) f = {0};
  if (!authorities_activate(bench->authorities, name, when_now(), NULL, &f))
    fail_msg("%s", f.detail);
}

static void assert_states(const struct bench *bench, enum authority_state one,
                          enum authority_state two)
{
  assert_int_equal(authorities_n(bench->authorities), 2);
  assert_int_equal(authorities_state(bench->authorities, 0), one);
  assert_int_equal(authorities_state(bench->authorities, 1), two);
}

static size_t count_events(const struct bench *bench, enum event_kind kind)
{
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  assert_true(ledger_search_events(bench->ledger, &(struct event_query){.kind = kind, .limit = 100},
                                   &page, &f));
  return page.n;
}

static void the_first_of_a_new_ledger_issues(void **state)
{
  struct bench *bench = *state;
  bench->conf.n_authorities = 2;
  load(bench);
  assert_string_equal(authorities_active(bench->authorities)->name, "one");
  assert_states(bench, AUTHORITY_ACTIVE, AUTHORITY_STANDBY);
  assert_int_equal(count_events(bench, EVENT_AUTHORITY_ADDED), 2);
  assert_ptr_equal(authorities_named(bench->authorities, "two"),
                   authorities_at(bench->authorities, 1));
  assert_null(authorities_named(bench->authorities, "three"));
}

static void a_new_one_is_taken_while_the_other_issues(void **state)
{
  struct bench *bench = *state;
  load(bench);
  const struct authority *before = authorities_active(bench->authorities);
  take_second(bench);
  assert_ptr_equal(authorities_active(bench->authorities), before);
  assert_states(bench, AUTHORITY_ACTIVE, AUTHORITY_STANDBY);
}

static void activating_is_on_record_and_outlives_a_restart(void **state)
{
  struct bench *bench = *state;
  load(bench);
  take_second(bench);
  activate(bench, "two");
  activate(bench, "two");
  assert_states(bench, AUTHORITY_STANDBY, AUTHORITY_ACTIVE);
  /* The first one was activated by the daemon itself. */
  assert_int_equal(count_events(bench, EVENT_AUTHORITY_ACTIVATED), 2);
  restart(bench);
  assert_string_equal(authorities_active(bench->authorities)->name, "two");
  activate(bench, "one");
  assert_states(bench, AUTHORITY_ACTIVE, AUTHORITY_STANDBY);
}

static void a_retired_one_never_issues_again(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  load(bench);
  take_second(bench);
  assert_false(authorities_retire(bench->authorities, "one", NULL, &f));
  assert_int_equal(f.code, FAULT_AUTHORITY_STATE);
  activate(bench, "two");
  assert_true(authorities_retire(bench->authorities, "one", NULL, &f));
  assert_true(authorities_retire(bench->authorities, "one", NULL, &f));
  assert_states(bench, AUTHORITY_RETIRED, AUTHORITY_ACTIVE);
  assert_false(authorities_activate(bench->authorities, "one", when_now(), NULL, &f));
  assert_int_equal(f.code, FAULT_AUTHORITY_STATE);
  restart(bench);
  assert_states(bench, AUTHORITY_RETIRED, AUTHORITY_ACTIVE);
  assert_int_equal(count_events(bench, EVENT_AUTHORITY_RETIRED), 1);
}

static void one_that_is_not_there_is_told(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  load(bench);
  assert_false(authorities_activate(bench->authorities, "three", when_now(), NULL, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_AUTHORITY);
  assert_false(authorities_retire(bench->authorities, "three", NULL, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_AUTHORITY);
}

static void one_that_has_expired_is_not_activated(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  load(bench);
  take_second(bench);
  int64_t late = bench->second.issuing.not_after + 1;
  assert_false(authorities_activate(bench->authorities, "two", late, NULL, &f));
  assert_non_null(strstr(f.detail, "expired"));
  assert_states(bench, AUTHORITY_ACTIVE, AUTHORITY_STANDBY);
}

static void an_expired_one_stays_as_long_as_there_is_another(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  bench->second.issuing.not_after = when_now() - 10;
  bench->second.issuing.not_before = when_now() - 1000;
  kit_write_certs(&bench->second);
  bench->conf.n_authorities = 2;
  load(bench);
  assert_int_equal(authorities_n(bench->authorities), 2);
  bench->conf.authorities[0] = bench->conf.authorities[1];
  bench->conf.n_authorities = 1;
  assert_false(authorities_check(&bench->conf, when_now(), &f));
  assert_non_null(strstr(f.detail, "expired"));
}

static void the_one_that_issues_cannot_be_left_out(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct authorities *loaded = NULL;
  load(bench);
  let_go(bench);
  open_ledger(bench);
  bench->conf.authorities[0] = bench->conf.authorities[1];
  assert_false(authorities_load(&bench->conf, bench->ledger, when_now(), &loaded, &f));
  assert_int_equal(f.code, FAULT_BAD_CONFIG);
  assert_non_null(strstr(f.detail, "\"one\" issues"));
}

static void a_name_keeps_its_certificate(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  size_t n = 0;
  load(bench);
  bench->conf.authorities[0] = bench->conf.authorities[1];
  snprintf(bench->conf.authorities[0].name, sizeof bench->conf.authorities[0].name, "one");
  assert_false(authorities_reload(bench->authorities, &bench->conf, when_now(), &n, &f));
  assert_int_equal(f.code, FAULT_BAD_CONFIG);
  assert_non_null(strstr(f.detail, "another certificate"));
}

static void a_key_has_one_name(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  size_t n = 0;
  load(bench);
  bench->conf.authorities[1] = bench->conf.authorities[0];
  snprintf(bench->conf.authorities[1].name, sizeof bench->conf.authorities[1].name, "two");
  bench->conf.n_authorities = 2;
  assert_false(authorities_reload(bench->authorities, &bench->conf, when_now(), &n, &f));
  assert_non_null(strstr(f.detail, "the same key"));
  assert_int_equal(authorities_n(bench->authorities), 1);
}

static void whose_certificate_it_is_is_found_by_its_signature(void **state)
{
  struct bench *bench = *state;
  bench->conf.n_authorities = 2;
  load(bench);
  for (size_t i = 0; i < 2; i++) {
    const struct authority *a = authorities_at(bench->authorities, i);
    assert_null(authorities_issuer_of(bench->authorities, &a->certificate));
    assert_true(authorities_have_key(bench->authorities, a->certificate.key.spki));
    assert_true(authorities_have_key(bench->authorities, a->root.key.spki));
  }
  assert_false(authorities_have_key(bench->authorities, bytes_of_text("another")));
}

/* The second kit's root, as the first kit's root signs it. */
static void write_cross(struct bench *bench, const struct private_key *key, const char *name)
{
  AUTO(buf) der = {0};
  AUTO(buf) pem = {0};
  struct kit_ca cross = bench->second.root;
  cross.key = key;
  cross.issuer = bench->first.root.name;
  cross.issuer_key = bench->first.root_key;
  kit_make_ca(&cross, &der);
  pem_add(&pem, "CERTIFICATE", buf_bytes(&der));
  kit_write(&bench->second, name, buf_text(&pem), 0644);
}

static void a_cross_certificate_is_sent_behind_the_chain(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(authority) loaded = NULL;
  AUTO(cert) last = {0};
  char path[KIT_PATH_SIZE];
  write_cross(bench, bench->second.root_key, "cross.crt");
  bench->conf.authorities[1].cross = (char *)kit_path(&bench->second, "cross.crt", path);
  if (!authority_load(&bench->conf.authorities[1], &loaded, &f))
    fail_msg("%s", f.detail);
  assert_int_equal(loaded->n_chain, 2);
  assert_true(cert_read(buf_bytes(&loaded->chain_der[1]), true, &last, &f));
  assert_true(bytes_equal(last.subject, loaded->root.subject));
  assert_false(cert_is_signed_by(&last, &loaded->root));
}

static void one_of_another_key_is_refused(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(authority) loaded = NULL;
  char path[KIT_PATH_SIZE];
  write_cross(bench, bench->first.issuing_key, "cross.crt");
  bench->conf.authorities[1].cross = (char *)kit_path(&bench->second, "cross.crt", path);
  assert_false(authority_load(&bench->conf.authorities[1], &loaded, &f));
  assert_non_null(strstr(f.detail, "is not the root"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(the_first_of_a_new_ledger_issues),
      TEST(a_new_one_is_taken_while_the_other_issues),
      TEST(activating_is_on_record_and_outlives_a_restart),
      TEST(a_retired_one_never_issues_again),
      TEST(one_that_is_not_there_is_told),
      TEST(one_that_has_expired_is_not_activated),
      TEST(an_expired_one_stays_as_long_as_there_is_another),
      TEST(the_one_that_issues_cannot_be_left_out),
      TEST(a_name_keeps_its_certificate),
      TEST(a_key_has_one_name),
      TEST(whose_certificate_it_is_is_found_by_its_signature),
      TEST(a_cross_certificate_is_sent_behind_the_chain),
      TEST(one_of_another_key_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
