/* test_issue.c - the pipeline with a real ledger and a real key holder. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/when.h"
#include "lib/ca/issue.h"
#include "lib/ca/issue_private.h"
#include "tests/unit/ca_kit.h"

enum { PATIENCE_MS = 20000 };

/* Everything that a pipeline stands on. */
struct bench {
  struct kit kit;
  struct conf *conf;
  struct authorities *authorities;
  struct ledger *ledger;
  struct key_holder *holder;
  struct issuer *issuer;
};

static void start_holder(struct bench *bench, const char *program)
{
  AUTO(fault) f = {0};
  char config[KIT_PATH_SIZE];
  if (!key_holder_new(NULL, program, kit_path(&bench->kit, "keyd.conf", config),
                      bench->conf->workers + 1, &bench->holder, &f))
    fail_msg("%s", f.detail);
}

static void start_issuer(struct bench *bench)
{
  AUTO(fault) f = {0};
  if (!issuer_start(bench->conf, bench->authorities, bench->ledger, bench->holder, NULL,
                    &bench->issuer, &f))
    fail_msg("%s", f.detail);
}

static const char *keyd(char out[512])
{
  const char *folder = getenv("MINTMARK_BUILDDIR");
  snprintf(out, 512, "%s/mintmark-keyd", folder != NULL ? folder : ".");
  return out;
}

static int set_up(void **state)
{
  static struct bench bench;
  AUTO(fault) f = {0};
  char path[KIT_PATH_SIZE], program[512];
  bench = (struct bench){0};
  kit_new(&bench.kit);
  bench.conf = kit_load_conf(&bench.kit);
  if (!ledger_open(kit_path(&bench.kit, "mintmark.db", path), &bench.ledger, &f) ||
      !authorities_load(bench.conf, bench.ledger, when_now(), &bench.authorities, &f))
    fail_msg("%s", f.detail);
  start_holder(&bench, keyd(program));
  start_issuer(&bench);
  *state = &bench;
  return 0;
}

static int tear_down(void **state)
{
  struct bench *bench = *state;
  issuer_stop(bench->issuer);
  key_holder_free(bench->holder);
  authorities_free(bench->authorities);
  ledger_close(bench->ledger);
  conf_release(bench->conf);
  kit_free(&bench->kit);
  return 0;
}

/* --- jobs that one can wait for --- */

struct waiting {
  struct issue_job *job;
  atomic_uint n_done;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void note_done(struct issue_job *job)
{
  struct waiting *waiting = job->context;
  pthread_mutex_lock(&lock);
  atomic_fetch_add(&waiting->n_done, 1);
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
}

static void wait_for(struct waiting *waiting)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += PATIENCE_MS / 1000;
  pthread_mutex_lock(&lock);
  while (atomic_load(&waiting->n_done) == 0)
    if (pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT)
      break;
  pthread_mutex_unlock(&lock);
  assert_int_equal(atomic_load(&waiting->n_done), 1);
}

static void make_job(struct waiting *waiting, const struct private_key *key,
                     const char *device_serial)
{
  struct issue_job *job = calloc(1, sizeof *job);
  assert_non_null(job);
  kit_csr(key, NULL, &job->request.csr);
  strcpy(job->request.station, "line-1");
  job->request.role = ROLE_STATION;
  snprintf(job->request.device_serial, sizeof job->request.device_serial, "%s", device_serial);
  kit_add_name(&job->request.names, SAN_IP, "10.1.1.68");
  job->done = note_done;
  job->context = waiting;
  waiting->job = job;
  atomic_store(&waiting->n_done, 0);
}

static void submit(struct issuer *issuer, struct waiting *waiting)
{
  AUTO(fault) f = {0};
  if (!issuer_submit(issuer, waiting->job, &f))
    fail_msg("%s", f.detail);
}

/* Its job is then over; the caller frees it. */
static struct issue_job *issue(struct bench *bench, const struct private_key *key,
                               const char *device_serial)
{
  struct waiting waiting;
  make_job(&waiting, key, device_serial);
  submit(bench->issuer, &waiting);
  wait_for(&waiting);
  return waiting.job;
}

static size_t count_rows(struct ledger *ledger)
{
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  const struct ledger_query query = {.limit = 1000};
  assert_true(ledger_search(ledger, &query, when_now(), &page, &f));
  return page.n;
}

static void assert_issued(const struct issue_job *job)
{
  if (job->fault.code != FAULT_NONE)
    fail_msg("%s: %s", fault_problem_code(job->fault.code), job->fault.detail);
}

static void assert_fault(const struct issue_job *job, enum fault_code code)
{
  if (job->fault.code != code)
    fail_msg("want %s, have %s: %s", fault_problem_code(code), fault_problem_code(job->fault.code),
             job->fault.detail);
  assert_int_equal(job->result.row.der.len, 0);
}

/* --- the tests --- */

static void a_request_gets_its_certificate(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  AUTO(buf) spki = {0};
  AUTO(fault) f = {0};
  struct issue_job *job = issue(bench, key, "W-1001");
  assert_issued(job);
  AUTO(cert) cert = {0};
  assert_true(cert_read(buf_bytes(&job->result.row.der), false, &cert, &f));
  assert_true(cert_is_signed_by(&cert, &authorities_active(bench->authorities)->certificate));
  assert_true(sans_equal(&cert.names, &job->request.names));
  assert_true(private_key_spki(key, &spki, &f));
  assert_true(bytes_equal(cert.key.spki, buf_bytes(&spki)));
  assert_string_equal(job->result.row.profile, "device-server");
  assert_string_equal(job->result.row.station, "line-1");
  assert_false(job->result.replayed);
  AUTO(issued) row = {0};
  assert_true(ledger_get(bench->ledger, cert.serial_number, when_now(), &row, &f));
  assert_true(bytes_equal(buf_bytes(&row.der), buf_bytes(&job->result.row.der)));
  issue_job_free(job);
}

static void the_same_request_twenty_times_at_once_makes_one_row(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  struct waiting waiting[20];
  size_t n_new = 0;
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
    make_job(&waiting[i], key, "W-1001");
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
    submit(bench->issuer, &waiting[i]);
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    wait_for(&waiting[i]);
    assert_issued(waiting[i].job);
    n_new += !waiting[i].job->result.replayed;
    assert_true(bytes_equal(buf_bytes(&waiting[i].job->result.row.der),
                            buf_bytes(&waiting[0].job->result.row.der)));
  }
  assert_int_equal(n_new, 1);
  assert_int_equal(count_rows(bench->ledger), 1);
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
    issue_job_free(waiting[i].job);
}

static void another_key_for_the_same_device_is_refused(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  AUTO(private_key) other = kit_key("ec-p256");
  struct issue_job *first = issue(bench, key, "W-1001");
  struct issue_job *second = issue(bench, other, "W-1001");
  struct issue_job *third = issue(bench, key, "W-1002");
  assert_issued(first);
  assert_fault(second, FAULT_DEVICE_HAS_CERTIFICATE);
  assert_fault(third, FAULT_KEY_ALREADY_USED);
  assert_int_equal(count_rows(bench->ledger), 1);
  issue_job_free(first), issue_job_free(second), issue_job_free(third);
}

static void racing_keys_of_one_device_get_one_certificate(void **state)
{
  struct bench *bench = *state;
  struct waiting waiting[8];
  size_t n_issued = 0;
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    AUTO(private_key) key = kit_key("ec-p256");
    make_job(&waiting[i], key, "W-1001");
  }
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
    submit(bench->issuer, &waiting[i]);
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    wait_for(&waiting[i]);
    if (waiting[i].job->fault.code == FAULT_NONE)
      n_issued++;
    else
      assert_fault(waiting[i].job, FAULT_DEVICE_HAS_CERTIFICATE);
    issue_job_free(waiting[i].job);
  }
  assert_int_equal(n_issued, 1);
  assert_int_equal(count_rows(bench->ledger), 1);
}

static void what_is_refused_leaves_no_row(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  struct waiting waiting;
  make_job(&waiting, key, "W-1001");
  kit_add_name(&waiting.job->request.names, SAN_IP, "8.8.8.8");
  submit(bench->issuer, &waiting);
  wait_for(&waiting);
  assert_fault(waiting.job, FAULT_NAME_NOT_ALLOWED);
  assert_int_equal(waiting.job->fault.n_items, 1);
  assert_string_equal(waiting.job->fault.items[0].name, "8.8.8.8");
  issue_job_free(waiting.job);
  make_job(&waiting, key, "W-1001");
  strcpy(waiting.job->request.profile, "none");
  submit(bench->issuer, &waiting);
  wait_for(&waiting);
  assert_fault(waiting.job, FAULT_UNKNOWN_PROFILE);
  issue_job_free(waiting.job);
  make_job(&waiting, key, "W-1001");
  waiting.job->request.csr.data[waiting.job->request.csr.len - 1] ^= 1;
  submit(bench->issuer, &waiting);
  wait_for(&waiting);
  assert_true(waiting.job->fault.code == FAULT_BAD_PROOF_OF_POSSESSION ||
              waiting.job->fault.code == FAULT_BAD_CSR);
  issue_job_free(waiting.job);
  assert_int_equal(count_rows(bench->ledger), 0);
}

/* From now on a shell runs `first` before it becomes the key holder. */
static void put_before_holder(struct bench *bench, const char *first)
{
  char wrapper[KIT_PATH_SIZE], program[512];
  AUTO(buf) script = {0};
  issuer_stop(bench->issuer);
  key_holder_free(bench->holder);
  buf_addf(&script, "#!/bin/sh\ncd '%s'\n%s\nexec '%s' \"$@\"\n", bench->kit.dir, first,
           keyd(program));
  kit_write(&bench->kit, "holder", buf_text(&script), 0755);
  start_holder(bench, kit_path(&bench->kit, "holder", wrapper));
  start_issuer(bench);
}

static void a_key_holder_that_is_away_is_told_and_comes_back(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  char away[KIT_PATH_SIZE];
  kit_path(&bench->kit, "away", away);
  kit_write(&bench->kit, "away", "", 0644);
  put_before_holder(bench, "[ ! -e away ] || exit 1");
  struct issue_job *job = issue(bench, key, "W-1001");
  assert_fault(job, FAULT_SIGNER_DOWN);
  issue_job_free(job);
  assert_int_equal(count_rows(bench->ledger), 0);
  unlink(away);
  int64_t until = when_monotonic_ms() + PATIENCE_MS;
  for (;;) {
    job = issue(bench, key, "W-1001");
    if (job->fault.code != FAULT_SIGNER_DOWN || when_monotonic_ms() > until)
      break;
    issue_job_free(job);
  }
  assert_issued(job);
  issue_job_free(job);
  assert_int_equal(count_rows(bench->ledger), 1);
}

static void stopping_finishes_every_job_once(void **state)
{
  struct bench *bench = *state;
  struct waiting waiting[100];
  AUTO(fault) f = {0};
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    AUTO(private_key) key = kit_key("ec-p256");
    char serial[16];
    snprintf(serial, sizeof serial, "W-%zu", i);
    make_job(&waiting[i], key, serial);
  }
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
    submit(bench->issuer, &waiting[i]);
  issuer_stop(TAKE(bench->issuer));
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    assert_int_equal(atomic_load(&waiting[i].n_done), 1);
    assert_issued(waiting[i].job);
    issue_job_free(waiting[i].job);
  }
  assert_int_equal(count_rows(bench->ledger), ARRAY_LEN(waiting));
}

static void a_full_pipeline_is_busy(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  AUTO(fault) f = {0};
  struct waiting waiting[4], more;
  char gate[KIT_PATH_SIZE];
  assert_int_equal(mkfifo(kit_path(&bench->kit, "gate", gate), 0600), 0);
  bench->conf->queue = ARRAY_LEN(waiting);
  put_before_holder(bench, "read line <gate");
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    make_job(&waiting[i], key, "W-1001");
    submit(bench->issuer, &waiting[i]);
  }
  make_job(&more, key, "W-1001");
  assert_false(issuer_submit(bench->issuer, more.job, &f));
  assert_int_equal(f.code, FAULT_BUSY);
  FILE *opened = fopen(gate, "w"); /* waits for the reader */
  assert_non_null(opened);
  fclose(opened);
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    wait_for(&waiting[i]);
    assert_issued(waiting[i].job);
    issue_job_free(waiting[i].job);
  }
  submit(bench->issuer, &more);
  wait_for(&more);
  assert_issued(more.job);
  issue_job_free(more.job);
}

static void a_job_that_waited_too_long_is_told_so(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  atomic_store(&bench->issuer->work_ms, -1000); /* over before it began */
  struct issue_job *job = issue(bench, key, "W-1001");
  assert_fault(job, FAULT_DEADLINE);
  assert_int_equal(count_rows(bench->ledger), 0);
  issue_job_free(job);
}

static void a_ledger_that_cannot_be_written_releases_nothing(void **state)
{
  struct bench *bench = *state;
  struct waiting waiting[10];
  struct rlimit before, none;
  AUTO(private_key) key = kit_key("ec-p256");
  struct issue_job *job = issue(bench, key, "W-first"); /* the key holder runs without this limit */
  assert_issued(job);
  issue_job_free(job);
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    AUTO(private_key) own = kit_key("ec-p256");
    char serial[16];
    snprintf(serial, sizeof serial, "W-%zu", i);
    make_job(&waiting[i], own, serial);
  }
  none = (struct rlimit){0, before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
    submit(bench->issuer, &waiting[i]);
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++)
    wait_for(&waiting[i]);
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  assert_int_equal(count_rows(bench->ledger), 1);
  for (size_t i = 0; i < ARRAY_LEN(waiting); i++) {
    assert_fault(waiting[i].job, FAULT_LEDGER);
    issue_job_free(waiting[i].job);
  }
  AUTO(private_key) another = kit_key("ec-p256");
  job = issue(bench, another, "W-1"); /* now that there is room again */
  assert_issued(job);
  issue_job_free(job);
}

static void a_stopping_pipeline_takes_nothing(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  AUTO(fault) f = {0};
  struct waiting waiting;
  make_job(&waiting, key, "W-1001");
  job_queue_close(&bench->issuer->incoming);
  assert_false(issuer_submit(bench->issuer, waiting.job, &f));
  assert_int_equal(f.code, FAULT_STOPPING);
  assert_int_equal(atomic_load(&waiting.n_done), 0);
  issue_job_free(waiting.job);
}

static void nobody_asks_for_a_responder_of_ours(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  for (enum role role = ROLE_STATION; role < ROLE_COUNT; role++) {
    struct waiting waiting;
    make_job(&waiting, key, "W-1001");
    strcpy(waiting.job->request.profile, PROFILE_OCSP);
    waiting.job->request.role = role;
    if (role == ROLE_DEVICE)
      strcpy(waiting.job->request.own_serial, "W-1001");
    submit(bench->issuer, &waiting);
    wait_for(&waiting);
    assert_fault(waiting.job, FAULT_FORBIDDEN);
    issue_job_free(waiting.job);
  }
  assert_false(issuer_has_profile(bench->issuer, PROFILE_OCSP));
}

static void a_reload_changes_what_may_be_issued(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  AUTO(buf) text = {0};
  struct issue_job *job;
  kit_source("etc/mintmark.conf", &text);
  char *range = strstr((char *)(uintptr_t)buf_text(&text), "\"10.0.0.0/8\"");
  assert_non_null(range);
  memcpy(range, "\"11.0.0.0/8\"", strlen("\"11.0.0.0/8\""));
  kit_write(&bench->kit, "mintmark.conf", buf_text(&text), 0644);
  struct conf *conf = kit_load_conf(&bench->kit);
  issuer_reload(bench->issuer, conf);
  conf_release(conf);
  job = issue(bench, key, "W-1001");
  assert_fault(job, FAULT_NAME_NOT_ALLOWED);
  issue_job_free(job);
}

static void names_of_the_csr_are_certified_and_recorded_when_copied(void **state)
{
  struct bench *bench = *state;
  AUTO(private_key) key = kit_key("ec-p256");
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  struct waiting waiting;
  for (size_t i = 0; i < bench->conf->n_profiles; i++)
    bench->conf->profiles[i].csr_names = CSR_NAMES_COPY;
  kit_add_name(&names, SAN_DNS, "w-1001.widgets.example");
  make_job(&waiting, key, "W-1001");
  buf_clear(&waiting.job->request.csr);
  kit_csr(key, &names, &waiting.job->request.csr);
  submit(bench->issuer, &waiting);
  wait_for(&waiting);
  assert_issued(waiting.job);
  issue_job_free(waiting.job);
  const struct ledger_query query = {.dns = "w-1001.widgets.example", .limit = 10};
  assert_true(ledger_search(bench->ledger, &query, when_now(), &page, &f));
  assert_int_equal(page.n, 1);
}

/* --- the same request --- */

static void digest_of(const struct issue_request *request, uint8_t ret[32])
{
  static const uint8_t key[32] = {7};
  AUTO(fault) f = {0};
  assert_true(issue_request_sha256(request, key, ret, &f));
}

static void the_order_of_names_does_not_make_another_request(void **state)
{
  (void)state;
  struct issue_request a = {.device_serial = "W-1"}, b = {.device_serial = "W-1"};
  uint8_t of_a[32], of_b[32];
  for (int i = 0; i < 40; i++) {
    char x[32], y[32];
    snprintf(x, sizeof x, "w-%d.widgets.example", i);
    snprintf(y, sizeof y, "w-%d.widgets.example", 39 - i);
    kit_add_name(&a.names, SAN_DNS, x);
    kit_add_name(&b.names, SAN_DNS, y);
  }
  digest_of(&a, of_a), digest_of(&b, of_b);
  assert_memory_equal(of_a, of_b, 32);
  kit_add_name(&b.names, SAN_DNS, "one-more.widgets.example");
  digest_of(&b, of_b);
  assert_memory_not_equal(of_a, of_b, 32);
  sans_free(&a.names), sans_free(&b.names);
}

static void every_field_makes_another_request(void **state)
{
  (void)state;
  const struct issue_request requests[] = {
      {.device_serial = "W-1"},
      {.device_serial = "W-2"},
      {.device_serial = "W-", .profile = "1"},
      {.profile = "W-1"},
      {.order = "W-1"},
      {.model = "W-1"},
      {.device_serial = "W-1", .replace = true},
  };
  uint8_t digests[ARRAY_LEN(requests)][32];
  for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
    digest_of(&requests[i], digests[i]);
    for (size_t k = 0; k < i; k++)
      assert_memory_not_equal(digests[i], digests[k], 32);
  }
  struct issue_request elsewhere = {.device_serial = "W-1", .station = "line-9"};
  uint8_t digest[32];
  digest_of(&elsewhere, digest);
  assert_memory_equal(digest, digests[0], 32);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
      TEST(a_request_gets_its_certificate),
      TEST(the_same_request_twenty_times_at_once_makes_one_row),
      TEST(another_key_for_the_same_device_is_refused),
      TEST(racing_keys_of_one_device_get_one_certificate),
      TEST(what_is_refused_leaves_no_row),
      TEST(a_key_holder_that_is_away_is_told_and_comes_back),
      TEST(stopping_finishes_every_job_once),
      TEST(a_full_pipeline_is_busy),
      TEST(a_job_that_waited_too_long_is_told_so),
      TEST(a_ledger_that_cannot_be_written_releases_nothing),
      TEST(a_stopping_pipeline_takes_nothing),
      TEST(nobody_asks_for_a_responder_of_ours),
      TEST(a_reload_changes_what_may_be_issued),
      TEST(names_of_the_csr_are_certified_and_recorded_when_copied),
      cmocka_unit_test(the_order_of_names_does_not_make_another_request),
      cmocka_unit_test(every_field_makes_another_request),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
