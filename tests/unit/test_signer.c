/* test_signer.c - the daemon's side of the key holder, against the real one. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/signer.h"
#include "tests/unit/keyd_ca.h"

enum { TIMEOUT_MS = 15000, SLOTS = 8, BATCH = 16 };

static struct keyd_ca ca;
static struct buf leaf;

static int make_ca(void **state)
{
  (void)state;
  keyd_ca_make(&ca, "ec-p256", "");
  keyd_ca_leaf_tbs(&ca, &leaf);
  return 0;
}

static int free_ca(void **state)
{
  (void)state;
  buf_free(&leaf);
  keyd_ca_free(&ca);
  return 0;
}

static struct key_holder *new_holder(void)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = NULL;
  if (!key_holder_new(NULL, keyd_program(), ca.conf, SLOTS, &holder, &fault))
    fail_msg("%s", fault.detail);
  return holder;
}

static struct signer *new_signer(struct key_holder *holder, unsigned slot)
{
  AUTO(fault) fault = {0};
  struct signer *signer = NULL;
  assert_true(signer_new(holder, slot, TIMEOUT_MS, &signer, &fault));
  return signer;
}

static bool sign_one(struct signer *signer, struct bytes tbs, struct fault *f)
{
  struct signer_item item = {.kind = SIGN_CERTIFICATE, .tbs = tbs};
  bool ok = signer_sign(signer, ca.key_sha256, &item, 1, f);
  if (ok && item.fault.code != FAULT_NONE) {
    fault_move(f, &item.fault);
    ok = false;
  }
  if (ok)
    ok = pubkey_verify(&ca.certificate.key, private_key_alg(ca.key), tbs,
                       buf_bytes(&item.signature));
  buf_free(&item.signature);
  fault_free(&item.fault);
  return ok;
}

/* Until it is signed: a child that died is started anew within the waits. */
static void sign_at_last(struct signer *signer)
{
  int64_t deadline = when_monotonic_ms() + TIMEOUT_MS;
  AUTO(fault) fault = {0};
  while (!sign_one(signer, buf_bytes(&leaf), &fault)) {
    assert_int_equal(fault.code, FAULT_SIGNER_DOWN);
    if (when_monotonic_ms() >= deadline)
      fail_msg("still not signed: %s", fault.detail);
    poll(NULL, 0, 10);
  }
}

/* --- looking at the child --- */

/* The parent's number out of /proc/PID/stat, behind the name in parentheses. */
static long parent_of(const char *pid, bool *ret_is_keyd)
{
  AUTO(fault) fault = {0};
  AUTO(buf) path = {0}, stat = {0};
  long parent = -1;
  buf_addf(&path, "/proc/%s/stat", pid);
  if (!file_read(buf_text(&path), 4096, &stat, &fault))
    return -1;
  const char *text = buf_text(&stat), *end = strrchr(text, ')');
  if (end == NULL || sscanf(end + 1, " %*c %ld", &parent) != 1)
    return -1;
  *ret_is_keyd = strstr(text, "(mintmark-keyd)") != NULL && end[2] != 'Z';
  return parent;
}

static pid_t find_child(unsigned *ret_n)
{
  DIR *proc = opendir("/proc");
  pid_t found = 0;
  *ret_n = 0;
  assert_non_null(proc);
  for (const struct dirent *entry; (entry = readdir(proc)) != NULL;) {
    bool is_keyd = false;
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
        parent_of(entry->d_name, &is_keyd) != getpid() || !is_keyd)
      continue;
    found = (pid_t)strtol(entry->d_name, NULL, 10);
    (*ret_n)++;
  }
  closedir(proc);
  return found;
}

static pid_t child(void)
{
  unsigned n;
  pid_t pid = find_child(&n);
  assert_int_equal(n, 1);
  return pid;
}

static size_t count_descriptors(pid_t pid)
{
  AUTO(buf) path = {0};
  size_t n = 0;
  buf_addf(&path, "/proc/%d/fd", (int)pid);
  DIR *folder = opendir(buf_text(&path));
  assert_non_null(folder);
  while (readdir(folder) != NULL)
    n++;
  closedir(folder);
  return n;
}

/* --- tests --- */

static void a_batch_is_signed_and_verifies(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  struct signer_item items[BATCH] = {0};
  (void)state;
  for (size_t i = 0; i < BATCH; i++)
    items[i] = (struct signer_item){.kind = SIGN_CERTIFICATE, .tbs = buf_bytes(&leaf)};
  if (!signer_sign(signer, ca.key_sha256, items, BATCH, &fault))
    fail_msg("%s", fault.detail);
  for (size_t i = 0; i < BATCH; i++) {
    assert_int_equal(items[i].fault.code, FAULT_NONE);
    assert_true(pubkey_verify(&ca.certificate.key, private_key_alg(ca.key), buf_bytes(&leaf),
                              buf_bytes(&items[i].signature)));
    buf_free(&items[i].signature);
  }
  signer_free(signer);
  key_holder_free(holder);
}

static void a_refused_item_does_not_harm_the_others(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(buf) sub_ca = {0};
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  struct cert_spec spec = keyd_ca_leaf(&ca);
  (void)state;
  spec.is_ca = true;
  spec.key_usage = KU_KEY_CERT_SIGN;
  assert_true(cert_build(&spec, &sub_ca, &fault));
  struct signer_item items[] = {{.kind = SIGN_CERTIFICATE, .tbs = buf_bytes(&leaf)},
                                {.kind = SIGN_CERTIFICATE, .tbs = buf_bytes(&sub_ca)},
                                {.kind = SIGN_CERTIFICATE, .tbs = bytes_of("digest", 6)},
                                {.kind = SIGN_CERTIFICATE, .tbs = buf_bytes(&leaf)}};
  assert_true(signer_sign(signer, ca.key_sha256, items, ARRAY_LEN(items), &fault));
  assert_true(items[0].signature.len > 0 && items[3].signature.len > 0);
  assert_int_equal(items[1].fault.code, FAULT_SIGNER_REFUSED);
  assert_non_null(strstr(items[1].fault.detail, "no CA is signed here"));
  assert_int_equal(items[2].fault.code, FAULT_SIGNER_REFUSED);
  assert_true(items[1].signature.len == 0 && items[2].signature.len == 0);
  for (size_t i = 0; i < ARRAY_LEN(items); i++)
    buf_free(&items[i].signature);
  signer_free(signer);
  key_holder_free(holder);
}

static void a_key_that_is_not_there_is_refused(void **state)
{
  AUTO(fault) fault = {0};
  const uint8_t unknown[32] = {1};
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  struct signer_item item = {.kind = SIGN_CERTIFICATE, .tbs = buf_bytes(&leaf)};
  (void)state;
  assert_true(signer_sign(signer, unknown, &item, 1, &fault));
  assert_int_equal(item.fault.code, FAULT_SIGNER_REFUSED);
  assert_non_null(strstr(item.fault.detail, "there is no such key"));
  assert_false(signer_probe(signer, unknown, &fault));
  assert_int_equal(fault.code, FAULT_SIGNER_REFUSED);
  signer_free(signer);
  key_holder_free(holder);
}

static void a_probe_says_that_the_key_works(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  (void)state;
  assert_true(signer_probe(signer, ca.key_sha256, &fault));
  assert_true(signer_probe(signer, ca.key_sha256, &fault));
  signer_free(signer);
  key_holder_free(holder);
}

static void what_is_signed_is_counted_whoever_asks(void **state)
{
  AUTO(fault) fault = {0};
  AUTO(buf) sub_ca = {0};
  struct signer_counts before, counts;
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  (void)state;
  if (!signer_count(signer, ca.key_sha256, 5, &before, &fault))
    fail_msg("%s", fault.detail);
  assert_int_equal(before.recorded, 5);
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  assert_false(sign_one(signer, bytes_of("digest", 6), &fault)); /* does not count */
  assert_true(signer_count(signer, ca.key_sha256, 3, &counts, &fault));
  assert_int_equal(counts.n_signed, before.n_signed + 2);
  assert_int_equal(counts.recorded, 5);
  assert_int_equal(kill(child(), SIGKILL), 0);
  sign_at_last(signer);
  assert_true(signer_count(signer, ca.key_sha256, 0, &counts, &fault));
  assert_int_equal(counts.n_signed, before.n_signed + 3);
  assert_int_equal(counts.recorded, 5);
  const uint8_t unknown[32] = {1};
  assert_false(signer_count(signer, unknown, 0, &counts, &fault));
  assert_int_equal(fault.code, FAULT_SIGNER_REFUSED);
  signer_free(signer);
  key_holder_free(holder);
}

static void a_batch_over_the_bound_is_not_sent(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  struct signer_item items[SIGNER_BATCH_MAX + 1] = {0};
  (void)state;
  assert_false(signer_sign(signer, ca.key_sha256, items, SIGNER_BATCH_MAX + 1, &fault));
  assert_false(signer_sign(signer, ca.key_sha256, items, 0, &fault));
  signer_free(signer);
  key_holder_free(holder);
}

static void a_killed_key_holder_comes_back(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = new_holder();
  struct signer *first = new_signer(holder, 0), *second = new_signer(holder, 1);
  (void)state;
  assert_true(sign_one(first, buf_bytes(&leaf), &fault));
  assert_true(sign_one(second, buf_bytes(&leaf), &fault));
  for (int i = 0; i < 3; i++) {
    pid_t before = child();
    assert_int_equal(kill(before, SIGKILL), 0);
    sign_at_last(first);
    assert_true(child() != before);
    sign_at_last(second);
  }
  signer_free(first);
  signer_free(second);
  key_holder_free(holder);
}

static void a_connection_found_dead_is_opened_anew_in_the_same_call(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  (void)state;
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  assert_int_equal(kill(child(), SIGKILL), 0);
  poll(NULL, 0, 250); /* before the first wait is over, it would be told to wait */
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  signer_free(signer);
  key_holder_free(holder);
}

static void a_key_holder_that_hangs_is_replaced(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = new_holder();
  struct signer *signer = NULL;
  int status;
  (void)state;
  assert_true(signer_new(holder, 0, 500, &signer, &fault));
  sign_at_last(signer);
  pid_t before = child();
  assert_int_equal(kill(before, SIGSTOP), 0);
  assert_int_equal(waitpid(before, &status, WUNTRACED), before);
  assert_true(WIFSTOPPED(status));
  assert_false(sign_one(signer, buf_bytes(&leaf), &fault));
  assert_int_equal(fault.code, FAULT_SIGNER_DOWN);
  assert_non_null(strstr(fault.detail, "timed out"));
  sign_at_last(signer);
  assert_true(child() != before);
  signer_free(signer);
  key_holder_free(holder);
}

static void a_key_holder_that_cannot_start_is_told_of(void **state)
{
  AUTO(fault) fault = {0};
  (void)state;
  keyd_ca_configure(&ca, "key = missing.key\n");
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  /* Its sockets may be gone a moment before it is. */
  bool told = false;
  for (int64_t deadline = when_monotonic_ms() + TIMEOUT_MS; !told && when_monotonic_ms() < deadline;
       poll(NULL, 0, 5)) {
    assert_false(sign_one(signer, buf_bytes(&leaf), &fault));
    assert_int_equal(fault.code, FAULT_SIGNER_DOWN);
    told = strstr(fault.detail, "ended with exit code 1; it is started again in") != NULL;
  }
  keyd_ca_configure(&ca, "key = issuing.key\n");
  assert_true(told);
  sign_at_last(signer);
  signer_free(signer);
  key_holder_free(holder);
}

static void a_program_that_is_not_there_is_told_of_at_once(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = NULL;
  (void)state;
  assert_false(key_holder_new(NULL, "/nonexistent/keyd", ca.conf, 1, &holder, &fault));
  assert_int_equal(fault.code, FAULT_FILE_ERROR);
  assert_non_null(strstr(fault.detail, "/nonexistent/keyd"));
  assert_null(holder);
}

/* --- many threads --- */

struct crowd {
  struct key_holder *holder;
  bool nothing_may_fail;
  _Atomic unsigned next_slot, signed_batches;
  _Atomic bool failed;
  unsigned rounds;
};

static void *sign_batches(void *context)
{
  struct crowd *crowd = context;
  struct signer *signer = NULL;
  AUTO(fault) fault = {0};
  if (!signer_new(crowd->holder, crowd->next_slot++, TIMEOUT_MS, &signer, &fault)) {
    crowd->failed = true;
    return NULL;
  }
  int64_t deadline = when_monotonic_ms() + TIMEOUT_MS;
  for (unsigned round = 0; round < crowd->rounds && when_monotonic_ms() < deadline;) {
    if (sign_one(signer, buf_bytes(&leaf), &fault)) {
      crowd->signed_batches++;
      round++;
    } else if (fault.code != FAULT_SIGNER_DOWN || crowd->nothing_may_fail) {
      print_message("%s\n", fault.detail);
      crowd->failed = true;
      break;
    } else {
      poll(NULL, 0, 5);
    }
  }
  signer_free(signer);
  return NULL;
}

/* Until some more batches are signed. */
static void let_work(const struct crowd *crowd)
{
  unsigned before = crowd->signed_batches;
  int64_t deadline = when_monotonic_ms() + TIMEOUT_MS;
  while (crowd->signed_batches < before + 20 && !crowd->failed && when_monotonic_ms() < deadline)
    poll(NULL, 0, 1);
}

static void kill_it(struct crowd *crowd)
{
  unsigned n;
  pid_t pid = find_child(&n);
  (void)crowd;
  if (pid > 0)
    kill(pid, SIGKILL);
}

static void renew_it(struct crowd *crowd)
{
  AUTO(fault) fault = {0};
  if (!key_holder_renew(crowd->holder, &fault))
    fail_msg("%s", fault.detail);
}

/* Several times, while they sign, `meanwhile`. */
static void run_crowd(struct crowd *crowd, unsigned times, void (*meanwhile)(struct crowd *crowd))
{
  pthread_t threads[SLOTS];
  for (size_t i = 0; i < SLOTS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, sign_batches, crowd), 0);
  for (unsigned i = 0; i < times; i++) {
    let_work(crowd);
    meanwhile(crowd);
  }
  for (size_t i = 0; i < SLOTS; i++)
    pthread_join(threads[i], NULL);
  assert_false(crowd->failed);
  assert_int_equal(crowd->signed_batches, SLOTS * crowd->rounds);
}

static void many_threads_sign_at_once(void **state)
{
  struct crowd crowd = {.holder = new_holder(), .rounds = 50};
  (void)state;
  run_crowd(&crowd, 0, NULL);
  key_holder_free(crowd.holder);
}

static void many_threads_go_on_after_kills(void **state)
{
  struct crowd crowd = {.holder = new_holder(), .rounds = 50};
  (void)state;
  run_crowd(&crowd, 3, kill_it);
  key_holder_free(crowd.holder);
  unsigned n;
  find_child(&n);
  assert_int_equal(n, 0);
}

/* --- going over to a new one --- */

static void wait_for_children(struct key_holder *holder, unsigned wanted)
{
  int64_t deadline = when_monotonic_ms() + TIMEOUT_MS;
  unsigned n;
  for (;; poll(NULL, 0, 5)) {
    key_holder_generation(holder); /* reaps */
    find_child(&n);
    if (n == wanted)
      return;
    if (when_monotonic_ms() >= deadline)
      fail_msg("%u key holders, not %u", n, wanted);
  }
}

static void each_connection_goes_over_at_its_next_request(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = new_holder();
  struct signer *first = new_signer(holder, 0), *second = new_signer(holder, 1);
  (void)state;
  assert_true(sign_one(first, buf_bytes(&leaf), &fault));
  assert_true(sign_one(second, buf_bytes(&leaf), &fault));
  pid_t before = child();
  if (!key_holder_renew(holder, &fault))
    fail_msg("%s", fault.detail);
  wait_for_children(holder, 2);
  assert_true(sign_one(first, buf_bytes(&leaf), &fault));
  wait_for_children(holder, 2); /* one connection holds it */
  assert_true(sign_one(second, buf_bytes(&leaf), &fault));
  wait_for_children(holder, 1);
  assert_true(child() != before);
  assert_true(key_holder_renew(holder, &fault) && key_holder_renew(holder, &fault));
  assert_true(sign_one(first, buf_bytes(&leaf), &fault));
  signer_free(second);
  wait_for_children(holder, 1);
  signer_free(first);
  key_holder_free(holder);
}

static void no_request_fails_while_it_is_renewed(void **state)
{
  enum { ROUNDS = 400, RENEWALS = 6 };
  AUTO(fault) fault = {0};
  struct signer_counts before, counts;
  struct crowd crowd = {.rounds = ROUNDS, .nothing_may_fail = true};
  (void)state;
  assert_true(key_holder_new(NULL, keyd_program(), ca.conf, SLOTS + 1, &crowd.holder, &fault));
  struct signer *signer = new_signer(crowd.holder, SLOTS);
  assert_true(signer_count(signer, ca.key_sha256, 0, &before, &fault));
  run_crowd(&crowd, RENEWALS, renew_it);
  assert_true(signer_count(signer, ca.key_sha256, 0, &counts, &fault));
  assert_int_equal(counts.n_signed, before.n_signed + SLOTS * ROUNDS);
  wait_for_children(crowd.holder, 1);
  signer_free(signer);
  key_holder_free(crowd.holder);
}

static void a_renewal_that_fails_changes_nothing(void **state)
{
  static const char *const confs[] = {"key = missing.key\n", "colour = blue\n",
                                      "key = issuing.key\nstate = /proc/keyd.state\n"};
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  (void)state;
  sign_at_last(signer);
  pid_t before = child();
  for (size_t i = 0; i < ARRAY_LEN(confs); i++) {
    AUTO(fault) fault = {0};
    keyd_ca_configure(&ca, confs[i]);
    assert_false(key_holder_renew(holder, &fault));
    assert_int_equal(fault.code, FAULT_SIGNER_DOWN);
    assert_string_equal(fault.detail,
                        "the new key holder ended with exit code 1; its log says why");
    assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
    assert_int_equal(child(), before);
  }
  keyd_ca_configure(&ca, "key = issuing.key\n");
  AUTO(fault) fault = {0};
  assert_true(key_holder_renew(holder, &fault));
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  wait_for_children(holder, 1);
  assert_true(child() != before);
  signer_free(signer);
  key_holder_free(holder);
}

static void a_key_of_the_new_configuration_signs(void **state)
{
  struct keyd_ca other;
  AUTO(fault) fault = {0};
  AUTO(buf) conf = {0};
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  (void)state;
  keyd_ca_make(&other, "ec-p384", "");
  assert_true(signer_probe(signer, ca.key_sha256, &fault));
  assert_false(signer_probe(signer, other.key_sha256, &fault));
  buf_addf(&conf, "key = issuing.key\n[next]\ncertificate = %s/issuing.crt\nkey = %s/issuing.key\n",
           other.dir, other.dir);
  keyd_ca_configure(&ca, buf_text(&conf));
  if (!key_holder_renew(holder, &fault))
    fail_msg("%s", fault.detail);
  assert_true(signer_probe(signer, other.key_sha256, &fault));
  assert_true(signer_probe(signer, ca.key_sha256, &fault));
  keyd_ca_configure(&ca, "key = issuing.key\n");
  signer_free(signer);
  key_holder_free(holder);
  keyd_ca_free(&other);
}

/* --- what is left behind --- */

static void no_descriptor_leaks_either_way(void **state)
{
  AUTO(fault) fault = {0};
  int open_one = open("/dev/null", O_RDONLY); /* not close-on-exec, on purpose */
  (void)state;
  assert_true(open_one >= 0);
  size_t before = count_descriptors(getpid());
  struct key_holder *holder = new_holder();
  struct signer *signer = new_signer(holder, 0);
  sign_at_last(signer);
  /* ".", "..", 0 to 2, its sockets, eventfd, signalfd, epoll, the state and its timer */
  assert_true(count_descriptors(child()) <= 2 + 3 + SLOTS + 3 + 2);
  kill(child(), SIGKILL);
  sign_at_last(signer);
  signer_free(signer);
  key_holder_free(holder);
  assert_int_equal(count_descriptors(getpid()), before);
  close(open_one);
}

static void the_child_ends_with_its_sockets(void **state)
{
  AUTO(fault) fault = {0};
  int fds[SLOTS];
  unsigned generation;
  (void)state;
  struct key_holder *holder = new_holder();
  for (unsigned i = 0; i < SLOTS; i++)
    assert_true(key_holder_connect(holder, i, &fds[i], &generation, &fault));
  for (unsigned i = 0; i < SLOTS; i++)
    close(fds[i]);
  int64_t deadline = when_monotonic_ms() + TIMEOUT_MS;
  unsigned n = 1;
  while (n > 0) {
    find_child(&n);
    assert_true(when_monotonic_ms() < deadline);
    poll(NULL, 0, 5);
  }
  key_holder_free(holder);
}

/* --- the socket of a unit of its own --- */

static void a_key_holder_at_a_socket_may_be_restarted(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = NULL;
  (void)state;
  pid_t pid = keyd_start_at_socket(&ca);
  assert_true(key_holder_new(ca.socket, NULL, NULL, SLOTS, &holder, &fault));
  struct signer *signer = new_signer(holder, 3);
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  assert_int_equal(keyd_end(pid, SIGKILL), -SIGKILL);
  assert_false(sign_one(signer, buf_bytes(&leaf), &fault));
  assert_int_equal(fault.code, FAULT_SIGNER_DOWN);
  assert_non_null(strstr(fault.detail, ca.socket));
  pid = keyd_start_at_socket(&ca);
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  signer_free(signer);
  key_holder_free(holder);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

static void a_request_is_made_anew_at_the_socket(void **state)
{
  AUTO(fault) fault = {0};
  struct key_holder *holder = NULL;
  (void)state;
  pid_t pid = keyd_start_at_socket(&ca);
  assert_true(key_holder_new(ca.socket, NULL, NULL, SLOTS, &holder, &fault));
  struct signer *signer = new_signer(holder, 0);
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  unsigned before = key_holder_generation(holder);
  assert_true(key_holder_renew(holder, &fault));
  assert_true(key_holder_generation(holder) != before);
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  signer_free(signer);
  key_holder_free(holder);
  assert_int_equal(keyd_end(pid, SIGTERM), 0);
}

static pid_t unit_pid;
static int unit_listener;

/* As `systemctl restart`: the socket is systemd's, and waits with what comes in between. */
static void restart_unit(struct crowd *crowd)
{
  static unsigned n;
  (void)crowd;
  assert_int_equal(keyd_end(unit_pid, n++ % 2 == 0 ? SIGTERM : SIGHUP), 0);
  unit_pid = keyd_start_activated(&ca, unit_listener);
}

/* Seen to serve first: while it starts, a signal just ends it. */
static void end_unit(struct key_holder *holder)
{
  AUTO(fault) fault = {0};
  struct signer *signer = new_signer(holder, 0);
  assert_true(sign_one(signer, buf_bytes(&leaf), &fault));
  signer_free(signer);
  key_holder_free(holder);
  assert_int_equal(keyd_end(unit_pid, SIGTERM), 0);
  close(unit_listener);
}

static void no_request_fails_while_the_unit_is_restarted(void **state)
{
  enum { ROUNDS = 400, RESTARTS = 6 };
  AUTO(fault) fault = {0};
  struct crowd crowd = {.rounds = ROUNDS, .nothing_may_fail = true};
  (void)state;
  unit_listener = keyd_listen(&ca);
  unit_pid = keyd_start_activated(&ca, unit_listener);
  assert_true(key_holder_new(ca.socket, NULL, NULL, SLOTS, &crowd.holder, &fault));
  run_crowd(&crowd, RESTARTS, restart_unit);
  end_unit(crowd.holder);
}

/* Lists of some MB, one after the other: mostly under way when the end comes. */
struct lists {
  struct key_holder *holder;
  _Atomic unsigned n_signed;
  _Atomic bool ended;
  char why[400];
};

static bool sign_list(struct signer *signer, uint16_t number, struct fault *f)
{
  const uint8_t octets[] = {0x01, (uint8_t)(number >> 8), (uint8_t)number};
  struct crl_spec crl = keyd_ca_crl(&ca);
  AUTO(buf) tbs = {0};
  crl.number = bytes_of(octets, sizeof octets);
  crl.n_revoked = 100 * 1000;
  crl_spec_write(&crl, &tbs);
  struct signer_item item = {.kind = SIGN_CRL, .tbs = buf_bytes(&tbs)};
  bool ok = signer_sign(signer, ca.key_sha256, &item, 1, f);
  if (ok && item.fault.code != FAULT_NONE) {
    fault_move(f, &item.fault);
    ok = false;
  }
  buf_free(&item.signature);
  fault_free(&item.fault);
  return ok;
}

static void *sign_lists(void *context)
{
  enum { LISTS = 40 };
  struct lists *lists = context;
  struct signer *signer = new_signer(lists->holder, 0);
  AUTO(fault) fault = {0};
  for (uint16_t i = 0; i < LISTS && fault.code == FAULT_NONE; i++)
    if (sign_list(signer, i, &fault))
      lists->n_signed++;
  snprintf(lists->why, sizeof lists->why, "%s", fault.detail);
  signer_free(signer);
  lists->ended = true;
  return NULL;
}

static void a_list_under_way_is_signed_by_one_or_the_other(void **state)
{
  AUTO(fault) fault = {0};
  struct lists lists = {.n_signed = 0};
  pthread_t thread;
  (void)state;
  unit_listener = keyd_listen(&ca);
  unit_pid = keyd_start_activated(&ca, unit_listener);
  assert_true(key_holder_new(ca.socket, NULL, NULL, SLOTS, &lists.holder, &fault));
  assert_int_equal(pthread_create(&thread, NULL, sign_lists, &lists), 0);
  while (!lists.ended) {
    unsigned before = lists.n_signed;
    while (lists.n_signed < before + 3 && !lists.ended)
      poll(NULL, 0, 1);
    if (!lists.ended)
      restart_unit(NULL);
  }
  pthread_join(thread, NULL);
  assert_string_equal(lists.why, "");
  end_unit(lists.holder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_batch_is_signed_and_verifies),
      cmocka_unit_test(a_refused_item_does_not_harm_the_others),
      cmocka_unit_test(a_key_that_is_not_there_is_refused),
      cmocka_unit_test(a_probe_says_that_the_key_works),
      cmocka_unit_test(what_is_signed_is_counted_whoever_asks),
      cmocka_unit_test(a_batch_over_the_bound_is_not_sent),
      cmocka_unit_test(a_killed_key_holder_comes_back),
      cmocka_unit_test(a_connection_found_dead_is_opened_anew_in_the_same_call),
      cmocka_unit_test(a_key_holder_that_hangs_is_replaced),
      cmocka_unit_test(a_key_holder_that_cannot_start_is_told_of),
      cmocka_unit_test(a_program_that_is_not_there_is_told_of_at_once),
      cmocka_unit_test(many_threads_sign_at_once),
      cmocka_unit_test(many_threads_go_on_after_kills),
      cmocka_unit_test(each_connection_goes_over_at_its_next_request),
      cmocka_unit_test(no_request_fails_while_it_is_renewed),
      cmocka_unit_test(a_renewal_that_fails_changes_nothing),
      cmocka_unit_test(a_key_of_the_new_configuration_signs),
      cmocka_unit_test(no_descriptor_leaks_either_way),
      cmocka_unit_test(the_child_ends_with_its_sockets),
      cmocka_unit_test(a_key_holder_at_a_socket_may_be_restarted),
      cmocka_unit_test(a_request_is_made_anew_at_the_socket),
      cmocka_unit_test(no_request_fails_while_the_unit_is_restarted),
      cmocka_unit_test(a_list_under_way_is_signed_by_one_or_the_other),
  };
  return cmocka_run_group_tests(tests, make_ca, free_ca);
}
