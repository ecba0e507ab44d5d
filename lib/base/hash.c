/* hash.c - see hash.h. */
#include "lib/base/hash.h"

uint64_t hash_octets(uint64_t hash, struct bytes octets)
{
  for (size_t i = 0; i < octets.len; i++)
    hash = (hash ^ octets.data[i]) * UINT64_C(1099511628211);
  return hash;
}

uint64_t hash_spread(uint64_t hash)
{
  hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
  hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
  return hash ^ hash >> 33;
}
