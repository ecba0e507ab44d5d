/* renew_files.c - see renew_files.h. */
#include "daemon/renew_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/tls.h"
#include "lib/base/file.h"

struct paths {
  struct buf certificate, key; /* the new ones */
};

static bool make_paths(const char *certificate_path, const char *key_path, struct paths *ret_paths,
                       struct fault *f)
{
  buf_addf(&ret_paths->certificate, "%s.new", certificate_path);
  buf_addf(&ret_paths->key, "%s.new", key_path);
  return (buf_ok(&ret_paths->certificate) && buf_ok(&ret_paths->key)) || fault_no_memory(f);
}

static void paths_free(struct paths *paths)
{
  buf_free(&paths->certificate);
  buf_free(&paths->key);
}

AUTO_VALUE(paths, struct paths, paths_free)

/* The folder is synced, so that one rename is on the disk before the next one begins. */
static bool put_in_place(struct buf *from, const char *to, struct fault *f)
{
  char *folder = file_beside(to, ".");
  if (folder == NULL)
    return fault_no_memory(f);
  bool done = rename(buf_text(from), to) == 0;
  int fd = done ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  done = fd >= 0 && fsync(fd) == 0;
  if (!done)
    fault_set(f, FILE_ERROR, "%s cannot take the place of %s: %s", buf_text(from), to,
              strerror(errno));
  if (fd >= 0)
    close(fd);
  free(folder);
  return done;
}

bool renew_files_write(const char *certificate_path, const char *key_path, struct bytes certificate,
                       struct bytes key, struct fault *f)
{
  AUTO(paths) paths = {0};
  return make_paths(certificate_path, key_path, &paths, f) &&
         file_write(buf_text(&paths.certificate), certificate, 0644, true, f) &&
         file_write(buf_text(&paths.key), key, 0600, true, f) &&
         put_in_place(&paths.key, key_path, f) &&
         put_in_place(&paths.certificate, certificate_path, f);
}

bool renew_files_recover(const char *certificate_path, const char *key_path, struct fault *f)
{
  AUTO(paths) paths = {0};
  AUTO(fault) ignored = {0};
  if (!make_paths(certificate_path, key_path, &paths, f))
    return false;
  if (!file_exists(buf_text(&paths.certificate)))
    return true;
  if (!tls_check(certificate_path, key_path, &ignored) &&
      tls_check(buf_text(&paths.certificate), key_path, &ignored))
    return put_in_place(&paths.certificate, certificate_path, f);
  unlink(buf_text(&paths.certificate));
  unlink(buf_text(&paths.key));
  return true;
}
