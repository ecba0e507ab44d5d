/* test_attack.c - what somebody with bad intentions tries, and what he gets. */
#include "tests/flow/flow.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/base64.h"
#include "lib/base/when.h"
#include "lib/pki/csr.h"

static struct flow flow;

/* A station that saw a CSR, but does not have its key. */
static void put_broken(const struct buf *pem, struct buf *ret_base64)
{
  AUTO(buf) der = {0};
  AUTO(fault) f = {0};
  assert_true(csr_decode(buf_bytes(pem), &der, &f));
  der.data[der.len - 1] ^= 1;
  buf_clear(ret_base64);
  base64_add(ret_base64, buf_bytes(&der), 0);
}

static void who_lacks_the_key_learns_nothing_of_its_certificate(void **state)
{
  (void)state;
  AUTO(buf) pem = {0}, broken = {0};
  AUTO(answer) answer = {0};
  make_csr(&pem);
  put_broken(&pem, &broken);
  flow_issue(&flow, buf_text(&pem), "A-pop", "10.3.1.1", NULL, &answer);
  assert_int_equal(answer.status, 201);
  flow_issue(&flow, buf_text(&pem), "A-pop", "10.3.1.1", NULL, &answer);
  assert_int_equal(answer.status, 200);
  flow_issue(&flow, buf_text(&broken), "A-pop", "10.3.1.1", NULL, &answer);
  assert_problem(&answer, 422, "bad-proof-of-possession");
  flow_issue(&flow, buf_text(&broken), "A-other", "10.3.1.2", NULL, &answer);
  assert_problem(&answer, 422, "bad-proof-of-possession");
  flow_issue(&flow, buf_text(&pem), "A-other", "10.3.1.2", NULL, &answer);
  assert_problem(&answer, 409, "key-already-used");
}

/* --- peers that say nothing --- */

static int connect_to_daemon(void)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)flow.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

/* Of the daemon, in seconds. */
static double cpu_time(void)
{
  clockid_t clock;
  struct timespec used;
  assert_int_equal(clock_getcpuclockid(flow.daemon, &clock), 0);
  assert_int_equal(clock_gettime(clock, &used), 0);
  return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

/* The first octets of a ClientHello, and no more. */
static void who_does_not_end_his_handshake_keeps_no_core_busy(void **state)
{
  enum { PEERS = 4 };
  static const struct timespec a_second = {.tv_sec = 1};
  int peers[PEERS];
  (void)state;
  for (size_t i = 0; i < PEERS; i++) {
    peers[i] = connect_to_daemon();
    assert_int_equal(send(peers[i], "\x16\x03\x01", 3, MSG_NOSIGNAL), 3);
  }
  double before = cpu_time();
  nanosleep(&a_second, NULL);
  double used = cpu_time() - before;
  for (size_t i = 0; i < PEERS; i++)
    close(peers[i]);
  if (used > 0.3)
    fail_msg("%.2f s of CPU in a second in which nobody said anything", used);
}

/* --- races --- */

enum { RACERS = 16 };

struct racer {
  struct buf csr;
  char serial[32];
  long status;
  pthread_t thread;
};

static void *race(void *context)
{
  struct racer *racer = context;
  AUTO(answer) answer = {0};
  flow_issue(&flow, buf_text(&racer->csr), racer->serial, "10.3.2.1", NULL, &answer);
  racer->status = answer.status;
  return NULL;
}

/* Exactly one gets its certificate, all others 409. */
static void run_race(struct racer racers[RACERS])
{
  unsigned issued = 0, refused = 0;
  for (size_t i = 0; i < RACERS; i++)
    assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
  for (size_t i = 0; i < RACERS; i++) {
    pthread_join(racers[i].thread, NULL);
    issued += racers[i].status == 201;
    refused += racers[i].status == 409;
    buf_free(&racers[i].csr);
  }
  assert_int_equal(issued, 1);
  assert_int_equal(refused, RACERS - 1);
}

static void many_keys_that_race_for_one_device_make_one_row(void **state)
{
  (void)state;
  struct racer racers[RACERS] = {0};
  long before = flow_rows(&flow);
  for (size_t i = 0; i < RACERS; i++) {
    make_csr(&racers[i].csr);
    snprintf(racers[i].serial, sizeof racers[i].serial, "A-race");
  }
  run_race(racers);
  assert_int_equal(flow_rows(&flow), before + 1);
}

static void one_key_that_many_devices_race_with_makes_one_row(void **state)
{
  (void)state;
  struct racer racers[RACERS] = {0};
  AUTO(buf) pem = {0};
  long before = flow_rows(&flow);
  make_csr(&pem);
  for (size_t i = 0; i < RACERS; i++) {
    buf_add_bytes(&racers[i].csr, buf_bytes(&pem));
    snprintf(racers[i].serial, sizeof racers[i].serial, "A-clone-%zu", i);
  }
  run_race(racers);
  assert_int_equal(flow_rows(&flow), before + 1);
}

/* --- a head that is costly to take apart --- */

static void thousands_of_parameters_get_their_problem(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  AUTO(buf) path = {0};
  buf_add_text(&path, "/v1/ca?");
  for (int i = 0; i < 3000; i++)
    buf_add_text(&path, "a&");
  flow_ask(&flow, &(struct ask){.path = buf_text(&path)}, &answer);
  assert_problem(&answer, 400, "bad-request");
}

/* --- TLS that is out of date --- */

static void only_tls_1_2_and_1_3_are_spoken(void **state)
{
  (void)state;
  assert_true(flow_handshake(&flow, "NORMAL:-VERS-ALL:+VERS-TLS1.3"));
  assert_true(flow_handshake(&flow, "NORMAL:-VERS-ALL:+VERS-TLS1.2"));
  assert_false(flow_handshake(&flow, "NORMAL:-VERS-ALL:+VERS-TLS1.1"));
  assert_false(flow_handshake(&flow, "NORMAL:-VERS-ALL:+VERS-TLS1.0"));
  /* No forward secrecy, no authenticated encryption. */
  assert_false(flow_handshake(&flow, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA"));
  assert_false(flow_handshake(&flow, "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC"));
}

/* --- a key holder that hangs --- */

static void a_key_holder_that_hangs_is_replaced(void **state)
{
  (void)state;
  AUTO(buf) pem = {0};
  AUTO(answer) answer = {0};
  long before = flow_rows(&flow);
  make_csr(&pem);
  flow_hang_key_holder(&flow);
  flow_issue(&flow, buf_text(&pem), "A-hang", "10.3.3.1", NULL, &answer);
  assert_problem(&answer, 503, "signer-down");
  assert_true(answer.retry_after > 0);
  assert_int_equal(flow_rows(&flow), before);
  /* It was given up by this request, or by the probe that is made all the while. */
  flow_wait_for_log(&flow, "code=signer-down detail=\"the key holder: ");
  for (int64_t end = when_monotonic_ms() + 20000; answer.status == 503 && when_monotonic_ms() < end;
       poll(NULL, 0, 20))
    flow_issue(&flow, buf_text(&pem), "A-hang", "10.3.3.1", NULL, &answer);
  assert_int_equal(answer.status, 201);
}

/* --- a ledger that is taken away --- */

static void a_ledger_that_is_moved_away_gets_no_rows(void **state)
{
  (void)state;
  AUTO(buf) pem = {0};
  AUTO(answer) answer = {0};
  char path[128], away[128];
  flow_path(&flow, "ca/mintmark.db", path);
  flow_path(&flow, "ca/away.db", away);
  make_csr(&pem);
  assert_int_equal(rename(path, away), 0);
  flow_issue(&flow, buf_text(&pem), "A-moved", "10.3.4.1", NULL, &answer);
  assert_problem(&answer, 503, "ledger");
  assert_int_equal(rename(away, path), 0);
  flow_issue(&flow, buf_text(&pem), "A-moved", "10.3.4.1", NULL, &answer);
  assert_int_equal(answer.status, 201);
}

static int begin(void **state)
{
  (void)state;
  flow_begin(&flow, "work_seconds = 2\n");
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
      cmocka_unit_test(who_lacks_the_key_learns_nothing_of_its_certificate),
      cmocka_unit_test(who_does_not_end_his_handshake_keeps_no_core_busy),
      cmocka_unit_test(many_keys_that_race_for_one_device_make_one_row),
      cmocka_unit_test(one_key_that_many_devices_race_with_makes_one_row),
      cmocka_unit_test(thousands_of_parameters_get_their_problem),
      cmocka_unit_test(only_tls_1_2_and_1_3_are_spoken),
      cmocka_unit_test(a_key_holder_that_hangs_is_replaced),
      cmocka_unit_test(a_ledger_that_is_moved_away_gets_no_rows),
  };
  return cmocka_run_group_tests(tests, begin, end);
}
