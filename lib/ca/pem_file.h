/* pem_file.h - files of certificates and of revocation lists. Threads: any. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* Reads every object of a PEM file into ret_ders (max buffers, all empty; the caller frees all of
 * them in every case): 1 to `max`, all with this label. A file that begins as DER is one object.
 * BAD_FILE or FILE_ERROR names the file; `what` is what it should hold, for that. */
bool pem_file_read(const char *path, const char *label, const char *what, size_t octets_max,
                   struct buf *ret_ders, size_t max, size_t *ret_n, struct fault *f);
