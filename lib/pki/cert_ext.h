/* cert_ext.h - the extensions of a certificate, read into its view; for cert_read.c alone. */
#pragma once
#include "lib/pki/cert.h"

/* Reads a whole Extensions value. See cert_read() for `foreign`. BAD_FILE or NO_MEMORY. */
bool cert_ext_read(struct bytes extensions, bool foreign, struct cert *cert, struct fault *f);
