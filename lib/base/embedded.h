/* embedded.h - files that the build puts into a program (build-aux/embed). */
#pragma once
#include <stddef.h>

struct embedded {
  const char *name; /* NULL behind the last */
  const char *text; /* NUL-terminated */
  size_t len;       /* without the NUL */
};
