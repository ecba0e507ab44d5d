/* ledger_authority.c - see ledger_authority.h. */
#include "lib/ca/ledger_authority.h"

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/ledger_private.h"

static const char *const state_names[AUTHORITY_STATES] = {[AUTHORITY_STANDBY] = "standby",
                                                          [AUTHORITY_ACTIVE] = "active",
                                                          [AUTHORITY_RETIRED] = "retired"};

const char *authority_state_name(enum authority_state state)
{
  return state_names[state];
}

static bool state_named(struct bytes name, enum authority_state *ret_state)
{
  for (size_t i = 0; i < AUTHORITY_STATES; i++)
    if (bytes_equal(name, bytes_of_text(state_names[i]))) {
      *ret_state = (enum authority_state)i;
      return true;
    }
  return false;
}

/* --- counting: gathered within a batch, written once at its end --- */

static bool insert(struct ledger_connection *writer, const char *name, int64_t changed_at,
                   int64_t issued, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_ADD_AUTHORITY, &call, f))
    return false;
  ledger_call_text(&call, name);
  ledger_call_number(&call, changed_at);
  ledger_call_number(&call, issued);
  return ledger_call_run(&call, f);
}

static bool count(struct ledger_connection *writer, const char *name, int64_t n, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_COUNT_AUTHORITY, &call, f))
    return false;
  ledger_call_text(&call, name);
  ledger_call_number(&call, n);
  return ledger_call_run(&call, f);
}

bool ledger_authority_flush(struct ledger_batch *batch, struct fault *f)
{
  struct ledger_connection *writer = batch->ledger->writer;
  if (batch->authority_issued == 0)
    return true;
  if (!count(writer, batch->authority, batch->authority_issued, f) ||
      (sqlite3_changes(writer->db) == 0 &&
       !insert(writer, batch->authority, 0, batch->authority_issued, f)))
    return false;
  batch->authority_issued = 0;
  return true;
}

bool ledger_authority_count(struct ledger_batch *batch, const char *name, struct fault *f)
{
  if (strcmp(batch->authority, name) != 0) {
    if (!ledger_authority_flush(batch, f))
      return false;
    TEXT_COPY(batch->authority, bytes_of_text(name));
  }
  batch->authority_issued++;
  return true;
}

/* --- reading --- */

/* AUTHORITY_COLUMNS */
enum {
  COLUMN_NAME,
  COLUMN_STATE,
  COLUMN_CHANGED_AT,
  COLUMN_ISSUED,
  COLUMN_MISSING,
  COLUMN_CRL_NUMBER
};

static bool read_row(const struct ledger_call *call, struct authority_row *ret_row, struct fault *f)
{
  sqlite3_stmt *s = call->statement;
  struct authority_row row = {.changed_at = sqlite3_column_int64(s, COLUMN_CHANGED_AT),
                              .issued = sqlite3_column_int64(s, COLUMN_ISSUED),
                              .missing = sqlite3_column_int64(s, COLUMN_MISSING),
                              .crl_number = sqlite3_column_int64(s, COLUMN_CRL_NUMBER)};
  if (!TEXT_COPY(row.name, ledger_call_column(call, COLUMN_NAME)) ||
      !state_named(ledger_call_column(call, COLUMN_STATE), &row.state))
    return fault_set(f, LEDGER, "%s: a row of authorities is damaged", call->connection->path);
  *ret_row = row;
  return true;
}

static bool find(struct ledger_connection *c, const char *name, bool *ret_found,
                 struct authority_row *ret_row, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_FIND_AUTHORITY, &call, f))
    return false;
  ledger_call_text(&call, name);
  if (!ledger_call_step(&call, &found, f) || (found && !read_row(&call, ret_row, f)))
    return false;
  *ret_found = found;
  return true;
}

bool ledger_find_authority(struct ledger *ledger, const char *name, bool *ret_found,
                           struct authority_row *ret_row, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = find(reader, name, ret_found, ret_row, f);
  ledger_give_back(ledger, reader);
  return done;
}

static bool each_row(struct ledger_connection *reader,
                     void (*each)(const struct authority_row *row, void *context), void *context,
                     struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(reader, SQL_EACH_AUTHORITY, &call, f))
    return false;
  for (;;) {
    struct authority_row row;
    bool there;
    if (!ledger_call_step(&call, &there, f))
      return false;
    if (!there)
      return true;
    if (!read_row(&call, &row, f))
      return false;
    each(&row, context);
  }
}

bool ledger_each_authority(struct ledger *ledger,
                           void (*each)(const struct authority_row *row, void *context),
                           void *context, struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  bool done = each_row(reader, each, context, f);
  ledger_give_back(ledger, reader);
  return done;
}

/* --- changes: each in a batch of its own --- */

static bool record(struct ledger_batch *batch, enum event_kind kind, const char *name,
                   const struct event *who, struct fault *f)
{
  struct event event = who != NULL ? *who : (struct event){0};
  event.kind = kind;
  TEXT_COPY(event.about, bytes_of_text(name));
  return ledger_add_event(batch, &event, f);
}

static bool set_state(struct ledger_batch *batch, enum ledger_sql sql, const char *name,
                      struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(batch->ledger->writer, sql, &call, f))
    return false;
  ledger_call_number(&call, when_now());
  ledger_call_text(&call, name);
  return ledger_call_run(&call, f);
}

static bool add(struct ledger_batch *batch, const char *name, const struct event *who,
                struct fault *f)
{
  struct authority_row row;
  bool found = false;
  if (!find(batch->ledger->writer, name, &found, &row, f))
    return false;
  return found || (insert(batch->ledger->writer, name, when_now(), 0, f) &&
                   record(batch, EVENT_AUTHORITY_ADDED, name, who, f));
}

static bool find_known(struct ledger_batch *batch, const char *name, struct authority_row *ret_row,
                       struct fault *f)
{
  bool found = false;
  if (!find(batch->ledger->writer, name, &found, ret_row, f))
    return false;
  return found || fault_set(f, UNKNOWN_AUTHORITY, "there is no authority %s", name);
}

static bool activate(struct ledger_batch *batch, const char *name, const struct event *who,
                     struct fault *f)
{
  struct authority_row row;
  if (!find_known(batch, name, &row, f))
    return false;
  if (row.state == AUTHORITY_ACTIVE)
    return true;
  if (row.state == AUTHORITY_RETIRED)
    return fault_set(f, AUTHORITY_STATE, "%s is retired, and never issues again", name);
  return set_state(batch, SQL_STAND_BY, name, f) &&
         set_state(batch, SQL_ACTIVATE_AUTHORITY, name, f) &&
         record(batch, EVENT_AUTHORITY_ACTIVATED, name, who, f);
}

static bool retire(struct ledger_batch *batch, const char *name, const struct event *who,
                   struct fault *f)
{
  struct authority_row row;
  if (!find_known(batch, name, &row, f))
    return false;
  if (row.state == AUTHORITY_RETIRED)
    return true;
  if (row.state == AUTHORITY_ACTIVE)
    return fault_set(f, AUTHORITY_STATE, "%s issues: activate another authority first", name);
  return set_state(batch, SQL_RETIRE_AUTHORITY, name, f) &&
         record(batch, EVENT_AUTHORITY_RETIRED, name, who, f);
}

typedef bool changer(struct ledger_batch *batch, const char *name, const struct event *who,
                     struct fault *f);

static bool change(struct ledger *ledger, changer *apply, const char *name, const struct event *who,
                   struct fault *f)
{
  struct ledger_batch *batch;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (apply(batch, name, who, f))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

bool ledger_add_authority(struct ledger *ledger, const char *name, const struct event *who,
                          struct fault *f)
{
  return change(ledger, add, name, who, f);
}

bool ledger_activate_authority(struct ledger *ledger, const char *name, const struct event *who,
                               struct fault *f)
{
  return change(ledger, activate, name, who, f);
}

bool ledger_retire_authority(struct ledger *ledger, const char *name, const struct event *who,
                             struct fault *f)
{
  return change(ledger, retire, name, who, f);
}

/* --- what is known of other copies --- */

static bool take_number(struct ledger_batch *batch, const char *name, uint64_t above,
                        uint64_t *ret_number, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (above >= INT64_MAX)
    return fault_set(f, LEDGER, "%s: the numbers of %s's revocation lists are used up",
                     batch->ledger->path, name);
  if (!ledger_call_open(batch->ledger->writer, SQL_TAKE_CRL_NUMBER, &call, f))
    return false;
  ledger_call_text(&call, name);
  ledger_call_number(&call, (int64_t)above);
  if (!ledger_call_step(&call, &found, f))
    return false;
  if (!found)
    return fault_set(f, UNKNOWN_AUTHORITY, "there is no authority %s", name);
  *ret_number = (uint64_t)sqlite3_column_int64(call.statement, 0);
  return true;
}

bool ledger_take_crl_number(struct ledger *ledger, const char *name, uint64_t above,
                            uint64_t *ret_number, struct fault *f)
{
  struct ledger_batch *batch;
  uint64_t number = 0;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (!take_number(batch, name, above, &number, f)) {
    ledger_roll_back(batch);
    return false;
  }
  if (!ledger_commit(batch, f))
    return false;
  *ret_number = number;
  return true;
}

static bool accept_one(struct ledger_batch *batch, const struct acceptance *row,
                       const struct event *who, struct fault *f)
{
  struct ledger_connection *writer = batch->ledger->writer;
  struct event event = who != NULL ? *who : (struct event){0};
  AUTO(ledger_call) call = {0};
  if (!ledger_call_open(writer, SQL_ACCEPT_MISSING, &call, f))
    return false;
  ledger_call_text(&call, row->authority);
  ledger_call_number(&call, row->missing);
  ledger_call_number(&call, row->crl_number);
  if (!ledger_call_run(&call, f))
    return false;
  if (sqlite3_changes(writer->db) == 0)
    return fault_set(f, UNKNOWN_AUTHORITY, "there is no authority %s", row->authority);
  event.kind = EVENT_LEDGER_ACCEPTED;
  event.count = row->missing;
  TEXT_COPY(event.about, bytes_of_text(row->authority));
  return ledger_add_event(batch, &event, f);
}

bool ledger_accept_missing(struct ledger *ledger, const struct acceptance *rows, size_t n,
                           const struct event *who, struct fault *f)
{
  struct ledger_batch *batch;
  bool done = true;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  for (size_t i = 0; i < n && done; i++)
    done = accept_one(batch, &rows[i], who, f);
  if (done)
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}
