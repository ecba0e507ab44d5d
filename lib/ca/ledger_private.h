/* ledger_private.h - what the files of the ledger share. Only they include it, and the tests that
 * open a ledger behind its back. */
#pragma once
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "lib/base/embedded.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger.h"
#include "lib/ca/ledger_backup.h"
#include "lib/ca/ledger_checkpoint.h"
#include "lib/ca/ledger_filters.h"
#include "lib/ca/ledger_known.h"
#include "lib/ca/ledger_sql.h"
#include "lib/ca/ledger_tags.h"
#include "lib/ca/order.h"

/* --- connections: ledger_connection.c --- */

/* An order that certificates are issued under, as of the open transaction. */
struct ledger_order_use {
  struct order order;       /* with what was counted since it was read */
  int64_t issued, replaced; /* of that, what is not written yet */
};
enum { ORDER_USES = 8 };
struct ledger_order_uses {
  struct ledger_order_use of[ORDER_USES];
  size_t n;
  uint64_t generation; /* of orders in memory, before the transaction's first question */
};

/* Of the rows of each log. */
struct ledger_tag_logs {
  struct ledger_tags *of[LOG_COUNT];
};

/* One connection with its prepared statements; used by one thread at a time. */
struct ledger_connection {
  sqlite3 *db;
  const char *path;                   /* borrowed, for messages */
  const struct ledger_tag_logs *tags; /* borrowed, of the ledger whose connection it is */
  sqlite3_stmt *statements[SQL_COUNT];
  struct ledger_order_uses orders; /* ledger_order_use.c */
  struct ledger_connection *next;  /* in the pool */
};

enum ledger_access { LEDGER_READS, LEDGER_WRITES, LEDGER_CHECKPOINTS, LEDGER_ACCESS_COUNT };

/* Opens an existing file. A writer is not set up yet: see ledger_connection_set_up_writer(). */
bool ledger_connection_open(const char *path, enum ledger_access access,
                            struct ledger_connection **ret_connection, struct fault *f);
/* WAL and a full sync at each commit. To be called once it is sure that the file is ours. */
bool ledger_connection_set_up_writer(struct ledger_connection *c, struct fault *f);
void ledger_connection_close(struct ledger_connection *c);
AUTO_POINTER(ledger_connection, struct ledger_connection, ledger_connection_close)

/* LEDGER (or NO_MEMORY) with the path and SQLite's own words. */
bool ledger_sqlite_fault(const struct ledger_connection *c, struct fault *f);
/* Runs SQL without results. */
bool ledger_execute(struct ledger_connection *c, const char *sql, struct fault *f);
/* The one number that a PRAGMA or SELECT gives. */
bool ledger_ask(struct ledger_connection *c, const char *sql, int64_t *ret_number, struct fault *f);

/* --- one run of a statement: ledger_call.c --- */

/* Values are bound one after the other (a failure is seen by the next step), then rows are stepped
 * through. What is bound is borrowed until the call is closed. */
struct ledger_call {
  struct ledger_connection *connection;
  sqlite3_stmt *statement;
  int bound;  /* parameters so far */
  int status; /* of the bindings */
  bool owned; /* finalized at the end, not kept for the next time */
};
bool ledger_call_open(struct ledger_connection *c, enum ledger_sql sql, struct ledger_call *call,
                      struct fault *f);
/* For a statement that was put together; it is not kept. Values beyond its last parameter are
 * stepped over. */
bool ledger_call_open_text(struct ledger_connection *c, const char *sql, struct ledger_call *call,
                           struct fault *f);
void ledger_call_text(struct ledger_call *call, const char *text);         /* NULL and "": NULL */
void ledger_call_text_octets(struct ledger_call *call, struct bytes text); /* never NULL */
void ledger_call_blob(struct ledger_call *call, const void *octets, size_t len);
void ledger_call_number(struct ledger_call *call, int64_t number);
void ledger_call_null(struct ledger_call *call);
void ledger_call_id(struct ledger_call *call, int64_t id); /* 0: NULL */
/* *ret_row: is there a row to read? False when SQLite failed. */
bool ledger_call_step(struct ledger_call *call, bool *ret_row, struct fault *f);
/* Steps to the end of a statement that gives no rows. */
bool ledger_call_run(struct ledger_call *call, struct fault *f);
struct bytes ledger_call_column(const struct ledger_call *call, int column); /* TEXT or BLOB */
void ledger_call_close(struct ledger_call *call);
AUTO_VALUE(ledger_call, struct ledger_call, ledger_call_close)

/* A statement without parameters and results. */
bool ledger_run(struct ledger_connection *c, enum ledger_sql sql, struct fault *f);

/* --- triggers: ledger_guards.c --- */

/* From now on the writer is not slowed by what only others need. When the schema is up to date. */
bool ledger_guards_set(struct ledger_connection *writer, struct fault *f);

/* --- tags: ledger_tag_logs.c, ledger_candidates.c, ledger_has_name.c --- */

/* All tags of a row that is added; ledger_tags_end_row() is to follow. Empty: it has none. */
bool ledger_tags_put_certificate(struct ledger_tags *tags, int64_t id,
                                 const uint8_t spki_sha256[32], const struct sans *names,
                                 struct fault *f);
bool ledger_tags_put_event(struct ledger_tags *tags, int64_t id, struct bytes device_serial,
                           struct bytes source, struct fault *f);
/* What SQL has of ours on a connection: the tables tagged() and marked(), the function has_name().
 */
bool ledger_candidates_add(struct ledger_connection *c, struct fault *f);
bool ledger_has_name_add(struct ledger_connection *c, struct fault *f);

/* --- the ledger: ledger.c --- */

/* What rows that were added say about their span, and the table does not say yet. */
struct ledger_span {
  int64_t id; /* the rows' id / SPAN_ROWS */
  int64_t issued_min, issued_max, not_after_min, not_after_max;
  bool pending; /* there are such rows */
};

/* The same for events. */
struct ledger_event_span {
  int64_t id, at_min, at_max;
  bool pending;
};

/* How many certificates of one span were revoked, less those that are good again. */
struct ledger_revoked {
  int64_t span, n;
};

/* A row of tallies; order, station and outcome are labels. */
struct ledger_tally {
  int64_t order, station, hour, outcome, n;
};
enum { BATCH_TALLIES = 32 };

/* Of the newest rows, for marks: ledger_mark.c. Those from `from` on, in front of `behind`, are
 * here. */
struct ledger_labels {
  int64_t from, behind, committed; /* the last is `behind` as of the last commit */
  int64_t of[MARK_RUN_ROWS][MARK_LABELS];
};

/* How lines of one batch of requests ended; 0: of none. */
struct ledger_batch_counts {
  int64_t batch, issued, replayed, refused;
};

struct ledger_batch {
  struct ledger *ledger;
  int64_t last_id, last_event, last_revocation;
  bool has_last_event, has_last_revocation;
  struct ledger_span span;
  struct ledger_event_span event_span;
  int64_t marked[LOG_COUNT];                  /* rows before these are */
  struct ledger_revoked revoked;              /* not written yet */
  struct ledger_tally tallies[BATCH_TALLIES]; /* not written yet */
  size_t n_tallies;
  char authority[LABEL_SIZE];        /* whose certificates were counted last */
  int64_t authority_issued;          /* not written yet */
  struct ledger_batch_counts counts; /* likewise */
  bool has_changed_principal;
  bool failed; /* SQLite failed within: it can only be rolled back */
  uint64_t n_events[EVENT_KIND_COUNT];
};

/* Ids of labels that were used of late, by a hash of the text. */
enum { LABEL_SLOTS = 1024 };
struct label_slot {
  char text[LABEL_SIZE]; /* "": free */
  int64_t id;
};

/* See ledger_meter.h. */
struct ledger_counters {
  atomic_uint_fast64_t commits, events[EVENT_KIND_COUNT];
  _Atomic int64_t certificates;
};

/* Principals that asked of late: ledger_principal_cache.c. */
enum { PRINCIPAL_SLOTS = 64 };
struct principal_slot {
  uint64_t generation; /* of when it was read; 0: free */
  struct principal principal;
  uint8_t proof_sha256[TOKEN_SHA256_LEN];
};

/* Orders that were issued under of late: ledger_order_cache.c. */
enum { ORDER_SLOTS = 16 };

struct ledger {
  char *path;
  int lock_fd; /* holds the lock on PATH-lock */

  pthread_mutex_t writer_mutex; /* from ledger_begin to the batch's end, and for principals */
  struct ledger_connection *writer;
  struct label_slot labels[LABEL_SLOTS]; /* as of the open transaction */
  struct ledger_checkpoint *checkpoint;
  struct ledger_batch batch;
  _Atomic int64_t last_event; /* that is on disk */
  struct ledger_counters counters;

  _Atomic int64_t last_revocation; /* of what was committed */
  struct ledger_known *known;
  struct ledger_tag_logs tags;
  int64_t marked[LOG_COUNT]; /* as of the last commit: see struct ledger_batch */
  struct ledger_labels labels_of[LOG_COUNT];

  struct {
    pthread_mutex_t lock;        /* of the slots */
    _Atomic uint64_t generation; /* from 1; grows with each commit that has changed a principal */
    struct principal_slot slots[PRINCIPAL_SLOTS];
  } principals;

  struct {
    pthread_mutex_t lock;
    uint64_t generation;             /* grows with each commit that has changed an order */
    struct order slots[ORDER_SLOTS]; /* without a name: free */
  } orders;

  pthread_mutex_t pool_mutex;
  struct ledger_connection *idle; /* readers that nobody uses */
  unsigned n_idle;
};

/* A reader for one call: opened when none is idle. */
bool ledger_borrow(struct ledger *ledger, struct ledger_connection **ret_reader, struct fault *f);
void ledger_give_back(struct ledger *ledger, struct ledger_connection *reader);

/* LEDGER: "PATH: WHAT: " and what errno says. */
bool ledger_file_fault(const char *path, const char *what, struct fault *f);
/* Takes the lock on PATH-lock, for as long as the descriptor is open. LEDGER when another has it.
 */
bool ledger_lock(const char *path, int *ret_fd, struct fault *f);

/* --- copies: ledger_backup.c --- */

bool ledger_read_facts(struct ledger_connection *c, struct ledger_facts *ret_facts,
                       struct fault *f);
/* LEDGER, with what SQLite found, when `pragma` (quick_check, integrity_check) finds anything. */
bool ledger_check_whole(struct ledger_connection *c, const char *pragma, struct fault *f);
/* Takes the write-ahead log in and does without one, until the ledger is opened again. */
bool ledger_make_single_file(struct ledger_connection *c, struct fault *f);
/* Removes a database and what SQLite keeps beside it; there need be none. */
bool ledger_remove_file(const char *path, struct fault *f);
/* Removes the half copies of a backup or restore that was killed. With the lock held. */
bool ledger_remove_leftovers(const char *path, struct fault *f);

/* --- labels: ledger_label.c --- */

/* The id of a label, which is added when it is new; 0 for "". Within the open batch. */
bool ledger_label_id(struct ledger *ledger, const char *text, int64_t *ret_id, struct fault *f);

/* --- marks: ledger_mark.c --- */

/* So many rows of a log, from row 0 on, are marked, in c's transaction. */
bool ledger_marked_rows(struct ledger_connection *c, enum ledger_log log, int64_t *ret_rows,
                        struct fault *f);
/* In a transaction, before its first row: this is the newest. And when it is committed. */
void ledger_marks_begin(struct ledger_batch *batch, enum ledger_log log, int64_t last_id);
void ledger_marks_commit(struct ledger_batch *batch, enum ledger_log log);
/* A row was added with these labels (0: none), in the order of enum mark_kind: marks the runs that
 * are whole with it. */
bool ledger_mark_row(struct ledger_batch *batch, enum ledger_log log, int64_t id,
                     const int64_t of_row[MARK_LABELS], struct fault *f);

/* --- spans: ledger_span.c --- */

/* Takes account of a row that was added. */
bool ledger_span_widen(struct ledger_batch *batch, const struct issued *row, struct fault *f);
/* Writes what is pending; before each commit. */
bool ledger_span_flush(struct ledger_batch *batch, struct fault *f);

/* --- principals: ledger_principal_cache.c; any thread --- */

/* To be asked before a row is read that is to be kept. */
uint64_t ledger_principals_generation(struct ledger *ledger);
/* Behind the commit, and before anybody is told of it. */
void ledger_principals_changed(struct ledger *ledger);
bool ledger_principals_get(struct ledger *ledger, const char *name, struct principal *ret_principal,
                           uint8_t ret_proof_sha256[TOKEN_SHA256_LEN]);
void ledger_principals_put(struct ledger *ledger, uint64_t generation,
                           const struct principal *principal,
                           const uint8_t proof_sha256[TOKEN_SHA256_LEN]);

/* --- authorities: ledger_authority.c --- */

/* Takes account of a certificate that was added. */
bool ledger_authority_count(struct ledger_batch *batch, const char *name, struct fault *f);
/* Writes what is pending; before each commit. */
bool ledger_authority_flush(struct ledger_batch *batch, struct fault *f);

/* --- batches of requests: ledger_batch_lines.c --- */

/* Writes what is pending; before each commit. */
bool ledger_batch_flush(struct ledger_batch *transaction, struct fault *f);

/* --- events: ledger_event.c, ledger_tally.c --- */

/* The newest event's id; 0: there is none. */
bool ledger_event_last_id(struct ledger_connection *c, int64_t *ret_id, struct fault *f);
/* Write what is pending; before each commit. */
bool ledger_event_span_flush(struct ledger_batch *batch, struct fault *f);
bool ledger_tallies_flush(struct ledger_batch *batch, struct fault *f);
bool ledger_add_tally(struct ledger_batch *batch, const struct ledger_tally *tally,
                      struct fault *f);
/* What a request id that is lower-case hexadecimal stands for, which is kept in its place; 0 when
 * it is not. */
size_t ledger_request_id_octets(const char *request_id, uint8_t ret_octets[REQUEST_ID_SIZE / 2]);

/* --- counters: ledger_meter.c --- */

/* Counts an event that was added, for when the batch is committed; and then all of them. */
void ledger_meter_event(struct ledger_batch *batch, const struct event *event);
void ledger_meter_commit(struct ledger_batch *batch);

/* --- devices: ledger_device.c --- */

struct device_secret;
/* Salt (or NULL) and hash, as two values. */
void ledger_call_secret(struct ledger_call *call, const struct device_secret *secret);
/* Is the device's enrolment secret still good for a new certificate? FORBIDDEN. True when none was
 * shown. */
bool ledger_check_secret(struct ledger_connection *c, const struct issued *row, struct fault *f);
/* It is used up from the commit of this batch on. */
bool ledger_use_secret(struct ledger_batch *batch, const struct issued *row, struct fault *f);

/* --- renewals: ledger_renewal.c --- */

/* May this row take the place of the one that it renews? `newest` is its device's newest of its
 * profile. RENEWAL_NOT_ALLOWED. True for a row that renews none. */
bool ledger_check_renewal(struct ledger_connection *c, const struct issued *row,
                          const struct issued *newest, struct fault *f);
/* From the commit on its principal shows its key, when it has one. */
bool ledger_renew_proof(struct ledger_batch *batch, const struct issued *row, struct fault *f);

/* --- migrations: ledger_migrate.c --- */

extern const struct embedded ledger_migrations[];

/* Refuses what is neither empty nor a ledger. Changes nothing. */
bool ledger_check_identity(struct ledger_connection *c, struct fault *f);
/* Runs those of `migrations` that have not been run yet, each in a transaction with its number.
 * LEDGER_IS_NEWER when more have been run than there are. */
bool ledger_migrate(struct ledger_connection *c, const struct embedded *migrations,
                    struct fault *f);
/* LEDGER_IS_NEWER likewise. Changes nothing. */
bool ledger_check_version(struct ledger_connection *c, const struct embedded *migrations,
                          int64_t *ret_version, struct fault *f);

/* --- rows: ledger_row.c --- */

/* Reads a row of ROW_COLUMNS; *ret_row is all zero or freed. */
bool ledger_row_read(const struct ledger_call *call, int64_t now, struct issued *ret_row,
                     struct fault *f);

/* --- revocations: ledger_revoke.c --- */

/* Writes what is pending of counts; before each commit. */
bool ledger_revoked_flush(struct ledger_batch *batch, struct fault *f);
/* Takes the newest id that is there; when the ledger is opened. */
bool ledger_find_last_revocation(struct ledger *ledger, struct fault *f);

/* --- production orders: ledger_order.c, ledger_order_use.c --- */

bool ledger_order_find(struct ledger_connection *c, const char *name, bool *ret_found,
                       struct order *ret_order, struct fault *f);
/* The same from memory, where it is known: by any thread. A row is kept when nothing has changed
 * since this generation, which was asked for before its transaction began to read. */
uint64_t ledger_orders_generation(struct ledger *ledger);
bool ledger_orders_get(struct ledger *ledger, const char *name, struct order *ret_order);
void ledger_orders_put(struct ledger *ledger, uint64_t generation, const struct order *order);
/* Behind the commit, and before anybody is told of it: these were issued under; or what is known is
 * not so any more. */
void ledger_orders_counted(struct ledger *ledger, const struct ledger_order_uses *uses);
void ledger_orders_forget(struct ledger *ledger);
/* The same, once for a transaction; a reader's from memory, the writer's from the file. *ret_use is
 * NULL when there is no such order; otherwise good until the next one is asked for. */
bool ledger_order_use(struct ledger *ledger, struct ledger_connection *c, const char *name,
                      struct ledger_order_use **ret_use, struct fault *f);
/* May this be issued under its order? *ret_use is NULL when the row has none. See order_check();
 * ORDER_NOT_ALLOWED too when there is no such order. */
bool ledger_order_check(struct ledger *ledger, struct ledger_connection *c,
                        const struct issued *row, const struct sans *names, bool is_replacement,
                        int64_t now, struct ledger_order_use **ret_use, struct fault *f);
/* It was, by the writer. Nothing to do for NULL. */
void ledger_order_count(struct ledger_order_use *use, bool is_replacement);
/* Writes what is pending; before each commit. */
bool ledger_order_uses_flush(struct ledger_connection *writer, struct fault *f);
/* When a transaction begins, and before it has read anything. */
void ledger_order_uses_begin(struct ledger *ledger, struct ledger_connection *c);

/* --- listing: ledger_search.c --- */

/* The statement that answers a query. */
void ledger_search_sql(const struct ledger_query *query, struct buf *out);

/* --- listings: ledger_select.c --- */

/* given: one for each filter. The first that was given and can drive does. */
void ledger_select_sql(const struct ledger_select *select, const bool *given, struct buf *out);

/* --- listing events: ledger_event_search.c --- */

/* Reads a row of EVENT_COLUMNS. */
bool ledger_event_read(const struct ledger_call *call, struct event *ret_event, struct fault *f);

/* A question about a certificate is one about its id, and its device when it has one. */
struct ledger_event_search {
  const struct event_query *query;
  int64_t certificate; /* 0: no matter which */
  char device_serial[LABEL_SIZE];
};
void ledger_event_search_sql(const struct ledger_event_search *search, struct buf *out);
