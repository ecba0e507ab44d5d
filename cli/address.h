/* address.h - where the daemon listens, and the names by which it is then reached. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fault.h"
#include "lib/base/ip.h"
#include "lib/pki/san.h"

/* "127.0.0.1:8443", "[::1]:8443", "ca.example:8443" */
struct address {
  char host[256]; /* without brackets */
  uint16_t port;
  bool is_ip, is_any; /* is_any: 0.0.0.0 or [::] */
  struct ip ip;
};

/* BAD_USAGE, with an example, for what is no address. */
bool address_read(const char *text, struct address *ret_address, struct fault *f);

/* Appends "https://HOST:PORT"; a wildcard is reached by its loopback address. */
void address_url(const struct address *address, struct buf *out);

/* All names that a server certificate needs so that clients of this address accept it: loopback,
 * localhost, the machine's own name, the address itself; for a wildcard, the addresses of all
 * interfaces that are up. ret_cn gets the best of the names. */
bool address_names(const struct address *address, struct sans *ret_names, char ret_cn[65],
                   struct fault *f);
