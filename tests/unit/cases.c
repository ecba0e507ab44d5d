/* cases.c - see cases.h. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "tests/unit/cases.h"

enum { CASE_MAX = 1024 * 1024 };

static void put_path(const char *folder, const char *name, const char *file, struct buf *out)
{
  const char *source = getenv("MINTMARK_SRCDIR");
  buf_addf(out, "%s/tests/cases/%s/%s/%s", source != NULL ? source : ".", folder, name, file);
}

void case_read(const char *folder, const char *name, const char *file, struct buf *ret_text)
{
  AUTO(buf) path = {0};
  AUTO(fault) f = {0};
  put_path(folder, name, file, &path);
  if (!file_read(buf_text(&path), CASE_MAX, ret_text, &f))
    fail_msg("%s", f.detail);
}

static int is_case(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

void cases_each(const char *folder, size_t at_least,
                void (*run)(const char *folder, const char *name))
{
  AUTO(buf) path = {0};
  struct dirent **entries;
  put_path(folder, ".", "", &path);
  int n = scandir(buf_text(&path), &entries, is_case, alphasort);
  assert_true(n >= 0 && (size_t)n >= at_least);
  for (int i = 0; i < n; i++) {
    run(folder, entries[i]->d_name);
    free(entries[i]);
  }
  free(entries);
}

void case_expect(const char *folder, const char *name, struct buf *text)
{
  AUTO(buf) path = {0};
  AUTO(buf) expected = {0};
  AUTO(fault) f = {0};
  put_path(folder, name, "expect", &path);
  if (getenv("MINTMARK_UPDATE_CASES") != NULL)
    assert_true(file_write(buf_text(&path), buf_bytes(text), 0644, true, &f));
  case_read(folder, name, "expect", &expected);
  if (!bytes_equal(buf_bytes(text), buf_bytes(&expected)))
    fail_msg("%s/%s gave:\n%s\nand not:\n%s", folder, name, buf_text(text), buf_text(&expected));
}
