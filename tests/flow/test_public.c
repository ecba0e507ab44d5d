/* test_public.c - the plain HTTP listener: what verifiers fetch is there, and nothing else. */
#include "tests/flow/flow.h"

#include <signal.h>
#include <stdio.h>

#include "daemon/route.h"
#include "lib/base/file.h"
#include "lib/pki/pem.h"

static struct flow flow;

static int begin(void **state)
{
  (void)state;
  flow_begin(&flow, NULL);
  assert_int_equal(flow.public_port, 0); /* off unless asked for */
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_edit_conf(&flow, "# public_listen = \"10.1.0.2:8080\"", "public_listen = \"127.0.0.1:0\"");
  flow_edit_conf(&flow, "# request_seconds = 15", "request_seconds = 4");
  flow_start(&flow);
  assert_true(flow.public_port > 0);
  return 0;
}

static int end(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

/* --- what is there --- */

static void the_root_is_the_same_by_tls_and_without(void **state)
{
  (void)state;
  AUTO(answer) plain = {0}, tls = {0};
  flow_ask(&flow, &(struct ask){.path = "/v1/ca/root.crt", .plain = true}, &plain);
  flow_ask(&flow, &(struct ask){.path = "/v1/ca/root.crt"}, &tls);
  assert_int_equal(plain.status, 200);
  assert_int_equal(tls.status, 200);
  assert_string_equal(plain.content_type, "application/x-x509-ca-cert");
  assert_true(plain.body.len > 0);
  assert_int_equal(plain.body.len, tls.body.len);
  assert_memory_equal(plain.body.data, tls.body.data, tls.body.len);
}

static void head_is_answered_and_other_methods_are_not(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  flow_ask(&flow, &(struct ask){.method = "HEAD", .path = "/v1/ca/root.crt", .plain = true},
           &answer);
  assert_int_equal(answer.status, 200);
  assert_int_equal(answer.body.len, 0);
  flow_ask(&flow, &(struct ask){.method = "POST", .path = "/v1/ca/root.crt", .plain = true},
           &answer);
  assert_problem(&answer, 405, "method-not-allowed");
  assert_string_equal(answer.allow, "GET, HEAD");
}

static void assert_file(struct answer *answer, const char *type, const char *file)
{
  char path[128];
  AUTO(buf) wanted = {0};
  AUTO(fault) f = {0};
  assert_int_equal(answer->status, 200);
  assert_string_equal(answer->content_type, type);
  assert_true(file_read(flow_path(&flow, file, path), 1 << 20, &wanted, &f));
  assert_string_equal(buf_text(&answer->body), buf_text(&wanted));
}

static void read_der(const char *file, struct buf *ret_der)
{
  char path[128];
  AUTO(buf) pem = {0};
  AUTO(fault) f = {0};
  struct bytes label;
  bool broken;
  assert_true(file_read(flow_path(&flow, file, path), 1 << 20, &pem, &f));
  struct bytes rest = buf_bytes(&pem);
  assert_true(pem_next(&rest, &label, ret_der, &broken));
}

static void the_authority_is_where_certificates_say(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  AUTO(buf) der = {0};
  read_der("ca/issuing.crt", &der);
  flow_ask(&flow, &(struct ask){.path = "/ca/issuing.crt", .plain = true}, &answer);
  assert_int_equal(answer.status, 200);
  assert_string_equal(answer.content_type, "application/pkix-cert");
  assert_int_equal(answer.body.len, der.len);
  assert_memory_equal(answer.body.data, der.data, der.len);
  flow_ask(&flow, &(struct ask){.path = "/ca/issuing.pem", .plain = true}, &answer);
  assert_file(&answer, "application/pem-certificate-chain", "ca/issuing.crt");
  flow_ask(&flow, &(struct ask){.path = "/ca/roots.pem", .plain = true}, &answer);
  assert_file(&answer, "application/pem-certificate-chain", "ca/root.crt");
  flow_ask(&flow, &(struct ask){.path = "/ca/other.crt", .plain = true}, &answer);
  assert_problem(&answer, 404, "unknown-authority");
  flow_ask(&flow, &(struct ask){.path = "/ca/issuing.key", .plain = true}, &answer);
  assert_problem(&answer, 404, "not-found");
}

static void what_a_client_has_is_not_sent_again(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  struct ask ask = {.path = "/ca/issuing.crt", .plain = true, .header = "If-None-Match: *"};
  flow_ask(&flow, &ask, &answer);
  assert_int_equal(answer.status, 304);
  assert_int_equal(answer.body.len, 0);
  ask.header = "If-None-Match: \"x\"";
  flow_ask(&flow, &ask, &answer);
  assert_int_equal(answer.status, 200);
}

/* --- what is not there --- */

/* The pattern with something in the place of ":name" or "*name". */
static void make_path(const char *pattern, char out[128])
{
  const char *mark = strpbrk(pattern, ":*");
  if (mark == NULL)
    snprintf(out, 128, "%s", pattern);
  else
    snprintf(out, 128, "%.*snothing%s", (int)(mark - pattern), pattern, mark + strcspn(mark, "/."));
}

static bool is_public(const char *path)
{
  AUTO(fault) fault = {0};
  struct route_table table = {routes, n_routes, true};
  struct route_match match;
  const char *allow;
  return route_find(&table, "GET", path, &match, &allow, &fault) ||
         fault.code == FAULT_METHOD_NOT_ALLOWED;
}

static void each_route_that_is_not_public_is_not_there(void **state)
{
  (void)state;
  size_t n_closed = 0;
  for (size_t i = 0; i < n_routes; i++) {
    AUTO(answer) answer = {0};
    char path[128];
    make_path(routes[i].pattern, path);
    if (is_public(path))
      continue;
    n_closed++;
    flow_ask(&flow,
             &(struct ask){.method = routes[i].method == METHOD_POST ? "POST" : "GET",
                           .path = path,
                           .plain = true},
             &answer);
    if (answer.status != 404)
      fail_msg("%s: status %ld", path, answer.status);
    assert_problem(&answer, 404, "not-found");
  }
  assert_true(n_closed >= 20);
}

/* Written out once more: what is public is a matter of thought, not of a flag that slipped in. */
static const char *const public_patterns[] = {
    "/v1/ca/root.crt", "/v1/ca/:name/root.crt", "/ca/roots.pem",
    "/ca/:name.crt",   "/ca/:name.pem",         "/crl/*name",
    "/ocsp",           "/ocsp/*request",
};

static void what_is_public_is_known_here(void **state)
{
  (void)state;
  for (size_t i = 0; i < n_routes; i++) {
    if ((routes[i].roles & ON_PLAIN_TOO) == 0)
      continue;
    size_t n = 0;
    for (size_t k = 0; k < ARRAY_LEN(public_patterns); k++)
      n += strcmp(public_patterns[k], routes[i].pattern) == 0;
    if (n != 1)
      fail_msg("%s stands here %zu times", routes[i].pattern, n);
  }
}

static void a_secret_sent_in_the_clear_is_refused_and_not_logged(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  static const char *const paths[] = {"/v1/ca/root.crt", "/v1/certificates", "/healthz"};
  for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
    flow_ask(&flow, &(struct ask){.path = paths[i], .plain = true, .token = flow.admin}, &answer);
    assert_problem(&answer, 400, "bad-request");
    assert_non_null(strstr(buf_text(&answer.body), "plain HTTP"));
    assert_null(strstr(buf_text(&answer.body), flow.admin));
  }
  flow_wait_for_log(&flow, "/healthz");
  assert_false(flow_log_has(&flow, flow.admin));
  assert_false(flow_log_has(&flow, strchr(flow.admin, '.')));
}

/* --- octets --- */

static long raw(const char *text, double seconds, bool dribble, bool *ret_closed)
{
  return flow_raw_plain(&flow, bytes_of_text(text), seconds, dribble, ret_closed);
}

static void a_connection_serves_many_requests(void **state)
{
  (void)state;
#define GET_ROOT "GET /v1/ca/root.crt HTTP/1.1\r\nHost: a\r\n"
  static const char requests[] = GET_ROOT "\r\n" GET_ROOT "\r\n";
  bool closed;
  /* It stays open behind the second, and ends behind one that says so. */
  assert_int_equal(raw(requests, 1, false, &closed), 200);
  assert_false(closed);
  assert_int_equal(raw(GET_ROOT "\r\n" GET_ROOT "Connection: close\r\n\r\n", 10, false, &closed),
                   200);
  assert_true(closed);
}

static void malformed_requests_end_the_connection(void **state)
{
  (void)state;
  static const char *const requests[] = {
      GET_ROOT "Host: b\r\n\r\n",
      GET_ROOT "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "GET /v1/ca/root.crt HTTP/1.1\nHost: a\n\n",
      "GET /v1/ca/root.crt HTTP/1.1\r\n\r\n",
      GET_ROOT "X : b\r\n\r\n",
      GET_ROOT "X: b\r\n c\r\n\r\n",
      "GET http://a/v1/ca/root.crt HTTP/1.1\r\nHost: a\r\n\r\n",
  };
  for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
    bool closed;
    long status = raw(requests[i], 10, false, &closed);
    if (status != 400 || !closed)
      fail_msg("%s: status %ld, %s", requests[i], status, closed ? "closed" : "open");
  }
}

static void tls_is_not_spoken_here(void **state)
{
  (void)state;
  bool closed;
  long status = raw("\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03", 10, false, &closed);
  assert_true(closed);
  assert_true(status == 0 || status >= 400);
}

static void one_octet_a_second_does_not_live_for_ever(void **state)
{
  (void)state;
  bool closed;
  long status =
      raw(GET_ROOT "X-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n", 15, true, &closed);
  assert_true(closed);
  assert_true(status == 0 || status == 408);
}

/* --- with the daemon --- */

static void it_starts_reloads_and_stops_with_the_daemon(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  struct ask root = {.path = "/v1/ca/root.crt", .plain = true};
  flow_edit_conf(&flow, "public_listen = \"127.0.0.1:0\"", "# public_listen = \"127.0.0.1:0\"");
  kill(flow.daemon, SIGHUP);
  flow_wait_for_log(&flow, "setting=public_listen");
  flow_ask(&flow, &root, &answer);
  assert_int_equal(answer.status, 200);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_ask(&flow, &root, &answer);
  assert_int_equal(answer.status, 0);
  flow_start(&flow);
  assert_int_equal(flow.public_port, 0);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_edit_conf(&flow, "# public_listen = \"127.0.0.1:0\"", "public_listen = \"127.0.0.1:0\"");
  flow_start(&flow);
  flow_ask(&flow, &root, &answer);
  assert_int_equal(answer.status, 200);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_root_is_the_same_by_tls_and_without),
      cmocka_unit_test(the_authority_is_where_certificates_say),
      cmocka_unit_test(what_a_client_has_is_not_sent_again),
      cmocka_unit_test(head_is_answered_and_other_methods_are_not),
      cmocka_unit_test(each_route_that_is_not_public_is_not_there),
      cmocka_unit_test(what_is_public_is_known_here),
      cmocka_unit_test(a_secret_sent_in_the_clear_is_refused_and_not_logged),
      cmocka_unit_test(a_connection_serves_many_requests),
      cmocka_unit_test(malformed_requests_end_the_connection),
      cmocka_unit_test(tls_is_not_spoken_here),
      cmocka_unit_test(one_octet_a_second_does_not_live_for_ever),
      cmocka_unit_test(it_starts_reloads_and_stops_with_the_daemon),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
