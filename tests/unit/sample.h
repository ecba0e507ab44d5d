/* sample.h - a CA and certificates of it, for tests of what we tell of them. */
#pragma once
#include "lib/ca/authority.h"
#include "lib/ca/ledger.h"

/* One CA for the whole program: root and issuing CA, made at the first call; static. */
const struct authority *sample_authority(void);
void sample_end(void);

/* A row of the ledger with its certificate, signed by that CA. `names` are "ip:", "dns:" and "uri:"
 * names with a space between two. Serial number: 01, and the id in the last octets. */
void sample_row(int64_t id, const char *device_serial, const char *station, const char *names,
                struct issued *ret_row);
