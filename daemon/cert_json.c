/* cert_json.c - see cert_json.h. */
#include "daemon/cert_json.h"

#include "daemon/cert_fields.h"
#include "daemon/json_text.h"
#include "lib/base/base64.h"

void cert_json_add_names(struct buf *out, const struct sans *names, enum san_kind kind)
{
  AUTO(buf) text = {0};
  buf_add_u8(out, '[');
  for (size_t i = 0; i < names->n; i++) {
    struct san name = sans_get(names, i);
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
      cert_json_add_names(out, &view->cert.names, field->kind);
      continue;
    }
    buf_clear(&text);
    field->add(field, view, &text);
    out->failed |= text.failed;
    json_add_string(out, buf_bytes(&text));
  }
}

/* The text of pem_add() as a JSON string, in one go: base64 needs no escaping, and each line's end
 * is written as it is escaped. */
void cert_json_add_pem(struct buf *out, struct bytes der)
{
  enum { LINE_OCTETS = 48 }; /* 64 characters */
  buf_reserve(out, der.len / LINE_OCTETS * 66 + 192);
  buf_add_text(out, "\"-----BEGIN CERTIFICATE-----\\n");
  for (size_t at = 0; at < der.len; at += LINE_OCTETS) {
    size_t len = der.len - at < LINE_OCTETS ? der.len - at : LINE_OCTETS;
    base64_add(out, bytes_of(der.data + at, len), 0);
    buf_add(out, "\\n", 2);
  }
  buf_add_text(out, "-----END CERTIFICATE-----\\n\"");
}

static bool begins_with(struct bytes text, const char *mark)
{
  size_t len = strlen(mark);
  return text.len >= len && memcmp(text.data, mark, len) == 0;
}

/* The text of several certificates as a list of strings, each line with its end escaped: the
 * authority's chain is text already, and the same in each answer. */
static void add_pem_list(struct buf *out, struct bytes pem)
{
  buf_add_u8(out, '[');
  while (pem.len > 0) {
    const uint8_t *end = memchr(pem.data, '\n', pem.len);
    struct bytes line = bytes_of(pem.data, end != NULL ? (size_t)(end - pem.data) : pem.len);
    if (begins_with(line, "-----BEGIN ")) {
      json_add_comma(out);
      buf_add_u8(out, '"');
    }
    buf_add_bytes(out, line);
    buf_add(out, "\\n", 2);
    if (begins_with(line, "-----END "))
      buf_add_u8(out, '"');
    size_t used = line.len + (end != NULL);
    pem = bytes_of(pem.data + used, pem.len - used);
  }
  buf_add_u8(out, ']');
}

bool cert_json_add_members(const struct issued *row, const struct authority *authority,
                           struct buf *out, struct fault *f)
{
  AUTO(cert_view) view = {0};
  if (!cert_view_read(row, &view, f))
    return false;
  buf_reserve(out, 1024 + 2 * row->der.len + (authority != NULL ? authority->chain_pem.len : 0));
  add_fields(&view, out);
  json_add_name(out, "certificate");
  cert_json_add_pem(out, buf_bytes(&row->der));
  json_add_name(out, "ca_chain");
  bool has_chain = cert_view_chain(&view, authority) > 0;
  add_pem_list(out, has_chain ? buf_bytes(&authority->chain_pem) : (struct bytes){0});
  return buf_ok(out) || fault_no_memory(f);
}

bool cert_json_add(const struct issued *row, const struct authority *authority, struct buf *out,
                   struct fault *f)
{
  buf_add_u8(out, '{');
  if (!cert_json_add_members(row, authority, out, f))
    return false;
  buf_add_u8(out, '}');
  return buf_ok(out) || fault_no_memory(f);
}
