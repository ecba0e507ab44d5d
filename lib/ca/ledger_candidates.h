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
  int64_t first;       /* of the block that was read last: no row of it is older */
  struct buf rows;     /* of the block, what is left: a uint16_t each, id - first, oldest first */
  bool ended;          /* there are no more blocks */
  struct tag tag;      /* tagged: that is looked for */
  int64_t written;     /* tagged: so many runs are in the table */
  struct ledger_call call; /* marked: runs along the marks */
};

struct candidate_source {
  const char *name;
  /* Sets `first` to where the newest block ends, or reads it. */
  bool (*begin)(struct candidates *c, int64_t kind, sqlite3_value *value, struct fault *f);
  /* Reads the next block, which may be empty, or sets `ended`. */
  bool (*more)(struct candidates *c, struct fault *f);
};
extern const struct candidate_source ledger_tagged, ledger_marked;
