/* crl_make.h - one list of revoked certificates: out of the ledger's rows, signed by the key
 * holder, not published yet. Threads: one at a time for each signer; the ledger goes on taking
 * rows. */
#pragma once
#include "daemon/crl_name.h"
#include "daemon/crl_schedule.h"
#include "lib/ca/authority.h"
#include "lib/ca/conf.h"
#include "lib/ca/crl_record.h"
#include "lib/ca/ledger.h"
#include "lib/ca/signer.h"

/* What is to be made. */
struct crl_wanted {
  const struct authority *authority;
  unsigned shard;                 /* 0: of all certificates */
  const struct crl_edition *base; /* NULL: complete; otherwise a delta to this one */
  uint64_t number;
  int64_t now;
};

/* The list as three pieces, one behind the other, and the row that tells of it. */
struct crl_made {
  struct buf before, tbs, behind;
  struct crl_record record;
};
void crl_made_free(struct crl_made *made);
AUTO_VALUE(crl_made, struct crl_made, crl_made_free)

/* ret_made must be all zero and wants crl_made_free in every case. SIGNER_DOWN, SIGNER_SPENT;
 * SIGNER_REFUSED with the guard's reason, or when it is longer than any that the key holder signs;
 * LEDGER, NO_MEMORY. A list of a shard needs the configuration's public_url. */
bool crl_make(const struct crl_wanted *wanted, const struct conf *conf, struct ledger *ledger,
              struct signer *signer, struct crl_made *ret_made, struct fault *f);

/* The octets' SHA-256, piece after piece. */
bool crl_sha256(const struct bytes *pieces, size_t n, uint8_t ret_sha256[32], struct fault *f);
