/* device.h - a device that enrols itself: what is known of it, and the one-time secret by which it
 * says who it is.
 *
 * A secret that we make has 128 random bits: 32 hexadecimal digits. Of it, and of a given one of 32
 * characters or more, SHA-256 is kept. A given one that is shorter may be weak: it is kept as
 * PBKDF2-HMAC-SHA256 with a salt of its own. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/ledger.h"
#include "lib/ca/principal.h"
#include "lib/pki/san.h"

enum {
  DEVICE_TRIES_MAX = 10, /* wrong ones; then it is locked */
  DEVICE_SECRET_LEN = 32,
  DEVICE_GIVEN_MIN = 8, /* characters of a given secret */
  DEVICE_GIVEN_MAX = 128,
  DEVICE_SALT_LEN = 16,
  DEVICE_HASH_LEN = 32,
};

/* What is kept of a secret. */
struct device_secret {
  bool salted; /* PBKDF2 with the salt; otherwise SHA-256 */
  uint8_t salt[DEVICE_SALT_LEN], hash[DEVICE_HASH_LEN];
};

enum device_state { DEVICE_ANY, DEVICE_WAITING, DEVICE_ENROLLED, DEVICE_LOCKED, DEVICE_STATE_END };
const char *device_state_name(enum device_state state); /* "waiting", "enrolled", "locked" */
bool device_state_named(struct bytes name, enum device_state *ret_state);

/* One row. All zero owns nothing; wants device_free. */
struct device {
  int64_t id;
  char device_serial[LABEL_SIZE], model[LABEL_SIZE], order[LABEL_SIZE]; /* "": it may say */
  struct buf names; /* "ip=10.1.1.68 dns=w-1.example", the only ones it may have; empty: the profile
                       decides */
  int64_t secret_no; /* counts its secrets, from 1 */
  struct device_secret secret;
  int64_t wrong_tries;
  int64_t imported_at, used_at; /* used_at 0: the secret was not used yet */
  uint8_t used_spki_sha256[PUBKEY_SHA256_LEN];
};
void device_free(struct device *device);
AUTO_VALUE(device, struct device, device_free)
enum device_state device_state(const struct device *device);

/* The names as that text, and back. INTERNAL when the text is none of ours. */
void device_names_write(const struct sans *names, struct buf *out);
bool device_names_read(struct bytes text, struct sans *ret_names, struct fault *f);

/* 8 to 128 printable ASCII characters, without space and colon. */
bool device_given_is_valid(struct bytes secret);
/* Makes a secret from 16 octets of the CSPRNG, which the caller wipes, and what to keep of it. */
void device_secret_make(const uint8_t random[DEVICE_SECRET_LEN / 2],
                        char ret_text[DEVICE_SECRET_LEN + 1], struct device_secret *ret_secret);
/* What to keep of a valid secret that was given. Slow (about a millisecond) when it is short. */
bool device_secret_hash(struct bytes given, struct device_secret *ret_secret, struct fault *f);

/* Who is it? `credentials` is "DEVICE_SERIAL:SECRET", divided at the last colon: a device_serial
 * may have colons, a secret has none. The same work, the same write and the same fault
 * (UNAUTHENTICATED) for a device that is not known, a wrong secret and a locked device; LEDGER when
 * the database fails. A wrong secret counts: see DEVICE_TRIES_MAX. A secret that was used up goes
 * on to say who it is: what it is good for is decided where certificates are added. */
bool device_authenticate(struct ledger *ledger, struct bytes credentials,
                         struct principal *ret_principal, struct fault *f);
