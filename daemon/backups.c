/* backups.c - see backups.h. */
#include "daemon/backups.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/base64.h"
#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/ca/ledger_backup.h"

AUTO_POINTER(EVP_MD_CTX, EVP_MD_CTX, EVP_MD_CTX_free)

struct backups {
  struct ledger *ledger;
  struct recorder *recorder;
  pthread_mutex_t lock;
  pthread_t thread;
  struct exchange *x;   /* under way; NULL: none */
  bool started;         /* a thread is there to be joined */
  atomic_bool stopping; /* read without the lock, between two steps */
};

/* --- the digest --- */

static bool read_block(int fd, uint64_t at, uint8_t *block, size_t size, size_t *ret_len,
                       struct fault *f)
{
  ssize_t n;
  do
    n = pread(fd, block, size, (off_t)at);
  while (n < 0 && errno == EINTR);
  if (n < 0)
    return fault_set(f, LEDGER, "the copy of the ledger cannot be read: %s", strerror(errno));
  *ret_len = (size_t)n;
  return true;
}

static bool digest_file(const struct backups *backups, int fd, EVP_MD_CTX *digest,
                        uint64_t *ret_size, struct fault *f)
{
  uint8_t block[64 * 1024];
  uint64_t size = 0;
  for (size_t len = 1; len > 0; size += len) {
    if (backups->stopping)
      return fault_set(f, STOPPING, "the daemon is stopping: ask again in a moment");
    if (!read_block(fd, size, block, sizeof block, &len, f))
      return false;
    if (EVP_DigestUpdate(digest, block, len) != 1)
      return fault_no_memory(f);
  }
  *ret_size = size;
  return true;
}

/* RFC 9530, section 3: "sha-256=:base64:" */
static bool describe(const struct backups *backups, struct reply *reply, struct fault *f)
{
  AUTO(EVP_MD_CTX) digest = EVP_MD_CTX_new();
  AUTO(buf) text = {0};
  uint8_t sha256[EVP_MAX_MD_SIZE];
  unsigned len = 0;
  if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
    return fault_no_memory(f);
  if (!digest_file(backups, reply->file.fd, digest, &reply->file.size, f))
    return false;
  if (EVP_DigestFinal_ex(digest, sha256, &len) != 1)
    return fault_no_memory(f);
  base64_add(&text, bytes_of(sha256, len), 0);
  snprintf(reply->repr_digest, sizeof reply->repr_digest, "sha-256=:%s:", buf_text(&text));
  return buf_ok(&text) || fault_no_memory(f);
}

/* --- one copy --- */

static bool go_on(void *context, int64_t done, int64_t of)
{
  (void)done, (void)of;
  const struct backups *backups = context;
  return !backups->stopping;
}

static void record(const struct backups *backups, const struct exchange *x,
                   const struct ledger_facts *facts, int64_t begun_ms)
{
  struct event event = who_asks(x);
  event.kind = EVENT_BACKED_UP;
  event.count = facts->certificates;
  recorder_note(backups->recorder, &event);
  log_say(LOG_LEVEL_INFO, "the ledger was copied", LOG_TEXT("principal", x->principal.name),
          LOG_NUMBER("certificates", facts->certificates),
          LOG_NUMBER("octets", (int64_t)x->reply.file.size),
          LOG_NUMBER("ms", when_monotonic_ms() - begun_ms));
}

static bool make(struct backups *backups, struct exchange *x, struct fault *f)
{
  const struct ledger_watch watch = {go_on, backups};
  struct reply *reply = &x->reply;
  struct ledger_facts facts;
  int64_t begun_ms = when_monotonic_ms();
  int fd;
  if (!ledger_backup(backups->ledger, &watch, &fd, &facts, f))
    return false;
  reply->file = (struct reply_file){.given = true, .fd = fd};
  if (!describe(backups, reply, f))
    return false;
  reply->status = 200;
  reply->content_type = "application/vnd.sqlite3";
  record(backups, x, &facts, begun_ms);
  return true;
}

static void *run(void *context)
{
  AUTO(fault) f = {0};
  struct backups *backups = context;
  struct exchange *x = backups->x;
  if (!make(backups, x, &f))
    exchange_fail(x, &f);
  /* Before the reply goes out: who has it may ask for the next one. */
  pthread_mutex_lock(&backups->lock);
  backups->x = NULL;
  pthread_mutex_unlock(&backups->lock);
  exchange_finish(x);
  return NULL;
}

/* With the lock held. (A thread that is not `x` any more is at its end.) */
static bool begin(struct backups *backups, struct exchange *x, struct fault *f)
{
  if (backups->stopping)
    return fault_set(f, STOPPING, "the daemon is stopping: ask again in a moment");
  if (backups->x != NULL)
    return fault_set(f, BUSY, "another copy of the ledger is being made");
  if (backups->started)
    pthread_join(backups->thread, NULL);
  backups->x = x;
  backups->started = pthread_create(&backups->thread, NULL, run, backups) == 0;
  if (backups->started)
    return true;
  backups->x = NULL;
  return fault_set(f, INTERNAL, "the thread that copies the ledger cannot be started");
}

enum handled backups_make(struct exchange *x)
{
  AUTO(fault) f = {0};
  struct backups *backups = x->service->backups;
  pthread_mutex_lock(&backups->lock);
  bool begun = begin(backups, x, &f);
  pthread_mutex_unlock(&backups->lock);
  return begun ? DEFERRED : exchange_fail(x, &f);
}

/* --- its life --- */

bool backups_new(struct ledger *ledger, struct recorder *recorder, struct backups **ret_backups,
                 struct fault *f)
{
  struct backups *backups = calloc(1, sizeof *backups);
  if (backups == NULL)
    return fault_no_memory(f);
  backups->ledger = ledger;
  backups->recorder = recorder;
  pthread_mutex_init(&backups->lock, NULL);
  *ret_backups = backups;
  return true;
}

void backups_stop(struct backups *backups)
{
  if (backups == NULL)
    return;
  pthread_mutex_lock(&backups->lock);
  backups->stopping = true;
  bool started = backups->started;
  backups->started = false;
  pthread_mutex_unlock(&backups->lock);
  if (started)
    pthread_join(backups->thread, NULL);
}

void backups_free(struct backups *backups)
{
  if (backups == NULL)
    return;
  backups_stop(backups);
  pthread_mutex_destroy(&backups->lock);
  free(backups);
}
