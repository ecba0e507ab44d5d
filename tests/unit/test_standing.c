/* test_standing.c - is the ledger older than what was signed? With a real key holder, which
 * remembers. */
#include "tests/unit/unit.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/signer.h"
#include "lib/ca/standing.h"
#include "lib/pki/crl_build.h"
#include "tests/unit/ca_kit.h"

enum { SLOTS = 2 };

static struct bench {
  struct kit kit;
  struct conf *conf;
  struct authorities *authorities;
  struct ledger *ledger;
  struct key_holder *holder;
  struct standing *standing;
  struct signer *lists; /* signs them */
  unsigned n_changes;
  enum standing_state changed_to;
  unsigned n_rows; /* in all ledgers: no serial number is used twice */
} bench;

static void note_change(const struct standing_report *report)
{
  bench.n_changes++;
  bench.changed_to = report->state;
}

static void start_holder(const char *program)
{
  AUTO(fault) f = {0};
  char path[KIT_PATH_SIZE], built[512];
  const char *folder = getenv("MINTMARK_BUILDDIR");
  snprintf(built, sizeof built, "%s/mintmark-keyd", folder != NULL ? folder : ".");
  if (!key_holder_new(NULL, program != NULL ? program : built,
                      kit_path(&bench.kit, "keyd.conf", path), SLOTS, &bench.holder, &f))
    fail_msg("%s", f.detail);
}

/* The daemon's start, with this ledger. */
static void open_with(const char *ledger, const char *program)
{
  AUTO(fault) f = {0};
  char path[KIT_PATH_SIZE];
  bench.n_changes = 0;
  start_holder(program);
  if (!ledger_open(kit_path(&bench.kit, ledger, path), &bench.ledger, &f) ||
      !authorities_load(bench.conf, bench.ledger, when_now(), &bench.authorities, &f) ||
      !standing_new(bench.ledger, bench.authorities, bench.holder, 0, NULL, note_change,
                    &bench.standing, &f) ||
      !signer_new(bench.holder, 1, 5000, &bench.lists, &f))
    fail_msg("%s", f.detail);
}

static void close_all(void)
{
  standing_free(bench.standing);
  signer_free(bench.lists);
  authorities_free(bench.authorities);
  ledger_close(bench.ledger);
  key_holder_free(bench.holder);
  bench.standing = NULL;
  bench.lists = NULL;
  bench.authorities = NULL;
  bench.ledger = NULL;
  bench.holder = NULL;
}

static int set_up(void **state)
{
  (void)state;
  bench = (struct bench){0};
  kit_new(&bench.kit);
  bench.conf = kit_load_conf(&bench.kit);
  open_with("mintmark.db", NULL);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  close_all();
  conf_release(bench.conf);
  kit_free(&bench.kit);
  return 0;
}

static void add_rows(unsigned n)
{
  for (unsigned i = 0; i < n; i++) {
    AUTO(fault) f = {0};
    AUTO(issued) earlier = {0};
    AUTO(issued) row = {.profile = "test", .station = "line-1", .not_after = WHEN_NEVER};
    const struct sans none = {0};
    struct ledger_batch *batch;
    bool replayed;
    unsigned number = ++bench.n_rows;
    TEXT_COPY(row.authority, bytes_of_text(authorities_active(bench.authorities)->name));
    row.serial_number[0] = 1;
    memcpy(row.serial_number + 1, &number, sizeof number);
    memcpy(row.spki_sha256, &number, sizeof number);
    memcpy(row.request_sha256, &number, sizeof number);
    buf_add_text(&row.der, "certificate");
    assert_true(ledger_begin(bench.ledger, &batch, &f));
    if (!ledger_append(batch, &row, &none, false, when_now(), &replayed, &earlier, &f))
      fail_msg("%s", f.detail);
    assert_true(ledger_commit(batch, &f));
  }
}

static void compare(void)
{
  AUTO(fault) f = {0};
  if (!standing_compare(bench.standing, &f))
    fail_msg("%s", f.detail);
}

static struct standing_row read_row(enum standing_state state)
{
  AUTO(fault) f = {0};
  AUTO(standing_report) report = {0};
  assert_true(standing_read(bench.standing, &report, &f));
  assert_int_equal(report.state, state);
  assert_int_equal(report.n, 1);
  assert_int_equal(report.missing, report.rows[0].missing);
  return report.rows[0];
}

static void a_new_ledger_and_a_new_key_holder_are_in_good_standing(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  assert_true(standing_check(bench.standing, &f));
  assert_true(standing_settle(bench.standing, &f)); /* compares: nobody has as yet */
  assert_int_equal(read_row(STANDING_GOOD).recorded, 0);
  assert_int_equal(bench.n_changes, 1);
  compare();
  assert_int_equal(bench.n_changes, 1);
}

static void an_older_ledger_lacks_exactly_what_was_told(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  add_rows(2);
  compare();
  add_rows(5);
  standing_tell(bench.standing);
  assert_int_equal(read_row(STANDING_GOOD).recorded, 7);
  add_rows(1); /* committed, and not released: it was never told */
  close_all();
  open_with("older.db", NULL);
  add_rows(3);
  assert_false(standing_settle(bench.standing, &f));
  assert_int_equal(f.code, FAULT_LEDGER_BEHIND);
  assert_non_null(strstr(f.detail, "(4 of "));
  assert_non_null(strstr(f.detail, "mintmark restore --accept"));
  struct standing_row row = read_row(STANDING_BEHIND);
  assert_int_equal(row.missing, 4);
  assert_int_equal(row.issued, 3);
  assert_int_equal(row.recorded, 7);
  assert_int_equal(bench.n_changes, 1);
  assert_int_equal(bench.changed_to, STANDING_BEHIND);
  /* It was not told less, and the newer ledger is as good as before. */
  close_all();
  open_with("mintmark.db", NULL);
  assert_true(standing_settle(bench.standing, &f));
  assert_int_equal(read_row(STANDING_GOOD).recorded, 8);
}

static void a_key_holder_whose_memory_is_new_is_told_all(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  AUTO(buf) command = {0};
  add_rows(6);
  compare();
  close_all();
  buf_addf(&command, "rm %s/*state*", bench.kit.dir);
  assert_int_equal(system(buf_text(&command)), 0);
  open_with("mintmark.db", NULL);
  assert_true(standing_settle(bench.standing, &f));
  assert_int_equal(read_row(STANDING_GOOD).recorded, 6);
}

static enum fault_code accept(int64_t missing, bool without_lists)
{
  AUTO(fault) f = {0};
  const struct event who = {.principal = "admin"};
  standing_accept(bench.standing, missing, without_lists, &who, &f);
  return f.code;
}

static void what_is_missing_is_accepted_once_and_by_its_number(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  add_rows(7);
  compare();
  assert_int_equal(accept(0, false), FAULT_SELECTION_CHANGED); /* nothing is missing */
  close_all();
  open_with("older.db", NULL);
  add_rows(3);
  compare();
  assert_int_equal(accept(3, false), FAULT_SELECTION_CHANGED);
  assert_false(standing_check(bench.standing, &f));
  assert_int_equal(accept(4, false), FAULT_NONE);
  assert_true(standing_check(bench.standing, &f));
  assert_int_equal(accept(4, false), FAULT_SELECTION_CHANGED);
  struct standing_row row = read_row(STANDING_GOOD);
  assert_int_equal(row.accepted, 4);
  assert_int_equal(row.recorded, 7);
  add_rows(2);
  standing_tell(bench.standing);
  assert_int_equal(read_row(STANDING_GOOD).recorded, 9);
  /* It is on the record, and holds after a restart. */
  close_all();
  open_with("older.db", NULL);
  assert_true(standing_settle(bench.standing, &f));
}

/* --- lists --- */

/* Has the key holder sign an empty list of this number. */
static void sign_list(uint64_t number)
{
  AUTO(fault) f = {0};
  AUTO(buf) tbs = {0};
  const struct authority *authority = authorities_active(bench.authorities);
  const struct crl_head head = {.alg = authority->alg,
                                .issuer = authority->certificate.subject,
                                .this_update = when_now(),
                                .next_update = when_now() + 3600,
                                .authority_key_id = authority->certificate.subject_key_id,
                                .number = number};
  struct crl_builder builder;
  struct signer_item item = {.kind = SIGN_CRL};
  if (!crl_begin(&head, &tbs, &builder, &f) || !crl_end(&builder, &f))
    fail_msg("%s", f.detail);
  item.tbs = buf_bytes(&tbs);
  if (!signer_sign(bench.lists, authority->key_sha256, &item, 1, &f) ||
      item.fault.code != FAULT_NONE)
    fail_msg("%s%s", f.detail, item.fault.detail);
  buf_free(&item.signature);
}

static uint64_t take_number(uint64_t above)
{
  AUTO(fault) f = {0};
  uint64_t number = 0;
  if (!ledger_take_crl_number(bench.ledger, authorities_active(bench.authorities)->name, above,
                              &number, &f))
    fail_msg("%s", f.detail);
  return number;
}

static void a_list_that_the_ledger_took_no_number_for_tells_of_an_older_copy(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  assert_int_equal(take_number(0), 1);
  sign_list(1);
  assert_int_equal(take_number(0), 2); /* and a crash before it was signed */
  compare();
  assert_int_equal(read_row(STANDING_GOOD).crl_known, 2);
  assert_int_equal(take_number(6), 7);
  sign_list(7); /* and a crash before it was published */
  compare();
  read_row(STANDING_GOOD);
  close_all();
  open_with("older.db", NULL);
  assert_int_equal(take_number(0), 1);
  assert_false(standing_settle(bench.standing, &f));
  assert_int_equal(f.code, FAULT_LEDGER_BEHIND);
  assert_non_null(strstr(f.detail, "revocation list 7"));
  struct standing_row row = read_row(STANDING_BEHIND);
  assert_int_equal(row.missing, 0);
  assert_int_equal(row.crl_signed, 7);
  assert_int_equal(row.crl_known, 1);
  /* An older list is not enough. */
  assert_int_equal(accept(0, false), FAULT_AUTHORITY_STATE);
  standing_saw_list(bench.standing, row.key_sha256, &(struct lists_at_hand){.all = 6});
  assert_int_equal(accept(0, false), FAULT_AUTHORITY_STATE);
  standing_saw_list(bench.standing, row.key_sha256, &(struct lists_at_hand){.all = 7});
  assert_int_equal(accept(0, false), FAULT_NONE);
  assert_true(standing_check(bench.standing, &f));
  assert_int_equal(take_number(0), 8);
}

static void lists_reach_as_far_as_nothing_can_be_missing(void **state)
{
  (void)state;
  enum { KNOWN = 4 };
  static const struct {
    struct lists_at_hand lists;
    int64_t reach;
  } cases[] = {
      {{0}, 0},
      {{.all = 9}, 9},
      {{.delta = 9, .delta_base = 4}, 9}, /* on what the ledger knows */
      {{.delta = 9, .delta_base = 5}, 0},
      {{.all = 6, .delta = 9, .delta_base = 7}, 6}, /* on a later one than is there */
      {{.all = 7, .delta = 9, .delta_base = 7}, 9},
      {{.part = 9}, 0},
      {{.all = 4, .part = 9}, 4},
      {{.all = 8, .part = 9}, 9},
      {{.all = 4, .delta = 8, .delta_base = 4, .part = 9}, 9},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    assert_int_equal(lists_at_hand_reach(&cases[i].lists, KNOWN), cases[i].reach);
}

static void without_the_list_that_must_be_said(void **state)
{
  (void)state;
  take_number(4);
  sign_list(5);
  compare();
  close_all();
  open_with("older.db", NULL);
  compare();
  assert_int_equal(accept(0, false), FAULT_AUTHORITY_STATE);
  assert_int_equal(accept(0, true), FAULT_NONE);
  assert_int_equal(take_number(0), 6);
}

static void without_a_key_holder_nothing_is_known_and_nothing_is_signed(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  close_all();
  open_with("mintmark.db", "/bin/false");
  assert_false(standing_settle(bench.standing, &f));
  assert_int_equal(f.code, FAULT_SIGNER_DOWN);
  /* But nothing is known against it. */
  assert_true(standing_check(bench.standing, &f));
  assert_int_equal(bench.n_changes, 0);
  add_rows(1);
  standing_tell(bench.standing); /* which nobody hears, and nobody waits for */
}

static void without_a_standing_there_is_nothing_against_signing(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  assert_true(standing_check(NULL, &f));
  assert_true(standing_settle(NULL, &f));
  assert_true(standing_compare(NULL, &f));
  standing_tell(NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_new_ledger_and_a_new_key_holder_are_in_good_standing),
      TEST(an_older_ledger_lacks_exactly_what_was_told),
      TEST(a_key_holder_whose_memory_is_new_is_told_all),
      TEST(what_is_missing_is_accepted_once_and_by_its_number),
      TEST(a_list_that_the_ledger_took_no_number_for_tells_of_an_older_copy),
      TEST(lists_reach_as_far_as_nothing_can_be_missing),
      TEST(without_the_list_that_must_be_said),
      TEST(without_a_key_holder_nothing_is_known_and_nothing_is_signed),
      TEST(without_a_standing_there_is_nothing_against_signing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
