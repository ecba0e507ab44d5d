/* test_renew.c - the daemon renews its own TLS certificate: no restart, no connection lost, and a
 * pair of files whatever happens in between. */
#include "tests/flow/flow.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/pki/name.h"
#include "lib/pki/pem.h"
#include "tests/unit/peer_kit.h"

static struct flow flow;

static void read_file(const char *name, struct buf *out)
{
  char path[128];
  AUTO(fault) f = {0};
  if (!file_read(flow_path(&flow, name, path), 1 << 20, out, &f))
    fail_msg("%s", f.detail);
}

static void write_file(const char *name, struct bytes content)
{
  char path[128];
  AUTO(fault) f = {0};
  if (!file_write(flow_path(&flow, name, path), content, 0600, true, &f))
    fail_msg("%s", f.detail);
}

static bool is_there(const char *name)
{
  char path[128];
  return file_exists(flow_path(&flow, name, path));
}

/* The certificate that a file begins with. */
static void read_cert(const char *name, struct made *ret_made)
{
  AUTO(buf) pem = {0};
  AUTO(fault) f = {0};
  struct bytes label;
  bool broken;
  *ret_made = (struct made){0};
  read_file(name, &pem);
  struct bytes rest = buf_bytes(&pem);
  assert_true(pem_next(&rest, &label, &ret_made->der, &broken));
  assert_true(cert_read(buf_bytes(&ret_made->der), true, &ret_made->cert, &f));
}

/* A pair of this authority's, for 127.0.0.1, in these two files. */
static void make_pair(int64_t not_before, int64_t not_after, const char *certificate,
                      const char *key)
{
  static uint8_t serial_number[16] = {1};
  struct made issuing, server;
  AUTO(sans) names = {0};
  AUTO(buf) pem = {0};
  AUTO(fault) f = {0};
  serial_number[15]++;
  read_cert("ca/issuing.crt", &issuing);
  read_file("ca/keys/issuing.key", &pem);
  assert_true(private_key_read(buf_bytes(&pem), (struct bytes){0}, &issuing.key, &f));
  assert_true(sans_add(&names, SAN_IP, bytes_of_text("127.0.0.1"), &f));
  made_cert(&(struct recipe){.name = "localhost",
                             .issuer = &issuing,
                             .serial_number = bytes_of(serial_number, sizeof serial_number),
                             .not_before = not_before,
                             .not_after = not_after,
                             .ext_key_usage = EKU_SERVER_AUTH,
                             .names = &names},
            &server);
  buf_clear(&pem);
  pem_add(&pem, "CERTIFICATE", buf_bytes(&server.der));
  pem_add(&pem, "CERTIFICATE", buf_bytes(&issuing.der));
  write_file(certificate, buf_bytes(&pem));
  buf_clear(&pem);
  assert_true(private_key_write(server.key, (struct bytes){0}, &pem, &f));
  write_file(key, buf_bytes(&pem));
  made_free(&server);
  made_free(&issuing);
}

static void wait_for(const char *line)
{
  int64_t deadline = when_monotonic_ms() + 30000;
  for (;;) {
    AUTO(buf) log = {0};
    flow_log(&flow, &log);
    if (strstr(buf_text(&log), line) != NULL)
      return;
    if (when_monotonic_ms() > deadline)
      fail_msg("no '%s' in the log: %s", line, buf_text(&log));
    usleep(10000);
  }
}

static size_t drop(char *data, size_t size, size_t n, void *context)
{
  (void)data, (void)context;
  return size * n;
}

/* Asks over this handle's connection; returns how many connections it had to open. */
static long ask(CURL *curl)
{
  char root[128];
  AUTO(buf) url = {0};
  long status = 0, connections = 0;
  buf_addf(&url, "%s/healthz", flow.url);
  curl_easy_setopt(curl, CURLOPT_URL, buf_text(&url));
  curl_easy_setopt(curl, CURLOPT_CAINFO, flow_path(&flow, "ca/root.crt", root));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
  assert_int_equal(curl_easy_perform(curl), CURLE_OK);
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_NUM_CONNECTS, &connections);
  assert_int_equal(status, 200);
  return connections;
}

static long rows_of_daemon(void)
{
  return flow_sql(&flow, "SELECT count(*) FROM certificates WHERE station ="
                         " (SELECT id FROM labels WHERE text = 'mintmarkd')");
}

static void it_is_renewed_when_a_third_is_left(void **state)
{
  (void)state;
  CURL *open_one = curl_easy_init(), *later = curl_easy_init();
  int64_t now = when_now();
  struct made renewed;
  AUTO(fault) f = {0};
  AUTO(buf) pem = {0};
  struct private_key *key;
  assert_int_equal(ask(open_one), 1);
  assert_int_equal(rows_of_daemon(), 0); /* what init made is good for long */
  flow_edit_conf(&flow, "profile \"server\" {\n  validity = \"397d\"\n  backdate = \"30m\"\n",
                 "profile \"server\" {\n  validity = \"600s\"\n");
  make_pair(now - 100, now + 40, "ca/server.crt", "ca/server.key");
  assert_int_equal(kill(flow.daemon, SIGHUP), 0);
  wait_for("the daemon's own certificate is renewed");
  assert_int_equal(ask(open_one), 0);
  assert_int_equal(ask(later), 1);
  /* on the record, with its names, a key of its own, and this profile's validity */
  assert_int_equal(rows_of_daemon(), 1);
  read_cert("ca/server.crt", &renewed);
  assert_true(renewed.cert.not_after >= now + 590 && renewed.cert.not_after <= now + 660);
  assert_int_equal(renewed.cert.names.n, 1);
  read_file("ca/server.key", &pem);
  assert_true(private_key_read(buf_bytes(&pem), (struct bytes){0}, &key, &f));
  assert_true(private_key_fits(key, renewed.cert.key.spki));
  private_key_free(key);
  made_free(&renewed);
  /* the one before goes on until no handshake has it any more */
  assert_int_equal(flow_sql(&flow, "SELECT count(*) FROM revocations"), 0);
  assert_false(is_there("ca/server.crt.new"));
  assert_false(is_there("ca/server.key.new"));
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_start(&flow);
  assert_int_equal(ask(later), 1);
  assert_int_equal(rows_of_daemon(), 1);
  curl_easy_cleanup(open_one);
  curl_easy_cleanup(later);
}

static void a_crash_between_the_two_files_is_made_good(void **state)
{
  (void)state;
  CURL *curl = curl_easy_init();
  int64_t now = when_now();
  AUTO(buf) wanted = {0};
  AUTO(buf) found = {0};
  assert_int_equal(flow_stop(&flow, SIGKILL) & 0x7f, SIGKILL);
  /* the key has taken its place, the certificate has not */
  make_pair(now - 10, now + 1000, "ca/server.crt.new", "ca/server.key");
  read_file("ca/server.crt.new", &wanted);
  flow_start(&flow);
  assert_int_equal(ask(curl), 1);
  read_file("ca/server.crt", &found);
  assert_true(bytes_equal(buf_bytes(&wanted), buf_bytes(&found)));
  assert_false(is_there("ca/server.crt.new"));
  /* neither has */
  assert_int_equal(flow_stop(&flow, SIGKILL) & 0x7f, SIGKILL);
  make_pair(now - 10, now + 1000, "ca/server.crt.new", "ca/server.key.new");
  flow_start(&flow);
  assert_int_equal(ask(curl), 1);
  buf_clear(&found);
  read_file("ca/server.crt", &found);
  assert_true(bytes_equal(buf_bytes(&wanted), buf_bytes(&found)));
  assert_false(is_there("ca/server.crt.new"));
  assert_false(is_there("ca/server.key.new"));
  curl_easy_cleanup(curl);
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
      cmocka_unit_test(it_is_renewed_when_a_third_is_left),
      cmocka_unit_test(a_crash_between_the_two_files_is_made_good),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
