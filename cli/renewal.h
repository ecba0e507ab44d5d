/* renewal.h - one try to renew the certificate of a pair of files: looks whether it is due, asks
 * the daemon with the certificate itself, puts the new one in its place. Threads: one. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "cli/args.h"
#include "lib/base/fault.h"
#include "lib/pki/cert.h"

/* What is to be done, as the options of `mintmark renew` say. */
struct renewal {
  const struct args *args;
  uint32_t fraction; /* see pace.h */
};

enum renewal_end {
  RENEWAL_DONE,
  RENEWAL_NOT_DUE,  /* by its lifetime: nobody was asked */
  RENEWAL_TOO_EARLY /* the daemon says so: see `detail` */
};

struct renewal_result {
  enum renewal_end end;
  int64_t not_before, not_after; /* of the certificate that stands there now */
  int64_t due_at;
  char serial_number[2 * SERIAL_NUMBER_MAX + 1];
  char detail[sizeof(((struct fault *)0)->detail)];
};

/* A command that is still owed from an earlier run (see after.h) is run in every case. False with
 * the daemon's fault, UNREACHABLE, or BAD_FILE and FILE_ERROR: the pair is then as it was, or is
 * made whole by the next try. */
bool renewal_try(const struct renewal *renewal, struct renewal_result *ret_result, struct fault *f);
