/* test_cli_client.c - where the daemon is, what its problem documents say, and when it is not
 * there. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/client_problem.h"
#include "cli/where.h"
#include "lib/base/file.h"
#include "lib/base/when.h"

static char folder[] = "/tmp/mintmark-client-XXXXXX";

static void put(const char *name, const char *content)
{
  AUTO(fault) f = {0};
  char path[128];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  if (!file_write(path, bytes_of_text(content), 0600, true, &f))
    fail_msg("%s", f.detail);
}

static int make_folder(void **state)
{
  (void)state;
  if (mkdtemp(folder) == NULL)
    return -1;
  put("mintmark.conf", "# comment\nlisten = \"0.0.0.0:9443\"\n");
  put("admin.token", "admin.secret\n");
  put("root.crt", "");
  return 0;
}

static int remove_folder(void **state)
{
  static const char *const names[] = {"mintmark.conf", "admin.token", "root.crt", "other.token"};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  return rmdir(folder);
}

static void clear_environment(void)
{
  unsetenv("MINTMARK_URL");
  unsetenv("MINTMARK_TOKEN_FILE");
  unsetenv("MINTMARK_CACERT");
}

static void read_args(int n, const char *const *words, struct args *args)
{
  AUTO(fault) f = {0};
  if (!args_read(&verb_log, n, (char **)(uintptr_t)words, args, &f))
    fail_msg("%s", f.detail);
}

static void a_folder_of_init_gives_all_three(void **state)
{
  const char *const words[] = {"--dir", folder};
  struct where where = {0};
  AUTO(args) args = {0};
  AUTO(fault) f = {0};
  char root[128];
  (void)state;
  clear_environment();
  setenv("MINTMARK_URL", "https://elsewhere:1", 1);
  read_args(2, words, &args);
  assert_true(where_find(&args, &where, &f));
  assert_string_equal(where.url, "https://127.0.0.1:9443");
  assert_string_equal(buf_text(&where.token), "admin.secret");
  snprintf(root, sizeof root, "%s/root.crt", folder);
  assert_string_equal(where.cacert, root);
  where_free(&where);
}

static void an_option_goes_before_the_folder(void **state)
{
  char token[128];
  snprintf(token, sizeof token, "%s/other.token", folder);
  const char *const words[] = {"--dir", folder, "--url", "https://x:1/", "--token-file", token};
  struct where where = {0};
  AUTO(args) args = {0};
  AUTO(fault) f = {0};
  (void)state;
  clear_environment();
  put("other.token", "line-1.other");
  read_args(6, words, &args);
  assert_true(where_find(&args, &where, &f));
  assert_string_equal(where.url, "https://x:1");
  assert_string_equal(buf_text(&where.token), "line-1.other");
  where_free(&where);
}

static void without_a_hint_it_is_wrong_usage(void **state)
{
  struct where where = {0};
  AUTO(args) args = {0};
  AUTO(fault) f = {0};
  (void)state;
  clear_environment();
  read_args(0, NULL, &args);
  assert_false(where_find(&args, &where, &f));
  assert_int_equal(f.code, FAULT_BAD_USAGE);
  assert_non_null(strstr(f.detail, "--dir"));
  where_free(&where);
  setenv("MINTMARK_URL", "http://127.0.0.1:1", 1);
  assert_false(where_find(&args, &where, &f));
  assert_non_null(strstr(f.detail, "https://"));
  where_free(&where);
}

/* A port that is bound and does not listen: nobody else can answer there meanwhile. */
static int silent_port(int *ret_fd)
{
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  *ret_fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(*ret_fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(getsockname(*ret_fd, (struct sockaddr *)&address, &len), 0);
  return ntohs(address.sin_port);
}

static void a_daemon_that_is_not_there_is_unreachable(void **state)
{
  int fd;
  char url[64];
  snprintf(url, sizeof url, "https://127.0.0.1:%d", silent_port(&fd));
  const char *const words[] = {"--dir", folder, "--url", url, "--timeout", "1"};
  AUTO(args) args = {0};
  AUTO(client) client = NULL;
  AUTO(fault) f = {0};
  (void)state;
  clear_environment();
  read_args(6, words, &args);
  assert_true(client_open(&args, 0, &client, &f));
  json_t *reply = NULL;
  int64_t before = when_monotonic_ms();
  const struct call call = {.path = "/v1/certificates"};
  assert_false(client_call(client, &call, NULL, &reply, &f));
  int64_t took = when_monotonic_ms() - before;
  assert_int_equal(f.code, FAULT_UNREACHABLE);
  assert_non_null(strstr(f.detail, url));
  assert_true(took >= 900 && took < 10000); /* it kept trying as long as it was told to */
  assert_null(reply);
  close(fd);
}

static void a_problem_document_becomes_its_fault(void **state)
{
  AUTO(fault) f = {0};
  (void)state;
  problem_read(bytes_of_text("{\"status\":422,\"code\":\"name-not-allowed\",\"title\":\"T\","
                             "\"detail\":\"D\",\"errors\":[{\"name\":\"8.8.8.8\",\"why\":\"W\"},"
                             "{\"name\":\"a\\u001b[31mb\",\"why\":\"X\"}]}"),
               true, 422, &f);
  assert_int_equal(f.code, FAULT_NAME_NOT_ALLOWED);
  assert_string_equal(f.detail, "T: D");
  assert_int_equal(f.n_items, 2);
  assert_string_equal(f.items[0].name, "8.8.8.8");
  assert_string_equal(f.items[0].why, "W");
  assert_null(strchr(f.items[1].name, '\033')); /* a terminal must not obey it */
}

static void without_a_document_the_status_speaks(void **state)
{
  static const struct {
    const char *body;
    bool is_problem;
    long status;
    enum fault_code code;
  } cases[] = {
      {"<html>", false, 502, FAULT_INTERNAL},
      {"", false, 503, FAULT_BUSY},
      {"{", true, 429, FAULT_TOO_MANY_REQUESTS},
      {"[]", true, 404, FAULT_NOT_FOUND},
      {"{\"code\":7}", true, 400, FAULT_BAD_REQUEST},
      {"", false, 401, FAULT_UNAUTHENTICATED},
      {"{\"code\":\"bad-usage\"}", true, 500, FAULT_INTERNAL},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(fault) f = {0};
    assert_false(
        problem_read(bytes_of_text(cases[i].body), cases[i].is_problem, cases[i].status, &f));
    assert_int_equal(f.code, cases[i].code);
    assert_true(f.detail[0] != '\0');
  }
}

static void a_query_is_escaped(void **state)
{
  AUTO(buf) query = {0};
  (void)state;
  query_add(&query, "order", "PO 7&8=ü");
  query_add(&query, "model", NULL);
  query_add(&query, "limit", "5");
  assert_string_equal(buf_text(&query), "?order=PO%207%268%3D%C3%BC&limit=5");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_folder_of_init_gives_all_three),
      cmocka_unit_test(an_option_goes_before_the_folder),
      cmocka_unit_test(without_a_hint_it_is_wrong_usage),
      cmocka_unit_test(a_daemon_that_is_not_there_is_unreachable),
      cmocka_unit_test(a_problem_document_becomes_its_fault),
      cmocka_unit_test(without_a_document_the_status_speaks),
      cmocka_unit_test(a_query_is_escaped),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
