/* item.h - one thing that a file holds: certificate, CSR, CRL or private key. Threads: one. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/cert.h"
#include "lib/pki/crl.h"
#include "lib/pki/csr.h"
#include "lib/pki/private_key.h"

enum item_kind { ITEM_CERT, ITEM_CSR, ITEM_CRL, ITEM_KEY };

/* The views point into der. */
struct item {
  enum item_kind kind;
  const char *path;      /* borrowed */
  unsigned position, of; /* the first of two in its file: 1, 2 */
  struct buf der;        /* empty for a key */
  struct cert cert;
  struct csr csr;
  bool csr_is_proven;
  struct crl crl;
  struct private_key *key; /* NULL when it is encrypted and was not opened */
};

struct items {
  struct item *items; /* owned */
  size_t n;
};

/* Adds all that a file holds, PEM or DER, "-" being standard input. BAD_FILE when it holds nothing
 * of these kinds, or something broken; items are then as before. An encrypted key is opened when
 * there is a passphrase (BAD_PASSPHRASE if it is not the one). */
bool items_read(const char *path, struct bytes passphrase, struct items *items, struct fault *f);
void items_free(struct items *items);
AUTO_VALUE(items, struct items, items_free)

/* "W-1001.chain.pem, 1 of 2": where it stands. */
void item_place(const struct item *item, struct buf *out);
const char *item_kind_name(enum item_kind kind);
/* "EC P-256", "RSA 2048 bits" */
void item_key_text(const struct pubkey *key, struct buf *out);
