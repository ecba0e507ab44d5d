/* export.h - a certificate, its chain and its key in the forms that devices load. Threads: any. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/private_key.h"

/* chain: DER certificates, leaf first. key may be NULL where a form can do without. */
struct export_input {
  const struct bytes *chain;
  size_t n_chain;
  const struct private_key *key;
};

/* C source and header: `const unsigned char NAME_certificate_der[]`, `NAME_certificate_der_len`,
 * `NAME_chain_pem[]` (NUL-terminated; the length counts the NUL, as mbedTLS wants),
 * `NAME_private_key_der[]`. Compiles as C89 on and as C++ without warnings; holds the same octets.
 * `name` must be a C identifier: BAD_USAGE otherwise. `header_name` is the name in the #include. */
bool export_c(const struct export_input *in, const char *name, const char *header_name,
              struct buf *ret_source, struct buf *ret_header, struct fault *f);
/* PKCS #12, AES-256, with a passphrase (may be empty). */
bool export_p12(const struct export_input *in, struct bytes passphrase, const char *friendly_name,
                struct buf *ret_p12, struct fault *f);
