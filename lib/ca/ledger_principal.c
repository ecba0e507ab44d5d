/* ledger_principal.c - who may ask, as rows. */
#include "lib/base/text.h"
#include "lib/ca/event.h"
#include "lib/ca/ledger_private.h"

/* The columns of SQL_FIND_PRINCIPAL and SQL_EACH_PRINCIPAL. */
enum {
  COLUMN_NAME,
  COLUMN_ROLE,
  COLUMN_CREATED_AT,
  COLUMN_DISABLED_AT,
  COLUMN_PROOF,
  COLUMN_PROOF_SHA256
};

static bool insert(struct ledger_connection *writer, const struct principal *principal,
                   const uint8_t proof_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_ADD_PRINCIPAL, &call, f))
    return false;
  ledger_call_text(&call, principal->name);
  ledger_call_text(&call, role_name(principal->role));
  ledger_call_text(&call, proof_name(principal->proof));
  ledger_call_blob(&call, proof_sha256, TOKEN_SHA256_LEN);
  ledger_call_number(&call, principal->created_at);
  if (!ledger_call_run(&call, f))
    return false;
  return sqlite3_changes(writer->db) == 1 ||
         fault_set(f, PRINCIPAL_EXISTS, "%s: choose another name", principal->name);
}

/* What becomes of a principal with this batch, and who wanted it so. */
static bool record(struct ledger_batch *batch, enum event_kind kind, const char *name,
                   const struct event *who, struct fault *f)
{
  struct event event = who != NULL ? *who : (struct event){0};
  batch->has_changed_principal = true;
  event.kind = kind;
  TEXT_COPY(event.about, bytes_of_text(name));
  return ledger_add_event(batch, &event, f);
}

bool ledger_add_principal(struct ledger *ledger, const struct principal *principal,
                          const uint8_t proof_sha256[TOKEN_SHA256_LEN], const struct event *who,
                          struct fault *f)
{
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (insert(ledger->writer, principal, proof_sha256, f) &&
      record(batch, EVENT_PRINCIPAL_ADDED, principal->name, who, f))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

/* --- changes --- */

typedef void binder(struct ledger_call *call, const void *values);

static bool change(struct ledger_connection *writer, enum ledger_sql sql, binder *bind,
                   const void *values, const char *name, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, sql, &call, f))
    return false;
  bind(&call, values);
  ledger_call_text(&call, name);
  if (!ledger_call_run(&call, f))
    return false;
  return sqlite3_changes(writer->db) == 1 ||
         fault_set(f, UNKNOWN_PRINCIPAL, "there is no principal %s", name);
}

static bool change_one(struct ledger *ledger, enum ledger_sql sql, binder *bind, const void *values,
                       enum event_kind kind, const char *name, const struct event *who,
                       struct fault *f)
{
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (change(ledger->writer, sql, bind, values, name, f) && record(batch, kind, name, who, f))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

struct new_proof {
  enum proof proof;
  const uint8_t *sha256;
};

static void bind_proof(struct ledger_call *call, const void *values)
{
  const struct new_proof *new_proof = values;
  ledger_call_text(call, proof_name(new_proof->proof));
  ledger_call_blob(call, new_proof->sha256, TOKEN_SHA256_LEN);
}

bool ledger_rotate_principal(struct ledger *ledger, const char *name, enum proof proof,
                             const uint8_t proof_sha256[TOKEN_SHA256_LEN], const struct event *who,
                             struct fault *f)
{
  const struct new_proof values = {proof, proof_sha256};
  return change_one(ledger, SQL_ROTATE_PRINCIPAL, bind_proof, &values, EVENT_PRINCIPAL_ROTATED,
                    name, who, f);
}

static void bind_disabled_at(struct ledger_call *call, const void *values)
{
  int64_t disabled_at = *(const int64_t *)values;
  if (disabled_at == 0)
    ledger_call_null(call);
  else
    ledger_call_number(call, disabled_at);
}

bool ledger_disable_principal(struct ledger *ledger, const char *name, int64_t disabled_at,
                              const struct event *who, struct fault *f)
{
  enum event_kind kind = disabled_at != 0 ? EVENT_PRINCIPAL_DISABLED : EVENT_PRINCIPAL_ENABLED;
  return change_one(ledger, SQL_DISABLE_PRINCIPAL, bind_disabled_at, &disabled_at, kind, name, who,
                    f);
}

/* --- reading --- */

static bool read_principal(const struct ledger_call *call, struct principal *ret_principal,
                           struct fault *f)
{
  /* A disabled_at of NULL reads as 0. */
  struct principal principal = {
      .created_at = sqlite3_column_int64(call->statement, COLUMN_CREATED_AT),
      .disabled_at = sqlite3_column_int64(call->statement, COLUMN_DISABLED_AT)};
  if (!TEXT_COPY(principal.name, ledger_call_column(call, COLUMN_NAME)) ||
      !role_named(ledger_call_column(call, COLUMN_ROLE), &principal.role) ||
      !proof_named(ledger_call_column(call, COLUMN_PROOF), &principal.proof))
    return fault_set(f, LEDGER, "%s: a row of principals is damaged", call->connection->path);
  *ret_principal = principal;
  return true;
}

static bool find(struct ledger_connection *reader, const char *name, bool *ret_found,
                 struct principal *ret_principal, uint8_t ret_proof_sha256[TOKEN_SHA256_LEN],
                 struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(reader, SQL_FIND_PRINCIPAL, &call, f))
    return false;
  ledger_call_text(&call, name);
  if (!ledger_call_step(&call, &found, f))
    return false;
  if (found) {
    struct bytes digest = ledger_call_column(&call, COLUMN_PROOF_SHA256);
    if (digest.len != TOKEN_SHA256_LEN)
      return fault_set(f, LEDGER, "%s: a row of principals is damaged", reader->path);
    if (!read_principal(&call, ret_principal, f))
      return false;
    memcpy(ret_proof_sha256, digest.data, TOKEN_SHA256_LEN);
  }
  *ret_found = found;
  return true;
}

bool ledger_find_principal(struct ledger *ledger, const char *name, bool *ret_found,
                           struct principal *ret_principal,
                           uint8_t ret_proof_sha256[TOKEN_SHA256_LEN], struct fault *f)
{
  struct ledger_connection *reader;
  uint64_t generation = ledger_principals_generation(ledger);
  if (ledger_principals_get(ledger, name, ret_principal, ret_proof_sha256)) {
    *ret_found = true;
    return true;
  }
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = find(reader, name, ret_found, ret_principal, ret_proof_sha256, f);
  ledger_give_back(ledger, reader);
  if (done && *ret_found)
    ledger_principals_put(ledger, generation, ret_principal, ret_proof_sha256);
  return done;
}

static bool each_row(struct ledger_connection *reader,
                     void (*each)(const struct principal *principal, void *context), void *context,
                     struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, SQL_EACH_PRINCIPAL, &call, f))
    return false;
  for (;;) {
    struct principal principal;
    bool row;
    if (!ledger_call_step(&call, &row, f))
      return false;
    if (!row)
      return true;
    if (!read_principal(&call, &principal, f))
      return false;
    each(&principal, context);
  }
}

bool ledger_each_principal(struct ledger *ledger,
                           void (*each)(const struct principal *principal, void *context),
                           void *context, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = each_row(reader, each, context, f);
  ledger_give_back(ledger, reader);
  return done;
}
