/* ledger_renewal.c - a certificate that its holder asks for in the place of the one that he has. */
#include "lib/base/text.h"
#include "lib/ca/ledger_private.h"

static bool refuse_superseded(const struct issued *newest, struct fault *f)
{
  char hex[2 * SERIAL_NUMBER_LEN + 1];
  text_hex(hex, newest->serial_number, sizeof newest->serial_number);
  return fault_set(f, RENEWAL_NOT_ALLOWED, "certificate %s has taken its place: ask with that one",
                   hex);
}

/* Within the transaction: between the question who asks and this one a principal may have been
 * disabled, or got another key. */
static bool check_proof(struct ledger_connection *c, const struct issued *row, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  bool found;
  if (!ledger_call_open(c, SQL_SHOWS_CERTIFICATE, &call, f))
    return false;
  ledger_call_text(&call, row->device_serial);
  ledger_call_number(&call, row->renews);
  if (!ledger_call_step(&call, &found, f))
    return false;
  return found || fault_set(f, RENEWAL_NOT_ALLOWED, "%s does not show this certificate any more",
                            row->device_serial);
}

bool ledger_check_renewal(struct ledger_connection *c, const struct issued *row,
                          const struct issued *newest, struct fault *f)
{
  if (row->renews == 0)
    return true;
  if (newest->id != row->renews)
    return refuse_superseded(newest, f);
  if (newest->status == STATUS_REVOKED)
    return fault_set(f, RENEWAL_NOT_ALLOWED, "it is revoked");
  return !row->renews_proof || check_proof(c, row, f);
}

bool ledger_renew_proof(struct ledger_batch *batch, const struct issued *row, struct fault *f)
{
  AUTO(ledger_call) call = {0};
  if (!row->renews_proof)
    return true;
  batch->has_changed_principal = true;
  if (!ledger_call_open(batch->ledger->writer, SQL_ROTATE_PRINCIPAL, &call, f))
    return false;
  ledger_call_text(&call, proof_name(PROOF_CERTIFICATE));
  ledger_call_blob(&call, row->spki_sha256, sizeof row->spki_sha256);
  ledger_call_text(&call, row->device_serial);
  return ledger_call_run(&call, f);
}
