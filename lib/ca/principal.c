/* principal.c - see principal.h. */
#include "lib/ca/principal.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/ca/ledger.h"
#include "lib/pki/digest.h"

/* SECRET_TEXT_LEN: 32 octets in base64url. */
enum { SECRET_LEN = 32, SECRET_TEXT_LEN = 43, TOKEN_MAX = PRINCIPAL_NAME_SIZE + SECRET_TEXT_LEN };

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_NONE] = "",           [ROLE_STATION] = "station",
    [ROLE_DEVICE] = "device",   [ROLE_OPERATOR] = "operator",
    [ROLE_AUDITOR] = "auditor", [ROLE_ADMIN] = "admin",
};

const char *role_name(enum role role)
{
  return role_names[role];
}

bool role_named(struct bytes name, enum role *ret_role)
{
  for (size_t i = ROLE_NONE + 1; i < ROLE_COUNT; i++)
    if (bytes_equal(name, bytes_of_text(role_names[i]))) {
      *ret_role = (enum role)i;
      return true;
    }
  return false;
}

static const char *const proof_names[PROOF_COUNT] = {
    [PROOF_TOKEN] = "token", [PROOF_CERTIFICATE] = "certificate", [PROOF_TRUST] = "trust"};

const char *proof_name(enum proof proof)
{
  return proof_names[proof];
}

bool proof_named(struct bytes name, enum proof *ret_proof)
{
  for (size_t i = 0; i < PROOF_COUNT; i++)
    if (bytes_equal(name, bytes_of_text(proof_names[i]))) {
      *ret_proof = (enum proof)i;
      return true;
    }
  return false;
}

bool principal_name_is_valid(struct bytes name)
{
  return text_is_token(name, PRINCIPAL_NAME_SIZE - 1, "-_");
}

void proof_of_trust(const char *trust_name, uint8_t ret_sha256[TOKEN_SHA256_LEN])
{
  digest_sha256(bytes_of_text(trust_name), ret_sha256);
}

static bool add_secret(struct buf *token, struct fault *f)
{
  uint8_t secret[SECRET_LEN];
  if (RAND_priv_bytes(secret, sizeof secret) != 1)
    return fault_set(f, INTERNAL, "the random generator does not work");
  base64url_add(token, bytes_of(secret, sizeof secret));
  OPENSSL_cleanse(secret, sizeof secret);
  return buf_ok(token) || fault_no_memory(f);
}

bool principal_make_token(const char *name, struct buf *ret_token,
                          uint8_t ret_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  if (!principal_name_is_valid(bytes_of_text(name)))
    return fault_set(f, INTERNAL, "not a principal's name: 1 to 64 of A-Z a-z 0-9 - _");
  AUTO(secret_buf) token = {0};
  /* All at once: growing would leave copies of the secret behind. */
  if (!buf_reserve(&token, TOKEN_MAX) || !buf_reserve(ret_token, TOKEN_MAX))
    return fault_no_memory(f);
  buf_addf(&token, "%s.", name);
  if (!add_secret(&token, f))
    return false;
  digest_sha256(buf_bytes(&token), ret_sha256);
  buf_add_bytes(ret_token, buf_bytes(&token));
  return true;
}

/* The name in front of the first dot; "" when there is none that can be a principal's. */
static void token_name(struct bytes token, char ret_name[PRINCIPAL_NAME_SIZE])
{
  const uint8_t *dot = token.len == 0 ? NULL : memchr(token.data, '.', token.len);
  struct bytes name = bytes_of(token.data, dot == NULL ? 0 : (size_t)(dot - token.data));
  ret_name[0] = '\0';
  if (principal_name_is_valid(name))
    text_copy(ret_name, PRINCIPAL_NAME_SIZE, name);
}

/* An unknown name goes the whole way too, and is compared with a hash that no token has. */
bool principal_authenticate(struct ledger *ledger, struct bytes token,
                            struct principal *ret_principal, struct fault *f)
{
  char name[PRINCIPAL_NAME_SIZE];
  uint8_t given[TOKEN_SHA256_LEN], kept[TOKEN_SHA256_LEN] = {0};
  struct principal principal = {0};
  bool found = false;
  token_name(token, name);
  digest_sha256(token, given);
  if (!ledger_find_principal(ledger, name, &found, &principal, kept, f))
    return false;
  int differs = CRYPTO_memcmp(given, kept, sizeof kept);
  if (!found || differs != 0 || principal.proof != PROOF_TOKEN)
    return fault_set(f, UNAUTHENTICATED, "the token is not known");
  if (principal.disabled_at != 0)
    return fault_set(f, UNAUTHENTICATED, "%s is disabled", principal.name);
  *ret_principal = principal;
  return true;
}
