/* bundle.h - what a device loads, as files: certificate, chain and key in the forms that were asked
 * for. Threads: one. */
#pragma once
#include <stdbool.h>

#include "cli/outputs.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/private_key.h"

enum form { FORM_PEM = 1 << 0, FORM_DER = 1 << 1, FORM_P12 = 1 << 2, FORM_C = 1 << 3 };

/* "pem,der,p12,c"; BAD_USAGE for another. */
bool forms_read(const char *text, unsigned *ret_forms, struct fault *f);

enum { BUNDLE_CHAIN_MAX = 16, C_NAME_SIZE = 65 };

struct bundle {
  const char *base;                   /* path without suffix: "out/W-1001" */
  struct buf chain[BUNDLE_CHAIN_MAX]; /* DER, leaf first; owned */
  size_t n_chain;
  const struct private_key *key; /* NULL: none */
  struct bytes passphrase;       /* for PKCS #12; may be empty */
  const char *friendly_name;     /* in PKCS #12 */
  char c_name[C_NAME_SIZE];      /* the identifiers in C begin with it */
};

/* Adds all certificates of a PEM text, or one in DER. BAD_FILE when there is none, or anything
 * that is no certificate but no key either. */
bool bundle_add_certs(struct bundle *bundle, struct bytes any, struct fault *f);
/* Makes c_name from a text: what cannot stand in an identifier becomes '_'. */
void bundle_set_c_name(struct bundle *bundle, const char *text);
/* The paths alone, to look at what is there already. */
void bundle_paths(const char *base, unsigned forms, bool with_key, struct outputs *ret_files);
/* The files. BAD_USAGE for PKCS #12 without a key. */
bool bundle_files(const struct bundle *bundle, unsigned forms, struct outputs *ret_files,
                  struct fault *f);
void bundle_free(struct bundle *bundle);
AUTO_VALUE(bundle, struct bundle, bundle_free)
