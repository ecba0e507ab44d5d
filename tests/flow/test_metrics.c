/* test_metrics.c - GET /metrics, as Prometheus would read it. */
#include "tests/flow/flow.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "daemon/route.h"
#include "lib/base/file.h"
#include "lib/base/when.h"
#include "tests/flow/exposition.h"

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

static const char *scrape(struct answer *answer)
{
  flow_ask(&flow, &(struct ask){.path = "/metrics", .token = flow.admin}, answer);
  assert_int_equal(answer->status, 200);
  assert_string_equal(answer->content_type, "text/plain; version=0.0.4; charset=utf-8");
  return buf_text(&answer->body);
}

static double value_of(const char *sample)
{
  AUTO(answer) answer = {0};
  return exposition_value(scrape(&answer), sample);
}

/* A request is counted behind its reply: so it may have to be waited for. */
static void wait_for_value(const char *sample, double wanted)
{
  int64_t deadline = when_monotonic_ms() + 20000;
  for (;; usleep(20000)) {
    AUTO(answer) answer = {0};
    const char *text = scrape(&answer);
    if (exposition_has_sample(text, sample) && exposition_value(text, sample) == wanted)
      return;
    if (when_monotonic_ms() > deadline)
      fail_msg("%s is not %g: %s", sample, wanted, text);
  }
}

static long issue(const char *serial, const char *ip, const char *more)
{
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), serial, ip, more, &answer);
  return answer.status;
}

static void a_strict_reader_likes_it(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  exposition_check(scrape(&answer));
}

static void each_route_has_its_counters(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  const char *text = scrape(&answer);
  for (size_t i = 0; i < n_routes; i++) {
    char sample[256];
    const char *method = method_name(routes[i].method);
    snprintf(sample, sizeof sample,
             "mintmark_requests_total{method=\"%s\",route=\"%s\",status=\"2xx\"}", method,
             routes[i].pattern);
    assert_true(exposition_value(text, sample) >= 0);
    snprintf(sample, sizeof sample, "mintmark_request_seconds_count{method=\"%s\",route=\"%s\"}",
             method, routes[i].pattern);
    assert_true(exposition_value(text, sample) >= 0);
  }
}

static void requests_are_counted_by_how_they_end(void **state)
{
  (void)state;
#define ISSUED   "mintmark_certificate_requests_total{outcome=\"issued\"}"
#define REFUSED  "mintmark_certificate_requests_total{outcome=\"refused\"}"
#define REPLACED "mintmark_certificate_requests_total{outcome=\"replaced\"}"
#define POST     "{method=\"POST\",route=\"/v1/certificates\""
  double issued = value_of(ISSUED), refused = value_of(REFUSED), replaced = value_of(REPLACED);
  double certificates = value_of("mintmark_ledger_certificates");
  double commits = value_of("mintmark_ledger_commits_total");
  assert_int_equal(issue("W-1", "10.0.0.1", NULL), 201);
  assert_int_equal(issue("W-2", "10.0.0.2", NULL), 201);
  assert_int_equal(issue("W-1", "10.0.0.1", ",\"replace\":true"), 201);
  assert_int_equal(issue("W-3", "8.8.8.8", NULL), 422);
  wait_for_value(ISSUED, issued + 2);
  wait_for_value(REPLACED, replaced + 1);
  wait_for_value(REFUSED, refused + 1);
  wait_for_value("mintmark_ledger_certificates", certificates + 3);
  assert_true(value_of("mintmark_ledger_commits_total") > commits);
  wait_for_value("mintmark_requests_total" POST ",status=\"2xx\"}", 3);
  wait_for_value("mintmark_requests_total" POST ",status=\"4xx\"}", 1);
  wait_for_value("mintmark_request_seconds_count" POST "}", 4);
  assert_true(value_of("mintmark_request_seconds_sum" POST "}") > 0);
  wait_for_value("mintmark_events_total{kind=\"refused\"}", refused + 1);
  wait_for_value("mintmark_jobs", 0);
}

static void what_has_no_route_is_counted_too(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  flow_ask(&flow, &(struct ask){.path = "/nothing"}, &answer);
  assert_int_equal(answer.status, 404);
  wait_for_value("mintmark_requests_total{method=\"none\",route=\"none\",status=\"4xx\"}", 1);
}

static void lists_of_revoked_certificates_are_told_of(void **state)
{
  (void)state;
  wait_for_value("mintmark_crl_number{authority=\"issuing\"}", 1);
  assert_true(value_of("mintmark_crl_next_update_seconds{list=\"issuing.crl\"}") >
              (double)when_now());
}

static void it_tells_what_the_daemon_stands_on(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  const char *text = scrape(&answer);
  double now = (double)when_now();
  assert_true(exposition_value(text, "mintmark_ledger_up") == 1);
  assert_true(exposition_value(text, "mintmark_key_holder_up") == 1);
  assert_true(exposition_value(text, "mintmark_open_connections{listener=\"tls\"}") >= 1);
  assert_true(exposition_value(text, "mintmark_open_connections{listener=\"plain\"}") == 0);
  assert_true(exposition_value(text, "mintmark_authority_not_after_seconds{authority=\"issuing\","
                                     "state=\"active\"}") > now);
  double started = exposition_value(text, "process_start_time_seconds");
  assert_true(started <= now && started > now - 600);
  assert_true(exposition_value(text, "process_resident_memory_bytes") > 1e6);
  assert_true(exposition_value(text, "process_open_fds") > 3);
  kill(flow_key_holder(&flow), SIGSTOP);
  wait_for_value("mintmark_key_holder_up", 0);
  kill(flow_key_holder(&flow), SIGCONT);
  wait_for_value("mintmark_key_holder_up", 1);
}

/* One more, which ends in 80 days. */
static void add_short_authority(void)
{
  AUTO(buf) command = {0};
  buf_addf(&command,
           "'%s/mintmark' authority add soon --dir '%s/ca' --url '%s' --validity 80d "
           ">'%s/authority.log' 2>&1",
           getenv("MINTMARK_BUILDDIR"), flow.folder, flow.url, flow.folder);
  assert_int_equal(system(buf_text(&command)), 0);
}

static void an_authority_that_expires_is_announced(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  flow_ask(&flow, &(struct ask){.path = "/readyz"}, &answer);
  assert_int_equal(answer.status, 200);
  assert_non_null(strstr(buf_text(&answer.body), "\"warnings\":[]"));
  add_short_authority();
  wait_for_value("mintmark_authority_expiring{authority=\"soon\",state=\"standby\"}", 1);
  wait_for_value("mintmark_authority_expiring{authority=\"issuing\",state=\"active\"}", 0);
  flow_ask(&flow, &(struct ask){.path = "/readyz"}, &answer);
  assert_int_equal(answer.status, 200);
  assert_non_null(strstr(buf_text(&answer.body), "\"warnings\":[{\"name\":\"soon\",\"why\":"));
  wait_for_value("mintmark_events_total{kind=\"authority-expiring\"}", 1);
  flow_wait_for_log(&flow, "authority=soon");
}

/* The manual names each family in a .It Li line. */
static void the_manual_lists_each_of_them(void **state)
{
  (void)state;
  char path[256];
  AUTO(buf) manual = {0};
  AUTO(fault) f = {0};
  AUTO(answer) answer = {0};
  snprintf(path, sizeof path, "%s/man/mintmarkd.8", getenv("MINTMARK_SRCDIR"));
  assert_true(file_read(path, 1 << 20, &manual, &f));
  const char *text = scrape(&answer);
  size_t n = 0;
  for (const char *line = text; (line = strstr(line, "# TYPE ")) != NULL; n++) {
    char name[128], wanted[160];
    line += strlen("# TYPE ");
    assert_int_equal(sscanf(line, "%127s", name), 1);
    snprintf(wanted, sizeof wanted, "\n.It Li %s\n", name);
    if (strstr(buf_text(&manual), wanted) == NULL)
      fail_msg("mintmarkd(8) does not tell of %s", name);
  }
  assert_true(n >= 15);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_strict_reader_likes_it),
      cmocka_unit_test(each_route_has_its_counters),
      cmocka_unit_test(requests_are_counted_by_how_they_end),
      cmocka_unit_test(what_has_no_route_is_counted_too),
      cmocka_unit_test(lists_of_revoked_certificates_are_told_of),
      cmocka_unit_test(it_tells_what_the_daemon_stands_on),
      cmocka_unit_test(an_authority_that_expires_is_announced),
      cmocka_unit_test(the_manual_lists_each_of_them),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
