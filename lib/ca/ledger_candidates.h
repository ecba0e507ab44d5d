/* ledger_candidates.h - tables that SQL reads like any other, and that are made as they are read:
 * the ids of those rows that may have a value, newest first. tagged(KIND, VALUE) goes by tags (enum
 * tag_kind), marked(KIND, LABEL) by marks (enum mark_kind, an id of labels). A page of a listing
 * costs what it shows. (SQLite: eponymous virtual tables.) For ledger_candidates.c, ledger_tagged.c
 * and ledger_marked.c alone. */
#pragma once
#include "lib/ca/ledger_private.h"

/* One reading. Rows come in blocks, each older than the one before it. */
struct candidates {
  sqlite3_vtab_cursor base;
  const struct candidate_source *source;
  struct ledger_connection *connection;
  int64_t from, below; /* ids that are asked for: others need not, but may be given */
  int64_t newest;      /* row of the log, as the transaction sees it */
  int64_t first;       /* of the block that was read last: no row of it is older */
  int64_t end;         /* where the next one ends: what it has from there on does not count */
  struct buf rows;     /* of the block, what is left: a uint16_t each, id - first, oldest first */
  bool ended;          /* there are no more blocks */
  int64_t known;   /* rows behind these are not looked up yet: each of them may have the value */
  struct tag tag;  /* tagged: that is looked for */
  int64_t written; /* tagged: so many runs are in the table */
  int64_t kind, label;     /* marked: that is looked for */
  struct ledger_call call; /* marked: runs along the marks */
};
/* Appends all rows of the block from one on, up to its last, or the log's. */
bool ledger_candidates_add_rows(struct candidates *c, int64_t from, int64_t last, struct fault *f);
/* Takes those from one on out of it again. */
void ledger_candidates_drop_rows(struct candidates *c, int64_t from);

struct candidate_source {
  const char *name;
  /* Which log is it of? And begins: `first` is to be the end of the newest block. */
  enum ledger_log (*log)(int64_t kind);
  bool (*begin)(struct candidates *c, int64_t kind, sqlite3_value *value, struct fault *f);
  /* Reads the next block, which may be empty, or sets `ended`. */
  bool (*more)(struct candidates *c, struct fault *f);
};
extern const struct candidate_source ledger_tagged, ledger_marked;
