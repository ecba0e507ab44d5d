/* rest_revoke.c - POST /v1/certificates/:serial_number/revoke and POST /v1/revocations. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/background.h"
#include "daemon/cert_find.h"
#include "daemon/cert_json.h"
#include "daemon/json_text.h"
#include "daemon/rest.h"
#include "daemon/rest_reply.h"
#include "daemon/revoke_decode.h"
#include "daemon/service.h"
#include "daemon/who.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/revoke.h"

enum { SHOWN_MAX = 100 };

static bool add_certificate(const struct service *service, const struct issued *row,
                            struct buf *out, struct fault *f)
{
  return cert_json_add(row, authorities_named(service->authorities, row->authority), out, f);
}

/* --- one --- */

static bool revoke_and_reply(struct exchange *x, struct fault *f)
{
  struct revoke_order order = {.now = when_now(), .who = who_asks(x)};
  AUTO(issued) row = {0};
  AUTO(issued) revoked = {0};
  if (!revocation_decode(x, &order.reason, f) || !cert_find(x, &row, f))
    return false;
  TEXT_COPY(x->device_serial, bytes_of_text(row.device_serial));
  text_hex(x->serial_number, row.serial_number, sizeof row.serial_number);
  return revoke_one(x->service->ledger, bytes_of(row.serial_number, sizeof row.serial_number),
                    &order, &revoked, f) &&
         add_certificate(x->service, &revoked, &x->reply.body, f);
}

enum handled rest_revoke(struct exchange *x)
{
  AUTO(fault) f = {0};
  bool done = revoke_and_reply(x, &f);
  return rest_reply_json(x, 200, done, &f);
}

/* --- many --- */

/* The exchange and what it asks for, while a thread of its own has them. */
struct bulk {
  struct exchange *x;
  struct revocations *asked; /* owned */
  struct revoke_order order;
};

static void bulk_free(struct bulk *bulk)
{
  if (bulk == NULL)
    return;
  revocations_free(bulk->asked);
  free(bulk);
}
AUTO_POINTER(bulk, struct bulk, bulk_free)

/* Serial numbers that were named are meant: a wrong one is not passed over. */
static bool check_named(const struct bulk *bulk, struct fault *f)
{
  struct bytes all = bulk->asked->query.serial_numbers;
  for (size_t at = 0; at < all.len; at += SERIAL_NUMBER_LEN) {
    AUTO(issued) row = {0};
    AUTO(fault) why = {0};
    char hex[2 * SERIAL_NUMBER_LEN + 1];
    if (ledger_get(bulk->x->service->ledger, bytes_of(all.data + at, SERIAL_NUMBER_LEN),
                   bulk->order.now, &row, &why))
      continue;
    if (why.code != FAULT_UNKNOWN_SERIAL_NUMBER) {
      fault_move(f, &why);
      return false;
    }
    text_hex(hex, all.data + at, SERIAL_NUMBER_LEN);
    fault_add_item(f, hex, "it was never issued");
  }
  return f->n_items == 0 || fault_set(f, UNKNOWN_SERIAL_NUMBER,
                                      "%zu of these serial numbers were never issued; nothing was "
                                      "revoked",
                                      f->n_items);
}

/* Tells one selection from another, of as many certificates, too. */
static void write_selection(const struct ledger_count *count, char ret_text[SELECTION_SIZE])
{
  snprintf(ret_text, SELECTION_SIZE, "%" PRId64 "-%" PRId64 "-%" PRId64, count->n, count->newest_id,
           count->ids);
}

/* The rows are listed a moment after they were counted: the count is what counts. */
static bool reply_dry(const struct bulk *bulk, const struct ledger_count *count, struct fault *f)
{
  struct exchange *x = bulk->x;
  struct ledger_query query = bulk->asked->query;
  struct buf *out = &x->reply.body;
  AUTO(ledger_page) page = {0};
  char selection[SELECTION_SIZE];
  query.limit = SHOWN_MAX;
  query.before_id = count->newest_id + 1;
  if (!ledger_search(x->service->ledger, &query, bulk->order.now, &page, f))
    return false;
  write_selection(count, selection);
  buf_add_u8(out, '{');
  json_add_number(out, "count", count->n);
  json_add_member(out, "selection", bytes_of_text(selection));
  json_add_name(out, "certificates");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < page.n; i++) {
    json_add_comma(out);
    if (!add_certificate(x->service, &page.rows[i], out, f))
      return false;
  }
  buf_add_text(out, "]}");
  return buf_ok(out) || fault_no_memory(f);
}

static bool check_unchanged(const struct revocations *asked, const struct ledger_count *count,
                            struct fault *f)
{
  char selection[SELECTION_SIZE];
  write_selection(count, selection);
  if (count->n != asked->count)
    return fault_set(f, SELECTION_CHANGED,
                     "there are %lld now, not %lld: do another dry run; nothing was revoked",
                     (long long)count->n, (long long)asked->count);
  return asked->selection[0] == '\0' || strcmp(asked->selection, selection) == 0 ||
         fault_set(f, SELECTION_CHANGED,
                   "there are as many, but not the same ones: do another dry run; nothing was "
                   "revoked");
}

/* What was counted is what is revoked: one certificate is never issued below another, so that none
 * that comes later is among those up to the newest that was counted; and what leaves the selection
 * meanwhile, because somebody else revoked it or because it expired, is looked at once more in the
 * transaction that would revoke it. What may still come into it is a hold that is lifted at this
 * very moment, by somebody who may revoke, too. */
static bool work_and_reply(const struct bulk *bulk, const atomic_bool *stop, struct fault *f)
{
  const struct revocations *asked = bulk->asked;
  struct ledger *ledger = bulk->x->service->ledger;
  struct buf *out = &bulk->x->reply.body;
  struct ledger_count count;
  int64_t n;
  if (!check_named(bulk, f) || !ledger_count(ledger, &asked->query, bulk->order.now, &count, f))
    return false;
  if (asked->dry_run)
    return reply_dry(bulk, &count, f);
  if (!check_unchanged(asked, &count, f) ||
      !revoke_many(ledger, &asked->query, count.newest_id, &bulk->order, stop, &n, f))
    return false;
  buf_addf(out, "{\"revoked\":%lld}", (long long)n);
  return buf_ok(out) || fault_no_memory(f);
}

static void work(void *context, const atomic_bool *stop)
{
  AUTO(bulk) bulk = context;
  AUTO(fault) f = {0};
  struct exchange *x = bulk->x;
  rest_reply_json(x, 200, work_and_reply(bulk, stop, &f), &f);
  exchange_finish(x);
}

static bool start(struct exchange *x, struct fault *f)
{
  AUTO(bulk) bulk = calloc(1, sizeof *bulk);
  if (bulk == NULL)
    return fault_no_memory(f);
  if (!revocations_decode(x, &bulk->asked, f))
    return false;
  bulk->x = x;
  bulk->order =
      (struct revoke_order){.reason = bulk->asked->reason, .now = when_now(), .who = who_asks(x)};
  if (!background_run(x->service->background, work, bulk, f))
    return false;
  (void)TAKE(bulk);
  return true;
}

enum handled rest_revocations(struct exchange *x)
{
  AUTO(fault) f = {0};
  return start(x, &f) ? DEFERRED : exchange_fail(x, &f);
}
