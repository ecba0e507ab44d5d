/* crl_list.c - see crl_list.h. */
#include "daemon/crl_list.h"

#include "daemon/crl_make.h"
#include "lib/base/log.h"
#include "lib/base/when.h"
#include "lib/ca/crl_record.h"
#include "lib/ca/revocation.h"
#include "lib/pki/crl.h"

static struct crl_name name_of(const struct crl_list *list, bool is_delta)
{
  return (struct crl_name){list->authority->name, list->shard, is_delta};
}

static void say(enum log_level level, const char *message, const struct crl_name *name,
                const struct fault *f)
{
  char text[CRL_NAME_SIZE];
  crl_name_text(name, "crl", text);
  log_say(level, message, LOG_TEXT("list", text), LOG_TEXT("code", fault_problem_code(f->code)),
          LOG_TEXT("detail", f->detail));
}

static struct crl_edition edition_of(const struct crl_record *record)
{
  return (struct crl_edition){record->number, record->this_update, record->next_update,
                              record->revocation_id};
}

/* --- what is on the disk --- */

/* A magnitude as a number; 0 when it is larger than any of ours. */
static uint64_t number_of(struct bytes magnitude)
{
  uint64_t number = 0;
  if (magnitude.len > sizeof number)
    return 0;
  for (size_t i = 0; i < magnitude.len; i++)
    number = number << 8 | magnitude.data[i];
  return number;
}

static bool read_ours(const struct crl_list *list, bool is_delta, struct bytes der,
                      struct crl_whole *ret_whole, uint64_t *ret_number, struct fault *f)
{
  struct crl crl;
  struct crl_whole whole = {.pieces = {der}};
  if (!crl_read(der, &crl, f) || !crl_sha256(whole.pieces, 1, whole.sha256, f))
    return false;
  if (!crl_is_signed_by(&crl, &list->authority->certificate))
    return fault_set(f, BAD_FILE, "the authority has not signed it");
  if (crl.is_delta != is_delta || crl.is_partial != (list->shard > 0))
    return fault_set(f, BAD_FILE, "it is a list of another kind");
  whole.this_update = crl.this_update;
  whole.next_update = crl.next_update;
  *ret_whole = whole;
  *ret_number = number_of(crl.crl_number);
  return true;
}

/* *ret_edition stays as it is when it is not on record. */
static bool look_up(const struct crl_list *list, const struct crl_tools *tools,
                    const struct crl_name *name, const struct crl_whole *whole, uint64_t number,
                    struct crl_edition *ret_edition, struct fault *f)
{
  struct crl_record record;
  bool found;
  if (!ledger_find_crl(tools->ledger, list->authority->name, number, &found, &record, f))
    return false;
  if (found && record.shard == list->shard &&
      memcmp(record.sha256, whole->sha256, sizeof record.sha256) == 0) {
    *ret_edition = edition_of(&record);
    return true;
  }
  AUTO(fault) why = {0};
  fault_set(&why, LEDGER_BEHIND, "number %llu", (unsigned long long)number);
  say(LOG_LEVEL_WARNING, "a revocation list that was published is not on record", name, &why);
  return true;
}

static bool take_up(const struct crl_list *list, const struct crl_tools *tools, bool is_delta,
                    struct crl_edition *ret_edition, struct fault *f)
{
  AUTO(buf) der = {0};
  struct crl_name name = name_of(list, is_delta);
  struct crl_whole whole;
  uint64_t number = 0;
  bool found;
  if (!crl_store_read(tools->store, &name, &found, &der, f))
    return false;
  return !found || (read_ours(list, is_delta, buf_bytes(&der), &whole, &number, f) &&
                    look_up(list, tools, &name, &whole, number, ret_edition, f) &&
                    crl_store_adopt(tools->store, &name, &whole, f));
}

static void recover_one(struct crl_list *list, const struct crl_tools *tools, bool is_delta,
                        struct crl_edition *ret_edition)
{
  AUTO(fault) f = {0};
  struct crl_edition edition = {0};
  struct crl_name name = name_of(list, is_delta);
  if (!take_up(list, tools, is_delta, &edition, &f)) {
    say(LOG_LEVEL_WARNING, "a revocation list on the disk is of no use", &name, &f);
    return;
  }
  *ret_edition = edition;
  if (edition.revocation_id > list->seen_id)
    list->seen_id = edition.revocation_id;
}

void crl_list_recover(struct crl_list *list, const struct crl_tools *tools, const struct conf *conf)
{
  recover_one(list, tools, false, &list->state.complete);
  if (conf->crl.delta_every_s > 0)
    recover_one(list, tools, true, &list->state.delta);
}

void crl_list_force(struct crl_list *list, const struct crl_tools *tools, const struct conf *conf)
{
  struct crl_name delta = name_of(list, true);
  list->state.forced = true;
  list->state.delta = (struct crl_edition){0};
  list->retry_at_ms = 0;
  if (conf->crl.delta_every_s == 0)
    crl_store_drop(tools->store, &delta);
}

/* --- what is revoked --- */

static bool stop_at_first(const struct revocation *revocation, void *context, struct fault *f)
{
  bool *found = context;
  (void)revocation;
  *found = true;
  return fault_set(f, BUSY, "one is enough");
}

/* Most revocations are of other lists: what is of none of them need not be looked at again. */
static bool look_for_news(struct crl_list *list, const struct crl_tools *tools, int64_t now,
                          struct fault *f)
{
  AUTO(fault) stopped = {0};
  const struct revocation_query query = {.authority = list->authority->name,
                                         .shard = list->shard,
                                         .is_delta = true,
                                         .since_id = list->seen_id};
  bool found = false;
  int64_t last_id;
  if (ledger_each_revocation(tools->ledger, &query, stop_at_first, &found, &last_id, &stopped)) {
    list->seen_id = last_id;
    return true;
  }
  if (!found) {
    fault_move(f, &stopped);
    return false;
  }
  list->state.news_at = now;
  return true;
}

/* --- publishing --- */

/* On record before it is signed: a number that the key holder has signed and the ledger does not
 * know tells of an older copy. */
static bool next_number(const struct crl_list *list, const struct crl_tools *tools,
                        uint64_t *ret_number, struct fault *f)
{
  struct crl_extent extent;
  struct signer_counts counts;
  if (!ledger_crl_extent(tools->ledger, list->authority->name, &extent, f) ||
      !signer_count(tools->signer, list->authority->key_sha256, 0, &counts, f))
    return false;
  uint64_t last = extent.last_number > counts.crl_number ? extent.last_number : counts.crl_number;
  return ledger_take_crl_number(tools->ledger, list->authority->name, last, ret_number, f);
}

/* On record before anybody can see it. */
static bool put(const struct crl_tools *tools, const struct crl_name *name,
                const struct crl_made *made, struct fault *f)
{
  struct crl_whole whole = {
      .pieces = {buf_bytes(&made->before), buf_bytes(&made->tbs), buf_bytes(&made->behind)},
      .this_update = made->record.this_update,
      .next_update = made->record.next_update};
  memcpy(whole.sha256, made->record.sha256, sizeof whole.sha256);
  return ledger_add_crl(tools->ledger, &made->record, f) &&
         crl_store_put(tools->store, name, &whole, f);
}

static void say_published(const struct crl_name *name, const struct crl_record *record, int64_t ms)
{
  char text[CRL_NAME_SIZE];
  crl_name_text(name, "crl", text);
  log_say(LOG_LEVEL_INFO, "a revocation list is published", LOG_TEXT("list", text),
          LOG_NUMBER("number", (int64_t)record->number), LOG_NUMBER("entries", record->entries),
          LOG_NUMBER("octets", record->octets), LOG_NUMBER("ms", ms));
}

static bool publish(struct crl_list *list, const struct crl_tools *tools, const struct conf *conf,
                    bool is_delta, int64_t now, struct fault *f)
{
  AUTO(crl_made) made = {0};
  struct crl_name name = name_of(list, is_delta);
  struct crl_wanted wanted = {.authority = list->authority,
                              .shard = list->shard,
                              .base = is_delta ? &list->state.complete : NULL,
                              .now = now};
  int64_t began_ms = when_monotonic_ms();
  if (!standing_settle(tools->standing, f) || !next_number(list, tools, &wanted.number, f) ||
      !crl_make(&wanted, conf, tools->ledger, tools->signer, &made, f) ||
      !put(tools, &name, &made, f))
    return false;
  *(is_delta ? &list->state.delta : &list->state.complete) = edition_of(&made.record);
  list->state.forced &= is_delta;
  list->state.news_at = 0;
  list->seen_id = made.record.revocation_id;
  say_published(&name, &made.record, when_monotonic_ms() - began_ms);
  return true;
}

static bool tend(struct crl_list *list, const struct crl_tools *tools, const struct conf *conf,
                 int64_t last_id, int64_t now, struct fault *f)
{
  if (last_id > list->seen_id && list->state.news_at == 0 && !look_for_news(list, tools, now, f))
    return false;
  enum crl_kind due = crl_due(&list->state, &conf->crl, now);
  return due == CRL_NONE || publish(list, tools, conf, due == CRL_DELTA, now, f);
}

void crl_list_tend(struct crl_list *list, const struct crl_tools *tools, const struct conf *conf,
                   int64_t last_id, int64_t now)
{
  AUTO(fault) f = {0};
  struct crl_name name = name_of(list, false);
  AUTO(fault) behind = {0};
  if (!standing_check(tools->standing, &behind) || when_monotonic_ms() < list->retry_at_ms ||
      now > list->authority->certificate.not_after)
    return;
  if (tend(list, tools, conf, last_id, now, &f)) {
    list->failures = 0;
    return;
  }
  list->retry_at_ms = when_monotonic_ms() + 1000 * crl_back_off(++list->failures);
  say(LOG_LEVEL_ERROR, "a revocation list is not published", &name, &f);
}
