/* ext.c - see ext.h. */
#include "lib/pki/ext.h"

static bool read_extension(struct der inner, struct extension *ret_extension)
{
  struct extension e = {0};
  if (!der_take(&inner, DER_OID, &e.oid) || !der_oid_is_valid(e.oid))
    return false;
  if (der_is(&inner, DER_BOOLEAN) && (!der_take_bool(&inner, &e.critical) || !e.critical))
    return false;
  if (!der_take(&inner, DER_OCTET_STRING, &e.value) || e.value.len == 0 || !der_at_end(&inner))
    return false;
  *ret_extension = e;
  return true;
}

bool extension_next(struct der *extensions, struct extension *ret_extension)
{
  struct der at = *extensions, inner;
  if (!der_enter(&at, DER_SEQUENCE, &inner) || !read_extension(inner, ret_extension))
    return false;
  *extensions = at;
  return true;
}

static bool has(const struct extensions *extensions, struct bytes oid)
{
  for (size_t i = 0; i < extensions->n; i++)
    if (bytes_equal(extensions->list[i].oid, oid))
      return true;
  return false;
}

bool extensions_read(struct bytes whole, struct extensions *ret_extensions)
{
  struct der outer = der_of(whole), inner;
  struct extension e;
  ret_extensions->n = 0;
  if (!der_enter(&outer, DER_SEQUENCE, &inner) || !der_at_end(&outer) || der_at_end(&inner))
    return false;
  while (!der_at_end(&inner)) {
    if (ret_extensions->n == EXTENSIONS_MAX || !extension_next(&inner, &e) ||
        has(ret_extensions, e.oid))
      return false;
    ret_extensions->list[ret_extensions->n++] = e;
  }
  return true;
}

bool extensions_open(struct bytes whole, struct der *ret_inner)
{
  struct extensions extensions;
  struct der outer = der_of(whole);
  return extensions_read(whole, &extensions) && der_enter(&outer, DER_SEQUENCE, ret_inner);
}

struct extension_mark extension_begin(struct buf *out, struct bytes oid, bool critical)
{
  struct extension_mark mark = {.sequence = der_begin(out, DER_SEQUENCE)};
  der_put_oid(out, oid);
  if (critical)
    der_put_bool(out, true);
  mark.value = der_begin(out, DER_OCTET_STRING);
  return mark;
}

void extension_end(struct buf *out, struct extension_mark mark)
{
  der_end(out, mark.value);
  der_end(out, mark.sequence);
}
