/* file.h - whole files: read with a bound, write so that no half-written file is ever seen. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* Reads all of a file into `out` (appended). FILE_ERROR says path and reason; a file over max is
 * one too.
 * "-" is standard input. */
bool file_read(const char *path, size_t max, struct buf *out, struct fault *f);
/* Writes a new file by a temporary one in the same folder, fsync and link or rename.
 * With `replace` false an existing file is kept and the call fails. */
bool file_write(const char *path, struct bytes content, mode_t mode, bool replace, struct fault *f);
/* Renames a file over another one of the same file system, and syncs the folder: so one such step
 * is on the disk before the next one begins. FILE_ERROR. */
bool file_put_in_place(const char *from, const char *to, struct fault *f);
bool file_exists(const char *path);
/* `name` when it is absolute, otherwise the folder of `beside`, a slash, and `name`. Owned by the
 * caller; NULL when memory is short. */
char *file_beside(const char *beside, const char *name);
/* Where a program is: a name without a slash stands next to the program that runs (a build folder,
 * a bench), or else in `folder`. Owned by the caller; NULL when memory is short. */
char *file_find_program(const char *name, const char *folder);
