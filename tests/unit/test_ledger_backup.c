/* test_ledger_backup.c - copies of the ledger: made while it is in use, and put back in its place.
 */
#include "tests/unit/ledger_unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/ca/ledger_backup.h"

static const char *path_in(const struct bench *bench, const char *name, char out[300])
{
  snprintf(out, 300, "%s/%s", bench->folder, name);
  return out;
}

static void add_rows(struct ledger *ledger, unsigned from, unsigned to)
{
  for (unsigned n = from; n < to; n++) {
    AUTO(issued) row = row_of(n);
    assert_int_equal(append(ledger, &row, false).code, FAULT_NONE);
  }
}

/* Files in the folder whose names begin so. */
static unsigned count_files(const struct bench *bench, const char *begin)
{
  unsigned n = 0;
  DIR *folder = opendir(bench->folder);
  assert_non_null(folder);
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    n += strncmp(entry->d_name, begin, strlen(begin)) == 0;
  closedir(folder);
  return n;
}

static void write_fd(int fd, const char *path)
{
  char block[65536];
  int to = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  assert_true(to >= 0);
  for (ssize_t n; (n = read(fd, block, sizeof block)) > 0;)
    assert_int_equal(write(to, block, (size_t)n), n);
  close(to);
  close(fd);
}

/* Makes a copy and writes it to "copy.db". */
static struct ledger_facts back_up(struct bench *bench, const struct ledger_watch *watch)
{
  AUTO(fault) f = {0};
  char path[300];
  struct ledger_facts facts;
  struct stat st;
  int fd;
  if (!ledger_backup(bench->ledger, watch, &fd, &facts, &f))
    fail_msg("%s", f.detail);
  assert_int_equal(fstat(fd, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  assert_int_equal(st.st_nlink, 0);
  write_fd(fd, path_in(bench, "copy.db", path));
  return facts;
}

static long ask(const char *path, const char *sql)
{
  sqlite3 *db;
  sqlite3_stmt *statement;
  assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  long number = (long)sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return number;
}

static void execute(const char *path, const char *sql)
{
  sqlite3 *db;
  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

/* --- backup --- */

enum { BEFORE = 3000 };

struct meanwhile {
  struct ledger *ledger;
  unsigned steps, added;
  int64_t of;
};

/* A certificate is issued between each two steps. */
static bool issue_one(void *context, int64_t done, int64_t of)
{
  struct meanwhile *meanwhile = context;
  assert_in_range(done, 0, of);
  meanwhile->of = of;
  if (meanwhile->steps++ < 8) {
    add_rows(meanwhile->ledger, BEFORE + meanwhile->added, BEFORE + meanwhile->added + 1);
    meanwhile->added++;
  }
  return true;
}

static void issuing_goes_on_while_a_copy_is_made(void **state)
{
  struct bench *bench = *state;
  char path[300];
  struct meanwhile meanwhile = {.ledger = bench->ledger};
  add_rows(bench->ledger, 0, BEFORE);
  struct ledger_facts facts = back_up(bench, &(struct ledger_watch){issue_one, &meanwhile});
  assert_true(meanwhile.of > 64); /* it took several steps */
  assert_true(meanwhile.added >= 2);
  assert_int_equal(facts.certificates, BEFORE);
  assert_int_equal(facts.last_issued_at_ms, INT64_C(1000) * NOW + BEFORE - 1);
  path_in(bench, "copy.db", path);
  assert_int_equal(ask(path, "SELECT count(*) FROM certificates"), BEFORE);
  assert_int_equal(ask(path, "SELECT count(*) FROM events"), 0);
  assert_int_equal(ask(bench->path, "SELECT count(*) FROM certificates"), BEFORE + meanwhile.added);
  /* One file, without a log beside it; nothing of it stays in the ledger's folder. */
  assert_int_equal(count_files(bench, "copy.db"), 1);
  assert_int_equal(count_files(bench, "ledger.db-backup"), 0);
}

static bool never(void *context, int64_t done, int64_t of)
{
  (void)done, (void)of;
  unsigned *steps = context;
  return --*steps > 0;
}

static void a_copy_that_is_given_up_leaves_nothing(void **state)
{
  struct bench *bench = *state;
  add_rows(bench->ledger, 0, BEFORE);
  for (unsigned steps = 1; steps <= 2; steps++) {
    AUTO(fault) f = {0};
    unsigned left = steps;
    int fd = -1;
    struct ledger_facts facts;
    assert_false(
        ledger_backup(bench->ledger, &(struct ledger_watch){never, &left}, &fd, &facts, &f));
    assert_int_equal(f.code, FAULT_STOPPING);
    assert_int_equal(fd, -1);
    assert_int_equal(count_files(bench, "ledger.db-backup"), 0);
  }
  assert_int_equal(back_up(bench, NULL).certificates, BEFORE);
}

static void what_a_killed_daemon_left_behind_is_replaced(void **state)
{
  struct bench *bench = *state;
  char path[300];
  add_rows(bench->ledger, 0, 3);
  int fd = open(path_in(bench, "ledger.db-backup", path), O_CREAT | O_WRONLY, 0644);
  assert_int_equal(write(fd, "half", 4), 4);
  close(fd);
  fd = open(path_in(bench, "ledger.db-backup-wal", path), O_CREAT | O_WRONLY, 0644);
  assert_int_equal(write(fd, "half", 4), 4);
  close(fd);
  assert_int_equal(back_up(bench, NULL).certificates, 3);
  assert_int_equal(count_files(bench, "ledger.db-backup"), 0);
}

static void what_was_left_behind_goes_with_the_next_start(void **state)
{
  struct bench *bench = *state;
  static const char *const names[] = {"ledger.db-backup", "ledger.db-restore",
                                      "ledger.db-backup-wal"};
  char path[300];
  bench_close(bench);
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    close(open(path_in(bench, names[i], path), O_CREAT | O_WRONLY, 0600));
  assert_int_equal(count_files(bench, "ledger.db-backup"), 2);
  bench_open(bench);
  assert_int_equal(count_files(bench, "ledger.db-backup"), 0);
  assert_int_equal(count_files(bench, "ledger.db-restore"), 0);
}

static int back_up_on_a_full_disk(struct bench *bench)
{
  struct fault f = {0};
  struct ledger_facts facts;
  int fd;
  const struct rlimit limit = {.rlim_cur = 256 * 1024, .rlim_max = 256 * 1024};
  bench_open(bench);
  if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0)
    return 2;
  if (ledger_backup(bench->ledger, NULL, &fd, &facts, &f))
    return 3;
  if (f.code != FAULT_LEDGER || strstr(f.detail, "ledger.db-backup") == NULL)
    return 4;
  return count_files(bench, "ledger.db-backup") == 0 ? 0 : 5;
}

static void a_full_disk_leaves_no_half_copy(void **state)
{
  struct bench *bench = *state;
  int status;
  add_rows(bench->ledger, 0, BEFORE);
  bench_close(bench);
  pid_t child = fork();
  if (child == 0)
    _exit(back_up_on_a_full_disk(bench));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- restore --- */

static void make_text(const char *path)
{
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  for (unsigned i = 0; i < 1000; i++)
    fputs("this is no database\n", file);
  fclose(file);
}

static void restore(struct bench *bench, const char *from, struct ledger_restored *ret_restored)
{
  AUTO(fault) f = {0};
  if (!ledger_restore(from, bench->path, NOW, ret_restored, &f))
    fail_msg("%s", f.detail);
}

static size_t rows_in(struct ledger *ledger)
{
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  const struct ledger_query query = {.limit = 1000};
  assert_true(ledger_search(ledger, &query, NOW, &page, &f));
  return page.n;
}

static void a_copy_takes_the_place_of_the_ledger_which_is_kept(void **state)
{
  struct bench *bench = *state;
  AUTO(ledger_restored) restored = {0};
  char path[300];
  add_rows(bench->ledger, 0, 20);
  back_up(bench, NULL);
  add_rows(bench->ledger, 20, 33);
  bench_close(bench);
  restore(bench, path_in(bench, "copy.db", path), &restored);
  assert_int_equal(restored.facts.certificates, 20);
  assert_int_equal(restored.facts.last_issued_at_ms, INT64_C(1000) * NOW + 19);
  assert_string_equal(buf_text(&restored.aside),
                      path_in(bench, "ledger.db.before-restore-20270115T080000", path));
  bench_open(bench);
  assert_int_equal(rows_in(bench->ledger), 20);
  add_rows(bench->ledger, 100, 101);
  bench_close(bench);
  assert_int_equal(ask(buf_text(&restored.aside), "SELECT count(*) FROM certificates"), 33);
  assert_int_equal(count_files(bench, "ledger.db.before-restore"), 1);
  assert_int_equal(count_files(bench, "ledger.db-restore"), 0);
  /* And back again: what was set aside is a ledger, too. */
  AUTO(ledger_restored) again = {0};
  AUTO(fault) f = {0};
  assert_true(ledger_restore(buf_text(&restored.aside), bench->path, NOW + 1, &again, &f));
  assert_int_equal(again.facts.certificates, 33);
}

static void without_a_ledger_the_copy_is_it(void **state)
{
  struct bench *bench = *state;
  AUTO(ledger_restored) restored = {0};
  char path[300];
  struct stat st;
  add_rows(bench->ledger, 0, 5);
  back_up(bench, NULL);
  bench_close(bench);
  assert_int_equal(unlink(bench->path), 0);
  restore(bench, path_in(bench, "copy.db", path), &restored);
  assert_int_equal(restored.aside.len, 0);
  assert_int_equal(stat(bench->path, &st), 0);
  assert_int_equal(st.st_mode & 07777, 0600);
  bench_open(bench);
  assert_int_equal(rows_in(bench->ledger), 5);
}

static void a_ledger_that_cannot_be_opened_is_kept_as_it_is(void **state)
{
  struct bench *bench = *state;
  AUTO(ledger_restored) restored = {0};
  char path[300];
  add_rows(bench->ledger, 0, 5);
  back_up(bench, NULL);
  bench_close(bench);
  const char *const names[] = {"ledger.db", "ledger.db-wal"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    make_text(path_in(bench, names[i], path));
  restore(bench, path_in(bench, "copy.db", path), &restored);
  assert_int_equal(count_files(bench, "ledger.db.before-restore"), 2);
  assert_int_equal(count_files(bench, "ledger.db-wal"), 0);
  bench_open(bench);
  assert_int_equal(rows_in(bench->ledger), 5);
}

static void nothing_is_restored_under_a_daemon(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(ledger_restored) restored = {0};
  char path[300];
  add_rows(bench->ledger, 0, 5);
  back_up(bench, NULL);
  assert_false(ledger_restore(path_in(bench, "copy.db", path), bench->path, NOW, &restored, &f));
  assert_int_equal(f.code, FAULT_LEDGER);
  assert_non_null(strstr(f.detail, "in use"));
  assert_int_equal(rows_in(bench->ledger), 5);
}

/* --- what is no copy of ours --- */

static void make_foreign(const char *path)
{
  unlink(path);
  execute(path, "CREATE TABLE certificates (id INTEGER)");
}

static void make_newer(const char *path)
{
  execute(path, "PRAGMA user_version = 9999");
}

static void make_damaged(const char *path)
{
  static const char zeros[4096];
  int fd = open(path, O_WRONLY);
  assert_int_equal(pwrite(fd, zeros, sizeof zeros, 8L * 4096), sizeof zeros);
  close(fd);
}

static void make_short(const char *path)
{
  struct stat st;
  assert_int_equal(stat(path, &st), 0);
  assert_int_equal(truncate(path, st.st_size / 2), 0);
}

static void make_folder(const char *path)
{
  unlink(path);
  assert_int_equal(mkdir(path, 0700), 0);
}

static void make_half(const char *path)
{
  char log[320];
  snprintf(log, sizeof log, "%s-wal", path);
  make_text(log);
}

static void make_nothing(const char *path)
{
  unlink(path);
}

static void make_link_to_the_ledger(const char *path)
{
  unlink(path);
  char ledger[320];
  snprintf(ledger, sizeof ledger, "%.*sledger.db", (int)(strrchr(path, '/') + 1 - path), path);
  assert_int_equal(symlink(ledger, path), 0);
}

static void what_is_no_ledger_changes_nothing(void **state)
{
  static const struct {
    void (*make)(const char *path);
    enum fault_code code;
  } cases[] = {
      {make_text, FAULT_LEDGER},
      {make_foreign, FAULT_LEDGER},
      {make_newer, FAULT_LEDGER_IS_NEWER},
      {make_damaged, FAULT_LEDGER},
      {make_short, FAULT_LEDGER},
      {make_folder, FAULT_BAD_FILE},
      {make_half, FAULT_BAD_FILE},
      {make_nothing, FAULT_FILE_ERROR},
      {make_link_to_the_ledger, FAULT_BAD_FILE},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct bench *bench = *state;
    AUTO(fault) f = {0};
    AUTO(ledger_restored) restored = {0};
    char path[300];
    add_rows(bench->ledger, 0, 60);
    back_up(bench, NULL);
    add_rows(bench->ledger, 60, 61);
    bench_close(bench);
    path_in(bench, "copy.db", path);
    cases[i].make(path);
    if (ledger_restore(path, bench->path, NOW, &restored, &f) || f.code != cases[i].code)
      fail_msg("case %zu: %s: %s", i, fault_problem_code(f.code), f.detail);
    assert_non_null(strstr(f.detail, "copy.db"));
    assert_int_equal(count_files(bench, "ledger.db.before-restore"), 0);
    assert_int_equal(count_files(bench, "ledger.db-restore"), 0);
    bench_open(bench);
    assert_int_equal(rows_in(bench->ledger), 61);
    bench_free(bench);
    *state = bench_new();
    bench_open(*state);
  }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(issuing_goes_on_while_a_copy_is_made),
      TEST(a_copy_that_is_given_up_leaves_nothing),
      TEST(what_a_killed_daemon_left_behind_is_replaced),
      TEST(what_was_left_behind_goes_with_the_next_start),
      TEST(a_full_disk_leaves_no_half_copy),
      TEST(a_copy_takes_the_place_of_the_ledger_which_is_kept),
      TEST(without_a_ledger_the_copy_is_it),
      TEST(a_ledger_that_cannot_be_opened_is_kept_as_it_is),
      TEST(nothing_is_restored_under_a_daemon),
      TEST(what_is_no_ledger_changes_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
