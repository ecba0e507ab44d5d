/* state.c - see state.h.
 *
 * The file has two blocks, each with everything and a SHA-256 over it; the one of the higher
 * generation counts. A power loss may tear a block that is being written, so between two syncs the
 * same one of them is written again and again, and the other is the one that is known to be on
 * disk. The end of a process tears nothing: the system takes a block whole. */
#include "keyd/state.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/wire.h"
#include "lib/pki/digest.h"

enum { BLOCK_LEN = 4096, N_BLOCKS = 2, SYNC_SECONDS = 1 };

static const char magic[8] = "MkState\1";

struct row {
  uint8_t key[SIGN_KEY_SHA256_LEN];
  struct state_counts counts;
};

struct content {
  uint64_t generation;
  size_t n;
  struct row rows[STATE_KEYS_MAX];
};

/* A block as it was last seen in the file: what reads the same need not be checked again. */
struct known {
  size_t len; /* 0: not known, or torn */
  uint8_t octets[BLOCK_LEN];
};

struct state {
  char *path;
  int fd, timer;
  pthread_mutex_t lock; /* for all that follows; the file's own lock is between processes */
  struct known known[N_BLOCKS];
  struct content now; /* as read by begin() */
  unsigned newest;    /* the block that it is from */
  uint64_t synced;    /* the generation that is known to be on disk */
  unsigned n_torn;    /* blocks that begin() could not read */
  bool timer_is_set;
  struct buf block; /* kept, so that a change sets no memory aside */
};

static bool fail(const struct state *state, const char *verb, struct fault *f)
{
  return fault_set(f, FILE_ERROR, "cannot %s %s: %s", verb, state->path, strerror(errno));
}

/* --- a block --- */

static void write_block(const struct content *content, struct buf *out)
{
  uint8_t digest[PUBKEY_SHA256_LEN];
  buf_clear(out);
  buf_add(out, magic, sizeof magic);
  wire_put_u64(out, content->generation);
  wire_put_u16(out, (uint16_t)content->n);
  for (size_t i = 0; i < content->n; i++) {
    const struct row *row = &content->rows[i];
    buf_add(out, row->key, sizeof row->key);
    wire_put_u64(out, row->counts.n_signed);
    wire_put_u64(out, row->counts.recorded);
    wire_put_u64(out, row->counts.crl_number);
  }
  digest_sha256(buf_bytes(out), digest);
  buf_add(out, digest, sizeof digest);
}

static void read_row(struct wire_reader *in, struct row *row)
{
  struct bytes key = wire_get_octets(in, sizeof row->key);
  if (!in->failed)
    memcpy(row->key, key.data, sizeof row->key);
  row->counts.n_signed = wire_get_u64(in);
  row->counts.recorded = wire_get_u64(in);
  row->counts.crl_number = wire_get_u64(in);
}

/* Returns how many octets count; 0: it is none, or torn. */
static size_t read_block(const uint8_t octets[BLOCK_LEN], struct content *ret_content)
{
  struct wire_reader in = {.rest = bytes_of(octets, BLOCK_LEN)};
  uint8_t digest[PUBKEY_SHA256_LEN];
  if (!bytes_equal(wire_get_octets(&in, sizeof magic), bytes_of(magic, sizeof magic)))
    return 0;
  ret_content->generation = wire_get_u64(&in);
  ret_content->n = wire_get_u16(&in);
  if (ret_content->n > STATE_KEYS_MAX)
    return 0;
  for (size_t i = 0; i < ret_content->n; i++)
    read_row(&in, &ret_content->rows[i]);
  if (in.failed)
    return 0;
  digest_sha256(bytes_of(octets, (size_t)(in.rest.data - octets)), digest);
  if (!bytes_equal(wire_get_octets(&in, sizeof digest), bytes_of(digest, sizeof digest)))
    return 0;
  return (size_t)(in.rest.data - octets);
}

_Static_assert(sizeof magic + 8 + 2 + STATE_KEYS_MAX * (SIGN_KEY_SHA256_LEN + 3 * 8) +
                       PUBKEY_SHA256_LEN <=
                   BLOCK_LEN,
               "every row fits into a block");

/* --- the file --- */

static void note(struct state *state, unsigned block, const uint8_t *octets, size_t len)
{
  struct known *known = &state->known[block];
  memcpy(known->octets, octets, len);
  known->len = len;
}

static void forget(struct state *state)
{
  for (unsigned i = 0; i < N_BLOCKS; i++)
    state->known[i].len = 0;
}

/* Whether state->now is still what the file has: nearly always nobody else writes to it. What lies
 * behind a block's digest says nothing, so of the last block no more than that is read. */
static bool is_as_known(const struct state *state)
{
  uint8_t octets[N_BLOCKS * BLOCK_LEN];
  size_t len = (N_BLOCKS - 1) * BLOCK_LEN + state->known[N_BLOCKS - 1].len;
  for (unsigned i = 0; i < N_BLOCKS; i++)
    if (state->known[i].len == 0)
      return false;
  if (pread(state->fd, octets, len, 0) != (ssize_t)len)
    return false;
  for (unsigned i = 0; i < N_BLOCKS; i++)
    if (memcmp(octets + i * BLOCK_LEN, state->known[i].octets, state->known[i].len) != 0)
      return false;
  return true;
}

static bool read_file(const struct state *state, uint8_t ret_octets[N_BLOCKS * BLOCK_LEN],
                      struct fault *f)
{
  size_t len = N_BLOCKS * BLOCK_LEN;
  ssize_t n = pread(state->fd, ret_octets, len, 0);
  if (n < 0)
    return fail(state, "read", f);
  memset(ret_octets + n, 0, len - (size_t)n);
  return true;
}

static bool load(struct state *state, struct fault *f)
{
  uint8_t octets[N_BLOCKS * BLOCK_LEN];
  bool found = false;
  if (is_as_known(state))
    return true;
  if (!read_file(state, octets, f))
    return false;
  forget(state);
  state->n_torn = 0;
  for (unsigned i = 0; i < N_BLOCKS; i++) {
    const uint8_t *block = octets + i * BLOCK_LEN;
    struct content content;
    size_t len = read_block(block, &content);
    if (len == 0) {
      state->n_torn++;
      continue;
    }
    note(state, i, block, len);
    if (found && content.generation < state->now.generation)
      continue;
    found = true;
    state->now = content;
    state->newest = i;
  }
  return found || fault_set(f, BAD_FILE,
                            "%s is damaged, or no file of the key holder's: put back a copy of it; "
                            "mintmark-keyd(8) says under STATE what to do without one",
                            state->path);
}

/* Between begin() and end() nobody else, of this process or another, reads or writes. */
static bool begin(struct state *state, struct fault *f)
{
  int error;
  pthread_mutex_lock(&state->lock);
  do {
    error = flock(state->fd, LOCK_EX);
  } while (error != 0 && errno == EINTR);
  if (error != 0)
    return fail(state, "lock", f);
  return load(state, f);
}

/* Whether or not begin() came through. */
static void end(struct state *state)
{
  flock(state->fd, LOCK_UN);
  pthread_mutex_unlock(&state->lock);
}

static void set_timer(struct state *state)
{
  const struct itimerspec in_a_moment = {.it_value.tv_sec = SYNC_SECONDS};
  if (!state->timer_is_set)
    state->timer_is_set = timerfd_settime(state->timer, 0, &in_a_moment, NULL) == 0;
}

/* Writes state->now as the next generation. After a failure state->now is not what the file has,
 * and it is read anew. */
static bool commit(struct state *state, struct fault *f)
{
  /* The newest block is either on disk, and then the other one's turn has come; or it is not, and
   * then the other one is all that is. */
  unsigned target = state->now.generation <= state->synced ? 1 - state->newest : state->newest;
  state->now.generation++;
  write_block(&state->now, &state->block);
  state->known[target].len = 0;
  if (!buf_ok(&state->block))
    return fault_no_memory(f);
  ssize_t n = pwrite(state->fd, state->block.data, state->block.len, (off_t)target * BLOCK_LEN);
  if (n < 0)
    return fail(state, "write", f);
  if ((size_t)n != state->block.len)
    return fault_set(f, FILE_ERROR, "cannot write %s: the disk is full", state->path);
  note(state, target, state->block.data, state->block.len);
  state->newest = target;
  set_timer(state);
  return true;
}

static struct row *find(struct state *state, const uint8_t *key)
{
  for (size_t i = 0; i < state->now.n; i++)
    if (memcmp(state->now.rows[i].key, key, SIGN_KEY_SHA256_LEN) == 0)
      return &state->now.rows[i];
  return NULL;
}

static struct row *find_or_fail(struct state *state, const uint8_t *key, struct fault *f)
{
  struct row *row = find(state, key);
  if (row == NULL)
    fault_set(f, BAD_FILE, "%s has no row for this key any more", state->path);
  return row;
}

/* --- opening --- */

/* Complete from the first moment on, so that an empty file is never one of ours. */
static bool make(const char *path, struct fault *f)
{
  AUTO(buf) file = {0};
  AUTO(buf) block = {0};
  const struct content nothing = {0};
  write_block(&nothing, &block);
  for (unsigned i = 0; i < N_BLOCKS && buf_reserve(&block, BLOCK_LEN); i++) {
    buf_add_bytes(&file, buf_bytes(&block));
    while (buf_ok(&file) && file.len % BLOCK_LEN != 0)
      buf_add_u8(&file, 0);
  }
  if (!buf_ok(&file) || !buf_ok(&block))
    return fault_no_memory(f);
  /* Another key holder may have made it just now. */
  return file_write(path, buf_bytes(&file), 0600, false, f) || file_exists(path);
}

/* Whoever wrote it may have ended before it was on the disk, and the other block may be torn: the
 * one that was read is not the one to be written first. */
static bool settle(struct state *state, struct fault *f)
{
  if (fdatasync(state->fd) != 0)
    return fail(state, "write", f);
  state->synced = state->now.generation;
  return true;
}

/* When a file was read last is of no use to anybody, and would be written down for each batch. Only
 * its owner may do without. */
static int open_quietly(const char *path, int flags)
{
  int fd = open(path, flags | O_CLOEXEC | O_NOATIME);
  return fd >= 0 || errno != EPERM ? fd : open(path, flags | O_CLOEXEC);
}

static bool open_with(struct state *state, const char *path, int flags, struct fault *f)
{
  pthread_mutex_init(&state->lock, NULL);
  state->fd = -1;
  state->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  state->path = strdup(path);
  if (state->path == NULL)
    return fault_no_memory(f);
  state->fd = open_quietly(path, flags);
  if (state->fd < 0 || state->timer < 0)
    return fail(state, "open", f);
  bool ok = begin(state, f) && settle(state, f);
  end(state);
  if (ok && state->n_torn > 0)
    log_say(LOG_LEVEL_WARNING, "took the older one of two copies of the counts",
            LOG_TEXT("file", path), LOG_TEXT("reason", "the other was not written to its end"));
  return ok;
}

bool state_open(const char *path, struct state **ret_state, struct fault *f)
{
  AUTO(fault) why = {0};
  if (!file_exists(path) && !make(path, &why))
    return fault_set(f, FILE_ERROR,
                     "%s: set state in keyd.conf to a file in a folder that the key holder may "
                     "write to",
                     why.detail);
  AUTO(state) state = calloc(1, sizeof *state);
  if (state == NULL)
    return fault_no_memory(f);
  if (!open_with(state, path, O_RDWR, f))
    return false;
  *ret_state = TAKE(state);
  return true;
}

bool state_check(const char *path, struct fault *f)
{
  if (!file_exists(path))
    return true;
  AUTO(state) state = calloc(1, sizeof *state);
  if (state == NULL)
    return fault_no_memory(f);
  return open_with(state, path, O_RDONLY, f);
}

bool state_add_key(struct state *state, const uint8_t key[SIGN_KEY_SHA256_LEN], struct fault *f)
{
  bool ok = begin(state, f);
  if (ok && find(state, key) == NULL) {
    struct content *now = &state->now;
    ok = now->n < STATE_KEYS_MAX ||
         fault_set(f, BAD_FILE, "%s has no room for a further key: it remembers %d", state->path,
                   STATE_KEYS_MAX);
    if (ok) {
      now->rows[now->n] = (struct row){0};
      memcpy(now->rows[now->n++].key, key, SIGN_KEY_SHA256_LEN);
      ok = commit(state, f);
    }
  }
  end(state);
  return ok;
}

/* --- counting --- */

bool state_count_signed(struct state *state, const uint8_t key[SIGN_KEY_SHA256_LEN], uint64_t n,
                        struct fault *f)
{
  struct row *row = begin(state, f) ? find_or_fail(state, key, f) : NULL;
  bool ok = row != NULL;
  if (ok) {
    row->counts.n_signed += n;
    ok = commit(state, f);
  }
  end(state);
  return ok;
}

bool state_record(struct state *state, const uint8_t key[SIGN_KEY_SHA256_LEN], uint64_t recorded,
                  struct state_counts *ret_counts, struct fault *f)
{
  struct row *row = begin(state, f) ? find_or_fail(state, key, f) : NULL;
  bool ok = row != NULL;
  if (ok && recorded > row->counts.recorded) {
    row->counts.recorded = recorded;
    ok = commit(state, f);
  }
  if (ok)
    *ret_counts = row->counts;
  end(state);
  return ok;
}

/* To the disk while both locks are held: nobody writes into the block before it is there. */
static bool commit_to_disk(struct state *state, struct fault *f)
{
  if (!commit(state, f))
    return false;
  if (fdatasync(state->fd) != 0)
    return fail(state, "write", f);
  state->synced = state->now.generation;
  return true;
}

bool state_take_crl_number(struct state *state, const uint8_t key[SIGN_KEY_SHA256_LEN],
                           uint64_t number, struct fault *f)
{
  struct row *row = begin(state, f) ? find_or_fail(state, key, f) : NULL;
  bool ok = row != NULL;
  if (ok && number <= row->counts.crl_number)
    ok = fault_set(f, SIGNER_REFUSED, "cRLNumber %llu: this key has signed %llu already",
                   (unsigned long long)number, (unsigned long long)row->counts.crl_number);
  if (ok) {
    row->counts.crl_number = number;
    ok = commit_to_disk(state, f);
  }
  end(state);
  return ok;
}

/* --- the disk --- */

int state_timer(const struct state *state)
{
  return state->timer;
}

/* Without a lock while the disk is at work: counting goes on. Should the power fail right then, the
 * other block is there. */
bool state_sync(struct state *state, struct fault *f)
{
  uint64_t expirations;
  pthread_mutex_lock(&state->lock);
  uint64_t generation = state->now.generation;
  ssize_t n = read(state->timer, &expirations, sizeof expirations);
  (void)n; /* nothing there: it did not run out yet */
  state->timer_is_set = false;
  pthread_mutex_unlock(&state->lock);
  if (fdatasync(state->fd) != 0)
    return fail(state, "write", f);
  pthread_mutex_lock(&state->lock);
  if (generation > state->synced)
    state->synced = generation;
  pthread_mutex_unlock(&state->lock);
  return true;
}

void state_free(struct state *state)
{
  if (state == NULL)
    return;
  if (state->fd >= 0)
    close(state->fd);
  if (state->timer >= 0)
    close(state->timer);
  pthread_mutex_destroy(&state->lock);
  buf_free(&state->block);
  free(state->path);
  free(state);
}
