/* new_file.h - a file that is long in the making: it is written beside its place, and gets its name
 * when all of it is there. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

/* All zero is none. */
struct new_file {
  const char *path; /* borrowed */
  bool force;       /* one that is there is replaced */
  struct buf new_path;
  FILE *file; /* "PATH.new", to be written and read; NULL when it has its name */
};

/* What an earlier try left behind is begun anew, unless it is still at it. FILE_ERROR, also when
 * `path` is there already and `force` is not given. MODE_SECRET is kept to whatever the umask. */
bool new_file_open(const char *path, mode_t mode, bool force, struct new_file *ret_file,
                   struct fault *f);
/* All of it is on disk: what was written may be read before it is kept. */
bool new_file_sync(struct new_file *file, struct fault *f);
/* Under its name, for good. FILE_ERROR. */
bool new_file_keep(struct new_file *file, struct fault *f);
/* Removes what has no name yet. */
void new_file_free(struct new_file *file);
AUTO_VALUE(new_file, struct new_file, new_file_free)
