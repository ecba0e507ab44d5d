/* ledger_restore.c - puts a copy in the place of the ledger. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/ca/ledger_private.h"

static void close_fd(int *fd)
{
  if (*fd >= 0)
    close(*fd);
}
AUTO_VALUE(fd, int, close_fd)

struct restore {
  const char *from, *path;
  struct buf copy, aside; /* paths */
  bool has_ledger;        /* there is one at `path` */
  uid_t uid;              /* whose the copy is to be */
  gid_t gid;
};

static void restore_free(struct restore *restore)
{
  buf_free(&restore->copy);
  buf_free(&restore->aside);
}
AUTO_VALUE(restore, struct restore, restore_free)

void ledger_restored_free(struct ledger_restored *restored)
{
  buf_free(&restored->aside);
}

/* --- what is there --- */

static bool make_paths(struct restore *restore, int64_t now, struct fault *f)
{
  struct when_civil at = when_to_civil(now);
  buf_addf(&restore->copy, "%s-restore", restore->path);
  buf_addf(&restore->aside, "%s.before-restore-%04d%02d%02dT%02d%02d%02d", restore->path, at.year,
           at.month, at.day, at.hour, at.minute, at.second);
  return (buf_text(&restore->copy)[0] != '\0' && buf_text(&restore->aside)[0] != '\0') ||
         fault_no_memory(f);
}

static bool find_owner(struct restore *restore, struct fault *f)
{
  struct stat st;
  restore->has_ledger = stat(restore->path, &st) == 0;
  if (!restore->has_ledger) {
    char *folder = file_beside(restore->path, ".");
    if (folder == NULL)
      return fault_no_memory(f);
    bool found = stat(folder, &st) == 0 || ledger_file_fault(folder, "cannot be read", f);
    free(folder);
    if (!found)
      return false;
  }
  restore->uid = st.st_uid;
  restore->gid = st.st_gid;
  return true;
}

/* The daemon must be able to open what root has made. */
static bool give_away(const struct restore *restore, int fd, const char *path, struct fault *f)
{
  return geteuid() != 0 || fchown(fd, restore->uid, restore->gid) == 0 ||
         ledger_file_fault(path, "cannot be given to the ledger's owner", f);
}

static bool lock(const struct restore *restore, int *ret_fd, struct fault *f)
{
  AUTO(buf) lock_path = {0};
  buf_addf(&lock_path, "%s-lock", restore->path);
  return ledger_lock(restore->path, ret_fd, f) &&
         give_away(restore, *ret_fd, buf_text(&lock_path), f);
}

/* --- the copy --- */

/* A file with a write-ahead log beside it is half of a ledger: somebody copied it while it was in
 * use, or uses it now. */
static bool has_log(const char *path)
{
  AUTO(buf) name = {0};
  struct stat st;
  buf_addf(&name, "%s-wal", path);
  return stat(buf_text(&name), &st) == 0 && st.st_size > 0;
}

static bool open_source(const struct restore *restore, int *ret_fd, struct fault *f)
{
  struct stat source, present;
  AUTO(fd) fd = open(restore->from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat(fd, &source) != 0)
    return fault_set(f, FILE_ERROR, "cannot read %s: %s", restore->from, strerror(errno));
  if (!S_ISREG(source.st_mode))
    return fault_set(f, BAD_FILE, "%s is no file", restore->from);
  if (stat(restore->path, &present) == 0 && present.st_dev == source.st_dev &&
      present.st_ino == source.st_ino)
    return fault_set(f, BAD_FILE, "%s is the ledger itself", restore->from);
  if (has_log(restore->from))
    return fault_set(f, BAD_FILE,
                     "%s has a write-ahead log beside it (%s-wal), so that it is not whole by "
                     "itself: take a copy that mintmark backup made",
                     restore->from, restore->from);
  *ret_fd = fd;
  fd = -1;
  return true;
}

static bool copy_octets(const struct restore *restore, int from, int to, struct fault *f)
{
  char block[64 * 1024];
  for (;;) {
    ssize_t n = read(from, block, sizeof block);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fault_set(f, FILE_ERROR, "cannot read %s: %s", restore->from, strerror(errno));
    if (n == 0)
      return true;
    for (ssize_t at = 0, written; at < n; at += written) {
      written = write(to, block + at, (size_t)(n - at));
      if (written < 0 && errno != EINTR)
        return ledger_file_fault((const char *)restore->copy.data, "cannot be written", f);
      if (written < 0)
        written = 0;
    }
  }
}

static bool copy_file(struct restore *restore, struct fault *f)
{
  const char *copy = buf_text(&restore->copy);
  AUTO(fd) from = -1;
  if (!open_source(restore, &from, f))
    return false;
  AUTO(fd) to = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (to < 0)
    return ledger_file_fault(copy, "cannot be created", f);
  return copy_octets(restore, from, to, f) && give_away(restore, to, copy, f);
}

/* It is the copy that is looked at: nobody else has that in hand. */
static bool check_copy(struct restore *restore, struct ledger_facts *ret_facts, struct fault *f)
{
  AUTO(ledger_connection) copy = NULL;
  int64_t version;
  if (!ledger_connection_open(buf_text(&restore->copy), LEDGER_WRITES, &copy, f))
    return fault_prefix(f, "%s cannot be restored", restore->from);
  copy->path = restore->from;
  return ledger_check_identity(copy, f) &&
         ledger_check_version(copy, ledger_migrations, &version, f) &&
         ledger_check_whole(copy, "PRAGMA integrity_check(1)", f) &&
         ledger_read_facts(copy, ret_facts, f) && ledger_make_single_file(copy, f);
}

static bool sync_path(const char *path, int flags, struct fault *f)
{
  AUTO(fd) fd = open(path, flags | O_RDONLY | O_CLOEXEC);
  return (fd >= 0 && fsync(fd) == 0) || ledger_file_fault(path, "cannot be synced", f);
}

static bool sync_folder(const struct restore *restore, struct fault *f)
{
  char *folder = file_beside(restore->path, ".");
  bool synced = folder != NULL ? sync_path(folder, O_DIRECTORY, f) : fault_no_memory(f);
  free(folder);
  return synced;
}

/* --- the exchange --- */

/* What belongs to a database and is not in its own file. */
static const char *const companions[] = {"-wal", "-journal", "-shm"};

/* Whatever else is there, SQLite would throw away what it takes for a log that does not belong to
 * it.
 */
static bool is_database(const char *path)
{
  static const char magic[16] = "SQLite format 3";
  char begin[sizeof magic];
  AUTO(fd) fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  return fd >= 0 && read(fd, begin, sizeof begin) == sizeof begin &&
         memcmp(begin, magic, sizeof magic) == 0;
}

/* All that was committed is in the ledger's own file then. One that cannot be opened any more,
 * which may be why it is to be replaced, is kept as it is, with what belongs to it. */
static void settle_present(const struct restore *restore)
{
  AUTO(fault) ignored = {0};
  AUTO(ledger_connection) present = NULL;
  if (is_database(restore->path) &&
      ledger_connection_open(restore->path, LEDGER_WRITES, &present, &ignored) &&
      ledger_check_identity(present, &ignored))
    ledger_make_single_file(present, &ignored);
}

/* A second name, so that the first one is never without a ledger. */
static bool name_aside(const struct restore *restore, const char *suffix, struct fault *f)
{
  AUTO(buf) from = {0}, to = {0};
  buf_addf(&from, "%s%s", restore->path, suffix);
  buf_addf(&to, "%s%s", (const char *)restore->aside.data, suffix);
  if (!buf_ok(&from) || !buf_ok(&to))
    return fault_no_memory(f);
  bool optional = suffix[0] != '\0';
  if (link(buf_text(&from), buf_text(&to)) == 0 || (optional && errno == ENOENT))
    return true;
  return ledger_file_fault(buf_text(&to), "cannot be made", f);
}

/* Two names for one database would be two write-ahead logs. */
static void forget_aside(const struct restore *restore)
{
  AUTO(fault) ignored = {0};
  ledger_remove_file((const char *)restore->aside.data, &ignored);
}

static bool set_aside(const struct restore *restore, struct fault *f)
{
  if (!restore->has_ledger)
    return true;
  settle_present(restore);
  if (!name_aside(restore, "", f))
    return false;
  bool done = true;
  for (size_t i = 0; i < ARRAY_LEN(companions) && done; i++)
    done = name_aside(restore, companions[i], f);
  if (done && sync_folder(restore, f))
    return true;
  forget_aside(restore);
  return false;
}

/* They would be taken for those of the copy. */
static bool remove_companions(const struct restore *restore, struct fault *f)
{
  for (size_t i = 0; i < ARRAY_LEN(companions); i++) {
    AUTO(buf) name = {0};
    buf_addf(&name, "%s%s", restore->path, companions[i]);
    if (!buf_ok(&name))
      return fault_no_memory(f);
    if (unlink(buf_text(&name)) != 0 && errno != ENOENT)
      return ledger_file_fault(buf_text(&name), "cannot be removed", f);
  }
  return true;
}

static bool exchange(struct restore *restore, struct fault *f)
{
  if (!set_aside(restore, f))
    return false;
  if (remove_companions(restore, f) && (rename(buf_text(&restore->copy), restore->path) == 0 ||
                                        ledger_file_fault(restore->path, "cannot be replaced", f)))
    return sync_folder(restore, f);
  return restore->has_ledger
             ? fault_prefix(f, "the ledger that was there is kept as %s", buf_text(&restore->aside))
             : false;
}

bool ledger_restore(const char *from, const char *path, int64_t now,
                    struct ledger_restored *ret_restored, struct fault *f)
{
  AUTO(restore) restore = {.from = from, .path = path};
  AUTO(fd) lock_fd = -1;
  AUTO(fault) ignored = {0};
  struct ledger_facts facts;
  if (!make_paths(&restore, now, f) || !find_owner(&restore, f) || !lock(&restore, &lock_fd, f) ||
      !ledger_remove_file(buf_text(&restore.copy), f))
    return false;
  bool done = copy_file(&restore, f) && check_copy(&restore, &facts, f) &&
              sync_path(buf_text(&restore.copy), 0, f) && exchange(&restore, f);
  ledger_remove_file(buf_text(&restore.copy), &ignored);
  if (!done)
    return false;
  *ret_restored = (struct ledger_restored){.facts = facts};
  if (restore.has_ledger) {
    ret_restored->aside = restore.aside;
    restore.aside = (struct buf){0};
  }
  return true;
}
