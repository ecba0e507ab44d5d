/* revoke_decode.c - see revoke_decode.h. */
#include "daemon/revoke_decode.h"

#include <stddef.h>
#include <stdlib.h>

#include "daemon/fields.h"
#include "daemon/filter.h"
#include "lib/base/text.h"
#include "lib/ca/revoke.h"

enum { COUNT_MAX = 1000000000 };

static bool put_reason(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  enum revocation_reason *reason = (void *)((char *)to + field->at);
  return revocation_reason_named(text, reason) ||
         fault_set(f, BAD_FIELD,
                   "%s must be unspecified, keyCompromise, affiliationChanged, superseded, "
                   "cessationOfOperation, certificateHold, privilegeWithdrawn, or removeFromCRL "
                   "to lift a hold",
                   field->name);
}

static bool put_serial_number(const struct field *field, struct bytes text, void *to,
                              struct fault *f)
{
  struct revocations *asked = to;
  uint8_t octets[SERIAL_NUMBER_LEN];
  size_t len = 0;
  if (!text_unhex(text, octets, sizeof octets, &len) || len != sizeof octets)
    return fault_set(f, BAD_FIELD, "%s must be serial numbers of %d hexadecimal digits",
                     field->name, 2 * SERIAL_NUMBER_LEN);
  buf_add(&asked->serial_numbers, octets, sizeof octets);
  return buf_ok(&asked->serial_numbers) || fault_no_memory(f);
}

static bool put_count(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct revocations *asked = to;
  asked->has_count = true;
  return field_put_number(field, text, to, f);
}

static bool put_selection(const struct field *field, struct bytes text, void *to, struct fault *f)
{
  struct revocations *asked = to;
  return (text.len > 0 && TEXT_COPY(asked->selection, text)) ||
         fault_set(f, BAD_FIELD, "%s: take it as the dry run gave it", field->name);
}

#define AT(member)       .at = offsetof(struct revocations, member)
#define LABEL_AT(member) .type = FIELD_STRING, .put = filter_put_label, AT(member)
#define TIME_AT(member)  .type = FIELD_STRING, .put = filter_put_time, AT(member), .kind = 1000

static const struct field fields[] = {
    {"device_serial", LABEL_AT(device_serial)},
    {"station", LABEL_AT(station)},
    {"order", LABEL_AT(order)},
    {"model", LABEL_AT(model)},
    {"profile", LABEL_AT(profile)},
    {"issued_after", TIME_AT(query.issued_after_ms)},
    {"issued_before", TIME_AT(query.issued_before_ms)},
    {"serial_numbers", .type = FIELD_STRINGS, .put = put_serial_number},
    {"reason", .type = FIELD_STRING, .put = put_reason, AT(reason)},
    {"dry_run", .type = FIELD_BOOLEAN, .put = field_put_flag, AT(dry_run)},
    {"count", .type = FIELD_NUMBER, .put = put_count, AT(count), .least = 0, .most = COUNT_MAX},
    {"selection", .type = FIELD_STRING, .put = put_selection},
};
static const struct field_table table = {fields, ARRAY_LEN(fields), FAULT_UNKNOWN_FIELD};

static const char *given(const char *text)
{
  return text[0] != '\0' ? text : NULL;
}

static void link_texts(struct revocations *asked)
{
  struct ledger_query *query = &asked->query;
  query->device_serial = given(asked->device_serial);
  query->station = given(asked->station);
  query->order = given(asked->order);
  query->model = given(asked->model);
  query->profile = given(asked->profile);
  query->serial_numbers = buf_bytes(&asked->serial_numbers);
  revoke_select(query, asked->reason);
}

/* A client's variable that was not set must not revoke everything. */
static bool check(const struct revocations *asked, struct fault *f)
{
  const struct ledger_query *q = &asked->query;
  bool has_filter = q->device_serial != NULL || q->station != NULL || q->order != NULL ||
                    q->model != NULL || q->profile != NULL || q->issued_after_ms != 0 ||
                    q->issued_before_ms != 0 || q->serial_numbers.len > 0;
  if (!has_filter)
    return fault_set(f, BAD_FIELD,
                     "say which certificates: order, station, model, profile, device_serial, "
                     "issued_after, issued_before or serial_numbers");
  if (asked->dry_run && (asked->has_count || asked->selection[0] != '\0'))
    return fault_set(f, BAD_FIELD, "count and selection are what a dry run gives");
  return asked->dry_run || asked->has_count ||
         fault_set(f, BAD_FIELD,
                   "do a dry run first (\"dry_run\": true), then give the count that it tells");
}

bool revocations_decode(const struct exchange *x, struct revocations **ret_asked, struct fault *f)
{
  AUTO(revocations) asked = calloc(1, sizeof *asked);
  if (asked == NULL)
    return fault_no_memory(f);
  if (!fields_from_json(&table, buf_bytes(&x->body), asked, f))
    return false;
  link_texts(asked);
  if (!check(asked, f))
    return false;
  *ret_asked = TAKE(asked);
  return true;
}

void revocations_free(struct revocations *asked)
{
  if (asked == NULL)
    return;
  buf_free(&asked->serial_numbers);
  free(asked);
}

bool revocation_decode(const struct exchange *x, enum revocation_reason *ret_reason,
                       struct fault *f)
{
  static const struct field reason_alone[] = {{"reason", .type = FIELD_STRING, .put = put_reason}};
  static const struct field_table of_one = {reason_alone, 1, FAULT_UNKNOWN_FIELD};
  enum revocation_reason reason = REASON_UNSPECIFIED;
  if (!fields_from_json(&of_one, buf_bytes(&x->body), &reason, f))
    return false;
  *ret_reason = reason;
  return true;
}
