/* ca_kit.h - a small authority on disk for the tests of lib/ca: root, issuing CA, chain and both
 * configurations, in a folder of its own. */
#pragma once
#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/authority.h"
#include "lib/ca/conf.h"
#include "lib/pki/private_key.h"

enum { KIT_PATH_SIZE = 160 };

/* What a CA's certificate is made from. */
struct kit_ca {
  const char *name, *issuer; /* common names */
  const struct private_key *key, *issuer_key;
  int64_t not_before, not_after;
  uint32_t key_usage;
  bool is_ca;
  int path_len;
  bool without_cert_sign; /* which cert_build would not make */
};

struct kit {
  char dir[64];
  struct private_key *root_key, *issuing_key;
  struct kit_ca root, issuing;
};

/* The instant of the kit's certificates: when it was made. */
void kit_new(struct kit *ret_kit);
/* Writes root.crt, issuing.crt and chain.pem as kit->root and kit->issuing are now. */
void kit_write_certs(const struct kit *kit);
void kit_free(struct kit *kit);
const char *kit_path(const struct kit *kit, const char *name, char out[KIT_PATH_SIZE]);
void kit_write(const struct kit *kit, const char *name, const char *text, unsigned mode);

/* Loads it, and looks whether it is valid now. */
bool kit_load_authority(const struct kit *kit, int64_t now, struct authority **ret_authority,
                        struct fault *f);
struct conf *kit_load_conf(const struct kit *kit);

void kit_make_ca(const struct kit_ca *ca, struct buf *ret_der);
struct private_key *kit_key(const char *kind);
/* Appends a CSR's DER. names may be NULL. */
void kit_csr(const struct private_key *key, const struct sans *names, struct buf *ret_der);
void kit_add_name(struct sans *names, enum san_kind kind, const char *text);
/* A file of the source tree. */
void kit_source(const char *name, struct buf *ret_text);
