/* ledger_keys.c - see ledger_keys.h. */
#include "lib/ca/ledger_keys.h"

#include <stdlib.h>

#include "lib/ca/ledger_private.h"

/* Two runs: the one that grows, and the one before it, for readers whose snapshot is older than its
 * rows in the table. */
enum { RUNS_AT_HAND = 2, NO_RUN = -1 };

struct key_run {
  int64_t run; /* NO_RUN: none */
  struct buf buckets[KEY_BUCKETS];
};

struct ledger_keys {
  pthread_mutex_t lock; /* of the runs */
  struct key_run runs[RUNS_AT_HAND];
  int64_t last_id;   /* the newest row that is here or in the table; -1: none */
  int64_t committed; /* as of the last commit: what came since is gone when a transaction begins */
};

struct key_tag key_tag_of(const uint8_t spki_sha256[32])
{
  struct key_tag tag = {.bucket = spki_sha256[0] >> 1};
  memcpy(tag.octets, spki_sha256 + 1, sizeof tag.octets);
  return tag;
}

static int64_t run_of(int64_t id)
{
  return id / KEY_RUN_ROWS;
}

/* --- runs in memory --- */

static void clear(struct key_run *run)
{
  run->run = NO_RUN;
  for (size_t i = 0; i < KEY_BUCKETS; i++)
    buf_clear(&run->buckets[i]);
}

static struct key_run *place_of(struct ledger_keys *keys, int64_t run)
{
  return &keys->runs[run % RUNS_AT_HAND];
}

static bool has(struct ledger_keys *keys, int64_t run)
{
  return place_of(keys, run)->run == run;
}

static int64_t entry_id(const struct key_run *run, const uint8_t *entry)
{
  return run->run * KEY_RUN_ROWS + (entry[4] << 8 | entry[5]);
}

static bool put(struct ledger_keys *keys, int64_t id, const uint8_t spki_sha256[32],
                struct fault *f)
{
  struct key_tag tag = key_tag_of(spki_sha256);
  struct key_run *run = place_of(keys, run_of(id));
  uint16_t low = (uint16_t)(id % KEY_RUN_ROWS);
  const uint8_t entry[KEY_ENTRY_LEN] = {tag.octets[0], tag.octets[1],       tag.octets[2],
                                        tag.octets[3], (uint8_t)(low >> 8), (uint8_t)low};
  pthread_mutex_lock(&keys->lock);
  if (run->run != run_of(id)) {
    clear(run);
    run->run = run_of(id);
  }
  struct buf *bucket = &run->buckets[tag.bucket];
  buf_add(bucket, entry, sizeof entry);
  bool ok = buf_ok(bucket);
  bucket->failed = false; /* what it had is good; this transaction is not */
  pthread_mutex_unlock(&keys->lock);
  return ok || fault_no_memory(f);
}

static void drop_behind(struct key_run *run, int64_t last_id)
{
  for (size_t i = 0; i < KEY_BUCKETS; i++) {
    struct buf *bucket = &run->buckets[i];
    while (bucket->len > 0 && entry_id(run, bucket->data + bucket->len - KEY_ENTRY_LEN) > last_id)
      bucket->len -= KEY_ENTRY_LEN;
  }
}

/* --- the table --- */

static bool write_bucket(struct ledger_connection *writer, int64_t id, const struct buf *bucket,
                         struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_ADD_KEYS, &call, f))
    return false;
  ledger_call_number(&call, id);
  ledger_call_blob(&call, bucket->len > 0 ? (const void *)bucket->data : "", bucket->len);
  return ledger_call_run(&call, f);
}

static bool write_run(struct ledger_connection *writer, const struct key_run *run, struct fault *f)
{
  for (size_t i = 0; i < KEY_BUCKETS; i++)
    if (!write_bucket(writer, run->run * KEY_BUCKETS + (int64_t)i, &run->buckets[i], f))
      return false;
  return true;
}

/* The last row of the runs that are in the table. */
static bool last_written(struct ledger_connection *c, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, SQL_WRITTEN_RUNS, &call, f) || !ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_column_int64(call.statement, 0) * KEY_RUN_ROWS - 1;
  return true;
}

bool ledger_keys_add(struct ledger_keys *keys, struct ledger_connection *writer, int64_t id,
                     const uint8_t spki_sha256[32], struct fault *f)
{
  if (!put(keys, id, spki_sha256, f))
    return false;
  keys->last_id = id;
  return id % KEY_RUN_ROWS != KEY_RUN_ROWS - 1 || write_run(writer, place_of(keys, run_of(id)), f);
}

/* --- rows that are in the ledger and not here --- */

static bool take_row(struct ledger_keys *keys, struct ledger_connection *writer,
                     const struct ledger_call *call, struct fault *f)
{
  struct bytes spki_sha256 = ledger_call_column(call, 1);
  if (spki_sha256.len != PUBKEY_SHA256_LEN)
    return fault_set(f, LEDGER, "%s: certificate %lld has no digest of its key", writer->path,
                     (long long)sqlite3_column_int64(call->statement, 0));
  return ledger_keys_add(keys, writer, sqlite3_column_int64(call->statement, 0), spki_sha256.data,
                         f);
}

static bool catch_up(struct ledger_keys *keys, struct ledger_connection *writer, int64_t until,
                     struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool row = keys->last_id < until;
  if (!row)
    return true;
  if (!ledger_call_open(writer, SQL_KEYS_BETWEEN, &call, f))
    return false;
  ledger_call_number(&call, keys->last_id);
  ledger_call_number(&call, until);
  while (row)
    if (!ledger_call_step(&call, &row, f) || (row && !take_row(keys, writer, &call, f)))
      return false;
  keys->last_id = until;
  return true;
}

/* Forgets what is behind the row; all that is not in the table, when its run is not at hand. */
static bool go_back(struct ledger_keys *keys, struct ledger_connection *writer, int64_t last_id,
                    struct fault *f)
{
  pthread_mutex_lock(&keys->lock);
  for (size_t i = 0; i < RUNS_AT_HAND; i++)
    drop_behind(&keys->runs[i], last_id);
  pthread_mutex_unlock(&keys->lock);
  keys->last_id = last_id;
  return has(keys, run_of(last_id)) || last_written(writer, &keys->last_id, f);
}

bool ledger_keys_begin(struct ledger_keys *keys, struct ledger_connection *writer, int64_t last_id,
                       struct fault *f)
{
  int64_t known = last_id < keys->committed ? last_id : keys->committed;
  if (known < keys->last_id && !go_back(keys, writer, known, f))
    return false;
  keys->committed = keys->last_id;
  return catch_up(keys, writer, last_id, f);
}

void ledger_keys_commit(struct ledger_keys *keys)
{
  keys->committed = keys->last_id;
}

static bool catch_up_durably(struct ledger_keys *keys, struct ledger_connection *writer,
                             int64_t until, struct fault *f)
{
  AUTO(fault) ignored = {0};
  if (!ledger_run(writer, SQL_BEGIN, f))
    return false;
  if (catch_up(keys, writer, until, f) && ledger_run(writer, SQL_COMMIT, f))
    return true;
  if (!sqlite3_get_autocommit(writer->db))
    ledger_run(writer, SQL_ROLLBACK, &ignored);
  return false;
}

AUTO_POINTER(ledger_keys, struct ledger_keys, ledger_keys_free)

bool ledger_keys_new(struct ledger_connection *writer, int64_t last_id,
                     struct ledger_keys **ret_keys, struct fault *f)
{
  AUTO(ledger_keys) keys = calloc(1, sizeof *keys);
  if (keys == NULL)
    return fault_no_memory(f);
  pthread_mutex_init(&keys->lock, NULL);
  for (size_t i = 0; i < RUNS_AT_HAND; i++)
    keys->runs[i].run = NO_RUN;
  if (!last_written(writer, &keys->last_id, f))
    return false;
  while (keys->last_id < last_id) {
    int64_t end = (run_of(keys->last_id + 1) + 1) * KEY_RUN_ROWS - 1;
    if (!catch_up_durably(keys, writer, end < last_id ? end : last_id, f))
      return false;
  }
  ledger_keys_commit(keys);
  *ret_keys = TAKE(keys);
  return true;
}

void ledger_keys_free(struct ledger_keys *keys)
{
  if (keys == NULL)
    return;
  for (size_t i = 0; i < RUNS_AT_HAND; i++)
    for (size_t j = 0; j < KEY_BUCKETS; j++)
      buf_free(&keys->runs[i].buckets[j]);
  pthread_mutex_destroy(&keys->lock);
  free(keys);
}

/* --- finding --- */

static void add_found(int64_t run, struct bytes entries, const struct key_tag *tag, struct buf *out)
{
  for (const uint8_t *e = entries.data, *end = e + entries.len; e < end; e += KEY_ENTRY_LEN)
    if (memcmp(e, tag->octets, sizeof tag->octets) == 0)
      buf_addf(out, "%s%lld", out->len > 1 ? "," : "",
               (long long)(run * KEY_RUN_ROWS + (e[4] << 8 | e[5])));
}

/* *ret_runs: how many the table has, in c's transaction. */
static bool find_in_table(struct ledger_connection *c, const struct key_tag *tag, struct buf *out,
                          int64_t *ret_runs, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  *ret_runs = 0;
  if (!ledger_call_open(c, SQL_KEYS_OF_BUCKET, &call, f))
    return false;
  ledger_call_number(&call, tag->bucket);
  for (bool row = true; row;) {
    if (!ledger_call_step(&call, &row, f))
      return false;
    struct bytes entries = row ? ledger_call_column(&call, 1) : (struct bytes){0};
    if (entries.len % KEY_ENTRY_LEN != 0)
      return fault_set(f, LEDGER, "%s: keys cannot be read: row %lld", c->path,
                       (long long)(*ret_runs * KEY_BUCKETS + tag->bucket));
    if (row)
      add_found(sqlite3_column_int64(call.statement, 0), entries, tag, out), ++*ret_runs;
  }
  return true;
}

static void find_in_memory(struct ledger_keys *keys, const struct key_tag *tag, int64_t from_run,
                           struct buf *out)
{
  pthread_mutex_lock(&keys->lock);
  for (size_t i = 0; i < RUNS_AT_HAND; i++) {
    const struct key_run *run = &keys->runs[i];
    if (run->run >= from_run)
      add_found(run->run, buf_bytes(&run->buckets[tag->bucket]), tag, out);
  }
  pthread_mutex_unlock(&keys->lock);
}

bool ledger_keys_find(struct ledger_keys *keys, struct ledger_connection *c,
                      const uint8_t spki_sha256[32], struct buf *out, bool *ret_any,
                      struct fault *f)
{
  const struct key_tag tag = key_tag_of(spki_sha256);
  int64_t runs;
  buf_clear(out);
  buf_add_text(out, "[");
  if (!find_in_table(c, &tag, out, &runs, f))
    return false;
  find_in_memory(keys, &tag, runs, out);
  *ret_any = out->len > 1;
  buf_add_text(out, "]");
  return buf_ok(out) || fault_no_memory(f);
}
