/* new_file.c - see new_file.h. */
#include "cli/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/outputs.h"
#include "lib/base/file.h"

static bool fail(const char *path, struct fault *f)
{
  return fault_set(f, FILE_ERROR, "cannot write %s: %s", path, strerror(errno));
}

static bool is_there(const char *path, struct fault *f)
{
  return fault_set(f, FILE_ERROR, "%s is already there: --force replaces it", path);
}

static bool open_new(struct new_file *file, mode_t mode, struct fault *f)
{
  const char *path = buf_text(&file->new_path);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0)
    return fail(path, f);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    close(fd);
    return fault_set(f, FILE_ERROR, "%s is being written by another command", path);
  }
  file->file = fdopen(fd, "w+");
  if (file->file == NULL) {
    close(fd);
    return fault_no_memory(f);
  }
  if (ftruncate(fd, 0) != 0 || (mode == MODE_SECRET && fchmod(fd, mode) != 0))
    return fail(path, f);
  return true;
}

bool new_file_open(const char *path, mode_t mode, bool force, struct new_file *ret_file,
                   struct fault *f)
{
  AUTO(new_file) file = {.path = path, .force = force};
  if (!force && file_exists(path))
    return is_there(path, f);
  buf_addf(&file.new_path, "%s.new", path);
  if (!buf_ok(&file.new_path))
    return fault_no_memory(f);
  if (!open_new(&file, mode, f))
    return false;
  *ret_file = file;
  file = (struct new_file){0};
  return true;
}

bool new_file_sync(struct new_file *file, struct fault *f)
{
  return (fflush(file->file) == 0 && fsync(fileno(file->file)) == 0) ||
         fail(buf_text(&file->new_path), f);
}

/* Not every file system can refuse to replace; then a file that comes there this very moment is
 * lost. */
static bool take_name(const struct new_file *file, const char *new_path, struct fault *f)
{
  unsigned flags = file->force ? 0 : RENAME_NOREPLACE;
  int status = renameat2(AT_FDCWD, new_path, AT_FDCWD, file->path, flags);
  if (status != 0 && !file->force && (errno == EINVAL || errno == ENOSYS))
    status = file_exists(file->path) ? (errno = EEXIST, -1) : rename(new_path, file->path);
  if (status == 0)
    return true;
  return errno == EEXIST ? is_there(file->path, f) : fail(file->path, f);
}

static bool sync_folder(const char *path, struct fault *f)
{
  char *folder = file_beside(path, ".");
  int fd = folder != NULL ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  bool synced = fd >= 0 && fsync(fd) == 0;
  free(folder);
  if (!synced)
    fail(path, f);
  if (fd >= 0)
    close(fd);
  return synced;
}

bool new_file_keep(struct new_file *file, struct fault *f)
{
  if (!take_name(file, buf_text(&file->new_path), f))
    return false;
  fclose(file->file);
  file->file = NULL;
  return sync_folder(file->path, f);
}

void new_file_free(struct new_file *file)
{
  if (file->file != NULL) {
    fclose(file->file);
    unlink(buf_text(&file->new_path));
  }
  buf_free(&file->new_path);
  *file = (struct new_file){0};
}
