/* test_mtls.c - stations, operators and devices that show a client certificate. */
#include "tests/flow/flow.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"
#include "tests/unit/peer_kit.h"

static struct flow flow;

/* --- a client with a certificate of its own, and one connection --- */

struct caller {
  CURL *curl;
  char cert[128], key[128];
  long connections; /* that the last request opened */
};

static void caller_begin(struct caller *caller, const char *cert, const char *key)
{
  caller->curl = curl_easy_init();
  assert_non_null(caller->curl);
  flow_path(&flow, cert, caller->cert);
  flow_path(&flow, key, caller->key);
}

static void caller_end(struct caller *caller)
{
  curl_easy_cleanup(caller->curl);
}

static size_t take_body(char *data, size_t size, size_t n, void *context)
{
  buf_add(context, data, size * n);
  return size * n;
}

/* Asks and returns the status; `body` NULL: GET. */
static long ask(struct caller *caller, const char *path, const char *body, const char *token,
                struct buf *ret_body)
{
  char root[128];
  AUTO(buf) url = {0};
  AUTO(buf) line = {0};
  long status = 0;
  CURL *curl = caller->curl;
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  curl_easy_reset(curl);
  buf_clear(ret_body);
  buf_addf(&url, "%s%s", flow.url, path);
  if (token != NULL) {
    buf_addf(&line, "Authorization: Bearer %s", token);
    headers = curl_slist_append(headers, buf_text(&line));
  }
  curl_easy_setopt(curl, CURLOPT_URL, buf_text(&url));
  curl_easy_setopt(curl, CURLOPT_CAINFO, flow_path(&flow, "ca/root.crt", root));
  curl_easy_setopt(curl, CURLOPT_SSLCERT, caller->cert);
  curl_easy_setopt(curl, CURLOPT_SSLKEY, caller->key);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret_body);
  if (body != NULL)
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
  CURLcode code = curl_easy_perform(curl);
  if (code != CURLE_OK)
    fail_msg("%s: %s", path, curl_easy_strerror(code));
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &caller->connections);
  curl_slist_free_all(headers);
  return status;
}

static void assert_asks(struct caller *caller, const char *path, long wanted, const char *word)
{
  AUTO(buf) body = {0};
  long status = ask(caller, path, NULL, NULL, &body);
  if (status != wanted || strstr(buf_text(&body), word) == NULL)
    fail_msg("%s: %ld instead of %ld (%s): %s", path, status, wanted, word, buf_text(&body));
}

static void issue(struct caller *caller, const char *serial, const char *profile, long wanted)
{
  AUTO(buf) csr = {0};
  AUTO(buf) json = {0};
  AUTO(buf) body = {0};
  AUTO(buf) more = {0};
  make_csr(&csr);
  issue_body(buf_text(&csr), serial, NULL, "", &json);
  char *at = strstr((char *)(uintptr_t)buf_text(&json), "\"test\"");
  assert_non_null(at);
  buf_addf(&more, "%.*s\"%s\"%s", (int)(at - buf_text(&json)), buf_text(&json), profile, at + 6);
  long status = ask(caller, "/v1/certificates", buf_text(&more), NULL, &body);
  if (status != wanted)
    fail_msg("%s: %ld instead of %ld: %s", serial, status, wanted, buf_text(&body));
}

/* --- the command line, as the administrator --- */

static void mintmark(const char *command, int wanted)
{
  AUTO(buf) line = {0};
  buf_addf(&line,
           "cd %s && %s/mintmark %s --url %s --cacert ca/root.crt --token-file ca/admin.token"
           " >cli.log 2>&1",
           flow.folder, getenv("MINTMARK_BUILDDIR"), command, flow.url);
  int status = system(buf_text(&line));
  if (status == wanted << 8)
    return;
  char path[128];
  AUTO(buf) said = {0};
  AUTO(fault) f = {0};
  file_read(flow_path(&flow, "cli.log", path), 1 << 20, &said, &f);
  fail_msg("mintmark %s: %d: %s", command, status, buf_text(&said));
}

static void a_station_asks_with_its_certificate(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  AUTO(buf) body = {0};
  struct caller line_2;
  mintmark("station add line-2 --cert --out .", 0);
  caller_begin(&line_2, "line-2.crt", "line-2.key");
  assert_asks(&line_2, "/v1/certificates", 200, "\"certificates\":[]");
  issue(&line_2, "W-1", "test", 201);
  assert_asks(&line_2, "/v1/certificates", 200, "\"station\":\"line-2\"");
  assert_asks(&line_2, "/v1/principals", 403, "station");
  /* nobody needs a certificate, and nobody is let in without anything */
  flow_ask(&flow, &(struct ask){.path = "/v1/ca"}, &answer);
  assert_int_equal(answer.status, 200);
  flow_ask(&flow, &(struct ask){.path = "/v1/certificates"}, &answer);
  assert_problem(&answer, 401, "unauthenticated");
  /* a token counts alone */
  assert_int_equal(ask(&line_2, "/v1/principals", NULL, flow.admin, &body), 200);
  assert_int_equal(ask(&line_2, "/v1/certificates", NULL, "line-2.wrong", &body), 401);
  caller_end(&line_2);
}

static void disabling_takes_effect_on_an_open_connection(void **state)
{
  (void)state;
  struct caller line_3;
  mintmark("station add line-3 --cert --out .", 0);
  caller_begin(&line_3, "line-3.crt", "line-3.key");
  assert_asks(&line_3, "/v1/certificates", 200, "");
  assert_int_equal(line_3.connections, 1);
  mintmark("station disable line-3", 0);
  assert_asks(&line_3, "/v1/certificates", 401, "line-3 is disabled");
  assert_int_equal(line_3.connections, 0);
  mintmark("station enable line-3", 0);
  assert_asks(&line_3, "/v1/certificates", 200, "");
  assert_int_equal(line_3.connections, 0);
  caller_end(&line_3);
}

static void a_new_certificate_ends_the_old_one(void **state)
{
  (void)state;
  struct caller old, new;
  mintmark("station add line-4 --role operator --cert --out old", 0);
  caller_begin(&old, "old/line-4.crt", "old/line-4.key");
  assert_asks(&old, "/v1/certificates", 200, "");
  mintmark("station rotate line-4 --cert --out new", 0);
  assert_asks(&old, "/v1/certificates", 401, "not taken");
  assert_int_equal(old.connections, 0);
  caller_begin(&new, "new/line-4.crt", "new/line-4.key");
  assert_asks(&new, "/v1/certificates", 200, "");
  caller_end(&new);
  caller_end(&old);
  mintmark("station rotate line-4", 1); /* it shows a certificate */
  mintmark("station add line-4 --cert --out third", 1);
}

static void a_token_is_rotated_and_disabled_too(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  struct ask with_old = {.path = "/v1/certificates", .token = flow.station};
  flow_ask(&flow, &with_old, &answer);
  assert_int_equal(answer.status, 200);
  mintmark("station disable line-1", 0);
  flow_ask(&flow, &with_old, &answer);
  assert_problem(&answer, 401, "unauthenticated");
  mintmark("station enable line-1", 0);
  flow_ask(&flow, &with_old, &answer);
  assert_int_equal(answer.status, 200);
  mintmark("station rotate line-1 --save line-1.new", 0);
  flow_ask(&flow, &with_old, &answer);
  assert_problem(&answer, 401, "unauthenticated");
}

static void the_command_line_asks_with_a_certificate(void **state)
{
  (void)state;
  AUTO(buf) line = {0};
  mintmark("station add quality --role auditor --cert --out .", 0);
  buf_addf(&line,
           "cd %s && MINTMARK_CERT=quality.crt MINTMARK_KEY=quality.key MINTMARK_CACERT=ca/root.crt"
           " MINTMARK_URL=%s %s/mintmark log --json >cli.log 2>&1 && grep -q '\"serial_number\"' "
           "cli.log",
           flow.folder, flow.url, getenv("MINTMARK_BUILDDIR"));
  assert_int_equal(system(buf_text(&line)), 0);
  /* a token and a certificate, or a certificate without its key, are wrong usage */
  mintmark("log --client-cert quality.crt --client-key quality.key", 2);
  buf_clear(&line);
  buf_addf(&line, "cd %s && %s/mintmark log --url %s --client-cert quality.crt >cli.log 2>&1",
           flow.folder, getenv("MINTMARK_BUILDDIR"), flow.url);
  assert_int_equal(system(buf_text(&line)), 2 << 8);
}

static void nobody_makes_himself_another_station(void **state)
{
  (void)state;
  struct caller line_5;
  mintmark("station add line-5 --cert --out .", 0);
  caller_begin(&line_5, "line-5.crt", "line-5.key");
  issue(&line_5, "line-6", "station", 403);
  issue(&line_5, "localhost", "server", 403);
  caller_end(&line_5);
}

/* --- a manufacturer's devices --- */

static struct made acme, other;

static void write_file(const char *name, const char *label, struct bytes der)
{
  char path[128];
  AUTO(buf) pem = {0};
  AUTO(fault) f = {0};
  pem_add(&pem, label, der);
  if (!file_write(flow_path(&flow, name, path), buf_bytes(&pem), 0600, true, &f))
    fail_msg("%s", f.detail);
}

static void make_client(const struct made *issuer, const char *name, const char *serial,
                        int64_t not_after, struct made *ret_made)
{
  AUTO(buf) pem = {0};
  AUTO(fault) f = {0};
  char file[64], path[128];
  int64_t now = when_now();
  made_cert(&(struct recipe){.name = name,
                             .attribute = ATTR_SERIAL_NUMBER,
                             .issuer = issuer,
                             .serial_number = bytes_of_text(serial),
                             .not_before = now - PEER_DAY,
                             .not_after = not_after},
            ret_made);
  snprintf(file, sizeof file, "%s.crt", name);
  write_file(file, "CERTIFICATE", buf_bytes(&ret_made->der));
  assert_true(private_key_write(ret_made->key, (struct bytes){0}, &pem, &f));
  snprintf(file, sizeof file, "%s.key", name);
  assert_true(file_write(flow_path(&flow, file, path), buf_bytes(&pem), 0600, true, &f));
}

static void write_crl(int64_t next_update, struct bytes revoked)
{
  AUTO(buf) der = {0};
  int64_t now = when_now();
  made_list(&(struct list_recipe){.issuer = &acme,
                                  .this_update = now - 120,
                                  .next_update = next_update,
                                  .revoked = revoked},
            &der);
  write_file("ca/acme.crl", "X509 CRL", buf_bytes(&der));
}

/* SIGHUP, until the log has the line once more. */
static void reload(const char *line)
{
  int64_t deadline = when_monotonic_ms() + 20000;
  AUTO(buf) before = {0};
  flow_log(&flow, &before);
  assert_int_equal(kill(flow.daemon, SIGHUP), 0);
  for (;;) {
    AUTO(buf) log = {0};
    flow_log(&flow, &log);
    if (strstr(buf_text(&log) + before.len, line) != NULL)
      return;
    if (when_monotonic_ms() > deadline)
      fail_msg("no '%s' in the log: %s", line, buf_text(&log) + before.len);
    usleep(10000);
  }
}

static void a_manufacturers_device_enrols(void **state)
{
  (void)state;
  static const uint8_t no_serial[] = {0x55};
  int64_t now = when_now();
  struct made good, stolen, old, forged;
  struct caller callers[4];
  const struct recipe ca = {.is_ca = true, .not_before = now - PEER_DAY, .name = "Acme Root"};
  made_cert(&ca, &acme);
  made_cert(&ca, &other);
  write_file("ca/acme.pem", "CERTIFICATE", buf_bytes(&acme.der));
  write_crl(now + 3600, bytes_of(no_serial, 1));
  make_client(&acme, "D-1", "\x01\x01", now + PEER_DAY, &good);
  make_client(&acme, "D-2", "\x01\x02", now + PEER_DAY, &stolen);
  make_client(&acme, "D-3", "\x01\x03", now - 1, &old);
  make_client(&other, "D-4", "\x01\x04", now + PEER_DAY, &forged);
  caller_begin(&callers[0], "D-1.crt", "D-1.key");
  caller_begin(&callers[1], "D-2.crt", "D-2.key");
  caller_begin(&callers[2], "D-3.crt", "D-3.key");
  caller_begin(&callers[3], "D-4.crt", "D-4.key");
  assert_asks(&callers[0], "/v1/certificates", 401, "no authority that is trusted");
  flow_edit_conf(&flow, "listen = ",
                 "trust \"acme\" { certificates = \"acme.pem\" role = \"device\""
                 " crl = \"acme.crl\" }\nlisten = ");
  reload("configuration reloaded");
  /* the same connection, under the new configuration */
  assert_asks(&callers[0], "/v1/certificates", 200, "\"certificates\":[]");
  assert_int_equal(callers[0].connections, 0);
  assert_asks(&callers[1], "/v1/certificates", 200, "");
  assert_asks(&callers[2], "/v1/certificates", 401, "expired");
  assert_asks(&callers[3], "/v1/certificates", 401, "no authority that is trusted");
  issue(&callers[0], "D-2", "device-client", 403);
  issue(&callers[0], "D-1", "device-client", 201);
  assert_asks(&callers[0], "/v1/principals", 403, "device");
  /* revoked */
  write_crl(now + 3600, bytes_of_text("\x01\x02"));
  reload("configuration reloaded");
  assert_asks(&callers[1], "/v1/certificates", 401, "revoked");
  assert_int_equal(callers[1].connections, 0);
  assert_asks(&callers[0], "/v1/certificates", 200, "D-1");
  /* a list that is out of date says nothing of anybody */
  write_crl(now - 60, bytes_of(no_serial, 1));
  reload("configuration reloaded");
  assert_asks(&callers[0], "/v1/certificates", 401, "out of date");
  /* an anchor that is no CA is refused, and what was before goes on */
  write_crl(now + 3600, bytes_of(no_serial, 1));
  reload("configuration reloaded");
  write_file("ca/acme.pem", "CERTIFICATE", buf_bytes(&good.der));
  reload("not a CA's");
  assert_asks(&callers[0], "/v1/certificates", 200, "D-1");
  struct made *const all[] = {&good, &stolen, &old, &forged, &acme, &other};
  for (size_t i = 0; i < ARRAY_LEN(all); i++)
    made_free(all[i]);
  for (size_t i = 0; i < ARRAY_LEN(callers); i++)
    caller_end(&callers[i]);
}

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

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_station_asks_with_its_certificate),
      cmocka_unit_test(disabling_takes_effect_on_an_open_connection),
      cmocka_unit_test(a_new_certificate_ends_the_old_one),
      cmocka_unit_test(a_token_is_rotated_and_disabled_too),
      cmocka_unit_test(the_command_line_asks_with_a_certificate),
      cmocka_unit_test(nobody_makes_himself_another_station),
      cmocka_unit_test(a_manufacturers_device_enrols),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
