/* key_child.h - mintmark-keyd as a child process: started with a socketpair for each slot, asked
 * whether it serves, ended and reaped. For key_holder.c alone. Threads: one at a time. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/fault.h"

enum { KEY_CHILD_SLOTS_MAX = 64 }; /* what one key holder serves */

struct key_child {
  pid_t pid; /* 0: none */
  unsigned slots;
  int sockets[KEY_CHILD_SLOTS_MAX]; /* our ends; -1: handed out, or none */
  char ending[64];                  /* how it ended: "ended with exit code 1" */
};

/* No child, yet. */
void key_child_init(struct key_child *child, unsigned slots);
/* Starts it, with posix_spawn; what is in `child` must be none. config may be NULL. It may fail
 * later, while it reads its configuration: then its sockets close. SIGNER_DOWN. */
bool key_child_start(struct key_child *child, const char *program, const char *config,
                     struct fault *f);
/* Waits until it has its keys and serves. SIGNER_DOWN when it does not within timeout_ms; it is
 * ended and reaped then. */
bool key_child_await(struct key_child *child, int timeout_ms, struct fault *f);
/* Has it ended? Takes note of how. */
bool key_child_ended(struct key_child *child);
/* Closes the sockets that were not handed out; with the last of all it ends. */
void key_child_close(struct key_child *child);
/* Ends it at once. */
void key_child_kill(struct key_child *child);
/* Ends it in order: what it works on is answered. At once when that takes seconds. */
void key_child_part(struct key_child *child);
