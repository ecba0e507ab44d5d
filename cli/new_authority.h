/* new_authority.h - one more issuing CA for an authority that is there, below its root or below a
 * new one; in memory. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cli/new_ca.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"

struct new_authority_plan {
  const char *issuing_cn, *root_cn; /* root_cn NULL: below the root that is there */
  bool cross;                       /* the new root is signed by the one that is there, too */
  const char *key_type;             /* of the new keys */
  int64_t now, root_validity_s, issuing_validity_s;
};

/* Owned; wants new_authority_free in every case. */
struct new_authority {
  struct new_cert old_root; /* certificate and key that are there; no key when it is not needed */
  struct new_cert root, issuing;
  struct buf cross_der; /* empty: none */
};

/* Reads the root that is there: PEM of its certificate and, when it is to sign, of its key, opened
 * with the passphrase if it is encrypted. BAD_FILE when they do not belong together, or when it is
 * no CA. */
bool new_authority_read_root(const char *certificate_path, const char *key_path,
                             struct bytes passphrase, struct new_authority *authority,
                             struct fault *f);
/* The root must have been read. Its organization is that of what is made. */
bool new_authority_make(const struct new_authority_plan *plan, struct new_authority *authority,
                        struct fault *f);
/* The subject's organization (or its common name, when it has none), for names that are to be made;
 * BAD_FILE when the root has neither. */
bool new_authority_organization(const struct new_authority *authority, char ret_name[256],
                                struct fault *f);
void new_authority_free(struct new_authority *authority);
AUTO_VALUE(new_authority, struct new_authority, new_authority_free)
