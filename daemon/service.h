/* service.h - what every handler works with. Read-only for handlers; outlives every exchange. */
#pragma once
#include <stdbool.h>

#include "lib/ca/authorities.h"
#include "lib/ca/conf.h"
#include "lib/ca/issue.h"
#include "lib/ca/ledger.h"
#include "lib/ca/trust.h"

struct background;
struct backups;
struct intakes;
struct key_check;
struct crl_store;
struct limits;
struct metrics;
struct ocsp;

struct service {
  struct authorities *authorities;
  struct ledger *ledger;
  struct issuer *issuer;
  struct recorder *recorder;     /* for events: see recorder.h; NULL: nothing is recorded */
  struct trust_box *trusts;      /* whose client certificates count */
  struct key_check *keys;        /* see key_check.h */
  struct standing *standing;     /* may anything be signed? See standing.h; NULL: yes */
  struct ocsp *ocsp;             /* see ocsp.h */
  struct prober *prober;         /* for /readyz: see health.h */
  struct background *background; /* for what takes long: see background.h */
  struct backups *backups;       /* see backups.h */
  struct intakes *intakes;       /* batches that come in: see intakes.h */
  struct limits *limits;         /* see limits.h; NULL: none */
  struct metrics *metrics;       /* see metrics.h; NULL: nothing is counted */
  struct crl_store *crls;        /* the lists that are served: see crl_store.h */
};
