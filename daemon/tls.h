/* tls.h - the daemon's own certificate and key, which can be changed while it runs, and how TLS is
 * spoken. One for the process (GnuTLS hands its callback no context). */
#pragma once
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* TLS 1.2 and 1.3, forward secrecy, AEAD only. */
#define TLS_PRIORITIES                                                                             \
  "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:"     \
  "+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305:+AES-128-CCM:-MAC-ALL:+AEAD:%SERVER_PRECEDENCE"

/* Reads the pair (PEM; the certificate, then its chain) and looks whether they belong together.
 * BAD_FILE or FILE_ERROR. tls_load makes it the one for new handshakes; one that was in use before
 * lives on for those that have begun, which must end within TLS_RETIRE_MS. Any thread. */
enum { TLS_RETIRE_MS = 10 * 60 * 1000 };
bool tls_check(const char *certificate_path, const char *key_path, struct fault *f);
bool tls_load(const char *certificate_path, const char *key_path, struct fault *f);
void tls_unload(void);

/* A gnutls_certificate_retrieve_function3. Any thread. */
int tls_retrieve(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                 gnutls_pcert_st **ret_certificates, unsigned *ret_n,
                 gnutls_ocsp_data_st **ret_ocsp, unsigned *ret_n_ocsp, gnutls_privkey_t *ret_key,
                 unsigned *ret_flags);

/* The certificates that the client sent, its own first, at most `max`: views into the session. 0
 * when it sent none. Nobody has judged them, but that the client has the first one's key is proven.
 * Any thread that has the session. */
size_t tls_client_chain(gnutls_session_t session, struct bytes *ret_ders, size_t max);

/* Lets this session be resumed by a ticket (RFC 8446, 2.2), which saves a client that comes again
 * most of the handshake. Any thread. */
void tls_offer_tickets(gnutls_session_t session);
