/* test_ledger_batches.c - batches of requests: what became of each line, and that it stays so. */
#include "tests/unit/ledger_unit.h"

#include <sqlite3.h>

#include "lib/ca/batch.h"

static const uint8_t first[BATCH_NAME_LEN] = {1}, second[BATCH_NAME_LEN] = {2},
                     unknown[BATCH_NAME_LEN] = {3};

static int64_t begin(struct bench *bench, const uint8_t *name, const char *principal)
{
  AUTO(fault) f = {0};
  int64_t id;
  if (!ledger_begin_batch(bench->ledger, name, principal, NOW, &id, &f))
    fail_msg("%s", f.detail);
  return id;
}

static struct batch find(struct bench *bench, const uint8_t *name)
{
  AUTO(fault) f = {0};
  struct batch batch;
  if (!ledger_find_batch(bench->ledger, name, &batch, &f))
    fail_msg("%s", f.detail);
  return batch;
}

static void add_line(struct bench *bench, const struct batch_outcome *outcome)
{
  AUTO(fault) f = {0};
  struct ledger_batch *transaction;
  assert_true(ledger_begin(bench->ledger, &transaction, &f));
  if (!ledger_add_batch_line(transaction, outcome, &f))
    fail_msg("%s", f.detail);
  assert_true(ledger_commit(transaction, &f));
}

static void a_batch_begins_counts_and_ends(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0}, wrong = {0};
  int64_t other;
  struct issued row = row_of(1);
  int64_t certificate = append(bench->ledger, &row, false).id;
  int64_t id = begin(bench, first, "line-1");
  fault_set(&wrong, NAME_NOT_ALLOWED, "no");
  add_line(bench, &(struct batch_outcome){.batch = id, .line = 1, .certificate = certificate});
  add_line(bench, &(struct batch_outcome){
                      .batch = id, .line = 2, .certificate = certificate, .replayed = true});
  add_line(bench, &(struct batch_outcome){.batch = id, .line = 4, .fault = &wrong});
  /* Once and for all. */
  add_line(bench, &(struct batch_outcome){.batch = id, .line = 4, .certificate = certificate});
  struct batch batch = find(bench, first);
  assert_int_equal(batch.id, id);
  assert_string_equal(batch.principal, "line-1");
  assert_int_equal(batch.begun_at, NOW);
  assert_int_equal(batch.ended_at, 0);
  assert_int_equal(batch.issued, 1);
  assert_int_equal(batch.replayed, 1);
  assert_int_equal(batch.refused, 1);
  assert_false(ledger_begin_batch(bench->ledger, first, "line-2", NOW, &other, &f));
  assert_int_equal(f.code, FAULT_BATCH_EXISTS);
  assert_true(ledger_end_batch(bench->ledger, id, false, NOW + 5, &f));
  assert_true(ledger_end_batch(bench->ledger, id, true, NOW + 9, &f));
  batch = find(bench, first);
  assert_int_equal(batch.ended_at, NOW + 5);
  assert_false(batch.cut_off);
  assert_false(ledger_find_batch(bench->ledger, unknown, &batch, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_BATCH);
  issued_free(&row);
}

static void those_that_run_are_cut_off_by_the_next_start(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  int64_t done = begin(bench, first, "line-1");
  begin(bench, second, "line-1");
  assert_true(ledger_end_batch(bench->ledger, done, false, NOW, &f));
  bench_close(bench);
  bench_open(bench);
  assert_true(ledger_cut_off_batches(bench->ledger, NOW + 1, &f));
  assert_false(find(bench, first).cut_off);
  assert_true(find(bench, second).cut_off);
  assert_int_equal(find(bench, second).ended_at, NOW + 1);
}

static void assert_refusal(const struct batch_line *line)
{
  assert_int_equal(line->fault.code, FAULT_NAME_NOT_ALLOWED);
  assert_string_equal(line->fault.detail, "two of them");
  assert_int_equal(line->fault.n_items, 2);
  assert_string_equal(line->fault.items[0].name, "8.8.8.8");
  assert_string_equal(line->fault.items[0].why, "not in 10.0.0.0/8");
  assert_string_equal(line->fault.items[1].name, "a b");
}

static void lines_are_read_page_by_page(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0}, wrong = {0};
  AUTO(batch_lines) lines = {0};
  struct issued row = row_of(1);
  int64_t certificate = append(bench->ledger, &row, false).id, id = begin(bench, first, "line-1");
  fault_set(&wrong, NAME_NOT_ALLOWED, "two of them");
  fault_add_item(&wrong, "8.8.8.8", "not in %s", "10.0.0.0/8");
  fault_add_item(&wrong, "a\tb", "odd"); /* which is made printable */
  wrong.items[1].name[1] = ' ';
  add_line(bench, &(struct batch_outcome){.batch = id, .line = 9, .fault = &wrong});
  add_line(bench, &(struct batch_outcome){.batch = id, .line = 2, .certificate = certificate});
  add_line(bench, &(struct batch_outcome){
                      .batch = id, .line = 5, .certificate = certificate, .replayed = true});
  assert_true(ledger_get_batch_lines(bench->ledger, id, 0, 2, NOW, &lines, &f));
  assert_int_equal(lines.n, 2);
  assert_true(lines.more);
  assert_int_equal(lines.rows[0].line, 2);
  assert_int_equal(lines.rows[0].fault.code, FAULT_NONE);
  assert_false(lines.rows[0].replayed);
  assert_string_equal(lines.rows[0].row.device_serial, "W-1");
  assert_int_equal(lines.rows[1].line, 5);
  assert_true(lines.rows[1].replayed);
  batch_lines_free(&lines);
  assert_true(ledger_get_batch_lines(bench->ledger, id, 5, 2, NOW, &lines, &f));
  assert_int_equal(lines.n, 1);
  assert_false(lines.more);
  assert_refusal(&lines.rows[0]);
  issued_free(&row);
}

/* As many as go into 8 KiB. */
static void names_that_were_wrong_are_kept_within_bounds(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0}, wrong = {0};
  AUTO(batch_lines) lines = {0};
  int64_t id = begin(bench, first, "line-1");
  fault_set(&wrong, NAME_NOT_ALLOWED, "many");
  for (unsigned i = 0; i < 500; i++)
    fault_add_item(&wrong, "w.widgets.example", "%0100u", i);
  add_line(bench, &(struct batch_outcome){.batch = id, .line = 1, .fault = &wrong});
  assert_true(ledger_get_batch_lines(bench->ledger, id, 0, 2, NOW, &lines, &f));
  assert_in_range(lines.rows[0].fault.n_items, 60, 80);
}

struct seen {
  int64_t ids[4];
  size_t n;
};

static void see(const struct batch *batch, void *context)
{
  struct seen *seen = context;
  seen->ids[seen->n++] = batch->id;
}

static void they_are_listed_newest_first(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  struct seen seen = {0};
  bool more;
  int64_t one = begin(bench, first, "line-1"), two = begin(bench, second, "line-2");
  assert_true(ledger_each_batch(bench->ledger, NULL, 0, 1, see, &seen, &more, &f));
  assert_int_equal(seen.n, 1);
  assert_int_equal(seen.ids[0], two);
  assert_true(more);
  assert_true(ledger_each_batch(bench->ledger, NULL, two, 9, see, &seen, &more, &f));
  assert_int_equal(seen.n, 2);
  assert_int_equal(seen.ids[1], one);
  assert_false(more);
  assert_true(ledger_each_batch(bench->ledger, "line-2", 0, 9, see, &seen, &more, &f));
  assert_int_equal(seen.n, 3);
  assert_int_equal(seen.ids[2], two);
  assert_true(ledger_each_batch(bench->ledger, "nobody", 0, 9, see, &seen, &more, &f));
  assert_int_equal(seen.n, 3);
}

/* Behind the ledger's back, as a shell would. */
static int run_sql(struct bench *bench, const char *sql)
{
  sqlite3 *db = NULL;
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  int status = sqlite3_exec(db, sql, NULL, NULL, NULL);
  sqlite3_close(db);
  return status;
}

static void what_became_of_a_line_is_never_changed(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0}, wrong = {0};
  int64_t id = begin(bench, first, "line-1");
  fault_set(&wrong, NAME_NOT_ALLOWED, "no");
  add_line(bench, &(struct batch_outcome){.batch = id, .line = 1, .fault = &wrong});
  assert_int_not_equal(run_sql(bench, "UPDATE batch_lines SET detail = 'yes'"), SQLITE_OK);
  assert_int_not_equal(run_sql(bench, "DELETE FROM batch_lines"), SQLITE_OK);
  assert_int_equal(run_sql(bench, "REPLACE INTO batch_lines (batch, line, certificate)"
                                  " SELECT batch, line, 1 FROM batch_lines"),
                   SQLITE_OK); /* it does nothing */
  assert_int_not_equal(run_sql(bench, "DELETE FROM batches"), SQLITE_OK);
  assert_int_not_equal(run_sql(bench, "UPDATE batches SET refused = 0"), SQLITE_OK);
  assert_true(ledger_end_batch(bench->ledger, id, true, NOW, &f));
  assert_int_not_equal(run_sql(bench, "UPDATE batches SET cut_off = 0"), SQLITE_OK);
  AUTO(batch_lines) lines = {0};
  assert_true(ledger_get_batch_lines(bench->ledger, id, 0, 9, NOW, &lines, &f));
  assert_int_equal(lines.n, 1);
  assert_string_equal(lines.rows[0].fault.detail, "no");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_batch_begins_counts_and_ends), TEST(those_that_run_are_cut_off_by_the_next_start),
      TEST(lines_are_read_page_by_page),    TEST(names_that_were_wrong_are_kept_within_bounds),
      TEST(they_are_listed_newest_first),   TEST(what_became_of_a_line_is_never_changed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
