/* crl_file.h - one file that holds a list of revoked certificates, DER or PEM. A long list is not
 * copied on its way to the disk. Threads: any; one at a time for each path. */
#pragma once
#include <stdbool.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum crl_file_format { CRL_FILE_DER, CRL_FILE_PEM };

/* Writes the pieces, one behind the other, into a new file in the place of one of this path, which
 * everybody may read, and syncs it. FILE_ERROR. */
bool crl_file_write(const char *path, enum crl_file_format format, const struct bytes *pieces,
                    size_t n, struct fault *f);
/* Is it a file of just this content? */
bool crl_file_is(const char *path, enum crl_file_format format, const struct bytes *pieces,
                 size_t n);
/* Appends the whole file; *ret_found is false when there is none. FILE_ERROR. */
bool crl_file_read(const char *path, bool *ret_found, struct buf *ret_der, struct fault *f);
