/* test_route.c - the table decides: what is not in it is closed. */
#include "tests/unit/unit.h"

#include "daemon/route.h"

static enum handled answer(struct exchange *x)
{
  (void)x;
  return HANDLED;
}

static const char *const json[] = {"application/json", NULL};

static const struct route rows[] = {
    {METHOD_POST, "/things", MAY(ADMIN), 100, json, answer},
    {METHOD_GET, "/things", MAY(ADMIN), 0, NULL, answer},
    {METHOD_GET, "/things/:name", MAY(ADMIN), 0, NULL, answer},
    {METHOD_GET, "/alive", OPEN_TO_ALL, 0, NULL, answer},
    {METHOD_POST, "/things/:name/close", MAY(ADMIN), 100, json, answer},
    {METHOD_GET, "/things/:name/close/all", MAY(ADMIN), 0, NULL, answer},
    {METHOD_GET, "/files/:name.crt", PUBLIC, 0, NULL, answer},
    {METHOD_GET, "/asked/*request", PUBLIC, 0, NULL, answer},
    {METHOD_POST, "/asked/*request", MAY(ADMIN), 0, NULL, answer},
};

struct found {
  const struct route *route;
  enum method method;
  char value[PATH_VALUE_SIZE];
  const char *rest;
  const char *allow;
  enum fault_code code;
};

static struct found find_in(bool public_only, const char *method, const char *path)
{
  AUTO(fault) fault = {0};
  struct route_table table = {rows, ARRAY_LEN(rows), public_only};
  struct route_match match = {0};
  struct found found = {0};
  bool ok = route_find(&table, method, path, &match, &found.allow, &fault);
  assert_int_equal(ok, fault.code == FAULT_NONE);
  found.route = match.route;
  found.method = match.method;
  found.rest = match.rest;
  memcpy(found.value, match.value, sizeof found.value);
  found.code = fault.code;
  return found;
}

static struct found find(const char *method, const char *path)
{
  return find_in(false, method, path);
}

static void a_row_is_found_by_method_and_path(void **state)
{
  (void)state;
  assert_ptr_equal(find("POST", "/things").route, &rows[0]);
  assert_ptr_equal(find("GET", "/things").route, &rows[1]);
  struct found one = find("GET", "/things/0a-B_9");
  assert_ptr_equal(one.route, &rows[2]);
  assert_string_equal(one.value, "0a-B_9");
}

static void a_value_may_stand_in_the_middle(void **state)
{
  (void)state;
  struct found close = find("POST", "/things/PO-7_1/close");
  assert_ptr_equal(close.route, &rows[4]);
  assert_string_equal(close.value, "PO-7_1");
  struct found all = find("GET", "/things/close/close/all");
  assert_ptr_equal(all.route, &rows[5]);
  assert_string_equal(all.value, "close");
  /* It is the only one here: it does not take what is another's. */
  assert_string_equal(find("GET", "/things/a/close").allow, "POST");
  assert_string_equal(find("POST", "/things/a").allow, "GET, HEAD");
}

static void head_is_where_get_is(void **state)
{
  (void)state;
  struct found head = find("HEAD", "/alive");
  assert_ptr_equal(head.route, &rows[3]);
  assert_int_equal(head.method, METHOD_HEAD);
}

static void other_methods_are_told_what_is_allowed(void **state)
{
  (void)state;
  static const char *const methods[] = {"GETX", "GE", "get", "PUT", "DELETE", "TRACE", "", "POSTX"};
  for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
    struct found found = find(methods[i], "/things");
    assert_int_equal(found.code, FAULT_METHOD_NOT_ALLOWED);
    assert_string_equal(found.allow, "GET, HEAD, POST");
    assert_null(found.route);
  }
  assert_string_equal(find("POST", "/alive").allow, "GET, HEAD");
}

static void paths_match_whole_and_undecoded(void **state)
{
  (void)state;
  static const char *const paths[] = {"/",
                                      "",
                                      "/thing",
                                      "/things/",
                                      "//things",
                                      "/things/a/b",
                                      "/things/..",
                                      "/things/.",
                                      "/things/../close/all",
                                      "/files/.crt",
                                      "/files/..crt",
                                      "/files/...crt",
                                      "/files/a",
                                      "/files/a.pem",
                                      "/files/a.crt/",
                                      "/files/a/b.crt",
                                      "/files/acrt",
                                      "/asked/",
                                      "/asked",
                                      "/things/%61",
                                      "/things/a%2fb",
                                      "/THINGS",
                                      "/things/a b",
                                      "/alive/x",
                                      "/things//a",
                                      "/./things",
                                      "/things/../alive",
                                      "things",
                                      "/things//close",
                                      "/things/a/close/",
                                      "/things/a/closed",
                                      "/things/a/clos",
                                      "/things/a//close",
                                      "/things/a/b/close",
                                      "/things/./close",
                                      "/things/a%2fb/close",
                                      "/things/a b/close",
                                      "/things/:name/close/all/",
                                      "/things//close/all",
                                      "/things/a/close/all/more"};
  for (size_t i = 0; i < ARRAY_LEN(paths); i++)
    if (find("GET", paths[i]).code != FAULT_NOT_FOUND)
      fail_msg("found: %s", paths[i]);
}

static void a_value_has_a_bound(void **state)
{
  (void)state;
  char path[8 + 129 + 1] = "/things/";
  memset(path + 8, 'a', 129);
  assert_int_equal(find("GET", path).code, FAULT_NOT_FOUND);
  path[8 + 128] = '\0';
  assert_int_equal(find("GET", path).code, FAULT_NONE);
  char middle[8 + 129 + 6 + 1] = "/things/";
  memset(middle + 8, 'a', 129);
  strcpy(middle + 8 + 129, "/close");
  assert_int_equal(find("POST", middle).code, FAULT_NOT_FOUND);
  strcpy(middle + 8 + 128, "/close");
  assert_int_equal(find("POST", middle).code, FAULT_NONE);
}

static void a_value_may_have_dots_and_something_behind_it(void **state)
{
  (void)state;
  assert_string_equal(find("GET", "/things/a.b..c").value, "a.b..c");
  assert_string_equal(find("GET", "/things/...").value, "...");
  struct found file = find("GET", "/files/issuing-2.old.crt");
  assert_ptr_equal(file.route, &rows[6]);
  assert_string_equal(file.value, "issuing-2.old");
  assert_string_equal(find("GET", "/files/a.crt.crt").value, "a.crt");
}

static void the_rest_is_taken_as_it_came(void **state)
{
  (void)state;
  static const char *const rests[] = {"a",        "a/b",         "/",        "..",
                                      "%2F%3D+=", "MEI/wQD%3d=", "a//b/../c"};
  for (size_t i = 0; i < ARRAY_LEN(rests); i++) {
    char path[64] = "/asked/";
    strcat(path, rests[i]);
    struct found asked = find("GET", path);
    assert_ptr_equal(asked.route, &rows[7]);
    assert_string_equal(asked.rest, rests[i]);
    assert_ptr_equal(asked.rest, path + 7);
    assert_string_equal(asked.value, "");
  }
  assert_ptr_equal(find("POST", "/asked/a").route, &rows[8]);
  assert_string_equal(find("GET", "/things").rest, "");
}

static void the_rest_has_a_bound(void **state)
{
  (void)state;
  char path[7 + PATH_REST_MAX + 2] = "/asked/";
  memset(path + 7, 'a', PATH_REST_MAX + 1);
  assert_int_equal(find("GET", path).code, FAULT_NOT_FOUND);
  path[7 + PATH_REST_MAX] = '\0';
  assert_int_equal(find("GET", path).code, FAULT_NONE);
}

/* A listener for plain HTTP does not even tell what else there is. */
static void rows_that_are_not_public_can_be_left_out(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    assert_int_equal((rows[i].roles & ON_PLAIN_TOO) != 0, rows[i].roles == PUBLIC);
  assert_ptr_equal(find_in(true, "GET", "/files/a.crt").route, &rows[6]);
  assert_ptr_equal(find_in(true, "HEAD", "/asked/a").route, &rows[7]);
  assert_int_equal(find_in(true, "GET", "/alive").code, FAULT_NOT_FOUND);
  assert_int_equal(find_in(true, "GET", "/things").code, FAULT_NOT_FOUND);
  assert_string_equal(find_in(true, "POST", "/asked/a").allow, "GET, HEAD");
}

static enum fault_code body_fault(const struct route *route, uint64_t length, const char *type)
{
  AUTO(fault) fault = {0};
  route_check_body(route, length, type, &fault);
  return fault.code;
}

static void bodies_are_limited_by_the_row(void **state)
{
  (void)state;
  assert_int_equal(body_fault(&rows[0], 100, "application/json"), FAULT_NONE);
  assert_int_equal(body_fault(&rows[0], 101, "application/json"), FAULT_BODY_TOO_LARGE);
  assert_int_equal(body_fault(&rows[0], UINT64_MAX, "application/json"), FAULT_BODY_TOO_LARGE);
  assert_int_equal(body_fault(&rows[0], 1, "text/plain"), FAULT_UNSUPPORTED_MEDIA_TYPE);
  assert_int_equal(body_fault(&rows[0], 1, ""), FAULT_UNSUPPORTED_MEDIA_TYPE);
  assert_int_equal(body_fault(&rows[1], 0, ""), FAULT_NONE);
  assert_int_equal(body_fault(&rows[1], 1, "application/json"), FAULT_BODY_TOO_LARGE);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_row_is_found_by_method_and_path),
      cmocka_unit_test(a_value_may_stand_in_the_middle),
      cmocka_unit_test(head_is_where_get_is),
      cmocka_unit_test(other_methods_are_told_what_is_allowed),
      cmocka_unit_test(paths_match_whole_and_undecoded),
      cmocka_unit_test(a_value_has_a_bound),
      cmocka_unit_test(a_value_may_have_dots_and_something_behind_it),
      cmocka_unit_test(the_rest_is_taken_as_it_came),
      cmocka_unit_test(the_rest_has_a_bound),
      cmocka_unit_test(rows_that_are_not_public_can_be_left_out),
      cmocka_unit_test(bodies_are_limited_by_the_row),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
