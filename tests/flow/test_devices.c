/* test_devices.c - devices that enrol themselves at first boot, against the real daemon: the
 * secret that is used up, its limits, and the operator who imports and resets. */
#include "tests/flow/flow.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/base64.h"
#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/pki/san.h"

#define PROFILE(name, more)                                                                        \
  "profile \"" name "\" {\n"                                                                       \
  "  validity = \"30d\"\n"                                                                         \
  "  key_types = {\"ec-p256\"}\n"                                                                  \
  "  key_usage = {\"digitalSignature\"}\n"                                                         \
  "  ext_key_usage = {\"serverAuth\"}\n"                                                           \
  "  ip_ranges = {\"10.0.0.0/8\", \"127.0.0.0/8\"}\n"                                              \
  "  dns_patterns = {\"**.widgets.example\"}\n"                                                    \
  "  subject = {\"CN=${device_serial}\"}\n" more "}\n"

static const char profiles[] = PROFILE("enrol", "  roles = {\"device\"}\n")
    PROFILE("copying", "  roles = {\"device\"}\n  csr_names = \"copy\"\n")
        PROFILE("proved", "  roles = {\"device\", \"station\"}\n  ip_proof = \"peer\"\n");

/* --- what a device and an operator send --- */

static void post(const struct flow *flow, const char *path, const char *type, const char *body,
                 struct answer *answer)
{
  flow_ask(flow,
           &(struct ask){.method = "POST",
                         .path = path,
                         .token = flow->admin,
                         .content_type = type,
                         .body = bytes_of_text(body)},
           answer);
}

/* Rows of NDJSON, imported whole; returns the secret of the last one that got one. */
static void import_rows(const struct flow *flow, const char *rows, char ret_secret[64])
{
  AUTO(answer) answer = {0};
  char path[96];
  post(flow, "/v1/device-imports", NULL, "", &answer);
  assert_int_equal(answer.status, 201);
  json_t *import = answer_json(&answer);
  snprintf(path, sizeof path, "/v1/device-imports/%s/rows", json_text(import, "id"));
  post(flow, path, "application/x-ndjson", rows, &answer);
  assert_int_equal(answer.status, 200);
  json_t *reply = answer_json(&answer);
  json_t *secrets = json_object_get(reply, "secrets");
  if (ret_secret != NULL)
    snprintf(ret_secret, 64, "%s",
             json_text(json_array_get(secrets, json_array_size(secrets) - 1), "secret"));
  snprintf(path, sizeof path, "/v1/device-imports/%s/commit", json_text(import, "id"));
  post(flow, path, NULL, "", &answer);
  assert_int_equal(answer.status, 200);
  json_decref(reply);
  json_decref(import);
}

static void import_one(const struct flow *flow, const char *serial, char ret_secret[64])
{
  char row[160];
  snprintf(row, sizeof row, "{\"device_serial\":\"%s\"}", serial);
  import_rows(flow, row, ret_secret);
}

static void basic(const char *serial, const char *secret, struct buf *out)
{
  AUTO(buf) credentials = {0};
  buf_addf(&credentials, "%s:%s", serial, secret);
  buf_add_text(out, "Authorization: Basic ");
  base64_add(out, buf_bytes(&credentials), 0);
}

static void get_as(const struct flow *flow, const char *serial, const char *secret,
                   const char *path, struct answer *answer)
{
  AUTO(buf) header = {0};
  basic(serial, secret, &header);
  flow_ask(flow, &(struct ask){.path = path, .header = buf_text(&header)}, answer);
}

struct enrolment {
  const char *serial, *secret; /* who asks */
  const char *csr, *profile;
  const char *members; /* more, each with a comma in front */
};

static void enrol(const struct flow *flow, const struct enrolment *e, struct answer *answer)
{
  AUTO(buf) header = {0};
  json_t *body = json_pack("{s:s, s:s}", "csr", e->csr, "profile", e->profile);
  char *text = json_dumps(body, JSON_COMPACT), all[4096];
  snprintf(all, sizeof all, "%.*s%s}", (int)strlen(text) - 1, text,
           e->members != NULL ? e->members : "");
  basic(e->serial, e->secret, &header);
  flow_ask(flow,
           &(struct ask){.path = "/v1/certificates",
                         .header = buf_text(&header),
                         .content_type = "application/json",
                         .body = bytes_of_text(all)},
           answer);
  free(text);
  json_decref(body);
}

static long status_of(const struct flow *flow, const struct enrolment *e)
{
  AUTO(answer) answer = {0};
  enrol(flow, e, &answer);
  return answer.status;
}

/* --- the one-time secret --- */

static void a_device_enrols_once_and_a_lost_reply_is_no_loss(void **state)
{
  (void)state;
  struct flow flow;
  char secret[64], bearer[256];
  AUTO(answer) first = {0}, again = {0};
  AUTO(buf) csr = {0}, other_csr = {0}, credentials = {0}, token = {0};
  flow_begin(&flow, profiles);
  import_one(&flow, "W-1", secret);
  make_csr(&csr);
  make_csr(&other_csr);
  struct enrolment e = {"W-1", secret, buf_text(&csr), "enrol", ",\"ip_sans\":[\"10.1.1.1\"]"};
  enrol(&flow, &e, &first);
  assert_int_equal(first.status, 201);
  json_t *reply = answer_json(&first);
  assert_string_equal(json_text(reply, "device_serial"), "W-1");
  assert_chain(&flow, reply, "10.1.1.1");
  enrol(&flow, &e, &again);
  assert_int_equal(again.status, 200);
  assert_true(bytes_equal(buf_bytes(&first.body), buf_bytes(&again.body)));
  /* Neither another key nor another request, replace or not. */
  e.csr = buf_text(&other_csr);
  enrol(&flow, &e, &again);
  assert_problem(&again, 403, "forbidden");
  assert_non_null(strstr(buf_text(&again.body), "used up for another key"));
  e.members = ",\"ip_sans\":[\"10.1.1.1\"],\"replace\":true";
  assert_int_equal(status_of(&flow, &e), 403);
  e.csr = buf_text(&csr);
  assert_int_equal(status_of(&flow, &e), 403);
  /* It may look at what it got, by Bearer as well. */
  buf_addf(&credentials, "W-1:%s", secret);
  base64url_add(&token, buf_bytes(&credentials));
  snprintf(bearer, sizeof bearer, "%s", buf_text(&token));
  flow_ask(&flow, &(struct ask){.path = first.location, .token = bearer}, &again);
  assert_int_equal(again.status, 200);
  assert_int_equal(flow_rows(&flow), 1);
  json_decref(reply);
  flow_end(&flow);
}

enum { RACERS = 16 };

struct racer {
  const struct flow *flow;
  const char *secret;
  struct buf csr;
  long status;
  pthread_t thread;
};

static void *race(void *context)
{
  struct racer *racer = context;
  racer->status = status_of(
      racer->flow, &(struct enrolment){"W-1", racer->secret, buf_text(&racer->csr), "enrol", NULL});
  return NULL;
}

static void one_secret_gives_one_key_a_certificate_however_many_race(void **state)
{
  (void)state;
  static struct racer racers[RACERS];
  struct flow flow;
  char secret[64];
  unsigned issued = 0;
  flow_begin(&flow, profiles);
  import_one(&flow, "W-1", secret);
  for (unsigned i = 0; i < RACERS; i++) {
    racers[i].flow = &flow;
    racers[i].secret = secret;
    make_csr(&racers[i].csr);
  }
  for (unsigned i = 0; i < RACERS; i++)
    assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
  for (unsigned i = 0; i < RACERS; i++) {
    pthread_join(racers[i].thread, NULL);
    issued += racers[i].status == 201;
    assert_true(racers[i].status == 201 || racers[i].status == 403);
    buf_free(&racers[i].csr);
  }
  assert_int_equal(issued, 1);
  assert_int_equal(flow_rows(&flow), 1);
  flow_end(&flow);
}

static void a_device_asks_for_itself_and_sees_itself_alone(void **state)
{
  (void)state;
  struct flow flow;
  char secret[64];
  AUTO(answer) answer = {0};
  AUTO(buf) csr = {0}, other_csr = {0};
  flow_begin(&flow, profiles);
  import_one(&flow, "line-1", secret); /* as a station is called */
  make_csr(&csr);
  make_csr(&other_csr);
  flow_issue(&flow, buf_text(&other_csr), "W-2", "10.0.0.2", NULL, &answer);
  assert_int_equal(answer.status, 201);
  char others[128];
  snprintf(others, sizeof others, "%s", answer.location);
  struct enrolment e = {"line-1", secret, buf_text(&csr), "enrol", ",\"device_serial\":\"W-2\""};
  enrol(&flow, &e, &answer);
  assert_problem(&answer, 403, "forbidden");
  /* A profile that does not name its role is not for it. */
  e.members = NULL;
  e.profile = "test";
  enrol(&flow, &e, &answer);
  assert_problem(&answer, 403, "forbidden");
  e.profile = "enrol";
  assert_int_equal(status_of(&flow, &e), 201);
  get_as(&flow, "line-1", secret, "/v1/certificates", &answer);
  assert_int_equal(answer.status, 200);
  json_t *list = answer_json(&answer);
  assert_int_equal(json_array_size(json_object_get(list, "certificates")), 1);
  get_as(&flow, "line-1", secret, others, &answer);
  assert_problem(&answer, 404, "unknown-serial-number");
  get_as(&flow, "line-1", secret, "/v1/certificates?device_serial=W-2", &answer);
  assert_problem(&answer, 403, "forbidden");
  get_as(&flow, "line-1", secret, "/v1/devices", &answer);
  assert_problem(&answer, 403, "forbidden");
  /* Nor does the station of that name see the device's. */
  flow_ask(&flow, &(struct ask){.path = "/v1/certificates", .token = flow.station}, &answer);
  json_t *stations = answer_json(&answer);
  assert_int_equal(json_array_size(json_object_get(stations, "certificates")), 1);
  json_decref(stations);
  json_decref(list);
  flow_end(&flow);
}

static void what_was_imported_bounds_what_a_device_may_have(void **state)
{
  (void)state;
  struct flow flow;
  char secret[64];
  AUTO(answer) answer = {0};
  AUTO(buf) csr = {0}, named_csr = {0};
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  struct private_key *key = NULL;
  flow_begin(&flow, profiles);
  import_rows(&flow,
              "{\"device_serial\":\"W-1\",\"model\":\"WX-4\",\"order\":\"PO-1\","
              "\"ip_sans\":[\"10.1.1.1\"],\"dns_sans\":[\"W-1.widgets.example\"]}",
              secret);
  make_csr(&csr);
  assert_true(private_key_generate("ec-p256", &key, &f));
  assert_true(sans_add(&names, SAN_DNS, bytes_of_text("w-2.widgets.example"), &f));
  make_csr_for(key, NULL, &names, &named_csr);
  private_key_free(key);
  struct enrolment e = {"W-1", secret, buf_text(&csr), "enrol", ",\"model\":\"WX-5\""};
  enrol(&flow, &e, &answer);
  assert_problem(&answer, 403, "forbidden");
  e.members = ",\"order\":\"PO-2\"";
  enrol(&flow, &e, &answer);
  assert_problem(&answer, 422, "order-not-allowed");
  post(&flow, "/v1/orders", "application/json",
       "{\"name\":\"PO-1\",\"profile\":\"enrol\",\"quantity\":5}", &answer);
  assert_int_equal(answer.status, 201);
  e.members = ",\"ip_sans\":[\"10.1.1.1\",\"10.1.1.2\",\"10.1.1.3\"]";
  enrol(&flow, &e, &answer);
  assert_problem(&answer, 422, "name-not-allowed");
  assert_null(strstr(buf_text(&answer.body), "\"10.1.1.1\""));
  assert_non_null(strstr(buf_text(&answer.body), "\"10.1.1.2\""));
  assert_non_null(strstr(buf_text(&answer.body), "\"10.1.1.3\""));
  /* Nor by way of the CSR. */
  e.members = NULL;
  e.csr = buf_text(&named_csr);
  e.profile = "copying";
  enrol(&flow, &e, &answer);
  assert_int_equal(answer.status, 422);
  e.csr = buf_text(&csr);
  e.profile = "enrol";
  e.members = ",\"ip_sans\":[\"10.1.1.1\"],\"dns_sans\":[\"w-1.widgets.example\"]";
  enrol(&flow, &e, &answer);
  assert_int_equal(answer.status, 201);
  json_t *reply = answer_json(&answer);
  assert_string_equal(json_text(reply, "model"), "WX-4");
  assert_string_equal(json_text(reply, "order"), "PO-1");
  json_decref(reply);
  assert_int_equal(flow_rows(&flow), 1);
  flow_end(&flow);
}

static void a_device_names_the_address_that_it_asks_from(void **state)
{
  (void)state;
  struct flow flow;
  char secret[64];
  AUTO(answer) answer = {0};
  AUTO(buf) csr = {0}, station_csr = {0};
  flow_begin(&flow, profiles);
  import_one(&flow, "W-1", secret);
  make_csr(&csr);
  make_csr(&station_csr);
  struct enrolment e = {"W-1", secret, buf_text(&csr), "proved",
                        ",\"ip_sans\":[\"127.0.0.1\",\"10.1.1.1\"]"};
  enrol(&flow, &e, &answer);
  assert_problem(&answer, 422, "address-not-proven");
  assert_non_null(strstr(buf_text(&answer.body), "\"10.1.1.1\""));
  assert_null(strstr(buf_text(&answer.body), "\"127.0.0.1\""));
  e.members = ",\"ip_sans\":[\"127.0.0.1\"],\"dns_sans\":[\"w-1.widgets.example\"]";
  assert_int_equal(status_of(&flow, &e), 201);
  /* A station asks for widgets that are elsewhere. */
  json_t *request = json_pack("{s:s, s:s, s:s, s:[s]}", "csr", buf_text(&station_csr),
                              "device_serial", "W-2", "profile", "proved", "ip_sans", "10.1.1.2");
  char *text = json_dumps(request, JSON_COMPACT);
  flow_ask(&flow,
           &(struct ask){.path = "/v1/certificates",
                         .token = flow.station,
                         .content_type = "application/json",
                         .body = bytes_of_text(text)},
           &answer);
  assert_int_equal(answer.status, 201);
  free(text);
  json_decref(request);
  flow_end(&flow);
}

/* --- wrong secrets --- */

static void ten_wrong_secrets_lock_until_a_reset(void **state)
{
  (void)state;
  struct flow flow;
  char secret[64], fresh[64];
  AUTO(answer) answer = {0};
  flow_begin(&flow, profiles);
  import_one(&flow, "W-1", secret);
  for (int i = 0; i < 10; i++) {
    get_as(&flow, "W-1", "0123456789abcdef0123456789abcdef", "/v1/certificates", &answer);
    assert_problem(&answer, 401, "unauthenticated");
  }
  get_as(&flow, "W-1", secret, "/v1/certificates", &answer);
  assert_problem(&answer, 401, "unauthenticated");
  AUTO(buf) locked = {0};
  buf_add_bytes(&locked, bytes_of_text(strstr(buf_text(&answer.body), "\"detail\"")));
  get_as(&flow, "W-9", secret, "/v1/certificates", &answer);
  AUTO(buf) unknown = {0};
  buf_add_bytes(&unknown, bytes_of_text(strstr(buf_text(&answer.body), "\"detail\"")));
  /* The same words for both, up to the request's id. */
  size_t len = (size_t)(strstr(buf_text(&locked), "request_id") - buf_text(&locked));
  assert_memory_equal(buf_text(&locked), buf_text(&unknown), len);
  flow_ask(&flow, &(struct ask){.path = "/v1/devices?state=locked", .token = flow.admin}, &answer);
  assert_non_null(strstr(buf_text(&answer.body), "\"W-1\""));
  post(&flow, "/v1/device-resets", "application/json", "{\"device_serial\":\"W-1\"}", &answer);
  assert_int_equal(answer.status, 200);
  json_t *reply = answer_json(&answer);
  snprintf(fresh, sizeof fresh, "%s", json_text(reply, "secret"));
  json_decref(reply);
  get_as(&flow, "W-1", secret, "/v1/certificates", &answer);
  assert_int_equal(answer.status, 401);
  get_as(&flow, "W-1", fresh, "/v1/certificates", &answer);
  assert_int_equal(answer.status, 200);
  flow_end(&flow);
}

static void who_guesses_is_slowed_down_and_a_right_token_passes(void **state)
{
  (void)state;
  struct flow flow;
  char secret[64];
  AUTO(answer) answer = {0};
  flow_begin(&flow, profiles);
  flow_edit_conf(&flow, "# failed_per_address = \"60/m\"", "failed_per_address = \"3/h\"");
  import_one(&flow, "W-1", secret);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_start(&flow);
  for (int i = 0; i < 3; i++) {
    get_as(&flow, "W-1", "wrong-wrong-wrong", "/v1/certificates", &answer);
    assert_int_equal(answer.status, 401);
  }
  for (int i = 0; i < 20; i++) {
    get_as(&flow, "W-1", "wrong-wrong-wrong", "/v1/certificates", &answer);
    assert_problem(&answer, 429, "too-many-requests");
    assert_true(answer.retry_after > 0 && answer.retry_after <= 1200);
  }
  /* What was not looked at did not count. */
  assert_int_equal(flow_sql(&flow, "SELECT wrong_tries FROM devices"), 3);
  get_as(&flow, "W-1", secret, "/v1/certificates", &answer);
  assert_int_equal(answer.status, 429);
  flow_ask(&flow, &(struct ask){.path = "/v1/certificates", .token = flow.station}, &answer);
  assert_int_equal(answer.status, 200);
  flow_ask(&flow, &(struct ask){.path = "/v1/certificates", .token = "line-1.wrong"}, &answer);
  assert_int_equal(answer.status, 429);
  flow_end(&flow);
}

static void a_principal_over_its_limit_waits_and_a_reload_lets_it_go_on(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(answer) answer = {0};
  flow_begin(&flow, profiles);
  flow_edit_conf(&flow, "# per_principal = \"20000/s\"", "per_principal = \"4/h\"");
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_start(&flow);
  const struct ask ask = {.path = "/v1/certificates", .token = flow.station};
  for (int i = 0; i < 4; i++) {
    flow_ask(&flow, &ask, &answer);
    assert_int_equal(answer.status, 200);
  }
  flow_ask(&flow, &ask, &answer);
  assert_problem(&answer, 429, "too-many-requests");
  assert_true(answer.retry_after > 600 && answer.retry_after <= 900);
  flow_ask(&flow, &(struct ask){.path = "/v1/certificates", .token = flow.admin}, &answer);
  assert_int_equal(answer.status, 200);
  flow_edit_conf(&flow, "per_principal = \"4/h\"", "per_principal = \"none\"");
  kill(flow.daemon, SIGHUP);
  int64_t deadline = when_monotonic_ms() + 20000;
  do {
    assert_true(when_monotonic_ms() < deadline);
    usleep(10000);
    flow_ask(&flow, &ask, &answer);
  } while (answer.status == 429);
  assert_int_equal(answer.status, 200);
  flow_end(&flow);
}

/* --- the operator --- */

/* Runs `mintmark ARGUMENTS --dir CA`; returns its exit code and what it said, both outputs. */
static int mintmark(const struct flow *flow, const char *arguments, struct buf *ret_said)
{
  char command[1024], octets[512], ca[128];
  snprintf(command, sizeof command, "%s/mintmark %s --dir %s --url %s 2>&1",
           getenv("MINTMARK_BUILDDIR"), arguments, flow_path(flow, "ca", ca), flow->url);
  buf_clear(ret_said);
  FILE *said = popen(command, "r");
  assert_non_null(said);
  for (size_t n; (n = fread(octets, 1, sizeof octets, said)) > 0;)
    buf_add(ret_said, octets, n);
  int status = pclose(said);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

static void write_file(const char *path, const char *text)
{
  AUTO(fault) f = {0};
  assert_true(file_write(path, bytes_of_text(text), 0600, true, &f));
}

static void an_import_is_all_or_nothing(void **state)
{
  (void)state;
  struct flow flow;
  struct stat info;
  char csv[128], secrets[128], arguments[512];
  AUTO(buf) said = {0}, kept = {0};
  AUTO(fault) f = {0};
  flow_begin(&flow, profiles);
  flow_path(&flow, "widgets.csv", csv);
  flow_path(&flow, "secrets.csv", secrets);
  write_file(csv, "device_serial,ip_sans\nW-1,10.0.0.1\nW-2,10.0.0.256\nW-3,\n");
  snprintf(arguments, sizeof arguments, "device import %s --secrets %s", csv, secrets);
  assert_int_equal(mintmark(&flow, arguments, &said), 1);
  assert_non_null(strstr(buf_text(&said), "widgets.csv:3: ip_sans: 10.0.0.256"));
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM devices"), 0);
  assert_false(file_exists(secrets));
  /* What only the daemon can know. */
  write_file(csv, "device_serial\nW-1\nW-2\n\nW-1\n");
  assert_int_equal(mintmark(&flow, arguments, &said), 1);
  assert_non_null(strstr(buf_text(&said), "widgets.csv:5: line 2 has W-1 already"));
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM devices"), 0);
  assert_false(file_exists(secrets));
  snprintf(arguments, sizeof arguments, "device import %s --secrets %s --partial", csv, secrets);
  assert_int_equal(mintmark(&flow, arguments, &said), 0);
  assert_non_null(strstr(buf_text(&said), "2 devices were imported"));
  assert_int_equal(stat(secrets, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_true(file_read(secrets, 65536, &kept, &f));
  char serial[8], secret[64];
  assert_int_equal(
      sscanf(buf_text(&kept), "device_serial,secret\n%7[^,],%63[0-9a-f]\n", serial, secret), 2);
  assert_string_equal(serial, "W-1");
  AUTO(answer) answer = {0};
  get_as(&flow, serial, secret, "/v1/certificates", &answer);
  assert_int_equal(answer.status, 200);
  /* Secrets that somebody else made, in the other form. */
  flow_path(&flow, "widgets.ndjson", csv);
  write_file(csv, "{\"device_serial\":\"W-7\",\"secret\":\"hunter2hunter2\"}\n");
  snprintf(arguments, sizeof arguments, "device import %s", csv);
  assert_int_equal(mintmark(&flow, arguments, &said), 0);
  get_as(&flow, "W-7", "hunter2hunter2", "/v1/certificates", &answer);
  assert_int_equal(answer.status, 200);
  flow_end(&flow);
}

static void no_secret_is_written_anywhere(void **state)
{
  (void)state;
  struct flow flow;
  char secret[64], command[512];
  AUTO(buf) csr = {0};
  flow_begin(&flow, profiles);
  import_rows(&flow,
              "{\"device_serial\":\"W-7\",\"secret\":\"hunter2hunter2\"}\n"
              "{\"device_serial\":\"W-1\"}\n",
              secret);
  make_csr(&csr);
  struct enrolment e = {"W-1", secret, buf_text(&csr), "enrol", NULL};
  assert_int_equal(status_of(&flow, &e), 201);
  e.secret = "wrong-wrong-wrong";
  assert_int_equal(status_of(&flow, &e), 401);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  snprintf(command, sizeof command, "grep -rqaF -e %s -e hunter2hunter2 -e wrong-wrong-wrong %s",
           secret, flow.folder);
  assert_int_equal(WEXITSTATUS(system(command)), 1);
  flow_start(&flow);
  flow_end(&flow);
}

static void an_import_that_is_not_right_is_refused(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(answer) answer = {0};
  static const char *const bad[] = {"[]",
                                    "{\"device_serial\":\"\"}",
                                    "{\"device_serial\":\"W-1\",\"x\":1}",
                                    "{\"device_serial\":\"W-1\",\"secret\":\"short\"}",
                                    "{\"device_serial\":\"W-1\",\"dns_sans\":[\"a_b.example\"]}",
                                    "{\"device_serial\":\"W-1\"} {}"};
  flow_begin(&flow, profiles);
  post(&flow, "/v1/device-imports", NULL, "", &answer);
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    AUTO(buf) rows = {0};
    buf_addf(&rows, "{\"device_serial\":\"W-0\"}\n%s\n", bad[i]);
    post(&flow, "/v1/device-imports/1/rows?line=7", "application/x-ndjson", buf_text(&rows),
         &answer);
    assert_problem(&answer, 400, "bad-field");
    assert_non_null(strstr(buf_text(&answer.body), "\"line 8\""));
  }
  post(&flow, "/v1/device-imports/9/rows", "application/x-ndjson", "{\"device_serial\":\"W-0\"}",
       &answer);
  assert_problem(&answer, 404, "not-found");
  post(&flow, "/v1/device-imports/x/commit", NULL, "", &answer);
  assert_problem(&answer, 404, "not-found");
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM devices"), 0);
  post(&flow, "/v1/device-imports/1/abort", NULL, "", &answer);
  assert_int_equal(answer.status, 200);
  post(&flow, "/v1/device-imports/1/commit", NULL, "", &answer);
  assert_problem(&answer, 404, "not-found");
  flow_end(&flow);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_device_enrols_once_and_a_lost_reply_is_no_loss),
      cmocka_unit_test(one_secret_gives_one_key_a_certificate_however_many_race),
      cmocka_unit_test(a_device_asks_for_itself_and_sees_itself_alone),
      cmocka_unit_test(what_was_imported_bounds_what_a_device_may_have),
      cmocka_unit_test(a_device_names_the_address_that_it_asks_from),
      cmocka_unit_test(ten_wrong_secrets_lock_until_a_reset),
      cmocka_unit_test(who_guesses_is_slowed_down_and_a_right_token_passes),
      cmocka_unit_test(a_principal_over_its_limit_waits_and_a_reload_lets_it_go_on),
      cmocka_unit_test(an_import_is_all_or_nothing),
      cmocka_unit_test(no_secret_is_written_anywhere),
      cmocka_unit_test(an_import_that_is_not_right_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
