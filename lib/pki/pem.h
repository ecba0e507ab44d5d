/* pem.h - PEM (RFC 7468): the textual coat of DER. Threads: none of its own. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"

/* Appends one PEM object: "CERTIFICATE", 64 characters a line. */
void pem_add(struct buf *out, const char *label, struct bytes der);

/* Steps `text` behind the next PEM object (text between objects is stepped over, as RFC 7468
 * allows), sets its label (a view) and appends its DER to ret_der. False when there is none left or
 * it is broken; *ret_broken tells which. Objects with headers ("Proc-Type:") count as broken: only
 * private_key_read takes those. */
bool pem_next(struct bytes *text, struct bytes *ret_label, struct buf *ret_der, bool *ret_broken);
