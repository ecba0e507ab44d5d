/* pubkey.h - a public key: read from a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), judged, and
 * verified with. Threads: any; each thread keeps its own OpenSSL contexts. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/p256.h"

enum key_type { KEY_EC_P256, KEY_EC_P384, KEY_EC_P521, KEY_RSA, KEY_ED25519, KEY_TYPE_COUNT };

/* "ec-p256", "ec-p384", "ec-p521", "rsa", "ed25519" */
const char *key_type_name(enum key_type type);
bool key_type_named(struct bytes name, enum key_type *ret_type);

/* The algorithms of a signature that Mintmark makes or accepts. */
enum sig_alg {
  SIG_ECDSA_SHA256,
  SIG_ECDSA_SHA384,
  SIG_ECDSA_SHA512,
  SIG_RSA_SHA256,
  SIG_RSA_SHA384,
  SIG_RSA_SHA512,
  SIG_ED25519,
  SIG_ALG_COUNT
};

/* Reads an AlgorithmIdentifier SEQUENCE (whole value): ECDSA and Ed25519 without parameters, RSA
 * with NULL. */
bool sig_alg_read(struct bytes whole, enum sig_alg *ret_alg);
void sig_alg_write(enum sig_alg alg, struct buf *out);
const char *sig_alg_name(enum sig_alg alg); /* "ecdsa-with-SHA256" */

enum { PUBKEY_ID_LEN = 20, PUBKEY_SHA256_LEN = 32 };

/* Views into the SPKI that was read; spki is the whole SEQUENCE. */
struct pubkey {
  enum key_type type;
  unsigned bits; /* curve size, or the modulus's length */
  struct bytes spki;
  struct bytes key; /* content of subjectPublicKey: EC point, Ed25519 key, RSAPublicKey */
  struct bytes modulus, exponent; /* RSA: magnitudes */
};

/* Reads the structure strictly: named curves only (no explicit parameters), uncompressed points,
 * exact lengths, nothing behind. Fails with BAD_CSR for what is not DER of this form,
 * KEY_TYPE_NOT_ALLOWED for an algorithm or curve that is not in enum key_type. Says nothing about
 * strength. */
bool pubkey_read(struct bytes spki, struct pubkey *ret_key, struct fault *f);

/* WEAK_KEY unless: EC point on its curve and not at infinity; RSA 2048 to 4096 bits, odd modulus,
 * odd exponent of at least 65537 and at most 64 bits, no factor below 10000, no ROCA fingerprint,
 * primes not close to each other (100 rounds of Fermat); Ed25519 in its one encoding and not of
 * small order, for which anybody can sign. Takes microseconds, for RSA up to half a millisecond. */
bool pubkey_check_strength(const struct pubkey *key, struct fault *f);

/* True when `signature` over `octets` is this key's. The algorithm must fit the key's type; an
 * ECDSA signature is strict DER. Does not judge the key, but takes no work from a peer without
 * bound: RSA keys of more than 4096 bits, or with an exponent of more than 64, verify nothing. */
bool pubkey_verify(const struct pubkey *key, enum sig_alg alg, struct bytes octets,
                   struct bytes signature);

/* Signatures that are to be verified soon, by this thread: what it costs less to have for all of
 * them at once. *ret is unknown where there is no such thing. */
struct pubkey_hint {
  const struct pubkey *key;
  enum sig_alg alg;
  struct bytes signature;
  struct p256_inverse *ret;
};
void pubkey_hint_all(const struct pubkey_hint hints[], size_t n);
/* The same as pubkey_verify(), whatever the hint. NULL: none. */
bool pubkey_verify_hinted(const struct pubkey *key, enum sig_alg alg, struct bytes octets,
                          struct bytes signature, const struct p256_inverse *hint);

/* SubjectKeyIdentifier: RFC 7093 method 1, the leftmost 160 bits of SHA-256 over the key's BIT
 * STRING content. */
void pubkey_id(const struct pubkey *key, uint8_t ret_id[PUBKEY_ID_LEN]);
/* SHA-256 over the whole SPKI: what "the same key" means in the ledger. */
void pubkey_sha256(struct bytes spki, uint8_t ret_digest[PUBKEY_SHA256_LEN]);
