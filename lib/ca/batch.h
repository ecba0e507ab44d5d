/* batch.h - many requests for certificates that came in one body, a line for each, and what became
 * of them: rows of the ledger.
 *
 * What became of a line is written in the same transaction as its certificate. (A struct
 * ledger_batch is something else: one transaction of the ledger.)
 * Threads: as ledger.h says. */
#pragma once
#include "lib/ca/ledger.h"

enum { BATCH_NAME_LEN = 16 };

struct batch {
  int64_t id;                   /* in the ledger; set by it */
  uint8_t name[BATCH_NAME_LEN]; /* by which its sender asks for it */
  char principal[LABEL_SIZE];   /* who sent it */
  int64_t begun_at, ended_at;   /* seconds; ended_at 0: it runs */
  bool cut_off;                 /* it ended before all of its lines had come */
  int64_t issued, replayed, refused;
};

/* Writes in a transaction of its own. BATCH_EXISTS when there is one of this name. */
bool ledger_begin_batch(struct ledger *ledger, const uint8_t name[BATCH_NAME_LEN],
                        const char *principal, int64_t now, int64_t *ret_id, struct fault *f);
/* Likewise. Nothing happens to one that has ended. */
bool ledger_end_batch(struct ledger *ledger, int64_t id, bool cut_off, int64_t now,
                      struct fault *f);
/* Those that run are those of a daemon that is no more. */
bool ledger_cut_off_batches(struct ledger *ledger, int64_t now, struct fault *f);

/* What became of one line. */
struct batch_outcome {
  int64_t batch, line;
  int64_t certificate;       /* its id in the ledger; 0: refused */
  bool replayed;             /* it was there already */
  const struct fault *fault; /* why it was refused */
};
/* Adds it within the open transaction. Of a fault's items as many are kept as go into 8 KiB. One
 * line is added once: nothing happens the second time. */
bool ledger_add_batch_line(struct ledger_batch *transaction, const struct batch_outcome *outcome,
                           struct fault *f);

/* UNKNOWN_BATCH when there is none. */
bool ledger_find_batch(struct ledger *ledger, const uint8_t name[BATCH_NAME_LEN],
                       struct batch *ret_batch, struct fault *f);
/* Calls `each` for up to `limit` batches, newest first, with an id below before_id (0: from the
 * newest); of one principal, or of all (NULL). *ret_more: there are others behind the last. */
bool ledger_each_batch(struct ledger *ledger, const char *principal, int64_t before_id,
                       unsigned limit, void (*each)(const struct batch *batch, void *context),
                       void *context, bool *ret_more, struct fault *f);

struct batch_line {
  int64_t line;
  bool replayed;
  struct fault fault; /* FAULT_NONE: it has a certificate; owned */
  struct issued row;  /* owned */
};
struct batch_lines {
  struct batch_line *rows; /* in their order; owned */
  size_t n;
  bool more; /* there are others behind the last */
};
/* Lines behind `after`, up to `limit`. */
bool ledger_get_batch_lines(struct ledger *ledger, int64_t batch, int64_t after, unsigned limit,
                            int64_t now, struct batch_lines *ret_lines, struct fault *f);
void batch_lines_free(struct batch_lines *lines);
AUTO_VALUE(batch_lines, struct batch_lines, batch_lines_free)
