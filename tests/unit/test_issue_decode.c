/* test_issue_decode.c - a request is taken as it is meant, or refused with the reason.
 *
 * tests/cases/json/NAME: `input` is the body; `expect` is "ok" and what was understood, line by
 * line, or the problem code, then words that the detail must have, and "item NAME" for each
 * rejected name, all of them, in their order. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/issue_decode.h"
#include "lib/base/file.h"
#include "lib/ca/issue.h"

static void request_free(struct issue_request *request)
{
  buf_free(&request->csr);
  sans_free(&request->names);
}
AUTO_VALUE(request, struct issue_request, request_free)

static void add_line(struct buf *out, const char *name, const char *text)
{
  buf_addf(out, text[0] != '\0' ? "%s %s\n" : "%s\n", name, text);
}

static void describe(const struct issue_request *request, struct buf *out)
{
  buf_addf(out, "ok\ncsr %zu octets\n", request->csr.len);
  add_line(out, "device_serial", request->device_serial);
  add_line(out, "profile", request->profile);
  add_line(out, "order", request->order);
  add_line(out, "model", request->model);
  add_line(out, "replace", request->replace ? "true" : "false");
  for (size_t i = 0; i < request->names.n; i++) {
    AUTO(buf) text = {0};
    struct san name = sans_get(&request->names, i);
    san_text(name, &text);
    add_line(out, san_kind_field(name.kind), buf_text(&text));
  }
}

/* The lines of `expect` behind the code. */
static void assert_fault_says(const char *name, const struct fault *f, char *lines)
{
  size_t n_items = 0;
  for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
    bool is_item = strncmp(line, "item", 4) == 0;
    if (!is_item && strstr(f->detail, line) == NULL)
      fail_msg("%s: \"%s\" does not say \"%s\"", name, f->detail, line);
    if (!is_item)
      continue;
    if (n_items >= f->n_items || strcmp(f->items[n_items].name, line[4] ? line + 5 : "") != 0)
      fail_msg("%s: item %zu is not \"%s\"", name, n_items, line);
    n_items++;
  }
  if (n_items != f->n_items)
    fail_msg("%s: %zu items instead of %zu", name, f->n_items, n_items);
}

static void assert_outcome(const char *name, const struct exchange *x, char *expect)
{
  AUTO(request) request = {0};
  AUTO(fault) f = {0};
  AUTO(buf) understood = {0};
  if (issue_decode(x, &request, &f)) {
    describe(&request, &understood);
    if (strcmp(buf_text(&understood), expect) != 0)
      fail_msg("%s: was understood as\n%s\ninstead of\n%s", name, buf_text(&understood), expect);
    assert_string_equal(request.station, x->principal.name);
    return;
  }
  char *lines = expect + strcspn(expect, "\n");
  if (*lines != '\0')
    *lines++ = '\0';
  if (strcmp(fault_problem_code(f.code), expect) != 0)
    fail_msg("%s: %s (%s) instead of %s", name, fault_problem_code(f.code), f.detail, expect);
  assert_fault_says(name, &f, lines);
}

static void read_case(const char *name, const char *file, struct buf *out)
{
  AUTO(fault) f = {0};
  AUTO(buf) path = {0};
  buf_addf(&path, "%s/tests/cases/json/%s/%s", getenv("MINTMARK_SRCDIR"), name, file);
  if (!file_read(buf_text(&path), 1 << 20, out, &f))
    fail_msg("%s", f.detail);
}

static struct exchange make_exchange(const char *content_type)
{
  struct exchange x = {.principal = {.name = "line-3", .role = ROLE_STATION}};
  strcpy(x.content_type, content_type);
  return x;
}

/* The same body with the first letter of its first key written as \uXXXX. */
static bool escape_a_key(const struct buf *body, struct buf *out)
{
  const uint8_t *quote = body->len > 0 ? memchr(body->data, '"', body->len) : NULL;
  size_t at = quote != NULL ? (size_t)(quote - body->data) + 1 : 0;
  if (at == 0 || at == body->len || body->data[at] == '\\' || body->data[at] == '"')
    return false;
  buf_add(out, body->data, at);
  buf_addf(out, "\\u%04x", body->data[at]);
  buf_add(out, body->data + at + 1, body->len - at - 1);
  return true;
}

/* Plain JSON is read without a tree; what it means must not depend on that. */
static void json_means_the_same_to_both_readers(void **state)
{
  (void)state;
  struct dirent **entries;
  AUTO(buf) folder = {0};
  buf_addf(&folder, "%s/tests/cases/json", getenv("MINTMARK_SRCDIR"));
  int n = scandir(buf_text(&folder), &entries, NULL, alphasort), n_good = 0;
  for (int i = 0; i < n; i++) {
    AUTO(buf) expect = {0}, input = {0};
    struct exchange x = make_exchange("application/json");
    if (entries[i]->d_name[0] != '.') {
      read_case(entries[i]->d_name, "input", &input);
      read_case(entries[i]->d_name, "expect", &expect);
      if (strncmp(buf_text(&expect), "ok", 2) == 0 && escape_a_key(&input, &x.body)) {
        assert_outcome(entries[i]->d_name, &x, (char *)expect.data);
        n_good++;
      }
    }
    buf_free(&x.body);
    free(entries[i]);
  }
  free(entries);
  assert_true(n_good >= 5);
}

static void every_json_case_has_its_outcome(void **state)
{
  (void)state;
  struct dirent **entries;
  AUTO(buf) folder = {0};
  buf_addf(&folder, "%s/tests/cases/json", getenv("MINTMARK_SRCDIR"));
  int n = scandir(buf_text(&folder), &entries, NULL, alphasort), n_cases = 0;
  assert_true(n > 0);
  for (int i = 0; i < n; i++) {
    AUTO(buf) expect = {0};
    struct exchange x = make_exchange("application/json");
    if (entries[i]->d_name[0] != '.') {
      read_case(entries[i]->d_name, "input", &x.body);
      read_case(entries[i]->d_name, "expect", &expect);
      (void)buf_text(&expect);
      assert_outcome(entries[i]->d_name, &x, (char *)expect.data);
      n_cases++;
    }
    buf_free(&x.body);
    free(entries[i]);
  }
  free(entries);
  assert_true(n_cases >= 90);
}

/* A bare CSR, with up to three parameters. */
struct query_row {
  struct parameter query[3];
  const char *expect;
};

#define GIVEN(name_, value_)                                                                       \
  {                                                                                                \
    .name = (char *)(uintptr_t)(name_), .value = (char *)(uintptr_t)(value_)                       \
  }

static void fill_csr(struct buf *out)
{
  AUTO(buf) body = {0};
  read_case("good-base64-csr", "input", &body);
  const char *start = strchr(buf_text(&body), ':') + 3;
  buf_add(out, start, strcspn(start, "\""));
}

static void assert_query_outcome(const struct query_row *row)
{
  struct exchange x = make_exchange("application/pkcs10");
  struct parameter query[3];
  char expect[512];
  memcpy(query, row->query, sizeof query);
  x.query = query;
  while (x.n_query < 3 && query[x.n_query].name != NULL)
    x.n_query++;
  fill_csr(&x.body);
  strcpy(expect, row->expect);
  assert_outcome(x.n_query > 0 ? query[0].value : "no query", &x, expect);
  buf_free(&x.body);
}

#define OK_(serial, replace, names)                                                                \
  "ok\ncsr 205 octets\ndevice_serial" serial "\nprofile\norder\nmodel\nreplace " replace "\n" names

static void a_bare_csr_takes_its_fields_from_the_query(void **state)
{
  (void)state;
  static const struct query_row rows[] = {
      {{{0}}, OK_("", "false", "")},
      {{GIVEN("device_serial", "W-1001"), GIVEN("replace", "true")}, OK_(" W-1001", "true", "")},
      {{GIVEN("replace", "false"), GIVEN("ip_sans", "")}, OK_("", "false", "")},
      {{GIVEN("ip_sans", "10.1.1.68,2001:DB8::1"), GIVEN("dns_sans", "a.example"),
        GIVEN("uri_sans", "urn:a,urn:b")},
       OK_("", "false",
           "ip_sans 10.1.1.68\nip_sans 2001:db8::1\ndns_sans a.example\nuri_sans urn:a\n"
           "uri_sans urn:b\n")},
      {{GIVEN("replace", "1")}, "bad-field\nreplace"},
      {{GIVEN("replace", "")}, "bad-field\nreplace"},
      {{GIVEN("replace", "TRUE")}, "bad-field\nreplace"},
      {{GIVEN("csr", "MIIB")}, "unknown-field\ncsr"},
      {{GIVEN("ip", "10.1.1.68")}, "unknown-field\nip"},
      {{GIVEN("ip_sans", "10.1.1.68,")}, "bad-field\nip_sans"},
      {{GIVEN("ip_sans", ",")}, "bad-field\nip_sans"},
      {{GIVEN("ip_sans", "10.1.1.68,,10.1.1.69")}, "bad-name\nitem"},
      {{GIVEN("dns_sans", "a_b.example,good.example,c_d.example")},
       "bad-name\nitem a_b.example\nitem c_d.example"},
      {{GIVEN("model", "a\nb")}, "bad-field\nmodel"},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    assert_query_outcome(&rows[i]);
}

static void a_json_request_has_no_fields_in_its_query(void **state)
{
  (void)state;
  struct parameter query = GIVEN("device_serial", "W-1001");
  struct exchange x = make_exchange("application/json");
  x.query = &query;
  x.n_query = 1;
  read_case("good-minimal", "input", &x.body);
  assert_outcome("json with a query", &x, (char[]){"unknown-field\ndevice_serial"});
  buf_free(&x.body);
}

static void other_content_types_are_refused(void **state)
{
  (void)state;
  static const char *const types[] = {"", "text/plain", "application/x-www-form-urlencoded",
                                      "application/jsonp", "application/pkcs10-mime"};
  for (size_t i = 0; i < ARRAY_LEN(types); i++) {
    struct exchange x = make_exchange(types[i]);
    read_case("good-minimal", "input", &x.body);
    assert_outcome(types[i], &x, (char[]){"unsupported-media-type\napplication/pkcs10"});
    buf_free(&x.body);
  }
}

static void a_bare_body_that_is_no_csr_is_refused(void **state)
{
  (void)state;
  static const char *const bodies[] = {"", "{}", "hello", "-----BEGIN CERTIFICATE REQUEST-----\n"};
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    struct exchange x = make_exchange("application/pkcs10");
    buf_add_text(&x.body, bodies[i]);
    assert_outcome(bodies[i], &x, (char[]){"bad-csr"});
    buf_free(&x.body);
  }
}

/* --- renewals --- */

static void a_renewal_is_of_what_its_holder_was_let_in_for(void **state)
{
  (void)state;
  AUTO(request) request = {0};
  AUTO(fault) f = {0};
  struct exchange x = make_exchange("application/pkcs10");
  x.principal = (struct principal){.name = "W-1", .role = ROLE_DEVICE, .renews = 7};
  fill_csr(&x.body);
  assert_true(renew_decode(&x, &request, &f));
  assert_int_equal(request.renews, 7);
  assert_string_equal(request.station, STATION_DEVICE);
  assert_string_equal(request.own_serial, "W-1");
  assert_string_equal(request.device_serial, "W-1");
  assert_true(request.csr.len > 0);
  buf_free(&x.body);
}

static void a_renewal_has_a_csr_and_nothing_else(void **state)
{
  (void)state;
  AUTO(fault) f = {0};
  AUTO(buf) csr = {0};
  struct parameter query = {(char[]){"model"}, (char[]){"WX-4"}};
  struct exchange json = make_exchange("application/json"),
                  bare = make_exchange("application/pkcs10");
  AUTO(request) one = {0}, more = {0}, with_query = {0};
  fill_csr(&csr);
  buf_addf(&json.body, "{\"csr\":\"%s\"}", buf_text(&csr));
  assert_true(renew_decode(&json, &one, &f));
  buf_clear(&json.body);
  buf_addf(&json.body, "{\"csr\":\"%s\",\"replace\":true}", buf_text(&csr));
  assert_false(renew_decode(&json, &more, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_FIELD);
  bare.query = &query;
  bare.n_query = 1;
  fill_csr(&bare.body);
  assert_false(renew_decode(&bare, &with_query, &f));
  assert_int_equal(f.code, FAULT_UNKNOWN_FIELD);
  buf_free(&json.body);
  buf_free(&bare.body);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_json_case_has_its_outcome),
      cmocka_unit_test(json_means_the_same_to_both_readers),
      cmocka_unit_test(a_bare_csr_takes_its_fields_from_the_query),
      cmocka_unit_test(a_json_request_has_no_fields_in_its_query),
      cmocka_unit_test(other_content_types_are_refused),
      cmocka_unit_test(a_bare_body_that_is_no_csr_is_refused),
      cmocka_unit_test(a_renewal_is_of_what_its_holder_was_let_in_for),
      cmocka_unit_test(a_renewal_has_a_csr_and_nothing_else),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
