/* service.h - what every handler works with. Read-only for handlers; outlives every exchange. */
#pragma once
#include <stdbool.h>

#include "lib/ca/authority.h"
#include "lib/ca/conf.h"
#include "lib/ca/issue.h"
#include "lib/ca/ledger.h"

struct service {
  const struct authority *authority;
  struct ledger *ledger;
  struct issuer *issuer;
  struct prober *prober; /* for /readyz: see health.h */
};
