/* listen.h - the socket that the daemon answers on: its own, or the one that systemd holds. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>

#include "lib/base/fault.h"

struct listener {
  int fd; /* owned by the caller */
  unsigned port;
  char address[64]; /* "127.0.0.1:43211": what it came to be, with the port that was free */
};

/* "127.0.0.1:8443", "[::]:8443"; port 0: one that is free. BAD_CONFIG when it is neither. */
bool listen_read(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_len,
                 struct fault *f);
/* Takes systemd's socket when one was handed over (then `text` does not matter), otherwise binds
 * one. Nobody can connect to that yet. Call it before any thread or child is there. */
bool listen_open(const char *text, struct listener *ret_listener, struct fault *f);
/* Now they can. */
bool listen_begin(const struct listener *listener, struct fault *f);
