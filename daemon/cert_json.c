/* cert_json.c - see cert_json.h. */
#include "daemon/cert_json.h"

#include "daemon/cert_fields.h"
#include "daemon/json_text.h"
#include "lib/pki/pem.h"

static void add_names(const struct cert_view *view, enum san_kind kind, struct buf *out)
{
  AUTO(buf) text = {0};
  buf_add_u8(out, '[');
  for (size_t i = 0; i < view->cert.names.n; i++) {
    struct san name = sans_get(&view->cert.names, i);
    if (name.kind != kind)
      continue;
    buf_clear(&text);
    san_text(name, &text);
    out->failed |= text.failed;
    json_add_comma(out);
    json_add_string(out, buf_bytes(&text));
  }
  buf_add_u8(out, ']');
}

static void add_fields(const struct cert_view *view, struct buf *out)
{
  AUTO(buf) text = {0};
  for (size_t i = 0; i < CERT_FIELD_COUNT; i++) {
    const struct cert_field *field = &cert_fields[i];
    json_add_name(out, field->name);
    if (field->add == NULL) {
      add_names(view, field->kind, out);
      continue;
    }
    buf_clear(&text);
    field->add(field, view, &text);
    out->failed |= text.failed;
    json_add_string(out, buf_bytes(&text));
  }
}

void cert_json_add_pem(struct buf *out, struct bytes der)
{
  AUTO(buf) pem = {0};
  pem_add(&pem, "CERTIFICATE", der);
  json_add_string(out, buf_bytes(&pem));
  out->failed |= pem.failed;
}

bool cert_json_add(const struct issued *row, const struct authority *authority, struct buf *out,
                   struct fault *f)
{
  AUTO(cert_view) view = {0};
  if (!cert_view_read(row, &view, f))
    return false;
  buf_reserve(out, 1024 + 2 * row->der.len + authority->chain_pem.len);
  buf_add_u8(out, '{');
  add_fields(&view, out);
  json_add_name(out, "certificate");
  cert_json_add_pem(out, buf_bytes(&row->der));
  json_add_name(out, "ca_chain");
  buf_add_u8(out, '[');
  for (size_t i = 0; i < cert_view_chain(&view, authority); i++) {
    json_add_comma(out);
    cert_json_add_pem(out, buf_bytes(&authority->chain_der[i]));
  }
  buf_add_text(out, "]}");
  return buf_ok(out) || fault_no_memory(f);
}
