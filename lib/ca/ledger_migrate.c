/* ledger_migrate.c - is this a ledger, and of which version; brings it up to date. */
#include <malloc.h>

#include "lib/ca/ledger_private.h"

/* "Mint", as in sql/0001-ledger.sql. */
enum { APPLICATION_ID = 0x4d696e74 };

bool ledger_check_identity(struct ledger_connection *c, struct fault *f)
{
  int64_t application_id, objects;
  if (!ledger_ask(c, "PRAGMA application_id", &application_id, f) ||
      !ledger_ask(c, "SELECT count(*) FROM sqlite_schema", &objects, f))
    return false;
  if (application_id == APPLICATION_ID || (application_id == 0 && objects == 0))
    return true;
  return fault_set(f, LEDGER, "%s is an SQLite file, but not a ledger: name another file", c->path);
}

static int64_t count(const struct embedded *migrations)
{
  int64_t n = 0;
  while (migrations[n].name != NULL)
    n++;
  return n;
}

static bool run_one(struct ledger_connection *c, const struct embedded *migration, int64_t version,
                    struct fault *f)
{
  char set_version[64];
  sqlite3_snprintf(sizeof set_version, set_version, "PRAGMA user_version = %lld",
                   (sqlite3_int64)version);
  if (!ledger_run(c, SQL_BEGIN, f))
    return false;
  if (ledger_execute(c, migration->text, f) && ledger_execute(c, set_version, f) &&
      ledger_run(c, SQL_COMMIT, f))
    return true;
  if (!sqlite3_get_autocommit(c->db))
    sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
  return fault_prefix(f, "migration %s", migration->name);
}

bool ledger_check_version(struct ledger_connection *c, const struct embedded *migrations,
                          int64_t *ret_version, struct fault *f)
{
  int64_t version, newest = count(migrations);
  if (!ledger_ask(c, "PRAGMA user_version", &version, f))
    return false;
  if (version > newest)
    return fault_set(f, LEDGER_IS_NEWER,
                     "%s has version %lld and this program knows %lld: start the newer program",
                     c->path, (long long)version, (long long)newest);
  *ret_version = version;
  return true;
}

bool ledger_migrate(struct ledger_connection *c, const struct embedded *migrations, struct fault *f)
{
  int64_t version, newest = count(migrations);
  if (!ledger_check_version(c, migrations, &version, f))
    return false;
  if (version == newest)
    return true;
  for (; version < newest; version++)
    if (!run_one(c, &migrations[version], version + 1, f))
      return false;
  /* An index that is made anew is sorted in memory, which nobody needs again. */
  malloc_trim(0);
  return true;
}
