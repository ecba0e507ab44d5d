/* listen.h - the sockets that the daemon answers on: its own, or those that systemd holds. One is
 * for TLS; the other, which need not be, is for plain HTTP. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>

#include "lib/base/fault.h"

struct listener {
  int fd; /* owned by the caller */
  unsigned port;
  char address[64]; /* "127.0.0.1:43211": what it came to be, with the port that was free */
};

struct listeners {
  struct listener tls, plain; /* plain.fd is -1: there is none */
};

/* "127.0.0.1:8443", "[::]:8443"; port 0: one that is free. BAD_CONFIG when it is neither. */
bool listen_read(const char *text, struct sockaddr_storage *ret_address, socklen_t *ret_len,
                 struct fault *f);
/* For each, takes systemd's socket when one was handed over (then the text does not matter; the
 * name "public" makes it the plain one), otherwise binds one. A `plain` of NULL: there is to be
 * none, and BAD_CONFIG when systemd has one nevertheless. Nobody can connect yet to what was bound.
 * Call it before any thread or child is there. */
bool listen_open(const char *tls, const char *plain, struct listeners *ret_listeners,
                 struct fault *f);
/* Closes what is there. */
void listen_close(const struct listeners *listeners);
/* Now they can. */
bool listen_begin(const struct listener *listener, struct fault *f);
