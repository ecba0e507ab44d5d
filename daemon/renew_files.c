/* renew_files.c - see renew_files.h. */
#include "daemon/renew_files.h"

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

bool renew_files_write(const char *certificate_path, const char *key_path, struct bytes certificate,
                       struct bytes key, struct fault *f)
{
  AUTO(paths) paths = {0};
  return make_paths(certificate_path, key_path, &paths, f) &&
         file_write(buf_text(&paths.certificate), certificate, 0644, true, f) &&
         file_write(buf_text(&paths.key), key, 0600, true, f) &&
         file_put_in_place(buf_text(&paths.key), key_path, f) &&
         file_put_in_place(buf_text(&paths.certificate), certificate_path, f);
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
    return file_put_in_place(buf_text(&paths.certificate), certificate_path, f);
  unlink(buf_text(&paths.certificate));
  unlink(buf_text(&paths.key));
  return true;
}
