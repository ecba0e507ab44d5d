/* ledger_principal_cache.c - principals that asked of late, as their rows are: each request asks
 * who asks, and nearly always it is one of a few.
 *
 * A row that was read is good as long as no principal was changed since before it was read: changes
 * go through the ledger's writer, which says so at its commit, and whoever finds an old row here
 * has read it before that. Rows that are not there are not kept: names are a peer's to invent. */
#include "lib/base/text.h"
#include "lib/ca/ledger_private.h"

static struct principal_slot *slot_of(struct ledger *ledger, const char *name)
{
  return &ledger->principals.slots[text_hash(name) % PRINCIPAL_SLOTS];
}

uint64_t ledger_principals_generation(struct ledger *ledger)
{
  return atomic_load(&ledger->principals.generation);
}

void ledger_principals_changed(struct ledger *ledger)
{
  atomic_fetch_add(&ledger->principals.generation, 1);
}

bool ledger_principals_get(struct ledger *ledger, const char *name, struct principal *ret_principal,
                           uint8_t ret_proof_sha256[TOKEN_SHA256_LEN])
{
  struct principal_slot *slot = slot_of(ledger, name);
  pthread_mutex_lock(&ledger->principals.lock);
  bool found = slot->generation == ledger_principals_generation(ledger) &&
               strcmp(slot->principal.name, name) == 0;
  if (found) {
    *ret_principal = slot->principal;
    memcpy(ret_proof_sha256, slot->proof_sha256, TOKEN_SHA256_LEN);
  }
  pthread_mutex_unlock(&ledger->principals.lock);
  return found;
}

void ledger_principals_put(struct ledger *ledger, uint64_t generation,
                           const struct principal *principal,
                           const uint8_t proof_sha256[TOKEN_SHA256_LEN])
{
  struct principal_slot *slot = slot_of(ledger, principal->name);
  pthread_mutex_lock(&ledger->principals.lock);
  slot->generation = generation;
  slot->principal = *principal;
  memcpy(slot->proof_sha256, proof_sha256, TOKEN_SHA256_LEN);
  pthread_mutex_unlock(&ledger->principals.lock);
}
