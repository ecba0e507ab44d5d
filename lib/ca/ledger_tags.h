/* ledger_tags.h - which rows have a key, a name, a device or a source: five octets of each value,
 * its tag, find the row, and the row tells whether it has the value. Whole runs of rows are in a
 * table (sql/0015-tags.sql), the newest rows in memory (up to two megabytes for each of two logs:
 * that of certificates and that of events). An index of SQLite's would be written with every row,
 * here and there; this one is written once in 65,536 rows, and in one place. For ledger*.c alone.
 *
 * Threads: ledger_tags_last(), _read() and _written() from any; the rest from the one that
 * holds the writer's lock. */
#pragma once
#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/ledger_sql.h"

struct ledger_call;
struct ledger_connection;
struct ledger_tags;

/* Tables rest on all of these, and on tag_of(). */
enum { TAG_RUN_ROWS = 65536, TAG_BUCKETS = 512, TAG_SLOTS = 2, TAG_ENTRY_LEN = 6 };

/* Of what. Names have the numbers of enum san_kind. */
enum tag_kind {
  TAG_KEY, /* SHA-256 of the public key */
  TAG_IP,
  TAG_DNS,
  TAG_URI,
  TAG_EVENT_DEVICE, /* device_serial */
  TAG_EVENT_SOURCE, /* an address, 4 or 16 octets */
  TAG_KIND_END
};

/* A bucket, and four octets that tell the value from nearly all others there. */
struct tag {
  enum tag_kind kind;
  uint16_t bucket; /* below TAG_BUCKETS */
  uint8_t octets[4];
};
struct tag tag_of(enum tag_kind kind, struct bytes value);

/* Rows of which table, how they are read again, and where their tags are written. */
struct tag_log {
  enum ledger_sql written; /* how many runs are */
  enum ledger_sql entries; /* of one run, slot and bucket */
  enum ledger_sql add, rows_between;
  /* Puts all tags of a row of rows_between; its first column is the id. */
  bool (*put_row)(struct ledger_tags *tags, const struct ledger_call *row, struct fault *f);
};
extern const struct tag_log tag_logs[LOG_COUNT]; /* ledger_tag_logs.c */
enum ledger_log tag_log_of(enum tag_kind kind);

/* Reads the newest rows, and writes the runs that are whole and not in the table yet, each in a
 * transaction of its own. LEDGER, NO_MEMORY. */
bool ledger_tags_new(const struct tag_log *log, struct ledger_connection *writer, int64_t last_id,
                     struct ledger_tags **ret_tags, struct fault *f);
void ledger_tags_free(struct ledger_tags *tags); /* accepts NULL */

/* A transaction has begun on a log whose newest row is this one: forgets rows that were rolled
 * back, reads those that came from elsewhere. */
bool ledger_tags_begin(struct ledger_tags *tags, struct ledger_connection *writer, int64_t last_id,
                       struct fault *f);
/* What it has added stays. */
void ledger_tags_commit(struct ledger_tags *tags);
/* The row behind the last one has it. */
bool ledger_tags_put(struct ledger_tags *tags, int64_t id, const struct tag *tag, struct fault *f);
/* The row was added, and all of its tags were put. The last row of a run writes the run. */
bool ledger_tags_end_row(struct ledger_tags *tags, struct ledger_connection *writer, int64_t id,
                         struct fault *f);

/* The newest row that it knows of: later ones came from elsewhere, or this very moment. */
int64_t ledger_tags_last(const struct ledger_tags *tags);
/* Appends a uint16_t for each row of a run that may have the value, in the order of rows, id %
 * TAG_RUN_ROWS; whether they do, and whether c's transaction sees them, the rows tell. `written`:
 * so many runs are in the table in c's transaction; later ones are in memory. Where one is in
 * neither, because the transaction is older than two runs, all of its rows may have it. */
bool ledger_tags_read(struct ledger_tags *tags, struct ledger_connection *c, int64_t run,
                      int64_t written, const struct tag *tag, struct buf *out, struct fault *f);
/* So many runs are in the table in c's transaction. */
bool ledger_tags_written(struct ledger_tags *tags, struct ledger_connection *c, int64_t *ret_runs,
                         struct fault *f);
