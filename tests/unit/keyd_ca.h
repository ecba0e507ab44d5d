/* keyd_ca.h - an authority for the key holder's tests: a folder with certificate, key and
 * keyd.conf, leaves to be signed, and the program itself. Every function asserts that it worked. */
#pragma once
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/pki/cert.h"
#include "lib/pki/private_key.h"

struct keyd_ca {
  char dir[64], conf[96], socket[96], log[96];
  struct private_key *key;
  struct buf certificate_der;
  struct cert certificate;
  uint8_t key_sha256[PUBKEY_SHA256_LEN];
  struct private_key *leaf_key;
  struct buf leaf_spki, leaf_subject;
};

/* In a new folder below the build folder. passphrase "": the key is not encrypted. */
void keyd_ca_make(struct keyd_ca *ca, const char *key_kind, const char *passphrase);
/* The same, with a certificate that ends then. */
void keyd_ca_make_until(struct keyd_ca *ca, const char *key_kind, const char *passphrase,
                        int64_t not_after);
/* Puts this text into keyd.conf, in place of what is there. */
void keyd_ca_configure(struct keyd_ca *ca, const char *text);
void keyd_ca_write(struct keyd_ca *ca, const char *name, const char *text, mode_t mode);
void keyd_ca_free(struct keyd_ca *ca);

/* A specification that the guard takes with its defaults. */
struct cert_spec keyd_ca_leaf(struct keyd_ca *ca);
/* The TBSCertificate of such a leaf. */
void keyd_ca_leaf_tbs(struct keyd_ca *ca, struct buf *ret_tbs);

/* A TBSCertList of ours with n entries, issued now. */
struct crl_spec {
  enum sig_alg alg;
  struct bytes issuer, authority_key_id;
  int64_t this_update, next_update;
  struct bytes number; /* magnitude */
  size_t n_revoked;
};
struct crl_spec keyd_ca_crl(struct keyd_ca *ca);
void crl_spec_write(const struct crl_spec *spec, struct buf *ret_tbs);

/* Starts mintmark-keyd with these arguments behind --config (NULL ends them); its log goes to
 * ca->log. */
pid_t keyd_start(struct keyd_ca *ca, const char *const *arguments);
/* Starts it with --socket, and waits until it serves. */
pid_t keyd_start_at_socket(struct keyd_ca *ca);
/* Starts it with a listening socket, as systemd does; the socket stays open here. */
pid_t keyd_start_activated(struct keyd_ca *ca, int listener);
/* A listening socket at ca->socket. */
int keyd_listen(struct keyd_ca *ca);
/* Waits for its end: the exit code, or minus the signal. */
int keyd_wait(pid_t pid);
int keyd_end(pid_t pid, int signal);
/* Does the log hold this text? Waits some seconds for it. */
bool keyd_log_has(struct keyd_ca *ca, const char *text);
int keyd_connect(struct keyd_ca *ca);
const char *keyd_program(void);
