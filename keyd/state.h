/* state.h - what must outlive the process: how many certificates each key has signed, how many of
 * them the daemon's ledger is known to have, and the highest number of a CRL.
 *
 * One small file, without secrets. It may be shared: each change takes the file's lock for as long
 * as it lasts, reads what is there, and writes. So a key holder that is being replaced and the one
 * that follows it both count, and no count is lost between them; no lock is held in between, and
 * none is left behind by a process that was killed.
 *
 * What was counted survives the end of the process, however it ends, at once; a power loss costs at
 * most what was counted since the last state_sync(), and never a CRL's number. A row stays when its
 * key is taken out of the configuration. Threads: any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/cleanup.h"
#include "lib/base/fault.h"
#include "lib/pki/sign_protocol.h"

enum { STATE_KEYS_MAX = 64 };

struct state_counts {
  uint64_t n_signed;   /* certificates */
  uint64_t recorded;   /* the most that the daemon has told */
  uint64_t crl_number; /* the highest that was signed; 0: none */
};

struct state;

/* Opens the file, and makes it when there is none. FILE_ERROR; BAD_FILE for one that is damaged or
 * no such file: it is never taken for an empty one. */
bool state_open(const char *path, struct state **ret_state, struct fault *f);
/* Could it be opened? Makes none, changes nothing. */
bool state_check(const char *path, struct fault *f);
/* The functions below know a key by the SHA-256 of its SubjectPublicKeyInfo. They fail with
 * FILE_ERROR or BAD_FILE, and then nothing has changed.
 * Makes a row for a key that has none. */
bool state_add_key(struct state *state, const uint8_t key[SIGN_KEY_SHA256_LEN], struct fault *f);
bool state_count_signed(struct state *state, const uint8_t key[SIGN_KEY_SHA256_LEN], uint64_t n,
                        struct fault *f);
/* Keeps the greater of `recorded` and what was told before. */
bool state_record(struct state *state, const uint8_t key[SIGN_KEY_SHA256_LEN], uint64_t recorded,
                  struct state_counts *ret_counts, struct fault *f);
/* Takes a CRL's number before it is signed: it is on disk when this returns. SIGNER_REFUSED when it
 * is not greater than each one before. */
bool state_take_crl_number(struct state *state, const uint8_t key[SIGN_KEY_SHA256_LEN],
                           uint64_t number, struct fault *f);
/* Readable when it is time for state_sync(): a second after the first change since the last one. */
int state_timer(const struct state *state);
/* Brings what was counted to the disk. */
bool state_sync(struct state *state, struct fault *f);
/* Does not sync. */
void state_free(struct state *state);

AUTO_POINTER(state, struct state, state_free)
