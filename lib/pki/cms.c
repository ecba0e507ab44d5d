/* cms.c - see cms.h. */
#include "lib/pki/cms.h"

#include "lib/pki/der.h"
#include "lib/pki/oid.h"

/* X.690, 11.6: the order of encodings in a SET OF. Equal ones keep their place. */
static bool comes_before(const struct bytes *certs, size_t a, size_t b)
{
  size_t n = certs[a].len < certs[b].len ? certs[a].len : certs[b].len;
  int order = n > 0 ? memcmp(certs[a].data, certs[b].data, n) : 0;
  if (order == 0 && certs[a].len != certs[b].len)
    return certs[a].len < certs[b].len;
  return order < 0 || (order == 0 && a < b);
}

/* The first that comes behind `last`; n when there is none. Bags hold a chain, so looking again for
 * each is cheaper than a sorted copy. */
static size_t next_of(const struct bytes *certs, size_t n, size_t last)
{
  size_t next = n;
  for (size_t i = 0; i < n; i++) {
    if (last < n && !comes_before(certs, last, i))
      continue;
    if (next == n || comes_before(certs, i, next))
      next = i;
  }
  return next;
}

static void put_certificates(const struct bytes *certs, size_t n, struct buf *out)
{
  size_t set = der_begin(out, DER_CONTEXT_CONSTRUCTED(0)); /* IMPLICIT SET OF */
  for (size_t i = next_of(certs, n, n); i < n; i = next_of(certs, n, i))
    buf_add_bytes(out, certs[i]);
  der_end(out, set);
}

/* RFC 5652, 5.1: version 1, for there are no signers and no certificates other than X.509. */
static void put_signed_data(const struct bytes *certs, size_t n, struct buf *out)
{
  size_t signed_data = der_begin(out, DER_SEQUENCE);
  der_put_number(out, 1);
  der_put(out, DER_SET, (struct bytes){0}); /* digestAlgorithms */
  size_t content = der_begin(out, DER_SEQUENCE);
  der_put_oid(out, OID_CMS_DATA);
  der_end(out, content);
  put_certificates(certs, n, out);
  der_put(out, DER_SET, (struct bytes){0}); /* signerInfos */
  der_end(out, signed_data);
}

void cms_certs_only(const struct bytes *certs, size_t n, struct buf *ret_der)
{
  size_t info = der_begin(ret_der, DER_SEQUENCE);
  der_put_oid(ret_der, OID_CMS_SIGNED_DATA);
  size_t content = der_begin(ret_der, DER_CONTEXT_CONSTRUCTED(0));
  put_signed_data(certs, n, ret_der);
  der_end(ret_der, content);
  der_end(ret_der, info);
}
