/* auth.c - see auth.h. */
#include "daemon/auth.h"

#include <strings.h>

#include "lib/base/base64.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/device.h"

enum { TOKEN_MAX = 512 };

/* --- what was sent --- */

enum credentials_kind { BEARER, BASIC, CREDENTIALS_KIND_COUNT };

static const char *const schemes[CREDENTIALS_KIND_COUNT] = {
    [BEARER] = "Bearer ", [BASIC] = "Basic "};

/* A scheme's name is in any case (RFC 9110, 11.1). */
static bool read_scheme(struct bytes authorization, enum credentials_kind *ret_kind,
                        struct bytes *ret_token)
{
  for (size_t i = 0; i < CREDENTIALS_KIND_COUNT; i++) {
    size_t len = strlen(schemes[i]);
    if (authorization.len < len ||
        strncasecmp((const char *)authorization.data, schemes[i], len) != 0)
      continue;
    while (len < authorization.len && authorization.data[len] == ' ')
      len++;
    *ret_token = bytes_of(authorization.data + len, authorization.len - len);
    *ret_kind = (enum credentials_kind)i;
    return true;
  }
  return false;
}

static bool read_credentials(struct bytes authorization, enum credentials_kind *ret_kind,
                             struct bytes *ret_token, struct fault *f)
{
  if (authorization.data == NULL)
    return fault_set(f, UNAUTHENTICATED,
                     "send \"Authorization: Bearer TOKEN\", or show a client certificate");
  if (!read_scheme(authorization, ret_kind, ret_token))
    return fault_set(f, UNAUTHENTICATED, "the schemes of Authorization are Bearer and Basic");
  return text_is_token(*ret_token, TOKEN_MAX, "-._~+/=") ||
         fault_set(f, UNAUTHENTICATED, "this is not a token");
}

/* A principal's token has a dot, which base64url has not. */
static bool is_of_device(enum credentials_kind kind, struct bytes token)
{
  return kind == BASIC || memchr(token.data, '.', token.len) == NULL;
}

bool auth_is_guessable(struct bytes authorization)
{
  enum credentials_kind kind;
  struct bytes token;
  return read_scheme(authorization, &kind, &token) && token.len > 0 && is_of_device(kind, token);
}

/* --- who it is --- */

/* Basic (RFC 7617): base64 of DEVICE_SERIAL:SECRET; as a bearer token: base64url of the same. */
static bool authenticate_device(struct ledger *ledger, enum credentials_kind kind,
                                struct bytes token, struct principal *ret_principal,
                                struct fault *f)
{
  AUTO(secret_buf) credentials = {0};
  /* All at once: growing would leave copies of the secret behind. */
  if (!buf_reserve(&credentials, TOKEN_MAX))
    return fault_no_memory(f);
  bool decoded =
      kind == BASIC ? base64_decode(&credentials, token) : base64url_decode(&credentials, token);
  if (!decoded)
    return fault_set(f, UNAUTHENTICATED, "this is not a token");
  return device_authenticate(ledger, buf_bytes(&credentials), ret_principal, f);
}

static bool by_token(struct bytes authorization, const struct service *service,
                     struct principal *ret_principal, struct fault *f)
{
  enum credentials_kind kind;
  struct bytes token;
  if (!read_credentials(authorization, &kind, &token, f))
    return false;
  return is_of_device(kind, token)
             ? authenticate_device(service->ledger, kind, token, ret_principal, f)
             : principal_authenticate(service->ledger, token, ret_principal, f);
}

static bool by_certificate(struct peer *peer, const struct service *service,
                           struct principal *ret_principal, struct fault *f)
{
  AUTO(trust) trust = trust_box_get(service->trusts);
  return peer_authenticate(peer, trust, service->ledger, when_now(), ret_principal, f);
}

static bool by_either(const struct shown *shown, const struct service *service,
                      struct principal *ret_principal, struct fault *f)
{
  if (shown->authorization.data == NULL && shown->peer != NULL)
    return by_certificate(shown->peer, service, ret_principal, f);
  return by_token(shown->authorization, service, ret_principal, f);
}

/* A token would say that its owner renews what somebody else holds. */
static bool as_holder(const struct shown *shown, const struct service *service,
                      struct principal *ret_principal, struct fault *f)
{
  if (shown->authorization.data != NULL || shown->peer == NULL)
    return fault_set(f, UNAUTHENTICATED,
                     "show the client certificate that is to be renewed, and no Authorization");
  AUTO(trust) trust = trust_box_get(service->trusts);
  return peer_renews(shown->peer, trust, service->ledger, when_now(), ret_principal, f);
}

bool auth_check(const struct route *route, const struct shown *shown, const struct service *service,
                struct principal *ret_principal, struct fault *f)
{
  struct principal principal = {0};
  if (route->roles & OPEN_TO_ALL)
    return true;
  if (!(route->roles & AS_HOLDER ? as_holder : by_either)(shown, service, &principal, f))
    return false;
  *ret_principal = principal;
  if (principal.role <= ROLE_NONE || principal.role >= ROLE_COUNT ||
      (route->roles & UINT32_C(1) << principal.role) == 0)
    return fault_set(f, FORBIDDEN, "the role \"%s\" may not do this", role_name(principal.role));
  return true;
}

static bool find_again(const struct exchange *x, const uint8_t proof_sha256[TOKEN_SHA256_LEN],
                       struct principal *ret_principal, struct fault *f)
{
  uint8_t now_sha256[TOKEN_SHA256_LEN];
  bool found;
  if (!ledger_find_principal(x->service->ledger, x->principal.name, &found, ret_principal,
                             now_sha256, f))
    return false;
  return (found && ret_principal->disabled_at == 0 &&
          memcmp(now_sha256, proof_sha256, sizeof now_sha256) == 0) ||
         fault_set(f, UNAUTHENTICATED, "%s was disabled, or has another token now",
                   x->principal.name);
}

bool auth_check_again(const struct exchange *x, const uint8_t proof_sha256[TOKEN_SHA256_LEN],
                      struct fault *f)
{
  struct principal principal = {0};
  bool found = x->shown != NULL ? by_certificate(x->shown, x->service, &principal, f)
                                : find_again(x, proof_sha256, &principal, f);
  if (!found)
    return false;
  return (principal.role == x->principal.role && strcmp(principal.name, x->principal.name) == 0) ||
         fault_set(f, UNAUTHENTICATED, "%s is somebody else now", x->principal.name);
}
