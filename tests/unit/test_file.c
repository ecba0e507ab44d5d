/* test_file.c - whole files: bounded reading, writing without half-written files. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"

static char folder[] = "/tmp/mintmark-test-file.XXXXXX";

static const char *in_folder(const char *name)
{
  static char path[200];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void a_file_is_written_with_its_mode_and_read_back(void **state)
{
  AUTO(buf) back = {0};
  AUTO(fault) f = {0};
  struct stat st;
  (void)state;
  buf_add_text(&back, "before ");
  assert_true(file_write(in_folder("key"), bytes_of("a\0b", 3), 0600, false, &f));
  assert_int_equal(stat(in_folder("key"), &st), 0);
  assert_int_equal(st.st_mode & 0777, 0600);
  assert_true(file_read(in_folder("key"), 3, &back, &f));
  assert_true(bytes_equal(buf_bytes(&back), bytes_of("before a\0b", 10)));
}

static void an_existing_file_is_kept_unless_it_is_to_be_replaced(void **state)
{
  AUTO(buf) back = {0};
  AUTO(fault) f = {0};
  (void)state;
  assert_true(file_write(in_folder("one"), bytes_of_text("old"), 0644, false, &f));
  assert_false(file_write(in_folder("one"), bytes_of_text("new"), 0644, false, &f));
  assert_int_equal(f.code, FAULT_FILE_ERROR);
  assert_non_null(strstr(f.detail, "/one"));
  assert_true(file_read(in_folder("one"), 10, &back, &f));
  assert_string_equal(buf_text(&back), "old");
  buf_clear(&back);
  assert_true(file_write(in_folder("one"), bytes_of_text("new"), 0640, true, &f));
  assert_true(file_read(in_folder("one"), 10, &back, &f));
  assert_string_equal(buf_text(&back), "new");
}

static void nothing_is_left_beside_the_files(void **state)
{
  AUTO(fault) f = {0};
  int n = 0;
  (void)state;
  assert_true(file_exists(in_folder("one")));
  assert_false(file_write(in_folder("missing/one"), bytes_of_text("x"), 0644, false, &f));
  assert_false(file_exists(in_folder("missing")));
  DIR *dir = opendir(folder);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
    n += entry->d_name[0] != '.';
  closedir(dir);
  assert_int_equal(n, 2);
}

static void a_file_that_is_too_large_or_missing_adds_nothing(void **state)
{
  AUTO(buf) out = {0};
  AUTO(fault) f = {0};
  (void)state;
  buf_add_text(&out, "x");
  assert_true(file_write(in_folder("one"), bytes_of_text("12345"), 0644, true, &f));
  assert_false(file_read(in_folder("one"), 4, &out, &f));
  assert_int_equal(f.code, FAULT_FILE_ERROR);
  assert_non_null(strstr(f.detail, "4 octets"));
  assert_false(file_read(in_folder("none"), 4, &out, &f));
  assert_false(file_read(folder, 4, &out, &f));
  assert_string_equal(buf_text(&out), "x");
}

static void a_path_is_found_beside_another(void **state)
{
  static const char *const cases[][3] = {
      {"/etc/mintmark/mintmark.conf", "keys/a", "/etc/mintmark/keys/a"},
      {"mintmark.conf", "a", "a"},
      {"/x", "a", "/a"},
      {"demo/mintmark.conf", "/abs", "/abs"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    char *path = file_beside(cases[i][0], cases[i][1]);
    assert_string_equal(path, cases[i][2]);
    free(path);
  }
}

static int make_folder(void **state)
{
  (void)state;
  return mkdtemp(folder) != NULL ? 0 : -1;
}

static int remove_folder(void **state)
{
  (void)state;
  unlink(in_folder("one"));
  unlink(in_folder("key"));
  return rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_is_written_with_its_mode_and_read_back),
      cmocka_unit_test(an_existing_file_is_kept_unless_it_is_to_be_replaced),
      cmocka_unit_test(nothing_is_left_beside_the_files),
      cmocka_unit_test(a_file_that_is_too_large_or_missing_adds_nothing),
      cmocka_unit_test(a_path_is_found_beside_another),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
