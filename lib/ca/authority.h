/* authority.h - the issuing CA as the daemon knows it: certificate, chain, root. Never a private
 * key. Threads: read-only after it is loaded, so any. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/cert.h"

enum { CHAIN_MAX = 8 };

struct authority {
  char name[65];
  struct buf certificate_der, root_der; /* owned */
  struct cert certificate, root;        /* views into them */
  struct buf chain_der[CHAIN_MAX];      /* what a server sends behind its leaf: the issuing CA, then
                                           intermediates, without the root; at last the root as an
                                           older one signed it, where there is such a one */
  size_t n_chain;
  struct buf chain_pem, root_pem;        /* the same as texts; chain_pem is chain_der's */
  enum sig_alg alg;                      /* what the CA's key signs with */
  uint8_t key_sha256[PUBKEY_SHA256_LEN]; /* of its SPKI: how the key holder is told which key */
};

/* Loads and checks: issuing certificate is a CA with keyCertSign, its chain leads to the root by
 * signatures; a cross certificate has the root's name and key. BAD_FILE or FILE_ERROR names the
 * file and what is wrong. Whether it is valid now is another question: one that has expired still
 * stands behind what it issued. */
struct conf_authority;
bool authority_load(const struct conf_authority *files, struct authority **ret_authority,
                    struct fault *f);
/* Issuing certificate, chain and root are all within their validity. BAD_FILE says which is not. */
bool authority_is_valid(const struct authority *authority, int64_t now, struct fault *f);
void authority_free(struct authority *authority);

AUTO_POINTER(authority, struct authority, authority_free)
