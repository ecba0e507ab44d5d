/* fake_service.h - a ledger, an issuer and a front of a few lines each, so that the REST handlers
 * can be called one by one. What they were asked stands in `fake` to be looked at. */
#pragma once
#include "daemon/exchange.h"
#include "daemon/service.h"
#include "lib/ca/recorder.h"
#include "lib/ca/revoke.h"

enum { FAKE_ROWS_MAX = 1300 };

struct fake {
  struct issued rows[FAKE_ROWS_MAX]; /* oldest first, id = index + 1 */
  size_t n_rows;
  /* The filters of the last search, as text: "dns=a.example\n" */
  struct buf searched;
  unsigned n_searches, n_submitted, n_finished;
  enum fault_code fails_with; /* what ledger and issuer answer instead */
  bool replays;
  struct revoke_order revoked; /* the last one */
  unsigned n_revoked;
  bool is_busy;           /* nothing is taken on in the background */
  struct event events[8]; /* recorded */
  size_t n_events;
  struct event who; /* added the last principal */
  struct principal principals[4];
  size_t n_principals;
  uint8_t proof_octet; /* the first of the digest that was kept last; 7 of all but keys */
};
extern struct fake fake;

extern const struct service fake_service;

void fake_add_row(const char *device_serial, const char *station, const char *names);
/* Forgets everything. */
void fake_reset(void);

/* An exchange of `line-3` (a station), or of another. Query: "name=value" texts, NULL behind the
 * last; borrowed. */
void fake_exchange(struct exchange *x, enum role role, const char *const *query);
/* Frees what handler and query left. */
void fake_exchange_end(struct exchange *x);
