/* cert_case.h - a certificate's specification as text: a line for each field, "field value". Also
 * the test's own small authority. */
#pragma once
#include "lib/pki/cert.h"
#include "lib/pki/private_key.h"

/* A specification and what it borrows from. All zero is empty. */
struct cert_case {
  struct cert_spec spec;
  const struct private_key *key, *issuer_key; /* borrowed from cert_case_key() */
  const char *issuer_kind, *issuer_name;      /* into text; issuer_name is NULL with `self` */
  struct buf issuer, subject, spki, text;
  struct sans names;
  uint8_t serial_number[32], hardware_type[32], hardware_serial[32];
  uint8_t subject_key_id[PUBKEY_ID_LEN], authority_key_id[PUBKEY_ID_LEN];
  char crl_url[128], ocsp_url[128], ca_issuers_url[128];
};

/* Reads a specification; fails the test for a line that it does not know. `self` in it makes the
 * subject its own issuer; otherwise "issuer NAME" is its common name. Key identifiers are those of
 * the keys. */
void cert_case_read(struct bytes text, struct cert_case *ret_case);
/* Builds, signs and assembles. */
void cert_case_make(const struct cert_case *c, struct buf *ret_der);
void cert_case_free(struct cert_case *c);
/* The private key of a kind, made once for the whole test: keys take longer than certificates. */
const struct private_key *cert_case_key(const char *kind);
void cert_case_free_keys(void);

AUTO_VALUE(cert_case, struct cert_case, cert_case_free)
