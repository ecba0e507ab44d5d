/* ledger_has_name.c - the function has_name(DER, KIND, VALUE) of SQL: does the certificate have
 * this subject alternative name? KIND is an enum san_kind, VALUE in normal form (san.h). */
#include "lib/ca/ledger_private.h"
#include "lib/pki/cert.h"

struct search {
  struct san wanted;
  bool found;
};

static struct bytes octets_of(sqlite3_value *value)
{
  const void *data = sqlite3_value_blob(value);
  int len = sqlite3_value_bytes(value);
  return bytes_of(data, data == NULL || len < 0 ? 0 : (size_t)len);
}

static bool is_another(struct san name, void *context)
{
  struct search *search = context;
  search->found = name.kind == search->wanted.kind && bytes_equal(name.value, search->wanted.value);
  return !search->found;
}

static void has_name(sqlite3_context *context, int n_values, sqlite3_value **values)
{
  (void)n_values;
  AUTO(fault) f = {0};
  int64_t kind = sqlite3_value_int64(values[1]);
  struct search search = {0};
  if (kind > 0 && kind < SAN_KIND_END) {
    search.wanted = (struct san){(enum san_kind)kind, octets_of(values[2])};
    cert_each_name(octets_of(values[0]), is_another, &search, &f);
  }
  if (f.code == FAULT_NO_MEMORY)
    sqlite3_result_error_nomem(context);
  else
    sqlite3_result_int(context, search.found);
}

bool ledger_has_name_add(struct ledger_connection *c, struct fault *f)
{
  return sqlite3_create_function(c->db, "has_name", 3,
                                 SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL,
                                 has_name, NULL, NULL) == SQLITE_OK ||
         ledger_sqlite_fault(c, f);
}
