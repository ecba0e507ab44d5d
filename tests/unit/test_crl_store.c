/* test_crl_store.c - lists on the disk: whole or not at all, and nothing else is served. */
#include "tests/unit/unit.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/crl_serve.h"
#include "daemon/crl_store.h"
#include "daemon/service.h"
#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/pki/pem.h"

static char folder[64];
static struct crl_store *store;

static const struct crl_name issuing = {.authority = "issuing"};
static const struct crl_name delta = {.authority = "issuing", .is_delta = true};
static const struct crl_name shard = {.authority = "issuing", .shard = 12};
static const struct crl_name shard_delta = {.authority = "issuing", .shard = 12, .is_delta = true};

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
  (void)info, (void)type, (void)walk;
  return remove(path);
}

static void open_store(void)
{
  AUTO(fault) f = {0};
  char path[128];
  snprintf(path, sizeof path, "%s/crl", folder);
  assert_true(crl_store_new(path, &store, &f));
}

static int set_up(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/mintmark-store-XXXXXX");
  assert_non_null(mkdtemp(folder));
  open_store();
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  crl_store_free(store);
  nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
  return 0;
}

static void note_list(const char *name, int64_t next_update, void *context)
{
  buf_addf(context, "%s %lld\n", name, (long long)next_update);
}

/* A list in three pieces: "<", n octets, ">". */
static struct crl_whole whole_of(const struct buf *middle, uint8_t digest)
{
  struct crl_whole whole = {.pieces = {bytes_of_text("<"), buf_bytes(middle), bytes_of_text(">")},
                            .this_update = 1800000000,
                            .next_update = 1800000000 + 86400};
  memset(whole.sha256, digest, sizeof whole.sha256);
  return whole;
}

static void fill(struct buf *out, size_t n)
{
  for (size_t i = 0; i < n; i++)
    buf_add_u8(out, (uint8_t)(i * 7 + i / 256));
}

static void put(const struct crl_name *name, size_t n, uint8_t digest)
{
  AUTO(buf) middle = {0};
  AUTO(fault) f = {0};
  fill(&middle, n);
  struct crl_whole whole = whole_of(&middle, digest);
  if (!crl_store_put(store, name, &whole, &f))
    fail_msg("%s", f.detail);
}

static const char *path_of(const char *name, char out[128])
{
  snprintf(out, 128, "%s/crl/%s", folder, name);
  return out;
}

static void read_path(const char *name, struct buf *out)
{
  AUTO(fault) f = {0};
  char path[128];
  if (!file_read(path_of(name, path), 1 << 24, out, &f))
    fail_msg("%s", f.detail);
}

/* What is served under this path; false when nothing is. */
static bool served(const char *path, struct buf *ret_octets, struct crl_served *ret_served)
{
  AUTO(fault) f = {0};
  if (!crl_store_open(store, path, ret_served, &f)) {
    assert_int_equal(f.code, FAULT_NOT_FOUND);
    return false;
  }
  assert_true(buf_reserve(ret_octets, ret_served->size + 1));
  ret_octets->len = (size_t)read(ret_served->fd, ret_octets->data, ret_served->size + 1);
  assert_int_equal(ret_octets->len, ret_served->size);
  close(ret_served->fd);
  return true;
}

/* --- names --- */

static void lists_have_the_names_that_certificates_say(void **state)
{
  (void)state;
  const struct {
    const struct crl_name *name;
    const char *text;
  } rows[] = {{&issuing, "issuing.crl"},
              {&delta, "issuing/delta.crl"},
              {&shard, "issuing/12.crl"},
              {&shard_delta, "issuing/12-delta.crl"}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO(buf) url = {0};
    char text[CRL_NAME_SIZE], wanted[160];
    crl_name_text(rows[i].name, "crl", text);
    assert_string_equal(text, rows[i].text);
    crl_name_url(rows[i].name, "http://ca.example", &url);
    snprintf(wanted, sizeof wanted, "http://ca.example/crl/%s", rows[i].text);
    assert_string_equal(buf_text(&url), wanted);
  }
}

/* --- writing and serving --- */

static void a_list_is_served_as_der_and_pem(void **state)
{
  (void)state;
  static const size_t sizes[] = {1, 45, 46, 47, 48 * 1024 - 2, 48 * 1024, 200000};
  for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
    AUTO(buf) der = {0}, pem = {0}, wanted = {0}, wanted_pem = {0};
    struct crl_served s;
    put(&issuing, sizes[i], (uint8_t)i);
    buf_add_text(&wanted, "<");
    fill(&wanted, sizes[i]);
    buf_add_text(&wanted, ">");
    pem_add(&wanted_pem, "X509 CRL", buf_bytes(&wanted));
    assert_true(served("issuing.crl", &der, &s));
    assert_true(bytes_equal(buf_bytes(&der), buf_bytes(&wanted)));
    assert_string_equal(s.content_type, "application/pkix-crl");
    assert_true(served("issuing.pem", &pem, &s));
    assert_true(bytes_equal(buf_bytes(&pem), buf_bytes(&wanted_pem)));
    assert_string_equal(s.content_type, "application/x-pem-file");
  }
}

static void every_list_has_a_place_of_its_own(void **state)
{
  (void)state;
  static const char *const names[] = {"issuing.crl", "issuing/delta.crl", "issuing/12.crl",
                                      "issuing/12-delta.crl"};
  put(&shard_delta, 13, 4);
  put(&issuing, 10, 1);
  put(&shard, 12, 3);
  put(&delta, 11, 2);
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(buf) octets = {0};
    struct crl_served s;
    struct stat st;
    char path[128];
    assert_true(served(names[i], &octets, &s));
    assert_int_equal(s.size, 12 + i);
    assert_int_equal(stat(path_of(names[i], path), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
  }
}

static void nothing_else_is_served(void **state)
{
  (void)state;
  static const char *const names[] = {"",
                                      "issuing",
                                      "issuing/",
                                      "issuing.crl/",
                                      "/issuing.crl",
                                      "./issuing.crl",
                                      "../crl/issuing.crl",
                                      "issuing.crl.new",
                                      "issuing%2ecrl",
                                      "ISSUING.crl",
                                      "secret",
                                      "../secret",
                                      "issuing/12.crl",
                                      "issuing.crl\n"};
  put(&issuing, 10, 1);
  char path[128];
  AUTO(fault) f = {0};
  assert_true(file_write(path_of("secret", path), bytes_of_text("s"), 0600, true, &f));
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(buf) octets = {0};
    struct crl_served s;
    if (served(names[i], &octets, &s))
      fail_msg("served: %s", names[i]);
  }
}

/* A reply that has begun goes on with the list that it began with. */
static void a_new_list_takes_the_place_of_the_old_one(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  struct crl_served before, after;
  put(&issuing, 10, 1);
  assert_true(crl_store_open(store, "issuing.crl", &before, &f));
  put(&issuing, 20, 2);
  assert_true(crl_store_open(store, "issuing.crl", &after, &f));
  assert_int_equal(lseek(before.fd, 0, SEEK_END), 12);
  assert_int_equal(lseek(after.fd, 0, SEEK_END), 22);
  assert_string_not_equal(before.etag, after.etag);
  close(before.fd);
  close(after.fd);
}

static void what_cannot_be_written_leaves_the_old_one(void **state)
{
  (void)state;
  AUTO(buf) middle = {0}, octets = {0};
  AUTO(fault) f = {0};
  struct crl_whole whole = whole_of(&middle, 9);
  struct crl_served s;
  char path[128];
  put(&issuing, 10, 1);
  /* A folder is where the new file is to be written. */
  assert_int_equal(mkdir(path_of("issuing.crl.new", path), 0700), 0);
  assert_false(crl_store_put(store, &issuing, &whole, &f));
  assert_int_equal(f.code, FAULT_FILE_ERROR);
  assert_true(served("issuing.crl", &octets, &s));
  assert_int_equal(s.size, 12);
  assert_int_equal(rmdir(path), 0);
}

static void no_authority_is_called_so_that_its_lists_stand_elsewhere(void **state)
{
  (void)state;
  static const char *const names[] = {"", ".", "..", ".hidden", "a/b", "../a", "a.crl"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(buf) middle = {0};
    AUTO(fault) f = {0};
    const struct crl_name name = {.authority = names[i], .is_delta = true};
    struct crl_whole whole = whole_of(&middle, 1);
    assert_false(crl_store_put(store, &name, &whole, &f));
    assert_int_equal(f.code, FAULT_FILE_ERROR);
  }
}

/* --- after a restart --- */

static void what_is_on_the_disk_is_taken_up(void **state)
{
  (void)state;
  AUTO(buf) der = {0}, octets = {0};
  AUTO(fault) f = {0};
  struct crl_served s;
  bool found;
  put(&shard, 100, 7);
  crl_store_free(store);
  open_store();
  assert_false(served("issuing/12.crl", &octets, &s));
  assert_true(crl_store_read(store, &issuing, &found, &der, &f));
  assert_false(found);
  assert_true(crl_store_read(store, &shard, &found, &der, &f));
  assert_true(found);
  struct crl_whole whole = {.pieces = {buf_bytes(&der)}};
  assert_true(crl_store_adopt(store, &shard, &whole, &f));
  assert_true(served("issuing/12.crl", &octets, &s));
  assert_int_equal(s.size, 102);
}

static void a_pem_file_of_another_list_is_made_anew(void **state)
{
  (void)state;
  static const char *const broken[] = {"", "-----BEGIN X509 CRL-----\n", NULL};
  for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
    AUTO(buf) der = {0}, good = {0}, repaired = {0};
    AUTO(fault) f = {0};
    char path[128];
    bool found;
    put(&issuing, 100 + i, 7);
    read_path("issuing.pem", &good);
    if (broken[i] != NULL) {
      assert_true(
          file_write(path_of("issuing.pem", path), bytes_of_text(broken[i]), 0600, true, &f));
    } else {
      buf_add_text(&good, "x");
      assert_true(file_write(path_of("issuing.pem", path), buf_bytes(&good), 0600, true, &f));
      good.len--;
    }
    assert_true(crl_store_read(store, &issuing, &found, &der, &f));
    struct crl_whole whole = {.pieces = {buf_bytes(&der)}};
    assert_true(crl_store_adopt(store, &issuing, &whole, &f));
    read_path("issuing.pem", &repaired);
    assert_true(bytes_equal(buf_bytes(&repaired), buf_bytes(&good)));
  }
}

static void a_list_that_is_dropped_is_nowhere(void **state)
{
  (void)state;
  AUTO(buf) octets = {0};
  struct crl_served s;
  char path[128];
  put(&issuing, 1, 1);
  put(&delta, 2, 2);
  crl_store_drop(store, &delta);
  crl_store_drop(store, &shard);
  assert_false(served("issuing/delta.crl", &octets, &s));
  assert_false(served("issuing/delta.pem", &octets, &s));
  assert_false(file_exists(path_of("issuing/delta.crl", path)));
  assert_true(served("issuing.crl", &octets, &s));
}

/* --- the handler --- */

enum handled exchange_fail(struct exchange *x, const struct fault *f)
{
  x->code = f->code;
  return HANDLED;
}

static struct exchange ask(const char *name, const char *if_none_match)
{
  static struct service service;
  service.crls = store;
  struct exchange x = {.service = &service, .path_rest = name};
  snprintf(x.if_none_match, sizeof x.if_none_match, "%s", if_none_match);
  assert_int_equal(crl_serve(&x), HANDLED);
  if (x.reply.file.given)
    close(x.reply.file.fd);
  return x;
}

static void whoever_has_the_list_is_told_so(void **state)
{
  (void)state;
  put(&issuing, 10, 0xab);
  struct exchange first = ask("issuing.crl", "");
  assert_int_equal(first.reply.status, 200);
  assert_int_equal(first.reply.file.size, 12);
  assert_string_equal(first.reply.etag, "\"abababababababababababababababab\"");
  assert_int_equal(first.reply.modified_at, 1800000000);
  assert_int_equal(ask("issuing.crl", first.reply.etag).reply.status, 304);
  assert_int_equal(ask("issuing.pem", first.reply.etag).reply.status, 200);
  put(&issuing, 10, 0xac);
  assert_int_equal(ask("issuing.crl", first.reply.etag).reply.status, 200);
  assert_int_equal(ask("other.crl", "*").code, FAULT_NOT_FOUND);
}

static void no_reply_holds_for_longer_than_the_list(void **state)
{
  (void)state;
  static const struct {
    int64_t left_s;
    unsigned least, most;
  } rows[] = {{-5, 0, 0}, {0, 0, 0}, {100, 90, 100}, {86400, 300, 300}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO(buf) middle = {0};
    AUTO(fault) f = {0};
    struct crl_whole whole = whole_of(&middle, 1);
    whole.next_update = when_now() + rows[i].left_s;
    assert_true(crl_store_put(store, &issuing, &whole, &f));
    assert_in_range(ask("issuing.crl", "").reply.max_age_s, rows[i].least, rows[i].most);
  }
}

static void each_list_is_told_of_once(void **state)
{
  (void)state;
  AUTO(buf) lists = {0};
  put(&shard_delta, 10, 1);
  put(&issuing, 10, 2);
  crl_store_each(store, note_list, &lists);
  assert_string_equal(buf_text(&lists),
                      "issuing.crl 1800086400\nissuing/12-delta.crl 1800086400\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lists_have_the_names_that_certificates_say),
      TEST(a_list_is_served_as_der_and_pem),
      TEST(every_list_has_a_place_of_its_own),
      TEST(nothing_else_is_served),
      TEST(a_new_list_takes_the_place_of_the_old_one),
      TEST(what_cannot_be_written_leaves_the_old_one),
      TEST(no_authority_is_called_so_that_its_lists_stand_elsewhere),
      TEST(what_is_on_the_disk_is_taken_up),
      TEST(a_pem_file_of_another_list_is_made_anew),
      TEST(a_list_that_is_dropped_is_nowhere),
      TEST(whoever_has_the_list_is_told_so),
      TEST(no_reply_holds_for_longer_than_the_list),
      TEST(each_list_is_told_of_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
