/* auth.c - see auth.h. */
#include "daemon/auth.h"

#include <strings.h>

#include "lib/base/text.h"
#include "lib/base/when.h"

enum { TOKEN_MAX = 512 };

static bool bearer_token(struct bytes authorization, struct bytes *ret_token, struct fault *f)
{
  static const char scheme[] = "Bearer ";
  size_t len = sizeof scheme - 1;
  if (authorization.data == NULL)
    return fault_set(f, UNAUTHENTICATED,
                     "send \"Authorization: Bearer TOKEN\", or show a client certificate");
  if (authorization.len < len || strncasecmp((const char *)authorization.data, scheme, len) != 0)
    return fault_set(f, UNAUTHENTICATED, "the only scheme of Authorization is Bearer");
  while (len < authorization.len && authorization.data[len] == ' ')
    len++;
  struct bytes token = bytes_of(authorization.data + len, authorization.len - len);
  if (!text_is_token(token, TOKEN_MAX, "-._~+/="))
    return fault_set(f, UNAUTHENTICATED, "this is not a token");
  *ret_token = token;
  return true;
}

static bool by_token(struct bytes authorization, const struct service *service,
                     struct principal *ret_principal, struct fault *f)
{
  struct bytes token;
  return bearer_token(authorization, &token, f) &&
         principal_authenticate(service->ledger, token, ret_principal, f);
}

static bool by_certificate(struct peer *peer, const struct service *service,
                           struct principal *ret_principal, struct fault *f)
{
  AUTO(trust) trust = trust_box_get(service->trusts);
  return peer_authenticate(peer, trust, service->ledger, when_now(), ret_principal, f);
}

bool auth_check(const struct route *route, const struct shown *shown, const struct service *service,
                struct principal *ret_principal, struct fault *f)
{
  struct principal principal = {0};
  if (route->roles & OPEN_TO_ALL)
    return true;
  bool certificate_counts = shown->authorization.data == NULL && shown->peer != NULL;
  if (certificate_counts ? !by_certificate(shown->peer, service, &principal, f)
                         : !by_token(shown->authorization, service, &principal, f))
    return false;
  *ret_principal = principal;
  if (principal.role <= ROLE_NONE || principal.role >= ROLE_COUNT ||
      (route->roles & UINT32_C(1) << principal.role) == 0)
    return fault_set(f, FORBIDDEN, "the role \"%s\" may not do this", role_name(principal.role));
  return true;
}
