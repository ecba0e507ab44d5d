/* peer_kit.h - authorities, clients and revocation lists, made as a test wants them. */
#pragma once
#include "lib/base/buf.h"
#include "lib/pki/cert.h"
#include "lib/pki/name.h"
#include "lib/pki/private_key.h"

enum { PEER_NOW = 1800000000, PEER_DAY = 86400 };

/* A certificate with its key. */
struct made {
  struct private_key *key; /* owned */
  struct buf der;
  struct cert cert; /* a view */
};

/* What it is made from; 0 and NULL stand for what is usual. */
struct recipe {
  const char *name; /* CN; required */
  enum attribute attribute;
  const struct made *issuer; /* NULL: itself */
  struct bytes serial_number;
  int64_t not_before, not_after;
  uint32_t ext_key_usage;
  const struct sans *names;
  bool is_ca;
  int path_len; /* + 1 */
};

void made_cert(const struct recipe *recipe, struct made *ret_made);
void made_free(struct made *made);

/* A list of this issuer, in DER. */
struct list_recipe {
  const struct made *issuer, *signer; /* signer NULL: the issuer */
  int64_t this_update, next_update;
  struct bytes revoked; /* one serial number; empty: none */
  bool is_partial;
};
void made_list(const struct list_recipe *recipe, struct buf *ret_der);
