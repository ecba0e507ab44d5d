/* keys.h - the signing keys, each with its certificate and its guard.
 * Threads: loaded and freed by one, used by any number between. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "keyd/conf.h"
#include "keyd/guard.h"
#include "keyd/state.h"
#include "lib/base/buf.h"
#include "lib/base/cleanup.h"
#include "lib/base/fault.h"
#include "lib/pki/cert.h"
#include "lib/pki/private_key.h"

struct signing_key {
  struct private_key *key;
  struct buf certificate_der;
  struct cert certificate;             /* a view into it */
  uint8_t sha256[SIGN_KEY_SHA256_LEN]; /* of the SubjectPublicKeyInfo: what peers call it by */
  struct guard guard;
};

struct keys {
  struct signing_key *list[CONF_KEYS_MAX];
  size_t n;
  struct state *state; /* borrowed; NULL until keys_count_in() */
};

/* Loads every key of the configuration and lets each sign something. FILE_ERROR, BAD_FILE or
 * BAD_PASSPHRASE name the file: a key or passphrase that others than its owner can read, a key that
 * is not the certificate's, a certificate that cannot issue. One that is not valid now is logged,
 * and is a failure only when none is. The passphrases are wiped before this returns. */
bool keys_load(const struct conf *conf, int64_t now, struct keys **ret_keys, struct fault *f);
/* From now on what the keys sign is counted there. Before it, nothing may be signed. */
bool keys_count_in(struct keys *keys, struct state *state, struct fault *f);
/* NULL when there is no such key. */
struct signing_key *keys_find(const struct keys *keys, struct bytes sha256);
/* The key signs a text of its own, and its certificate verifies it; nothing of it leaves. */
bool signing_key_probe(const struct signing_key *key, int64_t now, struct fault *f);
/* Wipes. */
void keys_free(struct keys *keys);

AUTO_POINTER(keys, struct keys, keys_free)
