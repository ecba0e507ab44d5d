/* hash.h - FNV-1a with 64 bits, for places in a table: not for secrets, and not against whoever
 * makes clashes on purpose. What it gives is kept in files, and never changes. Threads: any. */
#pragma once
#include <stdint.h>

#include "lib/base/buf.h"

#define HASH_START UINT64_C(14695981039346656037)

/* From HASH_START, or from what it gave for the octets before these. */
uint64_t hash_octets(uint64_t hash, struct bytes octets);
/* Lets the last octets reach the upper bits: the finalizer of MurmurHash3. */
uint64_t hash_spread(uint64_t hash);
