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

struct new_ca {
  struct new_cert root, issuing, server;
};

/* ret_ca must be all zero; wants new_ca_free in every case. */
bool new_ca_make(const struct new_ca_plan *plan, struct new_ca *ret_ca, struct fault *f);
void new_ca_free(struct new_ca *ca);
AUTO_VALUE(new_ca, struct new_ca, new_ca_free)
