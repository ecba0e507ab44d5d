/* ledger_backup.h - copies of a ledger: made while it is in use, and put back in its place while it
 * is not.
 * Threads: any; each call has connections of its own. */
#pragma once
#include "lib/ca/ledger.h"

/* What stands in a ledger. */
struct ledger_facts {
  int64_t certificates;
  int64_t revocations;       /* holds that were lifted, and the like, are counted, too */
  int64_t last_issued_at_ms; /* 0: there is no certificate */
};

/* Is told how far the work is, in pages of the database; false gives it up. */
struct ledger_watch {
  bool (*go_on)(void *context, int64_t done, int64_t of);
  void *context;
};

/* Makes a copy of the ledger as it is at this moment, by SQLite's online backup under one read
 * snapshot: whatever is committed meanwhile is not in it, and waits for nothing. The write-ahead
 * log grows until the copy is done. The copy is one file in the ledger's folder, on the disk and
 * found whole (quick_check) when this returns; it has lost its name already, so that it is gone as
 * soon as *ret_fd, which is the caller's and open for reading from the beginning, is closed.
 * LEDGER, NO_MEMORY; STOPPING when it was given up. One at a time. */
bool ledger_backup(struct ledger *ledger, const struct ledger_watch *watch, int *ret_fd,
                   struct ledger_facts *ret_facts, struct fault *f);

struct ledger_restored {
  struct ledger_facts facts;
  struct buf aside; /* where the ledger that was there is now; empty: there was none. Owned */
};
void ledger_restored_free(struct ledger_restored *restored);
AUTO_VALUE(ledger_restored, struct ledger_restored, ledger_restored_free)

/* Puts a copy of `from` in the place of the ledger at `path`, which is kept beside it under
 * PATH.before-restore-YYYYMMDDTHHMMSS. `from` must be a ledger, not newer than this program, and
 * whole (integrity_check); it stays as it is. No daemon may have the ledger open. Until the very
 * last step, a rename, the ledger is the one that was there: after a fault, and after a crash, it
 * is the one or the other, whole. Run by root, the copy belongs to who owned the ledger, or its
 * folder. FILE_ERROR, LEDGER, LEDGER_IS_NEWER, BAD_FILE. */
bool ledger_restore(const char *from, const char *path, int64_t now,
                    struct ledger_restored *ret_restored, struct fault *f);
