/* peer.c - see peer.h: the chain. */
#include "lib/ca/peer.h"

#include <stdlib.h>

#include "lib/base/when.h"
#include "lib/pki/name.h"

/* --- what was sent --- */

static bool read_one(struct peer *peer, struct bytes der, struct fault *f)
{
  size_t i = peer->n;
  buf_add_bytes(&peer->ders[i], der);
  if (!buf_ok(&peer->ders[i]))
    return fault_no_memory(f);
  peer->n++; /* so that it is freed */
  return cert_read(buf_bytes(&peer->ders[i]), true, &peer->certs[i], f) &&
         pubkey_check_strength(&peer->certs[i].key, f);
}

static bool read_all(struct peer *peer, const struct bytes *ders, size_t n, struct fault *f)
{
  if (n == 0 || n > CHAIN_MAX)
    return fault_set(f, BAD_FILE, "a client sends its certificate and at most %d above it",
                     CHAIN_MAX - 1);
  for (size_t i = 0; i < n; i++)
    if (!read_one(peer, ders[i], f))
      return false;
  return true;
}

bool peer_read(const struct bytes *ders, size_t n, struct peer **ret_peer, struct fault *f)
{
  AUTO(peer) peer = calloc(1, sizeof *peer);
  AUTO(fault) why = {0};
  if (peer == NULL)
    return fault_no_memory(f);
  if (!read_all(peer, ders, n, &why)) {
    if (why.code == FAULT_NO_MEMORY)
      return fault_no_memory(f);
    fault_set(&peer->fault, UNAUTHENTICATED, "the client certificate is not taken: %s", why.detail);
  }
  *ret_peer = TAKE(peer);
  return true;
}

void peer_free(struct peer *peer)
{
  if (peer == NULL)
    return;
  for (size_t i = 0; i < CHAIN_MAX; i++) {
    cert_free(&peer->certs[i]);
    buf_free(&peer->ders[i]);
  }
  fault_free(&peer->fault);
  free(peer);
}

/* --- the way up --- */

static const struct cert *issuer_among(const struct cert *cert, const struct cert *others, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (&others[i] != cert && cert_is_signed_by(cert, &others[i]))
      return &others[i];
  return NULL;
}

/* An anchor is looked for first at each step, so that the way is never longer than it must be, and
 * what a client adds behind it changes nothing. */
bool peer_find_path(const struct peer *peer, const struct vouchers *vouchers,
                    struct peer_path *ret_path)
{
  struct peer_path path = {0};
  const struct cert *at = peer->n > 0 ? &peer->certs[0] : NULL;
  while (at != NULL && path.n < CHAIN_MAX) {
    path.certs[path.n++] = at;
    const struct cert *anchor = issuer_among(at, vouchers->anchors, vouchers->n_anchors);
    if (anchor != NULL) {
      path.certs[path.n++] = anchor;
      *ret_path = path;
      return true;
    }
    at = issuer_among(at, peer->certs + 1, peer->n - 1);
  }
  return false;
}

/* --- whether it holds --- */

static bool refuse(struct fault *f, const char *what)
{
  return fault_set(f, UNAUTHENTICATED, "the client certificate is not taken: %s", what);
}

static bool check_time(const struct cert *cert, const char *whose, int64_t now, struct fault *f)
{
  char when[WHEN_TEXT_SIZE];
  bool early = now < cert->not_before;
  when_text(when, early ? cert->not_before : cert->not_after);
  if (early)
    return fault_set(f, UNAUTHENTICATED, "%s is not valid before %s", whose, when);
  return now <= cert->not_after || fault_set(f, UNAUTHENTICATED, "%s expired at %s", whose, when);
}

static bool check_leaf(const struct cert *leaf, struct fault *f)
{
  if (leaf->is_ca)
    return refuse(f, "it is a CA's");
  if (leaf->has_unknown_critical)
    return refuse(f, "it has a critical extension that is not known");
  return !leaf->has_key_usage || (leaf->key_usage & KU_DIGITAL_SIGNATURE) != 0 ||
         refuse(f, "its keyUsage lacks digitalSignature");
}

static bool check_purpose(const struct cert *leaf, bool needs_eku, struct fault *f)
{
  if (!leaf->has_ext_key_usage)
    return !needs_eku || refuse(f, "its extKeyUsage is missing; it needs clientAuth");
  return (leaf->ext_key_usage & EKU_CLIENT_AUTH) != 0 ||
         refuse(f, "its extKeyUsage lacks clientAuth");
}

/* `below` CAs stand between this one and the leaf. */
static bool check_ca(const struct cert *ca, size_t below, struct fault *f)
{
  if (!ca->has_basic_constraints || !ca->is_ca)
    return refuse(f, "one that signed it is not a CA");
  if (ca->has_key_usage && (ca->key_usage & KU_KEY_CERT_SIGN) == 0)
    return refuse(f, "a CA above it may not sign certificates");
  if (ca->path_len >= 0 && (size_t)ca->path_len < below)
    return refuse(f, "a CA above it allows fewer CAs below");
  if (ca->has_unknown_critical)
    return refuse(f, "a CA above it has a critical extension that is not known");
  return !ca->has_ext_key_usage || (ca->ext_key_usage & EKU_CLIENT_AUTH) != 0 ||
         refuse(f, "a CA above it is not for clients");
}

/* --- revocation lists --- */

static const struct crl *crl_of(const struct cert *issuer, const struct vouchers *vouchers)
{
  for (size_t i = 0; i < vouchers->n_crls; i++)
    if (crl_is_signed_by(&vouchers->crls[i], issuer))
      return &vouchers->crls[i];
  return NULL;
}

static bool check_revocation(const struct cert *cert, const struct cert *issuer,
                             const struct vouchers *vouchers, int64_t now, struct fault *f)
{
  char when[WHEN_TEXT_SIZE];
  if (!vouchers->needs_crl)
    return true;
  const struct crl *crl = crl_of(issuer, vouchers);
  if (crl == NULL)
    return refuse(f, "there is no revocation list of its issuer");
  when_text(when, crl->next_update);
  if (now < crl->this_update || now > crl->next_update)
    return fault_set(f, UNAUTHENTICATED,
                     "the revocation list of the client certificate's issuer is out of date "
                     "(next update %s)",
                     when);
  return !crl_has(crl, cert->serial_number) || refuse(f, "it, or a CA above it, is revoked");
}

bool peer_check_path(const struct peer_path *path, const struct vouchers *vouchers, int64_t now,
                     struct fault *f)
{
  const struct cert *leaf = path->certs[0];
  if (!check_leaf(leaf, f) || !check_purpose(leaf, vouchers->needs_eku, f) ||
      !check_time(leaf, "the client certificate", now, f))
    return false;
  for (size_t i = 1; i < path->n; i++)
    if (!check_ca(path->certs[i], i - 1, f) ||
        !check_time(path->certs[i], "a CA above the client certificate", now, f) ||
        !check_revocation(path->certs[i - 1], path->certs[i], vouchers, now, f))
      return false;
  return true;
}

/* --- under the trust of now --- */

/* Our own authority first: what it signed is judged by the ledger, whoever else is trusted. */
static void look_for_path(struct peer *peer, const struct trust *trust)
{
  peer->generation = trust->generation;
  peer->source = NULL;
  peer->path.n = 0;
  if (peer_find_path(peer, &trust->ours, &peer->path))
    return;
  for (size_t i = 0; i < trust->n_sources; i++)
    if (peer_find_path(peer, &trust->sources[i].vouchers, &peer->path)) {
      peer->source = &trust->sources[i];
      return;
    }
}

/* Looks for the way up unless that was done under this trust. */
static bool find_path(struct peer *peer, const struct trust *trust, struct fault *f)
{
  if (peer->fault.code != FAULT_NONE)
    return fault_set_code(f, peer->fault.code, "%s", peer->fault.detail);
  if (peer->generation != trust->generation)
    look_for_path(peer, trust);
  return peer->path.n > 0 || refuse(f, "it leads to no authority that is trusted here");
}

bool peer_verify(struct peer *peer, const struct trust *trust, int64_t now,
                 const struct trust_source **ret_source, struct fault *f)
{
  if (!find_path(peer, trust, f))
    return false;
  const struct vouchers *vouchers = peer->source != NULL ? &peer->source->vouchers : &trust->ours;
  if (!peer_check_path(&peer->path, vouchers, now, f))
    return false;
  *ret_source = peer->source;
  return true;
}

bool peer_verify_own(struct peer *peer, const struct trust *trust, struct fault *f)
{
  if (!find_path(peer, trust, f))
    return false;
  if (peer->source != NULL || peer->path.n != 2)
    return refuse(f, "no authority of this daemon issued it");
  return check_leaf(&peer->certs[0], f);
}
