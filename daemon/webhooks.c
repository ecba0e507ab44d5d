/* webhooks.c - see webhooks.h. */
#include "daemon/webhooks.h"

#include <stdlib.h>

#include "daemon/webhook.h"
#include "lib/base/log.h"

struct webhooks {
  struct ledger *ledger;
  struct webhook_setups *setups; /* owned; the webhooks borrow them */
  struct webhook *webhooks[WEBHOOKS_MAX];
  size_t n;
};

/* All are told first, so that they end at the same time. */
static void end_all(struct webhooks *all)
{
  for (size_t i = 0; i < all->n; i++)
    webhook_quit(all->webhooks[i]);
  for (size_t i = 0; i < all->n; i++)
    webhook_free(all->webhooks[i]);
  all->n = 0;
  webhook_setups_free(all->setups);
  all->setups = NULL;
}

/* Those that start do, whatever becomes of the others; *f is the last fault. */
static bool start_all(struct webhooks *all, struct webhook_setups *setups, struct fault *f)
{
  bool done = true;
  all->setups = setups;
  for (size_t i = 0; i < setups->n; i++)
    if (webhook_start(&setups->rows[i], all->ledger, &all->webhooks[all->n], f))
      all->n++;
    else
      done = false;
  return done;
}

bool webhooks_start(struct webhook_setups *setups, struct ledger *ledger,
                    struct webhooks **ret_webhooks, struct fault *f)
{
  struct webhooks *all = calloc(1, sizeof *all);
  if (all == NULL) {
    webhook_setups_free(setups);
    return fault_no_memory(f);
  }
  all->ledger = ledger;
  if (!start_all(all, setups, f)) {
    webhooks_stop(all);
    return false;
  }
  *ret_webhooks = all;
  return true;
}

/* One thread for each name at any time: so the old ones end before the new ones begin. */
void webhooks_reload(struct webhooks *webhooks, struct webhook_setups *setups)
{
  AUTO(fault) f = {0};
  end_all(webhooks);
  if (!start_all(webhooks, setups, &f))
    log_say(LOG_LEVEL_ERROR, "not every webhook is told of events: reload again",
            LOG_TEXT("code", fault_problem_code(f.code)), LOG_TEXT("detail", f.detail));
}

void webhooks_stop(struct webhooks *webhooks)
{
  if (webhooks == NULL)
    return;
  end_all(webhooks);
  free(webhooks);
}
