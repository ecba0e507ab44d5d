/* pair.h - the certificate and key that a server or client of this machine has in files, and how
 * new ones take their place.
 *
 * A new key is written beside the old one (".new") before anybody is asked for a certificate, and
 * stays there until it has one: what was asked once can be asked again. A new certificate is
 * written beside likewise; then key, chain and certificate are renamed, in this order. There is no
 * such thing as renaming two files at once: whatever happens in between, pair_recover() of the next
 * run goes on with it. Files keep their mode and owner. Threads: one; one process at a time for
 * each folder: see pair_lock(). */
#pragma once
#include <stdbool.h>

#include "cli/bundle.h"
#include "lib/base/fault.h"
#include "lib/pki/cert.h"
#include "lib/pki/private_key.h"

struct pair {
  char *cert, *key; /* paths, links followed; owned */
  char *chain;      /* leaf and CAs; NULL: there is no such file */
};

/* What is in the files. */
struct held {
  struct bundle certs; /* leaf first; what follows it is its chain */
  struct cert leaf;    /* a view of the first */
  struct private_key *key;
};
void held_free(struct held *held);
AUTO_VALUE(held, struct held, held_free)

/* cert and key must be there. FILE_ERROR. */
bool pair_find(const char *cert, const char *key, const char *chain, struct pair *ret_pair,
               struct fault *f);
void pair_free(struct pair *pair);
AUTO_VALUE(pair, struct pair, pair_free)

/* Waits for another run that has the certificate's folder. The descriptor is the caller's to close.
 */
bool pair_lock(const struct pair *pair, int *ret_fd, struct fault *f);
/* Ends what an earlier run has begun: puts a certificate whose key is there in its place, and
 * removes one that has none. */
bool pair_recover(const struct pair *pair, struct fault *f);
/* BAD_FILE when they are no certificate and its key. ret_held must be all zero; wants held_free in
 * every case. */
bool pair_read(const struct pair *pair, struct held *ret_held, struct fault *f);
/* The key for the next certificate: a new one of the same type as the one that is held, or one of
 * an earlier try; `same`: the one that is held. Durable when it returns. */
bool pair_next_key(const struct pair *pair, const struct held *held, bool same,
                   struct private_key **ret_key, struct fault *f);
/* Puts these certificates, and the next key unless it is the same, in their place. The
 * certificate's file gets the leaf alone when the old one was alone in it. */
bool pair_replace(const struct pair *pair, const struct held *held, const struct bundle *certs,
                  bool same, struct fault *f);
