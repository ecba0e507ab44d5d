/* test_roles.c - every route of the daemon, asked by every role and by nobody: who is let in is
 * written out here once more, and compared. */
#include "tests/flow/flow.h"

#include <stdio.h>
#include <string.h>

#include "daemon/route.h"
#include "lib/base/base64.h"

/* s station, d device, o operator, u auditor, a admin; - nobody at all */
static const struct {
  const char *method, *pattern, *who;
} wanted[] = {
    {"POST", "/v1/certificates", "sdoa"},
    {"GET", "/v1/certificates", "sdoua"},
    {"GET", "/v1/certificates/:serial_number", "sdoua"},
    {"POST", "/v1/certificates/:serial_number/revoke", "oa"},
    {"POST", "/v1/revocations", "oa"},
    {"POST", "/v1/renew", ""}, /* by certificate alone: see test_renewal.c */
    {"GET", "/v1/events", "soua"},
    {"POST", "/v1/batches", "soa"},
    {"GET", "/v1/batches", "soua"},
    {"GET", "/v1/batches/:id", "soua"},
    {"GET", "/v1/ca", "-sdoua"},
    {"GET", "/v1/ca/chain.pem", "-sdoua"},
    {"GET", "/v1/ca/root.crt", "-sdoua"},
    {"POST", "/v1/orders", "oa"},
    {"GET", "/v1/orders", "soua"},
    {"GET", "/v1/orders/:name", "soua"},
    {"GET", "/v1/ca/:name/chain.pem", "-sdoua"},
    {"GET", "/v1/ca/:name/root.crt", "-sdoua"},
    {"GET", "/crl/*name", "-sdoua"},
    {"GET", "/v1/authorities", "oua"},
    {"POST", "/v1/authorities/:name/activate", "a"},
    {"POST", "/v1/authorities/:name/retire", "a"},
    {"POST", "/v1/reload", "a"},
    {"POST", "/v1/orders/:name/close", "oa"},
    {"POST", "/v1/orders/:name/extend", "oa"},
    {"GET", "/v1/orders/:name/report", "oua"},
    {"POST", "/v1/principals", "a"},
    {"GET", "/v1/principals", "a"},
    {"POST", "/v1/principals/:name/rotate", "a"},
    {"POST", "/v1/principals/:name/disable", "a"},
    {"POST", "/v1/principals/:name/enable", "a"},
    {"GET", "/v1/devices", "oua"},
    {"POST", "/v1/device-resets", "oa"},
    {"POST", "/v1/device-imports", "oa"},
    {"POST", "/v1/device-imports/:id/rows", "oa"},
    {"POST", "/v1/device-imports/:id/commit", "oa"},
    {"POST", "/v1/device-imports/:id/abort", "oa"},
    {"POST", "/v1/backups", "a"},
    {"GET", "/v1/standing", "oua"},
    {"POST", "/v1/standing/crl", "a"},
    {"POST", "/v1/standing/accept", "a"},
    {"GET", "/ca/roots.pem", "-sdoua"},
    {"GET", "/ca/:name.crt", "-sdoua"},
    {"GET", "/ca/:name.pem", "-sdoua"},
    {"GET", "/metrics", "oua"},
    {"POST", "/ocsp", "-sdoua"},
    {"GET", "/ocsp/*request", "-sdoua"},
    {"GET", "/healthz", "-sdoua"},
    {"GET", "/readyz", "-sdoua"},
};

static struct flow flow;

/* Who asks: the letter in the table, and what is sent as a bearer token. */
static struct caller {
  char letter;
  char token[160]; /* "": nothing */
} callers[] = {{.letter = '-'}, {.letter = 's'}, {.letter = 'd'},
               {.letter = 'o'}, {.letter = 'u'}, {.letter = 'a'}};

static struct caller *caller_of(char letter)
{
  for (size_t i = 0; i < ARRAY_LEN(callers); i++)
    if (callers[i].letter == letter)
      return &callers[i];
  fail_msg("nobody is called %c", letter);
  return NULL;
}

static json_t *post(const char *path, const char *type, const char *body)
{
  AUTO(answer) answer = {0};
  flow_ask(&flow,
           &(struct ask){.method = "POST",
                         .path = path,
                         .token = flow.admin,
                         .content_type = type,
                         .body = bytes_of_text(body)},
           &answer);
  if (answer.status != 200 && answer.status != 201)
    fail_msg("%s: %ld %s", path, answer.status, buf_text(&answer.body));
  return answer_json(&answer);
}

static void add_principal(char letter, const char *role)
{
  char body[128];
  snprintf(body, sizeof body, "{\"name\":\"some-%s\",\"role\":\"%s\"}", role, role);
  json_t *reply = post("/v1/principals", "application/json", body);
  snprintf(caller_of(letter)->token, sizeof caller_of(letter)->token, "%s",
           json_text(reply, "token"));
  json_decref(reply);
}

/* An imported device shows its serial and secret, in base64url. */
static void add_device(void)
{
  char path[96], shown[128];
  AUTO(buf) token = {0};
  json_t *import = post("/v1/device-imports", NULL, "");
  snprintf(path, sizeof path, "/v1/device-imports/%s/rows", json_text(import, "id"));
  json_t *rows = post(path, "application/x-ndjson", "{\"device_serial\":\"W-1\"}");
  snprintf(shown, sizeof shown, "W-1:%s",
           json_text(json_array_get(json_object_get(rows, "secrets"), 0), "secret"));
  snprintf(path, sizeof path, "/v1/device-imports/%s/commit", json_text(import, "id"));
  json_decref(post(path, NULL, ""));
  base64url_add(&token, bytes_of_text(shown));
  snprintf(caller_of('d')->token, sizeof caller_of('d')->token, "%s", buf_text(&token));
  json_decref(rows);
  json_decref(import);
}

static int begin(void **state)
{
  (void)state;
  flow_begin(&flow, NULL);
  add_principal('s', "station");
  add_principal('o', "operator");
  add_principal('u', "auditor");
  add_principal('a', "admin");
  add_device();
  return 0;
}

static int end(void **state)
{
  (void)state;
  flow_end(&flow);
  return 0;
}

/* The pattern with something in the place of ":name" or "*name". */
static void make_path(const char *pattern, char out[128])
{
  const char *mark = strpbrk(pattern, ":*");
  if (mark == NULL)
    snprintf(out, 128, "%s", pattern);
  else
    snprintf(out, 128, "%.*snothing%s", (int)(mark - pattern), pattern, mark + strcspn(mark, "/."));
}

/* Is the caller let in? A request that is let in may be wrong in other ways. */
static bool is_let_in(const char *method, const char *pattern, const char *who,
                      const struct caller *caller)
{
  AUTO(answer) answer = {0};
  char path[128];
  make_path(pattern, path);
  flow_ask(&flow,
           &(struct ask){.method = method,
                         .path = path,
                         .token = caller->token[0] != '\0' ? caller->token : NULL},
           &answer);
  assert_true(answer.status != 0 && answer.status != 429);
  if (caller->letter == '-')
    assert_int_not_equal(answer.status, 403);
  else if (who[0] != '\0')
    assert_int_not_equal(answer.status, 401);
  return answer.status != 401 && answer.status != 403;
}

static void each_route_lets_in_whom_it_should(void **state)
{
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
    for (size_t k = 0; k < ARRAY_LEN(callers); k++) {
      bool should = strchr(wanted[i].who, callers[k].letter) != NULL;
      if (is_let_in(wanted[i].method, wanted[i].pattern, wanted[i].who, &callers[k]) != should)
        fail_msg("%s %s: %c is%s let in", wanted[i].method, wanted[i].pattern, callers[k].letter,
                 should ? " not" : "");
    }
}

static void no_route_is_forgotten_here(void **state)
{
  (void)state;
  assert_int_equal(n_routes, ARRAY_LEN(wanted));
  for (size_t i = 0; i < n_routes; i++) {
    size_t n = 0;
    for (size_t k = 0; k < ARRAY_LEN(wanted); k++)
      n += strcmp(wanted[k].pattern, routes[i].pattern) == 0 &&
           strcmp(wanted[k].method, method_name(routes[i].method)) == 0;
    if (n != 1)
      fail_msg("%s %s stands here %zu times", method_name(routes[i].method), routes[i].pattern, n);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_route_lets_in_whom_it_should),
      cmocka_unit_test(no_route_is_forgotten_here),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
