/* verb_backup.c - mintmark backup: a copy of the ledger of a daemon that goes on working. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/json_out.h"
#include "cli/screen.h"
#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/base/text.h"

/* The daemon reads its whole ledger twice before the first octet comes. */
enum { PATIENCE_S = 10, SILENCE_S = 4 * 3600 };

AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX, EVP_MD_CTX_free)

struct backup {
  const char *path;
  struct buf new_path;
  FILE *file; /* the new one, until it has its name */
  bool force;
  struct arrival arrival;
  uint8_t sha256[EVP_MAX_MD_SIZE];
  unsigned sha256_len;
};

static void backup_free(struct backup *backup)
{
  if (backup->file != NULL) {
    fclose(backup->file);
    unlink(buf_text(&backup->new_path));
  }
  buf_free(&backup->new_path);
}
AUTO_VALUE(backup, struct backup, backup_free)

static bool fail(const char *verb, const char *path, struct fault *f)
{
  return fault_set(f, FILE_ERROR, "cannot %s %s: %s", verb, path, strerror(errno));
}

static bool is_there(const char *path, struct fault *f)
{
  return fault_set(f, FILE_ERROR, "%s is already there: --force replaces it", path);
}

/* --- the new file --- */

/* What an earlier one left behind when it was interrupted is begun anew, unless it is still at it.
 */
static bool open_new(struct backup *backup, struct fault *f)
{
  buf_addf(&backup->new_path, "%s.new", backup->path);
  const char *path = buf_text(&backup->new_path);
  if (!buf_ok(&backup->new_path))
    return fault_no_memory(f);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return fail("write", path, f);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return fault_set(f, FILE_ERROR, "%s is being written by another backup", path);
  }
  backup->file = fdopen(fd, "w+");
  if (backup->file == NULL) {
    close(fd);
    return fault_no_memory(f);
  }
  return (ftruncate(fd, 0) == 0 && fchmod(fd, 0600) == 0) || fail("write", path, f);
}

static bool digest_file(struct backup *backup, struct fault *f)
{
  AUTO(EVP_MD_CTX) digest = EVP_MD_CTX_new();
  char block[64 * 1024];
  rewind(backup->file);
  if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
    return fault_no_memory(f);
  for (size_t n; (n = fread(block, 1, sizeof block, backup->file)) > 0;)
    if (EVP_DigestUpdate(digest, block, n) != 1)
      return fault_no_memory(f);
  if (ferror(backup->file))
    return fail("read", buf_text(&backup->new_path), f);
  return EVP_DigestFinal_ex(digest, backup->sha256, &backup->sha256_len) == 1 || fault_no_memory(f);
}

/* What is in the file is what the daemon has sent: the octets in their number were curl's matter.
 */
static bool check_new(struct backup *backup, struct fault *f)
{
  AUTO(buf) expected = {0};
  if (fflush(backup->file) != 0 || fsync(fileno(backup->file)) != 0)
    return fail("write", buf_text(&backup->new_path), f);
  if (!digest_file(backup, f))
    return false;
  buf_add_text(&expected, "sha-256=:");
  base64_add(&expected, bytes_of(backup->sha256, backup->sha256_len), 0);
  buf_add_text(&expected, ":");
  if (strcmp(buf_text(&expected), backup->arrival.repr_digest) == 0)
    return true;
  return fault_set(f, FILE_ERROR, "what arrived is not what the daemon sent: its SHA-256 differs");
}

/* Not every file system can refuse to replace; then a file that comes there this very moment is
 * lost. */
static bool take_name(const struct backup *backup, const char *new_path, struct fault *f)
{
  unsigned flags = backup->force ? 0 : RENAME_NOREPLACE;
  int status = renameat2(AT_FDCWD, new_path, AT_FDCWD, backup->path, flags);
  if (status != 0 && !backup->force && (errno == EINVAL || errno == ENOSYS))
    status = file_exists(backup->path) ? (errno = EEXIST, -1) : rename(new_path, backup->path);
  if (status == 0)
    return true;
  return errno == EEXIST ? is_there(backup->path, f) : fail("write", backup->path, f);
}

static bool sync_folder(const char *path, struct fault *f)
{
  char *folder = file_beside(path, ".");
  int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  bool synced = fd >= 0 && fsync(fd) == 0;
  free(folder);
  if (!synced)
    fail("write", path, f);
  if (fd >= 0)
    close(fd);
  return synced;
}

static bool keep(struct backup *backup, struct fault *f)
{
  if (!check_new(backup, f) || !take_name(backup, buf_text(&backup->new_path), f))
    return false;
  fclose(backup->file);
  backup->file = NULL;
  return sync_folder(backup->path, f);
}

/* --- the verb --- */

static bool receive(struct backup *backup, const struct args *args, struct fault *f)
{
  AUTO(client) client = NULL;
  if (!client_open(args, PATIENCE_S, &client, f) || !open_new(backup, f))
    return false;
  const struct call call = {.path = "/v1/backups",
                            .post = true,
                            .accept = "application/vnd.sqlite3, application/problem+json",
                            .to = backup->file,
                            .arrival = &backup->arrival,
                            .silence_s = SILENCE_S};
  screen_busy("the daemon copies its ledger");
  bool received = client_call(client, &call, NULL, NULL, f);
  screen_done();
  progress_end(&backup->arrival.progress);
  return received;
}

static bool tell(const struct backup *backup, bool json, struct fault *f)
{
  char sha256[2 * EVP_MAX_MD_SIZE + 1];
  text_hex(sha256, backup->sha256, backup->sha256_len);
  if (json)
    return json_print(json_pack("{s:s, s:I, s:s}", "file", backup->path, "octets",
                                (json_int_t)backup->arrival.octets, "sha256", sha256),
                      f);
  printf("%s holds the ledger as it was when the copy began: %llu octets, SHA-256\n%s\n",
         backup->path, (unsigned long long)backup->arrival.octets, sha256);
  return true;
}

static bool run(const struct args *args, struct fault *f)
{
  AUTO(backup)
  backup = {
      .path = args->operands[0], .force = args_has(args, "force"), .arrival.what = "receiving"};
  if (!backup.force && file_exists(backup.path))
    return is_there(backup.path, f);
  return receive(&backup, args, f) && keep(&backup, f) && tell(&backup, args_has(args, "json"), f);
}

static const struct option options[] = {
    {"force", NULL, "replace FILE when it is there", 0},
    {"json", NULL, "print the result as JSON", 0},
    {0},
};

static const char *const examples[] = {
    "Every night, from cron",
    "mintmark backup /backup/mintmark-$(date +%F).db --dir acme",
    NULL,
};

const struct verb verb_backup = {
    .name = "backup",
    .operands = "FILE",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "a copy of the ledger, while the daemon goes on working",
    .about =
        "Asks the daemon for a copy of its ledger as it is at this moment, and writes it to FILE "
        "(mode 0600) once all of it is there and its SHA-256 is right. It is one SQLite file; "
        "mintmark restore puts it back. For administrators. The authority's keys and "
        "configuration are not in it.",
    .options = options,
    .asks_daemon = true,
    .examples = examples,
    .run = run,
};
