/* ledger_known.c - see ledger_known.h. */
#include "lib/ca/ledger_known.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/thread.h"
#include "lib/ca/ledger_private.h"

/* A set that is full gets a larger one beside it: with these the ledger has long become too large
 * for any memory. */
enum { PARTS = 12, FIRST_MEMBERS = 131072 };

struct ledger_known {
  _Atomic(struct bloom *) parts[PARTS]; /* NULL from the first one that is not there */
  size_t n_parts, capacity, members;    /* of the newest part */
  int64_t last_id;                      /* the newest row that it has */
  atomic_bool is_whole;                 /* all rows were read */
  atomic_bool is_blind;                 /* there is a row that it has not */
  atomic_bool stop;
  struct ledger_connection *reader;
  pthread_t thread;
  bool runs;
};

/* --- hashes --- */

/* Of what the tables have of a key. */
static uint64_t hash_of_tag(const struct tag *tag)
{
  uint64_t hash = tag->bucket;
  for (size_t i = 0; i < sizeof tag->octets; i++)
    hash = hash << 8 | tag->octets[i];
  return hash_spread(hash);
}

static uint64_t hash_of_key(const uint8_t spki_sha256[32])
{
  const struct tag tag = tag_of(TAG_KEY, bytes_of(spki_sha256, PUBKEY_SHA256_LEN));
  return hash_of_tag(&tag);
}

/* Whoever makes clashes on purpose makes the ledger be asked, as it would be without. */
static uint64_t hash_of_device(struct bytes device_serial)
{
  return hash_spread(hash_octets(HASH_START, device_serial));
}

/* --- asking --- */

static bool may_have(const struct ledger_known *known, uint64_t hash)
{
  if (!atomic_load(&known->is_whole) || atomic_load(&known->is_blind))
    return true;
  for (size_t i = 0; i < PARTS; i++) {
    const struct bloom *part = atomic_load(&known->parts[i]);
    if (part == NULL)
      return false;
    if (bloom_may_have(part, hash))
      return true;
  }
  return false;
}

bool ledger_may_know_device(const struct ledger_known *known, const char *device_serial)
{
  return may_have(known, hash_of_device(bytes_of_text(device_serial)));
}

bool ledger_may_know_key(const struct ledger_known *known, const uint8_t spki_sha256[32])
{
  return may_have(known, hash_of_key(spki_sha256));
}

/* --- adding --- */

static bool add_part(struct ledger_known *known, size_t capacity, struct fault *f)
{
  struct bloom *part;
  if (known->n_parts == PARTS || !bloom_new(capacity, &part, f))
    return fault_no_memory(f);
  atomic_store(&known->parts[known->n_parts++], part);
  known->capacity = capacity;
  known->members = 0;
  return true;
}

static void add(struct ledger_known *known, uint64_t hash)
{
  AUTO(fault) ignored = {0};
  if (known->members == known->capacity && !add_part(known, 2 * known->capacity, &ignored)) {
    atomic_store(&known->is_blind, true);
    return;
  }
  bloom_add(atomic_load(&known->parts[known->n_parts - 1]), hash);
  known->members++;
}

void ledger_known_begin(struct ledger_known *known, int64_t last_id)
{
  if (last_id != known->last_id)
    atomic_store(&known->is_blind, true);
}

void ledger_known_add(struct ledger_known *known, const struct issued *row)
{
  add(known, hash_of_key(row->spki_sha256));
  if (row->device_serial[0] != '\0')
    add(known, hash_of_device(bytes_of_text(row->device_serial)));
}

void ledger_known_commit(struct ledger_known *known, int64_t last_id)
{
  known->last_id = last_id;
}

/* --- reading what is there --- */

static void take_keys(const struct ledger_call *call, struct bloom *part)
{
  struct tag tag = {.bucket = (uint16_t)sqlite3_column_int(call->statement, 0)};
  struct bytes entries = ledger_call_column(call, 1);
  for (; entries.len >= TAG_ENTRY_LEN;
       entries.data += TAG_ENTRY_LEN, entries.len -= TAG_ENTRY_LEN) {
    memcpy(tag.octets, entries.data, sizeof tag.octets);
    bloom_add(part, hash_of_tag(&tag));
  }
}

static void take_new_key(const struct ledger_call *call, struct bloom *part)
{
  struct bytes spki_sha256 = ledger_call_column(call, 0);
  if (spki_sha256.len == PUBKEY_SHA256_LEN)
    bloom_add(part, hash_of_key(spki_sha256.data));
}

static void take_device(const struct ledger_call *call, struct bloom *part)
{
  bloom_add(part, hash_of_device(ledger_call_column(call, 0)));
}

/* These are in the first part, which has room for all of them besides what the writer adds. */
static bool read_all(struct ledger_known *known, enum ledger_sql sql,
                     void (*take)(const struct ledger_call *call, struct bloom *part))
{
  AUTO(fault) ignored = {0};
  AUTO(ledger_call) call = {0};
  struct bloom *first = atomic_load(&known->parts[0]);
  bool row = ledger_call_open(known->reader, sql, &call, &ignored);
  while (row && !atomic_load(&known->stop)) {
    if (!ledger_call_step(&call, &row, &ignored))
      return false;
    if (!row)
      return true;
    take(&call, first);
  }
  return false;
}

/* Without all rows it stays as it is: the ledger is asked each time. A run that becomes whole
 * meanwhile is read twice. */
static void *run(void *context)
{
  struct ledger_known *known = context;
  if (read_all(known, SQL_EACH_NEW_KEY, take_new_key) &&
      read_all(known, SQL_EACH_KEYS, take_keys) && read_all(known, SQL_EACH_DEVICE, take_device))
    atomic_store(&known->is_whole, true);
  ledger_connection_close(known->reader);
  known->reader = NULL;
  return NULL;
}

static bool start(struct ledger_known *known, struct fault *f)
{
  known->runs = thread_start(&known->thread, run, known);
  return known->runs || fault_set(f, INTERNAL, "cannot start a thread");
}

AUTO_POINTER(ledger_known, struct ledger_known, ledger_known_free)

bool ledger_known_new(struct ledger_connection *reader, int64_t last_id,
                      struct ledger_known **ret_known, struct fault *f)
{
  AUTO(ledger_known) known = calloc(1, sizeof *known);
  if (known == NULL) {
    ledger_connection_close(reader);
    return fault_no_memory(f);
  }
  known->reader = reader;
  known->last_id = last_id;
  size_t members = 2 * (size_t)last_id;
  if (!add_part(known, members + members / 8 + FIRST_MEMBERS, f))
    return false;
  known->members = members;
  if (!start(known, f))
    return false;
  *ret_known = TAKE(known);
  return true;
}

void ledger_known_free(struct ledger_known *known)
{
  if (known == NULL)
    return;
  atomic_store(&known->stop, true);
  if (known->runs)
    pthread_join(known->thread, NULL);
  ledger_connection_close(known->reader);
  for (size_t i = 0; i < known->n_parts; i++)
    bloom_free(atomic_load(&known->parts[i]));
  free(known);
}
