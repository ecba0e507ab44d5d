/* test_ledger_keys.c - every key is found by the ids of its certificates, wherever they are: in
 * memory, in the table, on both sides of a run's end. */
#include "tests/unit/ledger_unit.h"

#include "lib/ca/ledger_private.h"

enum { RUN = KEY_RUN_ROWS, KEY_LEN = PUBKEY_SHA256_LEN, OWN_KEYS = 0, STRANGER = 9000000 };

/* --- keys and devices --- */

static void key_of(int64_t n, uint8_t ret_key[KEY_LEN])
{
  pubkey_sha256(bytes_of(&n, sizeof n), ret_key);
}

/* Device W-n with key n. */
static struct issued device(unsigned n)
{
  struct issued row = row_of(n);
  key_of(n, row.spki_sha256);
  return row;
}

/* A device that is not in the ledger, with a key that is. */
static struct issued stranger_with_key(int64_t n)
{
  struct issued row = row_of(STRANGER);
  key_of(n, row.spki_sha256);
  return row;
}

static int64_t append_another(struct ledger_batch *batch, unsigned n)
{
  AUTO(fault) f = {0};
  AUTO(issued) row = device(n);
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  bool replayed;
  if (!ledger_append(batch, &row, &none, false, NOW, &replayed, &earlier, &f))
    fail_msg("device %u: %s", n, f.detail);
  return row.id;
}

static void append_device(struct ledger_batch *batch, unsigned n)
{
  assert_int_equal(append_another(batch, n), n);
}

static struct ledger_batch *begin(struct ledger *ledger)
{
  AUTO(fault) f = {0};
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, &f))
    fail_msg("%s", f.detail);
  return batch;
}

static struct ledger_batch *begin_with(struct ledger *ledger, unsigned first, unsigned last)
{
  struct ledger_batch *batch = begin(ledger);
  for (unsigned n = first; n <= last; n++)
    append_device(batch, n);
  return batch;
}

static void commit(struct ledger_batch *batch)
{
  AUTO(fault) f = {0};
  if (!ledger_commit(batch, &f))
    fail_msg("%s", f.detail);
}

static void add_devices(struct ledger *ledger, unsigned first, unsigned last)
{
  commit(begin_with(ledger, first, last));
}

/* --- a foreign hand --- */

static void sql_key_of(sqlite3_context *context, int n_values, sqlite3_value **values)
{
  uint8_t key[KEY_LEN];
  (void)n_values;
  key_of(sqlite3_value_int64(values[0]), key);
  sqlite3_result_blob(context, key, sizeof key, SQLITE_TRANSIENT);
}

static sqlite3 *foreign_hand(const struct bench *bench)
{
  sqlite3 *db;
  assert_int_equal(sqlite3_open(bench->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), SQLITE_OK);
  assert_int_equal(
      sqlite3_create_function(db, "key_of", 1, SQLITE_UTF8, NULL, sql_key_of, NULL, NULL),
      SQLITE_OK);
  return db;
}

static sqlite3_stmt *prepared(sqlite3 *db, const char *sql, int64_t first, int64_t second)
{
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
    fail_msg("%s: %s", sql, sqlite3_errmsg(db));
  sqlite3_bind_int64(statement, 1, first);
  sqlite3_bind_int64(statement, 2, second);
  return statement;
}

static void run_foreign(const struct bench *bench, const char *sql, int64_t first, int64_t second)
{
  sqlite3 *db = foreign_hand(bench);
  sqlite3_stmt *statement = prepared(db, sql, first, second);
  if (sqlite3_step(statement) != SQLITE_DONE)
    fail_msg("%s: %s", sql, sqlite3_errmsg(db));
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

/* Copies of row 1 behind the last row: devices W-n with key n, or with this one key. */
static void add_behind_its_back(const struct bench *bench, int64_t last, int64_t key)
{
  run_foreign(bench,
              "INSERT INTO certificates (id, serial_number, device_serial, profile, station,"
              " authority, issued_at, not_before, not_after, spki_sha256, spki_prefix,"
              " request_sha256, der)"
              " WITH RECURSIVE n (id) AS (SELECT max(id) + 1 FROM certificates"
              " UNION ALL SELECT id + 1 FROM n WHERE id < ?1)"
              " SELECT n.id, CAST(printf('%016d', n.id) AS BLOB), 'W-' || n.id, c.profile,"
              " c.station, c.authority, c.issued_at, c.not_before, c.not_after,"
              " key_of(iif(?2 = 0, n.id, ?2)), 0, c.request_sha256, c.der"
              " FROM n CROSS JOIN certificates c ON c.id = 1",
              last, key);
}

/* Row 1, and the rest of them. */
static void fill(struct bench *bench, int64_t last)
{
  add_devices(bench->ledger, 1, 1);
  add_behind_its_back(bench, last, OWN_KEYS);
}

static void reopen(struct bench *bench)
{
  bench_close(bench);
  bench_open(bench);
}

/* --- what is found --- */

static void assert_key_found(struct ledger *ledger, const uint8_t key[KEY_LEN], const char *ids)
{
  AUTO(fault) f = {0};
  AUTO(buf) found = {0};
  struct ledger_connection *reader;
  bool any;
  assert_true(ledger_borrow(ledger, &reader, &f));
  if (!ledger_keys_find(ledger->keys, reader, key, &found, &any, &f))
    fail_msg("%s", f.detail);
  ledger_give_back(ledger, reader);
  assert_string_equal(buf_text(&found), ids);
  assert_int_equal(any, strcmp(ids, "[]") != 0);
}

static void assert_found_as(struct ledger *ledger, int64_t n, const char *ids)
{
  uint8_t key[KEY_LEN];
  key_of(n, key);
  assert_key_found(ledger, key, ids);
}

static void assert_found(struct ledger *ledger, int64_t n)
{
  char ids[32];
  snprintf(ids, sizeof ids, "[%lld]", (long long)n);
  assert_found_as(ledger, n, ids);
}

static void assert_all_found(struct ledger *ledger, int64_t first, int64_t last)
{
  for (int64_t n = first; n <= last; n++)
    assert_found(ledger, n);
}

static void assert_none_found(struct ledger *ledger, int64_t first, int64_t last)
{
  for (int64_t n = first; n <= last; n++)
    assert_found_as(ledger, n, "[]");
}

static void assert_code_for_stranger(struct ledger *ledger, int64_t key, enum fault_code code)
{
  AUTO(issued) stranger = stranger_with_key(key);
  assert_int_equal(append(ledger, &stranger, false).code, code);
}

/* --- what is in the table --- */

static int64_t count_rows_of_keys(const struct bench *bench)
{
  sqlite3 *db = foreign_hand(bench);
  sqlite3_stmt *statement = prepared(db, "SELECT count(*) FROM keys", 0, 0);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  int64_t n = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return n;
}

static void assert_runs_in_table(const struct bench *bench, int64_t runs)
{
  assert_int_equal(count_rows_of_keys(bench), runs * KEY_BUCKETS);
}

/* Is this entry, of the row of the bucket, the one of certificate `id`? */
static void assert_entry_is_of(int64_t id, int64_t bucket, const uint8_t entry[KEY_ENTRY_LEN])
{
  uint8_t key[KEY_LEN];
  key_of(id, key);
  assert_int_equal(bucket, key[0] >> 1);
  assert_memory_equal(entry, key + 1, 4);
}

static size_t assert_row_is_right(int64_t run, int64_t bucket, struct bytes entries)
{
  int64_t before = -1;
  assert_int_equal(entries.len % KEY_ENTRY_LEN, 0);
  for (size_t i = 0; i < entries.len; i += KEY_ENTRY_LEN) {
    const uint8_t *entry = entries.data + i;
    int64_t id = run * RUN + entry[4] * 256 + entry[5];
    assert_true(id > before);
    assert_entry_is_of(id, bucket, entry);
    before = id;
  }
  return entries.len / KEY_ENTRY_LEN;
}

/* There is no certificate 0. */
static void assert_run_is_right(const struct bench *bench, int64_t run)
{
  sqlite3 *db = foreign_hand(bench);
  sqlite3_stmt *statement =
      prepared(db, "SELECT id, entries FROM keys WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
               run * KEY_BUCKETS, run * KEY_BUCKETS + KEY_BUCKETS - 1);
  size_t n = 0;
  for (int64_t bucket = 0; bucket < KEY_BUCKETS; bucket++) {
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(statement, 0), run * KEY_BUCKETS + bucket);
    const void *entries = sqlite3_column_blob(statement, 1);
    n += assert_row_is_right(run, bucket,
                             bytes_of(entries, (size_t)sqlite3_column_bytes(statement, 1)));
  }
  assert_int_equal(n, run == 0 ? RUN - 1 : RUN);
  sqlite3_finalize(statement);
  sqlite3_close(db);
}

/* --- in memory --- */

static void a_key_of_the_current_run_is_found_in_memory(void **state)
{
  struct bench *bench = *state;
  add_devices(bench->ledger, 1, 20);
  assert_all_found(bench->ledger, 1, 20);
  assert_none_found(bench->ledger, 21, 40);
  assert_runs_in_table(bench, 0);
  reopen(bench);
  assert_all_found(bench->ledger, 1, 20);
  assert_none_found(bench->ledger, 21, 40);
}

static void a_key_is_one_devices_alone(void **state)
{
  struct bench *bench = *state;
  add_devices(bench->ledger, 1, 20);
  assert_code_for_stranger(bench->ledger, 7, FAULT_KEY_ALREADY_USED);
  reopen(bench);
  assert_code_for_stranger(bench->ledger, 7, FAULT_KEY_ALREADY_USED);
  assert_code_for_stranger(bench->ledger, 21, FAULT_NONE);
}

static void a_key_is_one_devices_alone_before_the_commit_too(void **state)
{
  struct bench *bench = *state;
  struct ledger_batch *batch = begin_with(bench->ledger, 1, 3);
  AUTO(fault) f = {0};
  AUTO(issued) stranger = stranger_with_key(3);
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  bool replayed;
  assert_false(ledger_append(batch, &stranger, &none, false, NOW, &replayed, &earlier, &f));
  assert_int_equal(f.code, FAULT_KEY_ALREADY_USED);
  commit(batch);
}

/* Of a digest's 32 octets five are kept, and of the first one seven bits. */
static void keys_that_are_kept_alike_are_not_taken_for_each_other(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = device(1);
  AUTO(issued) in_first_bit = row_of(2);
  AUTO(issued) in_last_bit = row_of(3);
  memcpy(in_first_bit.spki_sha256, first.spki_sha256, KEY_LEN);
  memcpy(in_last_bit.spki_sha256, first.spki_sha256, KEY_LEN);
  in_first_bit.spki_sha256[0] ^= 1;
  in_last_bit.spki_sha256[KEY_LEN - 1] ^= 1;
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &in_first_bit, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &in_last_bit, false).code, FAULT_NONE);
  assert_key_found(bench->ledger, first.spki_sha256, "[1,2,3]");
  assert_code_for_stranger(bench->ledger, 1, FAULT_KEY_ALREADY_USED);
}

/* --- the end of a run --- */

static void assert_found_around_the_end_of_run_0(struct bench *bench)
{
  assert_runs_in_table(bench, 1);
  assert_run_is_right(bench, 0);
  assert_found(bench->ledger, 1);
  assert_found(bench->ledger, 32768);
  assert_all_found(bench->ledger, 65500, 65545);
  assert_none_found(bench->ledger, 65546, 65560);
  assert_code_for_stranger(bench->ledger, 65529, FAULT_KEY_ALREADY_USED);
  assert_code_for_stranger(bench->ledger, 65535, FAULT_KEY_ALREADY_USED);
  assert_code_for_stranger(bench->ledger, 65536, FAULT_KEY_ALREADY_USED);
}

static void a_run_is_written_when_it_is_whole(void **state)
{
  struct bench *bench = *state;
  fill(bench, 65529);
  add_devices(bench->ledger, 65530, 65534);
  assert_runs_in_table(bench, 0);
  assert_all_found(bench->ledger, 65500, 65534);
  add_devices(bench->ledger, 65535, 65545);
  assert_found_around_the_end_of_run_0(bench);
  reopen(bench);
  assert_found_around_the_end_of_run_0(bench);
}

static void assert_found_in_three_runs(struct bench *bench)
{
  static const int64_t first_middle_and_last[] = {1,      2,      32768,  65534,  65535,
                                                  65536,  65537,  98304,  131070, 131071,
                                                  131072, 131073, 131090, 131108, 131109};
  assert_runs_in_table(bench, 2);
  assert_run_is_right(bench, 0);
  assert_run_is_right(bench, 1);
  for (size_t i = 0; i < ARRAY_LEN(first_middle_and_last); i++)
    assert_found(bench->ledger, first_middle_and_last[i]);
  assert_none_found(bench->ledger, 131110, 131120);
  assert_code_for_stranger(bench->ledger, 98304, FAULT_KEY_ALREADY_USED);
}

/* As after the migration. The second start finds them there. */
static void whole_runs_that_are_not_in_the_table_are_written_at_the_start(void **state)
{
  struct bench *bench = *state;
  add_devices(bench->ledger, 1, 1);
  bench_close(bench);
  add_behind_its_back(bench, 131109, OWN_KEYS);
  assert_runs_in_table(bench, 0);
  bench_open(bench);
  assert_found_in_three_runs(bench);
  reopen(bench);
  assert_found_in_three_runs(bench);
  add_devices(bench->ledger, 131110, 131112);
  assert_all_found(bench->ledger, 131105, 131112);
}

/* --- rolled back --- */

static void assert_code_foreseen_for_stranger(struct ledger *ledger, int64_t key,
                                              enum fault_code code)
{
  AUTO(fault) f = {0};
  AUTO(issued) stranger = stranger_with_key(key);
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  bool replayed;
  ledger_foresee(ledger, &stranger, &none, false, NOW, &replayed, &earlier, &f);
  assert_int_equal(f.code, code);
}

/* Ids may still be listed after it, but no row stands behind them; from the next transaction on
 * they are not. */
static void roll_back_and_assert_nothing_left(struct bench *bench, unsigned last)
{
  AUTO(fault) f = {0};
  ledger_roll_back(begin_with(bench->ledger, 65530, last));
  for (unsigned n = 65530; n <= last; n++)
    assert_code_foreseen_for_stranger(bench->ledger, n, FAULT_NONE);
  assert_true(ledger_probe(bench->ledger, &f));
  assert_runs_in_table(bench, 0);
  assert_none_found(bench->ledger, 65530, last);
  assert_all_found(bench->ledger, 65500, 65529);
}

static void what_is_rolled_back_over_the_end_of_a_run_leaves_nothing(void **state)
{
  struct bench *bench = *state;
  static const unsigned ends[] = {65534, 65535, 65536, 65545};
  fill(bench, 65529);
  for (size_t i = 0; i < ARRAY_LEN(ends); i++)
    roll_back_and_assert_nothing_left(bench, ends[i]);
  add_devices(bench->ledger, 65530, 65545);
  assert_found_around_the_end_of_run_0(bench);
}

/* Without certificates, for speed: they would not outlive the transaction either. */
static void add_keys_alone(struct ledger *ledger, int64_t first, int64_t last)
{
  AUTO(fault) f = {0};
  uint8_t key[KEY_LEN];
  for (int64_t id = first; id <= last; id++) {
    key_of(id, key);
    if (!ledger_keys_add(ledger->keys, ledger->writer, id, key, &f))
      fail_msg("%s", f.detail);
  }
}

/* So long a transaction that memory has no place for what was there before it. */
static void a_transaction_of_two_runs_is_rolled_back(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  add_devices(bench->ledger, 1, 20);
  assert_true(ledger_execute(bench->ledger->writer, "DROP TRIGGER temp.keys_insert", &f));
  struct ledger_batch *batch = begin(bench->ledger);
  add_keys_alone(bench->ledger, 21, 2 * RUN + 20);
  ledger_roll_back(batch);
  assert_true(ledger_probe(bench->ledger, &f));
  assert_runs_in_table(bench, 0);
  assert_all_found(bench->ledger, 1, 20);
  assert_none_found(bench->ledger, 21, 40);
  assert_none_found(bench->ledger, 2 * RUN, 2 * RUN + 20);
}

/* --- an older snapshot --- */

/* A reader in a thread of its own, which asserts nothing itself: cmocka would leave the thread by a
 * jump. */
struct old_reader {
  struct ledger *ledger;
  pthread_barrier_t snapshot_has_begun, run_was_written;
  int64_t rows_of_keys; /* in the snapshot, behind the commit */
  struct buf first, last;
  bool done;
  enum fault_code foreseen; /* for a stranger with the first key */
};

static bool list(struct old_reader *old, struct ledger_connection *c, int64_t n,
                 struct buf *ret_ids)
{
  AUTO(fault) f = {0};
  uint8_t key[KEY_LEN];
  bool any;
  key_of(n, key);
  return ledger_keys_find(old->ledger->keys, c, key, ret_ids, &any, &f) && any;
}

static bool look(struct old_reader *old)
{
  AUTO(fault) f = {0};
  struct ledger_connection *c;
  if (!ledger_borrow(old->ledger, &c, &f))
    return false;
  bool done = ledger_ask(c, "SELECT count(*) FROM keys", &old->rows_of_keys, &f) &&
              list(old, c, 1, &old->first) && list(old, c, 65529, &old->last);
  ledger_give_back(old->ledger, c);
  return done;
}

static void foresee(struct old_reader *old)
{
  AUTO(fault) f = {0};
  AUTO(issued) stranger = stranger_with_key(1);
  AUTO(issued) earlier = {0};
  const struct sans none = {0};
  bool replayed;
  ledger_foresee(old->ledger, &stranger, &none, false, NOW, &replayed, &earlier, &f);
  old->foreseen = f.code;
}

static void *read_of_old(void *context)
{
  struct old_reader *old = context;
  AUTO(fault) f = {0};
  AUTO(issued) row = {0};
  /* SQLite takes the moment of the first reading. */
  bool begun = ledger_snapshot_begin(old->ledger, &f);
  bool read = begun && ledger_get_at(old->ledger, 1, NOW, &row, &f);
  pthread_barrier_wait(&old->snapshot_has_begun);
  pthread_barrier_wait(&old->run_was_written);
  old->done = read && look(old);
  if (read)
    foresee(old);
  if (begun)
    ledger_snapshot_end(old->ledger);
  return NULL;
}

static void an_older_snapshot_finds_the_keys_of_a_run_that_was_written_since(void **state)
{
  struct bench *bench = *state;
  static struct old_reader old; /* outlives an assertion that fails: so does the thread */
  AUTO(fault) f = {0};
  pthread_t thread;
  old.ledger = bench->ledger;
  fill(bench, 65529);
  assert_true(ledger_probe(bench->ledger, &f));
  pthread_barrier_init(&old.snapshot_has_begun, NULL, 2);
  pthread_barrier_init(&old.run_was_written, NULL, 2);
  assert_int_equal(pthread_create(&thread, NULL, read_of_old, &old), 0);
  pthread_barrier_wait(&old.snapshot_has_begun);
  add_devices(bench->ledger, 65530, 65545);
  pthread_barrier_wait(&old.run_was_written);
  pthread_join(thread, NULL);
  pthread_barrier_destroy(&old.snapshot_has_begun);
  pthread_barrier_destroy(&old.run_was_written);
  assert_true(old.done);
  assert_int_equal(old.rows_of_keys, 0);
  assert_string_equal(buf_text(&old.first), "[1]");
  assert_string_equal(buf_text(&old.last), "[65529]");
  assert_int_equal(old.foreseen, FAULT_KEY_ALREADY_USED);
  assert_runs_in_table(bench, 1);
  buf_free(&old.first);
  buf_free(&old.last);
}

/* --- several certificates of one key --- */

/* The device, with its key, asks for another one. */
static void renew(struct ledger *ledger, unsigned n, unsigned request)
{
  AUTO(issued) row = row_of(request);
  key_of(n, row.spki_sha256);
  snprintf(row.device_serial, sizeof row.device_serial, "W-%u", n);
  assert_int_equal(append(ledger, &row, true).code, FAULT_NONE);
}

static void all_certificates_of_a_key_are_listed(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  add_devices(bench->ledger, 1, 1);
  renew(bench->ledger, 1, 2);
  assert_found_as(bench->ledger, 1, "[1,2]");
  add_behind_its_back(bench, 65533, OWN_KEYS);
  add_behind_its_back(bench, 65537, 1);
  assert_true(ledger_probe(bench->ledger, &f));
  assert_runs_in_table(bench, 1);
  assert_found_as(bench->ledger, 1, "[1,2,65534,65535,65536,65537]");
  assert_found(bench->ledger, 65533);
  reopen(bench);
  assert_found_as(bench->ledger, 1, "[1,2,65534,65535,65536,65537]");
}

static void a_device_goes_on_with_its_key_in_the_next_run(void **state)
{
  struct bench *bench = *state;
  fill(bench, 65540);
  renew(bench->ledger, 7, 65541);
  assert_found_as(bench->ledger, 7, "[7,65541]");
  assert_code_for_stranger(bench->ledger, 7, FAULT_KEY_ALREADY_USED);
  reopen(bench);
  assert_found_as(bench->ledger, 7, "[7,65541]");
}

/* --- the table in wrong hands --- */

static void a_foreign_hand_cannot_change_keys(void **state)
{
  struct bench *bench = *state;
  static const char *const attempts[] = {
      "UPDATE keys SET entries = x'' WHERE id = 5",
      "UPDATE keys SET id = 6",
      "UPDATE OR REPLACE keys SET entries = x'' WHERE id = 5",
      "DELETE FROM keys WHERE id = 5",
      "DELETE FROM keys",
      "REPLACE INTO keys (id, entries) VALUES (5, x'')",
      "INSERT INTO keys (id, entries) VALUES (128, x'')", /* its run is not whole */
      "INSERT INTO keys (id, entries) VALUES (640, x'')",
  };
  fill(bench, RUN + 4);
  add_devices(bench->ledger, RUN + 5, RUN + 5);
  sqlite3 *db = foreign_hand(bench);
  for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
    int status = sqlite3_exec(db, attempts[i], NULL, NULL, NULL);
    if (status != SQLITE_CONSTRAINT || strstr(sqlite3_errmsg(db), "keys are ") == NULL)
      fail_msg("%s: %d %s", attempts[i], status, sqlite3_errmsg(db));
  }
  sqlite3_close(db);
  assert_runs_in_table(bench, 1);
  assert_run_is_right(bench, 0);
}

static void assert_cannot_be_read(struct ledger *ledger, const uint8_t key[KEY_LEN])
{
  AUTO(fault) f = {0};
  AUTO(buf) found = {0};
  struct ledger_connection *reader;
  bool any = true;
  assert_true(ledger_borrow(ledger, &reader, &f));
  assert_false(ledger_keys_find(ledger->keys, reader, key, &found, &any, &f));
  ledger_give_back(ledger, reader);
  assert_int_equal(f.code, FAULT_LEDGER);
  assert_non_null(strstr(f.detail, "keys cannot be read"));
  assert_true(any); /* as it was */
}

/* In front of it there may be whole entries. */
static void what_is_no_entry_is_a_fault_and_no_answer(void **state)
{
  struct bench *bench = *state;
  static const size_t wrong_lens[] = {1, 5, 7, 6 * 500 - 1};
  add_devices(bench->ledger, 1, ARRAY_LEN(wrong_lens));
  run_foreign(bench, "DROP TRIGGER keys_insert", 0, 0);
  for (unsigned i = 0; i < ARRAY_LEN(wrong_lens); i++) {
    uint8_t key[KEY_LEN];
    key_of(i + 1, key);
    run_foreign(bench, "INSERT INTO keys (id, entries) VALUES (?1, zeroblob(?2))", key[0] >> 1,
                (int64_t)wrong_lens[i]);
    assert_cannot_be_read(bench->ledger, key);
    assert_code_for_stranger(bench->ledger, i + 1, FAULT_LEDGER);
  }
}

/* --- compromised keys --- */

static void revoke_for_key_compromise(struct ledger *ledger, int64_t id)
{
  AUTO(fault) f = {0};
  AUTO(issued) row = {0};
  bool changed = false;
  assert_true(ledger_get_at(ledger, id, NOW, &row, &f));
  struct ledger_batch *batch = begin(ledger);
  if (!ledger_revoke(batch, &row, REASON_KEY_COMPROMISE, NOW, &somebody, &changed, &f))
    fail_msg("%s", f.detail);
  assert_true(changed);
  commit(batch);
}

static void assert_nobodys(struct ledger *ledger, unsigned n)
{
  AUTO(issued) same_device = device(n);
  same_device.serial_number[15] = 9;
  assert_int_equal(append(ledger, &same_device, false).code, FAULT_KEY_NOT_ALLOWED);
  assert_int_equal(append(ledger, &same_device, true).code, FAULT_KEY_NOT_ALLOWED);
  assert_code_for_stranger(ledger, n, FAULT_KEY_NOT_ALLOWED);
  assert_code_foreseen_for_stranger(ledger, n, FAULT_KEY_NOT_ALLOWED);
}

static void a_compromised_key_of_a_written_run_is_nobodys(void **state)
{
  struct bench *bench = *state;
  fill(bench, 65540);
  revoke_for_key_compromise(bench->ledger, 1);
  revoke_for_key_compromise(bench->ledger, 40000);
  assert_runs_in_table(bench, 1);
  assert_nobodys(bench->ledger, 1);
  assert_nobodys(bench->ledger, 40000);
  reopen(bench);
  assert_nobodys(bench->ledger, 1);
  assert_nobodys(bench->ledger, 40000);
  assert_code_for_stranger(bench->ledger, 40001, FAULT_KEY_ALREADY_USED);
}

/* --- what a transaction caught up with is not lost with it --- */

static void a_run_that_was_caught_up_is_written_after_a_roll_back(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  fill(bench, RUN + 4);
  ledger_roll_back(begin(bench->ledger));
  assert_true(ledger_probe(bench->ledger, &f));
  assert_runs_in_table(bench, 1);
  assert_run_is_right(bench, 0);
}

static void a_run_that_was_caught_up_is_written_after_a_refusal(void **state)
{
  struct bench *bench = *state;
  fill(bench, RUN + 4);
  assert_code_for_stranger(bench->ledger, 100, FAULT_KEY_ALREADY_USED);
  assert_code_for_stranger(bench->ledger, 900000, FAULT_NONE);
  assert_runs_in_table(bench, 1);
}

static void keys_of_runs_that_were_caught_up_are_found_after_a_roll_back(void **state)
{
  struct bench *bench = *state;
  fill(bench, 2 * RUN + 37);
  ledger_roll_back(begin(bench->ledger));
  assert_code_for_stranger(bench->ledger, 100, FAULT_KEY_ALREADY_USED);
}

static void no_run_is_left_out_when_the_next_one_is_written(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  fill(bench, RUN + 4);
  ledger_roll_back(begin(bench->ledger));
  add_behind_its_back(bench, 2 * RUN + 37, OWN_KEYS);
  assert_true(ledger_probe(bench->ledger, &f));
  reopen(bench);
  assert_code_for_stranger(bench->ledger, 100, FAULT_KEY_ALREADY_USED);
  assert_run_is_right(bench, 0);
  assert_run_is_right(bench, 1);
}

static void foreign_rows_in_the_place_of_those_rolled_back_count(void **state)
{
  struct bench *bench = *state;
  add_devices(bench->ledger, 1, 10);
  struct ledger_batch *batch = begin(bench->ledger);
  append_another(batch, 1011);
  append_another(batch, 1012);
  ledger_roll_back(batch);
  add_behind_its_back(bench, 13, OWN_KEYS);
  assert_code_for_stranger(bench->ledger, 13, FAULT_KEY_ALREADY_USED);
  assert_code_for_stranger(bench->ledger, 11, FAULT_KEY_ALREADY_USED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_ledger, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(a_key_of_the_current_run_is_found_in_memory),
      TEST(a_key_is_one_devices_alone),
      TEST(a_key_is_one_devices_alone_before_the_commit_too),
      TEST(keys_that_are_kept_alike_are_not_taken_for_each_other),
      TEST(a_run_is_written_when_it_is_whole),
      TEST(whole_runs_that_are_not_in_the_table_are_written_at_the_start),
      TEST(what_is_rolled_back_over_the_end_of_a_run_leaves_nothing),
      TEST(a_transaction_of_two_runs_is_rolled_back),
      TEST(an_older_snapshot_finds_the_keys_of_a_run_that_was_written_since),
      TEST(all_certificates_of_a_key_are_listed),
      TEST(a_device_goes_on_with_its_key_in_the_next_run),
      TEST(a_foreign_hand_cannot_change_keys),
      TEST(what_is_no_entry_is_a_fault_and_no_answer),
      TEST(a_compromised_key_of_a_written_run_is_nobodys),
      TEST(a_run_that_was_caught_up_is_written_after_a_roll_back),
      TEST(a_run_that_was_caught_up_is_written_after_a_refusal),
      TEST(keys_of_runs_that_were_caught_up_are_found_after_a_roll_back),
      TEST(no_run_is_left_out_when_the_next_one_is_written),
      TEST(foreign_rows_in_the_place_of_those_rolled_back_count),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
