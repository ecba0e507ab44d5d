/* limits.c - see limits.h.
 *
 * A bucket is one number: the instant at which it will be full again. Each request moves it on by
 * the time that one token takes to come; a request that would move it further ahead of now than the
 * whole bucket takes to fill is refused. (This is the generic cell rate algorithm.) */
#include "daemon/limits.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/ip.h"

/* 2048 sets of 8 buckets: 256 KiB for each kind of limit. */
enum { SETS = 2048, WAYS = 8 };

struct bucket {
  uint64_t key;    /* a keyed hash; 0: free */
  int64_t full_us; /* when it is full again */
};

struct table {
  pthread_mutex_t lock;
  struct rate rate;
  struct bucket buckets[SETS][WAYS];
};

struct limits {
  uint64_t secret[2]; /* so that nobody can choose keys that fall together */
  struct table tables[LIMIT_COUNT];
};

static const char *const whose[LIMIT_COUNT] = {
    [LIMIT_PRINCIPAL] = "this principal",
    [LIMIT_ADDRESS] = "this address",
    [LIMIT_FAILED] = "this address, without a right token or secret,",
};

/* --- the keyed hash: SipHash-1-3 (Aumasson, Bernstein) --- */

static uint64_t rotate(uint64_t x, unsigned bits)
{
  return x << bits | x >> (64 - bits);
}

static void sip_round(uint64_t v[4])
{
  v[0] += v[1], v[2] += v[3];
  v[1] = rotate(v[1], 13) ^ v[0], v[3] = rotate(v[3], 16) ^ v[2];
  v[0] = rotate(v[0], 32);
  v[2] += v[1], v[0] += v[3];
  v[1] = rotate(v[1], 17) ^ v[2], v[3] = rotate(v[3], 21) ^ v[0];
  v[2] = rotate(v[2], 32);
}

static uint64_t sip_hash(const uint64_t secret[2], struct bytes text)
{
  uint64_t v[4] = {
      secret[0] ^ UINT64_C(0x736f6d6570736575), secret[1] ^ UINT64_C(0x646f72616e646f6d),
      secret[0] ^ UINT64_C(0x6c7967656e657261), secret[1] ^ UINT64_C(0x7465646279746573)};
  size_t whole = text.len / 8;
  for (size_t i = 0; i <= whole; i++) {
    size_t len = i < whole ? 8 : text.len % 8;
    uint64_t word = i < whole ? 0 : (uint64_t)text.len << 56;
    for (size_t j = 0; j < len; j++)
      word |= (uint64_t)text.data[8 * i + j] << 8 * j;
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
  }
  v[2] ^= 0xff;
  for (int i = 0; i < 3; i++)
    sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* --- the tables --- */

bool limits_new(const struct conf *conf, struct limits **ret_limits, struct fault *f)
{
  struct limits *limits = calloc(1, sizeof *limits);
  if (limits == NULL)
    return fault_no_memory(f);
  if (RAND_bytes((uint8_t *)limits->secret, sizeof limits->secret) != 1) {
    free(limits);
    return fault_set(f, INTERNAL, "the random generator does not work");
  }
  for (size_t i = 0; i < LIMIT_COUNT; i++)
    pthread_mutex_init(&limits->tables[i].lock, NULL);
  limits_reload(limits, conf);
  *ret_limits = limits;
  return true;
}

void limits_reload(struct limits *limits, const struct conf *conf)
{
  const struct rate rates[LIMIT_COUNT] = {[LIMIT_PRINCIPAL] = conf->per_principal,
                                          [LIMIT_ADDRESS] = conf->per_address,
                                          [LIMIT_FAILED] = conf->failed_per_address};
  for (size_t i = 0; i < LIMIT_COUNT; i++) {
    pthread_mutex_lock(&limits->tables[i].lock);
    limits->tables[i].rate = rates[i];
    pthread_mutex_unlock(&limits->tables[i].lock);
  }
}

void limits_free(struct limits *limits)
{
  if (limits == NULL)
    return;
  for (size_t i = 0; i < LIMIT_COUNT; i++)
    pthread_mutex_destroy(&limits->tables[i].lock);
  free(limits);
}

static uint64_t hash_key(const struct limits *limits, enum limit limit, const char *key)
{
  struct ip ip;
  struct bytes octets = bytes_of_text(key);
  if (limit != LIMIT_PRINCIPAL && ip_read(octets, &ip))
    octets = bytes_of(ip.octets, ip.len == 16 ? 8 : ip.len);
  uint64_t hash = sip_hash(limits->secret, octets);
  return hash != 0 ? hash : 1;
}

/* The key's bucket, or else the one of its set that is to give way, emptied of what it knew. */
static struct bucket *find(struct table *table, uint64_t key)
{
  struct bucket *set = table->buckets[key % SETS], *found = &set[0];
  for (size_t i = 0; i < WAYS; i++) {
    if (set[i].key == key)
      return &set[i];
    if (set[i].full_us < found->full_us)
      found = &set[i];
  }
  *found = (struct bucket){.key = key};
  return found;
}

/* How long until there is one; 0: there is, and *ret_full_us is when the bucket is full without it.
 */
static int64_t wait_us(const struct rate *rate, const struct bucket *bucket, int64_t now_us,
                       int64_t *ret_full_us)
{
  int64_t whole_us = INT64_C(1000000) * rate->seconds;
  int64_t from_us = bucket->full_us > now_us ? bucket->full_us : now_us;
  *ret_full_us = from_us + whole_us / rate->number;
  return *ret_full_us > now_us + whole_us ? *ret_full_us - now_us - whole_us : 0;
}

static bool ask(struct limits *limits, enum limit limit, const char *key, int64_t now_ms, bool take,
                unsigned *ret_wait_s, struct fault *f)
{
  if (limits == NULL)
    return true;
  struct table *table = &limits->tables[limit];
  uint64_t hash = hash_key(limits, limit, key);
  int64_t wait = 0, full_us;
  pthread_mutex_lock(&table->lock);
  if (table->rate.number > 0) {
    struct bucket *bucket = find(table, hash);
    wait = wait_us(&table->rate, bucket, INT64_C(1000) * now_ms, &full_us);
    if (wait == 0 && take)
      bucket->full_us = full_us;
  }
  pthread_mutex_unlock(&table->lock);
  if (wait == 0)
    return true;
  *ret_wait_s = (unsigned)((wait + 999999) / 1000000);
  return fault_set(f, TOO_MANY_REQUESTS, "%s asks too often: wait as Retry-After says",
                   whose[limit]);
}

bool limits_take(struct limits *limits, enum limit limit, const char *key, int64_t now_ms,
                 unsigned *ret_wait_s, struct fault *f)
{
  return ask(limits, limit, key, now_ms, true, ret_wait_s, f);
}

bool limits_look(struct limits *limits, enum limit limit, const char *key, int64_t now_ms,
                 unsigned *ret_wait_s, struct fault *f)
{
  return ask(limits, limit, key, now_ms, false, ret_wait_s, f);
}
