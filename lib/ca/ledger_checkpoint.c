/* ledger_checkpoint.c - see ledger_checkpoint.h.
 *
 * SQLite begins a log anew when all of it was brought over at a moment when nobody writes. Under
 * load there is none: so the bulk is brought over beside the writer, and when the log has become
 * long the rest, which is little, while the writer waits. */
#include "lib/ca/ledger_checkpoint.h"

#include <stdlib.h>

#include "lib/base/thread.h"
#include "lib/ca/ledger_private.h"

enum {
  EVERY_FRAMES = 4000, /* of a page each */
  LONG_FRAMES = 12000, /* it is to begin anew */
  REST_FRAMES = 200,   /* what the writer may wait for */
  TRIES = 4
};

struct ledger_checkpoint {
  pthread_mutex_t lock; /* of the next four */
  pthread_cond_t grown;
  int frames; /* in the log, as of the last commit */
  int begun;  /* as of the last time that we began */
  bool stop;
  struct ledger_connection *writer, *own;
  pthread_mutex_t *writer_mutex;
  pthread_t thread;
  bool runs;
};

/* --- beside the commits --- */

static bool is_due(const struct ledger_checkpoint *c)
{
  return c->frames - c->begun >= EVERY_FRAMES;
}

/* In the writer's thread, behind each commit. */
static int note_commit(void *context, sqlite3 *db, const char *name, int frames)
{
  struct ledger_checkpoint *c = context;
  (void)db, (void)name;
  pthread_mutex_lock(&c->lock);
  if (frames < c->frames)
    c->begun = 0; /* the log has begun anew */
  c->frames = frames;
  if (is_due(c))
    pthread_cond_signal(&c->grown);
  pthread_mutex_unlock(&c->lock);
  return SQLITE_OK;
}

static int frames_now(struct ledger_checkpoint *c)
{
  pthread_mutex_lock(&c->lock);
  int frames = c->frames;
  pthread_mutex_unlock(&c->lock);
  return frames;
}

/* --- bringing over --- */

/* As much as no reader stands in the way of. How many frames of the log are in the database now;
 * when it fails (a full disk), it is tried again with the next frames. */
static int bring_over(struct ledger_checkpoint *c)
{
  int frames = 0, done = 0;
  if (sqlite3_wal_checkpoint_v2(c->own->db, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, &done) !=
      SQLITE_OK)
    return 0;
  return done;
}

/* SQLite syncs the database when all of the log is there. Most of it may reach the disk before the
 * writer waits for that. */
static void sync_what_is_there(struct ledger_checkpoint *c)
{
  sqlite3_file *file = NULL;
  if (sqlite3_file_control(c->own->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
      file != NULL && file->pMethods != NULL)
    file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

static void bring_all_over(struct ledger_checkpoint *c)
{
  int done = bring_over(c);
  if (frames_now(c) < LONG_FRAMES)
    return;
  sync_what_is_there(c);
  for (int i = 1; i < TRIES && frames_now(c) - done > REST_FRAMES; i++)
    done = bring_over(c);
  if (frames_now(c) - done > EVERY_FRAMES)
    return; /* a reader keeps us from it: no need for the writer to wait, too */
  sync_what_is_there(c);
  pthread_mutex_lock(c->writer_mutex);
  bring_over(c);
  pthread_mutex_unlock(c->writer_mutex);
}

static bool wait_until_due(struct ledger_checkpoint *c)
{
  pthread_mutex_lock(&c->lock);
  while (!c->stop && !is_due(c))
    pthread_cond_wait(&c->grown, &c->lock);
  c->begun = c->frames;
  bool go_on = !c->stop;
  pthread_mutex_unlock(&c->lock);
  return go_on;
}

static void *run(void *context)
{
  struct ledger_checkpoint *c = context;
  while (wait_until_due(c))
    bring_all_over(c);
  return NULL;
}

/* --- its life --- */

static bool start(struct ledger_checkpoint *c, struct fault *f)
{
  c->runs = thread_start(&c->thread, run, c);
  return c->runs || fault_set(f, INTERNAL, "cannot start a thread");
}

AUTO_POINTER(ledger_checkpoint, struct ledger_checkpoint, ledger_checkpoint_free)

bool ledger_checkpoint_new(struct ledger_connection *writer, pthread_mutex_t *writer_mutex,
                           struct ledger_checkpoint **ret_checkpoint, struct fault *f)
{
  AUTO(ledger_checkpoint) c = calloc(1, sizeof *c);
  if (c == NULL)
    return fault_no_memory(f);
  pthread_mutex_init(&c->lock, NULL);
  pthread_cond_init(&c->grown, NULL);
  c->writer = writer;
  c->writer_mutex = writer_mutex;
  if (!ledger_connection_open(writer->path, LEDGER_CHECKPOINTS, &c->own, f) || !start(c, f))
    return false;
  sqlite3_wal_hook(writer->db, note_commit, c); /* in the place of SQLite's own checkpoints */
  *ret_checkpoint = TAKE(c);
  return true;
}

void ledger_checkpoint_free(struct ledger_checkpoint *c)
{
  if (c == NULL)
    return;
  sqlite3_wal_hook(c->writer->db, NULL, NULL);
  pthread_mutex_lock(&c->lock);
  c->stop = true;
  pthread_cond_signal(&c->grown);
  pthread_mutex_unlock(&c->lock);
  if (c->runs)
    pthread_join(c->thread, NULL);
  ledger_connection_close(c->own);
  pthread_cond_destroy(&c->grown);
  pthread_mutex_destroy(&c->lock);
  free(c);
}
