/* adopt.h - what was made before there was a ledger is put on the record when the daemon starts. */
#pragma once
#include <stdbool.h>

#include "lib/ca/authorities.h"
#include "lib/ca/conf.h"
#include "lib/ca/ledger.h"

/* The first administrator, when the ledger has no principal and the configuration names one. */
bool adopt_admin(struct ledger *ledger, const struct conf *conf, struct fault *f);

/* The daemon's own TLS certificate, when one of our authorities issued it (`mintmark init` did) and
 * its serial number is not in the ledger. *ret_adopted tells whether a row was added. */
bool adopt_server_certificate(struct ledger *ledger, const struct conf *conf,
                              const struct authorities *authorities, bool *ret_adopted,
                              struct fault *f);

/* The first certificate of a PEM file: its DER, and a view into it. BAD_FILE, FILE_ERROR. */
bool adopt_read_leaf(const char *path, struct buf *ret_der, struct cert *ret_cert, struct fault *f);
