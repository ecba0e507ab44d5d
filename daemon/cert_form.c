/* cert_form.c - see cert_form.h. */
#include "daemon/cert_form.h"

#include "daemon/accept.h"
#include "daemon/cert_fields.h"
#include "daemon/cert_json.h"
#include "lib/pki/cms.h"
#include "lib/pki/pem.h"

static bool add_pem_chain(const struct issued *row, const struct authority *authority,
                          struct buf *out, struct fault *f)
{
  AUTO(cert_view) view = {0};
  if (!cert_view_read(row, &view, f))
    return false;
  pem_add(out, "CERTIFICATE", buf_bytes(&row->der));
  for (size_t i = 0; i < cert_view_chain(&view, authority); i++)
    pem_add(out, "CERTIFICATE", buf_bytes(&authority->chain_der[i]));
  return buf_ok(out) || fault_no_memory(f);
}

static bool add_der(const struct issued *row, const struct authority *authority, struct buf *out,
                    struct fault *f)
{
  (void)authority;
  buf_add_bytes(out, buf_bytes(&row->der));
  return buf_ok(out) || fault_no_memory(f);
}

static bool add_cms(const struct issued *row, const struct authority *authority, struct buf *out,
                    struct fault *f)
{
  AUTO(cert_view) view = {0};
  struct bytes certs[1 + CHAIN_MAX];
  if (!cert_view_read(row, &view, f))
    return false;
  size_t n_chain = cert_view_chain(&view, authority);
  certs[0] = buf_bytes(&row->der);
  for (size_t i = 0; i < n_chain; i++)
    certs[1 + i] = buf_bytes(&authority->chain_der[i]);
  cms_certs_only(certs, 1 + n_chain, out);
  return buf_ok(out) || fault_no_memory(f);
}

enum { FORM_COUNT = 4 };

static const struct cert_form forms[FORM_COUNT] = {
    {"application/json", cert_json_add},
    {"application/pem-certificate-chain", add_pem_chain},
    {"application/pkix-cert", add_der},
    {"application/pkcs7-mime; smime-type=certs-only", add_cms},
};

bool cert_form_choose(const char *accept, const struct cert_form **ret_form, struct fault *f)
{
  const char *offers[FORM_COUNT];
  size_t index = 0;
  for (size_t i = 0; i < FORM_COUNT; i++)
    offers[i] = forms[i].content_type;
  if (!accept_choose(accept, offers, FORM_COUNT, &index, f))
    return false;
  *ret_form = &forms[index];
  return true;
}

bool cert_form_reply(const struct cert_form *form, const struct issued *row,
                     const struct authority *authority, unsigned status, struct reply *reply,
                     struct fault *f)
{
  if (!form->add(row, authority, &reply->body, f)) {
    buf_free(&reply->body);
    return false;
  }
  reply->status = status;
  reply->content_type = form->content_type;
  return true;
}
