/* crl_publisher.c - see crl_publisher.h. */
#include "daemon/crl_publisher.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "daemon/crl_list.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/base/when.h"
#include "lib/ca/crl_record.h"
#include "lib/ca/revocation.h"

/* The longest list takes the key holder seconds. */
enum { LOOK_MS = 250, SIGNER_TIMEOUT_MS = 60 * 1000 };

struct crl_publisher {
  const struct authorities *authorities;
  struct crl_tools tools;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct conf *conf; /* held */
  bool reload, stopping;
  /* The thread's own, and before it starts its maker's. */
  struct crl_list *lists;
  size_t n_lists;
};

/* --- which lists there are --- */

static bool has_list(const struct crl_publisher *publisher, const struct authority *authority,
                     unsigned shard)
{
  for (size_t i = 0; i < publisher->n_lists; i++)
    if (publisher->lists[i].authority == authority && publisher->lists[i].shard == shard)
      return true;
  return false;
}

static bool add_list(struct crl_publisher *publisher, const struct conf *conf,
                     const struct authority *authority, unsigned shard, struct fault *f)
{
  if (has_list(publisher, authority, shard))
    return true;
  struct crl_list *lists =
      reallocarray(publisher->lists, publisher->n_lists + 1, sizeof *publisher->lists);
  if (lists == NULL)
    return fault_no_memory(f);
  publisher->lists = lists;
  struct crl_list *list = &lists[publisher->n_lists++];
  *list = (struct crl_list){.authority = authority, .shard = shard};
  crl_list_recover(list, &publisher->tools, conf);
  return true;
}

/* Without a public_url no certificate names a list, and a shard's list could not say whose it is.
 */
static bool count_shards(const struct crl_publisher *publisher, const struct conf *conf,
                         const struct authority *authority, unsigned *ret_shards, struct fault *f)
{
  struct crl_extent extent;
  if (!ledger_crl_extent(publisher->tools.ledger, authority->name, &extent, f))
    return false;
  unsigned shards = conf->crl.shards > 1 ? conf->crl.shards : 0;
  shards = extent.last_shard > shards ? extent.last_shard : shards;
  if (shards > 0 && conf->public_url == NULL) {
    log_say(LOG_LEVEL_WARNING, "without public_url there are no revocation lists of shards",
            LOG_TEXT("authority", authority->name));
    shards = 0;
  }
  *ret_shards = shards;
  return true;
}

static bool add_lists(struct crl_publisher *publisher, const struct conf *conf, struct fault *f)
{
  for (size_t i = 0; i < authorities_n(publisher->authorities); i++) {
    const struct authority *authority = authorities_at(publisher->authorities, i);
    unsigned shards;
    if (!count_shards(publisher, conf, authority, &shards, f))
      return false;
    for (unsigned shard = 0; shard <= shards; shard++)
      if (!add_list(publisher, conf, authority, shard, f))
        return false;
  }
  return true;
}

static void take_changes(struct crl_publisher *publisher, const struct conf *conf)
{
  AUTO(fault) f = {0};
  if (!add_lists(publisher, conf, &f))
    log_say(LOG_LEVEL_ERROR, "revocation lists are missing",
            LOG_TEXT("code", fault_problem_code(f.code)), LOG_TEXT("detail", f.detail));
  for (size_t i = 0; i < publisher->n_lists; i++)
    crl_list_force(&publisher->lists[i], &publisher->tools, conf);
}

/* --- the thread --- */

static bool is_stopping(struct crl_publisher *publisher)
{
  pthread_mutex_lock(&publisher->lock);
  bool stopping = publisher->stopping;
  pthread_mutex_unlock(&publisher->lock);
  return stopping;
}

static void tend_all(struct crl_publisher *publisher, const struct conf *conf)
{
  int64_t last_id = ledger_last_revocation(publisher->tools.ledger);
  for (size_t i = 0; i < publisher->n_lists && !is_stopping(publisher); i++)
    crl_list_tend(&publisher->lists[i], &publisher->tools, conf, last_id, when_now());
}

/* With the lock held; false when it is to stop. */
static bool wait(struct crl_publisher *publisher)
{
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_nsec += LOOK_MS * 1000000L;
  until.tv_sec += until.tv_nsec / 1000000000L;
  until.tv_nsec %= 1000000000L;
  while (!publisher->reload && !publisher->stopping)
    if (pthread_cond_timedwait(&publisher->changed, &publisher->lock, &until) != 0)
      break;
  return !publisher->stopping;
}

static void *run(void *context)
{
  struct crl_publisher *publisher = context;
  pthread_mutex_lock(&publisher->lock);
  do {
    struct conf *conf = conf_hold(publisher->conf);
    bool reload = publisher->reload;
    publisher->reload = false;
    pthread_mutex_unlock(&publisher->lock);
    if (reload)
      take_changes(publisher, conf);
    tend_all(publisher, conf);
    conf_release(conf);
    pthread_mutex_lock(&publisher->lock);
  } while (wait(publisher));
  pthread_mutex_unlock(&publisher->lock);
  return NULL;
}

/* --- its life --- */

static void publisher_free(struct crl_publisher *publisher)
{
  if (publisher == NULL)
    return;
  signer_free(publisher->tools.signer);
  pthread_cond_destroy(&publisher->changed);
  pthread_mutex_destroy(&publisher->lock);
  conf_release(publisher->conf);
  free(publisher->lists);
  free(publisher);
}

AUTO_POINTER(crl_publisher, struct crl_publisher, publisher_free)

static bool start_thread(struct crl_publisher *publisher, struct fault *f)
{
  return thread_start(&publisher->thread, run, publisher) ||
         fault_set(f, INTERNAL, "the thread that publishes revocation lists does not start");
}

static void init_waiting(struct crl_publisher *publisher)
{
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_mutex_init(&publisher->lock, NULL);
  pthread_cond_init(&publisher->changed, &attributes);
  pthread_condattr_destroy(&attributes);
}

bool crl_publisher_start(struct conf *conf, const struct authorities *authorities,
                         struct ledger *ledger, struct key_holder *holder, unsigned slot,
                         struct crl_store *store, struct standing *standing,
                         struct crl_publisher **ret_publisher, struct fault *f)
{
  AUTO(crl_publisher) publisher = calloc(1, sizeof *publisher);
  if (publisher == NULL)
    return fault_no_memory(f);
  init_waiting(publisher);
  publisher->authorities = authorities;
  publisher->tools = (struct crl_tools){.ledger = ledger, .store = store, .standing = standing};
  publisher->conf = conf_hold(conf);
  if (!signer_new(holder, slot, SIGNER_TIMEOUT_MS, &publisher->tools.signer, f) ||
      !add_lists(publisher, conf, f) || !start_thread(publisher, f))
    return false;
  *ret_publisher = TAKE(publisher);
  return true;
}

void crl_publisher_reload(struct crl_publisher *publisher, struct conf *conf)
{
  pthread_mutex_lock(&publisher->lock);
  struct conf *before = publisher->conf;
  publisher->conf = conf_hold(conf);
  publisher->reload = true;
  pthread_cond_broadcast(&publisher->changed);
  pthread_mutex_unlock(&publisher->lock);
  conf_release(before);
}

void crl_publisher_stop(struct crl_publisher *publisher)
{
  if (publisher == NULL)
    return;
  pthread_mutex_lock(&publisher->lock);
  publisher->stopping = true;
  pthread_cond_broadcast(&publisher->changed);
  pthread_mutex_unlock(&publisher->lock);
  pthread_join(publisher->thread, NULL);
  publisher_free(publisher);
}
