/* peer.h - a client's certificate: the chain that it sent, and whether it counts.
 *
 * What was sent is read once for a connection; who may ask is asked for each request, because in
 * between a certificate expires, a principal is disabled, a revocation list is put in place. What
 * does not change, the signatures up to an anchor, is remembered.
 * Threads: a peer belongs to one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/principal.h"
#include "lib/ca/trust.h"

/* From the leaf up to the anchor, which is the last. */
struct peer_path {
  const struct cert *certs[CHAIN_MAX + 1];
  size_t n;
};

struct peer {
  struct buf ders[CHAIN_MAX];
  struct cert certs[CHAIN_MAX]; /* views; the first is the client's own */
  size_t n;
  struct fault fault; /* why there are none: what was sent cannot be read */
  /* What was found under this trust (0: nothing was looked for yet). */
  uint64_t generation;
  const struct trust_source *source; /* NULL: our own authority */
  struct peer_path path;             /* n 0: it leads to no anchor */
};

/* Takes a copy. What cannot be read (no certificate, more than CHAIN_MAX, a weak key) is kept as
 * the peer's fault, so that it is told to whoever asks with it. False: NO_MEMORY alone. */
bool peer_read(const struct bytes *ders, size_t n, struct peer **ret_peer, struct fault *f);
void peer_free(struct peer *peer); /* accepts NULL */
AUTO_POINTER(peer, struct peer, peer_free)

/* The way from the leaf to one of these anchors by signatures, over what the client sent. Pure. */
bool peer_find_path(const struct peer *peer, const struct vouchers *vouchers,
                    struct peer_path *ret_path);
/* Everything but the signatures (RFC 5280, 6.1): each certificate valid now, no critical extension
 * that is not known; the leaf no CA, with digitalSignature and clientAuth; those above CAs with
 * keyCertSign, within their path length, not limited to other uses; none revoked, and no list that
 * is missing or out of date where one is needed. UNAUTHENTICATED says what is wrong. Pure. */
bool peer_check_path(const struct peer_path *path, const struct vouchers *vouchers, int64_t now,
                     struct fault *f);

/* Does it lead to an anchor, now? *ret_source is the trust that vouches for it, NULL for our own
 * authority. UNAUTHENTICATED. */
bool peer_verify(struct peer *peer, const struct trust *trust, int64_t now,
                 const struct trust_source **ret_source, struct fault *f);

/* Did an authority of ours sign it? Of what peer_check_path asks for, it must be no CA's, have no
 * critical extension that is not known, and have digitalSignature; when it expired, or that
 * authority did, is another matter. UNAUTHENTICATED. */
bool peer_verify_own(struct peer *peer, const struct trust *trust, struct fault *f);

/* Who is it?
 *   - our own authority's: the certificate must be in the ledger, octet for octet, and be neither
 *     revoked (on hold included) nor superseded. Under the profile "station": the principal that
 *     its device_serial names, with this very key; under "device-client" and "idevid": that device.
 *   - a foreign one's: the device that its subject names; or the station, which must be a principal
 *     that this trust vouches for.
 * UNAUTHENTICATED says what is wrong; LEDGER when the database fails. */
struct ledger;
bool peer_authenticate(struct peer *peer, const struct trust *trust, struct ledger *ledger,
                       int64_t now, struct principal *ret_principal, struct fault *f);

/* Who holds this certificate of ours, and may have another one in its place? Only for that: it may
 * have expired or been superseded, and need not be for clients (clientAuth, a profile whose
 * certificates say who asks), because what it is shown to is the authority that issued it, and what
 * it is shown for is itself; whether it may be renewed is for the pipeline to say. It must be in
 * the ledger, octet for octet, and not be revoked. Under the profile "station" it is the principal
 * that its device_serial names, who must not be disabled and show a certificate; otherwise the
 * device.
 * UNAUTHENTICATED, LEDGER. */
bool peer_renews(struct peer *peer, const struct trust *trust, struct ledger *ledger, int64_t now,
                 struct principal *ret_principal, struct fault *f);
