/* ledger.c - the ledger as a whole: opened, locked, closed, and the transactions of its writer. */
#include "lib/ca/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/ca/ledger_private.h"

/* Readers beyond these are closed after use. */
enum { IDLE_MAX = 16 };

bool ledger_file_fault(const char *path, const char *what, struct fault *f)
{
  return fault_set(f, LEDGER, "%s: %s: %s", path, what, strerror(errno));
}

/* A file of its own is locked: closing any descriptor of the database itself would drop SQLite's
 * locks on it (POSIX: they belong to the process). It stays when we leave: removing it would let
 * two daemons lock two files of one name. */
bool ledger_lock(const char *path, int *ret_fd, struct fault *f)
{
  AUTO(buf) lock_path = {0};
  buf_addf(&lock_path, "%s-lock", path);
  if (!buf_ok(&lock_path))
    return fault_no_memory(f);
  int fd = open(buf_text(&lock_path), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return ledger_file_fault(buf_text(&lock_path), "cannot be opened", f);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    *ret_fd = fd;
    return true;
  }
  bool taken = errno == EWOULDBLOCK;
  if (!taken)
    ledger_file_fault(buf_text(&lock_path), "cannot be locked", f);
  close(fd);
  return taken ? fault_set(f, LEDGER, "%s is in use by another daemon: stop that one first", path)
               : false;
}

/* SQLite gives its -wal and -shm files the mode of the database. */
static bool create(const char *path, struct fault *f)
{
  int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
    return true;
  }
  return errno == EEXIST || ledger_file_fault(path, "cannot be created", f);
}

static bool open_writer(struct ledger *ledger, struct fault *f)
{
  AUTO(ledger_connection) writer = NULL;
  int64_t last_event;
  if (!ledger_connection_open(ledger->path, LEDGER_WRITES, &writer, f) ||
      !ledger_check_identity(writer, f) || !ledger_connection_set_up_writer(writer, f) ||
      !ledger_migrate(writer, ledger_migrations, f) || !ledger_guards_set(writer, f) ||
      !ledger_event_last_id(writer, &last_event, f))
    return false;
  ledger->last_event = last_event;
  writer->tags = &ledger->tags;
  ledger->writer = TAKE(writer);
  return true;
}

/* SQLite's count of its own memory takes a lock at each allocation, and nobody looks at it. Without
 * effect when SQLite is in use already. */
static void configure_sqlite(void)
{
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static bool last_id(struct ledger_connection *c, int64_t *ret_id, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(c, SQL_LAST_ID, &call, f) || !ledger_call_run(&call, f))
    return false;
  *ret_id = sqlite3_column_int64(call.statement, 0);
  return true;
}

/* Tags and marks. */
static bool open_tags(struct ledger *ledger, struct fault *f)
{
  int64_t id;
  struct ledger_tags **of = ledger->tags.of;
  for (int log = 0; log < LOG_COUNT; log++)
    if (!ledger_marked_rows(ledger->writer, (enum ledger_log)log, &ledger->marked[log], f))
      return false;
  return last_id(ledger->writer, &id, f) &&
         ledger_tags_new(&tag_logs[LOG_CERTIFICATES], ledger->writer, id, &of[LOG_CERTIFICATES],
                         f) &&
         ledger_tags_new(&tag_logs[LOG_EVENTS], ledger->writer, ledger->last_event, &of[LOG_EVENTS],
                         f);
}

static bool open_checkpoint(struct ledger *ledger, struct fault *f)
{
  return ledger_checkpoint_new(ledger->writer, &ledger->writer_mutex, &ledger->checkpoint, f);
}

static bool begin_to_know(struct ledger *ledger, struct fault *f)
{
  struct ledger_connection *reader;
  int64_t id;
  return last_id(ledger->writer, &id, f) &&
         ledger_connection_open(ledger->path, LEDGER_READS, &reader, f) &&
         ledger_known_new(reader, id, &ledger->known, f);
}

AUTO_POINTER(ledger, struct ledger, ledger_close)

bool ledger_open(const char *path, struct ledger **ret_ledger, struct fault *f)
{
  static pthread_once_t configured = PTHREAD_ONCE_INIT;
  pthread_once(&configured, configure_sqlite);
  AUTO(ledger) ledger = calloc(1, sizeof *ledger);
  if (ledger == NULL)
    return fault_no_memory(f);
  ledger->lock_fd = -1;
  pthread_mutex_init(&ledger->writer_mutex, NULL);
  pthread_mutex_init(&ledger->pool_mutex, NULL);
  pthread_mutex_init(&ledger->principals.lock, NULL);
  pthread_mutex_init(&ledger->orders.lock, NULL);
  ledger->principals.generation = 1;
  ledger->path = strdup(path);
  if (ledger->path == NULL)
    return fault_no_memory(f);
  if (!ledger_lock(path, &ledger->lock_fd, f) || !ledger_remove_leftovers(path, f) ||
      !create(path, f) || !open_writer(ledger, f) || !ledger_find_last_revocation(ledger, f) ||
      !open_checkpoint(ledger, f) || !open_tags(ledger, f) || !begin_to_know(ledger, f))
    return false;
  *ret_ledger = TAKE(ledger);
  return true;
}

void ledger_close(struct ledger *ledger)
{
  if (ledger == NULL)
    return;
  ledger_known_free(ledger->known);
  for (size_t i = 0; i < LOG_COUNT; i++)
    ledger_tags_free(ledger->tags.of[i]);
  ledger_checkpoint_free(ledger->checkpoint);
  while (ledger->idle != NULL) {
    struct ledger_connection *reader = ledger->idle;
    ledger->idle = reader->next;
    ledger_connection_close(reader);
  }
  /* The last connection to close writes the log back into the database. */
  ledger_connection_close(ledger->writer);
  if (ledger->lock_fd >= 0)
    close(ledger->lock_fd);
  pthread_mutex_destroy(&ledger->writer_mutex);
  pthread_mutex_destroy(&ledger->pool_mutex);
  pthread_mutex_destroy(&ledger->principals.lock);
  pthread_mutex_destroy(&ledger->orders.lock);
  free(ledger->path);
  free(ledger);
}

/* The connection of this thread's snapshot, and whose it is. */
static _Thread_local struct {
  struct ledger *ledger;
  struct ledger_connection *reader;
} snapshot;

bool ledger_borrow(struct ledger *ledger, struct ledger_connection **ret_reader, struct fault *f)
{
  if (snapshot.ledger == ledger) {
    *ret_reader = snapshot.reader;
    return true;
  }
  pthread_mutex_lock(&ledger->pool_mutex);
  struct ledger_connection *reader = ledger->idle;
  if (reader != NULL) {
    ledger->idle = reader->next;
    ledger->n_idle--;
  }
  pthread_mutex_unlock(&ledger->pool_mutex);
  if (reader == NULL && !ledger_connection_open(ledger->path, LEDGER_READS, &reader, f))
    return false;
  reader->tags = &ledger->tags;
  *ret_reader = reader;
  return true;
}

void ledger_give_back(struct ledger *ledger, struct ledger_connection *reader)
{
  if (snapshot.reader == reader)
    return;
  pthread_mutex_lock(&ledger->pool_mutex);
  bool keep = ledger->n_idle < IDLE_MAX;
  if (keep) {
    reader->next = ledger->idle;
    ledger->idle = reader;
    ledger->n_idle++;
  }
  pthread_mutex_unlock(&ledger->pool_mutex);
  if (!keep)
    ledger_connection_close(reader);
}

bool ledger_snapshot_begin(struct ledger *ledger, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  if (!ledger_run(reader, SQL_BEGIN_READ, f)) {
    ledger_give_back(ledger, reader);
    return false;
  }
  ledger_order_uses_begin(ledger, reader);
  snapshot.ledger = ledger;
  snapshot.reader = reader;
  return true;
}

/* After an error SQLite may have ended the transaction itself; a connection that is still in one
 * must not go back to the others. */
void ledger_snapshot_end(struct ledger *ledger)
{
  AUTO(fault) ignored = {0};
  struct ledger_connection *reader = snapshot.reader;
  snapshot.ledger = NULL;
  snapshot.reader = NULL;
  if (!sqlite3_get_autocommit(reader->db))
    ledger_run(reader, SQL_ROLLBACK, &ignored);
  if (sqlite3_get_autocommit(reader->db))
    ledger_give_back(ledger, reader);
  else
    ledger_connection_close(reader);
}

/* --- transactions --- */

/* Labels that were added within are gone again, and so must be what is remembered of them. */
static void roll_back_locked(struct ledger *ledger)
{
  /* After some errors SQLite has rolled back by itself. When ROLLBACK itself fails there is
   * nothing to be done: the next BEGIN will say so. */
  struct fault ignored = {0};
  if (!sqlite3_get_autocommit(ledger->writer->db))
    ledger_run(ledger->writer, SQL_ROLLBACK, &ignored);
  fault_free(&ignored);
  memset(ledger->labels, 0, sizeof ledger->labels);
}

/* SQLite goes on with a file that has lost its name; what is written there is found by nobody. */
static bool is_in_place(struct ledger *ledger, struct fault *f)
{
  int moved = 0;
  if (sqlite3_file_control(ledger->writer->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) !=
          SQLITE_OK ||
      !moved)
    return true;
  return fault_set(f, LEDGER, "%s was moved or deleted: put it back, or restart the daemon",
                   ledger->path);
}

bool ledger_begin(struct ledger *ledger, struct ledger_batch **ret_batch, struct fault *f)
{
  pthread_mutex_lock(&ledger->writer_mutex);
  ledger->batch = (struct ledger_batch){.ledger = ledger};
  ledger_order_uses_begin(ledger, ledger->writer);
  if (is_in_place(ledger, f) && ledger_run(ledger->writer, SQL_BEGIN, f) &&
      last_id(ledger->writer, &ledger->batch.last_id, f) &&
      ledger_tags_begin(ledger->tags.of[LOG_CERTIFICATES], ledger->writer, ledger->batch.last_id,
                        f)) {
    ledger_known_begin(ledger->known, ledger->batch.last_id);
    ledger_marks_begin(&ledger->batch, LOG_CERTIFICATES, ledger->batch.last_id);
    *ret_batch = &ledger->batch;
    return true;
  }
  roll_back_locked(ledger);
  pthread_mutex_unlock(&ledger->writer_mutex);
  return false;
}

static bool flush(struct ledger_batch *batch, struct fault *f)
{
  return ledger_order_uses_flush(batch->ledger->writer, f) && ledger_span_flush(batch, f) &&
         ledger_revoked_flush(batch, f) && ledger_event_span_flush(batch, f) &&
         ledger_tallies_flush(batch, f) && ledger_authority_flush(batch, f) &&
         ledger_batch_flush(batch, f);
}

bool ledger_commit(struct ledger_batch *batch, struct fault *f)
{
  struct ledger *ledger = batch->ledger;
  bool done = batch->failed
                  ? fault_set(f, LEDGER, "%s: the batch failed before its end", ledger->path)
                  : flush(batch, f) && ledger_run(ledger->writer, SQL_COMMIT, f);
  if (!done)
    roll_back_locked(ledger);
  if (done && batch->has_last_revocation)
    atomic_store(&ledger->last_revocation, batch->last_revocation);
  if (done && batch->has_last_event) {
    atomic_store(&ledger->last_event, batch->last_event);
    ledger_tags_commit(ledger->tags.of[LOG_EVENTS]);
    ledger_marks_commit(batch, LOG_EVENTS);
  }
  if (done && batch->has_changed_principal)
    ledger_principals_changed(ledger);
  if (done) {
    ledger_tags_commit(ledger->tags.of[LOG_CERTIFICATES]);
    ledger_known_commit(ledger->known, batch->last_id);
    ledger_marks_commit(batch, LOG_CERTIFICATES);
    ledger_orders_counted(ledger, &ledger->writer->orders);
    ledger_meter_commit(batch);
  }
  pthread_mutex_unlock(&ledger->writer_mutex);
  return done;
}

void ledger_roll_back(struct ledger_batch *batch)
{
  struct ledger *ledger = batch->ledger;
  roll_back_locked(ledger);
  pthread_mutex_unlock(&ledger->writer_mutex);
}

bool ledger_probe(struct ledger *ledger, struct fault *f)
{
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  batch->failed = !ledger_run(ledger->writer, SQL_PROBE, f);
  if (!batch->failed)
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}
