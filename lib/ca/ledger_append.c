/* ledger_append.c - one more certificate: what was there before decides whether it may be. */
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/ledger_private.h"

/* What stands in the ledger about a request. */
struct verdict {
  bool replayed;
  int64_t replaces;               /* the newest certificate of the device and profile; 0: none */
  bool is_current;                /* and that one is current */
  bool is_replacement;            /* or would be, were it not revoked */
  struct ledger_order_use *order; /* NULL: of no production order */
};

/* The newest certificate of this device and profile; of a request without device_serial, the
 * newest that this very request led to. */
static bool find_newest(struct ledger *ledger, struct ledger_connection *c,
                        const struct issued *row, int64_t now, bool *ret_found,
                        struct issued *ret_newest, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool has_device = row->device_serial[0] != '\0';
  *ret_found = false;
  if (!(has_device ? ledger_may_know_device(ledger->known, row->device_serial)
                   : ledger_may_know_key(ledger->known, row->spki_sha256)))
    return true;
  if (!ledger_call_open(c, has_device ? SQL_NEWEST_OF_DEVICE : SQL_NEWEST_OF_REQUEST, &call, f))
    return false;
  if (has_device) {
    ledger_call_text(&call, row->device_serial);
    ledger_call_text(&call, row->profile);
  } else {
    ledger_call_blob(&call, row->spki_sha256, sizeof row->spki_sha256);
    ledger_call_blob(&call, row->request_sha256, sizeof row->request_sha256);
  }
  bool found;
  if (!ledger_call_step(&call, &found, f) || (found && !ledger_row_read(&call, now, ret_newest, f)))
    return false;
  *ret_found = found;
  return true;
}

static bool find_before(struct ledger_connection *c, int64_t id, int64_t now, bool *ret_found,
                        struct issued *ret_before, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_BEFORE, &call, f))
    return false;
  ledger_call_number(&call, id);
  if (!ledger_call_step(&call, &found, f) || (found && !ledger_row_read(&call, now, ret_before, f)))
    return false;
  *ret_found = found;
  return true;
}

/* A key that got into wrong hands is nobody's any more; any other is its device's alone. */
static bool refuse_key(struct ledger *ledger, struct ledger_connection *c, const struct issued *row,
                       struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!ledger_may_know_key(ledger->known, row->spki_sha256))
    return true;
  if (!ledger_call_open(c, SQL_KEY_REFUSED, &call, f))
    return false;
  ledger_call_blob(&call, row->spki_sha256, sizeof row->spki_sha256);
  ledger_call_blob(&call, row->request_sha256, sizeof row->request_sha256);
  ledger_call_text(&call, row->device_serial);
  if (!ledger_call_run(&call, f))
    return false;
  struct bytes serial_number = ledger_call_column(&call, 0);
  char hex[2 * SERIAL_NUMBER_LEN + 1] = "?";
  if (serial_number.len == 0)
    return true;
  if (serial_number.len == SERIAL_NUMBER_LEN)
    text_hex(hex, serial_number.data, SERIAL_NUMBER_LEN);
  if (sqlite3_column_int(call.statement, 1) != 0)
    return fault_set(f, KEY_NOT_ALLOWED,
                     "certificate %s of this public key was revoked for key compromise: make a new "
                     "key",
                     hex);
  return fault_set(f, KEY_ALREADY_USED,
                   "certificate %s was issued for this public key: each device needs a key of its "
                   "own (a cloned image or a broken random generator?)",
                   hex);
}

static bool refuse_second(const struct issued *newest, struct fault *f)
{
  char hex[2 * SERIAL_NUMBER_LEN + 1], until[WHEN_TEXT_SIZE];
  text_hex(hex, newest->serial_number, sizeof newest->serial_number);
  when_text(until, newest->not_after);
  return fault_set(f, DEVICE_HAS_CERTIFICATE,
                   "%s has certificate %s of profile %s, valid until %s: set replace to true to "
                   "replace it",
                   newest->device_serial, hex, newest->profile, until);
}

/* The rules of ledger_append(), in their order. */
static bool judge(struct ledger *ledger, struct ledger_connection *c, const struct issued *row,
                  const struct sans *names, bool replace, int64_t now, struct verdict *ret_verdict,
                  struct issued *earlier, struct fault *f)
{
  AUTO(issued) newest = {0};
  bool found;
  if (!find_newest(ledger, c, row, now, &found, &newest, f))
    return false;
  bool is_current = found && newest.status == STATUS_VALID;
  if (is_current &&
      memcmp(newest.request_sha256, row->request_sha256, sizeof row->request_sha256) == 0) {
    *earlier = newest;
    newest.der = (struct buf){0};
    *ret_verdict = (struct verdict){.replayed = true};
    return true;
  }
  if (!ledger_check_renewal(c, row, &newest, f) || !refuse_key(ledger, c, row, f) ||
      !ledger_check_secret(c, row, f))
    return false;
  if (is_current && !replace)
    return refuse_second(&newest, f);
  bool was_revoked = found && newest.status == STATUS_REVOKED && newest.not_after >= now;
  struct verdict verdict = {.replaces = found ? newest.id : 0,
                            .is_current = is_current,
                            .is_replacement = is_current || was_revoked};
  if (!row->is_renewal &&
      !ledger_order_check(ledger, c, row, names, verdict.is_replacement, now, &verdict.order, f))
    return false;
  *ret_verdict = verdict;
  return true;
}

bool ledger_foresee(struct ledger *ledger, const struct issued *row, const struct sans *names,
                    bool replace, int64_t now, bool *ret_replayed, struct issued *earlier,
                    struct fault *f)
{
  struct ledger_connection *reader;
  if (!ledger_borrow(ledger, &reader, f))
    return false;
  struct verdict verdict;
  bool done = judge(ledger, reader, row, names, replace, now, &verdict, earlier, f);
  ledger_give_back(ledger, reader);
  if (done)
    *ret_replayed = verdict.replayed;
  return done;
}

/* --- the row --- */

/* Its labels, in the order of SQL_ADD; the first of them in that of enum mark_kind. */
enum { ROW_PROFILE, ROW_STATION, ROW_ORDER, ROW_MODEL, ROW_AUTHORITY, ROW_LABELS };

static bool find_labels(struct ledger *ledger, const struct issued *row,
                        int64_t ret_ids[ROW_LABELS], struct fault *f)
{
  const char *const texts[ROW_LABELS] = {[ROW_PROFILE] = row->profile,
                                         [ROW_STATION] = row->station,
                                         [ROW_ORDER] = row->order,
                                         [ROW_MODEL] = row->model,
                                         [ROW_AUTHORITY] = row->authority};
  for (size_t i = 0; i < ROW_LABELS; i++)
    if (!ledger_label_id(ledger, texts[i], &ret_ids[i], f))
      return false;
  return true;
}

/* In the order of SQL_ADD. */
static void bind_row(const struct issued *row, int64_t id, int64_t replaces,
                     const int64_t labels[ROW_LABELS], struct ledger_call *call)
{
  ledger_call_number(call, id);
  ledger_call_blob(call, row->serial_number, sizeof row->serial_number);
  ledger_call_text(call, row->device_serial);
  for (size_t i = 0; i < ROW_LABELS; i++)
    ledger_call_id(call, labels[i]);
  ledger_call_number(call, row->issued_at_ms);
  ledger_call_number(call, row->not_before);
  ledger_call_number(call, row->not_after);
  ledger_call_id(call, replaces);
  ledger_call_blob(call, row->spki_sha256, sizeof row->spki_sha256);
  ledger_call_blob(call, row->request_sha256, sizeof row->request_sha256);
  ledger_call_blob(call, row->der.data, row->der.len);
  ledger_call_id(call, row->shard);
}

static bool add_row(struct ledger_batch *batch, const struct issued *row, int64_t id,
                    int64_t replaces, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  int64_t labels[ROW_LABELS];
  if (!find_labels(batch->ledger, row, labels, f) ||
      !ledger_call_open(batch->ledger->writer, SQL_ADD, &call, f))
    return false;
  bind_row(row, id, replaces, labels, &call);
  return ledger_call_run(&call, f) && ledger_mark_row(batch, LOG_CERTIFICATES, id, labels, f);
}

static bool add_tags(struct ledger *ledger, const struct issued *row, const struct sans *names,
                     int64_t id, struct fault *f)
{
  struct ledger_tags *tags = ledger->tags.of[LOG_CERTIFICATES];
  return ledger_tags_put_certificate(tags, id, row->spki_sha256, names, f) &&
         ledger_tags_end_row(tags, ledger->writer, id, f);
}

/* The one that it took the place of; before that, as long as they are good, those that this one
 * took the place of by renewal. */
static bool revoke_superseded(struct ledger_batch *batch, const struct issued *row, int64_t now,
                              struct fault *f)
{
  for (int64_t id = row->id;;) {
    AUTO(issued) before = {0};
    bool found, changed;
    if (!find_before(batch->ledger->writer, id, now, &found, &before, f))
      return false;
    if (!found || before.status != STATUS_SUPERSEDED)
      return true;
    if (!ledger_revoke(batch, &before, REASON_SUPERSEDED, now, row->who, &changed, f))
      return false;
    id = before.id;
  }
}

static bool add(struct ledger_batch *batch, struct issued *row, const struct sans *names,
                const struct verdict *verdict, int64_t now, struct fault *f)
{
  int64_t id = batch->last_id + 1;
  if (!add_row(batch, row, id, verdict->replaces, f) ||
      !add_tags(batch->ledger, row, names, id, f) || !ledger_use_secret(batch, row, f) ||
      !ledger_renew_proof(batch, row, f))
    return false;
  row->id = batch->last_id = id;
  ledger_known_add(batch->ledger->known, row);
  ledger_order_count(verdict->order, verdict->is_replacement);
  return ledger_span_widen(batch, row, f) && ledger_authority_count(batch, row->authority, f) &&
         (!verdict->is_current || row->is_renewal || revoke_superseded(batch, row, now, f));
}

static bool append(struct ledger_batch *batch, struct issued *row, const struct sans *names,
                   bool replace, int64_t now, bool *ret_replayed, struct issued *earlier,
                   struct fault *f)
{
  struct verdict verdict;
  if (!judge(batch->ledger, batch->ledger->writer, row, names, replace, now, &verdict, earlier, f))
    return false;
  if (!verdict.replayed && !add(batch, row, names, &verdict, now, f))
    return false;
  row->is_replacement = verdict.is_replacement;
  *ret_replayed = verdict.replayed;
  return true;
}

bool ledger_append(struct ledger_batch *batch, struct issued *row, const struct sans *names,
                   bool replace, int64_t now, bool *ret_replayed, struct issued *earlier,
                   struct fault *f)
{
  if (batch->failed)
    return fault_set(f, LEDGER, "%s: the batch has failed already", batch->ledger->path);
  if (append(batch, row, names, replace, now, ret_replayed, earlier, f))
    return true;
  batch->failed = fault_whose(f->code) == FAULT_OURS;
  return false;
}
