/* crl_name.h - how a list of revoked certificates is called: its path below the folder of lists,
 * and below /crl/. Pure. Threads: any.
 *
 *   issuing.crl            all of the authority's certificates
 *   issuing/delta.crl      what has changed since
 *   issuing/3.crl          those of shard 3
 *   issuing/3-delta.crl    what has changed since
 *
 * and ".pem" in the place of ".crl" for the same in PEM. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"

enum { CRL_NAME_SIZE = 96 };

struct crl_name {
  const char *authority;
  unsigned shard; /* 0: all */
  bool is_delta;
};

/* extension: "crl" or "pem". */
void crl_name_text(const struct crl_name *name, const char *extension, char out[CRL_NAME_SIZE]);
/* "PUBLIC_URL/crl/NAME.crl", as certificates say it. */
void crl_name_url(const struct crl_name *name, const char *public_url, struct buf *out);
