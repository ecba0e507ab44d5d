/* pem_file.c - see pem_file.h. */
#include "lib/ca/pem_file.h"

#include "lib/base/file.h"
#include "lib/pki/der.h"
#include "lib/pki/pem.h"

static bool read_objects(struct bytes rest, const char *path, const char *wanted, const char *what,
                         struct buf *ret_ders, size_t max, size_t *ret_n, struct fault *f)
{
  struct bytes label;
  bool broken = false;
  size_t n = 0;
  for (;; n++) {
    AUTO(buf) der = {0};
    if (!pem_next(&rest, &label, &der, &broken))
      break;
    if (!bytes_equal(label, bytes_of_text(wanted)))
      return fault_set(f, BAD_FILE, "%s holds a %.*s; want %ss only", path, (int)label.len,
                       (const char *)label.data, what);
    if (n == max)
      return fault_set(f, BAD_FILE, "%s holds more than %zu %s%s", path, max, what,
                       max == 1 ? "" : "s");
    ret_ders[n] = der;
    der = (struct buf){0};
  }
  if (broken)
    return fault_set(f, BAD_FILE, "%s: PEM object %zu is broken", path, n + 1);
  *ret_n = n;
  return n > 0 || fault_set(f, BAD_FILE, "%s holds no %s in PEM form", path, what);
}

bool pem_file_read(const char *path, const char *label, const char *what, size_t octets_max,
                   struct buf *ret_ders, size_t max, size_t *ret_n, struct fault *f)
{
  AUTO(buf) text = {0};
  if (!file_read(path, octets_max, &text, f))
    return false;
  if (text.len == 0 || text.data[0] != DER_SEQUENCE)
    return read_objects(buf_bytes(&text), path, label, what, ret_ders, max, ret_n, f);
  ret_ders[0] = text;
  text = (struct buf){0};
  *ret_n = 1;
  return true;
}
