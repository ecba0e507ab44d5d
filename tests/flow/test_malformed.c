/* test_malformed.c - bad input: each gets its answer, leaves no row, and does not stop the daemon.
 */
#include "tests/flow/flow.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static struct flow flow;

static int begin(void **state)
{
  (void)state;
  flow_begin(&flow, "\n"); /* limits are those of the sample configuration, but for the time */
  flow_stop(&flow, SIGTERM);
  flow_edit_conf(&flow, "# request_seconds = 15", "request_seconds = 4");
  flow_start(&flow);
  return 0;
}

static int end(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

/* After every refusal: nothing was recorded, and the next one is served. */
static void assert_unharmed(const char *after)
{
  AUTO(answer) answer = {0};
  flow_ask(&flow, &(struct ask){.path = "/healthz"}, &answer);
  if (answer.status != 200)
    fail_msg("/healthz answers %ld after: %s", answer.status, after);
  if (flow_rows(&flow) != 0)
    fail_msg("a row after: %s", after);
}

/* --- well-formed HTTP, bad content --- */

struct content_case {
  const char *name;
  const char *method, *path, *content_type, *accept, *body;
  long status;
  const char *code;
};

#define CSR   "\"csr\":\"@\"" /* "@" becomes a good CSR */
#define JSON  "application/json"
#define ISSUE "/v1/certificates"

static const struct content_case content_cases[] = {
    {"an empty body", NULL, ISSUE, JSON, NULL, "", 400, "bad-json"},
    {"not JSON", NULL, ISSUE, JSON, NULL, "certificate, please", 400, "bad-json"},
    {"JSON cut off", NULL, ISSUE, JSON, NULL, "{\"device_serial\":\"W-1\"", 400, "bad-json"},
    {"JSON with something behind", NULL, ISSUE, JSON, NULL, "{} {}", 400, "bad-json"},
    {"a JSON array", NULL, ISSUE, JSON, NULL, "[]", 400, "bad-json"},
    {"a JSON string", NULL, ISSUE, JSON, NULL, "\"csr\"", 400, "bad-json"},
    {"a key twice", NULL, ISSUE, JSON, NULL, "{" CSR "," CSR "}", 400, "bad-json"},
    {"a NUL in a string", NULL, ISSUE, JSON, NULL, "{" CSR ",\"device_serial\":\"W\\u0000\"}", 400,
     "bad-json"},
    {"octets that are not UTF-8", NULL, ISSUE, JSON, NULL, "{\"device_serial\":\"\xff\"}", 400,
     "bad-json"},
    {"an unknown field", NULL, ISSUE, JSON, NULL,
     "{" CSR ",\"device_serial\":\"W-1\",\"ip\":\"10.0.0.1\"}", 400, "unknown-field"},
    {"no csr", NULL, ISSUE, JSON, NULL, "{\"device_serial\":\"W-1\"}", 400, "bad-field"},
    {"csr of the wrong type", NULL, ISSUE, JSON, NULL, "{\"csr\":7}", 400, "bad-field"},
    {"device_serial of the wrong type", NULL, ISSUE, JSON, NULL, "{" CSR ",\"device_serial\":[]}",
     400, "bad-field"},
    {"ip_sans of the wrong type", NULL, ISSUE, JSON, NULL,
     "{" CSR ",\"device_serial\":\"W-1\",\"ip_sans\":\"10.0.0.1\"}", 400, "bad-field"},
    {"a number among the ip_sans", NULL, ISSUE, JSON, NULL,
     "{" CSR ",\"device_serial\":\"W-1\",\"ip_sans\":[10]}", 400, "bad-field"},
    {"replace of the wrong type", NULL, ISSUE, JSON, NULL,
     "{" CSR ",\"device_serial\":\"W-1\",\"replace\":\"yes\"}", 400, "bad-field"},
    {"a device_serial that is too long", NULL, ISSUE, JSON, NULL,
     "{" CSR
     ",\"device_serial\":\"0123456789012345678901234567890123456789012345678901234567890123x\"}",
     400, "bad-field"},
    {"a csr that is none", NULL, ISSUE, JSON, NULL,
     "{\"csr\":\"MAo=\",\"device_serial\":\"W-1\",\"profile\":\"test\"}", 400, "bad-csr"},
    {"a csr that is not base64", NULL, ISSUE, JSON, NULL,
     "{\"csr\":\"!!!\",\"device_serial\":\"W-1\",\"profile\":\"test\"}", 400, "bad-csr"},
    {"a bare body that is no CSR", NULL, ISSUE "?device_serial=W-1&profile=test",
     "application/pkcs10", NULL, "0\x03\x02\x01", 400, "bad-csr"},
    {"an unknown profile", NULL, ISSUE, JSON, NULL,
     "{" CSR ",\"device_serial\":\"W-1\",\"profile\":\"none\"}", 422, "unknown-profile"},
    {"no device_serial", NULL, ISSUE, JSON, NULL, "{" CSR ",\"profile\":\"test\"}", 422,
     "device-serial-required"},
    {"a name that is not allowed", NULL, ISSUE, JSON, NULL,
     "{" CSR ",\"device_serial\":\"W-1\",\"profile\":\"test\",\"ip_sans\":[\"8.8.8.8\"]}", 422,
     "name-not-allowed"},
    {"an IP address as DNS name", NULL, ISSUE, JSON, NULL,
     "{" CSR ",\"device_serial\":\"W-1\",\"profile\":\"test\",\"dns_sans\":[\"10.1.1.68\"]}", 422,
     "bad-name"},
    {"a URI that is none", NULL, ISSUE, JSON, NULL,
     "{" CSR ",\"device_serial\":\"W-1\",\"profile\":\"test\",\"uri_sans\":[\"no scheme\"]}", 422,
     "bad-name"},
    {"a content type that is not taken", NULL, ISSUE, "text/plain", NULL, "{}", 415,
     "unsupported-media-type"},
    {"no content type", NULL, ISSUE, "", NULL, "{}", 415, "unsupported-media-type"},
    {"a reply that cannot be made", NULL, ISSUE, JSON, "image/png",
     "{" CSR ",\"device_serial\":\"W-1\"}", 406, "not-acceptable"},
    {"GETX", "GETX", ISSUE, NULL, NULL, NULL, 405, "method-not-allowed"},
    {"DELETE of a certificate", "DELETE", ISSUE "/01020304050607080910111213141516", NULL, NULL,
     NULL, 405, "method-not-allowed"},
    {"PUT", "PUT", ISSUE, JSON, NULL, "{}", 405, "method-not-allowed"},
    {"path traversal", NULL, "/v1/../../etc/passwd", NULL, NULL, NULL, 404, "not-found"},
    {"path traversal, encoded", NULL, "/v1/certificates/..%2f..%2fetc%2fpasswd", NULL, NULL, NULL,
     404, NULL},
    {"a path with a slash too many", NULL, "//v1/certificates", NULL, NULL, NULL, 404, "not-found"},
    {"a path that continues a route", NULL, "/healthz/x", NULL, NULL, NULL, 404, "not-found"},
    {"an unknown serial number", NULL, ISSUE "/01020304050607080910111213141516", NULL, NULL, NULL,
     404, "unknown-serial-number"},
    {"a serial number that is none", NULL, ISSUE "/xyz", NULL, NULL, NULL, 404, NULL},
    {"an unknown filter", NULL, ISSUE "?colour=red", NULL, NULL, NULL, 400, "bad-field"},
    {"a filter that is no address", NULL, ISSUE "?ip=10.1.1", NULL, NULL, NULL, 400, "bad-field"},
    {"a filter that is no time", NULL, ISSUE "?issued_after=yesterday", NULL, NULL, NULL, 400,
     "bad-field"},
    {"limit 0", NULL, ISSUE "?limit=0", NULL, NULL, NULL, 400, "bad-field"},
    {"limit 1001", NULL, ISSUE "?limit=1001", NULL, NULL, NULL, 400, "bad-field"},
    {"a cursor that is none", NULL, ISSUE "?cursor=AAAA", NULL, NULL, NULL, 400, "bad-cursor"},
    {"a bad percent escape", NULL, ISSUE "?station=%zz", NULL, NULL, NULL, 400, NULL},
    {"a NUL in the query", NULL, ISSUE "?station=a%00b", NULL, NULL, NULL, 400, NULL},
    {"a parameter twice", NULL, ISSUE "?station=a&station=b", NULL, NULL, NULL, 400, NULL},
};

/* The template with a good CSR in the place of "@", its line ends escaped as JSON wants. */
static void fill_in(const char *template, struct buf *out)
{
  AUTO(buf) csr = {0};
  const char *at = strchr(template, '@');
  if (at == NULL) {
    buf_add_text(out, template);
    return;
  }
  make_csr(&csr);
  buf_add(out, template, (size_t)(at - template));
  for (size_t i = 0; i < csr.len; i++)
    if (csr.data[i] == '\n')
      buf_add_text(out, "\\n");
    else
      buf_add_u8(out, csr.data[i]);
  fill_in(at + 1, out);
}

static void bad_content_gets_its_problem_and_leaves_no_row(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(content_cases); i++) {
    const struct content_case *c = &content_cases[i];
    AUTO(answer) answer = {0};
    AUTO(buf) body = {0};
    if (c->body != NULL)
      fill_in(c->body, &body);
    struct ask ask = {.method = c->method != NULL ? c->method
                                : c->body != NULL ? "POST"
                                                  : "GET",
                      .path = c->path,
                      .token = c->body != NULL ? flow.station : flow.admin,
                      .content_type = c->content_type,
                      .accept = c->accept};
    if (c->body != NULL)
      ask.body = bytes_of(buf_text(&body), body.len);
    flow_ask(&flow, &ask, &answer);
    if (answer.status != c->status)
      fail_msg("%s: status %ld instead of %ld: %s", c->name, answer.status, c->status,
               buf_text(&answer.body));
    if (c->code != NULL && strstr(buf_text(&answer.body), c->code) == NULL)
      fail_msg("%s: not \"%s\": %s", c->name, c->code, buf_text(&answer.body));
    json_t *problem = answer_json(&answer);
    assert_problem(&answer, c->status, json_text(problem, "code"));
    json_decref(problem);
    assert_true(answer.request_id[0] != '\0');
    assert_unharmed(c->name);
  }
}

/* --- what is no HTTP, or should not be --- */

/* A peer that does not speak HTTP may be answered or not, as libmicrohttpd likes; it is cut off. */
struct raw_case {
  const char *name;
  const char *request; /* "@" becomes "Authorization: Bearer TOKEN\r\n" */
  long status;         /* 0: the connection is closed without an answer */
  bool must_close;
};

#define POST_HEAD "POST /v1/certificates HTTP/1.1\r\nHost: a\r\n@Content-Type: application/json\r\n"

static const struct raw_case raw_cases[] = {
    {"Content-Length twice", POST_HEAD "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400,
     true},
    {"the same Content-Length twice", POST_HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
     400, true},
    {"Content-Length and Transfer-Encoding",
     POST_HEAD "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 400,
     true},
    {"Transfer-Encoding that is not chunked", POST_HEAD "Transfer-Encoding: gzip\r\n\r\n{}", 400,
     true},
    {"Transfer-Encoding twice",
     POST_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     true},
    {"a negative Content-Length", POST_HEAD "Content-Length: -1\r\n\r\n{}", 400, true},
    {"a Content-Length that is a sum", POST_HEAD "Content-Length: +2\r\n\r\n{}", 400, true},
    {"a Content-Length over 64 bits", POST_HEAD "Content-Length: 99999999999999999999\r\n\r\n", 413,
     true},
    {"a space before the colon", POST_HEAD "Content-Length : 2\r\n\r\n{}", 400, true},
    {"Host twice", "GET /v1/ca HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, true},
    {"no Host", "GET /v1/ca HTTP/1.1\r\n\r\n", 400, true},
    {"Authorization twice", "GET /v1/certificates HTTP/1.1\r\nHost: a\r\n@@\r\n", 400, false},
    {"chunks without end", POST_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 0, true},
    {"a chunk size that is none", POST_HEAD "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n", 400,
     true},
    {"a body that does not come", POST_HEAD "Content-Length: 100\r\n\r\n{", 0, true},
    {"no HTTP at all", "\x16\x03\x01\x02", 0, true},
    {"an HTTP version that is none", "GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n", 505, true},
    {"one line of nothing", "\r\n\r\n\r\n\r\n", 0, true},
};

static void add_raw(const char *template, struct buf *out)
{
  for (const char *p = template; *p != '\0'; p++)
    if (*p == '@')
      buf_addf(out, "Authorization: Bearer %s\r\n", flow.station);
    else
      buf_add_u8(out, (uint8_t)*p);
}

static void what_is_no_http_is_refused(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(raw_cases); i++) {
    const struct raw_case *c = &raw_cases[i];
    AUTO(buf) request = {0};
    bool closed;
    add_raw(c->request, &request);
    long status = flow_raw(&flow, buf_bytes(&request), c->must_close ? 15 : 1, false, &closed);
    if (c->status != 0 && status != c->status)
      fail_msg("%s: status %ld instead of %ld", c->name, status, c->status);
    if (c->status == 0 && status >= 200 && status < 300)
      fail_msg("%s: status %ld", c->name, status);
    if (c->must_close && !closed)
      fail_msg("%s: the connection is still open", c->name);
    assert_unharmed(c->name);
  }
}

static void a_body_of_ten_megabytes_is_refused(void **state)
{
  (void)state;
  AUTO(buf) body = {0};
  AUTO(answer) answer = {0};
  assert_true(buf_reserve(&body, 10u << 20));
  memset(body.data, ' ', 10u << 20);
  body.len = 10u << 20;
  flow_ask(
      &flow,
      &(struct ask){
          .path = ISSUE, .token = flow.station, .content_type = JSON, .body = buf_bytes(&body)},
      &answer);
  assert_problem(&answer, 413, "body-too-large");
  flow_ask(&flow,
           &(struct ask){.path = ISSUE,
                         .token = flow.station,
                         .content_type = JSON,
                         .header = "Transfer-Encoding: chunked",
                         .body = buf_bytes(&body)},
           &answer);
  if (answer.status != 0)
    assert_problem(&answer, 413, "body-too-large");
  assert_unharmed("ten megabytes");
}

static void one_octet_a_second_does_not_live_for_ever(void **state)
{
  (void)state;
  bool closed;
  AUTO(buf) request = {0};
  add_raw(
      "GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n",
      &request);
  long status = flow_raw(&flow, buf_bytes(&request), 15, true, &closed);
  assert_true(closed);
  assert_true(status == 0 || status == 408);
  request.len = 0;
  add_raw(POST_HEAD "Content-Length: 60\r\n\r\n", &request);
  add_raw("{                                                          }", &request);
  status = flow_raw(&flow, buf_bytes(&request), 15, true, &closed);
  assert_true(closed);
  assert_true(status == 0 || status == 408);
  assert_unharmed("one octet a second");
}

static void without_a_good_token_nothing_is_open(void **state)
{
  (void)state;
  static const char *const paths[] = {ISSUE, ISSUE "/01020304050607080910111213141516",
                                      "/v1/principals"};
  AUTO(buf) wrong = {0};
  buf_add_text(&wrong, flow.admin);
  wrong.data[wrong.len - 1] ^= 1;
  const char *const tokens[] = {NULL, "", "admin", "admin.", ".", "nobody.AAAA", buf_text(&wrong)};
  AUTO(answer) answer = {0};
  for (size_t p = 0; p < ARRAY_LEN(paths); p++)
    for (size_t t = 0; t < ARRAY_LEN(tokens); t++) {
      flow_ask(&flow, &(struct ask){.path = paths[p], .token = tokens[t]}, &answer);
      assert_problem(&answer, 401, "unauthenticated");
      assert_non_null(strstr(answer.authenticate, "Bearer"));
      flow_ask(&flow,
               &(struct ask){.path = paths[p],
                             .method = "POST",
                             .token = tokens[t],
                             .content_type = JSON,
                             .body = bytes_of_text("{}")},
               &answer);
      if (p != 1)
        assert_problem(&answer, 401, "unauthenticated");
    }
  flow_ask(&flow, &(struct ask){.path = "/v1/principals", .token = flow.station}, &answer);
  assert_problem(&answer, 403, "forbidden");
  assert_unharmed("wrong tokens");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bad_content_gets_its_problem_and_leaves_no_row),
      cmocka_unit_test(what_is_no_http_is_refused),
      cmocka_unit_test(a_body_of_ten_megabytes_is_refused),
      cmocka_unit_test(one_octet_a_second_does_not_live_for_ever),
      cmocka_unit_test(without_a_good_token_nothing_is_open),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
