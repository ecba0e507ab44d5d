/* where.h - which daemon: its URL, the token or certificate that says who asks, the root to trust.
 * Threads: one. */
#pragma once
#include <stdbool.h>

#include "cli/args.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"

struct where {
  char *url;                      /* "https://127.0.0.1:8443", without a slash at the end */
  char *cacert;                   /* NULL: the system's own roots */
  struct buf token;               /* wiped when freed; empty with a certificate */
  char *client_cert, *client_key; /* paths; NULL with a token */
};

/* For each of the three: the option, else what --dir leads to, else the environment. A token and a
 * certificate from the same place are BAD_USAGE. ret_where
 * must be all zero; wants where_free in every case. */
bool where_find(const struct args *args, struct where *ret_where, struct fault *f);
/* The same for a verb that has a certificate of its own to show, and its key. */
bool where_find_for(const struct args *args, const char *cert, const char *key,
                    struct where *ret_where, struct fault *f);
void where_free(struct where *where);
