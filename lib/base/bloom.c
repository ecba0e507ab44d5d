/* bloom.c - see bloom.h. */
#include "lib/base/bloom.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A block is a cache line. Twelve bits for a member, of which six are set. */
enum { BLOCK_WORDS = 8, BLOCK_BITS = 512, MEMBER_BITS = 12, HASHES = 6 };

struct block {
  _Alignas(64) _Atomic uint64_t words[BLOCK_WORDS];
};

struct bloom {
  struct block *blocks;
  size_t n;
};

bool bloom_new(size_t capacity, struct bloom **ret_bloom, struct fault *f)
{
  AUTO(bloom) bloom = calloc(1, sizeof *bloom);
  if (bloom == NULL || capacity > UINT32_MAX)
    return fault_no_memory(f);
  bloom->n = capacity * MEMBER_BITS / BLOCK_BITS + 1;
  bloom->blocks = aligned_alloc(sizeof(struct block), bloom->n * sizeof(struct block));
  if (bloom->blocks == NULL)
    return fault_no_memory(f);
  for (size_t i = 0; i < bloom->n * BLOCK_WORDS; i++)
    atomic_init(&bloom->blocks[i / BLOCK_WORDS].words[i % BLOCK_WORDS], 0);
  *ret_bloom = TAKE(bloom);
  return true;
}

void bloom_free(struct bloom *bloom)
{
  if (bloom == NULL)
    return;
  free(bloom->blocks);
  free(bloom);
}

/* The upper half of the hash chooses the block, without a division. */
static struct block *block_of(const struct bloom *bloom, uint64_t hash)
{
  return &bloom->blocks[(hash >> 32) * bloom->n >> 32];
}

/* Nine bits for each position; all of the hash has a part in them, and what chose the block leaves
 * them as they come. */
static uint64_t positions_of(uint64_t hash)
{
  hash *= 0x9e3779b97f4a7c15u;
  return hash ^ hash >> 32;
}

void bloom_add(struct bloom *bloom, uint64_t hash)
{
  struct block *block = block_of(bloom, hash);
  uint64_t positions = positions_of(hash);
  for (unsigned i = 0; i < HASHES; i++, positions >>= 9)
    atomic_fetch_or_explicit(&block->words[positions % BLOCK_BITS / 64],
                             (uint64_t)1 << positions % 64, memory_order_relaxed);
}

bool bloom_may_have(const struct bloom *bloom, uint64_t hash)
{
  struct block *block = block_of(bloom, hash);
  uint64_t positions = positions_of(hash);
  for (unsigned i = 0; i < HASHES; i++, positions >>= 9) {
    uint64_t word =
        atomic_load_explicit(&block->words[positions % BLOCK_BITS / 64], memory_order_relaxed);
    if ((word >> positions % 64 & 1) == 0)
      return false;
  }
  return true;
}
