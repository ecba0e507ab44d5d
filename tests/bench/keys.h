/* keys.h - certification requests made ahead: each of a P-256 key of its own, kept in a file so
 * that the next run has them at once. The private keys are thrown away: nobody needs them.
 * Threads: one; it starts some of its own. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* The n-th request names its device: "W-0000007". */
enum { DEVICE_NAME_SIZE = 16 };
void keys_device(size_t n, char ret_name[DEVICE_NAME_SIZE]);

struct keys {
  struct buf octets;  /* owned: one request's DER behind the other */
  struct bytes *csrs; /* owned array */
  size_t n;
};

/* Reads the first n of the file, after making those that it lacks. */
bool keys_load(const char *path, size_t n, struct keys *ret_keys, struct fault *f);
void keys_free(struct keys *keys);
AUTO_VALUE(keys, struct keys, keys_free)
