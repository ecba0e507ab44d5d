/* ledger_backup.c - a copy of the ledger, made while it is in use. */
#include "lib/ca/ledger_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/ca/ledger_private.h"

/* A step is a moment's work; the check asks about as often. */
enum { STEP_PAGES = 64, CHECK_STEPS = 100000 };

static bool ask_watch(const struct ledger_watch *watch, int64_t done, int64_t of, struct fault *f)
{
  return watch == NULL || watch->go_on(watch->context, done, of) ||
         fault_set(f, STOPPING, "the copy of the ledger was given up");
}

/* --- what is in a file --- */

/* A ledger from before there were any has no table of them. */
static bool count_revocations(struct ledger_connection *c, int64_t *ret_n, struct fault *f)
{
  int64_t tables;
  *ret_n = 0;
  return ledger_ask(c, "SELECT count(*) FROM sqlite_schema WHERE name = 'revocations'", &tables,
                    f) &&
         (tables == 0 || ledger_ask(c, "SELECT coalesce(max(id), 0) FROM revocations", ret_n, f));
}

bool ledger_read_facts(struct ledger_connection *c, struct ledger_facts *ret_facts, struct fault *f)
{
  static const char last[] =
      "SELECT coalesce((SELECT issued_at FROM certificates ORDER BY id DESC LIMIT 1), 0)";
  struct ledger_facts facts = {0};
  if (!ledger_ask(c, "SELECT coalesce(max(id), 0) FROM certificates", &facts.certificates, f) ||
      !ledger_ask(c, last, &facts.last_issued_at_ms, f) ||
      !count_revocations(c, &facts.revocations, f))
    return false;
  *ret_facts = facts;
  return true;
}

bool ledger_check_whole(struct ledger_connection *c, const char *pragma, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool row;
  if (!ledger_call_open_text(c, pragma, &call, f) || !ledger_call_step(&call, &row, f))
    return false;
  struct bytes said = row ? ledger_call_column(&call, 0) : bytes_of_text("no answer");
  return bytes_equal(said, bytes_of_text("ok")) ||
         fault_set(f, LEDGER, "%s is damaged: %.*s", c->path, (int)said.len,
                   (const char *)said.data);
}

bool ledger_make_single_file(struct ledger_connection *c, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool row;
  if (!ledger_call_open_text(c, "PRAGMA journal_mode = DELETE", &call, f) ||
      !ledger_call_step(&call, &row, f))
    return false;
  return (row && bytes_equal(ledger_call_column(&call, 0), bytes_of_text("delete"))) ||
         fault_set(f, LEDGER, "%s: its write-ahead log cannot be taken in", c->path);
}

/* --- the copy --- */

static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};

bool ledger_remove_file(const char *path, struct fault *f)
{
  for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
    AUTO(buf) name = {0};
    buf_addf(&name, "%s%s", path, suffixes[i]);
    if (!buf_ok(&name))
      return fault_no_memory(f);
    if (unlink(buf_text(&name)) != 0 && errno != ENOENT)
      return ledger_file_fault(buf_text(&name), "cannot be removed", f);
  }
  return true;
}

bool ledger_remove_leftovers(const char *path, struct fault *f)
{
  AUTO(buf) backup = {0}, restore = {0};
  buf_addf(&backup, "%s-backup", path);
  buf_addf(&restore, "%s-restore", path);
  if (buf_text(&backup)[0] == '\0' || buf_text(&restore)[0] == '\0')
    return fault_no_memory(f);
  return ledger_remove_file(buf_text(&backup), f) && ledger_remove_file(buf_text(&restore), f);
}

static bool create(const char *path, struct fault *f)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return ledger_file_fault(path, "cannot be created", f);
  close(fd);
  return true;
}

/* Holds the ledger as it is now, until the connection is closed. */
static bool take_snapshot(struct ledger *ledger, struct ledger_connection **ret_source,
                          struct fault *f)
{
  AUTO(ledger_connection) source = NULL;
  int64_t ignored;
  if (!ledger_connection_open(ledger->path, LEDGER_READS, &source, f) ||
      !ledger_execute(source, "BEGIN", f) ||
      !ledger_ask(source, "SELECT count(*) FROM sqlite_schema", &ignored, f))
    return false;
  *ret_source = TAKE(source);
  return true;
}

/* Each step reads from the source's snapshot, so that nothing that is committed meanwhile makes
 * SQLite begin anew. */
static bool copy_steps(sqlite3_backup *backup, const struct ledger_watch *watch, int *ret_status,
                       struct fault *f)
{
  do {
    *ret_status = sqlite3_backup_step(backup, STEP_PAGES);
    int64_t of = sqlite3_backup_pagecount(backup);
    if (!ask_watch(watch, of - sqlite3_backup_remaining(backup), of, f))
      return false;
  } while (*ret_status == SQLITE_OK);
  return true;
}

static bool copy_pages(struct ledger_connection *source, struct ledger_connection *copy,
                       const struct ledger_watch *watch, struct fault *f)
{
  int status = SQLITE_OK;
  sqlite3_backup *backup = sqlite3_backup_init(copy->db, "main", source->db, "main");
  if (backup == NULL)
    return ledger_sqlite_fault(copy, f);
  bool went_on = copy_steps(backup, watch, &status, f);
  sqlite3_backup_finish(backup);
  if (went_on && status != SQLITE_DONE)
    return fault_set(f, LEDGER, "%s cannot be written: %s", copy->path, sqlite3_errstr(status));
  return went_on;
}

struct check {
  const struct ledger_watch *watch;
  bool given_up;
};

static int while_checking(void *context)
{
  struct check *check = context;
  check->given_up = check->watch != NULL && !check->watch->go_on(check->watch->context, 1, 1);
  return check->given_up;
}

/* Reads all of it back, as whoever restores it will. */
static bool check_copy(const char *path, const struct ledger_watch *watch,
                       struct ledger_facts *ret_facts, struct fault *f)
{
  AUTO(ledger_connection) copy = NULL;
  struct check check = {.watch = watch};
  if (!ledger_connection_open(path, LEDGER_READS, &copy, f))
    return false;
  sqlite3_progress_handler(copy->db, CHECK_STEPS, while_checking, &check);
  if (ledger_check_identity(copy, f) && ledger_check_whole(copy, "PRAGMA quick_check(1)", f) &&
      ledger_read_facts(copy, ret_facts, f))
    return true;
  return check.given_up ? fault_set(f, STOPPING, "the copy of the ledger was given up") : false;
}

/* The journal is for undoing, and a copy that does not come to its end is removed. What is written
 * is on the disk with the last step: see the writer's synchronous. */
static bool make_copy(struct ledger *ledger, const char *path, const struct ledger_watch *watch,
                      struct fault *f)
{
  AUTO(ledger_connection) source = NULL;
  AUTO(ledger_connection) copy = NULL;
  return take_snapshot(ledger, &source, f) && create(path, f) &&
         ledger_connection_open(path, LEDGER_WRITES, &copy, f) &&
         ledger_execute(copy, "PRAGMA journal_mode = MEMORY", f) &&
         copy_pages(source, copy, watch, f) && ledger_make_single_file(copy, f);
}

static bool open_copy(const char *path, int *ret_fd, struct fault *f)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0)
    return ledger_file_fault(path, "cannot be read", f);
  *ret_fd = fd;
  return true;
}

bool ledger_backup(struct ledger *ledger, const struct ledger_watch *watch, int *ret_fd,
                   struct ledger_facts *ret_facts, struct fault *f)
{
  AUTO(buf) name = {0};
  AUTO(fault) ignored = {0};
  struct ledger_facts facts;
  int fd = -1;
  buf_addf(&name, "%s-backup", ledger->path);
  const char *path = buf_text(&name);
  if (!buf_ok(&name))
    return fault_no_memory(f);
  /* A daemon that was killed may have left one. */
  bool done = ledger_remove_file(path, f) && make_copy(ledger, path, watch, f) &&
              check_copy(path, watch, &facts, f) && open_copy(path, &fd, f);
  ledger_remove_file(path, &ignored);
  if (!done)
    return false;
  *ret_fd = fd;
  *ret_facts = facts;
  return true;
}
