/* ledger_device.h - the devices that may enrol themselves: what was imported of them, and what
 * became of their secrets. Behind the same walls as ledger.h. Threads: any; what writes does so in
 * a transaction of its own. */
#pragma once
#include "lib/ca/device.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger.h"

/* *ret_found tells whether there is one; *ret_device is all zero before. */
bool ledger_find_device(struct ledger *ledger, const char *device_serial, bool *ret_found,
                        struct device *ret_device, struct fault *f);
/* One more wrong secret; an event when it locks the device. The same write for a device that is not
 * known. */
bool ledger_count_wrong_try(struct ledger *ledger, const char *device_serial, struct fault *f);
/* A new secret, no wrong tries, nothing used; and an event. `who` has the principal, source and
 * request_id of who asks. UNKNOWN_DEVICE. */
bool ledger_reset_device(struct ledger *ledger, const char *device_serial,
                         const struct device_secret *secret, const struct event *who,
                         struct fault *f);

struct device_query {
  const char *device_serial, *order, *model; /* NULL: no filter */
  enum device_state state;
  int64_t after_id; /* keyset: only rows with a larger id */
  unsigned limit;   /* 1 to 1000 */
};
struct device_page {
  struct device *devices; /* in the order of their import; owned */
  size_t n;
  bool more;
};
bool ledger_search_devices(struct ledger *ledger, const struct device_query *query,
                           struct device_page *ret_page, struct fault *f);
void device_page_free(struct device_page *page);
AUTO_VALUE(device_page, struct device_page, device_page_free)

/* --- imports: many requests, one moment from which all of it counts --- */

enum { IMPORT_IDLE_S = 600 }; /* an open import that rests so long is removed */

/* One row to import. */
struct device_row {
  int64_t line; /* where it stands in what is imported */
  char device_serial[LABEL_SIZE], model[LABEL_SIZE], order[LABEL_SIZE];
  struct buf names; /* as in struct device; owned */
  struct device_secret secret;
  bool refused;  /* in: it is not to be added; out: it was not */
  char why[160]; /* then: why */
};

/* Opens one, and removes those that rest too long. */
bool ledger_begin_import(struct ledger *ledger, const char *principal, int64_t now, int64_t *ret_id,
                         struct fault *f);
/* Adds rows in one transaction. A row whose device_serial is known already is refused, unless it is
 * the very line of this import, sent again: then the new one is kept. With `partial` false and a
 * row refused, none is added. *ret_added tells how many were. NOT_FOUND when there is no such open
 * import. */
bool ledger_import_rows(struct ledger *ledger, int64_t import, struct device_row *rows, size_t n,
                        bool partial, int64_t now, size_t *ret_added, struct fault *f);
/* From now on its devices count; and an event, as above. Doing it twice is no fault. NOT_FOUND. */
bool ledger_commit_import(struct ledger *ledger, int64_t import, int64_t now,
                          const struct event *who, int64_t *ret_devices, struct fault *f);
/* Removes an open import with its devices, a piece at a time so that issuance goes on. NOT_FOUND.
 */
bool ledger_drop_import(struct ledger *ledger, int64_t import, struct fault *f);
