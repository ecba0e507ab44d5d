/* keyd_ca.c - see keyd_ca.h. */
#include "tests/unit/unit.h"

#include "tests/unit/keyd_ca.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/when.h"
#include "lib/pki/der.h"
#include "lib/pki/ext.h"
#include "lib/pki/name.h"
#include "lib/pki/oid.h"
#include "lib/pki/pem.h"

enum { DAY = 86400, PATIENCE_MS = 20000 };

static const uint8_t serial_number[SERIAL_NUMBER_LEN] = {
    0x01, 0x93, 0x22, 0x17, 0x5a, 0x3c, 0xff, 0x01, 0x80, 0x55, 0x12, 0x9d, 0x41, 0x77, 0xe0, 0x03};
static uint8_t leaf_key_id[PUBKEY_ID_LEN] = {7};
static uint8_t ca_key_id[PUBKEY_ID_LEN] = {9};

/* --- the authority --- */

static void make_name(const char *common_name, struct buf *out)
{
  AUTO(fault) fault = {0};
  struct name_part part = {ATTR_COMMON_NAME, bytes_of_text(common_name)};
  assert_true(name_write(&part, 1, out, &fault));
}

static void make_certificate(struct keyd_ca *ca, int64_t not_after)
{
  AUTO(fault) fault = {0};
  AUTO(buf) subject = {0}, spki = {0}, tbs = {0}, signature = {0};
  make_name("Acme Issuing CA", &subject);
  assert_true(private_key_spki(ca->key, &spki, &fault));
  struct cert_spec spec = {
      .serial_number = bytes_of(serial_number, sizeof serial_number),
      .alg = private_key_alg(ca->key),
      .issuer = buf_bytes(&subject),
      .subject = buf_bytes(&subject),
      .not_before = when_now() - DAY,
      .not_after = not_after,
      .spki = buf_bytes(&spki),
      .subject_key_id = bytes_of(ca_key_id, sizeof ca_key_id),
      .key_usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN,
      .is_ca = true,
      .path_len = 0,
  };
  assert_true(cert_build(&spec, &tbs, &fault));
  assert_true(private_key_sign(ca->key, buf_bytes(&tbs), &signature, &fault));
  assert_true(cert_assemble(buf_bytes(&tbs), spec.alg, buf_bytes(&signature), &ca->certificate_der,
                            &fault));
  assert_true(cert_read(buf_bytes(&ca->certificate_der), false, &ca->certificate, &fault));
  pubkey_sha256(ca->certificate.key.spki, ca->key_sha256);
}

void keyd_ca_write(struct keyd_ca *ca, const char *name, const char *text, mode_t mode)
{
  AUTO(fault) fault = {0};
  AUTO(buf) path = {0};
  buf_addf(&path, "%s/%s", ca->dir, name);
  assert_true(file_write(buf_text(&path), bytes_of_text(text), mode, true, &fault));
}

void keyd_ca_configure(struct keyd_ca *ca, const char *text)
{
  keyd_ca_write(ca, "keyd.conf", text, 0600);
}

static void write_files(struct keyd_ca *ca, const char *passphrase)
{
  AUTO(fault) fault = {0};
  AUTO(buf) crt = {0}, key = {0};
  pem_add(&crt, "CERTIFICATE", buf_bytes(&ca->certificate_der));
  assert_true(private_key_write(ca->key, bytes_of_text(passphrase), &key, &fault));
  keyd_ca_write(ca, "issuing.crt", buf_text(&crt), 0644);
  keyd_ca_write(ca, "issuing.key", buf_text(&key), 0600);
  keyd_ca_configure(ca, "key = issuing.key\n");
}

void keyd_ca_make(struct keyd_ca *ca, const char *key_kind, const char *passphrase)
{
  keyd_ca_make_until(ca, key_kind, passphrase, when_now() + 1000 * (int64_t)DAY);
}

void keyd_ca_make_until(struct keyd_ca *ca, const char *key_kind, const char *passphrase,
                        int64_t not_after)
{
  AUTO(fault) fault = {0};
  *ca = (struct keyd_ca){.dir = "/tmp/mintmark-keyd-XXXXXX"};
  assert_non_null(mkdtemp(ca->dir));
  snprintf(ca->conf, sizeof ca->conf, "%s/keyd.conf", ca->dir);
  snprintf(ca->socket, sizeof ca->socket, "%s/keyd.sock", ca->dir);
  snprintf(ca->log, sizeof ca->log, "%s/keyd.log", ca->dir);
  assert_true(private_key_generate(key_kind, &ca->key, &fault));
  make_certificate(ca, not_after);
  write_files(ca, passphrase);
  assert_true(private_key_generate("ec-p256", &ca->leaf_key, &fault));
  assert_true(private_key_spki(ca->leaf_key, &ca->leaf_spki, &fault));
  make_name("w-1001", &ca->leaf_subject);
}

void keyd_ca_free(struct keyd_ca *ca)
{
  static const char *const names[] = {"issuing.crt", "issuing.key",     "keyd.conf",
                                      "keyd.log",    "keyd.sock",       "issuing-passphrase",
                                      "other.key",   "notify",          "keyd.state",
                                      "other.crt",   "other-passphrase"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO(buf) path = {0};
    buf_addf(&path, "%s/%s", ca->dir, names[i]);
    unlink(buf_text(&path));
  }
  assert_int_equal(rmdir(ca->dir), 0);
  private_key_free(ca->key);
  private_key_free(ca->leaf_key);
  cert_free(&ca->certificate);
  buf_free(&ca->certificate_der);
  buf_free(&ca->leaf_spki);
  buf_free(&ca->leaf_subject);
}

/* --- what it signs --- */

struct cert_spec keyd_ca_leaf(struct keyd_ca *ca)
{
  int64_t now = when_now();
  return (struct cert_spec){
      .serial_number = bytes_of(serial_number, sizeof serial_number),
      .alg = private_key_alg(ca->key),
      .issuer = ca->certificate.subject,
      .subject = buf_bytes(&ca->leaf_subject),
      .not_before = now - 300,
      .not_after = now + 800 * (int64_t)DAY,
      .spki = buf_bytes(&ca->leaf_spki),
      .subject_key_id = bytes_of(leaf_key_id, sizeof leaf_key_id),
      .authority_key_id = bytes_of(ca_key_id, sizeof ca_key_id),
      .key_usage = KU_DIGITAL_SIGNATURE,
      .ext_key_usage = EKU_SERVER_AUTH,
      .path_len = -1,
  };
}

void keyd_ca_leaf_tbs(struct keyd_ca *ca, struct buf *ret_tbs)
{
  AUTO(fault) fault = {0};
  struct cert_spec spec = keyd_ca_leaf(ca);
  assert_true(cert_build(&spec, ret_tbs, &fault));
}

struct crl_spec keyd_ca_crl(struct keyd_ca *ca)
{
  int64_t now = when_now();
  return (struct crl_spec){.alg = private_key_alg(ca->key),
                           .issuer = ca->certificate.subject,
                           .authority_key_id = bytes_of(ca_key_id, sizeof ca_key_id),
                           .this_update = now,
                           .next_update = now + 7 * DAY,
                           .number = bytes_of("\7", 1),
                           .n_revoked = 2};
}

static void put_revoked(struct buf *out, uint64_t number, int64_t revoked_at)
{
  size_t entry = der_begin(out, DER_SEQUENCE);
  der_put_number(out, number);
  der_put_time(out, revoked_at);
  der_end(out, entry);
}

static void put_crl_extensions(const struct crl_spec *spec, struct buf *out)
{
  size_t tagged = der_begin(out, DER_CONTEXT_CONSTRUCTED(0));
  size_t list = der_begin(out, DER_SEQUENCE);
  struct extension_mark mark = extension_begin(out, OID_AUTHORITY_KEY_ID, false);
  size_t key_id = der_begin(out, DER_SEQUENCE);
  der_put(out, DER_CONTEXT(0), spec->authority_key_id);
  der_end(out, key_id);
  extension_end(out, mark);
  mark = extension_begin(out, OID_CRL_NUMBER, false);
  der_put_unsigned(out, spec->number);
  extension_end(out, mark);
  der_end(out, list);
  der_end(out, tagged);
}

void crl_spec_write(const struct crl_spec *spec, struct buf *ret_tbs)
{
  size_t tbs = der_begin(ret_tbs, DER_SEQUENCE);
  der_put_number(ret_tbs, 1);
  sig_alg_write(spec->alg, ret_tbs);
  buf_add_bytes(ret_tbs, spec->issuer);
  der_put_time(ret_tbs, spec->this_update);
  der_put_time(ret_tbs, spec->next_update);
  if (spec->n_revoked > 0) {
    size_t list = der_begin(ret_tbs, DER_SEQUENCE);
    for (size_t i = 0; i < spec->n_revoked; i++)
      put_revoked(ret_tbs, (UINT64_C(1) << 62) + i, spec->this_update);
    der_end(ret_tbs, list);
  }
  put_crl_extensions(spec, ret_tbs);
  der_end(ret_tbs, tbs);
  assert_true(buf_ok(ret_tbs));
}

/* --- the program --- */

const char *keyd_program(void)
{
  static char path[512];
  const char *folder = getenv("MINTMARK_BUILDDIR");
  snprintf(path, sizeof path, "%s/mintmark-keyd", folder != NULL ? folder : ".");
  return path;
}

static void exec_keyd(struct keyd_ca *ca, const char *const *arguments)
{
  const char *argv[16] = {keyd_program(), "--config", ca->conf};
  int log = open(ca->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  for (size_t i = 0; arguments[i] != NULL && i + 4 < ARRAY_LEN(argv); i++)
    argv[3 + i] = arguments[i];
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
  dup2(log, STDERR_FILENO);
  dup2(log, STDOUT_FILENO);
  execv(argv[0], (char *const *)(uintptr_t)argv);
  _exit(127);
}

pid_t keyd_start(struct keyd_ca *ca, const char *const *arguments)
{
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid == 0)
    exec_keyd(ca, arguments);
  return pid;
}

static int try_connect(const char *path)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

int keyd_connect(struct keyd_ca *ca)
{
  int64_t deadline = when_monotonic_ms() + PATIENCE_MS;
  int fd;
  while ((fd = try_connect(ca->socket)) < 0) {
    assert_true(when_monotonic_ms() < deadline);
    poll(NULL, 0, 5);
  }
  return fd;
}

pid_t keyd_start_at_socket(struct keyd_ca *ca)
{
  unlink(ca->log);
  pid_t pid = keyd_start(ca, (const char *const[]){"--socket", ca->socket, NULL});
  assert_true(keyd_log_has(ca, "ready to sign"));
  return pid;
}

pid_t keyd_start_activated(struct keyd_ca *ca, int listener)
{
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid > 0)
    return pid;
  char number[16];
  snprintf(number, sizeof number, "%d", (int)getpid());
  setenv("LISTEN_PID", number, 1);
  setenv("LISTEN_FDS", "1", 1);
  if (listener == 3)
    fcntl(3, F_SETFD, 0);
  else
    dup2(listener, 3);
  exec_keyd(ca, (const char *const[]){NULL});
  _exit(127);
}

int keyd_listen(struct keyd_ca *ca)
{
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", ca->socket);
  unlink(ca->socket);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(fd, 64), 0);
  return fd;
}

int keyd_wait(pid_t pid)
{
  int64_t deadline = when_monotonic_ms() + PATIENCE_MS;
  int status;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    if (when_monotonic_ms() >= deadline) {
      kill(pid, SIGKILL);
      fail_msg("the key holder does not end");
    }
    poll(NULL, 0, 5);
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int keyd_end(pid_t pid, int signal)
{
  kill(pid, signal);
  return keyd_wait(pid);
}

bool keyd_log_has(struct keyd_ca *ca, const char *text)
{
  int64_t deadline = when_monotonic_ms() + PATIENCE_MS;
  do {
    AUTO(fault) fault = {0};
    AUTO(buf) log = {0};
    if (file_read(ca->log, 1024 * 1024, &log, &fault) && strstr(buf_text(&log), text) != NULL)
      return true;
    poll(NULL, 0, 5);
  } while (when_monotonic_ms() < deadline);
  return false;
}
