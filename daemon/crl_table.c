/* crl_table.c - see crl_table.h. */
#include "daemon/crl_table.h"

#include <stdlib.h>

static int compare_name(const void *name, const void *entry)
{
  return strcmp(name, ((const struct crl_entry *)entry)->name);
}

struct crl_entry *crl_table_find(const struct crl_table *table, const char *name)
{
  return table->n == 0
             ? NULL
             : bsearch(name, table->entries, table->n, sizeof *table->entries, compare_name);
}

bool crl_table_reserve(struct crl_table *table, size_t more, struct fault *f)
{
  if (table->cap - table->n >= more)
    return true;
  size_t cap = 2 * table->cap + more;
  struct crl_entry *entries = reallocarray(table->entries, cap, sizeof *entries);
  if (entries == NULL)
    return fault_no_memory(f);
  table->entries = entries;
  table->cap = cap;
  return true;
}

void crl_table_set(struct crl_table *table, const struct crl_entry *entry)
{
  struct crl_entry *old = crl_table_find(table, entry->name);
  size_t at = 0;
  if (old != NULL) {
    *old = *entry;
    return;
  }
  while (at < table->n && strcmp(table->entries[at].name, entry->name) < 0)
    at++;
  memmove(table->entries + at + 1, table->entries + at, (table->n - at) * sizeof *entry);
  table->entries[at] = *entry;
  table->n++;
}

void crl_table_drop(struct crl_table *table, const char *name)
{
  struct crl_entry *entry = crl_table_find(table, name);
  if (entry == NULL)
    return;
  size_t behind = (size_t)(table->entries + table->n - entry) - 1;
  memmove(entry, entry + 1, behind * sizeof *entry);
  table->n--;
}

void crl_table_free(struct crl_table *table)
{
  free(table->entries);
  *table = (struct crl_table){0};
}
