/* ledger_tag_logs.c - what is tagged: the tag of a value, and the values of a row. */
#include "lib/base/hash.h"
#include "lib/ca/ledger_private.h"
#include "lib/pki/cert.h"

_Static_assert((int)TAG_IP == SAN_IP && (int)TAG_DNS == SAN_DNS && (int)TAG_URI == SAN_URI,
               "names are tagged by their kind");

enum ledger_log tag_log_of(enum tag_kind kind)
{
  return kind < TAG_EVENT_DEVICE ? LOG_CERTIFICATES : LOG_EVENTS;
}

/* A digest is spread evenly as it is. */
static struct tag tag_of_digest(enum tag_kind kind, const uint8_t *digest)
{
  struct tag tag = {.kind = kind, .bucket = (uint16_t)(digest[0] << 1 | digest[1] >> 7)};
  memcpy(tag.octets, digest + 1, sizeof tag.octets);
  return tag;
}

struct tag tag_of(enum tag_kind kind, struct bytes value)
{
  if (kind == TAG_KEY && value.len == PUBKEY_SHA256_LEN)
    return tag_of_digest(kind, value.data);
  const uint8_t of_kind = (uint8_t)kind;
  uint64_t hash =
      hash_spread(hash_octets(hash_octets(HASH_START, bytes_of(&of_kind, sizeof of_kind)), value));
  const uint8_t first[] = {(uint8_t)(hash >> 56), (uint8_t)(hash >> 48), (uint8_t)(hash >> 40),
                           (uint8_t)(hash >> 32), (uint8_t)(hash >> 24)};
  return tag_of_digest(kind, first);
}

static bool put(struct ledger_tags *tags, int64_t id, enum tag_kind kind, struct bytes value,
                struct fault *f)
{
  struct tag tag = tag_of(kind, value);
  return ledger_tags_put(tags, id, &tag, f);
}

/* --- certificates --- */

bool ledger_tags_put_certificate(struct ledger_tags *tags, int64_t id,
                                 const uint8_t spki_sha256[32], const struct sans *names,
                                 struct fault *f)
{
  if (!put(tags, id, TAG_KEY, bytes_of(spki_sha256, PUBKEY_SHA256_LEN), f))
    return false;
  for (size_t i = 0; i < names->n; i++) {
    struct san name = sans_get(names, i);
    if (!put(tags, id, (enum tag_kind)name.kind, name.value, f))
      return false;
  }
  return true;
}

/* A row, as names are come upon in its certificate. */
struct naming {
  struct ledger_tags *tags;
  int64_t id;
  struct fault *f;
};

static bool put_name(struct san name, void *context)
{
  struct naming *naming = context;
  return put(naming->tags, naming->id, (enum tag_kind)name.kind, name.value, naming->f);
}

/* Whoever wrote it: what cannot be read has no names, what is no digest of a key is none's. */
static bool put_certificate_row(struct ledger_tags *tags, const struct ledger_call *row,
                                struct fault *f)
{
  AUTO(fault) unread = {0};
  struct naming naming = {tags, sqlite3_column_int64(row->statement, 0), f};
  struct bytes spki_sha256 = ledger_call_column(row, 1);
  if (spki_sha256.len == PUBKEY_SHA256_LEN && !put(tags, naming.id, TAG_KEY, spki_sha256, f))
    return false;
  if (cert_each_name(ledger_call_column(row, 2), put_name, &naming, &unread))
    return true;
  if (unread.code == FAULT_NO_MEMORY)
    return fault_no_memory(f);
  return f->code == FAULT_NONE;
}

/* --- events --- */

bool ledger_tags_put_event(struct ledger_tags *tags, int64_t id, struct bytes device_serial,
                           struct bytes source, struct fault *f)
{
  return (device_serial.len == 0 || put(tags, id, TAG_EVENT_DEVICE, device_serial, f)) &&
         (source.len == 0 || put(tags, id, TAG_EVENT_SOURCE, source, f));
}

static bool put_event_row(struct ledger_tags *tags, const struct ledger_call *row, struct fault *f)
{
  return ledger_tags_put_event(tags, sqlite3_column_int64(row->statement, 0),
                               ledger_call_column(row, 1), ledger_call_column(row, 2), f);
}

const struct tag_log tag_logs[LOG_COUNT] = {
    [LOG_CERTIFICATES] = {SQL_CERTIFICATE_RUNS, SQL_CERTIFICATE_TAGS, SQL_ADD_CERTIFICATE_TAGS,
                          SQL_TAGGED_CERTIFICATES, put_certificate_row},
    [LOG_EVENTS] = {SQL_EVENT_RUNS, SQL_EVENT_TAGS, SQL_ADD_EVENT_TAGS, SQL_TAGGED_EVENTS,
                    put_event_row},
};
