/* test_state.c - what the key holder counts outlives it, is never lost between two of them, and is
 * never taken for nothing when its file is damaged. */
#include "tests/unit/unit.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keyd/state.h"
#include "lib/base/buf.h"
#include "lib/base/file.h"

enum { BLOCK_LEN = 4096, FILE_LEN = 2 * BLOCK_LEN };

static char dir[] = "/tmp/mintmark-state-XXXXXX", path[64];
static const uint8_t first[SIGN_KEY_SHA256_LEN] = {1}, second[SIGN_KEY_SHA256_LEN] = {2};

static int make_dir(void **state)
{
  (void)state;
  assert_non_null(mkdtemp(dir));
  snprintf(path, sizeof path, "%s/keyd.state", dir);
  return 0;
}

static int remove_dir(void **state)
{
  (void)state;
  unlink(path);
  return rmdir(dir);
}

static struct state *open_state(void)
{
  AUTO(fault) fault = {0};
  struct state *state = NULL;
  if (!state_open(path, &state, &fault))
    fail_msg("%s", fault.detail);
  return state;
}

static struct state *new_state(void)
{
  AUTO(fault) fault = {0};
  unlink(path);
  struct state *state = open_state();
  assert_true(state_add_key(state, first, &fault));
  assert_true(state_add_key(state, second, &fault));
  return state;
}

static void sign(struct state *state, const uint8_t *key, uint64_t n)
{
  AUTO(fault) fault = {0};
  if (!state_count_signed(state, key, n, &fault))
    fail_msg("%s", fault.detail);
}

static struct state_counts counts_of(struct state *state, const uint8_t *key)
{
  AUTO(fault) fault = {0};
  struct state_counts counts;
  if (!state_record(state, key, 0, &counts, &fault))
    fail_msg("%s", fault.detail);
  return counts;
}

static void expect(struct state *state, const uint8_t *key, uint64_t n_signed, uint64_t recorded,
                   uint64_t crl_number)
{
  struct state_counts counts = counts_of(state, key);
  assert_int_equal(counts.n_signed, n_signed);
  assert_int_equal(counts.recorded, recorded);
  assert_int_equal(counts.crl_number, crl_number);
}

/* --- counting --- */

static void each_key_has_counts_of_its_own_that_last(void **context)
{
  AUTO(fault) fault = {0};
  struct state_counts counts;
  (void)context;
  struct state *state = new_state();
  expect(state, first, 0, 0, 0);
  sign(state, first, 16);
  sign(state, first, 1);
  sign(state, second, 3);
  assert_true(state_record(state, second, 2, &counts, &fault));
  assert_true(state_take_crl_number(state, first, 9, &fault));
  state_free(state);
  state = open_state(); /* as after a kill: nothing was synced but the CRL's number */
  assert_true(state_add_key(state, first, &fault));
  expect(state, first, 17, 0, 9);
  expect(state, second, 3, 2, 0);
  state_free(state);
}

static void what_was_recorded_only_grows(void **context)
{
  AUTO(fault) fault = {0};
  struct state_counts counts;
  (void)context;
  struct state *state = new_state();
  assert_true(state_record(state, first, 100, &counts, &fault));
  assert_int_equal(counts.recorded, 100);
  assert_true(state_record(state, first, 40, &counts, &fault)); /* a restored backup */
  assert_int_equal(counts.recorded, 100);
  assert_true(state_record(state, first, 101, &counts, &fault));
  assert_int_equal(counts.recorded, 101);
  state_free(state);
}

static void a_crl_s_number_is_taken_once(void **context)
{
  (void)context;
  struct state *state = new_state();
  static const struct {
    uint64_t number;
    bool taken;
  } cases[] = {{0, false}, {1, true}, {1, false}, {7, true}, {6, false}, {INT64_MAX, true}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO(fault) fault = {0};
    assert_int_equal(state_take_crl_number(state, first, cases[i].number, &fault), cases[i].taken);
    assert_int_equal(fault.code, cases[i].taken ? FAULT_NONE : FAULT_SIGNER_REFUSED);
  }
  AUTO(fault) fault = {0};
  assert_true(state_take_crl_number(state, second, 1, &fault)); /* each key for itself */
  assert_false(state_take_crl_number(state, second, 1, &fault));
  assert_string_equal(fault.detail, "cRLNumber 1: this key has signed 1 already");
  state_free(state);
}

static void a_key_without_a_row_is_told_of(void **context)
{
  AUTO(fault) fault = {0};
  static const uint8_t third[SIGN_KEY_SHA256_LEN] = {3};
  (void)context;
  struct state *state = new_state();
  assert_false(state_count_signed(state, third, 1, &fault));
  assert_int_equal(fault.code, FAULT_BAD_FILE);
  state_free(state);
}

static void there_is_room_for_so_many_keys(void **context)
{
  AUTO(fault) fault = {0};
  (void)context;
  unlink(path);
  struct state *state = open_state();
  for (unsigned i = 0; i <= STATE_KEYS_MAX; i++) {
    uint8_t key[SIGN_KEY_SHA256_LEN] = {(uint8_t)i, 1};
    assert_int_equal(state_add_key(state, key, &fault), i < STATE_KEYS_MAX);
  }
  assert_non_null(strstr(fault.detail, "no room for a further key: it remembers 64"));
  const uint8_t last[SIGN_KEY_SHA256_LEN] = {STATE_KEYS_MAX - 1, 1};
  sign(state, last, 5);
  state_free(state);
  state = open_state();
  expect(state, last, 5, 0, 0);
  state_free(state);
}

/* --- several at a time --- */

enum { ROUNDS = 500, THREADS = 4, PROCESSES = 3 };

static void *count_many(void *context)
{
  for (int i = 0; i < ROUNDS; i++)
    sign(context, first, 1);
  return NULL;
}

static void count_in_threads(void)
{
  pthread_t threads[THREADS];
  struct state *state = open_state();
  for (size_t i = 0; i < THREADS; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, count_many, state), 0);
  for (int i = 0; i < 5; i++) {
    AUTO(fault) fault = {0};
    assert_true(state_sync(state, &fault));
  }
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  state_free(state);
}

/* As the key holder that is being replaced, and the one that follows it. */
static void no_count_is_lost_between_processes(void **context)
{
  (void)context;
  struct state *state = new_state();
  pid_t pids[PROCESSES];
  for (size_t i = 0; i < PROCESSES; i++) {
    pids[i] = fork();
    assert_true(pids[i] >= 0);
    if (pids[i] == 0) {
      count_in_threads();
      _exit(0);
    }
  }
  for (size_t i = 0; i < PROCESSES; i++) {
    int status;
    assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
    assert_int_equal(status, 0);
  }
  expect(state, first, PROCESSES * THREADS * ROUNDS, 0, 0);
  state_free(state);
}

static void no_number_is_taken_twice_by_two_processes(void **context)
{
  AUTO(fault) fault = {0};
  (void)context;
  struct state *state = new_state(), *other = open_state();
  for (uint64_t number = 1; number < 20; number++) {
    assert_true(state_take_crl_number(number % 2 == 0 ? state : other, first, number, &fault));
    assert_false(state_take_crl_number(number % 2 == 0 ? other : state, first, number, &fault));
  }
  state_free(other);
  state_free(state);
}

/* --- the file --- */

static void read_file(uint8_t octets[FILE_LEN])
{
  AUTO(fault) fault = {0};
  AUTO(buf) file = {0};
  assert_true(file_read(path, FILE_LEN, &file, &fault));
  assert_int_equal(file.len, FILE_LEN);
  memcpy(octets, file.data, FILE_LEN);
}

static void write_file(const uint8_t *octets, size_t len)
{
  AUTO(fault) fault = {0};
  assert_true(file_write(path, bytes_of(octets, len), 0600, true, &fault));
}

static void cannot_be_opened(const char *what)
{
  AUTO(fault) fault = {0};
  struct state *state = NULL;
  if (state_open(path, &state, &fault) || state_check(path, &fault))
    fail_msg("%s is taken", what);
  assert_int_equal(fault.code, FAULT_BAD_FILE);
  assert_non_null(strstr(fault.detail, "keyd.state is damaged, or no file of the key holder's"));
  assert_non_null(strstr(fault.detail, "put back a copy of it"));
}

/* Whichever octet of whichever block is lost, the other block is there: at most what was counted
 * since it was last on disk is gone. */
static void a_torn_block_costs_what_was_not_yet_on_disk(void **context)
{
  AUTO(fault) fault = {0};
  uint8_t octets[FILE_LEN];
  (void)context;
  struct state *state = new_state();
  sign(state, first, 10);
  assert_true(state_take_crl_number(state, first, 5, &fault));
  sign(state, first, 10);
  sign(state, first, 10);
  state_free(state);
  read_file(octets);
  for (size_t at = 0; at < FILE_LEN; at += at % BLOCK_LEN < 200 ? 1 : 301) {
    octets[at] ^= 0x10;
    write_file(octets, sizeof octets);
    octets[at] ^= 0x10;
    state = open_state();
    struct state_counts counts = counts_of(state, first);
    assert_true(counts.n_signed == 10 || counts.n_signed == 30);
    assert_int_equal(counts.crl_number, 5);
    state_free(state);
  }
}

/* Nor does it cost a CRL's number when it is the next key holder that was writing. */
static void a_torn_block_costs_no_number_of_the_one_before(void **context)
{
  AUTO(fault) fault = {0};
  uint8_t octets[FILE_LEN];
  (void)context;
  struct state *state = new_state();
  assert_true(state_take_crl_number(state, first, 5, &fault));
  for (int i = 0; i < 3; i++) {
    state_free(state);
    state = open_state();
    sign(state, first, 1);
    read_file(octets);
    state_free(state);
    octets[i % 2 * BLOCK_LEN] ^= 1;
    write_file(octets, sizeof octets);
    octets[i % 2 * BLOCK_LEN] ^= 1;
    state = open_state();
    assert_int_equal(counts_of(state, first).crl_number, 5);
    sign(state, first, 1);
    read_file(octets);
  }
  state_free(state);
}

static void between_two_syncs_one_block_stays_as_it_is(void **context)
{
  AUTO(fault) fault = {0};
  uint8_t before[FILE_LEN], after[FILE_LEN];
  bool last = false;
  (void)context;
  struct state *state = new_state();
  for (int i = 0; i < 10; i++) {
    assert_true(state_sync(state, &fault));
    sign(state, first, 1);
    read_file(before);
    sign(state, first, 1);
    sign(state, second, 1);
    read_file(after);
    bool same_first = memcmp(before, after, BLOCK_LEN) == 0;
    bool same_second = memcmp(before + BLOCK_LEN, after + BLOCK_LEN, BLOCK_LEN) == 0;
    assert_true(same_first != same_second);
    if (i > 0)
      assert_true(same_first != last); /* after a sync it is the other one's turn */
    last = same_first;
  }
  state_free(state);
}

/* A file may not grow beyond nothing here, as on a disk that takes no more. */
static void limit_files(rlim_t octets, struct rlimit *ret_before)
{
  struct rlimit limit;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, ret_before), 0);
  limit = *ret_before;
  limit.rlim_cur = octets;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void what_could_not_be_written_has_not_happened(void **context)
{
  AUTO(fault) fault = {0};
  struct state_counts counts;
  struct rlimit before;
  (void)context;
  struct state *state = new_state();
  sign(state, first, 5);
  signal(SIGXFSZ, SIG_IGN);
  limit_files(0, &before);
  assert_false(state_count_signed(state, first, 3, &fault));
  assert_int_equal(fault.code, FAULT_FILE_ERROR);
  assert_false(state_record(state, first, 4, &counts, &fault));
  assert_false(state_take_crl_number(state, first, 9, &fault));
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
  expect(state, first, 5, 0, 0);
  sign(state, first, 2);
  expect(state, first, 7, 0, 0);
  state_free(state);
  state = open_state();
  expect(state, first, 7, 0, 0);
  state_free(state);
}

/* An older content of the file, put back behind a key holder's back, is what it goes on from. */
static void what_the_file_has_is_what_counts(void **context)
{
  uint8_t octets[FILE_LEN];
  (void)context;
  struct state *state = new_state();
  sign(state, first, 5);
  read_file(octets);
  sign(state, first, 10);
  sign(state, second, 1);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  assert_int_equal(pwrite(fd, octets, sizeof octets, 0), sizeof octets);
  close(fd);
  expect(state, first, 5, 0, 0);
  sign(state, second, 3);
  expect(state, first, 5, 0, 0);
  expect(state, second, 3, 0, 0);
  state_free(state);
}

static void a_damaged_file_is_never_taken_for_an_empty_one(void **context)
{
  uint8_t octets[FILE_LEN];
  (void)context;
  struct state *state = new_state();
  sign(state, first, 10);
  state_free(state);
  read_file(octets);
  write_file(octets, 0);
  cannot_be_opened("an empty file");
  write_file(octets, 100);
  cannot_be_opened("a short file");
  octets[20] ^= 1, octets[BLOCK_LEN + 20] ^= 1;
  write_file(octets, FILE_LEN);
  cannot_be_opened("a file of two torn blocks");
  memset(octets, 0, sizeof octets);
  write_file(octets, FILE_LEN);
  cannot_be_opened("a file of zeros");
  write_file((const uint8_t *)"colour = blue\n", 14);
  cannot_be_opened("some other file");
}

static void a_check_makes_no_file(void **context)
{
  AUTO(fault) fault = {0};
  (void)context;
  unlink(path);
  assert_true(state_check(path, &fault));
  assert_false(file_exists(path));
  state_free(open_state());
  assert_true(state_check(path, &fault));
}

static void a_folder_that_cannot_be_written_to_is_told_of(void **context)
{
  AUTO(fault) fault = {0};
  struct state *state = NULL;
  (void)context;
  assert_false(state_open("/proc/keyd.state", &state, &fault));
  assert_int_equal(fault.code, FAULT_FILE_ERROR);
  assert_non_null(strstr(fault.detail, "cannot write /proc/keyd.state"));
  assert_non_null(strstr(fault.detail, "set state in keyd.conf"));
}

/* --- the disk --- */

static bool timer_has_run_out(const struct state *state, int wait_ms)
{
  struct pollfd timer = {.fd = state_timer(state), .events = POLLIN};
  return poll(&timer, 1, wait_ms) == 1;
}

static void the_timer_runs_when_there_is_something_to_sync(void **context)
{
  AUTO(fault) fault = {0};
  (void)context;
  struct state *state = new_state();
  assert_true(timer_has_run_out(state, 20000));
  assert_true(state_sync(state, &fault));
  assert_false(timer_has_run_out(state, 0));
  assert_true(counts_of(state, first).n_signed == 0); /* a question changes nothing */
  assert_false(timer_has_run_out(state, 1200));
  sign(state, first, 1);
  assert_true(timer_has_run_out(state, 20000));
  state_free(state);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_key_has_counts_of_its_own_that_last),
      cmocka_unit_test(what_was_recorded_only_grows),
      cmocka_unit_test(a_crl_s_number_is_taken_once),
      cmocka_unit_test(a_key_without_a_row_is_told_of),
      cmocka_unit_test(there_is_room_for_so_many_keys),
      cmocka_unit_test(no_count_is_lost_between_processes),
      cmocka_unit_test(no_number_is_taken_twice_by_two_processes),
      cmocka_unit_test(a_torn_block_costs_what_was_not_yet_on_disk),
      cmocka_unit_test(a_torn_block_costs_no_number_of_the_one_before),
      cmocka_unit_test(between_two_syncs_one_block_stays_as_it_is),
      cmocka_unit_test(what_could_not_be_written_has_not_happened),
      cmocka_unit_test(what_the_file_has_is_what_counts),
      cmocka_unit_test(a_damaged_file_is_never_taken_for_an_empty_one),
      cmocka_unit_test(a_check_makes_no_file),
      cmocka_unit_test(a_folder_that_cannot_be_written_to_is_told_of),
      cmocka_unit_test(the_timer_runs_when_there_is_something_to_sync),
  };
  return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
