/* ocsp_cache.c - see ocsp_cache.h. Sets of a few ways: a question belongs to one set, and within
 * it the one that was asked for last stands first. No list runs through all of it, so that threads
 * share nothing but the lock of a few sets. */
#include "daemon/ocsp_cache.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/cleanup.h"

enum { WAYS = 8, LOCKS = 64 };

struct entry {
  uint8_t key[OCSP_CACHE_KEY_LEN];
  struct ocsp_cached cached; /* only as much of it as has content is set aside */
};

struct set {
  struct entry *ways[WAYS]; /* behind the last one: NULL */
};

struct ocsp_cache {
  pthread_mutex_t locks[LOCKS];
  size_t n_sets;
  unsigned n_ways;
  struct set *sets;
};

AUTO_POINTER(ocsp_cache, struct ocsp_cache, ocsp_cache_free)

void ocsp_cache_free(struct ocsp_cache *cache)
{
  if (cache == NULL)
    return;
  for (size_t i = 0; cache->sets != NULL && i < cache->n_sets; i++)
    for (unsigned way = 0; way < WAYS; way++)
      free(cache->sets[i].ways[way]);
  for (size_t i = 0; i < LOCKS; i++)
    pthread_mutex_destroy(&cache->locks[i]);
  free(cache->sets);
  free(cache);
}

bool ocsp_cache_new(unsigned most, struct ocsp_cache **ret_cache, struct fault *f)
{
  AUTO(ocsp_cache) cache = calloc(1, sizeof *cache);
  if (cache == NULL)
    return fault_no_memory(f);
  for (size_t i = 0; i < LOCKS; i++)
    pthread_mutex_init(&cache->locks[i], NULL);
  cache->n_ways = most < WAYS ? most : WAYS;
  cache->n_sets = most < WAYS ? 1 : most / WAYS;
  cache->sets = calloc(cache->n_sets, sizeof *cache->sets);
  if (cache->sets == NULL)
    return fault_no_memory(f);
  *ret_cache = TAKE(cache);
  return true;
}

/* The key is a hash: any of its octets will do. Its set is locked. */
static struct set *lock_set(struct ocsp_cache *cache, const uint8_t key[OCSP_CACHE_KEY_LEN],
                            pthread_mutex_t **ret_lock)
{
  uint64_t number;
  memcpy(&number, key, sizeof number);
  size_t index = (size_t)(number % cache->n_sets);
  *ret_lock = &cache->locks[index % LOCKS];
  pthread_mutex_lock(*ret_lock);
  return &cache->sets[index];
}

/* n_ways when it has none. */
static unsigned find(const struct ocsp_cache *cache, const struct set *set,
                     const uint8_t key[OCSP_CACHE_KEY_LEN])
{
  unsigned way = 0;
  while (way < cache->n_ways &&
         (set->ways[way] == NULL || memcmp(set->ways[way]->key, key, OCSP_CACHE_KEY_LEN) != 0))
    way++;
  return way;
}

/* Those before it move back by one. */
static void put_first(struct set *set, unsigned way, struct entry *entry)
{
  memmove(&set->ways[1], &set->ways[0], way * sizeof set->ways[0]);
  set->ways[0] = entry;
}

static size_t size_of(const struct ocsp_cached *cached)
{
  return offsetof(struct ocsp_cached, octets) + cached->data_len + cached->signature_len;
}

bool ocsp_cache_get(struct ocsp_cache *cache, const uint8_t key[OCSP_CACHE_KEY_LEN],
                    struct ocsp_cached *ret_cached)
{
  pthread_mutex_t *lock;
  struct set *set = lock_set(cache, key, &lock);
  unsigned way = find(cache, set, key);
  bool found = way < cache->n_ways;
  if (found) {
    struct entry *entry = set->ways[way];
    memcpy(ret_cached, &entry->cached, size_of(&entry->cached));
    put_first(set, way, entry);
  }
  pthread_mutex_unlock(lock);
  return found;
}

void ocsp_cache_put(struct ocsp_cache *cache, const uint8_t key[OCSP_CACHE_KEY_LEN],
                    const struct ocsp_cached *cached)
{
  struct entry *entry =
      cache->n_ways > 0 ? malloc(offsetof(struct entry, cached) + size_of(cached)) : NULL;
  if (entry == NULL)
    return;
  memcpy(entry->key, key, sizeof entry->key);
  memcpy(&entry->cached, cached, size_of(cached));
  pthread_mutex_t *lock;
  struct set *set = lock_set(cache, key, &lock);
  unsigned way = find(cache, set, key);
  if (way == cache->n_ways)
    way--; /* the last one makes room */
  struct entry *before = set->ways[way];
  put_first(set, way, entry);
  pthread_mutex_unlock(lock);
  free(before);
}
