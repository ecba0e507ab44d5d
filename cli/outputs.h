/* outputs.h - files that are to be written together: all of them, or none. Contents are wiped, as
 * some are secrets. Threads: one. */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/fault.h"

enum { OUTPUTS_MAX = 16, MODE_SECRET = 0600, MODE_PUBLIC = 0644 };

struct output {
  char *path; /* owned */
  mode_t mode;
  const char *what; /* for the list that a person sees; static */
  struct buf content;
};

/* All zero is no file. */
struct outputs {
  struct output items[OUTPUTS_MAX];
  size_t n;
  bool failed; /* memory was short; outputs_write says so */
};

/* Adds a file; the caller fills the buffer that is returned. */
struct buf *outputs_add(struct outputs *outputs, mode_t mode, const char *what,
                        const char *path_format, ...) __attribute__((format(printf, 4, 5)));
/* FILE_ERROR, naming each, when any of the files is already there. `help` says what to do then. */
bool outputs_refuse_existing(const struct outputs *outputs, const char *help, struct fault *f);
bool outputs_any_exists(const struct outputs *outputs);
/* Writes all. After a failure, those that were written are removed again, unless they were to
 * replace others. */
bool outputs_write(const struct outputs *outputs, bool replace, struct fault *f);
/* Removes all, after a write that was good for nothing after all. */
void outputs_remove(const struct outputs *outputs);
/* Prints one row for each: path, what it is. */
void outputs_print(const struct outputs *outputs);
void outputs_free(struct outputs *outputs);
AUTO_VALUE(outputs, struct outputs, outputs_free)
