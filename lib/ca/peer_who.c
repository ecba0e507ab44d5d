/* peer_who.c - from a client's certificate to a principal; see peer.h. */
#include "lib/base/text.h"
#include "lib/ca/ledger.h"
#include "lib/ca/peer.h"
#include "lib/pki/name.h"

static bool unknown(struct fault *f, const char *what)
{
  return fault_set(f, UNAUTHENTICATED, "the client certificate is not taken: %s", what);
}

/* The principal's row must be there, not disabled, and say that it shows this; NULL: any. */
static bool find_principal(struct ledger *ledger, const char *name, enum proof proof,
                           const uint8_t *shown_sha256, struct principal *ret_principal,
                           struct fault *f)
{
  struct principal principal;
  uint8_t kept[TOKEN_SHA256_LEN];
  bool found = false;
  if (!ledger_find_principal(ledger, name, &found, &principal, kept, f))
    return false;
  if (!found || principal.proof != proof ||
      (shown_sha256 != NULL && memcmp(kept, shown_sha256, sizeof kept) != 0))
    return unknown(f, "it is no principal's");
  if (principal.disabled_at != 0)
    return fault_set(f, UNAUTHENTICATED, "%s is disabled", principal.name);
  *ret_principal = principal;
  return true;
}

static bool be_device(struct bytes name, struct principal *ret_principal, struct fault *f)
{
  struct principal device = {.role = ROLE_DEVICE, .proof = PROOF_CERTIFICATE};
  if (name.len == 0 || !TEXT_COPY(device.name, name))
    return unknown(f, "the name of its device has not 1 to 64 octets");
  *ret_principal = device;
  return true;
}

/* --- our own --- */

/* What we signed is in the ledger; what is not was made by somebody who has got hold of the key. */
static bool find_row(const struct cert *leaf, struct ledger *ledger, int64_t now,
                     struct issued *ret_row, struct fault *f)
{
  AUTO(fault) why = {0};
  if (!ledger_get(ledger, leaf->serial_number, now, ret_row, &why)) {
    if (why.code == FAULT_UNKNOWN_SERIAL_NUMBER)
      return unknown(f, "it is not in the ledger");
    fault_move(f, &why);
    return false;
  }
  if (!bytes_equal(buf_bytes(&ret_row->der), leaf->der))
    return unknown(f, "it is not the one that is in the ledger");
  if (ret_row->status == STATUS_REVOKED)
    return fault_set(f, UNAUTHENTICATED, "the client certificate is not taken: it is %s (%s)",
                     ret_row->revocation_reason == REASON_CERTIFICATE_HOLD ? "on hold" : "revoked",
                     revocation_reason_name(ret_row->revocation_reason));
  return true;
}

static bool be_station(const struct issued *row, struct ledger *ledger,
                       struct principal *ret_principal, struct fault *f)
{
  return find_principal(ledger, row->device_serial, PROOF_CERTIFICATE, row->spki_sha256,
                        ret_principal, f);
}

static bool be_own_device(const struct issued *row, struct ledger *ledger,
                          struct principal *ret_principal, struct fault *f)
{
  (void)ledger;
  return be_device(bytes_of_text(row->device_serial), ret_principal, f);
}

/* The profiles whose certificates say who asks. */
static const struct {
  const char *profile;
  bool (*become)(const struct issued *row, struct ledger *ledger, struct principal *ret_principal,
                 struct fault *f);
} profiles[] = {
    {"station", be_station}, {"device-client", be_own_device}, {"idevid", be_own_device}};

static bool be_own(const struct cert *leaf, struct ledger *ledger, int64_t now,
                   struct principal *ret_principal, struct fault *f)
{
  AUTO(issued) row = {0};
  if (!find_row(leaf, ledger, now, &row, f))
    return false;
  if (row.status != STATUS_VALID)
    return unknown(f, "another one has taken its place");
  for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
    if (strcmp(profiles[i].profile, row.profile) == 0)
      return profiles[i].become(&row, ledger, ret_principal, f);
  return unknown(f, "certificates of its profile are not for asking");
}

/* --- a foreign one's --- */

static bool be_foreign_station(const struct trust_source *source, struct bytes name,
                               struct ledger *ledger, struct principal *ret_principal,
                               struct fault *f)
{
  char text[PRINCIPAL_NAME_SIZE];
  uint8_t shown[TOKEN_SHA256_LEN];
  struct principal principal;
  if (!principal_name_is_valid(name) || !TEXT_COPY(text, name))
    return unknown(f, "it names no principal");
  proof_of_trust(source->name, shown);
  if (!find_principal(ledger, text, PROOF_TRUST, shown, &principal, f))
    return false;
  if (principal.role != source->role)
    return unknown(f, "its authority may not vouch for this role");
  *ret_principal = principal;
  return true;
}

static bool be_foreign(const struct trust_source *source, const struct cert *leaf,
                       struct ledger *ledger, struct principal *ret_principal, struct fault *f)
{
  struct bytes name;
  if (!name_value(leaf->subject, source->name_from, &name))
    return fault_set(f, UNAUTHENTICATED,
                     "the client certificate is not taken: its subject has not one %s",
                     attribute_name(source->name_from));
  return source->role == ROLE_DEVICE ? be_device(name, ret_principal, f)
                                     : be_foreign_station(source, name, ledger, ret_principal, f);
}

bool peer_authenticate(struct peer *peer, const struct trust *trust, struct ledger *ledger,
                       int64_t now, struct principal *ret_principal, struct fault *f)
{
  const struct trust_source *source;
  if (!peer_verify(peer, trust, now, &source, f))
    return false;
  return source != NULL ? be_foreign(source, &peer->certs[0], ledger, ret_principal, f)
                        : be_own(&peer->certs[0], ledger, now, ret_principal, f);
}

/* --- the holder of one, who renews it --- */

/* A principal that has renewed its certificate shows the new one's key. When the answer was lost it
 * asks once more with the old one: so which key it shows is looked at when something is issued. */
static bool be_holder(const struct issued *row, struct ledger *ledger,
                      struct principal *ret_principal, struct fault *f)
{
  if (strcmp(row->profile, "station") == 0)
    return find_principal(ledger, row->device_serial, PROOF_CERTIFICATE, NULL, ret_principal, f);
  return be_device(bytes_of_text(row->device_serial), ret_principal, f);
}

bool peer_renews(struct peer *peer, const struct trust *trust, struct ledger *ledger, int64_t now,
                 struct principal *ret_principal, struct fault *f)
{
  AUTO(issued) row = {0};
  struct principal holder;
  if (!peer_verify_own(peer, trust, f) || !find_row(&peer->certs[0], ledger, now, &row, f) ||
      !be_holder(&row, ledger, &holder, f))
    return false;
  holder.renews = row.id;
  *ret_principal = holder;
  return true;
}
