/* cert_fields.h - what we tell of an issued certificate, field by field: one table for JSON and
 * CSV.
 *
 * Names, subject and validity come from the certificate itself, what it was asked for and when from
 * the ledger's row. Threads: any. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/authority.h"
#include "lib/ca/ledger.h"
#include "lib/pki/cert.h"

/* A row and its certificate, read. All zero is empty; wants cert_view_free. The row is borrowed. */
struct cert_view {
  const struct issued *row;
  struct cert cert;
};

/* INTERNAL when the row's certificate cannot be read. */
bool cert_view_read(const struct issued *row, struct cert_view *ret_view, struct fault *f);
void cert_view_free(struct cert_view *view);
AUTO_VALUE(cert_view, struct cert_view, cert_view_free)

struct cert_field {
  const char *name;
  /* Appends the field's text, UTF-8. NULL for a list: the names of `kind`. */
  void (*add)(const struct cert_field *field, const struct cert_view *view, struct buf *out);
  size_t at;
  enum san_kind kind;
};

enum { CERT_FIELD_COUNT = 16 };
extern const struct cert_field cert_fields[CERT_FIELD_COUNT];

/* How many certificates of the authority's chain stand behind this one: all, or none when another
 * CA (an earlier one of this name, say) issued it, or the authority is NULL. */
size_t cert_view_chain(const struct cert_view *view, const struct authority *authority);
