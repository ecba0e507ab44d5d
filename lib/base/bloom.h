/* bloom.h - a set that remembers a few bits of each member: it never denies one that it has, and
 * says of five in a thousand others that it may have them (B. H. Bloom, 1970; all bits of a member
 * lie in one cache line). Members are 64-bit hashes. Threads: any, without a lock; what one thread
 * adds, others may see a moment later. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/cleanup.h"
#include "lib/base/fault.h"

struct bloom;

/* For so many members; with more of them it says "may" too often. NO_MEMORY. */
bool bloom_new(size_t capacity, struct bloom **ret_bloom, struct fault *f);
void bloom_free(struct bloom *bloom);
AUTO_POINTER(bloom, struct bloom, bloom_free)

void bloom_add(struct bloom *bloom, uint64_t hash);
bool bloom_may_have(const struct bloom *bloom, uint64_t hash);
