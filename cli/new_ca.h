/* new_ca.h - a new authority, made in memory: root, issuing CA, and the daemon's own server
 * certificate, each with its key. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/cert.h"
#include "lib/pki/private_key.h"

enum { CA_NAME_MAX = 53 }; /* " Issuing CA" follows it in a CN of at most 64 characters */

struct new_ca_plan {
  const char *name;     /* "Acme Widgets": UTF-8, at most CA_NAME_MAX characters */
  const char *key_type; /* of all three keys */
  int64_t now;
  int64_t root_validity_s, issuing_validity_s;
  const char *server_name; /* CN of the server's certificate */
  const struct sans *server_names;
};

struct new_cert {
  struct private_key *key;
  struct buf subject, spki, der;
  uint8_t key_id[PUBKEY_ID_LEN];
  int64_t not_before, not_after;
};

/* The steps from which an authority is made. Names are common names; organization and them UTF-8.
 * Each keeps what it makes in `cert`, which the caller frees with new_cert_free. */
bool new_cert_make_key(struct new_cert *cert, const char *organization, const char *common_name,
                       const char *key_type, struct fault *f);
/* From an hour ago on, to `at_most` at the latest. */
void new_cert_set_validity(struct new_cert *cert, int64_t now, int64_t seconds, int64_t at_most);
/* Fills in what is known of both, and signs with the issuer's key; the DER is appended to ret_der.
 */
bool new_cert_sign(const struct new_cert *cert, const struct new_cert *issuer,
                   struct cert_spec spec, struct buf *ret_der, struct fault *f);
/* What a root says: it signs CAs, and lists. An issuing CA signs no CA. */
struct cert_spec new_cert_root_spec(void);
struct cert_spec new_cert_issuing_spec(void);
void new_cert_free(struct new_cert *cert);

struct new_ca {
  struct new_cert root, issuing, server;
};

/* ret_ca must be all zero; wants new_ca_free in every case. */
bool new_ca_make(const struct new_ca_plan *plan, struct new_ca *ret_ca, struct fault *f);
void new_ca_free(struct new_ca *ca);
AUTO_VALUE(new_ca, struct new_ca, new_ca_free)
