/* cert_find.h - the certificate that a path names by its serial number. Threads: any. */
#pragma once
#include "daemon/exchange.h"
#include "lib/ca/ledger.h"

/* Reads x.path_value and looks it up. UNKNOWN_SERIAL_NUMBER: one that was never issued and one that
 * is not for this principal to see are the same to it. */
bool cert_find(const struct exchange *x, struct issued *ret_row, struct fault *f);
