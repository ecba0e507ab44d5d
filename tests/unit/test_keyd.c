/* test_keyd.c - the key holder as a process: its start, its sandbox, and peers that misbehave. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keyd/conf.h"
#include "keyd/sandbox.h"
#include "keyd/sockets.h"
#include "keyd/state.h"
#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/base/wire.h"
#include "lib/pki/pem.h"
#include "lib/pki/sign_protocol.h"
#include "tests/unit/keyd_ca.h"

static struct keyd_ca ca;

static int make_ca(void **state)
{
  (void)state;
  keyd_ca_make(&ca, "ec-p256", "");
  return 0;
}

static int free_ca(void **state)
{
  (void)state;
  keyd_ca_free(&ca);
  return 0;
}

static int check(void)
{
  unlink(ca.log);
  return keyd_wait(keyd_start(&ca, (const char *const[]){"--check", NULL}));
}

/* --- configuration and keys --- */

static void each_mistake_in_the_configuration_is_told_with_its_line(void **state)
{
  static const struct {
    const char *text, *told;
  } cases[] = {
      {"max_validity = \"825\"\n", "keyd.conf:1: \"825\" is no duration"},
      {"# one\n\n  backdate = 1x # two\n", "keyd.conf:3: \"1x\" is no duration"},
      {"allow_no_expiry = yes\n", "keyd.conf:1: \"yes\" is neither true nor false"},
      {"threads = many\n", "keyd.conf:1: \"many\" is no number of threads"},
      {"signatures_per_hour = -1\n", "keyd.conf:1: \"-1\" is no number"},
      {"key_usages = {digitalSignature, keyCertSign}\n", "keyd.conf:1: keyCertSign is never"},
      {"key_usages = \"cRLSign\"\n", "keyd.conf:1: cRLSign is never allowed"},
      {"key_usages = signing\n", "keyd.conf:1: \"signing\" is no key usage"},
      {"ext_key_usages = {any}\n", "keyd.conf:1: \"any\" is no extended key usage"},
      {"log_format = xml\n", "keyd.conf:1: \"xml\" is neither plain nor json"},
      {"allow_user = \"nobody of this name\"\n", "keyd.conf:1: there is no user"},
      {"colour = blue\n", "keyd.conf:1: there is no setting \"colour\""},
      {"threads = 1\nthreads = 2\n", "keyd.conf:2: threads stands here for the second time"},
      {"key\n", "keyd.conf:1: not of the form"},
      {"= 1\n", "keyd.conf:1: not of the form"},
      {"key =\n", "keyd.conf:1: a value is missing"},
      {"key = \"\"\n", "keyd.conf:1: the path is empty"},
      {"key = \"a\n", "keyd.conf:1: the closing quote is missing"},
      {"key_usages = {digitalSignature\n", "keyd.conf:1: the closing brace is missing"},
      {"key = a, b\n", "keyd.conf:1: key takes one value"},
      {"key = a b\n", "keyd.conf:1: something stands behind the value"},
      {"[a\n", "keyd.conf:1: not of the form: [NAME]"},
      {"[]\n", "keyd.conf:1: not of the form: [NAME]"},
      {"[a b]\n", "keyd.conf:1: not of the form: [NAME]"},
      {"[../a]\n", "keyd.conf:1: not of the form: [NAME]"},
      {"[a] b\n", "keyd.conf:1: something stands behind the ]"},
      {"[a]\nkey = k\n", "keyd.conf:1: [a] has no certificate"},
      {"# one\n[a]\ncertificate = c\n[b]\n", "keyd.conf:2: [a] has no key"},
      {"[a]\ncertificate = c\nkey = k\n[a]\n", "keyd.conf:4: a stands here for the second time"},
      {"[issuing]\n", "keyd.conf:1: issuing is what the first key is called"},
      {"[a]\nkey = 1\nkey = 2\n", "keyd.conf:3: key stands here for the second time"},
      {"[a]\nthreads = 1\n", "keyd.conf:2: threads is of the whole process"},
      {"[a]\nsocket = s\n", "keyd.conf:2: socket is of the whole process"},
      {"[a]\nallow_user = 1\n", "keyd.conf:2: allow_user is of the whole process"},
      {"[a]\nlog_format = json\n", "keyd.conf:2: log_format is of the whole process"},
      {"[a]\nstate = s\n", "keyd.conf:2: state is of the whole process: set it before the first"},
      {"[a]\nmax_validity = x\n", "keyd.conf:2: \"x\" is no duration"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(fault) fault = {0};
    AUTO(conf) conf = NULL;
    keyd_ca_configure(&ca, cases[i].text);
    assert_false(conf_load(ca.conf, &conf, &fault));
    assert_int_equal(fault.code, FAULT_BAD_CONFIG);
    if (strstr(fault.detail, cases[i].told) == NULL)
      fail_msg("%s: %s", cases[i].text, fault.detail);
  }
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void settings_are_read_as_they_are_written(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(conf) conf = NULL;
  (void)state;
  keyd_ca_configure(&ca, "key = \"a \\\"b\\\\ #c\" # a comment\n"
                         "\tmax_validity=10d\n"
                         "key_usages = { \"digitalSignature\" , keyAgreement }\r\n"
                         "ext_key_usages = OCSPSigning\n"
                         "certificate = /absolute\nthreads = 3\nallow_user = 12345");
  assert_true(conf_load(ca.conf, &conf, &fault));
  assert_string_equal(conf->keys[0].key + strlen(ca.dir), "/a \"b\\ #c");
  assert_string_equal(conf->keys[0].certificate, "/absolute");
  assert_int_equal(conf->keys[0].limits.max_validity_s, 10 * 86400);
  assert_int_equal(conf->keys[0].limits.key_usages, KU_DIGITAL_SIGNATURE | KU_KEY_AGREEMENT);
  assert_int_equal(conf->keys[0].limits.ext_key_usages, EKU_OCSP_SIGNING);
  assert_int_equal(conf->threads, 3);
  assert_int_equal(conf->allow_user, 12345);
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void a_further_key_has_the_first_one_s_bounds_or_its_own(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(conf) conf = NULL;
  (void)state;
  keyd_ca_configure(&ca, "max_validity = 10d\nbackdate = 5m\nkey_usages = digitalSignature\n"
                         "passphrase_file = first\n"
                         " [next_1.b-c] # a comment\ncertificate = c\nkey = k\n"
                         "[old]\nkey = /k\ncertificate = /c\nmax_validity = 20d\n"
                         "passphrase_file = p\nsignatures_per_hour = 9\n");
  if (!conf_load(ca.conf, &conf, &fault))
    fail_msg("%s", fault.detail);
  assert_int_equal(conf->n_keys, 3);
  assert_string_equal(conf->keys[0].name, "issuing");
  assert_string_equal(conf->keys[1].name, "next_1.b-c");
  assert_string_equal(conf->keys[1].key + strlen(ca.dir), "/k");
  assert_string_equal(conf->keys[2].certificate, "/c");
  assert_null(conf->keys[1].passphrase_file); /* another key, another passphrase */
  assert_string_equal(conf->keys[2].passphrase_file + strlen(ca.dir), "/p");
  assert_int_equal(conf->keys[1].limits.max_validity_s, 10 * 86400);
  assert_int_equal(conf->keys[2].limits.max_validity_s, 20 * 86400);
  assert_int_equal(conf->keys[0].limits.max_validity_s, 10 * 86400);
  assert_int_equal(conf->keys[2].limits.backdate_s, 300);
  assert_int_equal(conf->keys[2].limits.key_usages, KU_DIGITAL_SIGNATURE);
  assert_int_equal(conf->keys[2].limits.signatures_per_hour, 9);
  assert_int_equal(conf->keys[1].limits.signatures_per_hour, 360000);
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void so_many_keys_may_be_configured(void **state)
{
  (void)state;
  for (size_t n = CONF_KEYS_MAX; n <= CONF_KEYS_MAX + 1; n++) {
    AUTO(fault) fault = {0};
    AUTO(conf) conf = NULL;
    AUTO(buf) text = {0};
    for (size_t i = 1; i < n; i++)
      buf_addf(&text, "[key-%zu]\ncertificate = c\nkey = k\n", i);
    keyd_ca_configure(&ca, buf_text(&text));
    assert_int_equal(conf_load(ca.conf, &conf, &fault), n == CONF_KEYS_MAX);
    if (n > CONF_KEYS_MAX)
      assert_non_null(strstr(fault.detail, "keyd.conf:46: more than 16 keys"));
  }
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void the_state_is_in_systemd_s_folder_or_beside_the_configuration(void **state)
{
  static const struct {
    const char *folder, *text, *found;
  } cases[] = {
      {NULL, "", NULL},
      {"/var/lib/mintmark-keyd", "", "/var/lib/mintmark-keyd/keyd.state"},
      {"/var/lib/a:/var/lib/b", "", "/var/lib/a/keyd.state"},
      {"/var/lib/a", "state = /elsewhere/s", "/elsewhere/s"},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(fault) fault = {0};
    AUTO(conf) conf = NULL;
    AUTO(buf) beside = {0};
    buf_addf(&beside, "%s/keyd.state", ca.dir);
    if (cases[i].folder != NULL)
      setenv("STATE_DIRECTORY", cases[i].folder, 1);
    keyd_ca_configure(&ca, cases[i].text);
    assert_true(conf_load(ca.conf, &conf, &fault));
    assert_string_equal(conf->state, cases[i].found != NULL ? cases[i].found : buf_text(&beside));
    unsetenv("STATE_DIRECTORY");
  }
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void the_sample_configuration_is_valid(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(conf) conf = NULL;
  AUTO(buf) path = {0};
  const char *folder = getenv("MINTMARK_SRCDIR");
  (void)state;
  buf_addf(&path, "%s/etc/keyd.conf", folder != NULL ? folder : "..");
  if (!conf_load(buf_text(&path), &conf, &fault))
    fail_msg("%s", fault.detail);
}

static void a_check_says_that_all_is_in_order(void **state)
{
  (void)state;
  assert_int_equal(check(), 0);
  assert_true(keyd_log_has(&ca, "are in order"));
}

static void a_key_that_others_can_read_is_refused(void **state)
{
  AUTO(buf) path = {0};
  (void)state;
  buf_addf(&path, "%s/issuing.key", ca.dir);
  static const mode_t modes[] = {0644, 0640, 0604, 0620};
  for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
    chmod(buf_text(&path), modes[i]);
    assert_int_equal(check(), 1);
    assert_true(keyd_log_has(&ca, "issuing.key can be read by others"));
  }
  chmod(buf_text(&path), 0600);
  assert_int_equal(check(), 0);
}

static void the_key_of_another_certificate_is_refused(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(buf) pem = {0};
  (void)state;
  assert_true(private_key_write(ca.leaf_key, bytes_of(NULL, 0), &pem, &fault));
  keyd_ca_write(&ca, "other.key", buf_text(&pem), 0600);
  keyd_ca_configure(&ca, "key = other.key\n");
  assert_int_equal(check(), 1);
  assert_true(keyd_log_has(&ca, "other.key is not the key of "));
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void an_encrypted_key_wants_its_passphrase(void **state)
{
  struct keyd_ca plain = ca;
  (void)state;
  keyd_ca_make(&ca, "ec-p384", "correct horse");
  assert_int_equal(check(), 1);
  assert_true(keyd_log_has(&ca, "is encrypted: give its passphrase"));
  keyd_ca_configure(&ca, "key = issuing.key\npassphrase_file = issuing-passphrase\n");
  keyd_ca_write(&ca, "issuing-passphrase", "wrong horse\n", 0600);
  assert_int_equal(check(), 1);
  assert_true(keyd_log_has(&ca, "the passphrase does not open the key"));
  keyd_ca_write(&ca, "issuing-passphrase", "correct horse\n", 0644);
  assert_int_equal(check(), 1);
  assert_true(keyd_log_has(&ca, "issuing-passphrase can be read by others"));
  keyd_ca_write(&ca, "issuing-passphrase", "correct horse\n", 0600);
  assert_int_equal(check(), 0);
  /* The same as a credential of systemd's. */
  keyd_ca_configure(&ca, "key = issuing.key\n");
  setenv("CREDENTIALS_DIRECTORY", ca.dir, 1);
  assert_int_equal(check(), 0);
  unsetenv("CREDENTIALS_DIRECTORY");
  keyd_ca_free(&ca);
  ca = plain;
}

/* Another authority's certificate and key, beside ours. */
static void add_other(struct keyd_ca *other, const char *passphrase)
{
  AUTO(fault) fault = {0};
  AUTO(buf) crt = {0}, key = {0};
  pem_add(&crt, "CERTIFICATE", buf_bytes(&other->certificate_der));
  assert_true(private_key_write(other->key, bytes_of_text(passphrase), &key, &fault));
  keyd_ca_write(&ca, "other.crt", buf_text(&crt), 0644);
  keyd_ca_write(&ca, "other.key", buf_text(&key), 0600);
}

static const char two_keys[] =
    "key = issuing.key\n[other]\ncertificate = other.crt\nkey = other.key\n";

static void a_further_key_has_a_credential_of_its_own(void **state)
{
  struct keyd_ca other;
  (void)state;
  keyd_ca_make(&other, "ec-p384", "");
  add_other(&other, "battery staple");
  keyd_ca_configure(&ca, two_keys);
  assert_int_equal(check(), 1);
  assert_true(keyd_log_has(&ca, "with passphrase_file or the credential other-passphrase"));
  keyd_ca_write(&ca, "other-passphrase", "battery staple\n", 0600);
  setenv("CREDENTIALS_DIRECTORY", ca.dir, 1);
  assert_int_equal(check(), 0);
  unsetenv("CREDENTIALS_DIRECTORY");
  keyd_ca_configure(&ca, "key = issuing.key\n");
  keyd_ca_free(&other);
}

static void a_key_that_stands_there_twice_is_refused(void **state)
{
  (void)state;
  keyd_ca_configure(&ca, "key = issuing.key\n"
                         "[again]\ncertificate = issuing.crt\nkey = issuing.key\n");
  assert_int_equal(check(), 1);
  assert_true(keyd_log_has(&ca, "issuing.key is the key of another part already"));
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void a_check_looks_at_the_state_and_makes_none(void **state)
{
  AUTO(buf) path = {0};
  (void)state;
  buf_addf(&path, "%s/keyd.state", ca.dir);
  unlink(buf_text(&path));
  assert_int_equal(check(), 0);
  assert_false(file_exists(buf_text(&path)));
  keyd_ca_write(&ca, "keyd.state", "", 0600);
  assert_int_equal(check(), 1);
  assert_true(keyd_log_has(&ca, "keyd.state is damaged, or no file of the key holder's"));
  assert_int_equal(keyd_wait(keyd_start(&ca, (const char *const[]){"--socket", ca.socket, NULL})),
                   1);
  unlink(buf_text(&path));
}

static void wrong_usage_is_told_from_failure(void **state)
{
  static const char *const cases[][3] = {
      {"--fds", "x"}, {"--fds", "1"}, {"--fds", "4,3"}, {"--unknown"}, {"extra"}, {NULL},
  };
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    assert_int_equal(keyd_wait(keyd_start(&ca, cases[i])), 2);
  assert_int_equal(keyd_wait(keyd_start(&ca, (const char *const[]){"--help", NULL})), 0);
  assert_int_equal(keyd_wait(keyd_start(&ca, (const char *const[]){"--version", NULL})), 0);
}

/* --- the sandbox --- */

static void status_has(pid_t pid, const char *file, const char *line)
{
  AUTO(fault) fault = {0};
  AUTO(buf) path = {0}, text = {0};
  buf_addf(&path, "/proc/%d/%s", (int)pid, file);
  assert_true(file_read(buf_text(&path), 65536, &text, &fault));
  if (strstr(buf_text(&text), line) == NULL)
    fail_msg("%s lacks \"%s\"", buf_text(&path), line);
}

static void a_key_holder_that_serves_is_locked_in(void **state)
{
  (void)state;
  pid_t pid = keyd_start_at_socket(&ca);
  assert_true(keyd_log_has(&ca, "ready to sign"));
  status_has(pid, "status", "Seccomp:\t2\n");
  status_has(pid, "status", "NoNewPrivs:\t1\n");
  status_has(pid, "limits", "Max core file size        0                    0 ");
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

static int try_open(void)
{
  return open("/dev/null", O_RDONLY);
}
static int try_socket(void)
{
  return socket(AF_UNIX, SOCK_STREAM, 0);
}
static int try_connect(void)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/nowhere"};
  return connect(0, (const struct sockaddr *)&address, sizeof address);
}
static int try_exec(void)
{
  return execl("/bin/true", "true", (char *)NULL);
}
static int try_code(void)
{
  return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}
static int try_unlink(void)
{
  return unlink("/nowhere");
}
static int try_nothing(void)
{
  return 0;
}

static int run_in_sandbox(int (*action)(void))
{
  int status;
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0) {
    struct fault fault = {0};
    if (!sandbox_prepare(NULL, 0, &fault) || prctl(PR_GET_DUMPABLE) != 0)
      _exit(90);
    if (!sandbox_enter(&fault))
      _exit(91);
    action();
    _exit(0);
  }
  assert_int_equal(waitpid(pid, &status, 0), pid);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void the_sandbox_ends_who_steps_out(void **state)
{
  static int (*const forbidden[])(void) = {
      try_socket, try_connect, try_exec, try_unlink,
#ifndef WITH_SANITIZERS /* their runtime opens files and maps memory as it likes */
      try_open,   try_code,
#endif
  };
  (void)state;
  (void)try_open, (void)try_code;
  assert_int_equal(run_in_sandbox(try_nothing), 0);
  for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
    assert_int_equal(run_in_sandbox(forbidden[i]), -SIGSYS);
}

/* --- starting and ending --- */

static void signals_end_it_in_order(void **state)
{
  static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
  (void)state;
  for (size_t i = 0; i < ARRAY_LEN(signals); i++)
    assert_int_equal(keyd_end(keyd_start_at_socket(&ca), signals[i]), 0);
}

static void systemd_hands_over_a_socket_and_hears_of_it(void **state)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  AUTO(fault) fault = {0};
  char word[64] = {0};
  int listener;
  (void)state;
  snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", ca.dir);
  int notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(notify, (const struct sockaddr *)&address, sizeof address), 0);
  assert_true(sockets_listen(ca.socket, &listener, &fault));
  pid_t pid = fork();
  if (pid == 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    if (listener == 3)
      fcntl(3, F_SETFD, 0);
    else
      dup2(listener, 3);
    execl(keyd_program(), "mintmark-keyd", "--config", ca.conf, (char *)NULL);
    _exit(127);
  }
  close(listener);
  struct pollfd wait = {.fd = notify, .events = POLLIN};
  assert_int_equal(poll(&wait, 1, 20000), 1);
  assert_true(recv(notify, word, sizeof word - 1, 0) > 0);
  assert_non_null(strstr(word, "READY=1\n"));
  close(keyd_connect(&ca));
  close(notify);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

/* --- the wire --- */

static void put_item(struct buf *out, uint8_t kind, struct bytes tbs)
{
  wire_put_u8(out, kind);
  wire_put_bytes(out, tbs);
}

/* One item for an authority's key, signed or refused: the octets. */
static enum sign_status ask_for(const struct keyd_ca *authority, int fd, uint8_t kind,
                                struct bytes tbs, struct buf *ret_octets)
{
  AUTO(buf) request = {0}, reply = {0};
  struct wire_header header;
  buf_add(&request, authority->key_sha256, sizeof authority->key_sha256);
  wire_put_u16(&request, 1);
  put_item(&request, kind, tbs);
  assert_int_equal(wire_send(fd, SIGN_REQUEST, 77, buf_bytes(&request)), WIRE_OK);
  assert_int_equal(wire_receive(fd, SIGN_REPLY_MAX, &header, &reply), WIRE_OK);
  assert_int_equal(header.type, SIGN_REPLY);
  assert_int_equal(header.id, 77);
  struct wire_reader in = {.rest = buf_bytes(&reply)};
  assert_int_equal(wire_get_u16(&in), 1);
  uint8_t status = wire_get_u8(&in);
  buf_clear(ret_octets);
  buf_add_bytes(ret_octets, wire_get_bytes(&in));
  assert_true(wire_at_end(&in));
  return (enum sign_status)status;
}

static enum sign_status ask(int fd, uint8_t kind, struct bytes tbs, struct buf *ret_octets)
{
  return ask_for(&ca, fd, kind, tbs, ret_octets);
}

static bool signs_for(const struct keyd_ca *authority, int fd, uint8_t kind, struct bytes tbs)
{
  AUTO(buf) signature = {0};
  return ask_for(authority, fd, kind, tbs, &signature) == SIGN_DONE &&
         pubkey_verify(&authority->certificate.key, private_key_alg(authority->key), tbs,
                       buf_bytes(&signature));
}

static bool signs(int fd, uint8_t kind, struct bytes tbs)
{
  return signs_for(&ca, fd, kind, tbs);
}

static struct state_counts count(int fd, uint64_t recorded)
{
  AUTO(buf) request = {0}, reply = {0};
  struct wire_header header;
  struct state_counts counts;
  buf_add(&request, ca.key_sha256, sizeof ca.key_sha256);
  wire_put_u64(&request, recorded);
  assert_int_equal(wire_send(fd, COUNT_REQUEST, 78, buf_bytes(&request)), WIRE_OK);
  assert_int_equal(wire_receive(fd, SIGN_REPLY_MAX, &header, &reply), WIRE_OK);
  assert_int_equal(header.type, COUNT_REPLY);
  struct wire_reader in = {.rest = buf_bytes(&reply)};
  assert_int_equal(wire_get_u8(&in), SIGN_DONE);
  assert_int_equal(wire_get_u32(&in), 3 * 8);
  counts.n_signed = wire_get_u64(&in);
  counts.recorded = wire_get_u64(&in);
  counts.crl_number = wire_get_u64(&in);
  assert_true(wire_at_end(&in));
  return counts;
}

static void limit_waiting(int fd)
{
  const struct timeval limit = {.tv_sec = 20};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
}

/* The peer has closed, without a word. */
static void is_closed(int fd)
{
  char octet;
  limit_waiting(fd);
  ssize_t n = recv(fd, &octet, 1, 0);
  /* ECONNRESET: it closed with octets of ours unread. */
  assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
  close(fd);
}

static void each_key_signs_for_its_own_authority(void **state)
{
  struct keyd_ca other;
  AUTO(buf) leaf = {0}, other_leaf = {0}, reason = {0};
  (void)state;
  keyd_ca_make(&other, "ec-p384", "");
  add_other(&other, "");
  keyd_ca_configure(&ca, two_keys);
  keyd_ca_leaf_tbs(&ca, &leaf);
  keyd_ca_leaf_tbs(&other, &other_leaf);
  pid_t pid = keyd_start_at_socket(&ca);
  int fd = keyd_connect(&ca);
  assert_true(signs(fd, SIGN_CERTIFICATE, buf_bytes(&leaf)));
  assert_true(signs_for(&other, fd, SIGN_CERTIFICATE, buf_bytes(&other_leaf)));
  assert_int_equal(ask(fd, SIGN_CERTIFICATE, buf_bytes(&other_leaf), &reason), SIGN_REFUSED);
  assert_int_equal(ask_for(&other, fd, SIGN_CERTIFICATE, buf_bytes(&leaf), &reason), SIGN_REFUSED);
  close(fd);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
  keyd_ca_configure(&ca, "key = issuing.key\n");
  keyd_ca_free(&other);
}

/* The old authority has come to its end: the one that took over signs, for itself alone. */
static void an_expired_authority_does_not_stop_the_others(void **state)
{
  struct keyd_ca old;
  AUTO(buf) leaf = {0}, old_leaf = {0}, reason = {0};
  static const char old_first[] = "certificate = other.crt\nkey = other.key\n[new]\n"
                                  "certificate = issuing.crt\nkey = issuing.key\n";
  (void)state;
  keyd_ca_make_until(&old, "ec-p256", "", when_now() - 60);
  add_other(&old, "");
  keyd_ca_leaf_tbs(&ca, &leaf);
  keyd_ca_leaf_tbs(&old, &old_leaf);
  static const char *const confs[] = {two_keys, old_first};
  for (size_t i = 0; i < ARRAY_LEN(confs); i++) {
    keyd_ca_configure(&ca, confs[i]);
    pid_t pid = keyd_start_at_socket(&ca);
    assert_true(keyd_log_has(&ca, "warning nothing is signed with a key certificate="));
    assert_true(keyd_log_has(&ca, "our certificate is not valid at this time"));
    int fd = keyd_connect(&ca);
    assert_true(signs(fd, SIGN_CERTIFICATE, buf_bytes(&leaf)));
    assert_int_equal(ask_for(&old, fd, SIGN_CERTIFICATE, buf_bytes(&old_leaf), &reason),
                     SIGN_REFUSED);
    assert_non_null(strstr(buf_text(&reason), "our certificate is not valid at this time"));
    close(fd);
    assert_int_equal(keyd_end(pid, SIGTERM), 0);
  }
  keyd_ca_configure(&ca, "certificate = other.crt\nkey = other.key\n");
  assert_int_equal(check(), 1);
  assert_true(keyd_log_has(&ca, "other.crt: our certificate is not valid at this time"));
  keyd_ca_configure(&ca, "key = issuing.key\n");
  keyd_ca_free(&old);
}

static void each_crl_has_a_greater_number_than_the_one_before(void **state)
{
  static const struct {
    const char *number;
    bool is_signed;
  } cases[] = {{"\x10", true}, {"\x10", false}, {"\x0f", false}, {"\x11", true}};
  AUTO(buf) tbs = {0}, octets = {0};
  (void)state;
  AUTO(buf) path = {0};
  buf_addf(&path, "%s/keyd.state", ca.dir);
  unlink(buf_text(&path));
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct crl_spec crl = keyd_ca_crl(&ca);
    crl.number = bytes_of(cases[i].number, 1);
    buf_clear(&tbs);
    crl_spec_write(&crl, &tbs);
    pid_t pid = keyd_start_at_socket(&ca); /* what it knows, it knows from its file */
    int fd = keyd_connect(&ca);
    if (cases[i].is_signed) {
      assert_true(signs(fd, SIGN_CRL, buf_bytes(&tbs)));
    } else {
      assert_int_equal(ask(fd, SIGN_CRL, buf_bytes(&tbs), &octets), SIGN_REFUSED);
      assert_non_null(strstr(buf_text(&octets), "this key has signed 16 already"));
      assert_true(keyd_log_has(&ca, "what=CRL serial_number=\"CRL "));
    }
    assert_int_equal(count(fd, 0).crl_number, i == 3 ? 0x11 : 0x10);
    assert_int_equal(count(fd, 0).n_signed, 0); /* certificates only */
    close(fd);
    assert_int_equal(keyd_end(pid, SIGKILL), -SIGKILL);
  }
  unlink(buf_text(&path));
}

static void what_is_signed_is_counted_whatever_ends_it(void **state)
{
  static const int signals[] = {SIGTERM, SIGKILL, SIGHUP, SIGKILL};
  AUTO(buf) leaf = {0}, octets = {0};
  (void)state;
  keyd_ca_leaf_tbs(&ca, &leaf);
  uint64_t expected = 0;
  for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
    pid_t pid = keyd_start_at_socket(&ca);
    int fd = keyd_connect(&ca);
    struct state_counts counts = count(fd, 100 + i);
    if (i == 0)
      expected = counts.n_signed;
    assert_int_equal(counts.n_signed, expected);
    assert_int_equal(counts.recorded, 100 + i);
    for (int n = 0; n < 5; n++)
      assert_true(signs(fd, SIGN_CERTIFICATE, buf_bytes(&leaf)));
    expected += 5;
    assert_int_equal(ask(fd, SIGN_CERTIFICATE, bytes_of("digest", 6), &octets), SIGN_REFUSED);
    assert_int_equal(count(fd, 3).recorded, 100 + i); /* an older ledger */
    assert_int_equal(count(fd, 3).n_signed, expected);
    close(fd);
    keyd_end(pid, signals[i]);
  }
}

static void put_sign_request(struct buf *out, struct bytes tbs, uint16_t n)
{
  buf_clear(out);
  buf_add(out, ca.key_sha256, sizeof ca.key_sha256);
  wire_put_u16(out, n);
  for (uint16_t i = 0; i < n; i++)
    put_item(out, SIGN_CERTIFICATE, tbs);
}

/* Several requests in one piece, and the last one in two: each has its own answer, and none is lost
 * between two looks at the socket. */
static void requests_that_arrive_together_are_all_answered(void **state)
{
  enum { REQUESTS = 5 };
  AUTO(buf) leaf = {0}, request = {0}, frames = {0}, reply = {0};
  struct wire_header header;
  (void)state;
  keyd_ca_leaf_tbs(&ca, &leaf);
  put_sign_request(&request, buf_bytes(&leaf), 2);
  for (uint32_t i = 0; i < REQUESTS; i++) {
    buf_add(&frames, (uint8_t[]){'M', 'k', WIRE_VERSION, SIGN_REQUEST}, 4);
    wire_put_u32(&frames, i);
    wire_put_bytes(&frames, buf_bytes(&request));
  }
  size_t most = frames.len - request.len / 2;
  pid_t pid = keyd_start_at_socket(&ca);
  int fd = keyd_connect(&ca);
  limit_waiting(fd);
  assert_int_equal(write(fd, frames.data, most), (ssize_t)most);
  for (uint32_t i = 0; i < REQUESTS; i++) {
    if (i == REQUESTS - 1)
      assert_int_equal(write(fd, frames.data + most, frames.len - most),
                       (ssize_t)(frames.len - most));
    assert_int_equal(wire_receive(fd, SIGN_REPLY_MAX, &header, &reply), WIRE_OK);
    assert_int_equal(header.id, i);
    assert_true(reply.len > 2 * 64);
  }
  assert_true(signs(fd, SIGN_CERTIFICATE, buf_bytes(&leaf)));
  close(fd);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

/* What has arrived when the signal comes is answered, although nobody has looked at it yet. */
static void what_has_arrived_is_answered_before_the_end(void **state)
{
  enum { CONNECTIONS = 12 };
  AUTO(buf) leaf = {0}, request = {0}, reply = {0};
  struct wire_header header;
  int fds[CONNECTIONS];
  (void)state;
  keyd_ca_leaf_tbs(&ca, &leaf);
  put_sign_request(&request, buf_bytes(&leaf), SIGN_BATCH_MAX);
  keyd_ca_configure(&ca, "key = issuing.key\nthreads = 1\n");
  pid_t pid = keyd_start_at_socket(&ca);
  for (size_t i = 0; i < CONNECTIONS; i++) {
    fds[i] = keyd_connect(&ca);
    limit_waiting(fds[i]);
    assert_true(signs(fds[i], SIGN_CERTIFICATE, buf_bytes(&leaf))); /* it is accepted */
  }
  for (size_t i = 0; i < CONNECTIONS; i++)
    assert_int_equal(wire_send(fds[i], SIGN_REQUEST, (uint32_t)i, buf_bytes(&request)), WIRE_OK);
  kill(pid, SIGTERM);
  for (size_t i = 0; i < CONNECTIONS; i++) {
    assert_int_equal(wire_receive(fds[i], SIGN_REPLY_MAX, &header, &reply), WIRE_OK);
    assert_int_equal(header.id, i);
    assert_true(reply.len > SIGN_BATCH_MAX * 64);
    assert_int_equal(wire_receive(fds[i], SIGN_REPLY_MAX, &header, &reply), WIRE_CLOSED);
    close(fds[i]);
  }
  assert_int_equal(keyd_wait(pid), 0);
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

/* A list of a million entries, while the other thread signs certificates. */
static void certificates_do_not_wait_for_a_large_crl(void **state)
{
  AUTO(buf) tbs = {0}, leaf = {0}, request = {0}, reply = {0};
  struct wire_header header;
  struct crl_spec crl = keyd_ca_crl(&ca);
  unsigned n_signed = 0;
  (void)state;
  crl.number = bytes_of("\x40", 1);
  crl.n_revoked = 1000 * 1000;
  crl_spec_write(&crl, &tbs);
  keyd_ca_leaf_tbs(&ca, &leaf);
  keyd_ca_configure(&ca, "key = issuing.key\nthreads = 2\n");
  pid_t pid = keyd_start_at_socket(&ca);
  int for_crl = keyd_connect(&ca), for_leaves = keyd_connect(&ca);
  limit_waiting(for_crl);
  buf_add(&request, ca.key_sha256, sizeof ca.key_sha256);
  wire_put_u16(&request, 1);
  put_item(&request, SIGN_CRL, buf_bytes(&tbs));
  int64_t before = when_monotonic_ms();
  assert_int_equal(wire_send(for_crl, SIGN_REQUEST, 1, buf_bytes(&request)), WIRE_OK);
  struct pollfd done = {.fd = for_crl, .events = POLLIN};
  while (poll(&done, 1, 0) == 0) {
    assert_true(signs(for_leaves, SIGN_CERTIFICATE, buf_bytes(&leaf)));
    n_signed++;
  }
  print_message("%zu octets in %d ms, %u certificates meanwhile\n", tbs.len,
                (int)(when_monotonic_ms() - before), n_signed);
  assert_int_equal(wire_receive(for_crl, SIGN_REPLY_MAX, &header, &reply), WIRE_OK);
  assert_true(n_signed > 0);
  close(for_crl);
  close(for_leaves);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void a_large_crl_is_signed(void **state)
{
  AUTO(buf) tbs = {0};
  struct crl_spec crl = keyd_ca_crl(&ca);
  (void)state;
  crl.number = bytes_of("\x41", 1);
  crl.n_revoked = 2400 * 1000; /* some 60 MiB */
  crl_spec_write(&crl, &tbs);
  assert_true(tbs.len > 56 * 1024 * 1024 && tbs.len < SIGN_CRL_MAX);
  pid_t pid = keyd_start_at_socket(&ca);
  int fd = keyd_connect(&ca);
  limit_waiting(fd);
  assert_true(signs(fd, SIGN_CRL, buf_bytes(&tbs)));
  close(fd);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

static void what_is_no_request_ends_the_connection_alone(void **state)
{
  static const struct {
    const char *what;
    uint8_t octets[64];
    size_t len;
  } cases[] = {
      {"garbage", "GET / HTTP/1.1\r\n\r\n", 18},
      {"another version", {'M', 'k', 2, 1, 0, 0, 0, 1, 0, 0, 0, 0}, 12},
      {"4 GiB", {'M', 'k', 1, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}, 12},
      {"just over the bound", {'M', 'k', 1, 1, 0, 0, 0, 1, 4, 1, 0, 1}, 12},
      {"type 0", {'M', 'k', 1, 0, 0, 0, 0, 1, 0, 0, 0, 0}, 12},
      {"a reply", {'M', 'k', 1, 2, 0, 0, 0, 1, 0, 0, 0, 0}, 12},
      {"an empty request", {'M', 'k', 1, 1, 0, 0, 0, 1, 0, 0, 0, 0}, 12},
      {"an empty probe", {'M', 'k', 1, 3, 0, 0, 0, 1, 0, 0, 0, 0}, 12},
      {"an empty count", {'M', 'k', 1, 5, 0, 0, 0, 1, 0, 0, 0, 0}, 12},
      {"a count with more", {'M', 'k', 1, 5, 0, 0, 0, 1, 0, 0, 0, 41}, 12 + 41},
      {"a count's reply", {'M', 'k', 1, 6, 0, 0, 0, 1, 0, 0, 0, 40}, 12 + 40},
      {"a hello with something", {'M', 'k', 1, 7, 0, 0, 0, 1, 0, 0, 0, 1}, 12 + 1},
      {"type 9", {'M', 'k', 1, 9, 0, 0, 0, 1, 0, 0, 0, 0}, 12},
      {"no items", {'M', 'k', 1, 1, 0, 0, 0, 1, 0, 0, 0, 34}, 12 + 34},
      {"items that are not there", {'M', 'k', 1, 1, 0, 0, 0, 1, 0, 0, 0, 34, [45] = 2}, 12 + 34},
      {"65 items", {'M', 'k', 1, 1, 0, 0, 0, 1, 0, 0, 0, 34, [45] = 65}, 12 + 34},
      {"a digest", {'M', 'k', 1, 1, 0, 0, 0, 1, 0, 0, 0, 39, [45] = 1, [46] = 3}, 12 + 39},
      {"a length beyond the end",
       {'M', 'k', 1, 1, 0, 0, 0, 1, 0, 0, 0, 39, [45] = 1, [46] = 1, [50] = 9},
       12 + 39},
  };
  AUTO(buf) leaf = {0};
  (void)state;
  keyd_ca_leaf_tbs(&ca, &leaf);
  pid_t pid = keyd_start_at_socket(&ca);
  int good = keyd_connect(&ca);
  limit_waiting(good);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    int fd = keyd_connect(&ca);
    assert_int_equal(send(fd, cases[i].octets, cases[i].len, MSG_NOSIGNAL), cases[i].len);
    is_closed(fd);
    assert_true(signs(good, SIGN_CERTIFICATE, buf_bytes(&leaf)));
  }
  close(good);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

static void half_a_frame_does_not_hold_the_others(void **state)
{
  AUTO(buf) leaf = {0};
  (void)state;
  keyd_ca_leaf_tbs(&ca, &leaf);
  keyd_ca_configure(&ca, "key = issuing.key\nthreads = 2\n");
  pid_t pid = keyd_start_at_socket(&ca);
  int half = keyd_connect(&ca), good = keyd_connect(&ca);
  limit_waiting(good);
  assert_int_equal(send(half, "Mk\1\1\0\0\0\1\0\0\1\0abc", 15, MSG_NOSIGNAL), 15);
  assert_true(signs(good, SIGN_CERTIFICATE, buf_bytes(&leaf)));
  is_closed(half); /* in time */
  assert_true(keyd_log_has(&ca, "timed out"));
  assert_true(signs(good, SIGN_CERTIFICATE, buf_bytes(&leaf)));
  close(good);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void an_hour_s_signatures_are_counted(void **state)
{
  AUTO(buf) leaf = {0}, reason = {0};
  (void)state;
  keyd_ca_leaf_tbs(&ca, &leaf);
  keyd_ca_configure(&ca, "key = issuing.key\nsignatures_per_hour = 3\n");
  pid_t pid = keyd_start_at_socket(&ca);
  int fd = keyd_connect(&ca);
  for (int i = 0; i < 3; i++)
    assert_true(signs(fd, SIGN_CERTIFICATE, buf_bytes(&leaf)));
  assert_int_equal(ask(fd, SIGN_CERTIFICATE, buf_bytes(&leaf), &reason), SIGN_LATER);
  assert_non_null(strstr(buf_text(&reason), "3 signatures in an hour are used up"));
  assert_true(keyd_log_has(&ca, "serial_number=019322175a3cff018055129d4177e003 reason=\"3 sig"));
  close(fd);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
  keyd_ca_configure(&ca, "key = issuing.key\n");
}

static void no_more_connections_than_can_be_served(void **state)
{
  AUTO(buf) leaf = {0};
  int fds[SOCKETS_MAX];
  (void)state;
  keyd_ca_leaf_tbs(&ca, &leaf);
  pid_t pid = keyd_start_at_socket(&ca);
  for (size_t i = 0; i < SOCKETS_MAX; i++) {
    fds[i] = keyd_connect(&ca);
    limit_waiting(fds[i]);
    assert_true(signs(fds[i], SIGN_CERTIFICATE, buf_bytes(&leaf)));
  }
  is_closed(keyd_connect(&ca));
  for (size_t i = 0; i < SOCKETS_MAX; i++)
    close(fds[i]);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

/* As a user of this number: is a certificate signed (0), or the connection closed (1)? */
static int ask_as(uid_t user, struct bytes leaf)
{
  pid_t peer = fork();
  assert_true(peer >= 0);
  if (peer == 0) {
    char octet;
    if (setgid(user) != 0 || setuid(user) != 0)
      _exit(3);
    int fd = keyd_connect(&ca);
    limit_waiting(fd);
    if (user == 65533)
      _exit(signs(fd, SIGN_CERTIFICATE, leaf) ? 0 : 4);
    _exit(recv(fd, &octet, 1, 0) == 0 ? 1 : 5);
  }
  return keyd_wait(peer);
}

static void the_allowed_user_is_served_and_another_turned_away(void **state)
{
  AUTO(buf) leaf = {0};
  (void)state;
  if (geteuid() != 0) {
    print_message("only root can be another user\n");
    skip();
  }
  keyd_ca_leaf_tbs(&ca, &leaf);
  keyd_ca_configure(&ca, "key = issuing.key\nallow_user = 65533\n");
  pid_t pid = keyd_start_at_socket(&ca);
  chmod(ca.dir, 0755);
  chmod(ca.socket, 0666); /* the outer fence is open: the inner one must hold */
  assert_int_equal(ask_as(65533, buf_bytes(&leaf)), 0);
  assert_int_equal(ask_as(65534, buf_bytes(&leaf)), 1);
  assert_int_equal(ask_as(65533, buf_bytes(&leaf)), 0);
  assert_true(keyd_log_has(&ca, "refused a connection uid=65534"));
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_mistake_in_the_configuration_is_told_with_its_line),
      cmocka_unit_test(settings_are_read_as_they_are_written),
      cmocka_unit_test(a_further_key_has_the_first_one_s_bounds_or_its_own),
      cmocka_unit_test(so_many_keys_may_be_configured),
      cmocka_unit_test(the_state_is_in_systemd_s_folder_or_beside_the_configuration),
      cmocka_unit_test(the_sample_configuration_is_valid),
      cmocka_unit_test(a_check_says_that_all_is_in_order),
      cmocka_unit_test(a_key_that_others_can_read_is_refused),
      cmocka_unit_test(the_key_of_another_certificate_is_refused),
      cmocka_unit_test(an_encrypted_key_wants_its_passphrase),
      cmocka_unit_test(a_further_key_has_a_credential_of_its_own),
      cmocka_unit_test(a_key_that_stands_there_twice_is_refused),
      cmocka_unit_test(a_check_looks_at_the_state_and_makes_none),
      cmocka_unit_test(wrong_usage_is_told_from_failure),
      cmocka_unit_test(a_key_holder_that_serves_is_locked_in),
      cmocka_unit_test(the_sandbox_ends_who_steps_out),
      cmocka_unit_test(signals_end_it_in_order),
      cmocka_unit_test(systemd_hands_over_a_socket_and_hears_of_it),
      cmocka_unit_test(each_key_signs_for_its_own_authority),
      cmocka_unit_test(an_expired_authority_does_not_stop_the_others),
      cmocka_unit_test(each_crl_has_a_greater_number_than_the_one_before),
      cmocka_unit_test(what_is_signed_is_counted_whatever_ends_it),
      cmocka_unit_test(requests_that_arrive_together_are_all_answered),
      cmocka_unit_test(what_has_arrived_is_answered_before_the_end),
      cmocka_unit_test(certificates_do_not_wait_for_a_large_crl),
      cmocka_unit_test(a_large_crl_is_signed),
      cmocka_unit_test(what_is_no_request_ends_the_connection_alone),
      cmocka_unit_test(half_a_frame_does_not_hold_the_others),
      cmocka_unit_test(an_hour_s_signatures_are_counted),
      cmocka_unit_test(no_more_connections_than_can_be_served),
      cmocka_unit_test(the_allowed_user_is_served_and_another_turned_away),
  };
  return cmocka_run_group_tests(tests, make_ca, free_ca);
}
