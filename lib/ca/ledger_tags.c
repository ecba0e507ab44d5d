/* ledger_tags.c - see ledger_tags.h. */
#include "lib/ca/ledger_tags.h"

#include <stdlib.h>

#include "lib/ca/ledger_private.h"

/* Two runs: the one that grows, and the one before it, for readers whose snapshot is older than its
 * rows in the table. */
enum { RUNS_AT_HAND = 2, NO_RUN = -1 };

struct tag_run {
  int64_t run; /* NO_RUN: none */
  struct buf buckets[TAG_SLOTS][TAG_BUCKETS];
};

struct ledger_tags {
  const struct tag_log *log;
  pthread_mutex_t lock; /* of the runs */
  struct tag_run runs[RUNS_AT_HAND];
  int64_t last_id; /* the newest row that is here or in the table; -1: none */
  /* As of the last commit: what came since is gone when a transaction begins. */
  _Atomic int64_t committed;
};

static int64_t run_of(int64_t id)
{
  return id / TAG_RUN_ROWS;
}

/* --- runs in memory --- */

/* Each log has its keys or devices in the first slot, its names or sources in the other. */
static size_t slot_of(enum tag_kind kind)
{
  return kind != TAG_KEY && kind != TAG_EVENT_DEVICE;
}

static void clear(struct tag_run *run)
{
  run->run = NO_RUN;
  for (size_t i = 0; i < TAG_SLOTS; i++)
    for (size_t j = 0; j < TAG_BUCKETS; j++)
      buf_clear(&run->buckets[i][j]);
}

static struct tag_run *place_of(struct ledger_tags *tags, int64_t run)
{
  return &tags->runs[run % RUNS_AT_HAND];
}

static bool has(struct ledger_tags *tags, int64_t run)
{
  return place_of(tags, run)->run == run;
}

static uint16_t low_of(const uint8_t *entry)
{
  return (uint16_t)(entry[4] << 8 | entry[5]);
}

/* The place of a row's run, which it may be the first of. */
static struct tag_run *open_run(struct ledger_tags *tags, int64_t id)
{
  struct tag_run *run = place_of(tags, run_of(id));
  if (run->run != run_of(id)) {
    clear(run);
    run->run = run_of(id);
  }
  return run;
}

bool ledger_tags_put(struct ledger_tags *tags, int64_t id, const struct tag *tag, struct fault *f)
{
  uint16_t low = (uint16_t)(id % TAG_RUN_ROWS);
  const uint8_t entry[TAG_ENTRY_LEN] = {tag->octets[0], tag->octets[1],      tag->octets[2],
                                        tag->octets[3], (uint8_t)(low >> 8), (uint8_t)low};
  tags->last_id = id;
  pthread_mutex_lock(&tags->lock);
  struct buf *bucket = &open_run(tags, id)->buckets[slot_of(tag->kind)][tag->bucket];
  buf_add(bucket, entry, sizeof entry);
  bool ok = buf_ok(bucket);
  bucket->failed = false; /* what it had is good; this transaction is not */
  pthread_mutex_unlock(&tags->lock);
  return ok || fault_no_memory(f);
}

static void drop_from_bucket(const struct tag_run *run, int64_t last_id, struct buf *bucket)
{
  while (bucket->len > 0 &&
         run->run * TAG_RUN_ROWS + low_of(bucket->data + bucket->len - TAG_ENTRY_LEN) > last_id)
    bucket->len -= TAG_ENTRY_LEN;
}

static void drop_behind(struct tag_run *run, int64_t last_id)
{
  for (size_t i = 0; i < TAG_SLOTS; i++)
    for (size_t j = 0; j < TAG_BUCKETS; j++)
      drop_from_bucket(run, last_id, &run->buckets[i][j]);
}

/* --- the table --- */

static int64_t row_of(int64_t run, size_t slot, size_t bucket)
{
  return (run * TAG_SLOTS + (int64_t)slot) * TAG_BUCKETS + (int64_t)bucket;
}

static bool write_bucket(struct ledger_tags *tags, struct ledger_connection *writer, int64_t row,
                         const struct buf *bucket, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, tags->log->add, &call, f))
    return false;
  ledger_call_number(&call, row);
  ledger_call_blob(&call, bucket->len > 0 ? (const void *)bucket->data : "", bucket->len);
  return ledger_call_run(&call, f);
}

static bool write_run(struct ledger_tags *tags, struct ledger_connection *writer,
                      const struct tag_run *run, struct fault *f)
{
  for (size_t i = 0; i < TAG_SLOTS; i++)
    for (size_t j = 0; j < TAG_BUCKETS; j++)
      if (!write_bucket(tags, writer, row_of(run->run, i, j), &run->buckets[i][j], f))
        return false;
  return true;
}

bool ledger_tags_written(struct ledger_tags *tags, struct ledger_connection *c, int64_t *ret_runs,
                         struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, tags->log->written, &call, f) || !ledger_call_run(&call, f))
    return false;
  *ret_runs = sqlite3_column_int64(call.statement, 0);
  if (*ret_runs < 0 || *ret_runs > INT32_MAX)
    return fault_set(f, LEDGER, "%s: tags cannot be read: %lld runs", c->path,
                     (long long)*ret_runs);
  return true;
}

/* The last row of the runs that are in the table. */
static bool last_written(struct ledger_tags *tags, struct ledger_connection *c, int64_t *ret_id,
                         struct fault *f)
{
  int64_t runs;
  if (!ledger_tags_written(tags, c, &runs, f))
    return false;
  *ret_id = runs * TAG_RUN_ROWS - 1;
  return true;
}

bool ledger_tags_end_row(struct ledger_tags *tags, struct ledger_connection *writer, int64_t id,
                         struct fault *f)
{
  tags->last_id = id;
  if (!has(tags, run_of(id))) { /* it has no tags at all */
    pthread_mutex_lock(&tags->lock);
    open_run(tags, id);
    pthread_mutex_unlock(&tags->lock);
  }
  return id % TAG_RUN_ROWS != TAG_RUN_ROWS - 1 ||
         write_run(tags, writer, place_of(tags, run_of(id)), f);
}

/* --- rows that are in the ledger and not here --- */

static bool take_row(struct ledger_tags *tags, struct ledger_connection *writer,
                     const struct ledger_call *row, struct fault *f)
{
  return tags->log->put_row(tags, row, f) &&
         ledger_tags_end_row(tags, writer, sqlite3_column_int64(row->statement, 0), f);
}

static bool catch_up(struct ledger_tags *tags, struct ledger_connection *writer, int64_t until,
                     struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool row = tags->last_id < until;
  if (!row)
    return true;
  if (!ledger_call_open(writer, tags->log->rows_between, &call, f))
    return false;
  ledger_call_number(&call, tags->last_id);
  ledger_call_number(&call, until);
  while (row)
    if (!ledger_call_step(&call, &row, f) || (row && !take_row(tags, writer, &call, f)))
      return false;
  tags->last_id = until;
  return true;
}

/* Forgets what is behind the row; all that is not in the table, when its run is not at hand. */
static bool go_back(struct ledger_tags *tags, struct ledger_connection *writer, int64_t last_id,
                    struct fault *f)
{
  pthread_mutex_lock(&tags->lock);
  for (size_t i = 0; i < RUNS_AT_HAND; i++)
    drop_behind(&tags->runs[i], last_id);
  pthread_mutex_unlock(&tags->lock);
  tags->last_id = last_id;
  return has(tags, run_of(last_id)) || last_written(tags, writer, &tags->last_id, f);
}

bool ledger_tags_begin(struct ledger_tags *tags, struct ledger_connection *writer, int64_t last_id,
                       struct fault *f)
{
  int64_t committed = atomic_load(&tags->committed);
  int64_t known = last_id < committed ? last_id : committed;
  if (known < tags->last_id && !go_back(tags, writer, known, f))
    return false;
  atomic_store(&tags->committed, tags->last_id);
  return catch_up(tags, writer, last_id, f);
}

void ledger_tags_commit(struct ledger_tags *tags)
{
  atomic_store(&tags->committed, tags->last_id);
}

static bool catch_up_durably(struct ledger_tags *tags, struct ledger_connection *writer,
                             int64_t until, struct fault *f)
{
  AUTO(fault) ignored = {0};
  if (!ledger_run(writer, SQL_BEGIN, f))
    return false;
  if (catch_up(tags, writer, until, f) && ledger_run(writer, SQL_COMMIT, f))
    return true;
  if (!sqlite3_get_autocommit(writer->db))
    ledger_run(writer, SQL_ROLLBACK, &ignored);
  return false;
}

AUTO_POINTER(ledger_tags, struct ledger_tags, ledger_tags_free)

bool ledger_tags_new(const struct tag_log *log, struct ledger_connection *writer, int64_t last_id,
                     struct ledger_tags **ret_tags, struct fault *f)
{
  AUTO(ledger_tags) tags = calloc(1, sizeof *tags);
  if (tags == NULL)
    return fault_no_memory(f);
  tags->log = log;
  pthread_mutex_init(&tags->lock, NULL);
  for (size_t i = 0; i < RUNS_AT_HAND; i++)
    tags->runs[i].run = NO_RUN;
  if (!last_written(tags, writer, &tags->last_id, f))
    return false;
  while (tags->last_id < last_id) {
    int64_t end = (run_of(tags->last_id + 1) + 1) * TAG_RUN_ROWS - 1;
    if (!catch_up_durably(tags, writer, end < last_id ? end : last_id, f))
      return false;
  }
  ledger_tags_commit(tags);
  *ret_tags = TAKE(tags);
  return true;
}

void ledger_tags_free(struct ledger_tags *tags)
{
  if (tags == NULL)
    return;
  for (size_t i = 0; i < RUNS_AT_HAND; i++)
    for (size_t j = 0; j < TAG_SLOTS; j++)
      for (size_t k = 0; k < TAG_BUCKETS; k++)
        buf_free(&tags->runs[i].buckets[j][k]);
  pthread_mutex_destroy(&tags->lock);
  free(tags);
}

/* --- finding --- */

int64_t ledger_tags_last(const struct ledger_tags *tags)
{
  return atomic_load(&tags->committed);
}

static uint32_t number_of(const uint8_t octets[4])
{
  uint32_t number;
  memcpy(&number, octets, sizeof number);
  return number;
}

static void add_found(struct bytes entries, const struct tag *tag, struct buf *out)
{
  const uint32_t wanted = number_of(tag->octets);
  for (const uint8_t *e = entries.data, *end = e + entries.len; e < end; e += TAG_ENTRY_LEN)
    if (number_of(e) == wanted) {
      uint16_t low = low_of(e);
      buf_add(out, &low, sizeof low);
    }
}

static bool read_in_table(struct ledger_tags *tags, struct ledger_connection *c, int64_t run,
                          const struct tag *tag, struct buf *out, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  int64_t id = row_of(run, slot_of(tag->kind), tag->bucket);
  bool row;
  if (!ledger_call_open(c, tags->log->entries, &call, f))
    return false;
  ledger_call_number(&call, id);
  if (!ledger_call_step(&call, &row, f))
    return false;
  struct bytes entries = row ? ledger_call_column(&call, 0) : (struct bytes){0};
  if (!row || entries.len % TAG_ENTRY_LEN != 0)
    return fault_set(f, LEDGER, "%s: tags cannot be read: row %lld", c->path, (long long)id);
  add_found(entries, tag, out);
  return true;
}

static bool read_in_memory(struct ledger_tags *tags, int64_t run, const struct tag *tag,
                           struct buf *out)
{
  pthread_mutex_lock(&tags->lock);
  bool is_here = has(tags, run);
  if (is_here)
    add_found(buf_bytes(&place_of(tags, run)->buckets[slot_of(tag->kind)][tag->bucket]), tag, out);
  pthread_mutex_unlock(&tags->lock);
  return is_here;
}

/* The run is neither in the table of a snapshot that is old, nor in memory any more. */
static void add_all(struct buf *out)
{
  for (uint32_t row = 0; row < TAG_RUN_ROWS; row++) {
    uint16_t low = (uint16_t)row;
    buf_add(out, &low, sizeof low);
  }
}

bool ledger_tags_read(struct ledger_tags *tags, struct ledger_connection *c, int64_t run,
                      int64_t written, const struct tag *tag, struct buf *out, struct fault *f)
{
  if (run < written && !read_in_table(tags, c, run, tag, out, f))
    return false;
  if (run >= written && !read_in_memory(tags, run, tag, out))
    add_all(out);
  return buf_ok(out) || fault_no_memory(f);
}
