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
#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/base/wire.h"
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

/* One item, signed or refused: the octets. */
static enum sign_status ask(int fd, uint8_t kind, struct bytes tbs, struct buf *ret_octets)
{
  AUTO(buf) request = {0}, reply = {0};
  struct wire_header header;
  buf_add(&request, ca.key_sha256, sizeof ca.key_sha256);
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

static bool signs(int fd, uint8_t kind, struct bytes tbs)
{
  AUTO(buf) signature = {0};
  return ask(fd, kind, tbs, &signature) == SIGN_DONE &&
         pubkey_verify(&ca.certificate.key, private_key_alg(ca.key), tbs, buf_bytes(&signature));
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

static void a_large_crl_is_signed(void **state)
{
  AUTO(buf) tbs = {0};
  struct crl_spec crl = keyd_ca_crl(&ca);
  (void)state;
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
      cmocka_unit_test(the_sample_configuration_is_valid),
      cmocka_unit_test(a_check_says_that_all_is_in_order),
      cmocka_unit_test(a_key_that_others_can_read_is_refused),
      cmocka_unit_test(the_key_of_another_certificate_is_refused),
      cmocka_unit_test(an_encrypted_key_wants_its_passphrase),
      cmocka_unit_test(wrong_usage_is_told_from_failure),
      cmocka_unit_test(a_key_holder_that_serves_is_locked_in),
      cmocka_unit_test(the_sandbox_ends_who_steps_out),
      cmocka_unit_test(signals_end_it_in_order),
      cmocka_unit_test(systemd_hands_over_a_socket_and_hears_of_it),
      cmocka_unit_test(a_large_crl_is_signed),
      cmocka_unit_test(what_is_no_request_ends_the_connection_alone),
      cmocka_unit_test(half_a_frame_does_not_hold_the_others),
      cmocka_unit_test(an_hour_s_signatures_are_counted),
      cmocka_unit_test(no_more_connections_than_can_be_served),
      cmocka_unit_test(the_allowed_user_is_served_and_another_turned_away),
  };
  return cmocka_run_group_tests(tests, make_ca, free_ca);
}
