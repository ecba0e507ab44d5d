/* rest_standing.c - /v1/standing: what the ledger lacks, the lists that help it, and accepting it.
 */
#include <stddef.h>
#include <stdlib.h>

#include "daemon/background.h"
#include "daemon/crl_adopt.h"
#include "daemon/crl_store.h"
#include "daemon/fields.h"
#include "daemon/json_text.h"
#include "daemon/rest.h"
#include "daemon/rest_reply.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/text.h"
#include "lib/base/when.h"

/* Each works on a thread of its own: lists may be long. */
struct task {
  struct exchange *x;
  bool (*work)(struct exchange *x, struct crl_adopter *adopter, struct fault *f);
};

static void run(void *context, const atomic_bool *stop)
{
  AUTO(fault) f = {0};
  struct task task = *(struct task *)context;
  const struct service *service = task.x->service;
  struct crl_adopter adopter = {.authorities = service->authorities,
                                .ledger = service->ledger,
                                .standing = service->standing,
                                .stop = stop};
  free(context);
  rest_reply_json(task.x, 200, task.work(task.x, &adopter, &f), &f);
  exchange_finish(task.x);
}

static enum handled begin(struct exchange *x,
                          bool (*work)(struct exchange *x, struct crl_adopter *adopter,
                                       struct fault *f))
{
  AUTO(fault) f = {0};
  struct task *task = malloc(sizeof *task);
  if (task == NULL) {
    fault_no_memory(&f);
    return exchange_fail(x, &f);
  }
  *task = (struct task){x, work};
  if (background_run(x->service->background, run, task, &f))
    return DEFERRED;
  free(task);
  return exchange_fail(x, &f);
}

/* --- what is missing --- */

static const char *const state_names[] = {
    [STANDING_UNKNOWN] = "unknown", [STANDING_GOOD] = "good", [STANDING_BEHIND] = "behind"};

static const struct crl_seen *find_seen(const struct crl_adopter *adopter, const char *authority)
{
  for (size_t i = 0; i < adopter->n_seen; i++)
    if (strcmp(adopter->seen[i].authority->name, authority) == 0)
      return &adopter->seen[i];
  return NULL;
}

static void add_row(const struct standing_row *row, const struct crl_seen *seen, struct buf *out)
{
  struct lists_at_hand lists = row->lists;
  char when[WHEN_TEXT_SIZE];
  if (seen != NULL)
    lists_at_hand_add(&lists, &seen->lists);
  json_add_comma(out);
  buf_add_u8(out, '{');
  json_add_member(out, "name", bytes_of_text(row->authority));
  json_add_name(out, "known");
  buf_add_text(out, row->known ? "true" : "false");
  json_add_number(out, "issued", row->issued);
  json_add_number(out, "accepted", row->accepted);
  json_add_number(out, "recorded", row->recorded);
  json_add_number(out, "missing", row->missing);
  json_add_number(out, "crl_signed", row->crl_signed);
  json_add_number(out, "crl_known", row->crl_known);
  json_add_number(out, "crl_at_hand", lists_at_hand_reach(&lists, row->crl_known));
  if (seen != NULL) {
    when_text(when, seen->this_update);
    json_add_member(out, "crl_at_hand_this_update", bytes_of_text(when));
  }
  buf_add_u8(out, '}');
}

static bool show(struct exchange *x, struct crl_adopter *adopter, struct fault *f)
{
  AUTO(standing_report) report = {0};
  struct buf *out = &x->reply.body;
  char when[WHEN_TEXT_SIZE];
  adopter->only_look = true;
  if (!standing_read(x->service->standing, &report, f) ||
      !crl_adopt_folder(adopter, crl_store_folder(x->service->crls), f))
    return false;
  buf_add_u8(out, '{');
  json_add_member(out, "standing", bytes_of_text(state_names[report.state]));
  if (report.state == STANDING_BEHIND) {
    when_text(when, report.since);
    json_add_member(out, "since", bytes_of_text(when));
  }
  json_add_number(out, "missing", report.missing);
  json_add_name(out, "authorities");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < report.n; i++)
    add_row(&report.rows[i], find_seen(adopter, report.rows[i].authority), out);
  buf_add_text(out, "]}");
  return buf_ok(out) || fault_no_memory(f);
}

enum handled rest_standing(struct exchange *x)
{
  return begin(x, show);
}

/* --- a list that is not in the folder --- */

/* What is wrong with it is the fault of who sent it. */
static bool take_list(struct exchange *x, struct crl_adopter *adopter, struct fault *f)
{
  struct buf *out = &x->reply.body;
  if (!crl_adopt(adopter, buf_bytes(&x->body), f)) {
    if (f->code == FAULT_BAD_FILE)
      f->code = FAULT_BAD_REQUEST;
    return false;
  }
  buf_add_u8(out, '{');
  json_add_member(out, "authority", bytes_of_text(adopter->seen[0].authority->name));
  json_add_number(out, "crl_number", adopter->seen[0].number);
  json_add_number(out, "revocations", adopter->n_added);
  buf_add_u8(out, '}');
  return buf_ok(out) || fault_no_memory(f);
}

enum handled rest_standing_crl(struct exchange *x)
{
  return begin(x, take_list);
}

/* --- accepting --- */

struct acceptance_asked {
  int64_t missing;
  bool without_crl;
};

static const struct field fields[] = {
    {"missing", .type = FIELD_NUMBER, .required = true, .put = field_put_number,
     .at = offsetof(struct acceptance_asked, missing), .least = 0, .most = INT64_C(1000000000000)},
    {"without_crl", .type = FIELD_BOOLEAN, .put = field_put_flag,
     .at = offsetof(struct acceptance_asked, without_crl)},
};
static const struct field_table table = {fields, ARRAY_LEN(fields), FAULT_UNKNOWN_FIELD};

/* What was revoked comes before what is issued. Numbers that are other ones are refused by
 * standing_accept(). */
static bool accept(struct exchange *x, struct crl_adopter *adopter, struct fault *f)
{
  struct acceptance_asked asked = {0};
  struct event who = who_asks(x);
  struct standing *standing = x->service->standing;
  struct buf *out = &x->reply.body;
  AUTO(standing_report) report = {0};
  if (!fields_from_json(&table, buf_bytes(&x->body), &asked, f) ||
      !standing_read(standing, &report, f))
    return false;
  bool as_seen = report.state == STANDING_BEHIND && report.missing == asked.missing;
  if ((as_seen && !crl_adopt_folder(adopter, crl_store_folder(x->service->crls), f)) ||
      !standing_accept(standing, asked.missing, asked.without_crl, &who, f))
    return false;
  buf_add_u8(out, '{');
  json_add_number(out, "missing", asked.missing);
  json_add_number(out, "revocations", adopter->n_added);
  buf_add_u8(out, '}');
  return buf_ok(out) || fault_no_memory(f);
}

enum handled rest_standing_accept(struct exchange *x)
{
  return begin(x, accept);
}
