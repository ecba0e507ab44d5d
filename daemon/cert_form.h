/* cert_form.h - the forms in which one certificate is given out, chosen by Accept. Threads: any. */
#pragma once
#include <stdbool.h>

#include "daemon/exchange.h"
#include "lib/ca/authority.h"
#include "lib/ca/ledger.h"

struct cert_form {
  const char *content_type;
  /* Appends the certificate in this form. INTERNAL, NO_MEMORY. */
  bool (*add)(const struct issued *row, const struct authority *authority, struct buf *out,
              struct fault *f);
};

/* JSON (the default), PEM chain with the leaf first, DER of the leaf, CMS with leaf and chain. The
 * form is static. NOT_ACCEPTABLE. */
bool cert_form_choose(const char *accept, const struct cert_form **ret_form, struct fault *f);
/* Fills status, type and body of a reply that is empty, and stays so after a fault. */
bool cert_form_reply(const struct cert_form *form, const struct issued *row,
                     const struct authority *authority, unsigned status, struct reply *reply,
                     struct fault *f);
