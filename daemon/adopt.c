/* adopt.c - see adopt.h. */
#include "daemon/adopt.h"

#include <openssl/sha.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/base/when.h"
#include "lib/ca/event.h"
#include "lib/pki/pem.h"

static void count_one(const struct principal *principal, void *n)
{
  (void)principal;
  ++*(size_t *)n;
}

bool adopt_admin(struct ledger *ledger, const struct conf *conf, struct fault *f)
{
  size_t n = 0;
  struct principal admin = {.role = ROLE_ADMIN, .created_at = when_now()};
  if (conf->admin_name[0] == '\0')
    return true;
  if (!ledger_each_principal(ledger, count_one, &n, f))
    return false;
  if (n > 0)
    return true;
  memcpy(admin.name, conf->admin_name, sizeof admin.name);
  return ledger_add_principal(ledger, &admin, conf->admin_token_sha256, NULL, f);
}

bool adopt_read_leaf(const char *path, struct buf *ret_der, struct cert *ret_cert, struct fault *f)
{
  AUTO(buf) pem = {0};
  struct bytes label;
  bool broken = false;
  if (!file_read(path, CERT_MAX, &pem, f))
    return false;
  struct bytes text = buf_bytes(&pem);
  if (!pem_next(&text, &label, ret_der, &broken) ||
      !bytes_equal(label, bytes_of_text("CERTIFICATE")))
    return fault_set(f, BAD_FILE, "%s does not begin with a certificate", path);
  return cert_read(buf_bytes(ret_der), true, ret_cert, f) || fault_prefix(f, "%s", path);
}

/* When it was issued stands in its serial number (not_before is set back for slow clocks). */
static int64_t issued_at_ms(const struct cert *cert)
{
  int64_t ms = 0;
  for (size_t i = 1; i <= 6; i++)
    ms = ms << 8 | cert->serial_number.data[i];
  bool plausible = ms >= cert->not_before * 1000 && ms <= when_now_ms();
  return plausible ? ms : cert->not_before * 1000;
}

static bool row_of(const struct cert *cert, const struct authority *authority, struct issued *row,
                   struct fault *f)
{
  memcpy(row->serial_number, cert->serial_number.data, SERIAL_NUMBER_LEN);
  TEXT_COPY(row->profile, bytes_of_text("server"));
  TEXT_COPY(row->station, bytes_of_text("mintmark-init"));
  TEXT_COPY(row->authority, bytes_of_text(authority->name));
  row->issued_at_ms = issued_at_ms(cert);
  row->not_before = cert->not_before;
  row->not_after = cert->not_after;
  pubkey_sha256(cert->key.spki, row->spki_sha256);
  /* Nobody asked for it over the wire: the certificate stands for its own request. */
  SHA256(cert->der.data, cert->der.len, row->request_sha256);
  buf_add_bytes(&row->der, cert->der);
  return buf_ok(&row->der) || fault_no_memory(f);
}

/* It counts as issued when it comes to the record. */
static bool record(struct ledger_batch *batch, const struct issued *row, struct fault *f)
{
  struct event event = {.kind = EVENT_ISSUED, .certificate = row->id};
  TEXT_COPY(event.principal, bytes_of_text(row->station));
  return ledger_add_event(batch, &event, f);
}

static bool append(struct ledger *ledger, struct issued *row, const struct sans *names,
                   struct fault *f)
{
  struct ledger_batch *batch;
  AUTO(issued) earlier = {0};
  bool replayed;
  if (!ledger_begin(ledger, &batch, f))
    return false;
  if (ledger_append(batch, row, names, true, when_now(), &replayed, &earlier, f) &&
      (replayed || record(batch, row, f)))
    return ledger_commit(batch, f);
  ledger_roll_back(batch);
  return false;
}

bool adopt_server_certificate(struct ledger *ledger, const struct conf *conf,
                              const struct authorities *authorities, bool *ret_adopted,
                              struct fault *f)
{
  AUTO(buf) der = {0};
  AUTO(cert) cert = {0};
  AUTO(issued) row = {0};
  AUTO(fault) unknown = {0};
  *ret_adopted = false;
  if (!adopt_read_leaf(conf->tls_certificate, &der, &cert, f))
    return false;
  const struct authority *authority = authorities_issuer_of(authorities, &cert);
  if (authority == NULL || cert.serial_number.len != SERIAL_NUMBER_LEN)
    return true;
  if (ledger_get(ledger, cert.serial_number, when_now(), &row, &unknown))
    return true;
  if (unknown.code != FAULT_UNKNOWN_SERIAL_NUMBER) {
    fault_move(f, &unknown);
    return false;
  }
  if (!row_of(&cert, authority, &row, f) || !append(ledger, &row, &cert.names, f))
    return false;
  *ret_adopted = true;
  return true;
}
