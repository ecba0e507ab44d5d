/* principal.h - who may ask: a name, a role, and what it shows: a token of which only a hash is
 * kept, or a certificate.
 *
 * A token is "NAME.SECRET": the name tells which row to look at, the secret is 32 octets of the
 * CSPRNG in base64url. What is kept is SHA-256 over the token's whole text: because the secret has
 * 256 random bits, that is enough.
 * Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum role {
  ROLE_NONE,
  ROLE_STATION,
  ROLE_DEVICE,
  ROLE_OPERATOR,
  ROLE_AUDITOR,
  ROLE_ADMIN,
  ROLE_COUNT
};

/* "station", "device", "operator", "auditor", "admin"; "" for ROLE_NONE, which no principal has */
const char *role_name(enum role role);
bool role_named(struct bytes name, enum role *ret_role);

enum { PRINCIPAL_NAME_SIZE = 65, TOKEN_SHA256_LEN = 32 };

/* What a principal shows, and what its row keeps the SHA-256 of. */
enum proof {
  PROOF_TOKEN,       /* the token's whole text */
  PROOF_CERTIFICATE, /* the public key (SPKI) of a certificate of ours */
  PROOF_TRUST,       /* the name of the trust that vouches for its certificate */
  PROOF_COUNT
};
/* "token", "certificate", "trust" */
const char *proof_name(enum proof proof);
bool proof_named(struct bytes name, enum proof *ret_proof);
/* What is kept for PROOF_TRUST. */
void proof_of_trust(const char *trust_name, uint8_t ret_sha256[TOKEN_SHA256_LEN]);

/* Of one who was let in without a row (a device with a certificate) times are 0. */
struct principal {
  char name[PRINCIPAL_NAME_SIZE];
  enum role role;
  enum proof proof;
  int64_t created_at, disabled_at; /* disabled_at 0: it may ask */
  int64_t secret_no; /* of a device that showed its enrolment secret: which one; 0: none */
  int64_t renews; /* of the holder of a certificate, who was let in to renew it: the id of that one
                     in the ledger; 0: it may not */
};

/* 1 to 64 of A-Z a-z 0-9 - _ (no dot: it divides name and secret). */
bool principal_name_is_valid(struct bytes name);

/* Makes a token (appended; without a line end) and the hash to keep. The caller wipes the token.
 * INTERNAL when there is no randomness, or when the name is not valid. */
bool principal_make_token(const char *name, struct buf *ret_token,
                          uint8_t ret_sha256[TOKEN_SHA256_LEN], struct fault *f);

/* Who is it? Takes the same time and the same fault (UNAUTHENTICATED) whether the name is unknown,
 * the secret wrong, or a certificate is what it shows. UNAUTHENTICATED with another detail for one
 * that is disabled, and has shown the right token; LEDGER when the database fails. */
struct ledger;
bool principal_authenticate(struct ledger *ledger, struct bytes token,
                            struct principal *ret_principal, struct fault *f);
