/* station_cert.h - the certificate that a station or a person shows instead of a token: key,
 * request and certificate in one step, through the daemon. The key is on disk before the daemon is
 * asked, so that after a lost reply the next try is the same request. Threads: one. */
#pragma once
#include <stdbool.h>

#include "cli/args.h"
#include "cli/client.h"
#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/pki/private_key.h"

struct station_cert {
  char *key_path, *cert_path; /* DIR/NAME.key, DIR/NAME.crt */
  char *new_key_path;         /* where the key is until the old one has served; NULL: at key_path */
  struct private_key *key;
  struct buf chain_pem;
  char serial_number[41];
};

/* Makes the key (or takes that of an earlier try) and asks for the certificate of the profile
 * "station" for this name. `replace`: in the place of the one that it has. FILE_ERROR when there is
 * a certificate already and nothing is to be replaced. ret_cert must be all zero; wants
 * station_cert_free in every case. */
bool station_cert_ask(const struct args *args, struct client *client, const char *name,
                      bool replace, struct station_cert *ret_cert, struct fault *f);
/* The daemon knows it now: writes the certificate with its chain, and puts the key in its place. */
bool station_cert_keep(const struct station_cert *cert, struct fault *f);
void station_cert_free(struct station_cert *cert);
AUTO_VALUE(station_cert, struct station_cert, station_cert_free)
