/* test_rest.c - what a station and an operator see of the REST interface. */
#include "tests/flow/flow.h"

#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/base64.h"
#include "lib/base/when.h"
#include "lib/pki/csr.h"

static struct flow flow;

static int begin(void **state)
{
  (void)state;
  flow_begin(&flow, NULL);
  return 0;
}

static int end(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

static void get(const char *path, const char *token, const char *accept, struct answer *answer)
{
  flow_ask(&flow, &(struct ask){.path = path, .token = token, .accept = accept}, answer);
}

static json_t *get_json(const char *path, const char *token)
{
  AUTO(answer) answer = {0};
  get(path, token, NULL, &answer);
  if (answer.status != 200)
    fail_msg("%s: %ld: %s", path, answer.status, buf_text(&answer.body));
  return answer_json(&answer);
}

/* --- issuing --- */

static void a_widget_gets_its_certificate(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  char location[128];
  flow_order(&flow, "PO-7781", 1, NULL);
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-1001", "10.1.1.68",
             ",\"dns_sans\":[\"W-1001.Widgets.Example\"],\"uri_sans\":[\"urn:widget:1001\"],"
             "\"order\":\"PO-7781\",\"model\":\"WX-4\"",
             &answer);
  if (answer.status != 201)
    fail_msg("%ld: %s", answer.status, buf_text(&answer.body));
  assert_string_equal(answer.content_type, "application/json");
  json_t *reply = answer_json(&answer);
  snprintf(location, sizeof location, "/v1/certificates/%s", json_text(reply, "serial_number"));
  assert_string_equal(answer.location, location);
  assert_int_equal(strlen(json_text(reply, "serial_number")), 32);
  assert_string_equal(json_text(reply, "device_serial"), "W-1001");
  assert_string_equal(json_text(reply, "profile"), "test");
  assert_string_equal(json_text(reply, "status"), "valid");
  assert_string_equal(json_text(reply, "subject"), "CN=W-1001");
  assert_string_equal(json_text(reply, "station"), "line-1");
  assert_string_equal(json_text(reply, "order"), "PO-7781");
  assert_string_equal(json_text(reply, "model"), "WX-4");
  json_t *names = json_pack("[s]", "10.1.1.68");
  assert_true(json_equal(json_object_get(reply, "ip_sans"), names));
  json_decref(names);
  names = json_pack("[s]", "w-1001.widgets.example");
  assert_true(json_equal(json_object_get(reply, "dns_sans"), names));
  json_decref(names);
  names = json_pack("[s]", "urn:widget:1001");
  assert_true(json_equal(json_object_get(reply, "uri_sans"), names));
  json_decref(names);
  int64_t not_before, not_after;
  assert_true(when_read(bytes_of_text(json_text(reply, "not_before")), &not_before));
  assert_true(when_read(bytes_of_text(json_text(reply, "not_after")), &not_after));
  assert_true(not_before <= when_now());
  assert_true(not_after - not_before + 1 <= 825 * 86400); /* the most that Apple accepts */
  assert_chain(&flow, reply, "10.1.1.68");
  json_t *again = get_json(location, flow.station);
  assert_true(json_equal(reply, again));
  json_decref(again);
  json_decref(reply);
}

/* Asks for `accept`; the answer must be of that type. */
static void ask_form(const char *csr, const char *accept, const char *type, struct answer *answer)
{
  AUTO(buf) body = {0};
  issue_body(csr, "W-forms", "10.1.2.1", NULL, &body);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/certificates",
                         .token = flow.station,
                         .content_type = "application/json",
                         .accept = accept,
                         .body = buf_bytes(&body)},
           answer);
  assert_true(answer->status == 200 || answer->status == 201);
  assert_int_equal(strncmp(answer->content_type, type, strlen(type)), 0);
}

static void all_four_forms_hold_the_same_certificate(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) json = {0}, pem = {0}, der = {0}, cms = {0};
  make_csr(&csr);
  ask_form(buf_text(&csr), "application/json", "application/json", &json);
  ask_form(buf_text(&csr), "application/pem-certificate-chain", "application/pem-certificate-chain",
           &pem);
  ask_form(buf_text(&csr), "application/pkix-cert", "application/pkix-cert", &der);
  ask_form(buf_text(&csr), "application/pkcs7-mime", "application/pkcs7-mime", &cms);
  json_t *reply = answer_json(&json);
  const char *leaf = json_text(reply, "certificate");
  assert_int_equal(strncmp(buf_text(&pem.body), leaf, strlen(leaf)), 0);
  const char *issuer = json_string_value(json_array_get(json_object_get(reply, "ca_chain"), 0));
  assert_string_equal(buf_text(&pem.body) + strlen(leaf), issuer);
  const uint8_t *p = der.body.data;
  X509 *certificate = d2i_X509(NULL, &p, (long)der.body.len);
  assert_non_null(certificate);
  assert_ptr_equal(p, der.body.data + der.body.len);
  p = cms.body.data;
  PKCS7 *bag = d2i_PKCS7(NULL, &p, (long)cms.body.len);
  assert_non_null(bag);
  assert_true(PKCS7_type_is_signed(bag));
  STACK_OF(X509) *certificates = bag->d.sign->cert;
  bool found = false;
  assert_int_equal(sk_X509_num(certificates), 2);
  for (int i = 0; i < 2; i++)
    found = found || X509_cmp(sk_X509_value(certificates, i), certificate) == 0;
  assert_true(found);
  PKCS7_free(bag);
  X509_free(certificate);
  json_decref(reply);
}

static void a_bare_csr_is_taken_in_each_coat(void **state)
{
  (void)state;
  AUTO(buf) pem = {0}, der = {0}, base64 = {0};
  AUTO(fault) f = {0};
  make_csr(&pem);
  assert_true(csr_decode(buf_bytes(&pem), &der, &f));
  base64_add(&base64, buf_bytes(&der), 64);
  const struct bytes coats[] = {buf_bytes(&der), buf_bytes(&pem), buf_bytes(&base64)};
  for (size_t i = 0; i < ARRAY_LEN(coats); i++) {
    AUTO(answer) answer = {0};
    flow_ask(&flow,
             &(struct ask){.path =
                               "/v1/certificates?device_serial=W-bare&profile=test&ip_sans=10.1.3.1"
                               ",2001:db8::1&dns_sans=w-bare.widgets.example",
                           .token = flow.station,
                           .content_type = "application/pkcs10",
                           .body = coats[i]},
             &answer);
    if (answer.status != (i == 0 ? 201 : 200))
      fail_msg("%zu: %ld: %s", i, answer.status, buf_text(&answer.body));
    json_t *reply = answer_json(&answer);
    assert_int_equal(json_array_size(json_object_get(reply, "ip_sans")), 2);
    assert_chain(&flow, reply, "2001:db8::1");
    json_decref(reply);
  }
}

/* --- the same request, and what is not the same --- */

static void a_retry_gets_the_same_certificate(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) first = {0}, second = {0};
  long rows = flow_rows(&flow);
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-retry", "10.1.4.1", NULL, &first);
  assert_int_equal(first.status, 201);
  flow_issue(&flow, buf_text(&csr), "W-retry", "10.1.4.1", NULL, &second);
  assert_int_equal(second.status, 200);
  assert_true(bytes_equal(buf_bytes(&first.body), buf_bytes(&second.body)));
  assert_int_equal(flow_rows(&flow), rows + 1);
}

static void another_key_for_the_same_device_wants_replace(void **state)
{
  (void)state;
  AUTO(buf) csr = {0}, other = {0};
  AUTO(answer) answer = {0};
  char path[128];
  make_csr(&csr);
  make_csr(&other);
  flow_issue(&flow, buf_text(&csr), "W-rework", "10.1.5.1", NULL, &answer);
  assert_int_equal(answer.status, 201);
  snprintf(path, sizeof path, "%s", answer.location);
  long rows = flow_rows(&flow);
  flow_issue(&flow, buf_text(&other), "W-rework", "10.1.5.1", NULL, &answer);
  assert_problem(&answer, 409, "device-has-certificate");
  assert_int_equal(flow_rows(&flow), rows);
  flow_issue(&flow, buf_text(&other), "W-rework", "10.1.5.1", ",\"replace\":true", &answer);
  assert_int_equal(answer.status, 201);
  flow_issue(&flow, buf_text(&other), "W-rework", "10.1.5.1", ",\"replace\":true", &answer);
  assert_int_equal(answer.status, 200);
  json_t *old = get_json(path, flow.admin);
  assert_string_equal(json_text(old, "status"), "revoked");
  json_decref(old);
}

static void a_key_that_another_device_has_is_refused(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-clone-1", "10.1.6.1", NULL, &answer);
  assert_int_equal(answer.status, 201);
  long rows = flow_rows(&flow);
  flow_issue(&flow, buf_text(&csr), "W-clone-2", "10.1.6.2", NULL, &answer);
  assert_problem(&answer, 409, "key-already-used");
  flow_issue(&flow, buf_text(&csr), "W-clone-2", "10.1.6.2", ",\"replace\":true", &answer);
  assert_problem(&answer, 409, "key-already-used");
  assert_int_equal(flow_rows(&flow), rows);
}

/* --- policy, as seen from outside --- */

static void every_name_that_is_not_allowed_is_named(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  long rows = flow_rows(&flow);
  make_csr(&csr);
  flow_issue(
      &flow, buf_text(&csr), "W-names", NULL,
      ",\"ip_sans\":[\"10.1.1.1\",\"8.8.8.8\",\"2001:db9::1\"],"
      "\"dns_sans\":[\"good.widgets.example\",\"www.example.com\"],\"uri_sans\":[\"urn:other:1\"]",
      &answer);
  assert_problem(&answer, 422, "name-not-allowed");
  json_t *problem = answer_json(&answer);
  const json_t *errors = json_object_get(problem, "errors");
  static const char *const refused[] = {"8.8.8.8", "2001:db9::1", "www.example.com", "urn:other:1"};
  assert_int_equal(json_array_size(errors), ARRAY_LEN(refused));
  for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
    assert_string_equal(json_text(json_array_get(errors, i), "name"), refused[i]);
    assert_true(strlen(json_text(json_array_get(errors, i), "why")) > 0);
  }
  json_decref(problem);
  assert_int_equal(flow_rows(&flow), rows);
}

static void a_name_that_only_the_csr_has_is_an_error(void **state)
{
  (void)state;
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  AUTO(private_key) key = NULL;
  assert_true(private_key_generate("ec-p256", &key, &f));
  assert_true(sans_add(&names, SAN_IP, bytes_of_text("10.1.7.1"), &f));
  assert_true(sans_add(&names, SAN_DNS, bytes_of_text("evil.example.com"), &f));
  make_csr_for(key, "W-csr", &names, &csr);
  flow_issue(&flow, buf_text(&csr), "W-csr", "10.1.7.1", NULL, &answer);
  assert_problem(&answer, 422, "name-not-requested");
  assert_non_null(strstr(buf_text(&answer.body), "evil.example.com"));
}

static void a_csr_that_its_key_did_not_sign_is_refused(void **state)
{
  (void)state;
  AUTO(buf) pem = {0}, der = {0}, broken = {0};
  AUTO(answer) answer = {0};
  AUTO(fault) f = {0};
  make_csr(&pem);
  assert_true(csr_decode(buf_bytes(&pem), &der, &f));
  der.data[der.len - 1] ^= 1;
  base64_add(&broken, buf_bytes(&der), 0);
  flow_issue(&flow, buf_text(&broken), "W-pop", "10.1.8.1", NULL, &answer);
  assert_problem(&answer, 422, "bad-proof-of-possession");
}

/* --- the operator asks --- */

static void make_widgets(unsigned n, const char *order)
{
  flow_order(&flow, order, n, NULL);
  for (unsigned i = 0; i < n; i++) {
    AUTO(buf) csr = {0};
    AUTO(answer) answer = {0};
    char serial[32], ip[32], more[128];
    snprintf(serial, sizeof serial, "W-%s-%u", order, i);
    snprintf(ip, sizeof ip, "10.2.0.%u", i + 1);
    snprintf(more, sizeof more,
             ",\"order\":\"%s\",\"model\":\"M-%s\",\"dns_sans\":[\"w%u.widgets.example\"],"
             "\"uri_sans\":[\"urn:widget:%u\"]",
             order, order, i, i);
    make_csr(&csr);
    flow_issue(&flow, buf_text(&csr), serial, ip, more, &answer);
    if (answer.status != 201)
      fail_msg("%ld: %s", answer.status, buf_text(&answer.body));
  }
}

static size_t count_of(const char *query)
{
  char path[512];
  snprintf(path, sizeof path, "/v1/certificates?%s", query);
  json_t *page = get_json(path, flow.admin);
  size_t n = json_array_size(json_object_get(page, "certificates"));
  json_decref(page);
  return n;
}

static void every_filter_finds_what_it_names_and_nothing_else(void **state)
{
  (void)state;
  make_widgets(5, "F1");
  static const struct {
    const char *query;
    size_t n;
  } cases[] = {
      {"order=F1", 5},
      {"order=F1&device_serial=W-F1-3", 1},
      {"order=F1&device_serial=W-F1-9", 0},
      {"model=M-F1", 5},
      {"order=F1&ip=10.2.0.4", 1},
      {"order=F1&ip=10.2.0.44", 0},
      {"order=F1&dns=W2.widgets.example", 1},
      {"order=F1&station=line-1", 5},
      {"order=F1&station=line-2", 0},
      {"order=F1&profile=test", 5},
      {"order=F1&profile=server", 0},
      {"order=F1&status=valid", 5},
      {"order=F1&status=expired", 0},
      {"order=F1&status=superseded", 0},
      {"order=F1&status=revoked", 0},
      {"order=F1&issued_after=2020-01-01T00:00:00Z", 5},
      {"order=F1&issued_before=2020-01-01T00:00:00Z", 0},
      {"order=F1&expires_before=2020-01-01T00:00:00Z", 0},
      {"order=F1&expires_before=2099-01-01T00:00:00Z", 5},
      {"order=F1&limit=2", 2},
      {"station=mintmark-init", 1}, /* the daemon's own certificate is on the record, too */
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    size_t n = count_of(cases[i].query);
    if (n != cases[i].n)
      fail_msg("%s: %zu instead of %zu", cases[i].query, n, cases[i].n);
  }
}

/* Walks all pages; the device_serials go into `seen`, one bit each. */
static unsigned walk(unsigned limit, unsigned *ret_pages)
{
  char cursor[256] = "";
  unsigned seen = 0;
  *ret_pages = 0;
  for (;;) {
    char path[512];
    unsigned number;
    snprintf(path, sizeof path, "/v1/certificates?order=F2&limit=%u%s%s", limit,
             cursor[0] != '\0' ? "&cursor=" : "", cursor);
    json_t *page = get_json(path, flow.admin), *row;
    size_t index;
    json_array_foreach(json_object_get(page, "certificates"), index, row)
    {
      assert_int_equal(sscanf(json_text(row, "device_serial"), "W-F2-%u", &number), 1);
      assert_false(seen >> number & 1);
      seen |= 1u << number;
    }
    (*ret_pages)++;
    const char *next = json_string_value(json_object_get(page, "next_cursor"));
    snprintf(cursor, sizeof cursor, "%s", next != NULL ? next : "");
    json_decref(page);
    if (cursor[0] == '\0')
      return seen;
  }
}

static void pages_have_neither_gaps_nor_repeats_and_cursors_hold(void **state)
{
  (void)state;
  unsigned pages;
  char path[512];
  AUTO(answer) answer = {0};
  make_widgets(7, "F2");
  assert_int_equal(walk(3, &pages), 127);
  assert_int_equal(pages, 3);
  assert_int_equal(walk(7, &pages), 127);
  assert_int_equal(pages, 1);
  json_t *page = get_json("/v1/certificates?order=F2&limit=3", flow.admin);
  char cursor[256];
  snprintf(cursor, sizeof cursor, "%s", json_text(page, "next_cursor"));
  json_decref(page);
  for (size_t i = 0; cursor[i] != '\0'; i++) {
    char tampered[256];
    memcpy(tampered, cursor, sizeof tampered);
    tampered[i] = tampered[i] == 'A' ? 'B' : 'A';
    snprintf(path, sizeof path, "/v1/certificates?order=F2&limit=3&cursor=%s", tampered);
    get(path, flow.admin, NULL, &answer);
    assert_problem(&answer, 400, "bad-cursor");
  }
  snprintf(path, sizeof path, "/v1/certificates?order=F1&limit=3&cursor=%s", cursor);
  get(path, flow.admin, NULL, &answer);
  assert_problem(&answer, 400, "bad-cursor");
}

static size_t count_lines(struct buf *text)
{
  size_t n = 0;
  for (size_t i = 0; i < text->len; i++)
    n += text->data[i] == '\n';
  return n;
}

static void the_log_comes_as_csv_and_as_ndjson(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  make_widgets(4, "F3");
  get("/v1/certificates?order=F3", flow.admin, "text/csv", &answer);
  assert_int_equal(answer.status, 200);
  assert_int_equal(strncmp(answer.content_type, "text/csv", 8), 0);
  assert_int_equal(count_lines(&answer.body), 5); /* and the header */
  assert_non_null(strstr(buf_text(&answer.body), "W-F3-2"));
  get("/v1/certificates?order=F3", flow.admin, "application/x-ndjson", &answer);
  assert_int_equal(answer.status, 200);
  assert_int_equal(count_lines(&answer.body), 4);
  char *line = strtok((char *)(uintptr_t)buf_text(&answer.body), "\n");
  for (; line != NULL; line = strtok(NULL, "\n")) {
    json_t *row = json_loads(line, 0, NULL);
    assert_string_equal(json_text(row, "order"), "F3");
    json_decref(row);
  }
}

static void add_principal(const char *name, const char *role, char token[128])
{
  AUTO(buf) body = {0};
  AUTO(answer) answer = {0};
  buf_addf(&body, "{\"name\":\"%s\",\"role\":\"%s\"}", name, role);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/principals",
                         .token = flow.admin,
                         .content_type = "application/json",
                         .body = buf_bytes(&body)},
           &answer);
  if (answer.status != 201)
    fail_msg("%ld: %s", answer.status, buf_text(&answer.body));
  json_t *reply = answer_json(&answer);
  snprintf(token, 128, "%s", json_text(reply, "token"));
  json_decref(reply);
}

static void a_station_sees_what_it_issued_and_an_auditor_sees_all(void **state)
{
  (void)state;
  char line_2[128], auditor[128], path[128];
  AUTO(answer) answer = {0};
  AUTO(buf) csr = {0};
  add_principal("line-2", "station", line_2);
  add_principal("auditor-1", "auditor", auditor);
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-mine", "10.3.0.1", NULL, &answer);
  assert_int_equal(answer.status, 201);
  snprintf(path, sizeof path, "%s", answer.location);
  get(path, line_2, NULL, &answer);
  assert_problem(&answer, 404, "unknown-serial-number");
  get(path, auditor, NULL, &answer);
  assert_int_equal(answer.status, 200);
  json_t *page = get_json("/v1/certificates", line_2);
  assert_int_equal(json_array_size(json_object_get(page, "certificates")), 0);
  json_decref(page);
  get("/v1/certificates?station=line-1", line_2, NULL, &answer);
  assert_problem(&answer, 403, "forbidden");
  /* An auditor reads and no more. */
  flow_ask(&flow,
           &(struct ask){.path = "/v1/certificates",
                         .token = auditor,
                         .content_type = "application/json",
                         .body = bytes_of_text("{}")},
           &answer);
  assert_problem(&answer, 403, "forbidden");
}

static void tokens_are_neither_in_the_ledger_nor_in_the_log(void **state)
{
  (void)state;
  const char *const tokens[] = {flow.admin, flow.station};
  static const char *const files[] = {"daemon.log", "ca/mintmark.db", "ca/mintmark.db-wal",
                                      "ca/mintmark.conf"};
  for (size_t t = 0; t < ARRAY_LEN(tokens); t++)
    for (size_t k = 0; k < ARRAY_LEN(files); k++) {
      char path[128];
      AUTO(buf) command = {0};
      const char *secret = strrchr(tokens[t], '.') + 1;
      buf_addf(&command, "grep -qF -e '%s' '%s'", secret, flow_path(&flow, files[k], path));
      if (system(buf_text(&command)) == 0)
        fail_msg("a token stands in %s", files[k]);
    }
}

/* --- open to all --- */

static void the_authority_and_the_health_are_open(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  json_t *ca = get_json("/v1/ca", NULL);
  get("/v1/ca/chain.pem", NULL, NULL, &answer);
  assert_int_equal(answer.status, 200);
  assert_non_null(strstr(buf_text(&answer.body), "BEGIN CERTIFICATE"));
  assert_string_equal(json_string_value(json_array_get(json_object_get(ca, "ca_chain"), 0)),
                      buf_text(&answer.body));
  json_decref(ca);
  get("/v1/ca/root.crt", NULL, NULL, &answer);
  assert_int_equal(answer.status, 200);
  assert_string_equal(answer.content_type, "application/x-x509-ca-cert");
  const uint8_t *p = answer.body.data;
  X509 *root = d2i_X509(NULL, &p, (long)answer.body.len);
  assert_non_null(root);
  assert_int_equal(X509_check_ca(root), 1);
  X509_free(root);
  get("/healthz", NULL, NULL, &answer);
  assert_int_equal(answer.status, 200);
  get("/readyz", NULL, NULL, &answer);
  assert_int_equal(answer.status, 200);
}

static void methods_and_request_ids_are_answered(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  flow_ask(&flow, &(struct ask){.path = "/v1/ca", .method = "HEAD"}, &answer);
  assert_int_equal(answer.status, 200);
  assert_int_equal(answer.body.len, 0);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/certificates", .method = "DELETE", .token = flow.admin},
           &answer);
  assert_problem(&answer, 405, "method-not-allowed");
  assert_non_null(strstr(answer.allow, "GET"));
  assert_non_null(strstr(answer.allow, "POST"));
  flow_ask(&flow, &(struct ask){.path = "/healthz", .header = "X-Request-Id: my-request-7"},
           &answer);
  assert_string_equal(answer.request_id, "my-request-7");
  flow_ask(&flow, &(struct ask){.path = "/healthz", .header = "X-Request-Id: bad id;\"{}"},
           &answer);
  assert_int_equal(answer.status, 200);
  assert_null(strchr(answer.request_id, ' '));
}

/* Nothing between the daemon and the network waits for more: that would be 200 ms for each. */
static void answers_over_a_kept_connection_are_not_held_back(void **state)
{
  enum { ASKED = 50, LIMIT_MS = 5000 };
  (void)state;
  AUTO(answer) answer = {0};
  int64_t begun = when_monotonic_ms();
  for (unsigned i = 0; i < ASKED; i++) {
    flow_ask(&flow, &(struct ask){.path = i % 2 == 0 ? "/healthz" : "/v1/ca"}, &answer);
    assert_int_equal(answer.status, 200);
  }
  assert_in_range(when_monotonic_ms() - begun, 0, LIMIT_MS);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_widget_gets_its_certificate),
      cmocka_unit_test(all_four_forms_hold_the_same_certificate),
      cmocka_unit_test(a_bare_csr_is_taken_in_each_coat),
      cmocka_unit_test(a_retry_gets_the_same_certificate),
      cmocka_unit_test(another_key_for_the_same_device_wants_replace),
      cmocka_unit_test(a_key_that_another_device_has_is_refused),
      cmocka_unit_test(every_name_that_is_not_allowed_is_named),
      cmocka_unit_test(a_name_that_only_the_csr_has_is_an_error),
      cmocka_unit_test(a_csr_that_its_key_did_not_sign_is_refused),
      cmocka_unit_test(every_filter_finds_what_it_names_and_nothing_else),
      cmocka_unit_test(pages_have_neither_gaps_nor_repeats_and_cursors_hold),
      cmocka_unit_test(the_log_comes_as_csv_and_as_ndjson),
      cmocka_unit_test(a_station_sees_what_it_issued_and_an_auditor_sees_all),
      cmocka_unit_test(tokens_are_neither_in_the_ledger_nor_in_the_log),
      cmocka_unit_test(the_authority_and_the_health_are_open),
      cmocka_unit_test(methods_and_request_ids_are_answered),
      cmocka_unit_test(answers_over_a_kept_connection_are_not_held_back),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
