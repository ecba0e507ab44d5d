/* signer.h - the daemon's side of the key holder: to-be-signed octets in, signatures out, a batch
 * in one message. Threads: one signer for each thread (each has a connection of its own). */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/key_holder.h"
#include "lib/pki/sign_protocol.h"

enum { SIGNER_BATCH_MAX = 64 };

struct signer;

/* timeout_ms is for one exchange. Does not connect yet. */
bool signer_new(struct key_holder *holder, unsigned slot, unsigned timeout_ms,
                struct signer **ret_signer, struct fault *f);

/* One item of a batch. */
struct signer_item {
  enum sign_kind kind;  /* in: what it is */
  struct bytes tbs;     /* in: borrowed */
  struct buf signature; /* out: owned by the caller */
  struct fault
      fault; /* out: SIGNER_REFUSED with the guard's reason, or SIGNER_SPENT, for this item */
};

/* Signs 1 to SIGNER_BATCH_MAX items with one key: key_sha256 tells which of the key holder's, by
 * SHA-256 over its SPKI. False (SIGNER_DOWN) when the key holder cannot be reached or broke off;
 * a connection that was found dead, or that did not take in the whole request, is opened anew once.
 * True: look at each item's fault. */
bool signer_sign(struct signer *signer, const uint8_t key_sha256[32], struct signer_item *items,
                 size_t n, struct fault *f);
/* Is the key there and does it work? The key holder signs and verifies something of its own;
 * nothing leaves it. */
bool signer_probe(struct signer *signer, const uint8_t key_sha256[32], struct fault *f);
/* What the key holder remembers of a key; each of them only grows, restarts or not. */
struct signer_counts {
  uint64_t n_signed;   /* certificates, whether or not they came to be recorded */
  uint64_t recorded;   /* the most that any daemon has said that its ledger had */
  uint64_t crl_number; /* the highest that was signed; 0: none */
};
/* Tells how many certificates of a key the ledger has, and asks what the key holder remembers, of
 * this very call too. Waits for a disk only while a list's number is brought to it. SIGNER_REFUSED:
 * there is no such key; SIGNER_DOWN. */
bool signer_count(struct signer *signer, const uint8_t key_sha256[32], uint64_t recorded,
                  struct signer_counts *ret_counts, struct fault *f);
void signer_free(struct signer *signer);
