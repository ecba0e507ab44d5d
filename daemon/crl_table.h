/* crl_table.h - the table of the lists that are served, in the order of their names. Threads: its
 * owner's, one at a time. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "daemon/crl_file.h"
#include "daemon/crl_name.h"
#include "daemon/exchange.h"
#include "lib/base/fault.h"

struct crl_entry {
  char name[CRL_NAME_SIZE]; /* below the folder, and below /crl/ */
  char etag[ETAG_SIZE];
  enum crl_file_format format;
  int64_t modified_at, next_update;
};

/* All zero: empty. */
struct crl_table {
  struct crl_entry *entries;
  size_t n, cap;
};

/* NULL when there is none; good until the next change. */
struct crl_entry *crl_table_find(const struct crl_table *table, const char *name);
/* Room for so many more, so that crl_table_set() cannot fail. NO_MEMORY. */
bool crl_table_reserve(struct crl_table *table, size_t more, struct fault *f);
/* In the place of the one of this name. A new one MUST have been reserved. */
void crl_table_set(struct crl_table *table, const struct crl_entry *entry);
void crl_table_drop(struct crl_table *table, const char *name);
void crl_table_free(struct crl_table *table);
