/* options.h - what the bench is told on its command line. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/fault.h"

struct options {
  uint64_t connections, threads, seconds, warm_up, requests, skip, rate, fill, revoke, pid;
  bool handshake, json, keep, help;
  const char *dir, *keys, *token_file, *profile, *lines; /* borrowed; NULL: not given */
};

/* BAD_USAGE says what is wrong. */
bool options_read(int argc, char **argv, struct options *ret_options, struct fault *f);
void options_help(void);
