/* file.c - see file.h. */
#include "lib/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
  if (*fd > STDERR_FILENO)
    close(*fd);
}

AUTO_VALUE(fd, int, close_fd)

static bool fail(struct fault *f, const char *verb, const char *path)
{
  return fault_set(f, FILE_ERROR, "cannot %s %s: %s", verb, path, strerror(errno));
}

static bool read_all(int fd, const char *path, size_t max, struct buf *out, struct fault *f)
{
  size_t start = out->len;
  for (;;) {
    if (!buf_reserve(out, 16384))
      return fault_no_memory(f);
    ssize_t n = read(fd, out->data + out->len, out->cap - out->len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return fail(f, "read", path);
    if (n == 0)
      return true;
    out->len += (size_t)n;
    if (out->len - start > max)
      return fault_set(f, FILE_ERROR, "%s is larger than %zu octets", path, max);
  }
}

bool file_read(const char *path, size_t max, struct buf *out, struct fault *f)
{
  AUTO(fd) fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  size_t start = out->len;
  if (fd < 0)
    return fail(f, "read", path);
  if (read_all(fd, path, max, out, f))
    return true;
  out->len = start;
  return false;
}

static bool write_all(int fd, struct bytes content)
{
  while (content.len > 0) {
    ssize_t n = write(fd, content.data, content.len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return false;
    content = bytes_of(content.data + n, content.len - (size_t)n);
  }
  return true;
}

/* The name reaches the disk with its folder. */
static bool sync_folder(const char *path)
{
  char *folder = file_beside(path, ".");
  if (folder == NULL)
    return false;
  AUTO(fd) fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  free(folder);
  return fd >= 0 && fsync(fd) == 0;
}

bool file_write(const char *path, struct bytes content, mode_t mode, bool replace, struct fault *f)
{
  AUTO(buf) temporary = {0};
  buf_addf(&temporary, "%s.XXXXXX", path);
  if (buf_text(&temporary)[0] == '\0')
    return fault_no_memory(f);
  AUTO(fd) fd = mkostemp((char *)temporary.data, O_CLOEXEC);
  const char *name = (const char *)temporary.data;
  if (fd < 0)
    return fail(f, "write", path);
  bool written = write_all(fd, content) && fchmod(fd, mode) == 0 && fsync(fd) == 0 &&
                 (replace ? rename(name, path) == 0 : link(name, path) == 0) && sync_folder(path);
  if (!written)
    fail(f, "write", path);
  /* After a rename the name is gone already. */
  if (!replace || !written)
    unlink(name);
  return written;
}

bool file_put_in_place(const char *from, const char *to, struct fault *f)
{
  return (rename(from, to) == 0 && sync_folder(to)) ||
         fault_set(f, FILE_ERROR, "%s cannot take the place of %s: %s", from, to, strerror(errno));
}

bool file_exists(const char *path)
{
  struct stat st;
  return stat(path, &st) == 0;
}

char *file_beside(const char *beside, const char *name)
{
  const char *slash = strrchr(beside, '/');
  char *path = NULL;
  if (name[0] == '/' || slash == NULL)
    return strdup(name);
  return asprintf(&path, "%.*s/%s", (int)(slash - beside), beside, name) < 0 ? NULL : path;
}

char *file_find_program(const char *name, const char *folder)
{
  char self[PATH_MAX];
  char *path = NULL;
  if (strchr(name, '/') != NULL)
    return strdup(name);
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n > 0) {
    self[n] = '\0';
    path = file_beside(self, name);
    if (path == NULL || access(path, X_OK) == 0)
      return path;
    free(path);
  }
  return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}
