/* cert_fields.c - see cert_fields.h. */
#include "daemon/cert_fields.h"

#include <stddef.h>

#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/pki/name.h"

bool cert_view_read(const struct issued *row, struct cert_view *ret_view, struct fault *f)
{
  struct cert_view view = {.row = row};
  AUTO(fault) reason = {0};
  /* It was issued: what other tools put into it must not keep the record from being read. */
  if (!cert_read(buf_bytes(&row->der), true, &view.cert, &reason)) {
    cert_view_free(&view);
    return reason.code == FAULT_NO_MEMORY ? fault_no_memory(f)
                                          : fault_set(f, INTERNAL, "row %lld of the ledger: %s",
                                                      (long long)row->id, reason.detail);
  }
  *ret_view = view;
  return true;
}

void cert_view_free(struct cert_view *view)
{
  cert_free(&view->cert);
}

static void add_serial_number(const struct cert_field *field, const struct cert_view *view,
                              struct buf *out)
{
  (void)field;
  text_add_hex(out, bytes_of(view->row->serial_number, SERIAL_NUMBER_LEN));
}

static void add_label(const struct cert_field *field, const struct cert_view *view, struct buf *out)
{
  buf_add_text(out, (const char *)view->row + field->at);
}

static void add_status(const struct cert_field *field, const struct cert_view *view,
                       struct buf *out)
{
  (void)field;
  buf_add_text(out, certificate_status_name(view->row->status));
}

static void add_subject(const struct cert_field *field, const struct cert_view *view,
                        struct buf *out)
{
  (void)field;
  name_text(view->cert.subject, out);
}

static void add_when(struct buf *out, int64_t instant)
{
  char text[WHEN_TEXT_SIZE];
  when_text(text, instant);
  buf_add_text(out, text);
}

static void add_validity(const struct cert_field *field, const struct cert_view *view,
                         struct buf *out)
{
  add_when(out, *(const int64_t *)((const char *)&view->cert + field->at));
}

static void add_issued_at(const struct cert_field *field, const struct cert_view *view,
                          struct buf *out)
{
  (void)field;
  add_when(out, view->row->issued_at_ms / 1000);
}

static void add_revoked_at(const struct cert_field *field, const struct cert_view *view,
                           struct buf *out)
{
  (void)field;
  if (view->row->status == STATUS_REVOKED)
    add_when(out, view->row->revoked_at);
}

static void add_revocation_reason(const struct cert_field *field, const struct cert_view *view,
                                  struct buf *out)
{
  (void)field;
  if (view->row->status == STATUS_REVOKED)
    buf_add_text(out, revocation_reason_name(view->row->revocation_reason));
}

const struct cert_field cert_fields[CERT_FIELD_COUNT] = {
    {"serial_number", .add = add_serial_number},
    {"device_serial", .add = add_label, .at = offsetof(struct issued, device_serial)},
    {"profile", .add = add_label, .at = offsetof(struct issued, profile)},
    {"status", .add = add_status},
    {"subject", .add = add_subject},
    {"ip_sans", .kind = SAN_IP},
    {"dns_sans", .kind = SAN_DNS},
    {"uri_sans", .kind = SAN_URI},
    {"not_before", .add = add_validity, .at = offsetof(struct cert, not_before)},
    {"not_after", .add = add_validity, .at = offsetof(struct cert, not_after)},
    {"issued_at", .add = add_issued_at},
    {"station", .add = add_label, .at = offsetof(struct issued, station)},
    {"order", .add = add_label, .at = offsetof(struct issued, order)},
    {"model", .add = add_label, .at = offsetof(struct issued, model)},
    {"revoked_at", .add = add_revoked_at},
    {"revocation_reason", .add = add_revocation_reason},
};

size_t cert_view_chain(const struct cert_view *view, const struct authority *authority)
{
  struct bytes its_issuer = view->cert.authority_key_id;
  bool ours = authority != NULL && its_issuer.len > 0 &&
              bytes_equal(its_issuer, authority->certificate.subject_key_id);
  return ours ? authority->n_chain : 0;
}
