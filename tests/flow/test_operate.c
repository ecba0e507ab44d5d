/* test_operate.c - what an administrator does to the daemon while it works: stop, reload, restart,
 * watch. */
#include "tests/flow/flow.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"

/* --- SIGTERM --- */

enum { CLIENTS = 8, REQUESTS = 200 };

struct client {
  const struct flow *flow;
  unsigned number;
  struct buf csr[REQUESTS];
  unsigned created, stopped, unexpected;
  pthread_t thread;
};

static _Atomic unsigned n_created;

static void *run_client(void *context)
{
  struct client *c = context;
  AUTO(answer) answer = {0};
  for (unsigned i = 0; i < REQUESTS; i++) {
    char serial[32], ip[32];
    snprintf(serial, sizeof serial, "W-%u-%u", c->number, i);
    snprintf(ip, sizeof ip, "10.%u.1.%u", c->number, i + 1);
    flow_issue(c->flow, buf_text(&c->csr[i]), serial, ip, NULL, &answer);
    if (answer.status == 201) {
      c->created++;
      n_created++;
    } else if (answer.status == 0 || answer.status == 503) {
      c->stopped++;
    } else {
      c->unexpected++;
    }
  }
  return NULL;
}

static void sigterm_loses_no_answer(void **state)
{
  (void)state;
  static struct client clients[CLIENTS];
  struct flow flow;
  unsigned created = 0;
  flow_begin(&flow, NULL);
  for (unsigned k = 0; k < CLIENTS; k++) {
    clients[k].flow = &flow;
    clients[k].number = k;
    for (unsigned i = 0; i < REQUESTS; i++)
      make_csr(&clients[k].csr[i]);
  }
  for (unsigned k = 0; k < CLIENTS; k++)
    assert_int_equal(pthread_create(&clients[k].thread, NULL, run_client, &clients[k]), 0);
  int64_t deadline = when_monotonic_ms() + 60000;
  while (n_created < CLIENTS * REQUESTS / 4) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(1000);
  }
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  for (unsigned k = 0; k < CLIENTS; k++) {
    pthread_join(clients[k].thread, NULL);
    assert_int_equal(clients[k].unexpected, 0);
    created += clients[k].created;
    for (unsigned i = 0; i < REQUESTS; i++)
      buf_free(&clients[k].csr[i]);
  }
  assert_true(created < CLIENTS * REQUESTS);
  /* Each row's certificate reached the client that asked for it. */
  assert_int_equal(flow_rows(&flow), created);
  flow_end(&flow);
}

/* --- SIGHUP --- */

static long status_of_name(const struct flow *flow, const char *serial, const char *ip)
{
  AUTO(buf) csr = {0};
  AUTO(answer) answer = {0};
  make_csr(&csr);
  flow_issue(flow, buf_text(&csr), serial, ip, NULL, &answer);
  return answer.status;
}

static void sighup_takes_a_good_configuration_and_refuses_a_bad_one(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  assert_int_equal(status_of_name(&flow, "W-1", "172.20.0.1"), 422);
  flow_edit_conf(&flow, "\"10.0.0.0/8\", \"2001:db8::/32\"", "\"172.20.0.0/16\"");
  kill(flow.daemon, SIGHUP);
  flow_wait_for_log(&flow, "configuration reloaded");
  assert_int_equal(status_of_name(&flow, "W-1", "172.20.0.1"), 201);
  assert_int_equal(status_of_name(&flow, "W-2", "10.0.0.1"), 422);
  flow_edit_conf(&flow, "\"172.20.0.0/16\"", "\"172.20.0.0/99\"");
  kill(flow.daemon, SIGHUP);
  flow_wait_for_log(&flow, "mintmark.conf:"); /* file and line */
  assert_true(flow_log_has(&flow, "172.20.0.0/99"));
  assert_int_equal(status_of_name(&flow, "W-3", "172.20.0.3"), 201);
  flow_end(&flow);
}

/* --- health --- */

static long readiness(const struct flow *flow)
{
  AUTO(answer) answer = {0};
  flow_ask(flow, &(struct ask){.path = "/readyz"}, &answer);
  return answer.status;
}

static void wait_for_readiness(const struct flow *flow, long status)
{
  int64_t deadline = when_monotonic_ms() + 30000;
  while (readiness(flow) != status) {
    assert_true(when_monotonic_ms() < deadline);
    usleep(50000);
  }
}

static void readyz_tells_when_the_key_holder_hangs(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(answer) answer = {0};
  flow_begin(&flow, NULL);
  assert_int_equal(readiness(&flow), 200);
  pid_t key_holder = flow_key_holder(&flow);
  kill(key_holder, SIGSTOP);
  wait_for_readiness(&flow, 503);
  flow_ask(&flow, &(struct ask){.path = "/healthz"}, &answer);
  assert_int_equal(answer.status, 200); /* the process itself is well */
  kill(key_holder, SIGCONT);
  wait_for_readiness(&flow, 200);
  assert_int_equal(status_of_name(&flow, "W-1", "10.0.0.1"), 201);
  flow_end(&flow);
}

static void an_hour_that_is_used_up_is_told_as_later(void **state)
{
  (void)state;
  struct flow flow;
  AUTO(answer) answer = {0};
  AUTO(buf) csr = {0};
  flow_begin(&flow, NULL);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  flow_edit(&flow, "ca/keyd.conf", "signatures_per_hour = 360000", "signatures_per_hour = 2");
  flow_start(&flow);
  assert_int_equal(status_of_name(&flow, "W-1", "10.0.0.1"), 201);
  assert_int_equal(status_of_name(&flow, "W-2", "10.0.0.2"), 201);
  make_csr(&csr);
  flow_issue(&flow, buf_text(&csr), "W-3", "10.0.0.3", NULL, &answer);
  assert_problem(&answer, 503, "signer-spent");
  assert_true(answer.retry_after > 0);
  wait_for_readiness(&flow, 503);
  assert_int_equal(flow_rows(&flow), 2);
  flow_end(&flow);
}

/* --- what must not start --- */

/* Runs mintmarkd with the flow's configuration to its end; its output goes to "second.log". */
static int run_second(const struct flow *flow, const char *option)
{
  AUTO(buf) command = {0};
  buf_addf(&command,
           "timeout 20 '%s/mintmarkd' --config '%s/ca/mintmark.conf' %s >'%s/second.log' 2>&1",
           getenv("MINTMARK_BUILDDIR"), flow->folder, option, flow->folder);
  int status = system(buf_text(&command));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void assert_second_said(const struct flow *flow, const char *text)
{
  char path[128];
  AUTO(buf) said = {0};
  AUTO(fault) f = {0};
  assert_true(file_read(flow_path(flow, "second.log", path), 1 << 20, &said, &f));
  if (strstr(buf_text(&said), text) == NULL)
    fail_msg("not \"%s\": %s", text, buf_text(&said));
}

static void two_daemons_do_not_share_a_ledger(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  assert_int_equal(run_second(&flow, ""), 1);
  assert_second_said(&flow, "mintmark.db");
  assert_int_equal(status_of_name(&flow, "W-1", "10.0.0.1"), 201);
  flow_end(&flow);
}

static void check_says_what_is_wrong_and_where(void **state)
{
  (void)state;
  struct flow flow;
  flow_begin(&flow, NULL);
  assert_int_equal(run_second(&flow, "--check"), 0);
  flow_edit_conf(&flow, "validity = \"825d\"", "validity = \"825 days\"");
  assert_int_equal(run_second(&flow, "--check"), 1);
  assert_second_said(&flow, "mintmark.conf:");
  assert_second_said(&flow, "825 days");
  flow_edit_conf(&flow, "validity = \"825 days\"", "validity = \"825d\"");
  flow_edit_conf(&flow, "# public_listen = \"10.1.0.2:8080\"", "public_listen = \"somewhere:80\"");
  assert_int_equal(run_second(&flow, "--check"), 1);
  assert_second_said(&flow, "somewhere:80");
  flow_end(&flow);
}

/* --- systemd --- */

static int listen_somewhere(int *ret_port)
{
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(fd, 64), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  *ret_port = ntohs(address.sin_port);
  return fd;
}

static int notify_socket(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

/* Starts the daemon as systemd would: the listening sockets are descriptors 3 and 4, and it has a
 * socket to report to. */
static void start_as_unit(struct flow *flow, int listen_fd, int public_fd, const char *notify_path)
{
  char program[256], conf[128], log[128], pid[16];
  snprintf(program, sizeof program, "%s/mintmarkd", getenv("MINTMARK_BUILDDIR"));
  flow_path(flow, "ca/mintmark.conf", conf);
  flow_path(flow, "daemon.log", log);
  flow->daemon = fork();
  if (flow->daemon != 0)
    return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (freopen(log, "a", stderr) == NULL)
    _exit(126);
  /* Out of the way first: they may be each other's place. */
  int fds[] = {fcntl(listen_fd, F_DUPFD, 10), fcntl(public_fd, F_DUPFD, 10)};
  dup2(fds[0], 3);
  dup2(fds[1], 4);
  snprintf(pid, sizeof pid, "%d", (int)getpid());
  setenv("LISTEN_FDS", "2", 1);
  setenv("LISTEN_FDNAMES", "mintmarkd.socket:public", 1);
  setenv("LISTEN_PID", pid, 1);
  setenv("NOTIFY_SOCKET", notify_path, 1);
  setenv("WATCHDOG_USEC", "1000000", 1);
  setenv("WATCHDOG_PID", pid, 1);
  execl(program, program, "--config", conf, (char *)NULL);
  _exit(127);
}

static void wait_for_notice(int fd, const char *text)
{
  int64_t deadline = when_monotonic_ms() + 20000;
  for (;;) {
    char notice[2048];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int64_t left = deadline - when_monotonic_ms();
    if (left <= 0 || poll(&p, 1, (int)left) != 1)
      fail_msg("no %s", text);
    ssize_t n = recv(fd, notice, sizeof notice - 1, 0);
    assert_true(n >= 0);
    notice[n] = '\0';
    if (strstr(notice, text) != NULL)
      return;
  }
}

static void it_works_as_a_systemd_unit(void **state)
{
  (void)state;
  AUTO(answer) answer = {0};
  char path[128];
  struct flow flow;
  flow_begin(&flow, NULL);
  assert_int_equal(flow_stop(&flow, SIGTERM), 0);
  int notices = notify_socket(flow_path(&flow, "notify", path));
  int listening = listen_somewhere(&flow.port), public = listen_somewhere(&flow.public_port);
  snprintf(flow.url, sizeof flow.url, "https://127.0.0.1:%d", flow.port);
  snprintf(flow.public_url, sizeof flow.public_url, "http://127.0.0.1:%d", flow.public_port);
  flow_edit_conf(&flow, "# public_listen = \"10.1.0.2:8080\"", "public_listen = \"10.1.0.2:8080\"");
  start_as_unit(&flow, listening, public, path);
  wait_for_notice(notices, "READY=1");
  wait_for_notice(notices, "WATCHDOG=1");
  assert_int_equal(status_of_name(&flow, "W-1", "10.0.0.1"), 201);
  flow_ask(&flow, &(struct ask){.path = "/v1/ca/root.crt", .plain = true}, &answer);
  assert_int_equal(answer.status, 200);
  kill(flow.daemon, SIGTERM);
  wait_for_notice(notices, "STOPPING=1");
  int status;
  assert_int_equal(waitpid(flow.daemon, &status, 0), flow.daemon);
  assert_int_equal(status, 0);
  flow.daemon = 0;
  close(listening);
  close(public);
  close(notices);
  flow_end(&flow);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sigterm_loses_no_answer),
      cmocka_unit_test(sighup_takes_a_good_configuration_and_refuses_a_bad_one),
      cmocka_unit_test(readyz_tells_when_the_key_holder_hangs),
      cmocka_unit_test(an_hour_that_is_used_up_is_told_as_later),
      cmocka_unit_test(two_daemons_do_not_share_a_ledger),
      cmocka_unit_test(check_says_what_is_wrong_and_where),
      cmocka_unit_test(it_works_as_a_systemd_unit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
