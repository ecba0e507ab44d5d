/* cert.h - X.509 certificates, version 3 (RFC 5280): built from a specification, read into a view.
 * Threads: any. Pure: no clock, no randomness, no key. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/pubkey.h"
#include "lib/pki/san.h"

enum { SERIAL_NUMBER_LEN = 16, SERIAL_NUMBER_MAX = 20, CERT_MAX = 64 * 1024 };

/* Bits of keyUsage as in RFC 5280, 4.2.1.3. */
enum key_usage {
  KU_DIGITAL_SIGNATURE = 1 << 0,
  KU_NON_REPUDIATION = 1 << 1,
  KU_KEY_ENCIPHERMENT = 1 << 2,
  KU_DATA_ENCIPHERMENT = 1 << 3,
  KU_KEY_AGREEMENT = 1 << 4,
  KU_KEY_CERT_SIGN = 1 << 5,
  KU_CRL_SIGN = 1 << 6,
};

/* Extended key usages as a set. */
enum ext_key_usage {
  EKU_SERVER_AUTH = 1 << 0,
  EKU_CLIENT_AUTH = 1 << 1,
  EKU_OCSP_SIGNING = 1 << 2
};

/* "digitalSignature", "serverAuth": for configuration and for show. Bit number n; NULL behind the
 * last. */
const char *key_usage_name(unsigned bit);
const char *ext_key_usage_name(unsigned bit);
bool key_usage_named(struct bytes name, uint32_t *ret_bit);
bool ext_key_usage_named(struct bytes name, uint32_t *ret_bit);
/* The usage's OID as content octets; empty behind the last. */
struct bytes ext_key_usage_oid(unsigned bit);

/* The extensions that are read here, as a set. */
enum cert_extension {
  CERT_EXT_AUTHORITY_KEY_ID = 1 << 0,
  CERT_EXT_SUBJECT_KEY_ID = 1 << 1,
  CERT_EXT_KEY_USAGE = 1 << 2,
  CERT_EXT_BASIC_CONSTRAINTS = 1 << 3,
  CERT_EXT_EXT_KEY_USAGE = 1 << 4,
  CERT_EXT_SUBJECT_ALT_NAME = 1 << 5,
  CERT_EXT_CRL_DIST_POINTS = 1 << 6,
  CERT_EXT_AUTHORITY_INFO = 1 << 7,
  CERT_EXT_OCSP_NOCHECK = 1 << 8,
};

/* What a certificate is to say. All spans are borrowed. */
struct cert_spec {
  struct bytes serial_number; /* magnitude, 1 to 20 octets, positive */
  enum sig_alg alg;           /* of the issuer's key */
  struct bytes issuer;        /* Name, whole: the exact octets of the CA's subject */
  struct bytes subject;       /* Name, whole */
  int64_t not_before, not_after;
  struct bytes spki;                             /* SubjectPublicKeyInfo, whole */
  struct bytes subject_key_id, authority_key_id; /* authority_key_id empty only for a root */
  uint32_t key_usage, ext_key_usage;
  const struct sans
      *names; /* may be NULL or empty; the extension is critical iff the subject is empty */
  struct hardware_name hardware;
  bool is_ca;
  int path_len;                                    /* of a CA; -1: none */
  bool ocsp_nocheck;                               /* RFC 6960, 4.2.2.2.1 */
  const char *crl_url, *ocsp_url, *ca_issuers_url; /* NULL: not in the certificate */
};

/* Appends the TBSCertificate. Fails with NO_MEMORY or, for a specification that no correct
 * certificate follows from, INTERNAL. */
bool cert_build(const struct cert_spec *spec, struct buf *ret_tbs, struct fault *f);
/* Appends Certificate ::= SEQUENCE { tbs, alg, signature }. */
bool cert_assemble(struct bytes tbs, enum sig_alg alg, struct bytes signature, struct buf *ret_der,
                   struct fault *f);

/* What a certificate says. Spans are borrowed from the DER. */
struct cert {
  struct bytes der; /* empty when only a TBSCertificate was read */
  struct bytes tbs;
  struct bytes serial_number; /* magnitude */
  enum sig_alg alg;
  struct bytes issuer, subject;
  int64_t not_before, not_after;
  struct pubkey key;
  struct bytes signature;
  struct bytes subject_key_id, authority_key_id; /* empty: not there */
  bool has_key_usage, has_ext_key_usage, has_basic_constraints, has_names, names_critical;
  uint32_t key_usage;
  uint32_t ext_key_usage;    /* those that we know */
  bool has_unknown_eku;      /* anyExtendedKeyUsage, or one that enum ext_key_usage lacks */
  uint32_t extensions;       /* those that are there, of enum cert_extension */
  bool has_unknown_critical; /* a critical extension that is not read here */
  bool has_unknown;          /* any extension that is not read here */
  struct bytes unknown_oid;  /* of the first of these */
  bool is_ca;
  int path_len;
  bool ocsp_nocheck; /* an OCSP responder whose own status nobody need ask for */
  struct sans names; /* owned */
  struct bytes hardware_type, hardware_serial;
  bool has_crl_url;
  struct bytes crl_url, ocsp_url, ca_issuers_url; /* the first of each; empty: none */
};

/* From when on it is time for another one: two thirds of the lifetime are over. */
static inline int64_t cert_due_at(int64_t not_before, int64_t not_after)
{
  return not_after - (not_after - not_before) / 3;
}

/* Reads a Certificate, or a TBSCertificate alone, strictly (DER, version 3, one extension per OID,
 * algorithm inside and outside the same, no extension empty). BAD_FILE when it is not one. ret_cert
 * must be all zero; wants cert_free in every case.
 *
 * With `foreign` false, and in tbs_read, the extensions must have the form that cert_build gives
 * them: critical where it makes them so, names of our kinds only, authorityKeyIdentifier with
 * keyIdentifier alone, one URL in each place. With `foreign` true other names are stepped over,
 * names of our kinds that are not well formed too, and the further forms of RFC 5280 are taken. */
bool cert_read(struct bytes der, bool foreign, struct cert *ret_cert, struct fault *f);
bool tbs_read(struct bytes tbs, struct cert *ret_cert, struct fault *f);
/* The subject alternative names alone, of a Certificate that was read before or that we made:
 * nothing else is looked at. See sans_each(); BAD_FILE for what has no extensions that can be read.
 */
bool cert_each_name(struct bytes der, sans_visitor *each, void *context, struct fault *f);

/* True when the issuer's key made the certificate's signature and the issuer's subject is its
 * issuer, octet for octet. */
bool cert_is_signed_by(const struct cert *cert, const struct cert *issuer);
void cert_free(struct cert *cert);

AUTO_VALUE(cert, struct cert, cert_free)
