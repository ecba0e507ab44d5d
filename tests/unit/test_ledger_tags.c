/* test_ledger_tags.c - every key, name, device and source is found by the ids of its rows, wherever
 * they are: in memory, in the table, on both sides of a run's end; and nothing else is. */
#include "tests/unit/ledger_unit.h"

#include "lib/ca/ledger_private.h"

enum {
  RUN = TAG_RUN_ROWS,
  RUN_BUCKETS = TAG_SLOTS * TAG_BUCKETS,
  KEY_LEN = PUBKEY_SHA256_LEN,
  OWN_KEYS = 0,
  STRANGER = 9000000
};

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

/* In the order of rows, as JSON. */
static bool list_tagged(struct ledger_connection *c, enum tag_kind kind, struct bytes value,
                        struct buf *ret_ids, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool row;
  if (!ledger_call_open_text(
          c, "SELECT json_group_array(id) FROM (SELECT id FROM tagged(?1, ?2) ORDER BY id)", &call,
          f))
    return false;
  ledger_call_number(&call, kind);
  ledger_call_blob(&call, value.data, value.len);
  if (!ledger_call_step(&call, &row, f))
    return false;
  buf_add_bytes(ret_ids, ledger_call_column(&call, 0));
  return row;
}

static void assert_tagged(struct ledger *ledger, enum tag_kind kind, struct bytes value,
                          const char *ids)
{
  AUTO(fault) f = {0};
  AUTO(buf) found = {0};
  struct ledger_connection *reader;
  assert_true(ledger_borrow(ledger, &reader, &f));
  if (!list_tagged(reader, kind, value, &found, &f))
    fail_msg("%s", f.detail);
  ledger_give_back(ledger, reader);
  assert_string_equal(buf_text(&found), ids);
}

static void assert_key_found(struct ledger *ledger, const uint8_t key[KEY_LEN], const char *ids)
{
  assert_tagged(ledger, TAG_KEY, bytes_of(key, KEY_LEN), ids);
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

static int64_t count_rows_of_tags(const struct bench *bench)
{
  sqlite3 *db = foreign_hand(bench);
  sqlite3_stmt *statement = prepared(db, "SELECT count(*) FROM certificate_tags", 0, 0);
  assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
  int64_t n = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return n;
}

static void assert_runs_in_table(const struct bench *bench, int64_t runs)
{
  assert_int_equal(count_rows_of_tags(bench), runs * RUN_BUCKETS);
}

/* Is this entry, of the row of the bucket, the one of certificate `id`? */
static void assert_entry_is_of(int64_t id, int64_t bucket, const uint8_t entry[TAG_ENTRY_LEN])
{
  uint8_t key[KEY_LEN];
  key_of(id, key);
  assert_int_equal(bucket, key[0] << 1 | key[1] >> 7);
  assert_memory_equal(entry, key + 1, 4);
}

static size_t assert_row_is_right(int64_t run, int64_t bucket, struct bytes entries)
{
  int64_t before = -1;
  assert_int_equal(entries.len % TAG_ENTRY_LEN, 0);
  for (size_t i = 0; i < entries.len; i += TAG_ENTRY_LEN) {
    const uint8_t *entry = entries.data + i;
    int64_t id = run * RUN + entry[4] * 256 + entry[5];
    assert_true(id > before);
    assert_entry_is_of(id, bucket, entry);
    before = id;
  }
  return entries.len / TAG_ENTRY_LEN;
}

/* There is no certificate 0. */
static void assert_run_is_right(const struct bench *bench, int64_t run)
{
  sqlite3 *db = foreign_hand(bench);
  sqlite3_stmt *statement = prepared(
      db, "SELECT id, entries FROM certificate_tags WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
      run * RUN_BUCKETS, run * RUN_BUCKETS + TAG_BUCKETS - 1);
  size_t n = 0;
  for (int64_t bucket = 0; bucket < TAG_BUCKETS; bucket++) {
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(statement, 0), run * RUN_BUCKETS + bucket);
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

/* Of a digest's 32 octets the first five are kept. */
static void keys_that_are_kept_alike_are_not_taken_for_each_other(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) first = device(1);
  AUTO(issued) in_sixth_octet = row_of(2);
  AUTO(issued) in_last_bit = row_of(3);
  memcpy(in_sixth_octet.spki_sha256, first.spki_sha256, KEY_LEN);
  memcpy(in_last_bit.spki_sha256, first.spki_sha256, KEY_LEN);
  in_sixth_octet.spki_sha256[5] ^= 1;
  in_last_bit.spki_sha256[KEY_LEN - 1] ^= 1;
  assert_int_equal(append(bench->ledger, &first, false).code, FAULT_NONE);
  assert_int_equal(append(bench->ledger, &in_sixth_octet, false).code, FAULT_NONE);
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
  const struct sans none = {0};
  struct ledger_tags *tags = ledger->tags.of[LOG_CERTIFICATES];
  uint8_t key[KEY_LEN];
  for (int64_t id = first; id <= last; id++) {
    key_of(id, key);
    if (!ledger_tags_put_certificate(tags, id, key, &none, &f) ||
        !ledger_tags_end_row(tags, ledger->writer, id, &f))
      fail_msg("%s", f.detail);
  }
}

/* So long a transaction that memory has no place for what was there before it. */
static void a_transaction_of_two_runs_is_rolled_back(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  add_devices(bench->ledger, 1, 20);
  assert_true(
      ledger_execute(bench->ledger->writer, "DROP TRIGGER temp.certificate_tags_insert", &f));
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
  int64_t rows_of_tags; /* in the snapshot, behind the commit */
  struct buf first, last;
  bool done;
  enum fault_code foreseen; /* for a stranger with the first key */
};

static bool list(struct ledger_connection *c, int64_t n, struct buf *ret_ids)
{
  AUTO(fault) f = {0};
  uint8_t key[KEY_LEN];
  key_of(n, key);
  return list_tagged(c, TAG_KEY, bytes_of(key, sizeof key), ret_ids, &f);
}

static bool look(struct old_reader *old)
{
  AUTO(fault) f = {0};
  struct ledger_connection *c;
  if (!ledger_borrow(old->ledger, &c, &f))
    return false;
  bool done = ledger_ask(c, "SELECT count(*) FROM certificate_tags", &old->rows_of_tags, &f) &&
              list(c, 1, &old->first) && list(c, 65529, &old->last);
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
  assert_int_equal(old.rows_of_tags, 0);
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
      "UPDATE certificate_tags SET entries = x'' WHERE id = 5",
      "UPDATE certificate_tags SET id = 6",
      "UPDATE OR REPLACE certificate_tags SET entries = x'' WHERE id = 5",
      "DELETE FROM certificate_tags WHERE id = 5",
      "DELETE FROM certificate_tags",
      "REPLACE INTO certificate_tags (id, entries) VALUES (5, x'')",
      "INSERT INTO certificate_tags (id, entries) VALUES (1024, x'')", /* its run is not whole */
      "INSERT INTO certificate_tags (id, entries) VALUES (2560, x'')",
  };
  fill(bench, RUN + 4);
  add_devices(bench->ledger, RUN + 5, RUN + 5);
  sqlite3 *db = foreign_hand(bench);
  for (size_t i = 0; i < ARRAY_LEN(attempts); i++) {
    int status = sqlite3_exec(db, attempts[i], NULL, NULL, NULL);
    if (status != SQLITE_CONSTRAINT || strstr(sqlite3_errmsg(db), "tags are ") == NULL)
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
  assert_true(ledger_borrow(ledger, &reader, &f));
  assert_false(list_tagged(reader, TAG_KEY, bytes_of(key, KEY_LEN), &found, &f));
  ledger_give_back(ledger, reader);
  assert_int_equal(f.code, FAULT_LEDGER);
  assert_non_null(strstr(f.detail, "tags cannot be read"));
  assert_int_equal(found.len, 0);
}

/* In front of it there may be whole entries. */
static void what_is_no_entry_is_a_fault_and_no_answer(void **state)
{
  struct bench *bench = *state;
  static const size_t wrong_lens[] = {1, 5, 7, 6 * 500 - 1};
  add_devices(bench->ledger, 1, ARRAY_LEN(wrong_lens));
  run_foreign(bench, "DROP TRIGGER certificate_tags_insert", 0, 0);
  for (unsigned i = 0; i < ARRAY_LEN(wrong_lens); i++) {
    uint8_t key[KEY_LEN];
    key_of(i + 1, key);
    run_foreign(bench, "INSERT INTO certificate_tags (id, entries) VALUES (?1, zeroblob(?2))",
                key[0] << 1 | key[1] >> 7, (int64_t)wrong_lens[i]);
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

/* --- names --- */

/* Those of device n, and one that each third has. */
static void names_of(unsigned n, struct sans *ret_names)
{
  AUTO(fault) f = {0};
  char text[40];
  snprintf(text, sizeof text, "10.%u.%u.%u", n >> 16, n >> 8 & 255, n & 255);
  assert_true(sans_add(ret_names, SAN_IP, bytes_of_text(text), &f));
  snprintf(text, sizeof text, "w-%u.example", n);
  assert_true(sans_add(ret_names, SAN_DNS, bytes_of_text(text), &f));
  if (n % 3 == 0)
    assert_true(sans_add(ret_names, SAN_URI, bytes_of_text("urn:thirds"), &f));
}

static void append_named_device(struct ledger_batch *batch, unsigned n)
{
  AUTO(fault) f = {0};
  AUTO(issued) row = device(n);
  AUTO(issued) earlier = {0};
  AUTO(sans) names = {0};
  bool replayed;
  names_of(n, &names);
  make_der(&row, &names);
  if (!ledger_append(batch, &row, &names, false, NOW, &replayed, &earlier, &f))
    fail_msg("device %u: %s", n, f.detail);
  assert_int_equal(row.id, n);
}

static void add_named_devices(struct ledger *ledger, unsigned first, unsigned last)
{
  struct ledger_batch *batch = begin(ledger);
  for (unsigned n = first; n <= last; n++)
    append_named_device(batch, n);
  commit(batch);
}

static void assert_names_found(struct ledger *ledger, unsigned n)
{
  AUTO(sans) names = {0};
  char ids[32];
  names_of(n, &names);
  snprintf(ids, sizeof ids, "[%u]", n);
  assert_tagged(ledger, TAG_IP, sans_get(&names, 0).value, ids);
  assert_tagged(ledger, TAG_DNS, sans_get(&names, 1).value, ids);
}

static void assert_names_found_around_the_end_of_run_0(struct ledger *ledger)
{
  for (unsigned n = 65530; n <= 65545; n++)
    assert_names_found(ledger, n);
  assert_tagged(ledger, TAG_URI, bytes_of_text("urn:thirds"), "[65532,65535,65538,65541,65544]");
  assert_tagged(ledger, TAG_DNS, bytes_of_text("urn:thirds"), "[]"); /* of another kind */
  assert_tagged(ledger, TAG_DNS, bytes_of_text("w-65546.example"), "[]");
}

static void names_are_found_on_both_sides_of_a_runs_end(void **state)
{
  struct bench *bench = *state;
  fill(bench, 65529);
  add_named_devices(bench->ledger, 65530, 65545);
  assert_names_found_around_the_end_of_run_0(bench->ledger);
  reopen(bench);
  assert_names_found_around_the_end_of_run_0(bench->ledger);
}

static void names_of_foreign_rows_are_read_in_their_certificates(void **state)
{
  struct bench *bench = *state;
  add_named_devices(bench->ledger, 1, 3);
  add_behind_its_back(bench, 5, OWN_KEYS); /* copies of the first */
  add_named_devices(bench->ledger, 6, 6);
  assert_tagged(bench->ledger, TAG_DNS, bytes_of_text("w-1.example"), "[1,4,5]");
  assert_names_found(bench->ledger, 3);
  assert_names_found(bench->ledger, 6);
}

static void names_that_were_rolled_back_are_not_found(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  add_named_devices(bench->ledger, 1, 3);
  struct ledger_batch *batch = begin(bench->ledger);
  append_named_device(batch, 4);
  ledger_roll_back(batch);
  assert_true(ledger_probe(bench->ledger, &f));
  assert_tagged(bench->ledger, TAG_DNS, bytes_of_text("w-4.example"), "[]");
  add_devices(bench->ledger, 4, 4);
  assert_tagged(bench->ledger, TAG_DNS, bytes_of_text("w-4.example"), "[]");
  assert_names_found(bench->ledger, 3);
}

/* --- a tag is a hint --- */

static unsigned count_found(struct ledger *ledger, const struct ledger_query *query)
{
  AUTO(fault) f = {0};
  AUTO(ledger_page) page = {0};
  if (!ledger_search(ledger, query, NOW, &page, &f))
    fail_msg("%s", f.detail);
  return (unsigned)page.n;
}

static void the_row_decides_whether_it_has_the_name(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct tag tag = tag_of(TAG_DNS, bytes_of_text("elsewhere.example"));
  struct ledger_query query = {.limit = 10, .dns = "elsewhere.example"};
  add_named_devices(bench->ledger, 1, 2);
  assert_true(ledger_tags_put(bench->ledger->tags.of[LOG_CERTIFICATES], 2, &tag, &f));
  assert_tagged(bench->ledger, TAG_DNS, bytes_of_text(query.dns), "[2]");
  assert_int_equal(count_found(bench->ledger, &query), 0);
  query.dns = "W-2.example";
  assert_int_equal(count_found(bench->ledger, &query), 1);
}

static void the_event_decides_whether_it_has_the_device(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  AUTO(event_page) page = {0};
  const struct event event = {.kind = EVENT_REFUSED, .device_serial = "W-1"};
  const struct event_query query = {.limit = 10, .device_serial = "W-2"};
  const struct tag tag = tag_of(TAG_EVENT_DEVICE, bytes_of_text("W-2"));
  struct ledger_batch *batch = begin(bench->ledger);
  assert_true(ledger_add_event(batch, &event, &f));
  commit(batch);
  assert_true(ledger_tags_put(bench->ledger->tags.of[LOG_EVENTS], 1, &tag, &f));
  assert_tagged(bench->ledger, TAG_EVENT_DEVICE, bytes_of_text("W-2"), "[1]");
  assert_true(ledger_search_events(bench->ledger, &query, &page, &f));
  assert_int_equal(page.n, 0);
}

/* --- in which order --- */

/* As SQL gives them, without a sorter: the plan has none. */
static void assert_newest_first(struct ledger *ledger, int64_t bound, const char *ids)
{
  AUTO(fault) f = {0};
  AUTO(buf) found = {0};
  AUTO(ledger_call) call = {0};
  struct ledger_connection *c;
  uint8_t key[KEY_LEN];
  key_of(1, key);
  assert_true(ledger_borrow(ledger, &c, &f));
  assert_true(ledger_call_open_text(
      c, "SELECT id FROM tagged(0, ?1) t WHERE t.id < ?2 ORDER BY t.id DESC LIMIT 6", &call, &f));
  ledger_call_blob(&call, key, sizeof key);
  ledger_call_number(&call, bound);
  for (bool row = true; row;) {
    assert_true(ledger_call_step(&call, &row, &f));
    if (row)
      buf_addf(&found, " %lld", (long long)sqlite3_column_int64(call.statement, 0));
  }
  ledger_call_close(&call);
  ledger_give_back(ledger, c);
  assert_string_equal(buf_text(&found), ids);
}

static void rows_come_newest_first_from_below_a_bound(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  add_devices(bench->ledger, 1, 2);
  add_behind_its_back(bench, RUN - 2, OWN_KEYS);
  add_behind_its_back(bench, RUN + 2, 1);
  add_behind_its_back(bench, 2 * RUN + 1, OWN_KEYS);
  add_behind_its_back(bench, 2 * RUN + 3, 1);
  assert_true(ledger_probe(bench->ledger, &f));
  assert_newest_first(bench->ledger, INT64_MAX, " 131075 131074 65538 65537 65536 65535");
  assert_newest_first(bench->ledger, 2 * RUN + 3, " 131074 65538 65537 65536 65535 1");
  assert_newest_first(bench->ledger, 2 * RUN + 2, " 65538 65537 65536 65535 1");
  assert_newest_first(bench->ledger, RUN + 1, " 65536 65535 1");
  assert_newest_first(bench->ledger, RUN, " 65535 1");
  assert_newest_first(bench->ledger, RUN - 1, " 1");
  assert_newest_first(bench->ledger, 1, "");
  assert_newest_first(bench->ledger, 0, "");
  assert_newest_first(bench->ledger, -5, "");
}

static void a_row_that_has_a_tag_twice_is_there_once(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  uint8_t key[KEY_LEN];
  key_of(1, key);
  const struct tag tag = tag_of(TAG_KEY, bytes_of(key, sizeof key));
  add_devices(bench->ledger, 1, 1);
  assert_true(ledger_tags_put(bench->ledger->tags.of[LOG_CERTIFICATES], 1, &tag, &f));
  assert_found(bench->ledger, 1);
}

/* Tables rest on it: what was written once must be found for ever. */
#define OCTETS(text)                                                                               \
  {                                                                                                \
    (const uint8_t *)(text), sizeof(text) - 1                                                      \
  }
static void a_tag_never_changes(void **state)
{
  (void)state;
  static const struct {
    enum tag_kind kind;
    struct bytes value;
    struct tag tag;
  } known[] = {
      {TAG_IP, OCTETS("\x0a\x01\x01\x44"), {.bucket = 276, .octets = {0x56, 0xdc, 0x12, 0x31}}},
      {TAG_DNS, OCTETS("w-1.example"), {.bucket = 443, .octets = {0xb3, 0xcc, 0xea, 0x8a}}},
      {TAG_URI, OCTETS("urn:widget:1"), {.bucket = 143, .octets = {0xe2, 0xc3, 0x9b, 0xe4}}},
      {TAG_EVENT_DEVICE, OCTETS("W-1"), {.bucket = 371, .octets = {0x8b, 0xc2, 0x14, 0x12}}},
      {TAG_EVENT_SOURCE,
       OCTETS("\x0a\x01\x01\x44"),
       {.bucket = 141, .octets = {0x84, 0xe2, 0x6b, 0x8d}}},
  };
  for (size_t i = 0; i < ARRAY_LEN(known); i++) {
    struct tag tag = tag_of(known[i].kind, known[i].value);
    assert_int_equal(tag.bucket, known[i].tag.bucket);
    assert_memory_equal(tag.octets, known[i].tag.octets, sizeof tag.octets);
  }
}

/* As SQL may ask, beyond what searches do. */
static const struct {
  const char *sql;
  int64_t answer;
} questions[] = {
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id < 5.5", 1},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id >= 4.5", 1},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id >= -1", 1},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id < 'x'", 1},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id < NULL", 0},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id >= NULL", 0},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id < 9223372036854775807", 1},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id = 5", 1},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE rowid = 5", 1},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') WHERE id < 9 AND id < 8 AND id < 7 AND id < 6"
     " AND id < 100 AND id < 101 AND id < 102 AND id < 103 AND id < 104 AND id < 3",
     0},
    {"SELECT count(*) FROM tagged('2', 'w-5.example')", 1},
    {"SELECT count(*) FROM tagged(NULL, 'w-5.example')", 0},
    {"SELECT count(*) FROM tagged(-1, 'w-5.example')", 0},
    {"SELECT count(*) FROM tagged(6, 'w-5.example')", 0},
    {"SELECT count(*) FROM tagged(4294967298, 'w-5.example')", 0},
    {"SELECT count(*) FROM tagged(2, NULL)", 0},
    {"SELECT count(*) FROM tagged(2, '')", 0},
    {"SELECT count(*) FROM tagged WHERE kind = 2 AND value IN ('w-5.example', 'w-6.example')", 2},
    {"SELECT count(*) FROM tagged(2, 'w-5.example') a, tagged(2, 'w-5.example') b"
     " WHERE a.id = b.id",
     1},
    {"SELECT count(*) FROM certificates c LEFT JOIN tagged(2, 'w-5.example') t ON t.id = c.id"
     " WHERE t.id IS NULL",
     8},
    {"SELECT sum(n) FROM (SELECT (SELECT count(*) FROM tagged(2, 'w-' || c.id || '.example')) AS n"
     " FROM certificates c)",
     9},
    {"SELECT has_name(NULL, 2, 'x')", 0},
    {"SELECT has_name(x'30', 2, 'x')", 0},
    {"SELECT has_name('text', 2, NULL)", 0},
    {"SELECT has_name(der, 2, 'w-5.example') FROM certificates WHERE id = 5", 1},
    {"SELECT has_name(der, 4294967298, 'w-5.example') FROM certificates WHERE id = 5", 0},
    {"SELECT has_name(der, -1, 'w-5.example') FROM certificates WHERE id = 5", 0},
};

static void whatever_sql_asks_is_answered(void **state)
{
  struct bench *bench = *state;
  add_named_devices(bench->ledger, 1, 9);
  for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
    AUTO(fault) f = {0};
    int64_t answer = -1;
    if (!ledger_ask(bench->ledger->writer, questions[i].sql, &answer, &f) ||
        answer != questions[i].answer)
      fail_msg("%s: %lld %s", questions[i].sql, (long long)answer, f.detail);
  }
}

/* --- rows that nobody has looked up yet --- */

static void names_of_foreign_rows_are_found_at_once(void **state)
{
  struct bench *bench = *state;
  struct ledger_query query = {.limit = 10, .dns = "w-1.example"};
  add_named_devices(bench->ledger, 1, 3);
  add_behind_its_back(bench, 5, OWN_KEYS); /* copies of the first */
  assert_int_equal(count_found(bench->ledger, &query), 3);
  query.dns = "w-3.example";
  assert_int_equal(count_found(bench->ledger, &query), 1);
}

/* A foreign certificate may have names that we do not take beside those that we do. */
static void a_name_is_found_beside_one_that_is_not_taken(void **state)
{
  struct bench *bench = *state;
  AUTO(issued) row = device(1);
  AUTO(sans) names = {0};
  AUTO(fault) f = {0};
  const struct ledger_query query = {.limit = 10, .dns = "mint.example"};
  assert_true(sans_add(&names, SAN_DNS, bytes_of_text("mint.example"), &f));
  buf_clear(&row.der);
  size_t certificate = der_begin(&row.der, DER_SEQUENCE), tbs = der_begin(&row.der, DER_SEQUENCE);
  size_t tagged = der_begin(&row.der, DER_CONTEXT_CONSTRUCTED(3));
  size_t extensions = der_begin(&row.der, DER_SEQUENCE);
  struct extension_mark mark = extension_begin(&row.der, OID_SUBJECT_ALT_NAME, false);
  size_t list = der_begin(&row.der, DER_SEQUENCE);
  der_put(&row.der, DER_CONTEXT(1), bytes_of_text("admin@mint.example"));
  der_put(&row.der, DER_CONTEXT(2), bytes_of_text("_sip.mint.example"));
  der_put(&row.der, DER_CONTEXT(2), bytes_of_text("mint.example"));
  der_end(&row.der, list);
  extension_end(&row.der, mark);
  der_end(&row.der, extensions);
  der_end(&row.der, tagged);
  der_end(&row.der, tbs);
  der_end(&row.der, certificate);
  assert_int_equal(append_named(bench->ledger, &row, &names, false, NOW).code, FAULT_NONE);
  assert_int_equal(count_found(bench->ledger, &query), 1);
  reopen(bench);
  assert_int_equal(count_found(bench->ledger, &query), 1);
}

/* Memory has two runs: of one that is in no table either, all rows are looked at. */
static void a_run_that_is_nowhere_is_looked_through(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  add_devices(bench->ledger, 1, 100);
  add_behind_its_back(bench, 2 * RUN + 37, OWN_KEYS);
  assert_code_foreseen_for_stranger(bench->ledger, 50, FAULT_KEY_ALREADY_USED);
  struct ledger_batch *batch = begin(bench->ledger);
  assert_code_foreseen_for_stranger(bench->ledger, 50, FAULT_KEY_ALREADY_USED);
  ledger_roll_back(batch);
  assert_code_foreseen_for_stranger(bench->ledger, 50, FAULT_KEY_ALREADY_USED);
  assert_true(ledger_probe(bench->ledger, &f));
  assert_found(bench->ledger, 50);
}

static void a_row_without_a_digest_of_its_key_is_nobodys_hindrance(void **state)
{
  struct bench *bench = *state;
  add_devices(bench->ledger, 1, 3);
  run_foreign(bench,
              "INSERT INTO certificates (id, serial_number, device_serial, profile, station,"
              " authority, issued_at, not_before, not_after, spki_sha256, spki_prefix,"
              " request_sha256, der) SELECT 4, CAST(printf('%016d', 4) AS BLOB), 'W-4', profile,"
              " station, authority, issued_at, not_before, not_after, x'01', 0, request_sha256, der"
              " FROM certificates WHERE id = 1 AND ?1 = ?2",
              0, 0);
  add_devices(bench->ledger, 5, 5);
  reopen(bench);
  assert_found(bench->ledger, 5);
}

/* --- events --- */

static void add_events(struct ledger *ledger, unsigned first, unsigned last)
{
  AUTO(fault) f = {0};
  struct ledger_batch *batch = begin(ledger);
  for (unsigned n = first; n <= last; n++) {
    struct event event = {.kind = EVENT_REFUSED, .at_ms = INT64_C(1000) * NOW};
    snprintf(event.device_serial, LABEL_SIZE, "W-%u", n);
    snprintf(event.source, sizeof event.source, n % 2 == 0 ? "10.9.0.1" : "2001:db8::%x", n);
    if (!ledger_add_event(batch, &event, &f))
      fail_msg("event %u: %s", n, f.detail);
  }
  commit(batch);
}

static void add_events_behind_its_back(const struct bench *bench, int64_t last)
{
  run_foreign(bench,
              "INSERT INTO events (id, at) WITH RECURSIVE n (id) AS (SELECT max(id) + 1 FROM events"
              " UNION ALL SELECT id + 1 FROM n WHERE id < ?1) SELECT id, 1 FROM n WHERE ?2 = 0",
              last, 0);
}

static void assert_device_found(struct ledger *ledger, unsigned n)
{
  char device_serial[16], ids[32];
  snprintf(device_serial, sizeof device_serial, "W-%u", n);
  snprintf(ids, sizeof ids, "[%u]", n);
  assert_tagged(ledger, TAG_EVENT_DEVICE, bytes_of_text(device_serial), ids);
}

static void assert_events_found_around_the_end_of_run_0(struct ledger *ledger)
{
  static const uint8_t source[] = {10, 9, 0, 1};
  for (unsigned n = 65533; n <= 65539; n++)
    assert_device_found(ledger, n);
  assert_device_found(ledger, 1);
  assert_tagged(ledger, TAG_EVENT_DEVICE, bytes_of_text("W-65540"), "[]");
  assert_tagged(ledger, TAG_EVENT_SOURCE, bytes_of(source, sizeof source), "[2,65534,65536,65538]");
}

static int64_t count_rows_of_event_tags(const struct bench *bench)
{
  AUTO(fault) f = {0};
  int64_t n = 0;
  assert_true(ledger_ask(bench->ledger->writer, "SELECT count(*) FROM event_tags", &n, &f));
  return n;
}

static void devices_and_sources_of_events_are_found_on_both_sides_of_a_runs_end(void **state)
{
  struct bench *bench = *state;
  add_events(bench->ledger, 1, 2);
  add_events_behind_its_back(bench, 65532);
  add_events(bench->ledger, 65533, 65534);
  assert_int_equal(count_rows_of_event_tags(bench), 0);
  add_events(bench->ledger, 65535, 65539);
  assert_int_equal(count_rows_of_event_tags(bench), RUN_BUCKETS);
  assert_events_found_around_the_end_of_run_0(bench->ledger);
  reopen(bench);
  assert_int_equal(count_rows_of_event_tags(bench), RUN_BUCKETS);
  assert_events_found_around_the_end_of_run_0(bench->ledger);
}

static void events_that_were_rolled_back_are_not_found(void **state)
{
  struct bench *bench = *state;
  AUTO(fault) f = {0};
  const struct event event = {.kind = EVENT_REFUSED, .device_serial = "W-3"};
  add_events(bench->ledger, 1, 2);
  struct ledger_batch *batch = begin(bench->ledger);
  assert_true(ledger_add_event(batch, &event, &f));
  ledger_roll_back(batch);
  add_events(bench->ledger, 3, 3);
  assert_device_found(bench->ledger, 3);
  batch = begin(bench->ledger);
  assert_true(ledger_add_event(batch, &event, &f));
  ledger_roll_back(batch);
  add_events(bench->ledger, 4, 4);
  assert_device_found(bench->ledger, 3);
  assert_device_found(bench->ledger, 4);
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
      TEST(names_are_found_on_both_sides_of_a_runs_end),
      TEST(names_of_foreign_rows_are_read_in_their_certificates),
      TEST(names_that_were_rolled_back_are_not_found),
      TEST(the_row_decides_whether_it_has_the_name),
      TEST(the_event_decides_whether_it_has_the_device),
      TEST(rows_come_newest_first_from_below_a_bound),
      TEST(a_row_that_has_a_tag_twice_is_there_once),
      TEST(a_tag_never_changes),
      TEST(whatever_sql_asks_is_answered),
      TEST(names_of_foreign_rows_are_found_at_once),
      TEST(a_name_is_found_beside_one_that_is_not_taken),
      TEST(a_run_that_is_nowhere_is_looked_through),
      TEST(a_row_without_a_digest_of_its_key_is_nobodys_hindrance),
      TEST(devices_and_sources_of_events_are_found_on_both_sides_of_a_runs_end),
      TEST(events_that_were_rolled_back_are_not_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
