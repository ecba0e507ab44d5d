/* export_c.c - a certificate, its chain and its key as C source, for firmware. See export.h. */
#include <ctype.h>

#include "lib/base/text.h"
#include "lib/pki/export.h"
#include "lib/pki/pem.h"

enum { NAME_MAX_LEN = 200, OCTETS_PER_LINE = 12 };

/* One array of the source. */
struct array {
  const char *suffix, *what;
  struct bytes octets;
};

static bool check_input(const struct export_input *in, const char *name, const char *header_name,
                        struct fault *f)
{
  if (in->n_chain == 0)
    return fault_set(f, BAD_USAGE, "there is no certificate to export");
  if (!text_is_token(bytes_of_text(name), NAME_MAX_LEN, "_") || isdigit((unsigned char)name[0]))
    return fault_set(f, BAD_USAGE,
                     "\"%s\" cannot be a name in C: use letters, digits and _, a letter first",
                     name);
  if (!text_is_token(bytes_of_text(header_name), NAME_MAX_LEN, "_-.+"))
    return fault_set(f, BAD_USAGE,
                     "\"%s\" cannot be the header's name: use letters, digits and _-.+",
                     header_name);
  return true;
}

/* --- the header --- */

/* PREFIX_H from the name, as the include guard. */
static void put_guard(const char *name, struct buf *out)
{
  for (const char *c = name; *c != '\0'; c++)
    buf_add_u8(out, (uint8_t)toupper((unsigned char)*c));
  buf_add_text(out, "_CERTIFICATE_H");
}

static void put_declaration(const char *name, const struct array *a, struct buf *out)
{
  buf_addf(out, "\n/* %s */\n", a->what);
  buf_addf(out, "extern const unsigned char %s_%s[%zu];\n", name, a->suffix, a->octets.len);
  buf_addf(out, "extern const size_t %s_%s_len;\n", name, a->suffix);
}

static void put_header(const char *name, const struct array *arrays, size_t n, struct buf *out)
{
  buf_add_text(out, "/* Made by mintmark export: do not edit. */\n#ifndef ");
  put_guard(name, out);
  buf_add_text(out, "\n#define ");
  put_guard(name, out);
  buf_add_text(out, "\n\n#include <stddef.h>\n\n#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
  for (size_t i = 0; i < n; i++)
    put_declaration(name, &arrays[i], out);
  buf_add_text(out, "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
}

/* --- the source --- */

/* Without buf_addf, which would leave pieces of a key in memory that nobody wipes. */
static void put_octets(struct bytes octets, struct buf *out)
{
  char hex[3];
  for (size_t i = 0; i < octets.len; i++) {
    buf_add_text(out, i % OCTETS_PER_LINE == 0 ? "\n  0x" : " 0x");
    text_hex(hex, octets.data + i, 1);
    buf_add(out, hex, 2);
    if (i + 1 < octets.len)
      buf_add_u8(out, ',');
  }
}

static void put_definition(const char *name, const struct array *a, struct buf *out)
{
  buf_addf(out, "\nconst unsigned char %s_%s[%zu] = {", name, a->suffix, a->octets.len);
  put_octets(a->octets, out);
  buf_add_text(out, "\n};\n");
  buf_addf(out, "const size_t %s_%s_len = sizeof %s_%s;\n", name, a->suffix, name, a->suffix);
}

static void put_source(const char *name, const char *header_name, const struct array *arrays,
                       size_t n, struct buf *out)
{
  buf_add_text(out, "/* Made by mintmark export: do not edit. */\n");
  buf_addf(out, "#include \"%s\"\n", header_name);
  for (size_t i = 0; i < n; i++)
    put_definition(name, &arrays[i], out);
}

static void put_chain_pem(const struct export_input *in, struct buf *out)
{
  for (size_t i = 0; i < in->n_chain; i++)
    pem_add(out, "CERTIFICATE", in->chain[i]);
  buf_add_u8(out, '\0');
}

bool export_c(const struct export_input *in, const char *name, const char *header_name,
              struct buf *ret_source, struct buf *ret_header, struct fault *f)
{
  AUTO(buf) pem = {0};
  AUTO(secret_buf) key = {0};
  if (!check_input(in, name, header_name, f) ||
      (in->key != NULL && !private_key_write_der(in->key, true, &key, f)))
    return false;
  put_chain_pem(in, &pem);
  if (!buf_ok(&pem))
    return fault_no_memory(f);
  const struct array arrays[] = {
      {"certificate_der", "The device's certificate, DER.", in->chain[0]},
      {"chain_pem", "The certificate and its chain, PEM; a NUL ends it, which the length counts.",
       buf_bytes(&pem)},
      {"private_key_der", "The device's private key, DER: keep it secret.", buf_bytes(&key)},
  };
  size_t n = ARRAY_LEN(arrays) - (in->key == NULL);
  size_t source_start = ret_source->len, header_start = ret_header->len;
  put_source(name, header_name, arrays, n, ret_source);
  put_header(name, arrays, n, ret_header);
  if (buf_ok(ret_source) && buf_ok(ret_header))
    return true;
  ret_source->len = source_start;
  ret_header->len = header_start;
  return fault_no_memory(f);
}
