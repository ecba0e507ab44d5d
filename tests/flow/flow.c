/* flow.c - see flow.h. */
#include "tests/flow/flow.h"

#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"

static const char test_profile[] =
    "\nprofile \"test\" {\n"
    "  validity = \"825d\"\n"
    "  key_types = {\"ec-p256\", \"ec-p384\", \"ed25519\", \"rsa\"}\n"
    "  key_usage = {\"digitalSignature\"}\n"
    "  ext_key_usage = {\"serverAuth\"}\n"
    "  ip_ranges = {\"10.0.0.0/8\", \"2001:db8::/32\"}\n"
    "  dns_patterns = {\"**.widgets.example\"}\n"
    "  uri_prefixes = {\"urn:widget:\"}\n"
    "  subject = {\"CN=${device_serial}\"}\n"
    "}\n";

static const char *environment(const char *name)
{
  const char *value = getenv(name);
  if (value == NULL)
    fail_msg("%s is not set: run the tests by ./check or make check", name);
  return value;
}

static const char *program(const char *name, char out[256])
{
  snprintf(out, 256, "%s/%s", environment("MINTMARK_BUILDDIR"), name);
  return out;
}

const char *flow_path(const struct flow *flow, const char *name, char out[128])
{
  snprintf(out, 128, "%s/%s", flow->folder, name);
  return out;
}

/* Starts a program with its output going to `log` in the flow's folder. */
static pid_t start(const struct flow *flow, const char *log, const char *const *arguments)
{
  char path[128];
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid > 0)
    return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nobody behind */
  int fd = open(flow_path(flow, log, path), O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(fd, STDOUT_FILENO);
  dup2(fd, STDERR_FILENO);
  execv(arguments[0], (char *const *)(uintptr_t)arguments);
  _exit(127);
}

static int wait_end(pid_t pid)
{
  int status;
  int64_t deadline = when_monotonic_ms() + 90000;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (when_monotonic_ms() > deadline) {
      kill(pid, SIGKILL);
      fail_msg("process %d did not end", (int)pid);
    }
    usleep(5000);
  }
  return status;
}

static void read_text(const char *path, struct buf *out)
{
  AUTO(fault) f = {0};
  if (!file_read(path, 64u << 20, out, &f))
    fail_msg("%s", f.detail);
}

void flow_log(const struct flow *flow, struct buf *ret_log)
{
  char path[128];
  read_text(flow_path(flow, "daemon.log", path), ret_log);
}

bool flow_log_has(const struct flow *flow, const char *text)
{
  AUTO(buf) log = {0};
  flow_log(flow, &log);
  return strstr(buf_text(&log), text) != NULL;
}

void flow_wait_for_log(const struct flow *flow, const char *text)
{
  int64_t deadline = when_monotonic_ms() + 10000;
  while (!flow_log_has(flow, text)) {
    if (when_monotonic_ms() > deadline) {
      AUTO(buf) log = {0};
      flow_log(flow, &log);
      fail_msg("the log does not say \"%s\": %s", text, buf_text(&log));
    }
    usleep(10000);
  }
}

static void run(const struct flow *flow, const char *log, const char *const *arguments)
{
  int status = wait_end(start(flow, log, arguments));
  if (status != 0) {
    char path[128];
    AUTO(buf) said = {0};
    read_text(flow_path(flow, log, path), &said);
    fail_msg("%s ended with %d: %s", arguments[0], status, buf_text(&said));
  }
}

int flow_run(const struct flow *flow, const char *const *arguments, struct buf *ret_said)
{
  enum { MOST = 32 };
  char path[256], log[128];
  const char *given[MOST] = {program(arguments[0], path)};
  for (size_t i = 1; arguments[i] != NULL; i++) {
    assert_true(i + 1 < MOST);
    given[i] = arguments[i];
  }
  unlink(flow_path(flow, "run.log", log));
  int status = wait_end(start(flow, "run.log", given));
  buf_clear(ret_said);
  read_text(log, ret_said);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

int flow_mintmark(const struct flow *flow, const char *const *words, struct buf *ret_said)
{
  enum { MOST = 32 };
  char root[128], token[128];
  const char *given[MOST] = {"mintmark"};
  size_t n = 1;
  for (; *words != NULL; words++) {
    assert_true(n + 7 < MOST);
    given[n++] = *words;
  }
  const char *const who[] = {"--url",        flow->url,
                             "--cacert",     flow_path(flow, "ca/root.crt", root),
                             "--token-file", flow_path(flow, "ca/admin.token", token)};
  memcpy(given + n, who, sizeof who);
  return flow_run(flow, given, ret_said);
}

static void read_token(const struct flow *flow, const char *name, char out[128])
{
  char path[128];
  AUTO(buf) text = {0};
  read_text(flow_path(flow, name, path), &text);
  assert_true(text.len > 0 && text.len < 128);
  snprintf(out, 128, "%s", buf_text(&text));
  out[strcspn(out, "\n")] = '\0';
}

static void append_conf(const struct flow *flow, const char *text)
{
  char path[128];
  FILE *conf = fopen(flow_path(flow, "ca/mintmark.conf", path), "a");
  assert_non_null(conf);
  fputs(text, conf);
  fclose(conf);
}

void flow_edit_conf(const struct flow *flow, const char *from, const char *to)
{
  flow_edit(flow, "ca/mintmark.conf", from, to);
}

void flow_edit(const struct flow *flow, const char *name, const char *from, const char *to)
{
  char path[128];
  AUTO(buf) old = {0}, new = {0};
  AUTO(fault) f = {0};
  read_text(flow_path(flow, name, path), &old);
  const char *text = buf_text(&old), *at = strstr(text, from);
  assert_non_null(at);
  buf_addf(&new, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
  assert_true(file_write(path, buf_bytes(&new), 0600, true, &f));
}

static void add_station(struct flow *flow)
{
  char mintmark[256], token[128], root[128], admin[128];
  const char *const arguments[] = {program("mintmark", mintmark),
                                   "station",
                                   "add",
                                   "line-1",
                                   "--url",
                                   flow->url,
                                   "--cacert",
                                   flow_path(flow, "ca/root.crt", root),
                                   "--token-file",
                                   flow_path(flow, "ca/admin.token", admin),
                                   "--save",
                                   flow_path(flow, "line-1.token", token),
                                   NULL};
  run(flow, "station.log", arguments);
  read_token(flow, "line-1.token", flow->station);
}

void flow_begin(struct flow *flow, const char *conf)
{
  char mintmark[256], folder[128];
  *flow = (struct flow){0};
  snprintf(flow->folder, sizeof flow->folder, "/tmp/mintmark-flow-XXXXXX");
  assert_non_null(mkdtemp(flow->folder));
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const char *const init[] = {program("mintmark", mintmark),
                              "init",
                              "--dir",
                              flow_path(flow, "ca", folder),
                              "--name",
                              "Test Widgets",
                              "--listen",
                              "127.0.0.1:0",
                              NULL};
  run(flow, "init.log", init);
  append_conf(flow, test_profile);
  if (conf != NULL)
    append_conf(flow, conf);
  read_token(flow, "ca/admin.token", flow->admin);
  flow_start(flow);
  add_station(flow);
}

static int read_port(const char *path)
{
  AUTO(buf) text = {0};
  read_text(path, &text);
  return atoi(buf_text(&text));
}

void flow_start(struct flow *flow)
{
  char mintmarkd[256], conf[128], port[128], public_port[128];
  unlink(flow_path(flow, "port", port));
  unlink(flow_path(flow, "public-port", public_port));
  const char *const arguments[] = {program("mintmarkd", mintmarkd),
                                   "--config",
                                   flow_path(flow, "ca/mintmark.conf", conf),
                                   "--port-file",
                                   port,
                                   "--public-port-file",
                                   public_port,
                                   NULL};
  flow->daemon = start(flow, "daemon.log", arguments);
  int64_t deadline = when_monotonic_ms() + 30000;
  while (!file_exists(port)) {
    AUTO(buf) log = {0};
    if (waitpid(flow->daemon, NULL, WNOHANG) != 0 || when_monotonic_ms() > deadline) {
      flow_log(flow, &log);
      fail_msg("the daemon does not start: %s", buf_text(&log));
    }
    usleep(10000);
  }
  flow->port = read_port(port);
  assert_true(flow->port > 0);
  snprintf(flow->url, sizeof flow->url, "https://127.0.0.1:%d", flow->port);
  flow->public_port = file_exists(public_port) ? read_port(public_port) : 0;
  flow->public_url[0] = '\0';
  if (flow->public_port > 0)
    snprintf(flow->public_url, sizeof flow->public_url, "http://127.0.0.1:%d", flow->public_port);
}

int flow_stop(struct flow *flow, int signal)
{
  assert_int_equal(kill(flow->daemon, signal), 0);
  int status = wait_end(flow->daemon);
  flow->daemon = 0;
  return status;
}

void flow_end(struct flow *flow)
{
  if (flow->daemon != 0) {
    int status = flow_stop(flow, SIGTERM);
    if (status != 0) {
      AUTO(buf) log = {0};
      flow_log(flow, &log);
      fail_msg("the daemon ended with %d: %s", status, buf_text(&log));
    }
  }
  AUTO(buf) command = {0};
  buf_addf(&command, "rm -rf '%s'", flow->folder);
  assert_int_equal(system(buf_text(&command)), 0);
}

/* State and parent from /proc/PID/stat, which stand behind the name in parentheses; false for what
 * is no key holder. */
static bool read_key_holder(const char *pid, char *ret_state, int *ret_parent)
{
  char path[300], text[512] = "";
  snprintf(path, sizeof path, "/proc/%s/stat", pid);
  FILE *stat = fopen(path, "r");
  if (stat == NULL)
    return false;
  size_t n = fread(text, 1, sizeof text - 1, stat);
  fclose(stat);
  text[n] = '\0';
  const char *close = strrchr(text, ')');
  return close != NULL && strstr(text, "(mintmark-keyd)") != NULL &&
         sscanf(close + 1, " %c %d", ret_state, ret_parent) == 2;
}

void flow_hang_key_holder(const struct flow *flow)
{
  char pid[16], state = '?';
  int parent;
  int64_t deadline = when_monotonic_ms() + 5000;
  pid_t key_holder = flow_key_holder(flow);
  assert_true(key_holder > 0);
  assert_int_equal(kill(key_holder, SIGSTOP), 0);
  snprintf(pid, sizeof pid, "%d", (int)key_holder);
  while (!read_key_holder(pid, &state, &parent) || state != 'T') {
    assert_true(when_monotonic_ms() < deadline);
    usleep(1000);
  }
}

pid_t flow_key_holder(const struct flow *flow)
{
  pid_t found = 0;
  DIR *proc = opendir("/proc");
  assert_non_null(proc);
  for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
    char state;
    int parent;
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
        read_key_holder(entry->d_name, &state, &parent) && state != 'Z' && parent == flow->daemon)
      found = atoi(entry->d_name);
  }
  closedir(proc);
  return found;
}

long flow_sql(const struct flow *flow, const char *sql)
{
  char path[128];
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  assert_int_equal(
      sqlite3_open_v2(flow_path(flow, "ca/mintmark.db", path), &db, SQLITE_OPEN_READONLY, NULL),
      SQLITE_OK);
  sqlite3_busy_timeout(db, 10000);
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
    fail_msg("%s: %s", sql, sqlite3_errmsg(db));
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  long number = (long)sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return number;
}

long flow_rows(const struct flow *flow)
{
  return flow_sql(flow, "SELECT count(*) FROM certificates WHERE station != "
                        "(SELECT id FROM labels WHERE text = 'mintmark-init')");
}
