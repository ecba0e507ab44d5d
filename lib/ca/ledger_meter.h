/* ledger_meter.h - what the ledger has committed since it was opened, for whoever watches: read
 * without a lock and without the database. Threads: any. */
#pragma once
#include "lib/ca/event.h"

struct ledger_meter {
  uint64_t commits;
  int64_t certificates;              /* how many there are in all, as of the last transaction */
  uint64_t events[EVENT_KIND_COUNT]; /* by kind; one that stands for many counts as so many */
};
/* A moment of each number, not one of all together. */
void ledger_meter_read(const struct ledger *ledger, struct ledger_meter *ret_meter);
