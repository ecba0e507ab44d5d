/* requests.h - whole HTTP requests, put together before the run. Threads: read by any. */
#pragma once
#include <stdbool.h>

#include "tests/bench/keys.h"

struct requests {
  struct buf octets; /* owned: one behind the other, with the token in them */
  size_t *at;        /* owned: n + 1 positions */
  size_t n;
};

struct request_form {
  const char *host, *token, *profile;
  bool close;   /* ask for the end of the connection */
  size_t first; /* number of the first device */
};

/* One POST /v1/certificates for each key from `first` on. */
bool requests_make(const struct keys *keys, const struct request_form *form,
                   struct requests *ret_requests, struct fault *f);
/* Their bodies alone, a line for each, into a new file. FILE_ERROR. */
bool requests_write_lines(const struct keys *keys, const struct request_form *form,
                          const char *path, struct fault *f);
struct bytes requests_get(const struct requests *requests, size_t n);
void requests_free(struct requests *requests);
AUTO_VALUE(requests, struct requests, requests_free)
