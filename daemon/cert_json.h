/* cert_json.h - an issued certificate as a JSON object. Threads: any. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"
#include "lib/ca/authority.h"
#include "lib/ca/ledger.h"

/* The authority is the one that the row names; NULL: it is not known here, and there is no chain.
 * Appends {"serial_number": ..., ..., "certificate": PEM, "ca_chain": [PEM, ...]}. Every field is
 * there in every object; what was not given is "" or []. INTERNAL when the row's certificate cannot
 * be read, NO_MEMORY; `out` then holds a part of it. */
bool cert_json_add(const struct issued *row, const struct authority *authority, struct buf *out,
                   struct fault *f);
/* The same members behind others, in an object that was opened. */
bool cert_json_add_members(const struct issued *row, const struct authority *authority,
                           struct buf *out, struct fault *f);
/* Appends a certificate's PEM as a JSON string. */
void cert_json_add_pem(struct buf *out, struct bytes der);
/* Appends the names of this kind as a JSON list of strings. */
void cert_json_add_names(struct buf *out, const struct sans *names, enum san_kind kind);
