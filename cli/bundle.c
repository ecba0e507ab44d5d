/* bundle.c - see bundle.h. */
#include "cli/bundle.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/pki/cert.h"
#include "lib/pki/export.h"
#include "lib/pki/pem.h"

struct filling {
  const struct bundle *bundle;
  struct export_input input;
};

typedef bool fill(const struct filling *filling, struct buf *out, struct fault *f);

static bool fill_leaf(const struct filling *filling, struct buf *out, struct fault *f)
{
  (void)f;
  pem_add(out, "CERTIFICATE", filling->input.chain[0]);
  return true;
}

static bool fill_chain(const struct filling *filling, struct buf *out, struct fault *f)
{
  (void)f;
  for (size_t i = 0; i < filling->input.n_chain; i++)
    pem_add(out, "CERTIFICATE", filling->input.chain[i]);
  return true;
}

static bool fill_der(const struct filling *filling, struct buf *out, struct fault *f)
{
  (void)f;
  buf_add_bytes(out, filling->input.chain[0]);
  return true;
}

static bool fill_key_der(const struct filling *filling, struct buf *out, struct fault *f)
{
  return private_key_write_der(filling->input.key, true, out, f);
}

static bool fill_p12(const struct filling *filling, struct buf *out, struct fault *f)
{
  return export_p12(&filling->input, filling->bundle->passphrase, filling->bundle->friendly_name,
                    out, f);
}

static bool export_c_files(const struct filling *filling, struct buf *ret_source,
                           struct buf *ret_header, struct fault *f)
{
  AUTO(buf) header_name = {0};
  const char *slash = strrchr(filling->bundle->base, '/');
  buf_addf(&header_name, "%s.h", slash != NULL ? slash + 1 : filling->bundle->base);
  return export_c(&filling->input, filling->bundle->c_name, buf_text(&header_name), ret_source,
                  ret_header, f);
}

static bool fill_source(const struct filling *filling, struct buf *out, struct fault *f)
{
  AUTO(buf) header = {0};
  return export_c_files(filling, out, &header, f);
}

static bool fill_header(const struct filling *filling, struct buf *out, struct fault *f)
{
  AUTO(secret_buf) source = {0};
  return export_c_files(filling, &source, out, f);
}

static const struct row {
  const char *suffix;
  enum form form;
  bool of_key; /* there only with a key */
  mode_t mode;
  const char *what;
  fill *fill;
} rows[] = {
    {".crt", FORM_PEM, false, MODE_PUBLIC, "certificate", fill_leaf},
    {".chain.pem", FORM_PEM, false, MODE_PUBLIC, "certificate, then issuing CA: for a server",
     fill_chain},
    {".der", FORM_DER, false, MODE_PUBLIC, "certificate in DER", fill_der},
    {".key.der", FORM_DER, true, MODE_SECRET, "private key in DER", fill_key_der},
    {".p12", FORM_P12, true, MODE_SECRET, "key and chain as PKCS #12", fill_p12},
    {".c", FORM_C, false, MODE_SECRET, "key and chain as C source, for firmware", fill_source},
    {".h", FORM_C, false, MODE_PUBLIC, "header of the C source", fill_header},
};

static const struct {
  const char *name;
  enum form form;
} forms[] = {{"pem", FORM_PEM}, {"der", FORM_DER}, {"p12", FORM_P12}, {"c", FORM_C}};

bool forms_read(const char *text, unsigned *ret_forms, struct fault *f)
{
  unsigned found = 0;
  for (const char *word = text;; word++) {
    size_t len = strcspn(word, ","), i = 0;
    while (i < ARRAY_LEN(forms) &&
           (strlen(forms[i].name) != len || memcmp(forms[i].name, word, len) != 0))
      i++;
    if (i == ARRAY_LEN(forms))
      return fault_set(f, BAD_USAGE, "--format is a list of pem, der, p12 and c, not '%s'", text);
    found |= forms[i].form;
    word += len;
    if (*word == '\0')
      break;
  }
  *ret_forms = found;
  return true;
}

static bool is_in(const struct row *row, unsigned wanted, bool with_key)
{
  return (row->form & wanted) != 0 && (with_key || !row->of_key);
}

void bundle_paths(const char *base, unsigned wanted, bool with_key, struct outputs *ret_files)
{
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    if (is_in(&rows[i], wanted, with_key))
      outputs_add(ret_files, rows[i].mode, rows[i].what, "%s%s", base, rows[i].suffix);
}

bool bundle_files(const struct bundle *bundle, unsigned wanted, struct outputs *ret_files,
                  struct fault *f)
{
  struct bytes chain[BUNDLE_CHAIN_MAX];
  for (size_t i = 0; i < bundle->n_chain; i++)
    chain[i] = buf_bytes(&bundle->chain[i]);
  const struct filling filling = {bundle, {chain, bundle->n_chain, bundle->key}};
  if ((wanted & FORM_P12) != 0 && bundle->key == NULL)
    return fault_set(f, BAD_USAGE, "--format p12 needs the private key");
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    const struct row *row = &rows[i];
    if (!is_in(row, wanted, bundle->key != NULL))
      continue;
    /* Without a key in it, C source is no secret. */
    mode_t mode = bundle->key == NULL ? MODE_PUBLIC : row->mode;
    if (!row->fill(&filling,
                   outputs_add(ret_files, mode, row->what, "%s%s", bundle->base, row->suffix), f))
      return false;
  }
  return true;
}

static bool add_cert(struct bundle *bundle, struct bytes der, struct fault *f)
{
  AUTO(cert) cert = {0};
  if (!cert_read(der, true, &cert, f))
    return false;
  if (bundle->n_chain == BUNDLE_CHAIN_MAX)
    return fault_set(f, BAD_FILE, "a chain has at most %d certificates", BUNDLE_CHAIN_MAX);
  struct buf *to = &bundle->chain[bundle->n_chain++];
  buf_add_bytes(to, der);
  return buf_ok(to) || fault_no_memory(f);
}

bool bundle_add_certs(struct bundle *bundle, struct bytes any, struct fault *f)
{
  size_t before = bundle->n_chain;
  if (any.len > 0 && any.data[0] == 0x30)
    return add_cert(bundle, any, f);
  for (;;) {
    AUTO(secret_buf) der = {0};
    struct bytes label;
    bool broken = false;
    if (!pem_next(&any, &label, &der, &broken)) {
      if (broken)
        return fault_set(f, BAD_FILE, "a part of the PEM is broken");
      return bundle->n_chain > before || fault_set(f, BAD_FILE, "there is no certificate in it");
    }
    if (bytes_equal(label, bytes_of_text("CERTIFICATE")) && !add_cert(bundle, buf_bytes(&der), f))
      return false;
  }
}

void bundle_set_c_name(struct bundle *bundle, const char *text)
{
  size_t at = 0;
  if (!isalpha((unsigned char)text[0]))
    bundle->c_name[at++] = 'w';
  for (; *text != '\0' && at + 1 < sizeof bundle->c_name; text++) {
    bool fits = (*text & 0x80) == 0 && isalnum((unsigned char)*text);
    bundle->c_name[at++] = fits ? *text : '_';
  }
  bundle->c_name[at] = '\0';
}

void bundle_free(struct bundle *bundle)
{
  for (size_t i = 0; i < bundle->n_chain; i++)
    buf_free(&bundle->chain[i]);
  *bundle = (struct bundle){0};
}
