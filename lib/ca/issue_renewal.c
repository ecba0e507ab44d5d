/* issue_renewal.c - what a renewal takes over from the certificate that it renews. See
 * issue_private.h. */
#include "lib/base/text.h"
#include "lib/ca/issue_private.h"
#include "lib/pki/cert.h"

static bool take_names(const struct issued *renewed, struct sans *names, struct fault *f)
{
  AUTO(cert) cert = {0};
  sans_free(names);
  *names = (struct sans){0};
  return cert_read(buf_bytes(&renewed->der), true, &cert, f) && sans_copy(names, &cert.names, f);
}

bool issue_take_renewal(struct ledger *ledger, struct issue_request *request, int64_t now,
                        struct issued *ret_renewed, struct fault *f)
{
  if (request->renews == 0)
    return true;
  if (!ledger_get_at(ledger, request->renews, now, ret_renewed, f))
    return false;
  TEXT_COPY(request->device_serial, bytes_of_text(ret_renewed->device_serial));
  TEXT_COPY(request->profile, bytes_of_text(ret_renewed->profile));
  TEXT_COPY(request->order, bytes_of_text(ret_renewed->order));
  TEXT_COPY(request->model, bytes_of_text(ret_renewed->model));
  request->replace = true;
  return take_names(ret_renewed, &request->names, f);
}

bool issue_check_renewal(const struct profile *profile, const struct issued *renewed,
                         const struct issued *row, int64_t now, struct fault *f)
{
  if (row->renews == 0)
    return true;
  bool same_key = memcmp(renewed->spki_sha256, row->spki_sha256, sizeof row->spki_sha256) == 0;
  return profile_check_renewal(profile, renewed->not_after, same_key, now, f);
}
