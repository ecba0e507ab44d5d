/* crl_name.c - see crl_name.h. */
#include "daemon/crl_name.h"

#include <stdio.h>

void crl_name_text(const struct crl_name *name, const char *extension, char out[CRL_NAME_SIZE])
{
  if (name->shard > 0)
    snprintf(out, CRL_NAME_SIZE, "%.64s/%u%s.%.3s", name->authority, name->shard,
             name->is_delta ? "-delta" : "", extension);
  else
    snprintf(out, CRL_NAME_SIZE, "%.64s%s.%.3s", name->authority, name->is_delta ? "/delta" : "",
             extension);
}

void crl_name_url(const struct crl_name *name, const char *public_url, struct buf *out)
{
  char text[CRL_NAME_SIZE];
  crl_name_text(name, "crl", text);
  buf_addf(out, "%s/crl/%s", public_url, text);
}
