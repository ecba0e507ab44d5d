/* auth.c - see auth.h. */
#include "daemon/auth.h"

#include <strings.h>

#include "lib/base/text.h"

enum { TOKEN_MAX = 512 };

static bool bearer_token(struct bytes authorization, struct bytes *ret_token, struct fault *f)
{
  static const char scheme[] = "Bearer ";
  size_t len = sizeof scheme - 1;
  if (authorization.data == NULL)
    return fault_set(f, UNAUTHENTICATED, "send \"Authorization: Bearer TOKEN\"");
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

bool auth_check(const struct route *route, struct bytes authorization, struct ledger *ledger,
                struct principal *ret_principal, struct fault *f)
{
  struct bytes token;
  struct principal principal = {0};
  if (route->roles & OPEN_TO_ALL)
    return true;
  if (!bearer_token(authorization, &token, f) ||
      !principal_authenticate(ledger, token, &principal, f))
    return false;
  *ret_principal = principal;
  if (principal.role <= ROLE_NONE || principal.role >= ROLE_COUNT ||
      (route->roles & UINT32_C(1) << principal.role) == 0)
    return fault_set(f, FORBIDDEN, "the role \"%s\" may not do this", role_name(principal.role));
  return true;
}
